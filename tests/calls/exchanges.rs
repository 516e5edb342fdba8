//! Three exchanges in one network, each with telephones of its own, as the example has them: `north` and `west` are
//! connected by `south`.

use crate::network::Quality;
use crate::testbed::Testbed;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use strowger::sim::{DeviceProfile, PhoneEvent};

/// How far the exchanges' clocks run apart at most.
const STEP: Duration = Duration::from_millis(10);

/// Exchanges and what is on its way between them.
struct Country {
    houses: Vec<(&'static str, SocketAddr, Testbed)>,
    /// How much of what each has sent was looked at.
    seen: Vec<usize>,
}

fn read(house: &str, file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/examples/two-exchanges");
    fs::read_to_string(folder.join(house).join(file)).unwrap()
}

impl Country {
    /// The example's three, with a change of their files; every telephone is registered.
    fn new(change: impl Fn(&str, String, String) -> (String, String)) -> Country {
        let houses = [("north", 1, ["201", "202"]), ("south", 2, ["301", "302"]), ("west", 3, ["401", "402"])];
        let houses = houses.map(|(house, number, phones)| {
            let at = format!("192.0.2.{number}:5060");
            let sip = read(house, "sip.conf").replace("udpbindaddr=0.0.0.0", &format!("udpbindaddr=192.0.2.{number}"));
            let (sip, plan) = change(house, sip, read(house, "extensions.conf"));
            let mut world = Testbed::empty(&sip, &plan, Quality::PERFECT, number);
            for (place, phone) in phones.iter().enumerate() {
                let ip = format!("10.0.{number}.{}", place + 1);
                let (sip, rtp) = (format!("{ip}:5060"), format!("{ip}:16420"));
                world.add(phone, &format!("change-me-{phone}"), &sip, &rtp, DeviceProfile::Pap2t);
            }
            world.register_all();
            world.forgets();
            (house, at.parse().unwrap(), world)
        });
        Country { houses: houses.into(), seen: vec![0; 3] }
    }

    fn house(&mut self, name: &str) -> &mut Testbed {
        &mut self.houses.iter_mut().find(|(house, ..)| *house == name).unwrap().2
    }

    /// The house of a telephone, by its number.
    fn of(&mut self, phone: &str) -> &mut Testbed {
        let house = ["north", "south", "west"][usize::from(phone.as_bytes()[0] - b'2')];
        self.house(house)
    }

    /// A while passes everywhere, and what the exchanges sent each other arrives.
    fn step(&mut self) {
        let latest = self.houses.iter().map(|(.., world)| world.now).max().unwrap() + STEP;
        let mut mail = Vec::new();
        for ((_, at, world), seen) in self.houses.iter_mut().zip(&mut self.seen) {
            world.run(latest.since(world.now));
            let (count, sent) = world.sent_since(*seen);
            *seen = count;
            mail.extend(sent.into_iter().filter(|(from, ..)| from == at));
        }
        for (from, to, text) in mail {
            if let Some((.., world)) = self.houses.iter_mut().find(|(_, at, _)| *at == to) {
                world.inject_from(&from.to_string(), &text);
            }
        }
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&mut Country) -> bool) {
        for _ in 0..3000 {
            if is_so(self) {
                return;
            }
            self.step();
        }
        for (house, _, world) in &self.houses {
            eprintln!("{house}: {:#?}", world.lines);
        }
        panic!("it did not come to pass: {what}");
    }

    fn run(&mut self, time: Duration) {
        let end = self.houses[0].2.now + time;
        while self.houses[0].2.now < end {
            self.step();
        }
    }

    fn is_called(&mut self, phone: &str) -> bool {
        self.of(phone).is_called(phone)
    }

    /// One dials another, who answers.
    fn connect(&mut self, caller: &str, called: &str) {
        self.of(caller).phone(caller).dials(called);
        self.until("it rings", |country| country.is_called(called));
        self.of(called).phone(called).answers();
        self.until("both talk", |country| {
            country.of(caller).is_talking(caller) && country.of(called).is_talking(called)
        });
    }

