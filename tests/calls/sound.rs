//! Sound that does not arrive is said in mid-call: on which line, what was seen, and what to write.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::net::SocketAddr;
use std::time::Duration;
use strowger::pbx::effect::StoreOrder;
use strowger::pbx::media::{StreamCounts, StreamReport};

const SEEN: Duration = Duration::from_secs(7);

fn counts(received: u64, sent: u64, strangers: u64) -> StreamCounts {
    StreamCounts { received, sent, strangers, ..StreamCounts::default() }
}

/// A call of ten seconds in which this is counted of the caller, who wants its sound at `wants`; the line of the log,
/// which is there in mid-call and no second time, and what the record says.
fn told(sip: &str, wants: &str, report: StreamReport) -> (String, String, Option<String>) {
    let mut world = Testbed::ready(sip, GUIDE);
    world.rewrite("client", "c=IN IP4 192.0.2.20", &format!("c=IN IP4 {}", wants.split(':').next().unwrap()));
    let wants: SocketAddr = wants.parse().unwrap();
    world.media.reports.insert(wants, report);
    world.connect();
    world.run(SEEN);
    let lines = |world: &Testbed| {
        let words = ["no sound", "hear nothing", "could not be sent"];
        let is_told = |text: &&String| words.iter().any(|words| text.contains(words));
        world.lines.iter().map(|(_, text)| text).filter(is_told).cloned().collect::<Vec<_>>()
    };
    let seen = lines(&world);
    let shown = world.switch.peer("client").unwrap().sound.map(|fault| fault.text.clone());
    world.run(SEEN);
    world.phone("isp").hangs_up();
    world.until_over();
    assert_eq!(lines(&world), seen, "said once");
    let record = world.kept.iter().find_map(|order| match order {
        StoreOrder::Call(record) => Some(record.reason.clone()),
        _ => None,
    });
    let record = record.unwrap();
    world.assert_nothing_left();
    assert!(seen.len() <= 1, "{seen:?}");
    (seen.into_iter().next().unwrap_or_default(), record, shown)
}

fn from(source: &str) -> StreamReport {
    StreamReport { counts: counts(397, 0, 3), source: Some(source.parse().unwrap()), ..StreamReport::default() }
}

/// The classic: behind NAT, its private address in the SDP, `nat=no`. Its sound comes, and none reaches it.
#[test]
fn a_private_address_told_by_a_phone_with_a_public_one_is_said_with_the_cure() {
    let (line, record, shown) = told(SIP, "10.0.22.20:16420", from("192.0.2.20:16420"));
    assert_eq!(
        line,
        "SIP/client-00000000: no sound reaches 'client': it wants it at 10.0.22.20:16420, which is good only in its own network, \
         and speaks to us from 192.0.2.20; write nat=force_rport,comedia into [client] (sip.conf:4)"
    );
    let text = line.split_once(": ").unwrap().1;
    assert_eq!(record, format!("the called line hung up; {text}"));
    assert_eq!(shown.as_deref(), Some(text));
    // Heard from there, over a private network beside the public one, it is sent its sound there, too.
    let (line, ..) = told(SIP, "10.0.22.20:16420", from("10.0.22.20:16420"));
    assert_eq!(line, "");
    // It is cured by what it says.
    let cured = SIP.replacen("nat=no", "nat=force_rport,comedia", 1);
    let (line, record, shown) = told(&cured, "10.0.22.20:16420", from("192.0.2.20:16420"));
    assert_eq!((line.as_str(), record.as_str(), shown), ("", "the called line hung up", None));
}

#[test]
fn sound_that_comes_from_another_host_than_it_goes_to_is_said() {
    let (line, ..) = told(SIP, "192.0.2.77:16420", from("192.0.2.20:16420"));
    assert!(line.contains("'client' may hear nothing: it wants its sound at 192.0.2.77:16420, but its own comes from 192.0.2.20:16420; write nat="));
    // Another port of the same host is how some telephones are.
    let (line, ..) = told(SIP, "192.0.2.77:16420", from("192.0.2.77:9999"));
    assert_eq!(line, "");
}

#[test]
fn sound_from_elsewhere_that_is_dropped_is_said_with_where_it_comes_from() {
    let stranger = Some("203.0.113.9:4000".parse().unwrap());
    let report = StreamReport { counts: counts(0, 300, 299), stranger, ..StreamReport::default() };
    let (line, ..) = told(SIP, "192.0.2.77:16420", report.clone());
    assert!(line.contains("no sound comes from 'client': it was to come from 192.0.2.77:16420, and 299 packets from elsewhere, the last from 203.0.113.9:4000, were dropped"));
    // Both ways at once.
    let (line, ..) = told(SIP, "10.0.22.20:16420", report);
    assert!(line.contains("no sound reaches 'client'") && line.contains("; no sound comes from 'client'"), "{line}");
}

#[test]
fn a_line_that_is_not_heard_at_all_and_one_that_cannot_be_sent_to_are_said() {
    let report = StreamReport { counts: counts(0, 300, 0), ..StreamReport::default() };
    let (line, ..) = told(SIP, "192.0.2.77:16420", report);
    assert!(line.contains(
        "no sound comes from 'client' 6 s after the answer, neither from 192.0.2.77:16420 nor from elsewhere"
    ));
    let report = StreamReport {
        counts: counts(300, 0, 0),
        source: Some("192.0.2.77:16420".parse().unwrap()),
        refused: Some((300, "Network is unreachable (os error 101)".to_owned())),
        ..StreamReport::default()
    };
    let (line, ..) = told(SIP, "192.0.2.77:16420", report);
    assert!(
        line.contains("300 packets of sound to 'client' at 192.0.2.77:16420 could not be sent: Network is unreachable"),
        "{line}"
    );
}

/// What was wrong is forgotten when the next call is heard, and nothing is said of a line that is to be silent.
#[test]
fn what_was_wrong_is_forgotten_and_silence_that_was_agreed_is_none() {
    let mut world = Testbed::ready(SIP, GUIDE);
    let rtp = world.look("client").rtp();
    world.media.reports.insert(rtp, StreamReport { counts: counts(0, 300, 0), ..StreamReport::default() });
    world.connect();
    world.run(SEEN);
    assert!(world.switch.peer("client").unwrap().sound.is_some());
    world.phone("client").hangs_up();
    world.until_over();
    world.media.reports.clear();
    world.connect();
    world.run(SEEN);
    assert_eq!(world.switch.peer("client").unwrap().sound, None);
    world.phone("client").hangs_up();
    world.until_over();
    // On hold by the other side: it may not send.
    world.media.reports.insert(rtp, StreamReport { counts: counts(0, 300, 0), ..StreamReport::default() });
    world.connect();
    world.phone("isp").reoffers(strowger::sim::Change::Direction(strowger::sdp::Direction::SendOnly));
    world.run(SEEN);
    assert_eq!(world.switch.peer("client").unwrap().sound, None);
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
