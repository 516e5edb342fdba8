//! Calls to a host that is no peer (`SIP/user@host`): looked up while nobody else waits, called as `[general]` has it, never
//! the exchange itself.

use crate::network::Quality;
use crate::provider::Provider;
use crate::testbed::{SIP, Testbed};
use std::net::IpAddr;
use strowger::dialplan::Located;
use strowger::dialplan::outside::{OutsideReply, OutsideRequest};
use strowger::pbx::effect::Input;
use strowger::pbx::outside::{OutsideOrder, OutsideReport};
use strowger::sim::{DeviceProfile, PhoneEvent};
use strowger::sip::digest::md5_hex;

/// The account file without `isp`, whose telephone is one at a host that nothing is known of.
fn ready(dial: &str) -> Testbed {
    let sip = SIP.replace("[isp]", "[nobody]");
    let plan =
        format!("[default]\nexten => _X!,1,Dial({dial},30)\nsame => n,NoOp(was ${{DIALSTATUS}} ${{HANGUPCAUSE}})\n");
    let mut world = Testbed::new(&sip, &plan, Quality::PERFECT, 1);
    world.phone("client").registers();
    world.until(|w| w.look("client").is_registered());
    world.phone("client").dials("100");
    world
}

/// Whatever is to be looked up is found there, or not; which hosts were asked for.
fn answer(world: &mut Testbed, found: Result<&str, &str>) -> Vec<String> {
    world.until(|w| !w.outside.is_empty());
    let mut asked = Vec::new();
    for order in std::mem::take(&mut world.outside) {
        if let OutsideOrder::Run { errand, channel, request: OutsideRequest::Locate(query) } = order {
            let port = query.port.unwrap_or(5060);
            asked.push(query.host);
            // Addresses, each with the port of its SRV record if it has one.
            let server = |text: &str| {
                let address =
                    text.trim().parse().unwrap_or_else(|_| (text.trim().parse::<IpAddr>().unwrap(), port).into());
                let transport = if query.transport == "tcp" { "tcp" } else { "udp" };
                Located { transport, address, seen: None }
            };
            let found = found.map(|all| all.split(',').map(server).collect());
            let reply = OutsideReply::Located(found.map_err(str::to_owned));
            world.give(Input::Outside(OutsideReport { errand, channel, reply }));
        }
    }
    asked
}

fn ends(mut world: Testbed) {
    world.phone("client").hangs_up();
    world.until_over();
    world.outside.clear();
    world.assert_nothing_left();
}

#[test]
fn a_host_that_is_no_peer_is_looked_up_and_called() {
    for (dial, host, uri) in [
        ("SIP/bob@pbx.example:5061", "pbx.example", "INVITE sip:bob@pbx.example:5061 SIP/2.0"),
        ("SIP/${EXTEN}@192.0.2.20:5061", "192.0.2.20", "INVITE sip:100@192.0.2.20:5061 SIP/2.0"),
        ("SIP/bob@far.example//192.0.2.20:5061", "192.0.2.20", "INVITE sip:bob@far.example SIP/2.0"),
    ] {
        let mut world = ready(dial);
        assert_eq!(answer(&mut world, Ok("192.0.2.20")), [host], "{dial}");
        world.until(|w| w.is_called("isp"));
        let invite = world.texts("isp", &["INVITE sip"]).pop().unwrap();
        assert!(invite.starts_with(uri), "{invite}");
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        world.assert_connected("client", "isp", true);
        ends(world);
    }
}

#[test]
fn a_host_that_is_not_found_or_that_is_us_is_not_called() {
    for (dial, found, why) in [
        ("SIP/bob@pbx.example", Err("no such name"), "is not found: no such name"),
        ("SIP/bob@192.0.2.1", Ok("192.0.2.1"), "that is this exchange itself"),
        ("SIP/bob@us.example:5060", Ok("192.0.2.1"), "that is this exchange itself"),
        ("SIP/bob@224.0.0.1", Ok("224.0.0.1"), "no device has such an address"),
        ("SIP/bob@0.0.0.0", Ok("0.0.0.0"), "no device has such an address"),
        ("SIP/bob:::x:tcp@192.0.2.20", Ok("192.0.2.20"), "that transport is off here"),
    ] {
        let mut world = ready(dial);
        answer(&mut world, found);
        world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
        assert!(world.has_line(why) && world.has_line("was CHANUNAVAIL 20"), "{dial}: {:?}", world.lines);
        world.outside.clear();
        world.assert_nothing_left();
    }
}

