//! Telephones on TCP whose connection is cut, in every state of a call.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::pbx::switch::PeerStatus;
use strowger::sim::{DeviceProfile, PhoneEvent};
use strowger::sip::flow::{OpensFor, Transport};

fn one_second(world: &mut Testbed) {
    world.run(Duration::from_secs(1));
}

#[test]
fn a_line_is_called_over_the_connection_it_registered_over() {
    let mut world = Testbed::connected(SIP, GUIDE);
    let flow = world.switch.bindings("isp")[0].flow;
    assert_eq!((flow.transport, flow.connection), (Transport::Tcp, world.stations["isp"].connection));
    world.connect();
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert!(invite.contains("Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK"), "{invite}");
    assert!(invite.contains("Contact: <sip:client@192.0.2.1:5060;transport=tcp>"), "{invite}");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_line_whose_connection_is_gone_fails_at_once_until_it_registers_again() {
    let mut world = Testbed::connected(&SIP.replace("nat=no", "nat=no\nqualify=yes"), GUIDE);
    one_second(&mut world);
    world.cut("isp");
    assert!(world.has_line("'isp' is out of reach until it registers again"));
    let then = world.now;
    world.phone("client").dials("88567682");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    assert!(world.now.since(then) < Duration::from_millis(100));
    world.run(Duration::from_secs(10));
    assert_eq!(world.status("isp"), PeerStatus::Unreachable);
    world.phone("isp").registers();
    world.until(|w| w.status("isp") == PeerStatus::Ok(20));
    world.connect();
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn cut_before_any_answer_the_call_fails_at_once_and_says_why() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.phone("client").dials("88567682");
    one_second(&mut world);
    world.cut("isp");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    assert!(world.has_line("cut by the story"), "{:?}", world.lines);
    world.assert_nothing_left();
}

#[test]
fn cut_while_it_rings_and_back_again_the_call_goes_through() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    one_second(&mut world);
    world.cut("isp");
    world.phone("isp").registers();
    one_second(&mut world);
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn cut_while_it_rings_and_away_for_good_the_call_ends_with_its_time() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.cut("isp");
    world.unplug("isp");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(480)) || w.saw("client", &PhoneEvent::Failed(503)));
    world.assert_nothing_left();
}

#[test]
fn a_caller_cut_before_the_answer_leaves_nothing() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.cut("client");
    world.unplug("client");
    world.phone("isp").answers();
    world.run(Duration::from_secs(40));
    assert!(!world.look("isp").has_call(), "32 s without an ACK end the call on both sides");
    world.assert_nothing_left();
}

#[test]
fn cut_while_talking_and_back_again_the_call_is_hung_up_properly() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.connect();
    world.cut("isp");
    world.phone("isp").registers();
    one_second(&mut world);
    world.phone("client").hangs_up();
    world.until_over();
    assert_eq!(world.count("isp", &PhoneEvent::Ended), 1);
    world.assert_nothing_left();
}

/// Without a registration: what it says within the call tells where it is now.
#[test]
fn cut_while_talking_what_it_says_over_another_connection_counts() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.connect();
    world.cut("isp");
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn cut_while_talking_and_away_for_good_the_other_side_hangs_up_and_nothing_is_left() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.connect();
    world.cut("isp");
    world.unplug("isp");
    world.phone("client").hangs_up();
    world.until(|w| !w.look("client").has_call());
    world.assert_nothing_left();
}

#[test]
fn a_line_that_may_use_udp_only_is_refused_over_tcp() {
    let sip = SIP.replacen("nat=no", "nat=no\ntransport=udp", 1);
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    let station = world.stations.get_mut("client").unwrap();
    station.connection = Some(strowger::sip::flow::ConnectionId(1));
    station.phone.use_transport(Transport::Tcp);
    world.phone("client").registers();
    world.until(|w| w.saw("client", &PhoneEvent::RegisterRefused(403)));
    assert!(world.has_line("came over TCP, which transport= of [client]"));
    world.assert_nothing_left();
}

