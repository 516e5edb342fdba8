//! A simulated line with known faults: what is sent to it comes back as a telephone, an ATA or a loop would send it.

use crate::audio::g711::Law;
use crate::clock::Time;
use crate::rng::Rng;
use std::f64::consts::TAU;
use std::time::Duration;

/// The peak of a sine at 0 dBm0, in 16-bit samples (G.711: mu-law overloads at 3.17 dBm0).
const ZERO_DBM0: f64 = 22_302.0;

/// Static payload types.
const COMFORT_NOISE: u8 = 13;

/// What is wrong with a line, and what is not.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFaults {
    /// What comes back: after so many samples, so many dB against what was sent.
    pub echoes: Vec<(usize, f64)>,
    /// After so many samples what comes back is weaker by so many dB: an echo canceller.
    pub cancelled: Option<(usize, f64)>,
    /// Noise of the line, in dBm0.
    pub noise: Option<f64>,
    /// A tone of this frequency in Hz and level in dBm0, by itself.
    pub tone: Option<(f64, f64)>,
    /// From 1,004 Hz on what comes back is weaker by so many dB per octave, about.
    pub tilt: f64,
    /// It is cut off at the peak of a sine of this level, in dBm0.
    pub clip: Option<f64>,
    /// It is converted to this law and back.
    pub converted: Option<Law>,
    /// At so many samples, so many are missing (below zero: the ones before come once more).
    pub slips: Vec<(usize, i32)>,
    /// From there on, for so many samples, there is nothing.
    pub drop_outs: Vec<(usize, usize)>,
    /// From there on, it is so many dB louder.
    pub louder: Option<(usize, f64)>,
    /// The law it sends.
    pub law: Law,
    /// Milliseconds of sound in its packets.
    pub ptime_ms: usize,
    /// Of a thousand packets, so many are lost on the way here.
    pub lost_per_mille: u64,
    /// How much later than the fastest a packet may come, in microseconds.
    pub jitter: u64,
    /// Packets softer than this, in dBm0, are left out, with a packet of comfort noise before the pause.
    pub silence: Option<f64>,
    /// The number of its stream.
    pub ssrc: u32,
}

impl Default for LineFaults {
    /// A line on which nothing comes back, and nothing is wrong.
    fn default() -> LineFaults {
        LineFaults {
            echoes: Vec::new(),
            cancelled: None,
            noise: None,
            tone: None,
            tilt: 0.0,
            clip: None,
            converted: None,
            slips: Vec::new(),
            drop_outs: Vec::new(),
            louder: None,
            law: Law::Mu,
            ptime_ms: 20,
            lost_per_mille: 0,
            jitter: 0,
            silence: None,
            ssrc: 77,
        }
    }
}

/// A packet that comes from the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePacket {
    /// When, since the first sample was sent.
    pub at: Time,
    /// Its SSRC.
    pub ssrc: u32,
    /// Its sequence number.
    pub sequence: u16,
    /// Its timestamp.
    pub timestamp: u32,
    /// Its payload type.
    pub payload_type: u8,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// What comes from a line that is sent these samples, in the order in which it comes.
pub fn answer(sent: &[i16], faults: &LineFaults, rng: &mut Rng) -> Vec<LinePacket> {
    let analogue = disturbed(sent, faults, rng);
    let slipped = slipped(&analogue, faults);
    let samples: Vec<i16> = slipped.iter().enumerate().map(|(place, it)| finished(*it, place, faults)).collect();
    packets(&samples, faults, rng)
}

/// What comes back, with what the line adds.
fn disturbed(sent: &[i16], faults: &LineFaults, rng: &mut Rng) -> Vec<f64> {
    let tilted = tilted(sent, faults.tilt);
    let sent_at = |place: Option<usize>| place.and_then(|place| tilted.get(place)).copied().unwrap_or(0.0);
    let noise = faults.noise.map_or(0.0, |level| ZERO_DBM0 / 2f64.sqrt() * factor(level));
    let mut analogue = Vec::with_capacity(sent.len());
    for place in 0..sent.len() {
        let cancelled = faults.cancelled.filter(|(from, _)| place >= *from).map_or(1.0, |(_, by)| factor(-by));
        let back: f64 =
            faults.echoes.iter().map(|(delay, level)| sent_at(place.checked_sub(*delay)) * factor(*level)).sum();
        let tone = faults
            .tone
            .map_or(0.0, |(hertz, level)| ZERO_DBM0 * factor(level) * (TAU * hertz * place as f64 / 8_000.0).sin());
        analogue.push(back * cancelled + normal(rng) * noise + tone);
    }
    analogue
}

