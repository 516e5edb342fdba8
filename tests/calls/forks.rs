//! One INVITE, several answers: phones behind a proxy that forks, and phones that send the call elsewhere.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::PhoneEvent;

const TICK: Duration = Duration::from_millis(50);

fn line(text: &str, name: &str) -> String {
    text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

/// An answer to the INVITE that reached the called line, from another phone behind the same proxy.
fn other_phone_says(world: &mut Testbed, status: &str, tag: &str, sdp: bool) {
    let invite = world.texts("isp", &["INVITE sip:"]).remove(0);
    let body = "v=0\r\no=- 7 7 IN IP4 192.0.2.30\r\ns=-\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n";
    let body = if sdp { body } else { "" };
    let [via, from, call_id, cseq] = ["Via:", "From:", "Call-ID:", "CSeq:"].map(|name| line(&invite, name));
    let to = line(&invite, "To:");
    world.inject(
        "desk",
        &format!(
            "SIP/2.0 {status}\r\n{via}\r\n{from}\r\n{to};tag={tag}\r\n{call_id}\r\n{cseq}\r\nContact: <sip:desk@192.0.2.30>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    world.run(TICK);
}

fn ringing() -> Testbed {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp") && w.saw("client", &PhoneEvent::Ringing));
    world
}

/// RFC 3261 13.2.2.4: each 2xx is acknowledged; all but the first are ended, at their own Contact. Every repetition
/// gets the same ACK.
#[test]
fn a_second_phone_answers_too() {
    let mut world = ringing();
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    for _ in 0..3 {
        other_phone_says(&mut world, "200 OK", "other", true);
    }
    let acks = world.texts("desk", &["ACK sip:desk@192.0.2.30"]);
    assert_eq!((acks.len(), world.texts("desk", &["BYE sip:desk@192.0.2.30"]).len()), (3, 1));
    assert!(acks.iter().all(|ack| *ack == acks[0] && ack.contains(";tag=other")));
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// Two early dialogs, and the younger wins: the call goes on with it. The other answers all the same, later.
#[test]
fn the_other_of_two_ringing_phones_answers() {
    let mut world = ringing();
    other_phone_says(&mut world, "180 Ringing", "other", false);
    other_phone_says(&mut world, "200 OK", "other", true);
    assert!(world.is_talking("client"));
    assert_eq!(world.texts("desk", &["ACK sip:desk@"]).len(), 1);
    world.phone("isp").answers();
    world.until(|w| w.saw("isp", &PhoneEvent::Ended));
    assert!(world.is_talking("client"), "the late one alone is ended");
    world.phone("client").hangs_up();
    world.until_over();
    world.run(TICK);
    assert_eq!(world.texts("desk", &["BYE sip:desk@"]).len(), 1);
    world.assert_nothing_left();
}

/// The caller is gone when a forked phone answers: nobody is left, and still it gets its ACK and BYE.
#[test]
fn a_phone_answers_when_the_call_is_over() {
    let mut world = ringing();
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.phone("client").hangs_up();
    world.until_over();
    assert!(world.channels().is_empty());
    other_phone_says(&mut world, "200 OK", "late", true);
    assert_eq!(world.texts("desk", &["ACK sip:desk@"]).len(), 1);
    assert_eq!(world.texts("desk", &["BYE sip:desk@"]).len(), 1);
    world.assert_nothing_left();
}

fn redirecting(option: &str, contact: &str) -> Testbed {
    let mut world = Testbed::ready(&SIP.replace("[isp]\n", &format!("[isp]\n{option}\n")), GUIDE);
    world.add_to("isp", "SIP/2.0 302", &format!("Contact: {contact}"));
    world.phone("isp").habit(|habits| habits.refuse = Some(302));
    world.phone("client").dials("88567682");
    world
}

fn has_failed(world: &Testbed) -> bool {
    world.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_)))
}

#[test]
fn a_redirection_is_followed_when_promiscredir_says_so() {
    let mut world =
        redirecting("promiscredir=yes", "<sip:nobody@192.0.2.77>;q=0.1, <sip:desk@192.0.2.30:5060;x=y>;q=0.9");
    world.until(|w| w.is_called("desk"));
    assert!(world.texts("desk", &["INVITE sip:desk@192.0.2.30:5060;x=y"]).len() == 1);
    assert!(world.has_line("redirected the call to sip:desk@192.0.2.30:5060;x=y (302 "));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("desk"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_redirection_is_a_refusal_otherwise_and_when_it_leads_nowhere() {
    for (option, contact) in [
        ("promiscredir=no", "<sip:desk@192.0.2.30>"),
        ("promiscredir=yes", "<sip:desk@192.0.2.1>"),
        ("promiscredir=yes", "<sip:desk@somewhere.example.com>"),
        ("promiscredir=yes", "<tel:+15551234>"),
        ("promiscredir=yes", "*"),
    ] {
        let mut world = redirecting(option, contact);
        world.until(has_failed);
        assert!(world.texts("desk", &["INVITE"]).is_empty(), "{option} {contact}");
        world.assert_nothing_left();
    }
}

/// A phone that redirects to itself is asked no second time, and a chain of them ends.
#[test]
fn redirections_in_a_circle_end() {
    let mut world = redirecting("promiscredir=yes", "<sip:isp@192.0.2.20:5061>, <sip:other@192.0.2.20:5061>");
    world.until(has_failed);
    assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), 3);
    world.assert_nothing_left();
}

/// RFC 3261 19.1.5: header fields of a URI that is called belong in the request and not in its Request-URI. Here they
/// are left out.
#[test]
fn header_fields_of_a_redirection_do_not_stand_in_the_request_uri() {
    let mut world = redirecting("promiscredir=yes", "<sip:desk@192.0.2.30:5060;method=BYE?Subject=x&Replaces=y>");
    world.until(|w| w.is_called("desk"));
    let invite = world.texts("desk", &["INVITE sip:desk@"]).remove(0);
    assert!(invite.starts_with("INVITE sip:desk@192.0.2.30:5060 SIP/2.0\r\n"), "{invite}");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// A BYE from the called side of an early dialog ends the call here (RFC 3261 15); the final response of its INVITE may
/// never come.
#[test]
fn a_called_line_that_hangs_up_early_and_never_answers_leaves_nothing() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp") && !w.texts("client", &["180"]).is_empty());
    let ringing = world.sent_by("isp", &["180", "INVITE"]).remove(0);
    let [ours, its, call_id] = ["From: ", "To: ", "Call-ID: "].map(|name| line(&ringing, name));
    let (from, to) = (its.replacen("To", "From", 1), ours.replacen("From", "To", 1));
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.inject(
        "isp",
        &format!(
            "BYE sip:client@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5061;branch=z9hG4bK-early\r\n{from}\r\n{to}\r\n\
             {call_id}\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    world.until(has_failed);
    world.run(Duration::from_secs(120));
    assert_eq!(world.switch.leftovers(), Default::default());
}

/// A request inside the early dialog that the telephone at `desk` has by its answer's tag.
fn other_phone_asks(world: &mut Testbed, method: &str, cseq: u32, tag: &str, branch: &str) -> Vec<String> {
    let invite = world.texts("isp", &["INVITE sip:"]).remove(0);
    let [from, to, call_id] = ["From:", "To:", "Call-ID:"].map(|name| line(&invite, name));
    let (from, to) = (to.replacen("To", "From", 1), from.replacen("From", "To", 1));
    world.inject(
        "desk",
        &format!(
            "{method} sip:client@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-{branch}\r\n{from};tag={tag}\r\n\
             {to}\r\n{call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:desk@192.0.2.30>\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    world.run(TICK);
    let sent = world.texts("desk", &["SIP/2.0"]);
    sent.into_iter().filter(|text| text.contains(branch)).map(|text| text[8..11].to_owned()).collect()
}

/// A proxy rings three telephones: each early dialog lives until the call is answered, whichever was heard of last.
#[test]
fn older_early_dialogs_are_not_forgotten() {
    let mut world = ringing();
    other_phone_says(&mut world, "180 Ringing", "older", false);
    other_phone_says(&mut world, "180 Ringing", "younger", false);
    for (number, (method, status)) in [
        ("UPDATE", "200"),
        ("OPTIONS", "200"),
        ("INFO", "200"),
        ("PRACK", "405"),
        ("INVITE", "491"),
        ("MESSAGE", "405"),
        ("BYE", "200"),
        ("OPTIONS", "481"),
    ]
    .into_iter()
    .enumerate()
    {
        let got = other_phone_asks(&mut world, method, 200 + number as u32, "older", &format!("fork{number}"));
        assert_eq!(got, [status], "{method}");
    }
    assert_eq!(other_phone_asks(&mut world, "OPTIONS", 3, "younger", "old-number"), ["200"]);
    assert_eq!(other_phone_asks(&mut world, "OPTIONS", 2, "younger", "too-old"), ["500"]);
    assert!(world.look("client").has_call() && world.is_called("isp"), "the call rings on");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    assert_eq!(other_phone_asks(&mut world, "BYE", 4, "younger", "late-bye"), ["200"]);
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The telephone that was heard of last hangs up; the others ring on, and one answers.
#[test]
fn a_fork_that_hangs_up_early_leaves_the_call_to_the_others() {
    let mut world = ringing();
    other_phone_says(&mut world, "183 Session Progress", "other", true);
    assert!(world.saw("client", &PhoneEvent::Progress));
    assert_eq!(other_phone_asks(&mut world, "BYE", 1, "other", "early-bye"), ["200"]);
    assert!(world.look("client").has_call() && world.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_connected("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// However many telephones claim to ring behind one INVITE, no more than a few are kept; and whoever answers is taken.
#[test]
fn the_early_dialogs_of_one_invite_are_bounded() {
    let mut world = ringing();
    for number in 0..40 {
        other_phone_says(&mut world, "180 Ringing", &format!("phone{number}"), false);
    }
    assert!(world.switch.leftovers().dialogs <= 10, "{:?}", world.switch.leftovers());
    other_phone_says(&mut world, "200 OK", "phone39", true);
    assert!(world.is_talking("client"));
    assert_eq!(world.texts("desk", &["ACK sip:desk@"]).len(), 1);
    assert!(world.switch.leftovers().dialogs <= 10);
    world.phone("client").hangs_up();
    world.run(TICK);
    assert_eq!(world.texts("desk", &["BYE sip:desk@"]).len(), 1, "it is the one that is hung up");
    // Answered by hand: the telephone is none of the simulated ones.
    let bye = world.texts("desk", &["BYE sip:desk@"]).remove(0);
    let lines = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].map(|name| line(&bye, name)).join("\r\n");
    world.inject("desk", &format!("SIP/2.0 200 OK\r\n{lines}\r\nContent-Length: 0\r\n\r\n"));
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
