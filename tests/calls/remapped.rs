//! A telephone is somewhere else in mid-call: its address translator gave it another port, or it has another address or
//! connection. The call follows what is proved, and nothing else.

use crate::network::Quality;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::net::IpAddr;
use std::time::Duration;
use strowger::sim::{Change, PhoneEvent};
use strowger::sip::flow::{ConnectionId, Transport};

const FIRST: &str = "198.51.100.3:1024";
/// Another port, and another address altogether.
const ELSEWHERE: [&str; 2] = ["198.51.100.3:1999", "203.0.113.77:4444"];

fn natted(words: &str) -> String {
    SIP.replace("nat=no", words)
}

fn followed() -> String {
    natted("nat=force_rport,comedia")
}

/// A world in which this phone is behind an address translator.
fn behind(sip: &str, name: &str) -> Testbed {
    let mut world = Testbed::new(sip, GUIDE, crate::network::Quality::PERFECT, 1);
    world.remap(name, FIRST);
    world.register_all();
    world
}

fn a_second(world: &mut Testbed) {
    world.run(Duration::from_secs(1));
}

/// How many messages went to this address whose first line and CSeq have these words.
fn sent(world: &Testbed, to: &str, words: &[&str]) -> usize {
    world.texts_at(to, words).len()
}

/// From where the media thread expects the sound of who is not in the same network.
fn signalling(world: &Testbed) -> Vec<IpAddr> {
    let known = |ip: &IpAddr| ip.to_string() != "192.0.2.20";
    world.media.streams.values().filter_map(|stream| stream.remote?.signalling).filter(known).collect()
}

/// The other hangs up: the BYE arrives where this one is.
fn is_hung_up_at(world: &mut Testbed, place: &str, name: &str) {
    let other = if name == "client" { "isp" } else { "client" };
    world.phone(other).hangs_up();
    world.until_over();
    assert!(sent(world, place, &["BYE"]) >= 1, "{name} at {place}");
    assert_eq!(sent(world, FIRST, &["BYE"]), 0);
    assert!(world.saw(name, &PhoneEvent::Ended));
    world.assert_nothing_left();
}

#[test]
fn a_register_from_elsewhere_takes_the_call_along() {
    for nat in ["nat=force_rport,comedia", "nat=auto_force_rport,auto_comedia", "nat=yes"] {
        for place in ELSEWHERE {
            for name in ["client", "isp"] {
                let mut world = behind(&natted(nat), name);
                world.connect();
                a_second(&mut world);
                world.remap(name, place);
                world.phone(name).registers();
                a_second(&mut world);
                assert!(
                    world.has_line(&format!("'{name}' is at {place} now, it was at {FIRST}")),
                    "{nat} {:?}",
                    world.lines
                );
                let ip = place.split(':').next().unwrap().parse::<IpAddr>().unwrap();
                assert_eq!(signalling(&world), [ip], "media learns from there");
                is_hung_up_at(&mut world, place, name);
            }
        }
    }
}

#[test]
fn a_request_of_the_call_from_elsewhere_takes_it_along() {
    for place in ELSEWHERE {
        for name in ["client", "isp"] {
            for act in 0..4 {
                let mut world = behind(&followed(), name);
                world.connect();
                a_second(&mut world);
                world.remap(name, place);
                match act {
                    0 => world.phone(name).reoffers(Change::Refresh),
                    1 => world.phone(name).updates(None),
                    2 => world.phone(name).presses('5'),
                    _ => world.phone(name).reoffers(Change::Hold),
                }
                a_second(&mut world);
                let ip = place.split(':').next().unwrap().parse::<IpAddr>().unwrap();
                assert_eq!(signalling(&world), [ip], "{name} {act}");
                is_hung_up_at(&mut world, place, name);
            }
        }
    }
}

/// Its own BYE: the answer goes where it came from, and nothing is left.
#[test]
fn a_bye_from_elsewhere_is_answered_there() {
    let mut world = behind(&followed(), "isp");
    world.connect();
    world.remap("isp", ELSEWHERE[0]);
    world.phone("isp").hangs_up();
    world.until_over();
    assert_eq!(sent(&world, ELSEWHERE[0], &["200", "BYE"]), 1);
    world.assert_nothing_left();
}

