//! Unauthenticated callers: guests where they are allowed, address lists for media, and the state such a caller may not
//! make the exchange keep.

use crate::network::Quality;
use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::{DeviceProfile, PhoneEvent};

/// The server's modem may be called by guests; nothing else may.
const OPEN: &str = "[general]\ncontext=lobby\nudpbindaddr=192.0.2.1\nallowguest=yes\n";
const LOBBY: &str = "[lobby]\nexten => 1,1,Dial(SIP/isp,20)\n[default]\nexten => _X!,1,Dial(SIP/isp,20)\n";

fn open() -> String {
    SIP.replace("[general]\ncontext=default\nudpbindaddr=192.0.2.1\n", OPEN)
}

fn direct(line: &str) -> String {
    SIP.replace("directmedia=no", "directmedia=yes").replace("[isp]\n", &format!("[isp]\n{line}\n"))
}

stories! {
    a_guest_calls_what_the_general_context_has(open(), LOBBY);
    a_guest_reaches_no_other_context(open(), LOBBY);
    media_stays_on_the_relay_where_the_list_refuses_the_other(direct("directmediadeny=192.0.2.0/24"), GUIDE);
    media_goes_directly_where_the_list_allows_the_other(direct("directmediadeny=0.0.0.0/0\ndirectmediapermit=192.0.2.20"), GUIDE);
}

fn guest(world: &mut Testbed) {
    world.add("passer-by", "", "192.0.2.77:5060", "192.0.2.77:5004", DeviceProfile::Grandstream);
}

fn a_guest_calls_what_the_general_context_has(world: &mut Testbed) {
    guest(world);
    world.phone("passer-by").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("passer-by") && w.is_talking("isp"));
    assert!(world.channels()[0].starts_with("SIP/guest-"), "{:?}", world.channels());
    world.assert_agreed("passer-by", "isp", true);
    world.phone("passer-by").hangs_up();
    world.until_over();
}

fn a_guest_reaches_no_other_context(world: &mut Testbed) {
    guest(world);
    world.phone("passer-by").dials("88567682");
    world.until(|w| !w.look("passer-by").has_call());
    assert!(world.saw("passer-by", &PhoneEvent::Failed(404)));
    assert!(!world.is_called("isp"));
    assert!(super::why::records(world).is_empty(), "strangers fill no disk by asking");
}

/// Each number a guest tries would cost a comparison with all there are; a line of ours is told what it may have meant.
#[test]
fn what_a_guest_dials_is_compared_with_nothing() {
    let dialplan = "[lobby]\nexten => 1,1,Answer()\nexten => _5.,1,Dial(SIP/${EXTEN:1})\n[default]\nexten => 1,1,Answer()\n\
                    exten => _5.,1,Dial(SIP/${EXTEN:1})\n";
    for (caller, is_told) in [("passer-by", false), ("client", true)] {
        for (number, words) in [("2", "Did you mean 1?"), ("5isq", "did you mean 'isp'?")] {
            let mut world = Testbed::new(
                &open().replace("[client]\n", "[client]\ncontext=default\n"),
                dialplan,
                Quality::PERFECT,
                1,
            );
            world.register_all();
            guest(&mut world);
            world.phone(caller).dials(number);
            world.until(|w| !w.look(caller).has_call());
            assert_eq!(world.has_line(words), is_told, "{caller} {number}: {:?}", world.lines);
        }
    }
}

#[test]
fn a_reload_that_shuts_guests_out_holds_for_those_on_the_way() {
    let mut world = Testbed::new(&open(), LOBBY, Quality::PERFECT, 1);
    world.register_all();
    guest(&mut world);
    world.reload_behind_the_edge(SIP, LOBBY);
    world.phone("passer-by").dials("1");
    world.until(|w| !w.look("passer-by").has_call());
    assert!(world.saw("passer-by", &PhoneEvent::Failed(403)));
    world.assert_nothing_left();
}

/// A line that is believed by its name alone: anybody may say that it is his, from anywhere.
const NAMED: &str = "[lobby]\ntype=friend\nhost=dynamic\ncontext=lobby\ndirectmedia=no\n";

