//! Reports of the exchange's own (RTCP), to lines whose other end it is.

use super::*;
use crate::rtp::rtcp;

fn kinds(packet: &[u8]) -> Vec<u8> {
    rtcp::parts(packet).map(|part| part.unwrap().kind).collect()
}

fn word(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(packet[at * 4..at * 4 + 4].try_into().unwrap())
}

/// An echo is reported on within seconds, with what was lost and the line's own latest report, and says BYE at its end.
#[test]
fn an_echo_is_reported_on_and_ends_with_bye() {
    let rig = Rig::new(25_700..=25_749);
    let mut phone = Phone::new(LOCAL);
    phone.exchange = Some(rig.reserve(A, LOCAL));
    rig.remote(A, phone.remote());
    rig.media.send(MediaCommand::Echo { stream: A });
    for number in (0..60u16).filter(|number| !(20..23).contains(number)) {
        phone.send(&packet(7, number, &[1, 2]));
        phone.receive();
    }
    // Its own report: 0x0001_8000 is the middle of its NTP stamp.
    let words = [0x80c8_0006, 7, 1, 0x8000_0000, 160, 57, 114];
    phone.send_rtcp(&words.iter().copied().flat_map(u32::to_be_bytes).collect::<Vec<u8>>());
    let report = std::iter::repeat_with(|| received(&phone.rtcp).expect("a report"));
    let report = report.take(3).find(|report| rtcp::blocks(report).any(|block| block.last_sender_report != 0)).unwrap();
    assert_eq!(kinds(&report), [200, 202]);
    // The echo goes out with the line's own SSRC: as many packets as came, two bytes each.
    assert_eq!((word(&report, 1), word(&report, 5), word(&report, 6)), (7, 57, 114));
    let block = rtcp::blocks(&report).next().unwrap();
    assert_eq!((block.lost, block.last_sender_report, word(&report, 7), word(&report, 9)), (3, 0x0001_8000, 7, 59));
    let (_, counts) = rig.release(A);
    assert!(counts.rtcp_sent >= 2, "{counts:?}");
    let last = std::iter::repeat_with(|| received(&phone.rtcp).expect("a BYE"));
    assert_eq!(last.take(3).map(|packet| kinds(&packet)).find(|kinds| kinds.contains(&203)), Some(vec![200, 202, 203]));
}

/// The lines of a relayed call have each other's reports, and none of ours; not at the end, either.
#[test]
fn a_relayed_call_has_no_reports_of_ours() {
    let rig = Rig::new(25_750..=25_799);
    let (a, b) = rig.call();
    // The first report of an end would come within 3.1 s.
    for number in 0..200u16 {
        a.send(&packet(7, number, &[1]));
        b.receive();
        b.send(&packet(9, number, &[1]));
        a.receive();
        std::thread::sleep(Duration::from_millis(17));
    }
    let (_, counts) = rig.release(A);
    assert_eq!(counts.rtcp_sent, 0);
    let (_, counts) = rig.release(B);
    assert_eq!(counts.rtcp_sent, 0);
    a.rtcp.set_read_timeout(Some(QUIET)).unwrap();
    assert_eq!(received(&a.rtcp), None);
}