/// A word without a dot, or digits alone, is a peer that is misspelt: nothing is looked up.
#[test]
fn what_can_only_be_a_peer_is_not_looked_up() {
    for dial in ["SIP/100@trnuk", "SIP/100@300", "SIP/nobdy", "SIP/1@1.2.3"] {
        let mut world = ready(dial);
        world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
        assert!(world.has_line("there is no peer") && world.has_line("was CHANUNAVAIL 20"), "{dial}");
        world.assert_nothing_left();
    }
}

/// The caller gives up while the name servers are silent.
#[test]
fn a_caller_that_gives_up_during_the_look_up_calls_nobody() {
    let mut world = ready("SIP/bob@pbx.example:5061");
    world.until(|w| !w.outside.is_empty());
    let orders = world.outside.clone();
    world.phone("client").hangs_up();
    world.until_over();
    world.outside = orders;
    answer(&mut world, Ok("192.0.2.20"));
    world.run(std::time::Duration::from_secs(1));
    assert!(world.texts("isp", &["INVITE"]).is_empty());
    world.outside.clear();
    world.assert_nothing_left();
}

/// RFC 3263 4.3: a server that does not take the call is followed by the next of the same host.
#[test]
fn the_next_server_of_a_host_is_called_when_one_does_not_take_the_call() {
    let mut world = ready("SIP/bob@pbx.example");
    world.add("other", "none", "192.0.2.21:5062", "192.0.2.21:30000", DeviceProfile::Plain);
    world.phone("other").habit(|habit| habit.auto_ring = false);
    answer(&mut world, Ok("192.0.2.21:5062, 192.0.2.20:5061"));
    world.until(|w| w.is_called("other"));
    world.phone("other").refuses(503);
    world.until(|w| w.is_called("isp"));
    let invite = world.texts("isp", &["INVITE sip"]).pop().unwrap();
    assert!(invite.starts_with("INVITE sip:bob@pbx.example SIP/2.0"), "the domain stays: {invite}");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    ends(world);
}

/// A provider that asks for bob's password, by this realm.
fn asks(world: &mut Testbed) {
    world.providers.insert("192.0.2.20:5061".parse().unwrap(), vec![Provider::new("itsp", "bob", "hush")]);
}

fn taken(world: &Testbed) -> Vec<(String, u32)> {
    let provider = &world.providers[&"192.0.2.20:5061".parse().unwrap()][0];
    provider.taken.iter().map(|(method, count)| (method.clone(), *count)).collect()
}

/// The password of a dial string is given where it was written for, and shown nowhere.
#[test]
fn a_password_in_a_dial_string_is_given_to_that_host() {
    let md5 = md5_hex(b"bob:itsp:hush");
    for dial in [
        "SIP/bob:hush@pbx.example".to_owned(),
        format!("SIP/bob::{}@pbx.example", md5.to_uppercase()),
        "SIP/4711:hush::bob@pbx.example".to_owned(),
        "SIP/4711:hush::bob:udp@far.example//pbx.example".to_owned(),
    ] {
        let mut world = ready(&dial);
        asks(&mut world);
        answer(&mut world, Ok("192.0.2.20:5061"));
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        world.phone("client").hangs_up();
        world.until_over();
        assert_eq!(taken(&world), [("BYE".to_owned(), 1), ("INVITE".to_owned(), 1)], "{dial}");
        let mut lines = world.lines.iter().map(|(_, line)| line);
        assert_eq!(lines.find(|line| line.contains("hush") && !line.contains("Executing")), None);
        world.outside.clear();
        world.assert_nothing_left();
    }
}

#[test]
fn a_password_in_a_dial_string_that_is_wrong_or_none_fails_with_the_reason() {
    for (dial, why) in [
        (
            "SIP/bob:wrong@pbx.example",
            "it refuses the password of user 'bob': check the user (defaultuser=) and the password in the dial string",
        ),
        ("SIP/bob@pbx.example", "no line is registered there"),
    ] {
        let mut world = ready(dial);
        asks(&mut world);
        answer(&mut world, Ok("192.0.2.20:5061"));
        world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
        assert!(
            world.has_line("Failed to authenticate on INVITE to 'pbx.example' at 192.0.2.20:5061")
                || dial.contains("bob@")
        );
        assert!(world.has_line(why), "{dial}: {:?}", world.lines);
        world.outside.clear();
        world.assert_nothing_left();
    }
}

