//! The socket of a line that can come from nowhere else is connected to it, and hears everybody where another source may be
//! learned.

use super::*;

fn counts(rig: &Rig, stream: StreamId) -> StreamCounts {
    rig.media.look(stream, PATIENCE).unwrap().0
}

/// A packet passes, and the thread is done with it.
fn say(rig: &Rig, from: &Phone, to: &Phone, sequence: u16) {
    let packet = packet(1, sequence, b"sound");
    assert_eq!(exchange(from, to, std::slice::from_ref(&packet)), [packet]);
    counts(rig, A);
}

#[test]
fn strangers_cost_only_the_system_until_a_new_offer() {
    let rig = Rig::new(19_250..=19_299);
    let (a, b) = rig.call();
    say(&rig, &a, &b, 1);
    let stranger = Phone { exchange: a.exchange, ..Phone::new(LOCAL) };
    (0..600).for_each(|n| stranger.send(&packet(9, n, &[7; 160])));
    (2..50).for_each(|n| say(&rig, &a, &b, n));
    assert_eq!(
        (counts(&rig, A).received, counts(&rig, A).strangers),
        (49, 0),
        "more than its buffer holds, and none came in"
    );
    // It moves to another port, and says so: heard from its first packet.
    let moved = Phone { exchange: a.exchange, ..Phone::new(LOCAL) };
    rig.remote(A, moved.remote());
    rig.reserve(A, LOCAL);
    say(&rig, &moved, &b, 50);
    // It moves without saying so: another port of its host may be learned after the next offer only.
    (51..56).for_each(|n| stranger.send(&packet(1, n, b"sound")));
    say(&rig, &moved, &b, 56);
    assert_eq!((counts(&rig, A).received, counts(&rig, A).strangers), (51, 0));
    // RTCP may come from any port of its host.
    stranger.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 1]);
    assert!(received(&b.rtcp).is_some());
}

#[test]
fn a_followed_line_may_come_from_elsewhere_when_it_was_silent() {
    let rig = Rig::new(19_300..=19_349);
    let (a, b) = rig.call();
    rig.remote(A, Remote { symmetric: true, ..a.remote() });
    say(&rig, &a, &b, 1);
    let elsewhere = Phone { exchange: a.exchange, ..Phone::new(LOCAL) };
    (2..8).for_each(|n| elsewhere.send(&packet(1, n, b"sound")));
    say(&rig, &a, &b, 8);
    assert_eq!(counts(&rig, A).strangers, 0, "while it is heard, its socket is connected");
    std::thread::sleep(Duration::from_millis(2_100));
    (10..14).for_each(|n| elsewhere.send(&packet(1, n, b"sound")));
    assert_eq!(b.receive(), packet(1, 13, b"sound"));
    b.send(&packet(2, 1, b"to where it is now"));
    assert_eq!(elsewhere.receive(), packet(2, 1, b"to where it is now"));
}

#[test]
fn a_line_that_did_not_listen_for_a_moment_misses_only_what_came_then() {
    let rig = Rig::new(19_200..=19_249);
    let (a, b) = rig.call();
    say(&rig, &a, &b, 1);
    say(&rig, &b, &a, 1);
    let Phone { rtp, rtcp, exchange } = b;
    let address = rtp.local_addr().unwrap();
    drop(rtp);
    // Nobody is there: the system says so (ICMP), and the packet after that is sent all the same.
    (2..5).for_each(|n| a.send(&packet(1, n, b"lost")));
    std::thread::sleep(QUIET);
    let rtp = UdpSocket::bind(address).unwrap();
    rtp.set_read_timeout(Some(PATIENCE)).unwrap();
    let b = Phone { rtp, rtcp, exchange };
    (5..9).for_each(|n| say(&rig, &a, &b, n));
    (2..5).for_each(|n| say(&rig, &b, &a, n));
}
