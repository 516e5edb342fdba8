//! Digits that a stream's peer is sent: as telephone events or as tones, each in packets of their own in the one stream
//! that goes to it.

use super::player::{PACKET, Playing, Request};
use super::rtp_debug::PacketTrace;
use super::stream::{Mode, Stream};
use crate::audio::{dtmf, g711};
use crate::clock::Time;
use crate::pbx::media::{DigitForm, FLASH, StreamKind};
use crate::rtp::continuity::Place;
use crate::rtp::header::{FIXED, Header};
use crate::rtp::telephone_event::{self, Event};
use std::collections::VecDeque;
use std::time::Duration;

/// Digits that may wait for the one that is sent.
const MAX_WAITING: usize = 64;
/// The longest and the shortest that a digit is pressed.
const LONGEST: Duration = Duration::from_secs(8);
/// See [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(40);

/// The time between two packets of an event (RFC 4733 2.5.1.2: at the packet time of the sound, nearly always this).
const UPDATE: Duration = Duration::from_millis(20);
/// Samples in it.
const STEP: u32 = 160;
/// How often the end of an event is said (RFC 4733 2.5.1.4).
const ENDS: u32 = 3;
/// The power an event tells, in dBm0 without the sign.
const VOLUME: u8 = 10;

/// The pause behind a tone.
const PAUSE: usize = 400;

/// A digit to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Press {
    pub digit: char,
    pub duration: Duration,
    pub form: DigitForm,
}

/// The digit that a stream's peer is being sent, and those that wait.
pub(super) struct DigitSender {
    /// Distinguishes it, for the timer.
    pub turn: u64,
    current: Current,
    waiting: VecDeque<Press>,
}

enum Current {
    Event(EventPress),
    Tone(Box<Playing>),
}

/// An event under way.
struct EventPress {
    code: u8,
    payload_type: u8,
    /// The place of its first packet, whose timestamp all of them have.
    place: Place,
    /// Packets sent, and packets until the end is said.
    sent: u32,
    updates: u32,
    due: Time,
}

/// What became of the time for a packet.
pub(super) enum Sent {
    /// It is sent, and the next is due then.
    Until(Time),
    /// There is no more digit: the stream goes on with what it did.
    Done,
}

/// Sends a digit, or lets it wait for the one that is sent. When the first packet is due, if it begins now.
pub(super) fn press(stream: &mut Stream, now: Time, press: Press, turn: u64, fresh: Place) -> Option<Time> {
    if stream.kind != StreamKind::Rtp {
        return None;
    }
    if let Some(sender) = &mut stream.sending {
        if sender.waiting.len() < MAX_WAITING {
            sender.waiting.push_back(press);
        }
        return None;
    }
    let current = Current::begin(stream, now, press, fresh)?;
    stream.sending = Some(Box::new(DigitSender { turn, current, waiting: VecDeque::new() }));
    Some(now)
}

/// Sends the packet of a digit that is due.
pub(super) fn send_due(stream: &mut Stream, now: Time, trace: Option<&mut PacketTrace>) -> Sent {
    let mut packet = [0; PACKET];
    let Some(mut sender) = stream.sending.take() else { return Sent::Done };
    loop {
        let sent = match &mut sender.current {
            Current::Event(event) => event.next(now, &mut packet).map(|(place, bytes)| (place, STEP, bytes)),
            Current::Tone(tone) => {
                let step = tone.step();
                tone.next(now, &mut packet).map(|(place, bytes)| (place, step, bytes))
            }
        };
        if let Some((place, step, bytes)) = sent {
            let to = stream.deliver_own(now, place, step, bytes);
            if let Some((trace, to)) = trace.zip(to) {
                trace.sent(now, to, bytes);
            }
            let due = sender.current.due();
            stream.sending = Some(sender);
            return Sent::Until(due);
        }
        let fresh = Place { ssrc: 0, sequence: 0, timestamp: 0 };
        let mut waiting = std::iter::from_fn(|| sender.waiting.pop_front());
        match waiting.find_map(|press| Current::begin(stream, now, press, fresh)) {
            Some(current) => sender.current = current,
            None => break,
        }
    }
    // A sound that goes on follows what was sent instead of it.
    if let Mode::Playing(playing) = &mut stream.mode {
        playing.move_to(stream.line.begin(now, playing.step(), Place { ssrc: 0, sequence: 0, timestamp: 0 }));
    }
    Sent::Done
}

impl Current {
    /// None for what cannot be sent in that form.
    fn begin(stream: &mut Stream, now: Time, press: Press, fresh: Place) -> Option<Current> {
        let duration = press.duration.clamp(SHORTEST, LONGEST);
        match press.form {
            DigitForm::Event(payload_type) => {
                let code = match press.digit {
                    FLASH => telephone_event::FLASH,
                    digit => telephone_event::code_of(digit)?,
                };
                let place = stream.line.begin(now, STEP, fresh);
                let updates = duration.as_millis().div_ceil(UPDATE.as_millis());
                let updates = u32::try_from(updates).unwrap_or(u32::MAX);
                Some(Current::Event(EventPress { code, payload_type, place, sent: 0, updates, due: now }))
            }
            DigitForm::Tone { codec, ptime_ms } => {
                let mut samples = dtmf::tone(press.digit, duration);
                if samples.is_empty() {
                    return None;
                }
                samples.resize(samples.len().saturating_add(PAUSE), 0);
                let sound = g711::encode(&samples, codec.law);
                let payload_type = codec.payload_type;
                let request = Request { play: 0, sounds: vec![sound], skip: 0, repeat: false, payload_type, ptime_ms };
                let place = stream.line.begin(now, request.step(), fresh);
                Some(Current::Tone(Box::new(Playing::new(now, 0, request, place))))
            }
        }
    }

    fn due(&self) -> Time {
        match self {
            Current::Event(event) => event.due,
            Current::Tone(tone) => tone.due(),
        }
    }
}

impl EventPress {
    /// Writes the packet that is due. The place given is where the stream has come to by then: a packet of sound that
    /// follows has its time from there.
    fn next<'a>(&mut self, now: Time, packet: &'a mut [u8; PACKET]) -> Option<(Place, &'a [u8])> {
        if self.sent >= self.updates.saturating_add(ENDS - 1) {
            return None;
        }
        let sequence = self.place.sequence.wrapping_add(self.sent as u16);
        let header = Header {
            marker: self.sent == 0,
            payload_type: self.payload_type,
            sequence,
            timestamp: self.place.timestamp,
            ssrc: self.place.ssrc,
            length: FIXED,
        };
        let lasted = self.sent.saturating_add(1).min(self.updates).saturating_mul(STEP);
        let event = Event {
            code: self.code,
            end: self.sent.saturating_add(1) >= self.updates,
            volume: VOLUME,
            duration: u16::try_from(lasted).unwrap_or(u16::MAX),
        };
        let end = FIXED + telephone_event::PAYLOAD;
        let (head, payload) = packet.get_mut(..end)?.split_at_mut_checked(FIXED)?;
        head.copy_from_slice(&header.write());
        payload.copy_from_slice(&event.write());
        let timestamp = self.place.timestamp.wrapping_add(self.sent.saturating_mul(STEP));
        self.sent = self.sent.saturating_add(1);
        // After a stall nothing is sent in a burst: the duration tells how long it was.
        self.due = (self.due + UPDATE).max(now);
        Some((Place { sequence, timestamp, ..self.place }, packet.get(..end)?))
    }
}
