//! One stream for many, mixes, and spies: real packets.

use super::*;
use crate::audio::g711::Law;
use crate::pbx::media::G711;
use crate::pbx::mixing::{FeedPlan, MixId, Seat, SpyPlan};
use crate::pbx::recording::Sides;

const C: StreamId = StreamId(3);
const MIX: MixId = MixId(9);
const ULAW: G711 = G711 { payload_type: 0, law: Law::Mu };
const ALAW: G711 = G711 { payload_type: 8, law: Law::A };

fn laws() -> Vec<(u8, Law)> {
    vec![(0, Law::Mu), (8, Law::A)]
}

impl Rig {
    /// Three phones, nobody connected.
    fn three(&self) -> [Phone; 3] {
        [A, B, C].map(|stream| {
            let mut phone = Phone::new(LOCAL);
            phone.exchange = Some(self.reserve(stream, LOCAL));
            self.remote(stream, phone.remote());
            phone
        })
    }

    fn feed(&self, stream: StreamId, codec: G711) {
        let plan = Box::new(FeedPlan { laws: laws(), codec });
        self.media.send(MediaCommand::Feed { stream, source: A, plan });
    }

    fn sit(&self, stream: StreamId, codec: G711) {
        let seat = Box::new(Seat { laws: laws(), codec, ptime_ms: 20, gain: 0 });
        self.media.send(MediaCommand::Mix { stream, mix: MIX, seat });
    }

    fn spy(&self, hears: Option<Sides>, whispers: bool, barges: bool) {
        let plan = Box::new(SpyPlan { laws: laws(), hears, whispers, barges });
        self.media.send(MediaCommand::Spy { stream: A, mix: MIX, plan });
        self.carry_out();
    }

    /// Waits until what was ordered is done.
    fn carry_out(&self) {
        self.media.send(MediaCommand::Count { stream: A });
        while !matches!(self.event(), MediaEvent::Counted { .. }) {}
    }
}

/// A packet of one sample.
fn says(ssrc: u32, sequence: u16, codec: G711, sample: i16) -> Vec<u8> {
    let mut packet = packet(ssrc, sequence, &[codec.law.encode(sample); 160]);
    packet[1] = codec.payload_type;
    packet
}

/// Each of the phones says its sample for so many packets, 20 ms apart. All that each heard meanwhile.
fn talk(phones: &[(&Phone, u32, G711, i16)], from: u16, count: u16) -> Vec<Vec<Vec<u8>>> {
    let begin = Instant::now();
    let mut heard: Vec<Vec<Vec<u8>>> = phones.iter().map(|_| Vec::new()).collect();
    for number in 0..count {
        for (phone, ssrc, codec, sample) in phones {
            phone.send(&says(*ssrc, from + number, *codec, *sample));
        }
        let until = begin + Duration::from_millis(20) * u32::from(number + 1);
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        for ((phone, ..), heard) in phones.iter().zip(&mut heard) {
            phone.rtp.set_read_timeout(Some(Duration::from_micros(100))).unwrap();
            heard.extend(std::iter::from_fn(|| received(&phone.rtp)));
        }
    }
    phones.iter().for_each(|(phone, ..)| phone.rtp.set_read_timeout(Some(PATIENCE)).unwrap());
    heard
}

/// Is one of the packets this sample all through?
fn is_heard(packets: &[Vec<u8>], codec: G711, sample: i32) -> bool {
    let wanted = codec.law.encode(i16::try_from(sample).unwrap());
    packets
        .iter()
        .any(|packet| packet[1] & 0x7f == codec.payload_type && packet[12..].iter().all(|byte| *byte == wanted))
}

/// What a sample is after it was coded.
fn coded(codec: G711, sample: i16) -> i32 {
    i32::from(codec.law.decode(codec.law.encode(sample)))
}

#[test]
fn one_is_heard_by_many_each_in_its_own_law_and_line() {
    let rig = Rig::new(24_000..=24_099);
    let [a, b, c] = rig.three();
    // The second listener was played something before: its line goes on.
    rig.media.send(MediaCommand::Play {
        stream: C,
        play: 1,
        sounds: vec![[Law::A.silence(); 160].as_slice().into()],
        skip: 0,
        repeat: false,
        payload_type: 8,
        ptime_ms: 20,
    });
    let before = c.receive();
    let before = Header::read(&before).unwrap();
    rig.feed(B, ULAW);
    rig.feed(C, ALAW);
    rig.carry_out();
    let mut expected = Law::Mu.decode(Law::Mu.encode(1_000));
    expected = Law::A.decode(Law::A.encode(expected));
    for number in 0..50u16 {
        let sent = says(7, 65_500u16.wrapping_add(number), ULAW, 1_000);
        a.send(&sent);
        assert_eq!(b.receive(), sent, "as it is");
        let heard = c.receive();
        let header = Header::read(&heard).unwrap();
        assert_eq!((header.ssrc, header.sequence), (before.ssrc, before.sequence.wrapping_add(number + 1)));
        assert_eq!(header.payload_type, 8);
        assert_eq!(heard[12..], [Law::A.encode(expected); 160]);
    }
    // A digit is no sound, and what a listener says is heard by nobody.
    let mut digit = packet(7, 70, &[1, 10, 3, 32]);
    digit[1] = 101;
    a.send(&digit);
    b.send(&says(8, 1, ULAW, 500));
    assert!(b.hears_nothing() && c.hears_nothing() && a.hears_nothing());
    // One leaves, and the other hears on.
    rig.media.send(MediaCommand::Idle { stream: B });
    rig.carry_out();
    a.send(&says(7, 71, ULAW, 1));
    c.receive();
    assert!(b.hears_nothing());
    rig.release(C);
    a.send(&says(7, 72, ULAW, 1));
    // The source rests: whoever is left does so, too.
    rig.feed(B, ULAW);
    rig.media.send(MediaCommand::Idle { stream: A });
    rig.carry_out();
    a.send(&says(7, 73, ULAW, 1));
    assert!(b.hears_nothing());
}

