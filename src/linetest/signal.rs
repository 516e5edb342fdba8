//! What is sent: the signal of each part.

use super::part::Part;
use crate::audio::RATE;
use crate::audio::tone::{milliwatt, stretch};
use crate::audio::tone_list::amplitude;
use std::f64::consts::{PI, TAU};
use std::time::Duration;

/// The longest that `Part::Steadiness` lasts.
pub const LONGEST: Duration = Duration::from_secs(3_600);

/// How long the way there and back may be: echoes with a longer delay are not found.
pub const LONGEST_WAY: Duration = Duration::from_millis(1_020);

/// Steps of the shift register, after which its noise begins again.
pub(super) const NOISE_TURN: usize = 8_191;

/// How often the noise is sent.
pub(super) const NOISE_TURNS: usize = 4;

/// Samples of soft noise behind it.
pub(super) const SOFT: usize = 2_048;

/// The level of the noise of [`Part::Echo`], in dBm0.
const NOISE_LEVEL: f64 = -16.0;

/// The tones of [`Part::Response`]: multiples of 4 Hz, so that a quarter of a second has whole turns of each.
pub const RESPONSE_TONES: [u16; 19] = [
    304, 404, 504, 604, 804, 1_004, 1_204, 1_404, 1_604, 1_804, 2_004, 2_204, 2_404, 2_604, 2_804, 3_004, 3_204, 3_304,
    3_404,
];

/// The level of each of them, in dBm0: together -13.2.
pub(super) const RESPONSE_LEVEL: f64 = -26.0;

/// The tones of [`Part::Steadiness`]: whole numbers, so that a second of them has no seam; far enough apart to be told apart in
/// 20 ms; none near a key's (ITU-T Q.23); and such that no slip of up to 200 ms turns all of them by whole turns.
pub const STEADY_TONES: [u16; 4] = [553, 1_037, 1_873, 2_671];

/// The level of each of them, in dBm0: together -13.
pub(super) const STEADY_LEVEL: f64 = -19.0;

impl Part {
    /// One turn of what is sent.
    pub fn signal(self) -> Vec<i16> {
        let tail = samples(LONGEST_WAY).saturating_add(800);
        let mut signal = match self {
            Part::Noise | Part::Level => return vec![0; samples(Duration::from_secs(1))],
            Part::Steadiness => return chord(&STEADY_TONES, STEADY_LEVEL, samples(Duration::from_secs(1))),
            Part::Echo => {
                let noise = noise();
                let loud = noise.iter().copied().cycle().take(NOISE_TURN.saturating_mul(NOISE_TURNS));
                loud.chain(soft(&noise)).collect()
            }
            Part::Response => {
                // A quarter of a second has whole turns of every tone.
                let mut signal = chord(&RESPONSE_TONES, RESPONSE_LEVEL, 2_000).repeat(10);
                signal.resize(signal.len().saturating_add(2_000), 0);
                signal.extend(milliwatt());
                signal.extend(stretch(&[1_004], 250, 0.0));
                signal
            }
        };
        signal.resize(signal.len().saturating_add(tail), 0);
        signal
    }

    /// Whether its signal is repeated as long as it is measured.
    pub fn is_repeated(self) -> bool {
        matches!(self, Part::Noise | Part::Level | Part::Steadiness)
    }

    /// How long it is measured; `wanted` counts where the time may be chosen.
    pub fn length(self, wanted: Duration) -> Duration {
        match self {
            Part::Noise | Part::Level => Duration::from_secs(5),
            Part::Echo | Part::Response => {
                Duration::from_micros(u64::try_from(self.signal().len()).unwrap_or(0).saturating_mul(125))
            }
            // The tones have to come back before they can be followed.
            Part::Steadiness => wanted.clamp(Duration::from_secs(2), LONGEST).saturating_add(LONGEST_WAY),
        }
    }
}

/// How many samples a time has.
pub(super) fn samples(time: Duration) -> usize {
    usize::try_from(time.as_millis().saturating_mul(u128::from(RATE / 1_000))).unwrap_or(usize::MAX)
}