/// What the other side's Contact names is another place: it is not given the password that was written for the host.
#[test]
fn a_password_in_a_dial_string_is_for_that_host_alone() {
    let mut world = ready("SIP/bob:hush@pbx.example");
    world.rewrite("isp", "@192.0.2.20:5061", "@192.0.2.66:5060");
    world.providers.insert("192.0.2.66:5060".parse().unwrap(), vec![Provider::new("itsp", "bob", "hush")]);
    answer(&mut world, Ok("192.0.2.20:5061"));
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    world.phone("client").hangs_up();
    world.run(std::time::Duration::from_secs(3));
    let byes = world.texts_at("192.0.2.66:5060", &["BYE "]);
    assert!(!byes.is_empty() && byes.iter().all(|bye| !bye.contains("uthorization")), "{byes:?}");
    assert!(world.has_line("the password in the dial string is for 192.0.2.20 alone"), "{:?}", world.lines);
}

/// The account file with a peer that is where `isp` is, and has another password.
fn with_peer(dial: &str) -> Testbed {
    let sip = SIP.replace("[isp]", "[nobody]")
        + "[trunk]\ntype=peer\nhost=192.0.2.20\nport=5061\ndefaultuser=acct\nremotesecret=other\nfromuser=acct\n";
    let plan = format!("[default]\nexten => _X!,1,Dial({dial},30)\nsame => n,NoOp(was ${{DIALSTATUS}})\n");
    let mut world = Testbed::new(&sip, &plan, Quality::PERFECT, 1);
    world.phone("client").registers();
    world.until(|w| w.look("client").is_registered());
    world.phone("client").dials("100");
    world
}

#[test]
fn a_password_in_a_dial_string_to_a_peer_goes_before_that_of_its_section() {
    let mut world = with_peer("SIP/bob:hush@trunk");
    asks(&mut world);
    world.until(|w| w.is_called("isp"));
    let invite = world.texts("isp", &["INVITE sip"]).pop().unwrap();
    assert!(invite.starts_with("INVITE sip:bob@192.0.2.20:5061") && invite.contains("username=\"bob\""), "{invite}");
    ends(world);
}

#[test]
fn a_peer_is_called_by_another_host() {
    for (dial, asked) in
        [("SIP/trunk/${EXTEN}/sbc.example:5070", "sbc.example"), ("SIP/${EXTEN}@trunk//192.0.2.21:5070", "192.0.2.21")]
    {
        let mut world = with_peer(dial);
        world.add("sbc", "none", "192.0.2.21:5070", "192.0.2.21:30000", DeviceProfile::Plain);
        assert_eq!(answer(&mut world, Ok("192.0.2.21")), [asked]);
        world.until(|w| w.is_called("sbc"));
        let invite = world.texts("sbc", &["INVITE sip"]).pop().unwrap();
        assert!(invite.starts_with("INVITE sip:100@192.0.2.20:5061 SIP/2.0"), "{invite}");
        assert!(invite.contains("\r\nFrom: ") && invite.contains("<sip:acct@"), "{invite}");
        assert!(!invite.contains("\r\nRoute:"), "{invite}");
        ends(world);
    }
}

#[test]
fn to_and_from_may_be_written_into_a_dial_string() {
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    for (marks, to, from) in [
        ("", "To: <sip:100@192.0.2.20:5061>", "<sip:acct@192.0.2.1>"),
        ("!200", "To: <sip:200@192.0.2.20:5061>", "<sip:acct@192.0.2.1>"),
        ("!200@far.example", "To: <sip:200@far.example>", "<sip:acct@192.0.2.1>"),
        ("!@far.example", "To: <sip:100@far.example>", "<sip:acct@192.0.2.1>"),
        ("!!300", "To: <sip:100@192.0.2.20:5061>", "<sip:300@192.0.2.1>"),
        ("!a@b.example!300@c.example", "To: <sip:a@b.example>", "<sip:300@c.example>"),
        ("!a>@b.example", "To: <sip:a%3E@b.example>", "<sip:acct@192.0.2.1>"),
        ("!a@b>c", "To: <sip:a@192.0.2.20:5061>", "<sip:acct@192.0.2.1>"),
    ] {
        let mut world = with_peer(&format!("SIP/trunk/${{EXTEN}}{marks}"));
        world.until(|w| w.is_called("isp"));
        let invite = world.texts("isp", &["INVITE sip"]).pop().unwrap();
        assert!(invite.starts_with("INVITE sip:100@192.0.2.20:5061 SIP/2.0"), "{invite}");
        assert_eq!(line(&invite, "To: "), to, "{marks}");
        assert!(line(&invite, "From: ").contains(from), "{marks}: {invite}");
        ends(world);
    }
}
