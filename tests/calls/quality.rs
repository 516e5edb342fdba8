//! What is told of the sound of two lines when their call ends: how it came, and how their clocks run against each other.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Time;
use strowger::event::LineQuality;
use strowger::pbx::effect::StoreOrder;
use strowger::pbx::media::Heard;
use strowger::rtp::header::Header;
use strowger::sim::{Change, PhoneEvent};

/// Packets of 20 ms for so long, from a clock that is fast by `ppm`; of every hundred, these are missing.
fn heard(seconds: u32, ppm: f64, missing: std::ops::Range<u32>) -> Heard {
    let mut heard = Heard::default();
    for number in (0..seconds * 50).filter(|number| !missing.contains(&(number % 100))) {
        let at = Time::from_start(Duration::from_secs_f64(f64::from(number) * 0.02 / (1.0 + ppm * 1e-6)));
        let (sequence, timestamp) = (number as u16, number * 160);
        let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 7, length: 12 };
        heard.record(at, &header);
    }
    heard
}

/// A call in which this was heard of its lines; what the log says of their sound.
fn told(client: Option<Heard>, isp: Option<Heard>, hangs_up: &str) -> Vec<String> {
    let mut world = Testbed::ready(SIP, GUIDE);
    for (name, heard) in [("client", client), ("isp", isp)] {
        if let Some(heard) = heard {
            let at = world.look(name).rtp();
            world.media.heard.insert(at, heard);
        }
    }
    world.connect();
    world.run(Duration::from_secs(9));
    world.phone(hangs_up).hangs_up();
    world.until_over();
    let is_told = |text: &&String| text.contains("jitter") || text.contains("clock");
    let lines = world.lines.iter().map(|(_, text)| text).filter(is_told).cloned().collect();
    world.assert_nothing_left();
    lines
}

const CLEAN: std::ops::Range<u32> = 0..0;

#[test]
fn two_clocks_that_drift_apart_are_told_with_the_time_to_the_next_slip() {
    for hangs_up in ["client", "isp"] {
        // Both run fast against the exchange's own clock, which falls out.
        let lines = told(Some(heard(300, 73.0, CLEAN)), Some(heard(300, 30.0, CLEAN)), hangs_up);
        let [first, second, clocks] = lines.as_slice() else { panic!("{lines:?}") };
        for line in [first, second] {
            assert!(line.ends_with(": packets of 20 ms; jitter 0.0 ms, at most 0.0 ms; none lost"), "{line}");
        }
        let (fast, slow) = ("SIP/client-00000000", "SIP/isp-00000001");
        let one = format!("The clock of {fast} runs 43.0 ppm fast against that of {slow} (within 0.1): ");
        let other = format!("The clock of {slow} runs 43.0 ppm slow against that of {fast} (within 0.1): ");
        assert!(clocks.starts_with(&one) || clocks.starts_with(&other), "{clocks}");
        assert!(clocks.ends_with("with jitter buffers of fixed length a packet slips every 7 min 45 s"), "{clocks}");
    }
}

#[test]
fn clocks_that_run_alike_and_calls_too_short_to_say() {
    let lines = told(Some(heard(120, 5.0, CLEAN)), Some(heard(120, 5.0, CLEAN)), "isp");
    assert!(
        lines.iter().any(|line| line.starts_with("The clocks of SIP/") && line.contains(" run alike within 0.")),
        "{lines:?}"
    );
    let lines = told(Some(heard(50, 73.0, CLEAN)), Some(heard(50, 30.0, CLEAN)), "isp");
    assert!(!lines.iter().any(|line| line.contains("clock")), "{lines:?}");
    // One of them was never heard: nothing to compare.
    let lines = told(Some(heard(120, 73.0, CLEAN)), None, "isp");
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn what_was_lost_is_told_of_the_line_it_came_from() {
    let lines = told(Some(heard(100, 0.0, 40..43)), Some(heard(100, 0.0, CLEAN)), "client");
    let of = |name: &str| lines.iter().find(|line| line.starts_with(name)).unwrap();
    assert!(of("SIP/client").contains("150 lost (3.00 %), 50 times, at most 3 in a row"), "{lines:?}");
    assert!(of("SIP/isp").contains("none lost"), "{lines:?}");
}

/// What was kept of the lines' sound.
fn kept(world: &Testbed) -> Vec<LineQuality> {
    let kept = world.kept.iter().filter_map(|order| match order {
        StoreOrder::Line(line) => Some(line.as_ref().clone()),
        StoreOrder::Bindings { .. } | StoreOrder::Value { .. } | StoreOrder::Subscription { .. } => None,
        StoreOrder::Call(_) => None,
    });
    kept.collect()
}

#[test]
fn what_is_kept_of_each_line_names_its_call_and_who_sent_a_re_invite() {
    let mut world = Testbed::ready(SIP, GUIDE);
    for name in ["client", "isp"] {
        let at = world.look(name).rtp();
        world.media.heard.insert(at, heard(100, 0.0, 40..43));
    }
    world.connect();
    world.run(Duration::from_secs(3));
    world.phone("isp").reoffers(Change::MovePort(20_000));
    world.until(|w| w.saw("isp", &PhoneEvent::RenegotiationAccepted));
    let moved = world.look("isp").rtp();
    world.media.heard.insert(moved, heard(100, 0.0, 40..43));
    world.run(Duration::from_secs(9));
    world.phone("client").hangs_up();
    world.until_over();
    let lines = kept(&world);
    let of = |name: &str| lines.iter().find(|line| line.line == name).unwrap();
    let (client, isp) = (of("client"), of("isp"));
    assert_eq!((lines.len(), &client.call, &isp.call), (2, &client.unique_id, &client.unique_id));
    assert_eq!((&client.with, &isp.with), (&isp.channel, &client.channel));
    assert_eq!(client.names, [(0, "PCMU".to_owned())]);
    assert_eq!((client.stream.lost, client.reinvites.from_line), (150, 0));
    assert_eq!((isp.reinvites.from_line, isp.reinvites.last.map(|at| at.as_secs())), (1, Some(3)));
    let lost: u32 = client.course.points.iter().map(|point| u32::from(point.lost)).sum();
    assert_eq!(lost, 150);
    assert!(
        world
            .lines
            .iter()
            .any(|(_, text)| text.starts_with("SIP/isp") && text.contains("turn fax detection and T.38 off there"))
    );
    world.assert_nothing_left();
}
