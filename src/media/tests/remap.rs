//! An address translator gives a peer another port in mid-call: its sound is learned again, and no stranger's.

use super::*;

/// Sends so many packets in sequence, as fast as they are taken.
fn speak(phone: &Phone, first: u16, count: u16) {
    (first..first + count).for_each(|n| phone.send(&packet(3, n, &[9; 160])));
}

/// How many packets there are to hear.
fn hear(phone: &Phone) -> usize {
    phone.rtp.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let heard = std::iter::from_fn(|| received(&phone.rtp)).count();
    phone.rtp.set_read_timeout(Some(PATIENCE)).unwrap();
    heard
}

#[test]
fn a_remapped_phone_is_heard_and_hears_again_after_two_seconds_of_silence() {
    let rig = Rig::new(23_600..=23_699);
    let (mut a, b) = rig.call();
    // It names an address where nothing is, and is followed to where it sends from.
    let hidden: SocketAddr = "127.0.0.77:4000".parse().unwrap();
    let remote = Remote { rtp: Some(hidden), rtcp: None, symmetric: true, ..a.remote() };
    rig.remote(A, remote);
    speak(&a, 0, 10);
    assert!((6..=7).contains(&hear(&b)), "three are spent on learning");
    b.send(&packet(4, 1, b"to the first port"));
    a.receive();
    let elsewhere = Phone { exchange: a.exchange.take(), ..Phone::new(LOCAL) };
    speak(&elsewhere, 10, 10);
    assert_eq!(hear(&b), 0, "the old port may only be late");
    std::thread::sleep(Duration::from_secs(2));
    speak(&elsewhere, 20, 10);
    assert!((6..=7).contains(&hear(&b)));
    b.send(&packet(4, 2, b"to the second port"));
    elsewhere.receive();
}
