//! `strowger demo`: the dial-up guide's call without any hardware. A real exchange with the guide's configuration, two
//! simulated lines on real UDP sockets; everything printed is what happened.

mod phone;
mod sound;

use crate::config::Config;
use crate::config::peer::DirectMedia;
use crate::daemon::{self, Plan, Running, Sink, log};
use crate::event::LogLine;
use crate::observe::control;
use crate::pbx::switch::Stopping;
use crate::sim::{DeviceProfile, Phone, PhoneConfig, PhoneEvent};
use crate::store::Places;
use phone::{DemoPhone, Order};
use sound::Direction;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIP_CONF: &str = include_str!("../../conf/examples/guide/sip.conf");
const EXTENSIONS_CONF: &str = include_str!("../../conf/examples/guide/extensions.conf");
/// The guide's own secret; it exists nowhere else in the program, and listens on loopback only.
const SECRET: &str = "password";
/// The number the guide dials.
const NUMBER: &str = "88567682";
/// Packets each way and call: five seconds of the ATA's 30 ms packets.
const PACKETS: u64 = 167;
/// Longer than anything the demonstration waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows a relayed and a direct call; 0 only if both were as they should be.
pub fn run() -> ExitCode {
    println!(
        "A telephone exchange with the dial-up guide's configuration (conf/examples/guide), two simulated lines of an ATA,"
    );
    println!("and one call from the client's modem to the ISP's, twice: through the exchange, then directly.");
    let begun = Instant::now();
    let acts = [Act { direct: false }, Act { direct: true }];
    let mut results = Vec::new();
    for act in acts {
        println!("\n=== {} ===", act.title());
        match act.play() {
            Ok(directions) => results.push((act, directions)),
            Err(why) => {
                println!("\nThe demonstration failed: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\n=== Result ===");
    let mut good = true;
    for (act, directions) in &results {
        println!("{}", act.title());
        for direction in directions {
            println!("  {}", sentence(direction));
            good &= direction.is_perfect();
        }
    }
    println!("Total time: {:.1} s.", begun.elapsed().as_secs_f64());
    if good {
        println!(
            "Every packet arrived once, in order, with every byte as it was sent: a modem would not have noticed."
        );
        ExitCode::SUCCESS
    } else {
        println!("Not every packet arrived as it was sent (a busy machine can do that): see above.");
        ExitCode::FAILURE
    }
}

/// One of the two calls.
#[derive(Clone, Copy)]
struct Act {
    direct: bool,
}

impl Act {
    fn title(self) -> &'static str {
        match self.direct {
            false => "Relayed: directmedia=no, every packet passes through the exchange",
            true => "Direct: directmedia=yes, media connected directly by re-INVITE",
        }
    }

    /// The whole act, from the start of the exchange to its stop.
    fn play(self) -> Result<[Direction; 2], String> {
        let exchange = self.start()?;
        let directions = self.call(&exchange)?;
        exchange.stop(Stopping::Now);
        exchange.join()?;
        Ok(directions)
    }

    fn start(self) -> Result<Running, String> {
        let (config, diagnostics) = Config::from_texts(SIP_CONF, EXTENSIONS_CONF, "", "");
        let mut config = config.ok_or_else(|| format!("the guide's configuration does not load: {diagnostics:?}"))?;
        config.sip.general.bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        for peer in config.sip.peers.values_mut() {
            if !self.direct {
                Arc::make_mut(peer).settings.direct_media = DirectMedia::Relay;
            }
        }
        let plan = Plan {
            config,
            sink: console(),
            log: None,
            reload: None,
            places: Places::default(),
            services: Vec::new(),
            activated: Vec::new(),
        };
        let (running, _) = daemon::start(plan).map_err(|error| format!("the exchange does not start: {error}"))?;
        println!("The exchange listens on {}.", running.listening.udp);
        Ok(running)
    }

    fn call(self, exchange: &Running) -> Result<[Direction; 2], String> {
        let mut isp = line("pap2t-ispmodem", exchange.listening.udp, 1, |phone| {
            phone.behaviour_mut().auto_ring = true;
            phone.behaviour_mut().auto_answer_after = Some(Duration::from_millis(1200));
        })?;
        let mut client = line("pap2t-client", exchange.listening.udp, 2, |_| {})?;
        for line in [&mut isp, &mut client] {
            line.order(Order::Register);
            line.wait("its registration", PATIENCE, |event| match event {
                PhoneEvent::Registered { .. } => Some(()),
                _ => None,
            })?;
        }
        reachable(exchange)?;
        println!("\n$ strowger -rx \"sip show peers\"\n{}", ask(exchange, "sip show peers")?);
        client.order(Order::Dial(NUMBER.to_owned()));
        for line in [&mut isp, &mut client] {
            line.wait("the answer", PATIENCE, |event| matches!(event, PhoneEvent::Answered).then_some(()))?;
        }
        let (to_client, to_isp) = self.where_to(&mut isp, &mut client)?;
        println!("\n$ strowger -rx \"core show channels\"\n{}", ask(exchange, "core show channels")?);
        println!("(five seconds of G.711 each way)");
        let directions = sound::talk((&client, to_isp), (&isp, to_client), PACKETS)?;
        client.order(Order::HangUp);
        for line in [&mut client, &mut isp] {
            line.wait("the hang-up", PATIENCE, |event| matches!(event, PhoneEvent::Ended).then_some(()))?;
        }
        self.check_sources(&directions, &isp, &client)?;
        nothing_left(exchange)?;
        Ok(directions)
    }

    /// Where each phone sends its media: (the ISP's towards the client, the client's towards the ISP). With direct
    /// media, not before each has the other's own address.
    fn where_to(self, isp: &mut DemoPhone, client: &mut DemoPhone) -> Result<(SocketAddr, SocketAddr), String> {
        let address = |line: &DemoPhone| line.rtp.local_addr().map_err(|error| error.to_string());
        let (isp_rtp, client_rtp) = (address(isp)?, address(client)?);
        let settled = |own_exchange: bool, other: SocketAddr| {
            move |event: &PhoneEvent| match event {
                PhoneEvent::MediaAt(at) if own_exchange != (*at == other) => Some(*at),
                _ => None,
            }
        };
        let relayed = !self.direct;
        let to_client = isp.wait_or_seen("being told where to send", PATIENCE, settled(relayed, client_rtp))?;
        let to_isp = client.wait_or_seen("being told where to send", PATIENCE, settled(relayed, isp_rtp))?;
        Ok((to_client, to_isp))
    }

    /// Whether the packets really came from where this act says they do.
    fn check_sources(self, directions: &[Direction; 2], isp: &DemoPhone, client: &DemoPhone) -> Result<(), String> {
        for (direction, speaker) in directions.iter().zip([client, isp]) {
            let own = speaker.rtp.local_addr().map_err(|error| error.to_string())?;
            if (direction.source == Some(own)) != self.direct {
                return Err(format!(
                    "{}: packets came from {:?}, not as this call should",
                    direction.name, direction.source
                ));
            }
        }
        Ok(())
    }
}

fn line(user: &str, exchange: SocketAddr, seed: u64, prepare: impl FnOnce(&mut Phone)) -> Result<DemoPhone, String> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = PhoneConfig {
        user: user.to_owned(),
        secret: SECRET.to_owned(),
        sip: anywhere,
        exchange,
        rtp: anywhere,
        profile: DeviceProfile::Pap2t,
        expires: 3600,
    };
    DemoPhone::start(config, seed, prepare).map_err(|error| format!("line {user}: {error}"))
}

/// Prints the exchange's log as its console would.
fn console() -> Sink {
    Arc::new(|line: &LogLine| {
        if let Some(text) = log::plain(line, 3) {
            println!("{text}");
        }
    })
}

/// Has a console command answered, as `strowger -rx` would.
fn ask(exchange: &Running, command: &str) -> Result<String, String> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    exchange.console().ask(control::Request { line: command.to_owned(), reply });
    let output = answer.blocking_recv().map_err(|_| "the exchange does not answer its console".to_owned())?;
    Ok(output.text)
}

/// Waits until the exchange has qualified both phones.
fn reachable(exchange: &Running) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    while ask(exchange, "sip show peers")?.matches(" OK (").count() < 2 {
        if Instant::now() > until {
            return Err("the lines never became reachable".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// After the hang-up no channel may be left.
fn nothing_left(exchange: &Running) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    while !ask(exchange, "core show channels")?.contains("0 active channels") {
        if Instant::now() > until {
            return Err("a channel is left after the hang-up".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn sentence(direction: &Direction) -> String {
    let share = |share| direction.delay(share).as_secs_f64() * 1000.0;
    let touched = if direction.blemishes == 0 { "payload identical" } else { "PAYLOAD OR ORDER CHANGED" };
    format!(
        "{}: {} packets sent, {} received, {} lost, {touched}; delay {:.2} ms (half), {:.2} ms (99 of 100)",
        direction.name,
        direction.sent,
        direction.received,
        direction.lost,
        share(0.5),
        share(0.99)
    )
}
