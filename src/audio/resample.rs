//! From any usual rate to 8,000 samples a second, without what a telephone line cannot carry folding back into it.

use super::RATE;
use std::f64::consts::PI;

/// Zero crossings of the filter on either side, at the lower of the two rates: the more, the steeper.
const REACH: f64 = 16.0;

/// What passes: this part of half the lower rate.
const PASS: f64 = 0.92;

/// The samples at 8,000 a second. The filter is a windowed sinc (Blackman), one table for each phase that occurs.
pub fn to_line_rate(samples: &[i16], rate: u32) -> Vec<i16> {
    if rate == RATE || rate == 0 {
        return samples.to_vec();
    }
    let common = gcd(rate, RATE);
    let (step, phases) = (u64::from(rate / common), u64::from(RATE / common));
    // Both in samples of the input.
    let cutoff = PASS * f64::from(RATE.min(rate)) / f64::from(rate);
    let reach = (REACH / cutoff).ceil();
    let tables: Vec<Vec<f64>> = (0..phases).map(|phase| filter(phase as f64 / phases as f64, cutoff, reach)).collect();
    let length = (samples.len() as u64).saturating_mul(phases) / step.max(1);
    (0..length)
        .map(|n| {
            let at = n.saturating_mul(step);
            let first = (at / phases) as i64 - reach as i64;
            let taps = tables.get((at % phases) as usize).map_or(&[][..], Vec::as_slice);
            let heard = (first..).zip(taps).filter_map(|(place, tap)| {
                let sample = samples.get(usize::try_from(place).ok()?)?;
                Some(f64::from(*sample) * tap)
            });
            // A conversion from a float saturates.
            heard.sum::<f64>().round() as i16
        })
        .collect()
}

/// The taps for an output sample that lies `offset` behind an input sample; their sum is one.
fn filter(offset: f64, cutoff: f64, reach: f64) -> Vec<f64> {
    let count = reach as i64;
    let taps: Vec<f64> = (-count..=count)
        .map(|place| {
            let distance = place as f64 - offset;
            let phase = PI * distance / (reach + 1.0);
            let window = 0.42 + 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos();
            let angle = PI * cutoff * distance;
            if angle.abs() < 1e-9 { window } else { window * angle.sin() / angle }
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| tap / sum).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn sine(rate: u32, frequency: f64) -> Vec<i16> {
        (0..rate)
            .map(|n| (f64::from(n) * TAU * frequency / f64::from(rate)).sin() * 10_000.0)
            .map(|s| s as i16)
            .collect()
    }

    /// Level against what went in, in dB.
    fn level(samples: &[i16]) -> f64 {
        let middle = &samples[1_000..7_000];
        let power: f64 = middle.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / middle.len() as f64;
        10.0 * ((power + 1e-9) / (10_000f64.powi(2) / 2.0)).log10()
    }

    #[test]
    fn what_a_line_carries_passes_and_what_would_fold_back_does_not() {
        for rate in [16_000, 44_100, 48_000, 22_050, 11_025] {
            for frequency in [300.0, 1_000.0, 3_000.0] {
                let out = to_line_rate(&sine(rate, frequency), rate);
                assert_eq!(out.len(), 8_000, "{rate}");
                assert!(level(&out).abs() < 0.2, "{rate} {frequency}: {}", level(&out));
            }
            let folding = to_line_rate(&sine(rate, 4_700.0), rate);
            assert!(level(&folding) < -55.0, "{rate}: {}", level(&folding));
        }
    }

    #[test]
    fn the_same_rate_is_untouched_and_nothing_stays_nothing() {
        assert_eq!(to_line_rate(&[1, 2, 3], 8_000), [1, 2, 3]);
        assert_eq!(to_line_rate(&[], 16_000), []);
        assert_eq!(to_line_rate(&[5], 0), [5]);
    }
}
