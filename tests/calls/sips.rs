//! `sips:` (RFC 3261 26.2.2, RFC 5630): what is for TLS stays on TLS, and is refused where it does not come over it.

use crate::network::Quality;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, PhoneEvent};
use strowger::sip::flow::Transport::{self, Tcp, Tls, Udp};

/// The account file with TCP and TLS switched on, and these lines in the section of `isp`.
fn with_tls(isp: &str) -> String {
    let general = "[general]\ntcpenable=yes\ntlsenable=yes\ntlscertfile=cert.pem\n";
    let sip = SIP.replacen("[general]\n", general, 1);
    sip.replacen("[isp]\n", &format!("[isp]\n{isp}"), 1)
}

/// Those named speak over TLS and write `sips:`; the others are on UDP.
fn secured(sip: &str, names: &[&str]) -> Testbed {
    let mut world = Testbed::new(sip, GUIDE, Quality::PERFECT, 1);
    for name in names {
        world.connects(name, Tls);
        world.phone(name).habit(|habits| habits.sips = true);
    }
    world
}

fn line<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn all(over: &[Transport], which: Transport) -> bool {
    !over.is_empty() && over.iter().all(|over| *over == which)
}

#[test]
fn a_call_between_two_on_sips_is_sips_on_both_sides() {
    let mut world = secured(&with_tls("qualify=yes\n"), &["client", "isp"]);
    world.register_all();
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert!(
        invite.starts_with("INVITE sips:isp@192.0.2.20:5061 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1:5061;"),
        "{invite}"
    );
    assert_eq!(line(invite, "Contact: "), "<sips:client@192.0.2.1:5061>");
    assert_eq!(line(invite, "To: "), "<sips:isp@192.0.2.20:5061>");
    let answer = &world.texts("client", &["200 OK", "INVITE"])[0];
    assert_eq!(line(answer, "Contact: "), "<sips:88567682@192.0.2.1:5061>");
    assert_eq!(line(&world.texts("isp", &["OPTIONS"])[0], "Contact: "), "<sips:asterisk@192.0.2.1:5061>");
    for request in ["INVITE", "ACK", "BYE", "OPTIONS"] {
        assert!(all(&world.overs("isp", request), Tls), "{request}");
    }
    world.assert_nothing_left();
}