    /// Whom a packet of this telephone reaches, through every exchange on the way.
    fn hearer(&mut self, phone: &str) -> Option<String> {
        let world = self.of(phone);
        let look = world.look(phone);
        let (mut from, mut to, mut payload) = (look.rtp(), look.media()?, look.payload_type()?);
        for _ in 0..self.houses.len() {
            (from, to, payload) = self.houses.iter().find_map(|(.., world)| world.media.forward(from, to, payload))?;
            let owner = |world: &Testbed| {
                let found = world.stations.iter().find(|(_, station)| station.phone.rtp() == to);
                found.map(|(name, station)| (name.clone(), station.phone.media() == Some(from)))
            };
            if let Some((name, expected)) = self.houses.iter().find_map(|(.., world)| owner(world)) {
                return expected.then_some(name);
            }
        }
        None
    }

    fn hang_up(&mut self, phone: &str) {
        self.of(phone).phone(phone).hangs_up();
        self.until("all is over", |country| {
            country.houses.iter().all(|(.., world)| world.stations.values().all(|station| !station.phone.has_call()))
        });
        self.run(Duration::from_secs(40));
        for (house, _, world) in &mut self.houses {
            assert_eq!(world.switch.leftovers(), Default::default(), "{house}");
            assert!(world.media.streams.is_empty(), "{house}");
        }
    }

    /// The latest INVITE that a house was sent by another, or that a telephone was.
    fn invite(&mut self, house: &str, to: &str) -> String {
        self.house(house).texts_at(to, &["INVITE sip"]).pop().unwrap()
    }
}

/// Each exchange asks the others for the secret, as the example has it: nothing is believed of an address alone.
fn as_it_is(_: &str, sip: String, plan: String) -> (String, String) {
    (sip, plan)
}

/// The INVITEs of a house to another that proved themselves.
fn proven(world: &Testbed, to: &str, invite: &str) -> Vec<String> {
    let mut all = world.texts_at(to, &[invite]);
    all.retain(|text| text.contains("\r\nAuthorization: "));
    all.dedup();
    all
}

fn line<'a>(invite: &'a str, name: &str) -> &'a str {
    let found = invite.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    found.split(";tag").next().unwrap_or_default()
}

#[test]
fn a_call_goes_through_three_exchanges_with_its_number_and_its_caller() {
    let mut country = Country::new(as_it_is);
    country.connect("201", "402");
    let [first, second] =
        [("north", "192.0.2.2:5060"), ("south", "192.0.2.3:5060")].map(|(house, to)| country.invite(house, to));
    assert!(
        first.starts_with("INVITE sip:402@192.0.2.2:5060 ") && second.starts_with("INVITE sip:402@192.0.2.3:5060 ")
    );
    let rung = country.invite("west", "10.0.3.2:5060");
    for invite in [&first, &second] {
        assert!(invite.contains("\r\nAuthorization: Digest username="), "each gave its secret: {invite}");
    }
    for (invite, hops) in [(&first, "Max-Forwards: 10"), (&second, "Max-Forwards: 9"), (&rung, "Max-Forwards: 8")] {
        assert!(line(invite, "From: ").starts_with("From: <sip:201@"), "{invite}");
        assert_eq!(line(invite, "Max-Forwards"), hops);
        // Each exchange ends one call and begins another: no Via of an earlier one is in it.
        assert_eq!(invite.matches("\r\nVia: ").count(), 1, "{invite}");
    }
    assert_eq!(line(&second, "P-Asserted-Identity"), "P-Asserted-Identity: <sip:201@192.0.2.2>");
    assert_eq!((country.hearer("201").as_deref(), country.hearer("402").as_deref()), (Some("402"), Some("201")));
    country.hang_up("402");
    // And the other way, with one house less.
    country.connect("301", "201");
    assert!(line(&country.invite("north", "10.0.1.1:5060"), "From: ").starts_with("From: <sip:301@"));
    country.hang_up("301");
}

