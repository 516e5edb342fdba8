//! `stunaddr=`: asks a STUN server which address the exchange has outside of a NAT, through the socket that SIP uses, so
//! that the port it sees is SIP's, too. The question also keeps the way through the NAT open.

use super::order::{Console, Order};
use super::service::Service;
use super::sink::Sink;
use crate::config::Config;
use crate::config::general::General;
use crate::event::{Level, LogLine};
use crate::net::stun_desk::{StunAnswer, StunDesk};
use crate::net::udp::Datagrams;
use crate::rng::Rng;
use crate::sip::Flow;
use crate::stun::{self, TransactionId};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::time::{Duration, Instant};

/// How often the server is asked: NATs forget a way that nobody uses after half a minute or so.
const REFRESH: Duration = Duration::from_secs(25);
/// How soon again after a failure.
const AGAIN: Duration = Duration::from_secs(10);
/// The first wait for an answer, doubled each time (RFC 5389 7.2.1).
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How often one question is sent.
const ATTEMPTS: u32 = 6;

/// What the thread is told.
enum Change {
    /// A new configuration: the server to ask, if any.
    Server(Option<(String, u16)>),
}

/// Learns the address outside.
pub(super) struct StunService {
    /// What the thread is started with, until it is.
    prepared: Option<Asker>,
    changes: Option<Sender<Change>>,
}

impl StunService {
    /// Prepares the thread.
    pub(super) fn new(
        config: &Config,
        datagrams: Arc<Datagrams>,
        desk: (Arc<StunDesk>, Receiver<StunAnswer>),
        told: (SyncSender<Order>, Sink),
        seed: [u8; 32],
    ) -> StunService {
        let ((desk, answers), (orders, sink)) = (desk, told);
        let server = server(&config.sip.general);
        let rng = Rng::from_seed(seed);
        let asker = Asker { server, datagrams, desk, answers, orders, sink, rng, known: None, has_failed: false };
        StunService { prepared: Some(asker), changes: None }
    }
}

/// The server to ask: none when the address outside is written.
fn server(general: &General) -> Option<(String, u16)> {
    let external = &general.external;
    let is_written = external.address.is_some() || external.host.is_some();
    external.stun.clone().filter(|_| !is_written)
}

impl Service for StunService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        let Some(asker) = self.prepared.take() else { return Ok(()) };
        let (sender, changes) = channel();
        std::thread::Builder::new().name("stun".into()).spawn(move || asker.run(&changes))?;
        self.changes = Some(sender);
        Ok(())
    }

    fn renew(&mut self, config: &Config) {
        if let Some(changes) = &self.changes {
            // The thread ends only with the exchange.
            let _ = changes.send(Change::Server(server(&config.sip.general)));
        }
    }

    /// Does not wait for the thread, which may wait for the system's resolver.
    fn stop(&mut self) {
        self.changes = None;
    }
}

struct Asker {
    server: Option<(String, u16)>,
    datagrams: Arc<Datagrams>,
    desk: Arc<StunDesk>,
    answers: Receiver<StunAnswer>,
    orders: SyncSender<Order>,
    sink: Sink,
    rng: Rng,
    /// The address outside, as it was learned last.
    known: Option<SocketAddr>,
    has_failed: bool,
}