/// Whoever proves nothing: a guest, and whoever says the name of a line without a secret.
fn strangers() -> [(String, &'static str); 2] {
    [(open(), "nobody"), (format!("{SIP}{NAMED}"), "lobby")]
}

/// An INVITE that may be forged: nobody acknowledges what comes of it.
fn forged(user: &str, number: &str, media: &str, lines: &str) -> String {
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\nm=audio 5004 RTP/AVP {media}\r\n"
    );
    format!(
        "INVITE sip:{number}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@192.0.2.77>;tag=1\r\nTo: <sip:{number}@192.0.2.1>\r\n\
         Call-ID: {number}@forged\r\nCSeq: 1 INVITE\r\nContact: <sip:{user}@192.0.2.77>\r\n{lines}\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

/// A guest that calls again and again fills no log: five calls in ten minutes are logged, and afterwards how many more there were.
#[test]
fn a_guests_refused_calls_are_logged_five_times_and_then_counted() {
    let mut world = Testbed::ready(&open(), LOBBY);
    guest(&mut world);
    let call = |world: &mut Testbed| {
        world.phone("passer-by").dials("88567682");
        world.until(|w| !w.look("passer-by").has_call());
    };
    for _ in 0..9 {
        call(&mut world);
    }
    let logged = |world: &Testbed| world.lines.iter().filter(|(_, line)| line.contains("88567682")).count();
    assert_eq!(logged(&world), 5);
    world.run(Duration::from_secs(600));
    call(&mut world);
    assert_eq!(logged(&world), 6);
    assert!(world.has_line("4 more calls of guests at 192.0.2.77 were refused and not logged"));
    world.assert_nothing_left();
}

/// Whatever keeps a guest's INVITE from being a call: one answer, at most twice as long, and nothing is kept of it.
#[test]
fn a_guest_that_is_refused_gets_one_answer_however_long_it_is_not_acknowledged() {
    let cases = [
        ("88567682", "0", "", "404"),
        ("1", "97", "", "488"),
        ("1", "0", "Accept: text/plain\r\n", "406"),
        ("1", "0", "Supported: timer\r\nSession-Expires: 10\r\n", "422"),
        ("1", "0", "Replaces: a@b;to-tag=1;from-tag=2\r\n", "403"),
        ("1", "0", "Replaces: a@b\r\n", "403"),
    ];
    let all = strangers().into_iter().flat_map(|(conf, user)| cases.map(|case| (conf.clone(), user, case)));
    for (conf, user, (number, media, lines, status)) in all {
        let mut world = Testbed::new(&conf, LOBBY, Quality::PERFECT, 1);
        world.register_all();
        guest(&mut world);
        let text = forged(user, number, media, lines);
        world.inject("passer-by", &text);
        world.run(Duration::from_secs(60));
        let told = world.texts("passer-by", &["SIP/2.0 "]);
        assert!(told.len() == 1 && told[0].starts_with(&format!("SIP/2.0 {status} ")), "{status}: {told:#?}");
        assert!(told[0].len() <= 2 * text.len(), "{told:#?}");
        world.assert_nothing_left();
    }
}

/// A guest's call that is answered and never acknowledged: four times 200, one BYE, and no sound.
#[test]
fn a_guest_that_acknowledges_nothing_is_given_up_soon() {
    for (conf, user) in strangers() {
        let mut world = Testbed::new(&conf, LOBBY, Quality::PERFECT, 1);
        world.register_all();
        guest(&mut world);
        world.inject("passer-by", &forged(user, "1", "0", ""));
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.run(Duration::from_secs(60));
        let of = |words: &str| world.texts("passer-by", &[words]).len();
        assert_eq!((of("SIP/2.0 200 "), of("BYE ")), (4, 1), "{user}");
        assert!(of("SIP/2.0 1") <= 3, "100, and what the called line says: {user}");
        world.assert_nothing_left();
    }
}

/// A registration that is believed by name proves no address either: it may be as forged as the call that follows.
#[test]
fn a_forged_registration_makes_no_forged_call_louder() {
    let (conf, user) = (format!("{SIP}{NAMED}"), "lobby");
    let mut world = Testbed::new(&conf, LOBBY, Quality::PERFECT, 1);
    world.register_all();
    guest(&mut world);
    world.inject(
        "passer-by",
        "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKreg\r\nMax-Forwards: 70\r\n\
         From: <sip:lobby@192.0.2.1>;tag=1\r\nTo: <sip:lobby@192.0.2.1>\r\nCall-ID: reg@forged\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:lobby@192.0.2.77:5060>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
    );
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts("passer-by", &["SIP/2.0 200 "]).len(), 1, "it is registered");
    world.inject("passer-by", &forged(user, "1", "0", ""));
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.run(Duration::from_secs(60));
    assert_eq!(world.texts("passer-by", &["SIP/2.0 200 OK", "INVITE"]).len(), 4);
}

/// A line that need not prove its calls (`insecure=invite`) but its registration: from where it is registered it calls as
/// any other, and in its name nobody else does.
#[test]
fn a_line_at_home_is_answered_as_long_as_any_and_from_elsewhere_nobody_is() {
    for (from, most) in [("ata", 20), ("passer-by", 4)] {
        let ata = "[ata]\ntype=friend\nhost=dynamic\nsecret=password\ninsecure=invite\ncontext=lobby\n";
        let mut world = Testbed::new(&format!("{SIP}{ata}"), LOBBY, Quality::PERFECT, 1);
        world.add("ata", "password", "192.0.2.78:5060", "192.0.2.78:5004", DeviceProfile::Grandstream);
        world.register_all();
        guest(&mut world);
        world.inject(from, &forged("ata", "1", "0", ""));
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.run(Duration::from_secs(60));
        let told = world.texts(from, &["SIP/2.0 200 OK", "INVITE"]).len();
        assert!(told <= most && (told > 4) == (from == "ata"), "{from}: {told}");
    }
}

/// A telephone without a secret calls as any other does: it rings, whatever the called line sends before the answer, and
/// both hear each other after it.
#[test]
fn a_telephone_without_a_secret_rings_and_talks() {
    for in_band in ["", "progressinband=yes\n"] {
        let conf = format!("{SIP}{NAMED}{in_band}");
        let mut world = Testbed::new(&conf, LOBBY, Quality::PERFECT, 1);
        world.add("lobby", "", "192.0.2.78:5060", "192.0.2.78:5004", DeviceProfile::Grandstream);
        world.register_all();
        world.phone("lobby").dials("1");
        world.until(|w| w.is_called("isp"));
        world.run(Duration::from_secs(2));
        assert!(!world.texts("lobby", &["SIP/2.0 180 "]).is_empty(), "it hears that it rings: {in_band}");
        world.phone("isp").answers();
        world.until(|w| w.is_talking("lobby") && w.is_talking("isp"));
        world.assert_agreed("lobby", "isp", true);
        world.phone("lobby").hangs_up();
        world.until_over();
    }
}

#[test]
fn ten_guests_at_once_and_no_more() {
    let mut world = Testbed::new(&open(), "[lobby]\nexten => 1,1,Answer()\nexten => 1,2,Echo()\n", Quality::PERFECT, 1);
    for number in 0..11 {
        let (name, sip) = (format!("guest{number}"), format!("192.0.2.{}:5060", 100 + number));
        world.add(&name, "", &sip, &sip.replace("5060", "5004"), DeviceProfile::Grandstream);
        world.phone(&name).dials("1");
        world.run(Duration::from_secs(1));
    }
    assert_eq!(world.channels().len(), 10);
    assert!(world.saw("guest10", &PhoneEvent::Failed(480)));
    for number in 0..10 {
        world.phone(&format!("guest{number}")).hangs_up();
    }
    world.assert_nothing_left();
}

fn media_stays_on_the_relay_where_the_list_refuses_the_other(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", true);
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "client", &["INVITE sip"]).len(), 0, "nobody is asked");
    }
    world.phone("isp").hangs_up();
    world.until_over();
}