/// Whoever hides his number is hidden there, too, and known to the exchanges.
#[test]
fn a_hidden_caller_stays_hidden_on_the_whole_way() {
    let mut country = Country::new(as_it_is);
    country.house("north").add_header("201", "Privacy: id");
    country.of("201").phone("201").dials("401");
    country.until("it rings", |country| country.is_called("401"));
    let passed = country.invite("south", "192.0.2.3:5060");
    assert_eq!(line(&passed, "P-Asserted-Identity"), "P-Asserted-Identity: <sip:201@192.0.2.2>");
    assert_eq!(line(&passed, "Privacy"), "Privacy: id");
    let rung = country.invite("west", "10.0.3.1:5060");
    assert!(rung.contains("<sip:anonymous@anonymous.invalid>") && !rung.contains("201@"), "{rung}");
    country.hang_up("201");
}

/// Whoever is at the address of an exchange and does not know the secret calls nobody there.
#[test]
fn an_exchange_that_does_not_know_the_secret_calls_nobody() {
    let mut country = Country::new(|house, sip, plan| {
        (if house == "north" { sip.replace("secret=change-me-23", "secret=another") } else { sip }, plan)
    });
    country.of("201").phone("201").dials("301");
    country.until("it fails", |country| {
        let events = &country.of("201").stations["201"].events;
        events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_)))
    });
    assert!(!country.is_called("301"));
    assert!(country.house("north").has_line("'south' refused the call (403 Forbidden)"));
    country.run(Duration::from_secs(40));
}

/// Two that send what they do not have to each other.
#[test]
fn a_call_that_goes_round_and_round_ends_by_its_hops() {
    let mut country = Country::new(|house, sip, plan| {
        let ring = match house {
            "north" => "exten => _9XX,1,Dial(SIP/${EXTEN}@south)\n",
            "south" => "exten => _9XX,1,Dial(SIP/${EXTEN}@north)\n",
            _ => "",
        };
        let (sip, plan) = as_it_is(house, sip, plan);
        (sip, plan.replace("[here]\n", &format!("[here]\n{ring}")))
    });
    country.of("201").phone("201").dials("900");
    country.until("it fails", |country| {
        let events = &country.of("201").stations["201"].events;
        events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_)))
    });
    let rounds = proven(country.house("north"), "192.0.2.2:5060", "INVITE sip:900").len();
    assert!((4..=7).contains(&rounds), "{rounds}");
    country.run(Duration::from_secs(40));
    for (house, _, world) in &mut country.houses {
        assert_eq!(world.switch.leftovers(), Default::default(), "{house}");
    }
}

/// Telephones of two houses that forward to each other, for ever but for what is counted.
#[test]
fn telephones_that_forward_to_each_other_across_exchanges_come_to_an_end() {
    let mut country = Country::new(as_it_is);
    crate::forwarding::forward(country.house("north"), "202", 302, "<sip:301@192.0.2.1>");
    crate::forwarding::forward(country.house("south"), "301", 302, "<sip:202@192.0.2.2>");
    country.of("201").phone("201").dials("202");
    country.until("it fails", |country| {
        let events = &country.of("201").stations["201"].events;
        events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_)))
    });
    let lines = |world: &mut Testbed| world.lines.iter().filter(|(_, line)| line.contains("or once too often")).count();
    let ends = lines(country.house("north")) + lines(country.house("south"));
    assert!(ends > 0);
    let invites = proven(country.house("north"), "192.0.2.2:5060", "INVITE sip:301");
    assert!(invites.len() <= 3, "{}", invites.len());
    assert!(invites[0].contains("Diversion: <sip:202@192.0.2.1>;reason=unconditional;privacy=off;counter=1\r\n"));
    country.run(Duration::from_secs(40));
    for (house, _, world) in &mut country.houses {
        assert_eq!(world.switch.leftovers(), Default::default(), "{house}");
    }
}

/// A trunk for modems: nothing is done with the sound of its calls.
#[test]
fn modems_call_each_other_over_a_trunk_that_leaves_their_sound_alone() {
    let mut country =
        Country::new(|house, sip, plan| as_it_is(house, sip.replace(";line=modem ", "line=modem  "), plan));
    country.connect("201", "301");
    assert_eq!(country.hearer("201").as_deref(), Some("301"));
    country.hang_up("201");
}
