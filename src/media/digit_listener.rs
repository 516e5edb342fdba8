//! Digits that a stream's peer presses: in its telephone events, and in its sound where that was asked for.

use crate::audio::dtmf::Detector;
use crate::clock::Time;
use crate::pbx::media::{Listening, WhileBridged};
use crate::rtp::header::Header;
use crate::rtp::is_after;
use crate::rtp::telephone_event::{self, EventReceiver};
use smallvec::SmallVec;
use std::time::Duration;

/// Digits that may come at once, and the time in which one more may: a modem dials twelve a second.
const BURST: u32 = 32;
/// See [`BURST`].
const EACH: Duration = Duration::from_millis(50);

/// Samples of a packet that are listened to: the longest that anybody sends, 200 ms.
const MAX_SAMPLES: usize = 1_600;

/// What a stream's peer presses.
#[derive(Default)]
pub(super) struct DigitListener {
    listening: Listening,
    events: EventReceiver,
    /// There when it listens in the sound.
    detector: Option<Box<Detector>>,
    /// The latest packet of sound.
    sequence: Option<u16>,
    /// When all that may come at once may come again.
    full: Time,
    pressed: SmallVec<[char; 4]>,
    dropped: u64,
}

impl DigitListener {
    /// From now on these.
    pub fn listen(&mut self, listening: Listening) {
        if listening.inband != self.listening.inband {
            self.detector = listening.inband.map(|_| Box::default());
            self.sequence = None;
        }
        self.listening = listening;
    }

    /// Must packets be shown to it while the stream is bridged?
    pub fn hears_bridge(&self) -> bool {
        self.listening.bridged != WhileBridged::Pass
    }

    /// A packet came to a stream that is bridged; says whether it is taken out.
    pub fn hear_bridged(&mut self, now: Time, header: &Header, packet: &[u8]) -> bool {
        if self.listening.bridged == WhileBridged::Listen {
            self.sound(now, header, packet);
            return false;
        }
        if self.listening.events != Some(header.payload_type) {
            return false;
        }
        let is_key = self.event(now, header, packet);
        is_key && self.listening.bridged == WhileBridged::Take
    }

    /// A packet came to a stream that is not bridged.
    pub fn hear(&mut self, now: Time, header: &Header, packet: &[u8]) {
        if self.listening.events == Some(header.payload_type) {
            self.event(now, header, packet);
        } else {
            self.sound(now, header, packet);
        }
    }

    /// A packet of sound, when it is listened to.
    fn sound(&mut self, now: Time, header: &Header, packet: &[u8]) {
        if let Some(codec) = self.listening.inband.filter(|codec| codec.payload_type == header.payload_type) {
            // A late packet is not put where it was.
            if self.sequence.is_some_and(|latest| !is_after(header.sequence, latest)) && !self.has_jumped(header) {
                return;
            }
            self.sequence = Some(header.sequence);
            let Some(mut detector) = self.detector.take() else { return };
            for byte in header.payload(packet).iter().take(MAX_SAMPLES) {
                if let Some(digit) = detector.push(codec.law.decode(*byte)) {
                    self.press(now, digit);
                }
            }
            self.detector = Some(detector);
        }
    }

    /// The next digit that is to be reported.
    pub fn take(&mut self) -> Option<char> {
        (!self.pressed.is_empty()).then(|| self.pressed.remove(0))
    }

    /// How many were too many, since this was asked last.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Is this packet so far from the latest that it is of another stream?
    fn has_jumped(&mut self, header: &Header) -> bool {
        let behind = self.sequence.map_or(0, |latest| latest.wrapping_sub(header.sequence));
        let jumped = behind > 100;
        if let Some(detector) = self.detector.as_mut().filter(|_| jumped) {
            detector.reset();
        }
        jumped
    }

    /// A packet of an event; says whether it is one of a key.
    fn event(&mut self, now: Time, header: &Header, packet: &[u8]) -> bool {
        let payload = header.payload(packet);
        if let Some(digit) = self.events.receive(now, header, payload).and_then(|it| telephone_event::key_of(it.code)) {
            self.press(now, digit);
        }
        payload.first().is_some_and(|code| telephone_event::key_of(*code).is_some())
    }

    fn press(&mut self, now: Time, digit: char) {
        let full = self.full.max(now) + EACH;
        if full.since(now) > EACH * BURST {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.full = full;
        self.pressed.push(digit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::g711::Law;

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    fn begin(n: u32) -> (Header, Vec<u8>) {
        let header =
            Header { marker: true, payload_type: 101, sequence: n as u16, timestamp: n * 160, ssrc: 1, length: 12 };
        let packet = [&header.write()[..], &[5, 10, 0, 160]].concat();
        (header, packet)
    }

    /// Nobody presses that fast: what is more is counted, and the digits of a quick dialler are all heard.
    #[test]
    fn a_flood_is_cut_and_a_quick_dialler_is_heard() {
        let mut listener = DigitListener::default();
        listener.listen(Listening { events: Some(101), ..Listening::default() });
        for n in 0..10_000 {
            let (header, packet) = begin(n);
            listener.hear(at(u64::from(n) / 10), &header, &packet);
        }
        let heard = std::iter::from_fn(|| listener.take()).count();
        assert_eq!((heard, listener.take_dropped()), (51, 9_949));
        for n in 10_000..10_100 {
            let (header, packet) = begin(n);
            listener.hear(at(10_000 + u64::from(n - 10_000) * 80), &header, &packet);
            assert_eq!(listener.take(), Some('5'));
        }
    }

    /// In a bridge a line's sound is listened to only when it is told so, and passes.
    #[test]
    fn digits_in_the_sound_of_a_bridge_are_heard_when_that_is_asked_for() {
        for (bridged, heard) in [(WhileBridged::Listen, Some('5')), (WhileBridged::Report, None)] {
            let mut listener = DigitListener::default();
            let codec = crate::pbx::media::G711 { payload_type: 0, law: Law::Mu };
            listener.listen(Listening { events: None, inband: Some(codec), bridged });
            for n in 0..10u16 {
                let header = Header {
                    marker: false,
                    payload_type: 0,
                    sequence: n,
                    timestamp: u32::from(n) * 160,
                    ssrc: 1,
                    length: 12,
                };
                let tone = (0..160).map(|at| {
                    let at = f64::from(u32::from(n) * 160 + at) / 8000.0 * std::f64::consts::TAU;
                    Law::Mu.encode(((at * 770.0).sin() * 7000.0 + (at * 1336.0).sin() * 7000.0) as i16)
                });
                let packet: Vec<u8> = header.write().into_iter().chain(tone).collect();
                assert!(!listener.hear_bridged(at(u64::from(n) * 20), &header, &packet), "it passes");
            }
            assert_eq!((listener.take(), listener.take()), (heard, None));
        }
    }
}