#[test]
fn a_number_behind_a_line_on_sips_is_called_by_sips() {
    let mut world = secured(&with_tls(""), &["isp"]);
    world.register_all();
    world.reload(&with_tls(""), &GUIDE.replace("SIP/isp", "SIP/isp/77"));
    world.connect();
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert!(invite.starts_with("INVITE sips:77@192.0.2.20:5061 SIP/2.0\r\n"), "{invite}");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// A line on TLS that writes `sip:` is told a Contact with `transport=tls`, as chan_sip does.
#[test]
fn a_line_on_tls_that_does_not_write_sips_is_not_told_sips() {
    let mut world = Testbed::new(&with_tls(""), GUIDE, Quality::PERFECT, 1);
    world.connects("isp", Tls);
    world.register_all();
    world.connect();
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert_eq!(line(invite, "Contact: "), "<sip:client@192.0.2.1:5061;transport=tls>");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The exchange ends the caller's call and begins another (RFC 5630 5.1.1.3): each side has its own way, and the log
/// says so.
#[test]
fn a_call_from_sips_to_a_line_on_udp_is_made_and_said() {
    let mut world = secured(&with_tls(""), &["client"]);
    world.register_all();
    world.connect();
    assert!(world.has_line("The caller's side is secured by TLS (sips:), that of SIP/isp is not: UDP"));
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert_eq!(line(invite, "Contact: "), "<sip:client@192.0.2.1:5060>");
    world.phone("isp").hangs_up();
    world.until_over();
    assert!(all(&world.overs("client", "BYE"), Tls));
    world.assert_nothing_left();
}

#[test]
fn over_udp_and_tcp_sips_is_refused_before_anybody_is_asked_who_he_is() {
    for over in [Udp, Tcp] {
        let mut world = Testbed::new(&with_tls(""), GUIDE, Quality::PERFECT, 1);
        if over == Tcp {
            world.connects("client", Tcp);
        }
        world.register_all();
        world.phone("client").habit(|habits| habits.sips = true);
        world.phone("client").dials("88567682");
        world.until(|w| w.saw("client", &PhoneEvent::Failed(480)));
        let answer = world.texts("client", &["480"]).remove(0);
        assert_eq!(line(&answer, "Warning: "), "380 192.0.2.1 \"SIPS Not Allowed\"");
        world.phone("client").registers();
        world.until(|w| w.saw("client", &PhoneEvent::RegisterRefused(480)));
        assert!(!world.is_called("isp"));
        world.assert_nothing_left();
    }
}

/// Only its Contact is `sips:`: calls to it would leave TLS.
#[test]
fn a_contact_alone_does_not_make_it_sips() {
    for (over, why) in [(Udp, "it did not register over TLS"), (Tls, "it registered at a sip: address")] {
        let mut world = Testbed::new(&with_tls(""), GUIDE, Quality::PERFECT, 1);
        if over == Tls {
            world.connects("isp", Tls);
        }
        world.rewrite_head("isp", "<sip:isp@192.0.2.20", "<sips:isp@192.0.2.20");
        world.phone("isp").registers();
        world.until(|w| w.saw("isp", &PhoneEvent::RegisterRefused(400)));
        assert!(world.line("refused to register sips:isp@").1.contains(why));
        world.assert_nothing_left();
    }
}

#[test]
fn a_path_that_leaves_tls_binds_no_sips_contact() {
    let mut world = secured(&with_tls("supportpath=yes\ncontactpermit=192.0.2.20\n"), &["isp"]);
    world.add_to("isp", "REGISTER", "Path: <sips:192.0.2.50;lr>, <sip:far.example.com;lr>");
    world.phone("isp").registers();
    world.until(|w| w.saw("isp", &PhoneEvent::RegisterRefused(400)));
    assert!(world.has_line("a proxy on the way (Path) has a sip: address"));
    world.assert_nothing_left();
}

/// RFC 3261 12.2.2: what would move the call off TLS is refused, and the call goes on.
#[test]
fn a_new_target_that_leaves_tls_is_refused() {
    let mut world = secured(&with_tls(""), &["client", "isp"]);
    world.register_all();
    world.connect();
    world.rewrite_head("client", "<sips:client@192.0.2.20:5060>", "<sip:client@192.0.2.20:5060>");
    world.phone("client").reoffers(Change::Hold);
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationRefused(480)));
    let answer = world.texts("client", &["480"]).remove(0);
    assert_eq!(line(&answer, "Warning: "), "381 192.0.2.1 \"SIPS Required\"");
    assert!(world.is_talking("client") && world.is_talking("isp"));
    world.phone("isp").hangs_up();
    world.until_over();
    let bye = &world.texts("client", &["BYE"])[0];
    assert!(bye.starts_with("BYE sips:client@192.0.2.20:5060 SIP/2.0\r\n"), "{bye}");
    world.assert_nothing_left();
}

/// linphone 5.1 says so of itself in a call it did not make. The call is on TLS already, and stays where it is.
#[test]
fn a_contact_with_sip_that_says_tls_is_taken_in_a_call() {
    let mut world = secured(&with_tls(""), &["client", "isp"]);
    world.register_all();
    world.rewrite_head("isp", "<sips:isp@192.0.2.20:5061>", "<sip:isp@192.0.2.20:5061;transport=tls>");
    world.connect();
    for (number, change) in [(1, Change::Hold), (2, Change::Resume)] {
        world.phone("isp").reoffers(change);
        world.until(|w| w.count("isp", &PhoneEvent::RenegotiationAccepted) == number);
    }
    world.phone("client").hangs_up();
    world.until_over();
    assert!(world.texts("isp", &["480"]).is_empty());
    for request in ["ACK", "BYE"] {
        assert!(all(&world.overs("isp", request), Tls), "{request}");
        let text = &world.texts("isp", &[request])[0];
        assert!(text.starts_with(&format!("{request} sips:isp@192.0.2.20:5061 SIP/2.0\r\n")), "{text}");
    }
    world.assert_nothing_left();
}

