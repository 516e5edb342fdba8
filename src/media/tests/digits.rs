//! Digits heard and sent, in real packets.

use super::*;
use crate::audio::dtmf::Detector;
use crate::audio::g711::Law;
use crate::pbx::media::{DigitForm, G711, Listening, WhileBridged};
use crate::rtp::continuity::Place;
use crate::rtp::telephone_event::Event;
use crate::sim::key_press;

const EVENTS: u8 = 101;
const ULAW: G711 = G711 { payload_type: 0, law: Law::Mu };
const PRESSED: Duration = Duration::from_millis(100);

fn place(sequence: u16) -> Place {
    Place { ssrc: 3, sequence, timestamp: u32::from(sequence) * 160 }
}

fn events(key: char, sequence: u16) -> Vec<Vec<u8>> {
    key_press::events(key, PRESSED, EVENTS, place(sequence))
}

impl Rig {
    fn listen(&self, stream: StreamId, listening: Listening) {
        self.media.send(MediaCommand::Listen { stream, listening });
    }

    /// The digits reported until the streams are released.
    fn digits(&self) -> (String, StreamCounts) {
        let (events, counts) = self.release(A);
        let digit = |event| if let MediaEvent::Digit { stream: A, digit } = event { Some(digit) } else { None };
        (events.into_iter().filter_map(digit).collect(), counts)
    }

    /// A phone whose digits are listened for, and the exchange plays to it or does nothing else.
    fn listened(&self, listening: Listening) -> Phone {
        let mut phone = Phone::new(LOCAL);
        phone.exchange = Some(self.reserve(A, LOCAL));
        self.remote(A, phone.remote());
        self.listen(A, listening);
        self.media.send(MediaCommand::Echo { stream: A });
        phone
    }

    /// Has all that was sent to the exchange looked at before anything else.
    fn settle(&self, phone: &Phone) {
        phone.send(&packet(3, 60_000, b"last"));
        while !phone.receive().ends_with(b"last") {}
    }
}

#[test]
fn events_are_digits_each_once_from_the_learned_source_alone() {
    let rig = Rig::new(24_000..=24_099);
    let phone = rig.listened(Listening { events: Some(EVENTS), ..Listening::default() });
    let stranger = Phone { exchange: phone.exchange, ..Phone::new(LOCAL) };
    // The socket is connected from the first packet on that was looked at.
    rig.settle(&phone);
    for (n, key) in (0..).zip("12#".chars()) {
        for packet in events(key, n * 20 + 1) {
            phone.send(&packet);
            // Some come twice.
            phone.send(&packet);
        }
        events('9', n * 20 + 1).iter().for_each(|packet| stranger.send(packet));
    }
    // Another payload type is no event here; nor is an event that is no key.
    key_press::events('7', PRESSED, 96, place(100)).iter().for_each(|packet| phone.send(packet));
    let mut flash = events('7', 120).remove(0);
    flash[12] = 16;
    phone.send(&flash);
    rig.settle(&phone);
    let (digits, counts) = rig.digits();
    assert_eq!(digits, "12#");
    assert!(counts.strangers <= 21, "as soon as the line is heard the system drops them");
}

#[test]
fn a_digit_is_heard_while_a_sound_is_played_and_at_its_first_packet() {
    let rig = Rig::new(24_100..=24_199);
    let phone = rig.listened(Listening { events: Some(EVENTS), ..Listening::default() });
    rig.media.send(MediaCommand::Play {
        stream: A,
        play: 1,
        sounds: vec![vec![0x55; 80_000].into()],
        skip: 0,
        repeat: false,
        payload_type: 0,
        ptime_ms: 20,
    });
    phone.receive();
    phone.send(&events('5', 1)[0]);
    let heard = std::iter::from_fn(|| Some(rig.event())).find(|event| !matches!(event, MediaEvent::Learned { .. }));
    assert_eq!(heard, Some(MediaEvent::Digit { stream: A, digit: '5' }));
}

#[test]
fn tones_are_heard_where_they_are_asked_for_and_never_on_a_bridge() {
    let rig = Rig::new(24_200..=24_299);
    let listening = Listening { inband: Some(ULAW), bridged: WhileBridged::Report, ..Listening::default() };
    let phone = rig.listened(listening);
    let mut sequence = 1;
    for key in "159D".chars() {
        let packets = key_press::tones(key, PRESSED, 0, Law::Mu, place(sequence));
        sequence += packets.len() as u16;
        packets.iter().for_each(|packet| phone.send(packet));
    }
    rig.settle(&phone);
    assert_eq!(rig.digits().0, "159D");

    let (a, b) = rig.call();
    rig.listen(A, listening);
    let packets: Vec<Vec<u8>> =
        "159D".chars().flat_map(|key| key_press::tones(key, PRESSED, 0, Law::Mu, place(1))).collect();
    assert_eq!(exchange(&a, &b, &packets), packets);
    assert_eq!(rig.digits().0, "");
}

#[test]
fn on_a_bridge_events_pass_untouched_reported_or_not() {
    for (bridged, reported) in [(WhileBridged::Pass, ""), (WhileBridged::Report, "5")] {
        let rig = Rig::new(24_300..=24_399);
        let (a, b) = rig.call();
        rig.listen(A, Listening { events: Some(EVENTS), bridged, ..Listening::default() });
        let packets = events('5', 1);
        assert_eq!(exchange(&a, &b, &packets), packets);
        assert_eq!(rig.digits().0, reported);
    }
}

