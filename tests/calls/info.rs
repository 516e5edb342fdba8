//! Digits, hook flashes and whatever else lines send each other by INFO (RFC 6086, RFC 2976).

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, PhoneEvent};

stories! {
    digits_pass_both_ways(SIP, GUIDE);
    digits_pass_beside_direct_media(SIP.replace("directmedia=no", "directmedia=yes"), GUIDE);
}

/// What the INFO requests to a phone say, as `type: body`, each once.
pub fn heard(world: &Testbed, name: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for text in world.texts(name, &["INFO sip:"]) {
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        let (cseq, body) = (header("CSeq: "), text.split_once("\r\n\r\n").unwrap().1);
        let said = (cseq, format!("{}: {}", header("Content-Type: "), body.replace("\r\n", " ").trim()));
        if !seen.contains(&said) {
            seen.push(said);
        }
    }
    seen.into_iter().map(|(_, said)| said).collect()
}

/// The first lines of the answers that a phone got to its INFO requests.
pub fn answers(world: &Testbed, name: &str) -> Vec<String> {
    let texts = world.texts(name, &["SIP/2.0", "INFO"]);
    let answers = texts.iter().filter(|text| text.starts_with("SIP/2.0"));
    answers.map(|text| text.lines().next().unwrap().trim_start_matches("SIP/2.0 ").to_owned()).collect()
}

fn digits_pass_both_ways(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(2));
    for (from, to, key) in [("client", "isp", '5'), ("isp", "client", '#'), ("client", "isp", '6')] {
        let before = heard(world, to).len();
        world.phone(from).presses(key);
        world.until(|w| heard(w, to).len() > before && !answers(w, from).is_empty());
        let digit = format!("application/dtmf-relay: Signal={key} Duration=160");
        assert_eq!(heard(world, to).last(), Some(&digit));
        world.run(Duration::from_secs(5));
    }
    // While one holds the other, too.
    world.phone("isp").reoffers(Change::Hold);
    world.until(|w| w.saw("isp", &PhoneEvent::RenegotiationAccepted));
    world.run(Duration::from_secs(2));
    world.phone("client").presses('7');
    world.until(|w| heard(w, "isp").len() == 3);
    for name in ["client", "isp"] {
        assert!(answers(world, name).iter().all(|answer| answer == "200 OK"), "{:?}", answers(world, name));
    }
    world.run(Duration::from_secs(5));
    world.phone("client").hangs_up();
    world.until_over();
}

fn digits_pass_beside_direct_media(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(5));
    world.phone("client").presses('1');
    world.phone("isp").presses('2');
    world.until(|w| heard(w, "isp").len() == 1 && heard(w, "client").len() == 1);
    world.run(Duration::from_secs(2));
    world.phone("isp").hangs_up();
    world.until_over();
}

/// A call in progress; the client's INFO requests have these words in place of their type.
fn talking(with: &str) -> Testbed {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.rewrite_head("client", "Content-Type: application/dtmf-relay", with);
    world.connect();
    world.run(Duration::from_secs(1));
    world
}

fn over(mut world: Testbed) {
    for name in ["client", "isp"] {
        if world.stations.contains_key(name) {
            world.phone(name).hangs_up();
        }
    }
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn whatever_it_is_it_passes_as_it_is() {
    for head in [
        "Content-Type: application/dtmf",
        "Content-Type: application/hook-flash",
        "Content-Type: application/broadsoft; version=1.0",
        "Content-Type: application/media_control+xml\r\nContent-Language: en",
        "Content-Type: application/x\r\nContent-Disposition: Info-Package\r\nInfo-Package: nobody.knows\r\nContent-Encoding: identity",
        "Content-Type: multipart/mixed;boundary=\"x\"\r\nMIME-Version: 1.0",
    ] {
        let mut world = talking(head);
        world.phone("client").presses('5');
        world.run(Duration::from_secs(1));
        let [text] = world.texts("isp", &["INFO sip:"]).try_into().unwrap();
        for line in head.split("\r\n") {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
        assert!(text.ends_with("\r\n\r\nSignal=5\r\nDuration=160\r\n"), "{text}");
        assert_eq!(answers(&world, "client"), ["200 OK"]);
        // Which digit it was is nobody's business in a log.
        assert!(
            world.has_line("its INFO (") && world.has_line("is passed on to SIP/isp-") && !world.has_line("Signal")
        );
        over(world);
    }
}

#[test]
fn the_others_answer_is_the_answer() {
    for (answer, told, more) in [
        ("469 Bad Info Package\r\nRecv-Info: g.3gpp", "469 Bad Info Package", "Recv-Info: g.3gpp"),
        ("415 Not That\r\nAccept: application/dtmf", "415 Not That", "Accept: application/dtmf"),
        ("603 No", "603 No", ""),
        // What is between the exchange and that line alone.
        ("401 Unauthorized", "500 Server Internal Error", ""),
        ("503 Busy\r\nRetry-After: 9", "500 Server Internal Error", ""),
        ("408 Late", "500 Server Internal Error", ""),
    ] {
        let mut world = talking("Content-Type: application/dtmf");
        world.rewrite_head("isp", "SIP/2.0 200 OK", &format!("SIP/2.0 {answer}"));
        world.phone("client").presses('5');
        world.run(Duration::from_secs(1));
        assert_eq!(answers(&world, "client"), [told]);
        assert!(world.texts("client", &["SIP/2.0", "INFO"])[0].contains(more));
        assert_eq!(world.channels().len(), 2, "{answer}: the call goes on");
        world.rewrite_head("isp", &format!("SIP/2.0 {answer}"), "SIP/2.0 200 OK");
        over(world);
    }
}

/// RFC 3261 12.2.1.2: a line that does not know the call any more has none.
#[test]
fn a_line_that_does_not_know_the_call_any_more_ends_it() {
    let mut world = talking("Content-Type: application/dtmf");
    world.rewrite_head("isp", "SIP/2.0 200 OK", "SIP/2.0 481 Unknown");
    world.phone("client").presses('5');
    world.until(|w| !w.look("client").has_call());
    assert_eq!(answers(&world, "client"), ["500 Server Internal Error"]);
}

/// Its 200 is on its way: to it there may be no dialog yet, and it is sent nothing until its ACK comes. Should that never come, the
/// key is answered with the end of the call.
#[test]
fn a_caller_is_sent_nothing_before_it_acknowledges_its_answer() {
    for comes in [true, false] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.loses("client", "ACK");
        world.phone("client").dials("88567682");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("isp"));
        world.phone("isp").presses('5');
        world.run(Duration::from_secs(10));
        assert_eq!((answers(&world, "isp"), heard(&world, "client")), (vec![], vec![]));
        if comes {
            world.loses_nothing();
        }
        world.until(|w| !answers(w, "isp").is_empty());
        assert_eq!(answers(&world, "isp"), [if comes { "200 OK" } else { "487 Request Terminated" }]);
        world.run(Duration::from_secs(10));
        assert_eq!([comes; 2], [world.is_talking("client"), world.is_talking("isp")]);
        world.loses_nothing();
        over(world);
    }
}

