//! Every state of a dialog times every method: what a request inside it is answered. None may go unanswered but ACK,
//! none may harm a call that is up, and nothing may be left of it.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sip::Method;
use strowger::sip::method::TABLE;

const METHODS: [&str; 15] = [
    "INVITE",
    "UPDATE",
    "ACK",
    "CANCEL",
    "BYE",
    "OPTIONS",
    "INFO",
    "NOTIFY",
    "MESSAGE",
    "SUBSCRIBE",
    "REFER",
    "PRACK",
    "PUBLISH",
    "REGISTER",
    "FOO",
];

/// No answer, and none is owed.
const NONE: u16 = 0;

/// A state, whose phone sends the request, and the statuses in the order of `METHODS`.
const MATRIX: &[(State, &str, [u16; 15])] = &[
    (State::None, "client", [481, 481, NONE, 481, 481, 481, 481, 481, 481, 481, 481, 481, 481, 401, 501]),
    (State::Early, "client", [500, 200, NONE, 481, 200, 200, 200, 200, 200, 405, 603, 405, 405, 401, 501]),
    (State::Early, "isp", [491, 200, NONE, 481, 200, 200, 200, 200, 500, 405, 603, 405, 405, 401, 501]),
    (State::Answered, "client", [100, 200, NONE, 481, 200, 200, 200, 200, 200, 405, 400, 405, 405, 401, 501]),
    (State::Up, "client", [100, 200, NONE, 481, 200, 200, 200, 200, 200, 405, 400, 405, 405, 401, 501]),
    (State::Up, "isp", [100, 200, NONE, 481, 200, 200, 200, 200, 200, 405, 400, 405, 405, 401, 501]),
    (State::Over, "client", [481, 481, NONE, 481, 481, 481, 481, 481, 481, 481, 481, 481, 481, 401, 501]),
    (State::Over, "isp", [481, 481, NONE, 481, 481, 481, 481, 481, 481, 481, 481, 481, 481, 401, 501]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A dialog nobody has heard of.
    None,
    /// It rings.
    Early,
    /// Answered; the caller's ACK never comes.
    Answered,
    /// A call in progress.
    Up,
    /// Hung up.
    Over,
}

fn reach(state: State) -> Testbed {
    let mut world = Testbed::ready(SIP, GUIDE);
    if state == State::Answered {
        world.phone("client").habit(|habits| habits.never_acks = true);
    }
    if state == State::None {
        return world;
    }
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp") && !w.texts("client", &["180"]).is_empty());
    if state != State::Early {
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    }
    if state == State::Over {
        world.phone("client").hangs_up();
        world.until_over();
    }
    world.run(Duration::from_millis(100));
    world
}

/// Call-ID, From and To of a request that a phone sends inside its dialog.
fn inside(world: &Testbed, name: &str) -> [String; 3] {
    let header = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let of = |text: &str, [call_id, from, to]: [&str; 3]| [header(text, call_id), header(text, from), header(text, to)];
    match name {
        _ if world.channels().is_empty() && world.texts("client", &["INVITE"]).is_empty() => {
            ["unheard".into(), "<sip:client@192.0.2.1>;tag=1".into(), "<sip:1@192.0.2.1>;tag=2".into()]
        }
        "client" => of(&world.texts("client", &["180", "INVITE"])[0], ["Call-ID: ", "From: ", "To: "]),
        // What the phone answered: its own tag stands in To.
        _ => of(&world.sent_by(name, &["180", "INVITE"])[0], ["Call-ID: ", "To: ", "From: "]),
    }
}

/// The matrix has every method, and says of an established call what the table of methods says of a dialog.
#[test]
fn the_matrix_follows_the_table_of_methods() {
    let mut known: Vec<&str> = TABLE.iter().map(|(_, name, _)| *name).chain(["FOO"]).collect();
    known.sort_unstable();
    let mut tried = METHODS.to_vec();
    tried.sort_unstable();
    assert_eq!(tried, known);
    for (state, name, expected) in MATRIX.iter().filter(|(state, ..)| *state == State::Up) {
        for (method, expected) in METHODS.iter().zip(expected) {
            let rules = Method::from_bytes(method.as_bytes()).rules();
            // The call itself takes these, or the other line does (a REFER without Refer-To is 400, RFC 3515 2.4.2), CANCEL is its transaction's,
            // and the others never reach a dialog.
            if !matches!(*method, "INVITE" | "UPDATE" | "BYE" | "CANCEL" | "REFER" | "MESSAGE") && rules.within_dialogs
            {
                assert_eq!(*expected, rules.in_dialog.unwrap_or(NONE), "{state:?} {name} {method}");
            }
        }
    }
}

#[test]
fn every_state_times_every_method() {
    let mut wrong = Vec::new();
    for (state, name, expected) in MATRIX {
        let mut got = [NONE; 15];
        for (method, got) in METHODS.iter().zip(&mut got) {
            let mut world = reach(*state);
            let [call_id, from, to] = inside(&world, name);
            let at = world.look(name).config().sip;
            // What the phone itself would send next: it has sent up to 102, or up to 101 when it was called.
            let cseq = 103;
            // A blank SDP would be a hold: the INVITE asks for an offer.
            world.inject(
                name,
                &format!(
                    "{method} sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-matrix\r\nFrom: {from}\r\n\
                     To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n\
                     Contact: <sip:x@{at}>\r\nContent-Length: 0\r\n\r\n"
                ),
            );
            world.run(Duration::from_millis(20));
            let sent = world.texts(name, &["SIP/2.0"]);
            let answers: Vec<&String> = sent.iter().filter(|text| text.contains("z9hG4bK-matrix")).collect();
            *got = answers.first().map_or(NONE, |text| text[8..11].parse().unwrap());
            if state == &State::Up && *method != "BYE" {
                assert_eq!(world.channels().len(), 2, "{method} ended the call");
            }
            // Whatever it was, the call can be ended and leaves nothing.
            if *method == "INVITE" && *got == 100 {
                acknowledge(&mut world, name, [&call_id, &from, &to]);
            }
            world.phone("client").habit(|habits| habits.never_acks = false);
            for phone in ["client", "isp"] {
                world.phone(phone).hangs_up();
            }
            world.until_over();
            world.assert_nothing_left();
        }
        if got != *expected {
            wrong.push(format!("{state:?} {name}:\n  got      {got:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{METHODS:?}\n{}", wrong.join("\n"));
}

fn acknowledge(world: &mut Testbed, name: &str, [call_id, from, to]: [&str; 3]) {
    let at = world.look(name).config().sip;
    world.inject(
        name,
        &format!(
            "ACK sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-ack\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: {call_id}\r\nCSeq: 103 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    world.run(Duration::from_millis(20));
}