fn media_goes_directly_where_the_list_allows_the_other(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", false);
    world.phone("isp").hangs_up();
    world.until_over();
}

/// Whatever a stranger says of calls that do not exist: answered once at most, by no more than twice the bytes, and
/// nothing is kept.
#[test]
fn requests_for_calls_that_are_not_there_leave_nothing() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.assert_nothing_left();
    for method in ["CANCEL", "BYE", "INVITE", "UPDATE", "INFO", "OPTIONS", "NOTIFY", "ACK", "MESSAGE"] {
        for (number, padding) in
            ["", "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"]
                .iter()
                .enumerate()
        {
            let text = format!(
                "{method} sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK{method}{number}\r\n\
                 From: <sip:x@192.0.2.1>;tag=1\r\nTo: <sip:1@192.0.2.1>;tag=2\r\nCall-ID: none\r\nCSeq: 1 {method}\r\nContact: <sip:x@192.0.2.30>\r\n{padding}\r\n"
            );
            let before = world.texts("desk", &["SIP/2.0"]).len();
            for _ in 0..3 {
                world.inject("desk", &text);
            }
            world.run(Duration::from_secs(1));
            let answers = world.texts("desk", &["SIP/2.0"])[before..].to_vec();
            assert!(answers.len() <= 3, "{method}: {answers:?}");
            assert!(answers.iter().all(|answer| answer.len() <= 2 * text.len()), "{method}: {answers:?}");
            assert_eq!(world.switch.leftovers(), Default::default(), "{method}");
        }
    }
    assert!(world.texts("desk", &["481"]).len() >= 24, "most are large enough to be answered");
}
