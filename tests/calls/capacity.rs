//! The exchange at capacity: as many channels as it allows. A further call is refused, and when a channel is free again
//! calls are taken as before.

use crate::network::Quality;
use crate::testbed::{SIP, Testbed};
use crate::why::records;
use std::time::Duration;
use strowger::event::Level;
use strowger::pbx::switch::MAX_CHANNELS;
use strowger::sim::{DeviceProfile, PhoneEvent};

const SECOND: Duration = Duration::from_secs(1);

/// A neighbour that is let in by its address, with more calls than there is room for.
const NEIGHBOUR: &str = "[neighbour]\ntype=friend\nhost=192.0.2.50\ninsecure=port,invite\ncontext=default\n";

/// `8`, `9`: a call that is held in the dialplan; anything else calls a line.
const PLAN: &str = "[default]\nexten => 9,1,Wait(3000)\nexten => 8,1,Wait(3000)\nexten => _X!,1,Dial(SIP/isp,20)\n";

fn request(method: &str, number: usize, to_tag: &str, sdp: &str) -> String {
    let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:9@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.50:5060;branch=z9hG4bK-{number}\r\n\
         From: <sip:neighbour@192.0.2.50>;tag=n{number}\r\nTo: <sip:9@192.0.2.1>{to_tag}\r\nCall-ID: full-{number}\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:neighbour@192.0.2.50>\r\n{kind}Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

fn full() -> Testbed {
    let mut world = Testbed::new(&format!("{SIP}{NEIGHBOUR}"), PLAN, Quality::PERFECT, 1);
    world.register_all();
    world.add("neighbour", "", "192.0.2.50:5060", "192.0.2.50:4000", DeviceProfile::Plain);
    world.media.ports = MAX_CHANNELS + 10;
    let sdp = "v=0\r\no=- 7 7 IN IP4 192.0.2.50\r\ns=-\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    // One more is left for whom the stories want.
    for number in 1..MAX_CHANNELS {
        world.inject("neighbour", &request("INVITE", number, "", sdp));
    }
    world.run(SECOND);
    assert_eq!(world.channels().len(), MAX_CHANNELS - 1);
    world
}

/// All but the neighbour's calls are over: it gives up its own, and every port and timer is free.
fn empty(world: &mut Testbed) {
    for number in 1..MAX_CHANNELS {
        world.inject("neighbour", &request("CANCEL", number, "", ""));
    }
    world.run(SECOND);
    assert!(world.channels().is_empty());
    assert_eq!(world.media.ports, MAX_CHANNELS + 10);
    // It acknowledges no refusal: 32 s, and whoever sent them is forgotten.
    world.unplug("neighbour");
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn who_calls_a_full_exchange_is_told_503_and_why() {
    let mut world = full();
    world.phone("desk").dials("9");
    world.run(SECOND);
    assert_eq!(world.channels().len(), MAX_CHANNELS);
    world.phone("client").dials("9");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    let (level, line) = world.line("Call from 'client' ");
    assert!(line.ends_with("4000 lines are busy already, as many as there may be"), "{line}");
    assert_eq!(level, Level::Warning);
    assert_eq!(records(&world).len(), 1, "a record tells of it, too");
    assert_eq!(world.channels().len(), MAX_CHANNELS, "nothing was kept of it");
    // Those that are in calls, and those that register, notice nothing.
    world.phone("client").registers();
    world.run(SECOND);
    assert!(world.look("client").is_registered() && world.look("desk").has_call());
    world.phone("desk").hangs_up();
    world.until_over();
    empty(&mut world);
}

/// The last line is the caller's, and there is none for whom it calls.
#[test]
fn a_call_that_finds_no_second_line_fails() {
    let mut world = full();
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    assert!(world.texts("isp", &["INVITE"]).is_empty());
    assert!(world.has_line("as many as there may be"));
    world.until_over();
    world.run(SECOND);
    empty(&mut world);
}

/// Two places at once: there is room for the pair of one.
#[test]
fn a_forward_to_several_places_opens_no_more_than_there_is_room_for() {
    let mut world = full();
    for number in 1..=3 {
        world.inject("neighbour", &request("CANCEL", number, "", ""));
    }
    world.run(SECOND);
    world.add_to("isp", "SIP/2.0 302", "Contact: <sip:9@192.0.2.1>;q=0.9, <sip:8@192.0.2.1>;q=0.5");
    world.phone("isp").habit(|habits| habits.refuse = Some(302));
    world.phone("client").dials("1");
    world.until(|w| w.channels().iter().any(|name| name.starts_with("Local/9@")));
    assert_eq!(world.channels().len(), MAX_CHANNELS - 1);
    world.run(SECOND);
    assert_eq!(world.channels().len(), MAX_CHANNELS - 1);
    world.phone("isp").habit(|habits| habits.refuse = None);
    world.phone("client").hangs_up();
    world.until_over();
    empty(&mut world);
}
