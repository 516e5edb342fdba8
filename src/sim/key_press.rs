//! The packets of a key that a telephone presses: telephone events (RFC 4733), or its tones in the sound. (By INFO a
//! [`Phone`](super::Phone) presses it itself.)

use crate::audio::dtmf;
use crate::audio::g711::Law;
use crate::rtp::continuity::Place;
use crate::rtp::header::{FIXED, Header};
use crate::rtp::telephone_event::{self, Event};
use std::time::Duration;

/// Milliseconds between two packets.
pub const PTIME: Duration = Duration::from_millis(20);
/// Samples in a packet.
const STEP: u32 = 160;
/// How often the end is said.
const ENDS: usize = 3;

/// The packets of a key as an event, from `place`, one every [`PTIME`]; none for what is no key.
pub fn events(key: char, pressed: Duration, payload_type: u8, place: Place) -> Vec<Vec<u8>> {
    let Some(code) = telephone_event::code_of(key) else { return Vec::new() };
    let updates = usize::try_from(pressed.as_millis().div_ceil(PTIME.as_millis())).unwrap_or(usize::MAX).clamp(1, 400);
    (1..updates + ENDS)
        .map(|n| {
            let lasted = u32::try_from(n.min(updates)).unwrap_or(u32::MAX).saturating_mul(STEP);
            let duration = u16::try_from(lasted).unwrap_or(u16::MAX);
            let event = Event { code, end: n >= updates, volume: 10, duration };
            packet(n == 1, payload_type, Place { sequence: after(place.sequence, n - 1), ..place }, &event.write())
        })
        .collect()
}

/// The packets of a key in the sound, and of the silence that follows it.
pub fn tones(key: char, pressed: Duration, payload_type: u8, law: Law, place: Place) -> Vec<Vec<u8>> {
    let mut samples = dtmf::tone(key, pressed);
    let whole = samples.len().next_multiple_of(160).saturating_add(320);
    samples.resize(whole, 0);
    let coded: Vec<u8> = samples.into_iter().map(|sample| law.encode(sample)).collect();
    let at = |n: usize| Place {
        sequence: after(place.sequence, n),
        timestamp: place.timestamp.wrapping_add(STEP.wrapping_mul(u32::try_from(n).unwrap_or(u32::MAX))),
        ..place
    };
    coded.chunks(160).enumerate().map(|(n, chunk)| packet(false, payload_type, at(n), chunk)).collect()
}

fn after(sequence: u16, packets: usize) -> u16 {
    sequence.wrapping_add(packets as u16)
}

fn packet(marker: bool, payload_type: u8, place: Place, payload: &[u8]) -> Vec<u8> {
    let Place { ssrc, sequence, timestamp } = place;
    let header = Header { marker, payload_type, sequence, timestamp, ssrc, length: FIXED };
    [&header.write()[..], payload].concat()
}
