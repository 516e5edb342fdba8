//! Three exchanges as three programs, after the example `two-exchanges`: `south` lies between `north` and `west`.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::exchange::Exchange;
use crate::phones::Phones;
use crate::place::{Place, network};
use crate::transcript::assert_said;
use strowger::rtp::continuity::Place as RtpPlace;
use strowger::sim::{PhoneEvent, key_press};

/// The houses with their numbers' first digit.
const HOUSES: [(&str, u8); 3] = [("north", 2), ("south", 3), ("west", 4)];
const NORTH: usize = 0;
const SOUTH: usize = 1;
/// The telephones 201, 301, 402.
const PHONES: [&str; 3] = ["201", "301", "402"];

struct Country {
    phones: Phones,
    houses: Vec<Exchange>,
    places: Vec<Place>,
    _wire: Place,
}

impl Country {
    /// The example's three, with a change of their files; a telephone of each is registered.
    fn new(story: &str, change: impl Fn(&str, String, String) -> (String, String)) -> Option<Country> {
        let (wire, places) = network(story, &[], || {
            let wire = Place::wire(None)?;
            let on = |number: usize| {
                let address = format!("192.0.2.{}/24", number + 1);
                let phone = format!("192.0.2.{}/24", number + 11);
                Place::on(&wire, &[&address, &phone])
            };
            let places = (0..HOUSES.len()).map(on).collect::<Result<Vec<Place>, String>>()?;
            Ok((wire, places))
        })?;
        let mut phones = Phones::none();
        let mut houses = Vec::new();
        for (number, ((house, _), place)) in HOUSES.iter().zip(&places).enumerate() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/examples/two-exchanges").join(house);
            let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
            let (sip, plan) = change(house, read("sip.conf"), read("extensions.conf"));
            // What a telephone's own section has, the secret of the test's.
            let sip = sip.replace(&format!("secret=change-me-{}", PHONES[number]), "secret=password");
            let at = format!("192.0.2.{}:5060", number + 1);
            houses.push(place.exchange(&format!("{}-{house}", story.replace(' ', "-")), &at, &sip, &plan));
            place.phone(&mut phones, &format!("192.0.2.{}", number + 11), PHONES[number], at.parse().unwrap());
        }
        phones.register();
        Some(Country { phones, houses, places, _wire: wire })
    }

    fn fails(&mut self, caller: usize, number: &str) -> u16 {
        self.phones.dial(caller, number);
        let failure = |phones: &Phones| {
            phones.lines[caller].events.iter().find_map(|event| match event {
                PhoneEvent::Failed(status) => Some(*status),
                _ => None,
            })
        };
        self.phones.until("it fails", |phones| failure(phones).is_some());
        failure(&self.phones).unwrap()
    }

    fn nothing_is_left(&self) {
        for house in &self.houses {
            let end = Instant::now() + Duration::from_secs(5);
            while !house.told("core show channels").contains("0 active channels") {
                assert!(Instant::now() < end, "{}", house.told("core show channels"));
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn as_it_is(_: &str, sip: String, plan: String) -> (String, String) {
    (sip, plan)
}

#[test]
fn three_exchanges_pass_on_the_number_the_caller_the_sound_and_the_digits() {
    let Some(mut country) = Country::new("three exchanges", as_it_is) else { return };
    for (caller, callee) in [(0, 2), (2, 0), (0, 1), (1, 2)] {
        for line in &mut country.phones.lines {
            line.events.clear();
        }
        let (number, own) = (PHONES[callee], PHONES[caller]);
        country.phones.connect(caller, number, callee);
        let called = PhoneEvent::Called { from: own.into(), number: number.into() };
        assert!(country.phones.saw(callee, &called), "{:?}", country.phones.lines[callee].events);
        country.phones.talk(&[(caller, callee)]);
        country.phones.run(Duration::from_millis(500));
        country.phones.fall_silent(&[(caller, callee)]);

        // A digit, in the packets of the telephone's own stream: each arrives as it was sent.
        let place = RtpPlace { ssrc: 77, sequence: 100, timestamp: 16_000 };
        let sent: Vec<Vec<u8>> = "4#0"
            .chars()
            .zip(0u16..)
            .flat_map(|(key, at)| {
                let place = RtpPlace { sequence: 100 + 20 * at, timestamp: 16_000 + 8_000 * u32::from(at), ..place };
                key_press::events(key, Duration::from_millis(120), 101, place)
            })
            .collect();
        let heard = country.phones.pass(caller, callee, &sent);
        assert_eq!(heard, sent, "{own} to {number}");
        country.phones.hang_up(callee);
        country.phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
    }
    country.nothing_is_left();
}

/// Two that send what they do not have to each other: it ends by its hops, and the log says so.
#[test]
fn a_ring_of_exchanges_ends_a_call_by_its_hops() {
    let ring = |house: &str, sip: String, plan: String| {
        let next = match house {
            "north" => "south",
            "south" => "west",
            _ => return (sip, plan.replace("[here]\n", "[here]\nexten => _9XX,1,Dial(SIP/${EXTEN}@south)\n")),
        };
        (sip, plan.replace("[here]\n", &format!("[here]\nexten => _9XX,1,Dial(SIP/${{EXTEN}}@{next})\n")))
    };
    let Some(mut country) = Country::new("a ring of exchanges", ring) else { return };
    // Asterisk's cause for a 483, and its status.
    assert_eq!(country.fails(NORTH, "900"), 480);
    let logs: Vec<String> = country.houses.iter().map(Exchange::log).collect();
    // It came with ten hops, passed as many exchanges, and was refused by one of the two in the ring.
    let ends = "to extension '900' rejected because it has passed through as many exchanges as it may (Max-Forwards: 0); do they pass it \
                round in a ring?";
    assert_eq!(logs.iter().map(|log| log.matches(ends).count()).sum::<usize>(), 1, "{logs:#?}");
    let refused = logs.iter().find(|log| log.contains(ends)).unwrap();
    assert_said("guides/connect-two-exchanges.md", "hops", refused);
    let passed: usize = logs.iter().map(|log| log.matches("    -- Called SIP/").count()).sum();
    assert_eq!(passed, 11, "{logs:#?}");
    country.nothing_is_left();
}

/// A telephone that forwards every call (302) to another house.
fn forwards(place: &Place, at: &str, contact: &'static str) {
    let at: SocketAddr = at.parse().unwrap();
    let socket = place.inside(|| UdpSocket::bind(at).unwrap());
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let status = match text.split(' ').next() {
                Some("INVITE") => "302 Moved Temporarily",
                Some("OPTIONS") => "200 OK",
                _ => continue,
            };
            let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
            let mut answer = format!("SIP/2.0 {status}\r\n");
            for line in text.lines().filter(|line| kept.iter().any(|name| line.starts_with(name))) {
                let tag = if line.starts_with("To:") && !line.contains(";tag=") { ";tag=f" } else { "" };
                answer += &format!("{line}{tag}\r\n");
            }
            answer += &format!("Contact: {contact}\r\nContent-Length: 0\r\n\r\n");
            let _ = socket.send_to(answer.as_bytes(), from);
        }
    });
}