#[test]
fn each_in_a_mix_hears_the_others_and_not_itself() {
    let rig = Rig::new(24_100..=24_199);
    let [a, b, c] = rig.three();
    rig.sit(A, ULAW);
    rig.sit(B, ALAW);
    rig.sit(C, ULAW);
    let begin = Instant::now();
    rig.carry_out();
    let heard = talk(&[(&a, 1, ULAW, 1_000), (&b, 2, ALAW, 4_000), (&c, 3, ULAW, 12_000)], 0, 50);
    let most = usize::try_from(begin.elapsed().as_millis() / 20).unwrap() + 2;
    let (of_a, of_b, of_c) = (coded(ULAW, 1_000), coded(ALAW, 4_000), coded(ULAW, 12_000));
    assert!(is_heard(&heard[0], ULAW, of_b + of_c) && is_heard(&heard[1], ALAW, of_a + of_c));
    assert!(is_heard(&heard[2], ULAW, of_a + of_b));
    for packets in &heard {
        assert!((40..=most).contains(&packets.len()), "{} of {most}: one every 20 ms", packets.len());
        for pair in packets.windows(2) {
            let [one, two] = [Header::read(&pair[0]).unwrap(), Header::read(&pair[1]).unwrap()];
            assert_eq!((two.ssrc, two.sequence), (one.ssrc, one.sequence.wrapping_add(1)));
            assert_eq!(two.timestamp.wrapping_sub(one.timestamp) % 160, 0);
        }
    }
    // One that leaves is neither heard nor hears.
    rig.media.send(MediaCommand::Idle { stream: C });
    rig.carry_out();
    talk(&[(&a, 1, ULAW, 1_000), (&b, 2, ALAW, 4_000), (&c, 3, ULAW, 12_000)], 50, 10);
    let heard = talk(&[(&a, 1, ULAW, 1_000), (&b, 2, ALAW, 4_000), (&c, 3, ULAW, 12_000)], 60, 20);
    assert!(is_heard(&heard[0], ULAW, of_b) && !is_heard(&heard[0], ULAW, of_b + of_c) && heard[2].is_empty());
    // Loud ones are cut off where a sample ends.
    rig.sit(C, ULAW);
    rig.carry_out();
    let heard = talk(&[(&a, 1, ULAW, 30_000), (&b, 2, ALAW, 30_000), (&c, 3, ULAW, 0)], 80, 30);
    assert!(is_heard(&heard[2], ULAW, 32_767));
}

#[test]
fn who_spies_hears_both_and_the_call_stays_as_it_is_until_somebody_whispers() {
    let rig = Rig::new(24_200..=24_299);
    let (a, b) = rig.call();
    let mut c = Phone::new(LOCAL);
    c.exchange = Some(rig.reserve(C, LOCAL));
    rig.remote(C, c.remote());
    rig.sit(C, ULAW);
    rig.spy(Some(Sides::Both), false, false);
    let all = |first, count| talk(&[(&a, 1, ULAW, 1_000), (&b, 2, ULAW, 4_000), (&c, 3, ULAW, 500)], first, count);
    let (of_a, of_b, of_c) = (coded(ULAW, 1_000), coded(ULAW, 4_000), coded(ULAW, 500));
    let heard = all(0, 50);
    assert!(is_heard(&heard[2], ULAW, of_a + of_b));
    let is_as_sent = |packets: &[Vec<u8>], sample| {
        packets.iter().all(|packet| packet[12..] == [Law::Mu.encode(sample); 160]) && packets.len() >= 48
    };
    assert!(is_as_sent(&heard[0], 4_000) && is_as_sent(&heard[1], 1_000), "byte for byte");
    // One direction alone.
    rig.spy(Some(Sides::FromPeer), false, false);
    assert!(is_heard(&all(50, 20)[2], ULAW, of_a));
    // Whispered to one.
    rig.spy(Some(Sides::Both), true, false);
    let heard = all(70, 50);
    assert!(is_heard(&heard[0], ULAW, of_b + of_c) && is_as_sent(&heard[1], 1_000));
    assert!(is_heard(&heard[2], ULAW, of_a + of_b), "who whispers does not hear that");
    // And to both.
    rig.spy(Some(Sides::Both), true, true);
    let heard = all(120, 50);
    assert!(is_heard(&heard[0], ULAW, of_b + of_c) && is_heard(&heard[1], ULAW, of_a + of_c));
    rig.media.send(MediaCommand::StopSpying { stream: A, mix: MIX });
    rig.carry_out();
    let heard = all(170, 50);
    assert!(is_as_sent(&heard[0], 4_000) && is_as_sent(&heard[1], 1_000));
    assert!(is_heard(&heard[2], ULAW, 0));
    // The one spied on is released while somebody barges in: the other one is left as it is.
    rig.spy(Some(Sides::Both), true, true);
    all(220, 10);
    rig.release(A);
    let heard = talk(&[(&c, 3, ULAW, 500)], 300, 10);
    assert!(heard[0].len() >= 5 && is_heard(&heard[0], ULAW, 0));
}