/// A called phone's answer cannot be refused: what it says of a way off TLS is not followed.
#[test]
fn an_answer_that_leaves_tls_is_not_followed() {
    let mut world = secured(&with_tls(""), &["client", "isp"]);
    world.register_all();
    world.add_to("isp", "SIP/2.0 200", "Record-Route: <sip:192.0.2.50;transport=udp;lr>");
    world.rewrite_head("isp", "<sips:isp@192.0.2.20:5061>", "<sip:isp@192.0.2.20:5061>");
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    for request in ["ACK", "BYE"] {
        assert!(all(&world.overs("isp", request), Tls), "{request}");
        let text = &world.texts("isp", &[request])[0];
        assert!(text.starts_with(&format!("{request} sips:isp@192.0.2.20:5061 SIP/2.0\r\n")), "{text}");
    }
    world.assert_nothing_left();
}

/// Over UDP a called phone's Contact asks for TLS, and there is none here: it is called as it was found.
#[test]
fn an_answer_that_asks_for_tls_where_there_is_none_is_not_followed() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.rewrite_head("isp", "<sip:isp@192.0.2.20:5061>", "<sips:isp@192.0.2.20:5061>");
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    for request in ["ACK", "BYE"] {
        let text = &world.texts("isp", &[request])[0];
        assert!(text.starts_with(&format!("{request} sip:isp@192.0.2.20:5061 SIP/2.0\r\n")), "{text}");
    }
    world.assert_nothing_left();
}

/// Somebody who knows a call over TLS, and speaks of it in the clear.
#[test]
fn what_comes_in_the_clear_for_a_call_on_tls_is_refused() {
    let mut world = secured(&with_tls(""), &["client", "isp"]);
    world.register_all();
    world.connect();
    let answer = world.texts("client", &["200 OK", "INVITE"]).remove(0);
    let (from, to, call) = (line(&answer, "From: "), line(&answer, "To: "), line(&answer, "Call-ID: "));
    for target in ["sip:88567682@192.0.2.1", "sips:88567682@192.0.2.1"] {
        let bye = format!(
            "BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-{}\r\nMax-Forwards: 70\r\nFrom: {from}\r\n\
             To: {to}\r\nCall-ID: {call}\r\nCSeq: 900 BYE\r\nContent-Length: 0\r\n\r\n",
            target.len()
        );
        world.inject("desk", &bye);
    }
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts("desk", &["480 Temporarily Unavailable"]).len(), 2);
    assert!(world.is_talking("client") && world.is_talking("isp"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// Its connection is gone, and with it the way to it: nothing goes another way instead.
#[test]
fn a_line_on_sips_is_called_over_tls_or_not_at_all() {
    let mut world = secured(&with_tls(""), &["client", "isp"]);
    world.register_all();
    world.cut("isp");
    world.phone("client").dials("88567682");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    assert!(!world.is_called("isp") && all(&world.overs("isp", "SIP/2.0"), Tls));
    world.assert_nothing_left();
}

/// A redirection to `sips:` is followed over TLS alone.
#[test]
fn a_redirection_to_sips_is_followed_over_tls_or_not_at_all() {
    for (sip, called) in
        [(with_tls("promiscredir=yes\n"), true), (SIP.replacen("[isp]\n", "[isp]\npromiscredir=yes\n", 1), false)]
    {
        let mut world = Testbed::new(&sip, GUIDE, Quality::PERFECT, 1);
        world.register_all();
        let desk = world.look("desk").config().sip;
        world.listeners.insert(desk);
        world.phone("isp").habit(|habits| habits.refuse = Some(302));
        world.add_to("isp", "SIP/2.0 302", "Contact: <sips:desk@192.0.2.30:5060>");
        world.phone("client").dials("88567682");
        world.until(|w| w.is_called("desk") || w.look("client").has_call() != called);
        assert_eq!(world.is_called("desk"), called);
        assert_eq!(world.overs("desk", "INVITE").first() == Some(&Tls), called);
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}
