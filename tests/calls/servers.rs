//! A provider with several servers (RFC 3263): which one is called, and what the caller hears when one fails: nothing.

use crate::network::Quality;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::event::Level;
use strowger::pbx::switch::PeerStatus;
use strowger::sim::{DeviceProfile, PhoneEvent};

const PLAN: &str =
    "[default]\nexten => _X!,1,Dial(SIP/provider/${EXTEN},60)\n same => n,Verbose(1,it was ${DIALSTATUS})\n";
const ONE: &str = "203.0.113.1:5060";
const TWO: &str = "203.0.113.2:5080";
const THREE: &str = "203.0.113.3:5060";

/// A telephone, and a provider with so many servers, each of which takes calls.
fn provider(options: &str, servers: &[&str], quality: Quality, seed: u64) -> Testbed {
    let peer = "[provider]\ntype=peer\nhost=sip.p.example\ncontext=default\ninsecure=invite\ndirectmedia=no\n";
    let mut world = Testbed::new(&format!("{SIP}{peer}{options}\n"), PLAN, quality, seed);
    for (at, server) in servers.iter().enumerate() {
        world.add(server, "none", server, &format!("203.0.113.{}:30000", at + 1), DeviceProfile::Plain);
        world.phone(server).habit(|habit| habit.auto_ring = false);
    }
    world.phone("client").registers();
    world.until(|w| w.look("client").is_registered());
    world.names(&[("sip.p.example", &servers.join(","))]);
    world
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The caller is connected with this server, and hangs up.
fn answered_by(world: &mut Testbed, server: &str) {
    world.until(|w| w.is_called(server));
    world.phone(server).rings();
    world.phone(server).answers();
    world.until(|w| w.is_talking(server) && w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
}

#[test]
fn a_busy_server_sends_the_call_to_the_next_and_the_caller_hears_nothing() {
    for seed in 1..=3 {
        let quality = if seed == 1 { Quality::PERFECT } else { Quality::ROUGH };
        let mut world = provider("", &[ONE, TWO], quality, seed);
        world.add_to(ONE, "SIP/2.0 503", "Retry-After: 20 (maintenance)");
        world.phone("client").dials("4930123");
        world.until(|w| w.is_called(ONE));
        assert_eq!(world.channels().len(), 2);
        world.phone(ONE).refuses(503);
        world.until(|w| w.is_called(TWO));
        let invite = world.texts_at(TWO, &["INVITE "]).remove(0);
        assert!(invite.starts_with("INVITE sip:4930123@sip.p.example SIP/2.0\r\n"), "the domain stays: {invite}");
        let heard = world.texts("client", &["SIP/2.0 18"]);
        assert!(heard.is_empty(), "{heard:?}");
        answered_by(&mut world, TWO);
        assert_eq!(world.texts("client", &["SIP/2.0 503"]).len(), 0);
        let (level, line) = world.line("does not take the call");
        assert_eq!(level, Level::Notice);
        assert!(
            line.ends_with(&format!("{ONE} does not take the call (503 Service Unavailable): {TWO} is called")),
            "{line}"
        );
        assert!(world.has_line(&format!("Called SIP/provider at {ONE}")));
        // For as long as it asked for, nobody troubles it; then it is the first again.
        let asked = world.texts_at(ONE, &["INVITE "]).len();
        world.phone("client").dials("4930124");
        answered_by(&mut world, TWO);
        assert_eq!(world.texts_at(ONE, &["INVITE "]).len(), asked);
        world.run(secs(40));
        world.phone("client").dials("4930125");
        answered_by(&mut world, ONE);
        world.run(secs(40));
        world.assert_nothing_left();
    }
}

#[test]
fn a_silent_server_is_given_up_after_timer_b_and_one_that_cannot_be_sent_to_at_once() {
    let mut world = provider("timerb=2000", &[ONE, TWO, THREE], Quality::PERFECT, 1);
    world.unplug(ONE);
    world.no_route.insert(TWO.parse().unwrap());
    let began = world.now;
    world.phone("client").dials("4930123");
    world.until(|w| w.is_called(THREE));
    let took = world.now.since(began);
    assert!((secs(2)..secs(3)).contains(&took), "{took:?}");
    answered_by(&mut world, THREE);
    assert!(world.has_line(&format!("{ONE} does not take the call (no response for 2 s): {TWO} is called")));
    assert!(
        world.has_line(&format!("{TWO} does not take the call (No route to host (os error 113)): {THREE} is called"))
    );
    // Both are known to fail: the next call goes to the third at once.
    world.phone("client").dials("4930124");
    let began = world.now;
    world.until(|w| w.is_called(THREE));
    assert!(world.now.since(began) < secs(1));
    answered_by(&mut world, THREE);
    world.run(secs(40));
    world.assert_nothing_left();
}

#[test]
fn what_the_line_itself_says_is_the_end_of_the_call() {
    for (status, rings) in [(486, false), (404, false), (500, false), (603, false), (503, true)] {
        let mut world = provider("", &[ONE, TWO], Quality::PERFECT, 1);
        world.phone("client").dials("4930123");
        world.until(|w| w.is_called(ONE));
        if rings {
            world.phone(ONE).rings();
            world.run(secs(1));
        }
        world.phone(ONE).refuses(status);
        world.until_over();
        assert_eq!(world.texts_at(TWO, &["INVITE "]).len(), 0, "{status}");
        assert!(world.has_line("it was "));
        world.assert_nothing_left();
    }
}

#[test]
fn when_all_servers_fail_the_call_fails_once_with_the_last_reason() {
    let mut world = provider("", &[ONE, TWO], Quality::PERFECT, 1);
    world.phone("client").dials("4930123");
    for server in [ONE, TWO] {
        world.until(|w| w.is_called(server));
        world.phone(server).refuses(503);
    }
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    world.run(secs(1));
    assert!(world.has_line("it was CONGESTION"), "{:?}", world.lines);
    world.assert_nothing_left();
    // Both are avoided, and one is called all the same.
    world.phone("client").dials("4930124");
    answered_by(&mut world, ONE);
    world.assert_nothing_left();
}

#[test]
fn a_caller_who_hangs_up_while_the_next_server_is_tried_ends_it_all() {
    let mut world = provider("", &[ONE, TWO], Quality::PERFECT, 1);
    world.phone("client").dials("4930123");
    world.until(|w| w.is_called(ONE));
    world.phone(ONE).refuses(503);
    world.until(|w| w.is_called(TWO));
    world.phone("client").hangs_up();
    world.until(|w| !w.is_called(TWO));
    world.run(secs(40));
    world.assert_nothing_left();
}

#[test]
fn qualify_asks_the_server_in_use_and_goes_on_to_the_next_when_it_is_silent() {
    let mut world = provider("qualify=yes", &[ONE, TWO], Quality::PERFECT, 1);
    world.until(|w| matches!(w.status("provider"), PeerStatus::Ok(_)));
    assert!(world.texts_at(TWO, &["OPTIONS "]).is_empty(), "one is in use");
    assert!(world.texts_at(ONE, &["OPTIONS sip:sip.p.example SIP/2.0"]).len() == 1);
    world.unplug(ONE);
    world.until(|w| w.has_line("does not answer"));
    assert_eq!(world.line("does not answer").1, format!("'provider': its server {ONE} does not answer: {TWO} is used"));
    world.until(|w| matches!(w.status("provider"), PeerStatus::Ok(_)));
    assert!(!world.has_line("UNREACHABLE"), "the provider is there");
    world.phone("client").dials("4930123");
    let began = world.now;
    world.until(|w| w.is_called(TWO));
    assert!(world.now.since(began) < secs(1), "no time is lost on the one that is known to be gone");
    answered_by(&mut world, TWO);
    world.unplug(TWO);
    world.until(|w| w.has_line("UNREACHABLE"));
    assert_eq!(world.status("provider"), PeerStatus::Unreachable);
}

/// A call from any of its servers is the provider's, whichever is in use.
#[test]
fn a_call_from_any_of_its_servers_is_the_providers() {
    let mut world = provider("", &[ONE, TWO, THREE], Quality::PERFECT, 1);
    world.reload(&sip_with_peer(), "[default]\nexten => 7,1,Dial(SIP/client)\n");
    world.names(&[("sip.p.example", &[ONE, TWO, THREE].join(","))]);
    for server in [ONE, TWO, THREE] {
        world.phone(server).dials("7");
        world.until(|w| w.is_called("client"));
        world.phone("client").answers();
        world.until(|w| w.is_talking(server));
        world.phone(server).hangs_up();
        world.until_over();
    }
    world.assert_nothing_left();
}

fn sip_with_peer() -> String {
    let peer = "[provider]\ntype=peer\nhost=sip.p.example\ncontext=default\ninsecure=invite\ndirectmedia=no\n";
    format!("{SIP}{peer}")
}

/// RFC 3263 4.3 for requests outside of calls: a text and a NOTIFY go to the next server, too.
#[test]
fn a_text_and_a_notify_go_to_the_next_server_when_one_fails() {
    for is_silent in [false, true] {
        let mut world = provider("", &[ONE, TWO], Quality::PERFECT, 1);
        match is_silent {
            true => world.phone(ONE).habit(|habit| habit.ignores_everything = true),
            false => world.rewrite(ONE, "SIP/2.0 200 OK", "SIP/2.0 503 No"),
        }
        world.phone("client").texts("provider", "hello");
        world.until(|w| w.has_line("Text message from 'client' delivered to 'provider'"));
        let line = format!("'provider': its server {ONE} does not answer: {TWO} is used");
        assert!(world.has_line(&line), "{is_silent}: {:?}", world.lines);
        assert_eq!(world.texts_at(TWO, &["MESSAGE sip:"]).len(), 1);
        // When that was long ago, the first is the first again.
        world.run(secs(700));
        let now = strowger::clock::Now { mono: world.now, ..Default::default() };
        let (sent, effects) = strowger::pbx::switch::notify::send(&mut world.switch, now, "snom-reboot", "provider");
        assert_eq!(sent, strowger::pbx::switch::notify::Notified::Sent);
        world.execute(effects);
        world.until(|w| w.has_line("'provider' took the NOTIFY"));
        assert!(!world.texts_at(ONE, &["NOTIFY sip:"]).is_empty());
        assert_eq!(world.texts_at(TWO, &["NOTIFY sip:"]).len(), 1);
        world.run(secs(40));
        world.assert_nothing_left();
    }
}