#[test]
fn who_does_not_take_it_is_not_sent_it() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.rewrite_head("isp", "INFO, INVITE", "INVITE");
    world.connect();
    world.phone("client").presses('5');
    world.run(Duration::from_secs(1));
    assert_eq!(heard(&world, "isp"), [""; 0]);
    let [refused] = world.texts("client", &["SIP/2.0 415", "INFO"]).try_into().unwrap();
    assert!(refused.lines().any(|line| line.trim_end() == "Accept:"), "{refused}");
    assert!(world.has_line("its INFO (application/dtmf-relay) is refused (415), since SIP/isp-"));
    over(world);
    // One that says only by its answer that it does not is not asked twice.
    let mut world = talking("Content-Type: application/dtmf");
    world.rewrite_head("isp", "SIP/2.0 200 OK", "SIP/2.0 405 Method Not Allowed");
    world.rewrite_head("isp", "INFO, INVITE", "INVITE");
    for _ in 0..2 {
        world.phone("client").presses('5');
        world.run(Duration::from_secs(1));
    }
    assert_eq!(heard(&world, "isp").len(), 1);
    assert_eq!(answers(&world, "client"), ["405 Method Not Allowed", "415 Unsupported Media Type"]);
}

#[test]
fn where_nobody_is_it_is_refused_and_told() {
    let mut world = Testbed::ready(SIP, "[default]\nexten => _X!,1,Answer()\nexten => _X!,2,Echo()\n");
    // A digit the program would take.
    world.rewrite_head("client", "Content-Type: application/dtmf-relay", "Content-Type: application/hook-flash");
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.phone("client").presses('5');
    world.run(Duration::from_secs(1));
    assert_eq!(answers(&world, "client"), ["415 Unsupported Media Type"]);
    assert!(world.has_line("its INFO (application/hook-flash) is refused, since it talks to nobody"));
    over(world);
}

/// Before the final answer of the other line nothing is said, and what is sent again meanwhile is not passed on again.
#[test]
fn a_line_that_never_answers_costs_the_digit_and_not_the_call() {
    let mut world = talking("Content-Type: application/dtmf");
    world.rewrite_head("isp", "SIP/2.0 200 OK", "SIP/2.0 100 Trying");
    world.phone("client").presses('5');
    world.run(Duration::from_secs(31));
    assert!(answers(&world, "client").is_empty() && heard(&world, "isp").len() == 1);
    assert!(world.sent_by("client", &["INFO sip:"]).len() > 5, "it asks again and again");
    world.run(Duration::from_secs(5));
    assert_eq!(world.channels().len(), 2);
    assert!(
        answers(&world, "client").iter().all(|answer| answer.starts_with("504 ")),
        "{:?}",
        answers(&world, "client")
    );
    world.rewrite_head("isp", "SIP/2.0 100 Trying", "SIP/2.0 200 OK");
    over(world);
}