#[test]
fn while_it_rings_the_cancel_follows_and_so_does_the_answer() {
    // The callee: its CANCEL.
    let mut world = behind(&followed(), "isp");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.remap("isp", ELSEWHERE[0]);
    world.phone("isp").registers();
    a_second(&mut world);
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!((sent(&world, ELSEWHERE[0], &["CANCEL"]), sent(&world, FIRST, &["CANCEL"])), (1, 0));
    // The ACK of its 487.
    a_second(&mut world);
    assert_eq!((sent(&world, ELSEWHERE[0], &["ACK"]), sent(&world, FIRST, &["ACK"])), (1, 0));
    world.assert_nothing_left();

    // It answers from there: the ACK of its 200.
    let mut world = behind(&followed(), "isp");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.remap("isp", ELSEWHERE[1]);
    world.phone("isp").registers();
    a_second(&mut world);
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    assert_eq!((sent(&world, ELSEWHERE[1], &["ACK"]), sent(&world, FIRST, &["ACK sip"])), (1, 0));
    is_hung_up_at(&mut world, ELSEWHERE[1], "isp");

    // The caller: the 200 for its INVITE, and later our BYE.
    let mut world = behind(&followed(), "client");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.remap("client", ELSEWHERE[0]);
    world.phone("client").registers();
    a_second(&mut world);
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    is_hung_up_at(&mut world, ELSEWHERE[0], "client");
}

/// An ACK that comes from elsewhere proves as much as any request.
#[test]
fn an_acknowledgement_from_elsewhere_takes_the_call_along() {
    let mut world = behind(&followed(), "client");
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.texts_at(FIRST, &["200 OK", "INVITE"]).len() == 1);
    // Its 200 OK is under way; its ACK leaves by another port.
    let inside = world.look("client").config().sip;
    world.relay(FIRST, "client");
    world.stations.get_mut("client").unwrap().source = ELSEWHERE[0].parse().unwrap();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    a_second(&mut world);
    world.remap("client", ELSEWHERE[0]);
    assert_eq!(world.look("client").config().sip, inside);
    is_hung_up_at(&mut world, ELSEWHERE[0], "client");
}

/// A BYE of ours that is repeated when the phone says where it is now.
#[test]
fn what_is_under_way_goes_there_too() {
    let mut world = behind(&followed(), "isp");
    world.connect();
    a_second(&mut world);
    world.remap("isp", ELSEWHERE[0]);
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_secs(3));
    assert!(sent(&world, FIRST, &["INVITE"]) > 1 && sent(&world, ELSEWHERE[0], &["INVITE"]) == 0, "unheard until now");
    world.phone("isp").registers();
    world.run(Duration::from_secs(5));
    assert!(sent(&world, ELSEWHERE[0], &["INVITE"]) >= 1);
    assert!(world.saw("client", &PhoneEvent::RenegotiationAccepted));
    is_hung_up_at(&mut world, ELSEWHERE[0], "isp");
}

/// The exchange refreshes the call, and asks whether the line is there: at the new place.
#[test]
fn refreshes_and_qualify_go_there_too() {
    let sip =
        followed().replace("[general]\n", "[general]\nqualify=yes\nsession-timers=originate\nsession-expires=90\n");
    let mut world = behind(&sip, "isp");
    world.connect();
    a_second(&mut world);
    world.remap("isp", ELSEWHERE[0]);
    world.phone("isp").registers();
    a_second(&mut world);
    let (asked, invited) = (sent(&world, FIRST, &["OPTIONS"]), sent(&world, FIRST, &["INVITE"]));
    world.run(Duration::from_secs(300));
    assert_eq!((sent(&world, FIRST, &["OPTIONS"]), sent(&world, FIRST, &["INVITE"])), (asked, invited));
    assert!(sent(&world, ELSEWHERE[0], &["OPTIONS"]) >= 5);
    let refreshes = sent(&world, ELSEWHERE[0], &["UPDATE"]) + sent(&world, ELSEWHERE[0], &["INVITE"]);
    assert!(refreshes >= 3, "{refreshes}");
    assert!(world.is_talking("client") && world.is_talking("isp"));
    is_hung_up_at(&mut world, ELSEWHERE[0], "isp");
}

// ---- what moves nothing ----

