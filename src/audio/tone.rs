//! Call-progress tones with their cadences, by country, and the test tone, as samples.

use super::RATE;
use super::tone_list::{ToneList, amplitude};
use super::zones;
use std::f64::consts::TAU;

/// What a tone tells the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The number may be dialled.
    Dial,
    /// It rings at the other end.
    Ring,
    /// The other end is engaged.
    Busy,
    /// The call cannot be completed.
    Congestion,
}

impl Meaning {
    /// How a zone names the tone.
    pub fn name(self) -> &'static str {
        match self {
            Meaning::Dial => "dial",
            Meaning::Ring => "ring",
            Meaning::Busy => "busy",
            Meaning::Congestion => "congestion",
        }
    }
}

/// One turn of a tone's cadence, to be repeated without a seam. `None`: no such zone.
pub fn progress(zone: &str, meaning: Meaning) -> Option<Vec<i16>> {
    let list = zones::find(zone)?.tone(meaning.name())?;
    ToneList::parse(&list).ok().map(|list| list.render().samples)
}

/// One second of the 1,004 Hz test tone at 0 dBm0 (one milliwatt), to be repeated without a seam. 1,004 and not 1,000,
/// so that it falls on all codes and not on eight of them (ITU-T O.6).
pub fn milliwatt() -> Vec<i16> {
    stretch(&[1_004], 1_000, 0.0)
}

/// `length` milliseconds of the sum of `frequencies`, each at `dbm0`. Zero is no frequency.
pub fn stretch(frequencies: &[u16], length: u32, dbm0: f64) -> Vec<i16> {
    let peak = amplitude(dbm0);
    let samples = length.saturating_mul(RATE / 1_000);
    (0..samples)
        .map(|sample| {
            let time = f64::from(sample) / f64::from(RATE);
            let sum: f64 = frequencies.iter().map(|frequency| (TAU * f64::from(*frequency) * time).sin() * peak).sum();
            // A conversion from a float saturates: a sum too loud clips.
            sum.round() as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goertzel: the level of one frequency in dBm0.
    fn level(samples: &[i16], frequency: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let phase = TAU * frequency * n as f64 / 8_000.0;
            re += f64::from(*sample) * phase.cos();
            im += f64::from(*sample) * phase.sin();
        }
        let peak = 2.0 * (re * re + im * im).sqrt() / samples.len() as f64;
        20.0 * (peak / amplitude(0.0)).log10()
    }

    #[test]
    fn the_american_ring_is_two_seconds_of_two_frequencies_and_four_of_silence() {
        let ring = progress("us", Meaning::Ring).unwrap();
        assert_eq!(ring.len(), 48_000);
        assert!(ring[16_000..].iter().all(|sample| *sample == 0));
        for frequency in [440.0, 480.0] {
            assert!((level(&ring[..16_000], frequency) + 16.0).abs() < 0.1);
        }
        assert!(level(&ring[..16_000], 620.0) < -60.0);
    }

    #[test]
    fn every_zone_has_every_tone_and_an_unknown_zone_none() {
        for zone in ["us", "uk", "de"] {
            for (meaning, silent) in
                [(Meaning::Dial, false), (Meaning::Ring, true), (Meaning::Busy, true), (Meaning::Congestion, true)]
            {
                let samples = progress(zone, meaning).unwrap();
                assert!(samples.iter().any(|sample| sample.abs() > 3_000), "{zone} {meaning:?}");
                assert_eq!(samples.last() == Some(&0), silent, "{zone} {meaning:?}");
            }
        }
        assert!(progress("atlantis", Meaning::Busy).is_none());
    }

    #[test]
    fn the_milliwatt_is_a_milliwatt_and_has_no_seam() {
        let tone = milliwatt();
        assert_eq!(tone.len(), 8_000);
        assert!(level(&tone, 1_004.0).abs() < 0.01);
        let turn = [tone.clone(), tone].concat();
        assert!(level(&turn, 1_004.0).abs() < 0.01);
        assert!(level(&turn, 1_004.5) < -40.0);
    }

    #[test]
    fn a_sum_that_is_too_loud_clips() {
        assert!(stretch(&[400, 400, 400], 10, 0.0).contains(&i16::MAX));
    }
}