/// A filter of one pole and the straight way beside it, as good as a slope of so many dB per octave.
fn tilted(sent: &[i16], tilt: f64) -> Vec<f64> {
    let keep = 1.0 - (-tilt.abs() / 8.0).exp();
    let mut low = 0.0;
    sent.iter()
        .map(|sample| {
            low += (f64::from(*sample) - low) * 0.35;
            f64::from(*sample) * (1.0 - keep) + low * keep
        })
        .collect()
}

/// Left out and put in where it slips.
fn slipped(analogue: &[f64], faults: &LineFaults) -> Vec<f64> {
    let mut shift = 0i64;
    let slip = |place: usize| faults.slips.iter().find(|(at, _)| *at == place).map_or(0, |(_, by)| i64::from(*by));
    (0..analogue.len())
        .map(|place| {
            shift = shift.saturating_add(slip(place));
            let from = i64::try_from(place).unwrap_or(0).saturating_add(shift);
            usize::try_from(from).ok().and_then(|from| analogue.get(from)).copied().unwrap_or(0.0)
        })
        .collect()
}

/// What the line does to one sample at its end.
fn finished(sample: f64, place: usize, faults: &LineFaults) -> i16 {
    let is_out = faults.drop_outs.iter().any(|(from, length)| (*from..from.saturating_add(*length)).contains(&place));
    let louder = faults.louder.filter(|(from, _)| place >= *from).map_or(1.0, |(_, by)| factor(by));
    let limit = faults.clip.map_or(f64::MAX, |level| ZERO_DBM0 * factor(level));
    let sample = if is_out { 0.0 } else { (sample * louder).clamp(-limit, limit) };
    // A conversion from a float saturates.
    let sample = sample.round() as i16;
    faults.converted.map_or(sample, |law| law.decode(law.encode(sample)))
}

fn packets(samples: &[i16], faults: &LineFaults, rng: &mut Rng) -> Vec<LinePacket> {
    let (mut packets, mut sequence, mut pauses) = (Vec::new(), 65_500u16, false);
    let payload_type = if faults.law == Law::Mu { 0 } else { 8 };
    let size = faults.ptime_ms.saturating_mul(8).max(8);
    for (number, part) in samples.chunks_exact(size).enumerate() {
        let start = number.saturating_mul(size);
        let micros = u64::try_from(start).unwrap_or(0).saturating_mul(125).saturating_add(rng.below(faults.jitter));
        let mut packet = LinePacket {
            at: Time::from_start(Duration::from_micros(micros)),
            ssrc: faults.ssrc,
            sequence,
            timestamp: 4_000_000_000u32.wrapping_add(u32::try_from(start).unwrap_or(0)),
            payload_type,
            payload: part.iter().map(|sample| faults.law.encode(*sample)).collect(),
        };
        let is_silent = faults.silence.is_some_and(|level| loudness(part) < level);
        if is_silent {
            (packet.payload_type, packet.payload) = (COMFORT_NOISE, vec![70]);
        }
        let is_left_out = is_silent && pauses;
        pauses = is_silent;
        if is_left_out {
            continue;
        }
        sequence = sequence.wrapping_add(1);
        if rng.below(1_000) >= faults.lost_per_mille {
            packets.push(packet);
        }
    }
    packets.sort_by_key(|packet| packet.at);
    packets
}

/// The level of samples in dBm0.
fn loudness(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (sum / samples.len().max(1) as f64 / (ZERO_DBM0 * ZERO_DBM0 / 2.0)).max(1e-12).log10()
}

fn factor(decibels: f64) -> f64 {
    10f64.powf(decibels / 20.0)
}

/// Normally distributed, as good as twelve throws make it.
fn normal(rng: &mut Rng) -> f64 {
    let throws: u64 =
        (0..3).map(|_| rng.bits()).map(|bits| (0..4).map(|part| bits >> (16 * part) & 0xffff).sum::<u64>()).sum();
    throws as f64 / 65_536.0 - 6.0
}