/// Another tag, a number of before, a REGISTER without proof: none of it moves the call.
#[test]
fn a_stranger_moves_nothing() {
    let mut world = behind(&followed(), "isp");
    world.connect();
    a_second(&mut world);
    world.phone("isp").presses('5');
    a_second(&mut world);
    let inside = world.stations["isp"].source.to_string();
    let info = world.texts_from(&inside, &["INFO"])[0].clone();
    let tag = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name)).unwrap();
        line.split(";tag=").nth(1).unwrap().split(';').next().unwrap().to_owned()
    };
    let cseq = info.lines().find(|line| line.starts_with("CSeq: ")).unwrap().to_owned();
    let next = format!("CSeq: {} INFO", cseq[6..].split(' ').next().unwrap().parse::<u32>().unwrap() + 1);
    let branch = |number: u32| info.replace("branch=z9hG4bK", &format!("branch=z9hG4bK{number}"));
    let stranger = "203.0.113.200:5060";
    for (number, forged) in [
        branch(1).replace(&tag("From"), "guessed").replace(&cseq, &next),
        branch(2).replace(&tag("To"), "guessed").replace(&cseq, &next),
        branch(3).replace(&format!(";tag={}", tag("To")), "").replace(&cseq, &next),
        // A copy of what it said before: the number is not a new one.
        branch(4),
        world.texts_from(&inside, &["REGISTER"])[0].replace("branch=z9hG4bK", "branch=z9hG4bK5"),
        // With its digest, which was used before.
        world.texts_from(&inside, &["REGISTER"]).pop().unwrap().replace("branch=z9hG4bK", "branch=z9hG4bK6"),
    ]
    .into_iter()
    .enumerate()
    {
        world.inject_from(stranger, &forged);
        a_second(&mut world);
        assert!(!world.has_line("the call follows it"), "{number}: {forged}");
        assert_eq!(signalling(&world), ["198.51.100.3".parse::<IpAddr>().unwrap()], "{number}: {forged}");
    }
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!((sent(&world, FIRST, &["BYE"]), sent(&world, stranger, &["BYE"])), (1, 0));
    world.assert_nothing_left();
}

/// Another telephone with the same account, and the right secret: it has not the calls of the first.
#[test]
fn another_telephone_that_takes_the_account_does_not_get_the_call() {
    let mut world = behind(&followed(), "isp");
    world.connect();
    a_second(&mut world);
    let at = ("10.0.0.9:5062", "10.0.0.9:5004");
    world.add_with_account("other", "isp", "password", at, strowger::sim::DeviceProfile::Grandstream);
    world.remap("other", ELSEWHERE[1]);
    world.phone("other").registers();
    a_second(&mut world);
    assert_eq!(world.switch.bindings("isp")[0].flow.remote.to_string(), ELSEWHERE[1], "it has taken the account");
    assert!(!world.has_line("the call follows it"));
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!((sent(&world, FIRST, &["BYE"]), sent(&world, ELSEWHERE[1], &["BYE"])), (1, 0));
    world.assert_nothing_left();
}

/// `nat=no`: a Cisco 7960 sends from any port and listens on another.
#[test]
fn a_line_that_is_reached_where_it_says_stays_there() {
    let mut world = Testbed::new(SIP, "[default]\nexten => 1,1,Dial(SIP/cisco)\n", crate::network::Quality::PERFECT, 1);
    world.stations.get_mut("cisco").unwrap().source = "192.0.2.40:50123".parse().unwrap();
    world.register_all();
    world.phone("desk").dials("1");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("cisco"));
    world.stations.get_mut("cisco").unwrap().source = "192.0.2.40:50999".parse().unwrap();
    world.phone("cisco").reoffers(Change::Refresh);
    a_second(&mut world);
    assert!(!world.has_line("the call follows it"));
    world.phone("desk").hangs_up();
    world.until_over();
    assert_eq!(world.messages("exchange", "cisco", &["BYE"]).len(), 1);
    world.assert_nothing_left();
}

// ---- connections ----

