//! What a URI asks for, and what is spoken over in the end: `;transport=` in Contact, Record-Route and Path (RFC 3263
//! 4.1).

use crate::network::Quality;
use crate::testbed::{GUIDE, SIP, Testbed};
use strowger::sip::flow::Transport::{self, Tcp, Udp};

/// The account file with TCP switched on, and these lines in the section of `isp`.
fn with_tcp(isp: &str) -> String {
    let sip = SIP.replacen("[general]\n", "[general]\ntcpenable=yes\n", 1);
    sip.replacen("[isp]\n", &format!("[isp]\n{isp}"), 1)
}

/// Everybody registers over UDP; the Contact of `isp` asks for TCP, where it listens.
fn wants_tcp(sip: &str) -> Testbed {
    let mut world = Testbed::new(sip, GUIDE, Quality::PERFECT, 1);
    let at = world.look("isp").config().sip;
    world.listeners.insert(at);
    world.rewrite_head("isp", "<sip:isp@192.0.2.20:5061>", "<sip:isp@192.0.2.20:5061;transport=tcp>");
    world.register_all();
    world
}

fn call_and_end(world: &mut Testbed) {
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
}

fn all(over: &[Transport], which: Transport) -> bool {
    !over.is_empty() && over.iter().all(|over| *over == which)
}

#[test]
fn a_contact_that_asks_for_tcp_is_called_over_tcp() {
    let mut world = wants_tcp(&with_tcp("qualify=yes\n"));
    call_and_end(&mut world);
    for request in ["OPTIONS", "INVITE", "ACK", "BYE"] {
        assert!(all(&world.overs("isp", request), Tcp), "{request}: {:?}", world.overs("isp", request));
    }
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert!(invite.starts_with("INVITE sip:isp@192.0.2.20:5061;transport=tcp SIP/2.0\r\n"), "{invite}");
    assert!(invite.contains("Via: SIP/2.0/TCP 192.0.2.1:5060;"), "{invite}");
    assert!(invite.contains("Contact: <sip:client@192.0.2.1:5060;transport=tcp>"), "{invite}");
    assert!(all(&world.overs("isp", "SIP/2.0 200"), Udp), "its REGISTER came over UDP");
    assert!(!world.has_line("asks to be called over"));
    world.assert_nothing_left();
}

#[test]
fn where_tcp_is_off_or_left_out_it_is_called_over_udp_and_the_log_says_why_once() {
    let left_out = with_tcp("transport=udp\n");
    for (sip, why) in [(SIP, "it is off here (tcpenable=, tlsenable=)"), (left_out.as_str(), "transport= of the peer")]
    {
        let mut world = wants_tcp(sip);
        world.phone("isp").registers();
        world.run(std::time::Duration::from_secs(1));
        let (_, line) = world.line("asks to be called over TCP");
        assert!(line.contains(why) && line.contains("sip:isp@192.0.2.20:5061;transport=tcp"), "{line}");
        call_and_end(&mut world);
        assert!(all(&world.overs("isp", "INVITE"), Udp) && all(&world.overs("isp", "BYE"), Udp));
        world.assert_nothing_left();
    }
}

/// A phone behind NAT cannot be connected to at the address it thinks it has.
#[test]
fn behind_nat_it_is_called_over_udp() {
    let mut world = Testbed::new(&with_tcp("").replace("nat=no", "nat=force_rport"), GUIDE, Quality::PERFECT, 1);
    world.rewrite_head("isp", "<sip:isp@192.0.2.20:5061>", "<sip:isp@10.0.0.9:5061;transport=tcp>");
    world.register_all();
    assert!(world.line("asks to be called over TCP").1.contains("behind NAT"));
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    assert!(all(&world.overs("isp", "INVITE"), Udp));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// RFC 3261 12.2.1.1 and 12.2.2: within a dialog it is the Contact of the dialog that counts, and its latest.
#[test]
fn the_contact_of_a_dialog_counts_within_it() {
    let mut world = Testbed::new(&with_tcp(""), GUIDE, Quality::PERFECT, 1);
    world.register_all();
    let at = world.look("isp").config().sip;
    world.listeners.insert(at);
    world.rewrite_head("isp", "<sip:isp@192.0.2.20:5061>", "<sip:isp@192.0.2.20:5061;transport=tcp>");
    call_and_end(&mut world);
    assert!(all(&world.overs("isp", "INVITE"), Udp), "as it registered");
    assert!(all(&world.overs("isp", "ACK"), Tcp) && all(&world.overs("isp", "BYE"), Tcp), "as its 200 says");
    world.assert_nothing_left();
}

#[test]
fn a_proxy_that_asks_for_tcp_in_record_route_or_path_gets_it() {
    let mut world = Testbed::new(&with_tcp("supportpath=yes\ncontactpermit=192.0.2.20\n"), GUIDE, Quality::PERFECT, 1);
    let near = "192.0.2.50:5060";
    world.listeners.insert(near.parse().unwrap());
    world.relay(near, "isp");
    world.add_to("isp", "REGISTER", "Path: <sip:192.0.2.50;transport=tcp;lr>");
    world.add_to("isp", "SIP/2.0 200", "Record-Route: <sip:192.0.2.50;transport=tcp;lr>");
    world.register_all();
    call_and_end(&mut world);
    for request in ["INVITE", "ACK", "BYE"] {
        let text = &world.texts_at(near, &[request])[0];
        assert!(text.contains("Via: SIP/2.0/TCP 192.0.2.1:5060;"), "{text}");
    }
    world.assert_nothing_left();
}

#[test]
fn an_extension_behind_a_line_on_tcp_is_named_with_its_transport() {
    let plan = GUIDE.replace("SIP/isp", "SIP/isp/77");
    let mut world = Testbed::connected(SIP, &plan);
    call_and_end(&mut world);
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert!(invite.starts_with("INVITE sip:77@192.0.2.20:5061;transport=tcp SIP/2.0\r\n"), "{invite}");
    assert!(invite.contains("To: <sip:77@192.0.2.20:5061>\r\n"), "{invite}");
    world.assert_nothing_left();
}
