//! How packets come, as the thread tells it.

use super::*;

/// The thread says how packets came, while the stream is there and when it is released: what was lost of one line's, and
/// what the other says of what it was sent.
#[test]
fn how_packets_came_is_told() {
    let rig = Rig::new(25_800..=25_899);
    let (a, b) = rig.call();
    for number in (0..60u16).filter(|number| !(20..23).contains(number)) {
        a.send(&packet(7, number, &[1]));
        b.receive();
    }
    // B reports: 5 lost of what it was sent, a quarter of the latest.
    let report =
        [0x81, 201, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1, 64, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0];
    b.send(&packet(9, 1, &[2]));
    a.receive();
    b.send_rtcp(&report);
    received(&a.rtcp).unwrap();
    let (counts, heard) = rig.media.look(A, PATIENCE).unwrap();
    assert_eq!((counts.received, counts.lost), (57, 3));
    assert_eq!((heard.stats.bursts(), heard.stats.longest_burst()), (1, 3));
    assert_eq!(heard.arrivals.told().kinds, [(0, 57)]);
    let (_, heard) = rig.media.look(B, PATIENCE).unwrap();
    assert_eq!((heard.far_end.reports, heard.far_end.lost, heard.far_end.worst_fraction), (1, 5, 64));
    assert_eq!(rig.media.look(StreamId(77), PATIENCE), None);
    rig.media.send(MediaCommand::Release { stream: A });
    let released = std::iter::repeat_with(|| rig.event()).find_map(|event| match event {
        MediaEvent::Released { heard, .. } => Some(heard),
        _ => None,
    });
    assert_eq!(released.flatten().unwrap().stats.lost(), 3);
}
