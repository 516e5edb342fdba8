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

/// A message that says that nobody listens at `to`, as if of a packet from `from` to there (RFC 792).
fn port_unreachable(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let (IpAddr::V4(source), IpAddr::V4(target)) = (from.ip(), to.ip()) else { panic!("IPv4 only") };
    let mut message = vec![3, 3, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 200, 0, 0, 0, 0, 64, 17, 0, 0];
    message.extend(source.octets().into_iter().chain(target.octets()));
    message.extend([from.port(), to.port(), 180, 0].into_iter().flat_map(u16::to_be_bytes));
    let sum: u32 = message.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let check = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    message[2..4].copy_from_slice(&check.to_be_bytes());
    message
}

#[test]
fn forged_messages_of_a_closed_port_cost_no_packet() {
    use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};
    let Ok(raw) = socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP)) else {
        eprintln!("skipped: forged ICMP needs root");
        return;
    };
    let rig = Rig::new(19_450..=19_499);
    let (a, b) = rig.call();
    say(&rig, &a, &b, 1);
    say(&rig, &b, &a, 1);
    let exchange = a.exchange.unwrap();
    let forged = port_unreachable(exchange, a.rtp.local_addr().unwrap());
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let forgeries = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let target = SocketAddr::new(exchange.ip(), 0);
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = sendto(&raw, &forged, SendFlags::empty(), &target);
                forgeries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (2..300).for_each(|n| {
                // They are under way while the packet is.
                let before = forgeries.load(std::sync::atomic::Ordering::Relaxed);
                while forgeries.load(std::sync::atomic::Ordering::Relaxed) < before + 20 {
                    std::thread::yield_now();
                }
                say(&rig, &b, &a, n);
                say(&rig, &a, &b, n);
            });
        }));
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        told.unwrap();
    });
}