/// They are taken out: the stream has no gap where they were, and the digit goes in another form.
#[test]
fn events_are_taken_out_of_a_bridge_and_sent_as_tones_in_the_one_stream() {
    let rig = Rig::new(24_400..=24_499);
    let (a, b) = rig.call();
    rig.listen(A, Listening { events: Some(EVENTS), bridged: WhileBridged::Take, ..Listening::default() });
    a.send(&packet(3, 1, &[0xff; 160]));
    let first = Header::read(&b.receive()).unwrap();
    events('5', 2).iter().for_each(|packet| a.send(packet));
    a.send(&packet(3, 9, &[0xff; 160]));
    let second = Header::read(&b.receive()).unwrap();
    assert_eq!((second.ssrc, second.sequence), (first.ssrc, first.sequence + 1));
    let form = DigitForm::Tone { codec: ULAW, ptime_ms: 20 };
    rig.media.send(MediaCommand::SendDigit { stream: B, digit: '5', duration: PRESSED, form });
    let mut detector = Detector::default();
    let (mut heard, mut latest) = (String::new(), second);
    for n in 0..8 {
        let packet = b.receive();
        let header = Header::read(&packet).unwrap();
        assert_eq!((header.ssrc, header.sequence, header.marker), (first.ssrc, latest.sequence + 1, n == 0));
        if n > 0 {
            assert_eq!(header.timestamp, latest.timestamp + 160);
        }
        latest = header;
        heard.extend(packet[12..].iter().filter_map(|byte| detector.push(Law::Mu.decode(*byte))));
    }
    assert_eq!(heard, "5");
    std::thread::sleep(Duration::from_millis(30));
    a.send(&packet(3, 20, &[0xff; 160]));
    let after = Header::read(&b.receive()).unwrap();
    assert_eq!((after.ssrc, after.sequence), (first.ssrc, latest.sequence + 1));
    assert!((160..=480).contains(&(after.timestamp - latest.timestamp)), "{after:?} {latest:?}");
    assert_eq!(rig.digits().0, "5");
}

/// RFC 4733 2.5: one timestamp, the mark on the first, the end three times with the whole duration; what is said
/// otherwise meanwhile is left out, and the next sound has its time from there.
#[test]
fn an_event_is_sent_as_the_rfc_says_within_the_stream_of_what_is_relayed() {
    let rig = Rig::new(24_500..=24_599);
    let (a, b) = rig.call();
    a.send(&packet(3, 1, &[0xff; 160]));
    let before = Header::read(&b.receive()).unwrap();
    let form = DigitForm::Event(97);
    rig.media.send(MediaCommand::SendDigit { stream: B, digit: '#', duration: PRESSED, form });
    rig.media.send(MediaCommand::SendDigit { stream: B, digit: '1', duration: PRESSED, form });
    let mut first = b.receive();
    a.send(&packet(3, 2, &[0xff; 160]));
    let mut latest = before;
    for (code, at) in [(11, 0), (1, 1)] {
        if at > 0 {
            first = b.receive();
        }
        let header = Header::read(&first).unwrap();
        let gap = header.timestamp - latest.timestamp;
        for n in 0..7u16 {
            let packet = if n == 0 { first.clone() } else { b.receive() };
            let header_now = Header::read(&packet).unwrap();
            let duration = (n + 1).min(5) * 160;
            assert_eq!(Event::read(&packet[12..]), Some(Event { code, end: n >= 4, volume: 10, duration }));
            assert_eq!((header_now.marker, header_now.payload_type), (n == 0, 97));
            assert_eq!((header_now.ssrc, header_now.timestamp), (before.ssrc, header.timestamp));
            assert_eq!(header_now.sequence, latest.sequence + 1);
            latest = header_now;
        }
        assert!(at == 0 || (7 * 160..=10 * 160).contains(&gap), "{gap}");
    }
    std::thread::sleep(Duration::from_millis(30));
    a.send(&packet(3, 30, &[0xff; 160]));
    let after = Header::read(&b.receive()).unwrap();
    assert_eq!((after.ssrc, after.sequence), (before.ssrc, latest.sequence + 1));
    let gap = after.timestamp - latest.timestamp;
    assert!((7 * 160..=12 * 160).contains(&gap), "{gap}");
}

/// The stream of a sound that is played goes on behind the digit, without a packet of it in between.
#[test]
fn a_digit_interrupts_a_sound_which_goes_on_in_the_same_stream() {
    let rig = Rig::new(24_600..=24_699);
    let phone = rig.listened(Listening::default());
    let sound = vec![0x55; 4_800].into();
    rig.media.send(MediaCommand::Play {
        stream: A,
        play: 1,
        sounds: vec![sound],
        skip: 0,
        repeat: false,
        payload_type: 0,
        ptime_ms: 20,
    });
    phone.receive();
    let form = DigitForm::Event(EVENTS);
    rig.media.send(MediaCommand::SendDigit { stream: A, digit: '0', duration: PRESSED, form });
    let heard: Vec<Header> = (0..25).map(|_| Header::read(&phone.receive()).unwrap()).collect();
    assert!(heard.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)), "{heard:?}");
    let kinds: Vec<u8> = heard.iter().map(|header| header.payload_type).collect();
    let begin = kinds.iter().position(|kind| *kind == EVENTS).unwrap();
    assert!(kinds[begin..begin + 7].iter().all(|kind| *kind == EVENTS) && kinds[begin + 7] == 0);
    let gap = heard[begin + 7].timestamp.wrapping_sub(heard[begin].timestamp);
    assert!((7 * 160..=9 * 160).contains(&gap), "{gap}");
}
