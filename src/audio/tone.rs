//! Call-progress tones with their cadences, by country, and the test tone, as samples.

use super::RATE;
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

/// A country's tones: two frequencies in Hz (zero: none) for each stretch of milliseconds (no frequency: silence).
struct Zone {
    name: &'static str,
    dial: &'static [Stretch],
    ring: &'static [Stretch],
    busy: &'static [Stretch],
    congestion: &'static [Stretch],
}

type Stretch = (u16, u16, u32);

/// ITU-T E.180 supplement 2 (various tones used in national networks).
const ZONES: &[Zone] = &[
    Zone {
        name: "us",
        dial: &[(350, 440, 1_000)],
        ring: &[(440, 480, 2_000), (0, 0, 4_000)],
        busy: &[(480, 620, 500), (0, 0, 500)],
        congestion: &[(480, 620, 250), (0, 0, 250)],
    },
    Zone {
        name: "uk",
        dial: &[(350, 440, 1_000)],
        ring: &[(400, 450, 400), (0, 0, 200), (400, 450, 400), (0, 0, 2_000)],
        busy: &[(400, 0, 375), (0, 0, 375)],
        congestion: &[(400, 0, 400), (0, 0, 350), (400, 0, 225), (0, 0, 525)],
    },
    Zone {
        name: "de",
        dial: &[(425, 0, 1_000)],
        ring: &[(425, 0, 1_000), (0, 0, 4_000)],
        busy: &[(425, 0, 480), (0, 0, 480)],
        congestion: &[(425, 0, 240), (0, 0, 240)],
    },
];

/// The peak of a sine at 0 dBm0, in 16-bit samples: mu-law overloads at +3.17 dBm0 and 32,124.
const REFERENCE_PEAK: f64 = 22_302.0;

/// Level of each frequency of a progress tone.
const PROGRESS_DBM0: f64 = -16.0;

/// One turn of a tone's cadence, to be repeated without a seam. `None`: no such zone (`us`, `uk`, `de`).
pub fn progress(zone: &str, meaning: Meaning) -> Option<Vec<i16>> {
    let zone = ZONES.iter().find(|known| known.name == zone)?;
    let cadence = match meaning {
        Meaning::Dial => zone.dial,
        Meaning::Ring => zone.ring,
        Meaning::Busy => zone.busy,
        Meaning::Congestion => zone.congestion,
    };
    let stretches = cadence.iter().map(|(low, high, length)| stretch(&[*low, *high], *length, PROGRESS_DBM0));
    Some(stretches.flatten().collect())
}

/// One second of the 1,004 Hz test tone at 0 dBm0 (one milliwatt), to be repeated without a seam. 1,004 and not 1,000,
/// so that it falls on all codes and not on eight of them (ITU-T O.6).
pub fn milliwatt() -> Vec<i16> {
    stretch(&[1_004], 1_000, 0.0)
}

/// `length` milliseconds of the sum of `frequencies`, each at `dbm0`. Zero is no frequency.
pub fn stretch(frequencies: &[u16], length: u32, dbm0: f64) -> Vec<i16> {
    let peak = REFERENCE_PEAK * 10f64.powf(dbm0 / 20.0);
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
        20.0 * (peak / REFERENCE_PEAK).log10()
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