/// A refresh that meets a closed connection says nothing of the call: the phone is back in a moment, and asked again.
#[test]
fn cut_while_a_refresh_waits_and_back_again_the_call_goes_on() {
    let timers = "[general]\nsession-timers=originate\nsession-expires=90\n";
    let mut world = Testbed::connected(&SIP.replacen("[general]\n", timers, 1), GUIDE);
    world.connect();
    world.run(Duration::from_secs(40));
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.run(Duration::from_secs(6));
    assert_eq!(world.texts("isp", &["UPDATE sip:"]).len(), 1, "the refresh is under way");
    world.cut("isp");
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.phone("isp").registers();
    world.run(Duration::from_secs(20));
    assert!(world.is_talking("client") && world.is_talking("isp"));
    assert!(world.texts("isp", &["UPDATE sip:"]).len() > 1, "well before its time is over");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// A connection comes from another port than the phone listens on: that is no address translator.
#[test]
fn a_called_line_on_a_connection_is_not_taken_for_one_behind_nat() {
    let sip = SIP.replace("directmedia=no", "directmedia=nonat");
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    let source = "192.0.2.20:40001";
    world.relay(source, "isp");
    let station = world.stations.get_mut("isp").unwrap();
    station.connection = Some(strowger::sip::flow::ConnectionId(1));
    station.source = source.parse().unwrap();
    station.phone.use_transport(Transport::Tcp);
    world.register_all();
    world.connect();
    one_second(&mut world);
    world.assert_connected("client", "isp", false);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// A proxy between that keeps no connection open: it listens where its Path says.
#[test]
fn a_line_behind_a_proxy_is_called_through_it_over_a_new_connection() {
    let sip = SIP.replacen("[isp]\n", "[isp]\nsupportpath=yes\ncontactpermit=192.0.2.20\n", 1);
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    let near = "192.0.2.50:5060";
    world.listeners.insert(near.parse().unwrap());
    world.relay(near, "isp");
    world.add_to("isp", "REGISTER", "Path: <sip:192.0.2.50;transport=tcp;lr>");
    world.connects("isp", Transport::Tcp);
    world.register_all();
    world.cut("isp");
    assert!(world.has_line("'isp' is called at 192.0.2.50:5060 until it registers again"), "{:?}", world.lines);
    world.connect();
    let invite = &world.texts_at(near, &["INVITE"])[0];
    assert!(
        invite.contains("Via: SIP/2.0/TCP ") && invite.contains("Route: <sip:192.0.2.50;transport=tcp;lr>"),
        "{invite}"
    );
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The address of a stranger who connects.
const STRANGER: &str = "192.0.2.77:5060";

/// Nobody is who says so: a BYE out of nowhere is answered over the connection that it came by, or not at all.
#[test]
fn a_stranger_who_hangs_up_on_us_is_not_connected_to() {
    let mut world = Testbed::connected(SIP, GUIDE);
    world.add("stranger", "", STRANGER, "192.0.2.77:5004", DeviceProfile::Plain);
    for over in [Transport::Tcp, Transport::Tls] {
        world.connects("stranger", over);
        world.listeners.insert(STRANGER.parse().unwrap());
        world.opens.clear();
        for (method, cseq) in [("BYE", 1), ("OPTIONS", 2), ("UPDATE", 3), ("INVITE", 4), ("CANCEL", 5), ("ACK", 6)] {
            let via = "SIP/2.0/TCP stranger.example:5066;maddr=192.0.2.10";
            world.inject(
                "stranger",
                &format!(
                    "{method} sip:isp@192.0.2.1 SIP/2.0\r\nVia: {via};branch=z9hG4bK{cseq}\r\nMax-Forwards: 70\r\n\
                     From: <sip:x@h>;tag=1\r\nTo: <sip:isp@192.0.2.1>;tag=2\r\nCall-ID: none\r\n\
                     CSeq: {cseq} {method}\r\nContact: <sip:x@192.0.2.10:5060;transport=tcp>\r\nContent-Length: 0\r\n\r\n"
                ),
            );
            one_second(&mut world);
        }
        assert!(world.opens.len() >= 4, "{:?}", world.opens);
        assert!(world.opens.iter().all(|(_, opens_for)| *opens_for == OpensFor::Nobody), "{:?}", world.opens);
        let connection = world.stations["stranger"].connection.unwrap();
        assert!(!world.let_in.iter().any(|all| all.contains(&connection)));
    }
}

/// A guest may call, and has proved nothing: what it makes us open is the guest's.
#[test]
fn a_guest_whose_connection_is_gone_is_hung_up_on_over_one_that_counts_as_its_own() {
    let sip = SIP.replace("[general]\ncontext=default\n", "[general]\ncontext=default\nallowguest=yes\n");
    let mut world = Testbed::connected(&sip, GUIDE);
    let isp = world.stations["isp"].connection.unwrap();
    world.add("passer-by", "", STRANGER, "192.0.2.77:5004", DeviceProfile::Grandstream);
    world.connects("passer-by", Transport::Tcp);
    let guest = world.stations["passer-by"].connection.unwrap();
    world.phone("passer-by").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("passer-by") && w.is_talking("isp"));
    assert!(world.let_in[0].contains(&isp) && !world.let_in[0].contains(&guest) && world.let_in[1].contains(&guest));
    world.cut("passer-by");
    world.listeners.insert(STRANGER.parse().unwrap());
    world.opens.clear();
    world.phone("isp").hangs_up();
    world.until_over();
    let stranger = OpensFor::Stranger(STRANGER.parse::<std::net::SocketAddr>().unwrap().ip());
    let byes = world.opens.iter().filter(|(line, _)| line.starts_with("BYE"));
    assert_eq!(byes.map(|(_, opens_for)| *opens_for).collect::<Vec<_>>(), [stranger]);
    world.assert_nothing_left();
}