/// The old connection is not known to be dead: no word of it ever came.
#[test]
fn over_tcp_the_call_follows_to_a_new_connection_from_another_address() {
    for register in [true, false] {
        let mut world = Testbed::connected(&followed(), GUIDE);
        world.connect();
        a_second(&mut world);
        let station = world.stations.get_mut("isp").unwrap();
        assert_eq!(station.over, Transport::Tcp);
        station.connection = Some(ConnectionId(900));
        world.remap("isp", ELSEWHERE[1]);
        match register {
            true => world.phone("isp").registers(),
            false => world.phone("isp").reoffers(Change::Refresh),
        }
        a_second(&mut world);
        assert!(world.has_line(&format!("'isp' is at {} now", ELSEWHERE[1])), "{register} {:?}", world.lines);
        world.phone("client").hangs_up();
        world.until_over();
        assert_eq!(sent(&world, ELSEWHERE[1], &["BYE"]), 1);
        world.assert_nothing_left();
    }
}

#[test]
fn each_method_takes_it_along() {
    const FIRST: &str = "198.51.100.3:1024";
    const SECOND: &str = "198.51.100.3:1999";
    for method in ["UPDATE", "INFO", "INVITE", "hold"] {
        for name in ["client", "isp"] {
            let sip = SIP.replace("nat=no", "nat=force_rport,comedia");
            let mut world = Testbed::new(&sip, GUIDE, Quality::PERFECT, 1);
            world.remap(name, FIRST);
            world.register_all();
            world.connect();
            world.run(Duration::from_secs(1));
            world.remap(name, SECOND);
            match method {
                "UPDATE" => world.phone(name).updates(None),
                "INFO" => world.phone(name).presses('5'),
                "INVITE" => world.phone(name).reoffers(Change::Refresh),
                _ => world.phone(name).reoffers(Change::Hold),
            }
            world.run(Duration::from_secs(1));
            let other = if name == "client" { "isp" } else { "client" };
            world.phone(other).hangs_up();
            world.until_over();
            assert!(!world.texts_at(SECOND, &["BYE"]).is_empty(), "{method} {name}");
            assert!(world.settles());
        }
    }
}

/// `nat=no`, and its Via asks for rport: it is reached where it was heard, also when that moves.
#[test]
fn a_line_that_registered_by_rport_alone_is_followed() {
    for nat in ["nat=no", "nat=auto_force_rport", "nat=force_rport"] {
        for by in ["REGISTER", "INVITE"] {
            let sip = SIP.replace("nat=no", nat);
            let mut world = Testbed::new(&sip, "[default]\nexten => 1,1,Dial(SIP/desk)\n", Quality::PERFECT, 1);
            world.remap("desk", "198.51.100.3:1024");
            world.register_all();
            world.phone("client").dials("1");
            world.until(|w| w.is_called("desk"));
            world.phone("desk").answers();
            world.until(|w| w.is_talking("client") && w.is_talking("desk"));
            world.run(Duration::from_secs(1));
            world.remap("desk", "198.51.100.3:1999");
            match by {
                "REGISTER" => world.phone("desk").registers(),
                _ => world.phone("desk").reoffers(Change::Refresh),
            }
            world.run(Duration::from_secs(1));
            world.phone("client").hangs_up();
            world.until_over();
            assert!(!world.texts_at("198.51.100.3:1999", &["BYE"]).is_empty(), "{nat} {by}");
            assert!(world.settles(), "{nat} {by}");
        }
    }
}

#[test]
fn a_connection_that_was_cut_is_replaced_in_mid_call() {
    let sip = SIP.replacen("[general]\n", "[general]\ntcpenable=yes\ntcpbindaddr=192.0.2.1\n", 1);
    for moment in ["ringing", "talking"] {
        let mut world = Testbed::connected(&sip, GUIDE);
        world.phone("client").dials("88567682");
        world.until(|w| w.is_called("isp"));
        world.run(Duration::from_millis(200));
        if moment == "talking" {
            world.phone("isp").answers();
            world.until(|w| w.is_talking("client") && w.is_talking("isp"));
            world.run(Duration::from_secs(1));
        }
        world.cut("isp");
        world.phone("isp").registers();
        world.run(Duration::from_secs(1));
        if moment == "ringing" {
            world.phone("isp").answers();
            world.run(Duration::from_secs(2));
            assert!(world.is_talking("client") && world.is_talking("isp"), "{moment}");
        }
        world.phone("client").hangs_up();
        world.until_over();
        assert!(!world.texts("isp", &["BYE"]).is_empty(), "{moment}");
        assert!(world.settles(), "{moment}");
    }
}