impl Asker {
    /// Asks until the sender of changes is dropped.
    fn run(mut self, changes: &Receiver<Change>) {
        loop {
            let wait = match self.server.clone() {
                None => None,
                Some((name, port)) => match self.ask(&name, port) {
                    Ok(outside) => {
                        if !self.learned(&name, outside) {
                            return;
                        }
                        Some(REFRESH)
                    }
                    Err(why) => {
                        self.failed(&name, &why);
                        Some(AGAIN)
                    }
                },
            };
            let change = match wait {
                Some(wait) => changes.recv_timeout(wait),
                None => changes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match change {
                Ok(Change::Server(server)) => {
                    if server.is_none()
                        && self.known.take().is_some()
                        && self.orders.send(Order::Outside(None)).is_err()
                    {
                        return;
                    }
                    (self.server, self.has_failed) = (server, false);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// One question with its repetitions.
    fn ask(&mut self, name: &str, port: u16) -> Result<SocketAddr, String> {
        let server = self.find(name, port)?;
        let id = TransactionId(std::array::from_fn(|_| self.rng.bits().to_le_bytes()[0]));
        // Answers to earlier questions are late.
        while self.answers.try_recv().is_ok() {}
        self.desk.expect(Some(server));
        let outcome = self.exchange(server, id);
        self.desk.expect(None);
        outcome
    }

    fn exchange(&self, server: SocketAddr, id: TransactionId) -> Result<SocketAddr, String> {
        let request = stun::request(id);
        let anywhere: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let flow = Flow::udp(SocketAddr::new(anywhere, 0), server);
        let mut wait = FIRST_WAIT;
        for _ in 0..ATTEMPTS {
            self.datagrams.send(flow, &request).map_err(|error| error.to_string())?;
            let until = Instant::now() + wait;
            loop {
                let left = until.saturating_duration_since(Instant::now());
                match self.answers.recv_timeout(left) {
                    Ok(StunAnswer { from, bytes }) if from == server => match stun::mapped_address(&bytes, id) {
                        Err(stun::StunError::NotOurs | stun::StunError::Malformed) => {}
                        other => return other.map_err(|error| error.to_string()),
                    },
                    Ok(_) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return Err("SIP is received no more".into()),
                }
            }
            wait = wait.saturating_mul(2);
        }
        Err(format!("no answer from {server}"))
    }

    /// The server's address, of a kind that the socket can send to.
    fn find(&self, name: &str, port: u16) -> Result<SocketAddr, String> {
        let bound = self.datagrams.bound();
        let found = (name, port).to_socket_addrs().map_err(|error| format!("it does not resolve: {error}"))?;
        let mut usable: Vec<SocketAddr> =
            found.filter(|at| bound.iter().any(|bound| bound.is_ipv4() == at.is_ipv4())).collect();
        // What is translated is IPv4.
        usable.sort_by_key(|at| !at.is_ipv4());
        usable.first().copied().ok_or_else(|| "it has no address that udpbindaddr= lets us send to".into())
    }

    /// False: the exchange has ended.
    fn learned(&mut self, name: &str, outside: SocketAddr) -> bool {
        let was_failing = std::mem::take(&mut self.has_failed);
        match self.known.replace(outside) {
            Some(before) if before == outside => {
                if was_failing {
                    self.say(
                        Level::Notice,
                        format!("STUN server {name} answers again: our address outside is {outside}"),
                    );
                }
                return true;
            }
            Some(before) => self.say(
                Level::Notice,
                format!("Our address outside is {outside} now, it was {before} (STUN server {name})"),
            ),
            None => self.say(Level::Notice, format!("Our address outside is {outside} (STUN server {name})")),
        }
        self.orders.send(Order::Outside(Some(outside))).is_ok()
    }

    /// What lasts is said once.
    fn failed(&mut self, name: &str, why: &str) {
        if std::mem::replace(&mut self.has_failed, true) {
            return;
        }
        let then = match self.known {
            Some(known) => format!("{known} is used further"),
            None => "devices outside are told our own address, which may be none that they reach".into(),
        };
        self.say(Level::Warning, format!("STUN server {name} (stunaddr=) tells no address: {why}; {then}"));
    }

    fn say(&self, level: Level, text: String) {
        (self.sink)(&LogLine { level, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::stun_desk::stun_desk;
    use std::net::UdpSocket;
    use std::sync::Mutex;
    use std::sync::mpsc::sync_channel;

    /// A STUN server that loses the first question and answers the second, behind an answer to another one.
    fn serve(socket: &UdpSocket, desk: &StunDesk) {
        let (mut buffer, here) = ([0; 100], socket.local_addr().unwrap());
        let _ = socket.recv_from(&mut buffer).unwrap();
        let _ = socket.recv_from(&mut buffer).unwrap();
        let mut answer = buffer[..20].to_vec();
        answer[..4].copy_from_slice(&[1, 1, 0, 12]);
        answer.extend_from_slice(&[0x00, 0x01, 0x00, 0x08, 0x00, 0x01, 0x13, 0xc4, 198, 51, 100, 7]);
        let mut other = answer.clone();
        other[19] ^= 1;
        assert!(desk.take(&other, here) && desk.take(&answer, here));
    }

    #[test]
    fn the_address_is_learned_from_the_answer_to_our_own_question() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let datagrams = Arc::new(Datagrams::bind("127.0.0.1:0".parse().unwrap(), 0).unwrap());
        let (desk, answers) = stun_desk();
        let (orders, inbox) = sync_channel(8);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = lines.clone();
        let sink: Sink = Arc::new(move |line: &LogLine| log.lock().unwrap().push(line.text.clone()));
        let mut config = Config::from_texts("[general]\n", "", "", "").0.unwrap();
        config.sip.general.external.stun = Some(("127.0.0.1".into(), port));
        let service = StunService::new(&config, datagrams, (desk.clone(), answers), (orders, sink), [7; 32]);
        let mut asker = service.prepared.unwrap();
        let serving = std::thread::spawn(move || serve(&server, &desk));
        let outside = asker.ask("127.0.0.1", port).unwrap();
        serving.join().unwrap();
        assert_eq!(outside, "198.51.100.7:5060".parse().unwrap());
        assert!(asker.learned("stun.example", outside) && asker.learned("stun.example", outside));
        assert!(matches!(inbox.try_recv(), Ok(Order::Outside(Some(_)))));
        assert!(inbox.try_recv().is_err(), "told once");
        asker.failed("stun.example", "no answer");
        asker.failed("stun.example", "no answer");
        assert_eq!(lines.lock().unwrap().len(), 2, "{lines:?}");
        config.sip.general.external.address = Some((outside.ip(), None));
        assert_eq!(server_of(&config), None, "what is written is not asked for");
    }

    fn server_of(config: &Config) -> Option<(String, u16)> {
        super::server(&config.sip.general)
    }
}