/// One turn of noise whose every sample is as loud: a maximum-length sequence of 13 steps.
fn noise() -> Vec<i16> {
    let loud = (amplitude(NOISE_LEVEL) / std::f64::consts::SQRT_2).round() as i16;
    let mut register = 1u16;
    let step = |_| {
        // x^13 + x^4 + x^3 + x + 1
        let bit = (register ^ (register >> 1) ^ (register >> 3) ^ (register >> 4)) & 1;
        register = (register >> 1) | (bit << 12);
        if register & 1 == 1 { loud } else { loud.saturating_neg() }
    };
    (0..NOISE_TURN).map(step).collect()
}

/// Soft noise of all levels up to -36 dBm0: there a conversion between the two laws changes most samples, and hardly any
/// where they are loud.
fn soft(noise: &[i16]) -> impl Iterator<Item = i16> {
    let level = (0..SOFT).map(|place| i16::try_from(place.saturating_mul(37) % 251).unwrap_or(0));
    level.zip(noise).map(|(level, sample)| level.saturating_mul(sample.signum()))
}

/// Several tones at once, with phases that keep their sum low (M. Schroeder, 1970).
fn chord(tones: &[u16], level: f64, length: usize) -> Vec<i16> {
    let peak = amplitude(level);
    let number = tones.len().max(1) as f64;
    let sample = |n: usize| {
        let waves = tones.iter().enumerate().map(|(place, tone)| {
            // Whole turns are left out: exact however long it is.
            let turn = n as u64 * u64::from(*tone) % u64::from(RATE);
            (TAU * turn as f64 / f64::from(RATE) + PI * (place * place) as f64 / number).cos() * peak
        });
        waves.sum::<f64>().round() as i16
    };
    (0..length).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::dtmf::Detector;
    use crate::linetest::Decibel;

    fn level(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        Decibel::of_mean_square(sum / samples.len() as f64).value()
    }

    #[test]
    fn the_noise_takes_every_state_and_is_like_nothing_of_itself() {
        let noise = noise();
        assert_eq!(noise.iter().filter(|sample| **sample > 0).count(), 4_096);
        let sum = |lag: usize| -> i64 {
            (0..NOISE_TURN).map(|n| i64::from(noise[n].signum() * noise[(n + lag) % NOISE_TURN].signum())).sum()
        };
        for lag in (1..NOISE_TURN).step_by(97) {
            assert_eq!(sum(lag), -1, "{lag}");
        }
        assert!((level(&noise) + 16.0).abs() < 0.1);
    }

    #[test]
    fn the_tones_are_as_loud_as_they_say_and_do_not_clip() {
        for (part, wanted) in [(Part::Response, -13.2), (Part::Steadiness, -13.0)] {
            let signal = part.signal();
            let tones = &signal[..8_000];
            assert!((level(tones) - wanted).abs() < 0.1, "{part:?}: {}", level(tones));
            assert!(tones.iter().all(|sample| sample.unsigned_abs() < 16_000), "{part:?}");
        }
        // One turn joins the next.
        let tones = Part::Steadiness.signal();
        assert_eq!(chord(&STEADY_TONES, STEADY_LEVEL, 8_100)[8_000..], tones[..100]);
    }

    #[test]
    fn no_signal_is_taken_for_a_key() {
        for part in Part::ALL {
            let mut keys = Detector::default();
            assert!(part.signal().iter().all(|sample| keys.push(*sample).is_none()), "{part:?}");
        }
    }

    #[test]
    fn every_part_knows_its_name_and_how_long_it_takes() {
        for part in Part::ALL {
            assert_eq!(Part::named(&part.name().to_ascii_uppercase()), Some(part));
            let length = part.length(Duration::from_secs(10));
            assert!(length >= Duration::from_secs(4) && length < Duration::from_secs(12), "{part:?}: {length:?}");
        }
        assert_eq!(Part::named("loudness"), None);
        assert_eq!(Part::Steadiness.length(Duration::MAX), LONGEST + LONGEST_WAY);
    }
}
