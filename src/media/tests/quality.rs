//! How packets come, as the thread tells it.

use super::*;
use std::sync::mpsc::Sender;

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

/// One whose thread does nothing, whenever it has counted something, until it is told to go on.
fn dozing(ports: RangeInclusive<u16>) -> (Rig, Sender<()>) {
    let (sender, events) = channel();
    let (wake, woken) = channel::<()>();
    let settings = MediaSettings { ports, dscp: None, seed: [7; 32] };
    let media = Media::new(settings, move |event| {
        if matches!(event, MediaEvent::Counted { .. }) {
            let _ = woken.recv();
        }
        drop(sender.send(event));
    });
    let media = media.unwrap();
    media.start().unwrap();
    (Rig { media, events }, wake)
}

/// The thread is kept from its work for a while: what waited meanwhile waited for us, and the line is not said to have been
/// late.
#[test]
fn packets_that_waited_for_the_exchange_are_its_own_stall() {
    let (rig, wake) = dozing(19_000..=19_049);
    let (a, b) = rig.call();
    let begun = Instant::now();
    a.send(&packet(7, 0, &[1]));
    b.receive();
    let before = rig.media.look(A, PATIENCE).unwrap().1;
    rig.media.send(MediaCommand::Count { stream: B });
    (1..10).for_each(|number| a.send(&packet(7, number, &[1])));
    let sent = begun.elapsed();
    std::thread::sleep(Duration::from_millis(300));
    wake.send(()).unwrap();
    (1..10).for_each(|number| assert_eq!(b.receive(), packet(7, number, &[1])));
    let heard = rig.media.look(A, PATIENCE).unwrap().1;
    assert!(heard.stalls.longest() >= Duration::from_millis(200), "{:?}", heard.stalls);
    assert!(heard.stalls.number() > before.stalls.number(), "{:?}", heard.stalls);
    // By when they came, and not by when they were read.
    let longest = heard.arrivals.told().longest_gap;
    assert!(longest <= sent + Duration::from_millis(50), "{longest:?} of {sent:?}");
    assert_eq!(heard.stalls.lost_here(), 0);
}

/// More comes while the thread does not read than there is room for.
#[test]
fn packets_the_system_had_no_room_for_are_lost_here() {
    let (rig, wake) = dozing(19_050..=19_099);
    let (a, _b) = rig.call();
    a.send(&packet(7, 0, &[1; 160]));
    rig.media.send(MediaCommand::Count { stream: B });
    std::thread::sleep(QUIET);
    let many = 4_000;
    (1..=many).for_each(|number| a.send(&packet(7, number, &[1; 160])));
    wake.send(()).unwrap();
    let end = Instant::now() + PATIENCE;
    // What was in the buffer is read, and then one more, which tells of those dropped before it.
    let (counts, heard) = loop {
        a.send(&packet(7, many + 1, &[1; 160]));
        std::thread::sleep(QUIET);
        let (counts, heard) = rig.media.look(A, PATIENCE).unwrap();
        if heard.stalls.lost_here() > 0 || Instant::now() > end {
            break (counts, heard);
        }
    };
    assert!(heard.stalls.lost_here() > 0, "{counts:?}");
    assert!(counts.received + heard.stalls.lost_here() > u64::from(many), "{counts:?}, {:?}", heard.stalls);
}