#[test]
fn telephones_that_forward_to_each_other_across_exchanges_end_by_their_count() {
    let fixed = |house: &str, sip: String, plan: String| {
        let (line, number) = match house {
            "north" => ("[202](phone)\n", 1),
            "south" => ("[302](phone)\n", 2),
            _ => return (sip, plan),
        };
        (sip.replace(line, &format!("{line}host=192.0.2.1{number}\nport=5090\ninsecure=invite\n")), plan)
    };
    let Some(mut country) = Country::new("telephones that forward", fixed) else { return };
    forwards(&country.places[NORTH], "192.0.2.11:5090", "<sip:302@192.0.2.1>");
    forwards(&country.places[SOUTH], "192.0.2.12:5090", "<sip:202@192.0.2.2>");
    assert_eq!(country.fails(NORTH, "202"), 503);
    let logs: Vec<String> = country.houses.iter().map(Exchange::log).collect();
    let ends = "where it was forwarded before, or once too often (5 times until then)";
    let said: Vec<&str> = logs.iter().flat_map(|log| log.lines()).filter(|line| line.contains(ends)).collect();
    assert!(said.iter().any(|line| line.contains("Call from 'north' to '302' failed: '302' forwards")), "{logs:#?}");
    assert_said("guides/connect-two-exchanges.md", "forwarding", &logs[SOUTH]);
    country.nothing_is_left();
}
