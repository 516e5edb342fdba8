//! One part of a test: takes the packets, and says at the end what it found.

use super::echo;
use super::level;
use super::line::{Arrived, Line};
use super::noise;
use super::part::Part;
use super::report::{Found, Measured, Unmeasured};
use super::response;
use super::steadiness::Tracker;
use crate::audio::g711::Law;
use crate::clock::Time;
use std::time::Duration;

/// The static payload types of comfort noise: RFC 3551, and its draft.
const COMFORT_NOISE: [u8; 2] = [13, 19];

/// What is to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Which part.
    pub part: Part,
    /// For how long.
    pub lasting: Duration,
}

/// A packet on its way, to the line or from it.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// It was sent to the line.
    pub is_sent: bool,
    /// When.
    pub at: Time,
    /// Its SSRC.
    pub ssrc: u32,
    /// Its sequence number.
    pub sequence: u16,
    /// Its timestamp.
    pub timestamp: u32,
    /// Its payload type.
    pub payload_type: u8,
    /// The law of that type; none: it is no G.711.
    pub law: Option<Law>,
    /// What it carries.
    pub payload: &'a [u8],
}

/// See the module.
#[derive(Debug)]
pub struct Measurement {
    part: Part,
    start: Time,
    sent: Line,
    received: Line,
    tracker: Tracker,
}

impl Measurement {
    /// Begins at that moment.
    pub fn new(plan: Plan, start: Time) -> Measurement {
        Measurement {
            part: plan.part,
            start,
            sent: Line::default(),
            received: Line::default(),
            tracker: Tracker::new(),
        }
    }

    /// Takes a packet.
    pub fn put(&mut self, frame: &Frame<'_>) {
        let arrived = Arrived {
            at: i64::try_from(frame.at.since(self.start).as_micros() / 125).unwrap_or(i64::MAX),
            ssrc: frame.ssrc,
            sequence: frame.sequence,
            timestamp: frame.timestamp,
            payload: frame.payload,
            law: frame.law,
            is_comfort_noise: COMFORT_NOISE.contains(&frame.payload_type) && frame.law.is_none(),
        };
        if frame.is_sent {
            self.sent.put(&arrived);
            // What was sent is kept where what comes back is compared with it.
            if self.part != Part::Echo {
                while self.sent.next().is_some() {}
            }
            return;
        }
        self.received.put(&arrived);
        if self.part == Part::Steadiness {
            while let Some((position, sample)) = self.received.settled() {
                self.tracker.push(position, sample);
            }
        }
    }

    /// What was found.
    pub fn finish(mut self) -> Measured {
        let packets = self.received.packets().without_stalls(&self.sent.packets());
        let found = if packets.received == 0 {
            Found::Unmeasured(Unmeasured::NoPackets)
        } else if self.part == Part::Steadiness {
            while let Some((position, sample)) = self.received.next() {
                self.tracker.push(position, sample);
            }
            self.tracker.finish()
        } else if self.received.all().1.is_empty() && packets.other_codec > 0 {
            Found::Unmeasured(Unmeasured::OtherCodec)
        } else {
            let received = self.received.all();
            match self.part {
                Part::Noise => noise::find(received.1, packets.leaves_out_silence()),
                Part::Level => level::find(received.1),
                Part::Echo => echo::find(self.sent.all(), received),
                Part::Response | Part::Steadiness => response::find(received.1),
            }
        };
        Measured { part: self.part, found, packets }
    }
}