/// Hung up while it is on its way: it is answered all the same (RFC 3261 15.1.2), by either side.
#[test]
fn a_call_that_ends_meanwhile_leaves_nothing_unanswered() {
    for who in ["client", "isp"] {
        let mut world = talking("Content-Type: application/dtmf");
        world.phone("client").presses('5');
        world.run(Duration::from_millis(12));
        world.phone(who).hangs_up();
        over(world);
    }
}

/// A telephone sends an INFO in the early dialog.
fn sends_early(world: &mut Testbed, from: &str) {
    sends_early_after(world, from, "180", "5");
}

/// The same after this status, with a digit.
pub fn sends_early_after(world: &mut Testbed, from: &str, status: &str, digit: &str) {
    let texts = if from == "client" { world.texts(from, &[status]) } else { world.sent_by(from, &[status]) };
    let header = |name: &str| texts[0].lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let (own, other) = if from == "client" { ("From: ", "To: ") } else { ("To: ", "From: ") };
    let at = world.look(from).config().sip;
    let request = format!(
        "INFO sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-early\r\nFrom: {}\r\nTo: {}\r\n\
         Call-ID: {}\r\nCSeq: 103 INFO\r\nMax-Forwards: 70\r\nContent-Type: application/dtmf\r\nContent-Length: 1\r\n\r\n{digit}",
        header(own),
        header(other),
        header("Call-ID: ")
    );
    world.inject(from, &request);
}

/// An INFO in the early dialog, from either side, goes to the one other line; of several that ring nobody can say whom it is
/// for.
#[test]
fn before_the_answer_it_passes_where_one_line_rings() {
    for (plan, from, to, passes) in [
        ("Dial(SIP/isp,20)", "client", "isp", true),
        ("Dial(SIP/isp,20)", "isp", "client", true),
        ("Dial(SIP/isp&SIP/desk,20)", "client", "isp", false),
        ("Dial(SIP/isp&SIP/desk,20)", "isp", "client", false),
    ] {
        let mut world = Testbed::ready(SIP, &format!("[default]\nexten => _X!,1,{plan}\n"));
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp") && w.saw("client", &PhoneEvent::Ringing));
        world.run(Duration::from_secs(1));
        sends_early(&mut world, from);
        world.run(Duration::from_secs(1));
        let got = heard(&world, to);
        assert_eq!(got, if passes { vec!["application/dtmf: 5"] } else { vec![] }, "{plan} {from}");
        // The caller's telephone knows nothing of it before the answer; that ends no call.
        let expected = match (passes, from) {
            (false, _) => "415 Unsupported Media Type",
            (true, "client") => "200 OK",
            (true, _) => "500 Server Internal Error",
        };
        assert_eq!(answers(&world, from), [expected], "{plan} {from}");
        // The call is answered as ever.
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        over(world);
    }
}

#[test]
fn it_passes_while_an_offer_is_under_way() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("client").reoffers(Change::Hold);
    world.phone("client").presses('7');
    world.phone("isp").presses('8');
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts("isp", &["INFO sip:"]).len(), 1);
    assert_eq!(world.texts("client", &["INFO sip:"]).len(), 1);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The line that rings is one that the call was forwarded to, and the dialplan there may have answered by itself.
#[test]
fn before_the_answer_it_passes_through_a_forwarded_call() {
    let plan = "[default]\nexten => 200,1,Dial(SIP/isp,20)\nexten => 299,1,Dial(SIP/isp&SIP/cisco,20)\n\
        exten => 201,1,Dial(SIP/desk,20)\nexten => 202,1,Dial(SIP/desk&SIP/cisco,20)\n\
        exten => 203,1,Answer()\nsame => n,Dial(SIP/desk,20)\nexten => 204,1,Dial(SIP/isp,20)\n";
    for (number, exten, from, to, passes) in [
        ("200", "201", "client", "desk", true),
        ("200", "201", "desk", "client", true),
        ("200", "202", "client", "desk", false),
        ("200", "202", "desk", "client", false),
        ("299", "201", "client", "desk", false),
        ("299", "201", "desk", "client", false),
        ("200", "203", "client", "desk", true),
        ("200", "203", "desk", "client", true),
    ] {
        let story = format!("{number} {exten} {from}");
        let mut world = Testbed::ready(SIP, plan);
        world.add_to("isp", "SIP/2.0 302", &format!("Contact: <sip:{exten}@192.0.2.1>"));
        world.phone("isp").habit(|habits| habits.refuse = Some(302));
        world.phone("client").dials(number);
        world.until(|w| w.is_called("desk"));
        world.run(Duration::from_secs(1));
        let is_up = world.is_talking("client");
        assert_eq!(is_up, exten == "203", "{story}");
        match is_up && from == "client" {
            true => world.phone("client").presses('5'),
            false => sends_early(&mut world, from),
        }
        world.run(Duration::from_secs(1));
        assert_eq!(heard(&world, to).len(), usize::from(passes), "{story}");
        // Before the answer the caller's telephone knows nothing of it.
        let expected = match (passes, from) {
            (false, _) => "415 Unsupported Media Type",
            (true, "desk") if !is_up => "500 Server Internal Error",
            (true, _) => "200 OK",
        };
        assert_eq!(answers(&world, from), [expected], "{story}");
        world.phone("desk").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("desk"));
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}
