//! What comes while nothing is sent.

use super::decibel::Decibel;
use super::fourier::{hann, tone};
use super::report::{Found, Noise, Unmeasured};

/// 20 ms.
const BLOCK: usize = 160;
/// What is left out at the beginning: what was played before comes back for a while.
const SETTLING: usize = 8_000;
/// The part of all power that the mains has, to be named.
const MOST: f64 = 0.5;
/// Below this, hum is nobody's trouble.
const FAINT: Decibel = Decibel::whole(-68);

/// Blocks of samples that are all there.
pub(super) fn blocks(samples: &[Option<i16>], length: usize) -> impl Iterator<Item = Vec<f64>> + '_ {
    samples.chunks_exact(length.max(1)).filter_map(|block| {
        let block: Option<Vec<f64>> = block.iter().map(|sample| sample.map(f64::from)).collect();
        block
    })
}

/// The mean square of samples, without what they have in common.
pub(super) fn power(block: &[f64]) -> f64 {
    let length = block.len().max(1) as f64;
    let mean = block.iter().sum::<f64>() / length;
    block.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / length
}

/// Finds the noise in what came; `is_silent`: what did not come is silence that was left out.
pub(super) fn find(samples: &[Option<i16>], leaves_out_silence: bool) -> Found {
    let samples = samples.get(SETTLING..).unwrap_or_default();
    let mut powers: Vec<f64> = blocks(samples, BLOCK).map(|block| power(&block)).collect();
    if powers.len() < 10 && !leaves_out_silence {
        return Found::Unmeasured(Unmeasured::TooShort);
    }
    powers.sort_by(f64::total_cmp);
    let middle = powers.get(powers.len() / 2).copied().unwrap_or(0.0);
    let loudest = powers.last().copied().unwrap_or(0.0);
    Found::Noise(Noise {
        level: Decibel::of_mean_square(middle),
        peak: Decibel::of_mean_square(loudest),
        hum: hum(samples),
    })
}

/// The frequency of the mains, when most of what came is it and its overtones.
fn hum(samples: &[Option<i16>]) -> Option<u16> {
    let second = blocks(samples, 8_000).min_by(|one, other| power(one).total_cmp(&power(other)))?;
    let (all, window) = (power(&second), hann(second.len()));
    let part = |mains: u16| -> f64 {
        let overtones = [1u16, 2, 3, 4].map(|times| {
            let hertz = f64::from(mains.saturating_mul(times));
            // The mains is not exact: what lies beside counts, too.
            let strongest = [-1.0, -0.5, 0.0, 0.5, 1.0]
                .map(|beside| tone(second.iter().copied(), &window, hertz + beside, 0).square() / 2.0);
            strongest.into_iter().fold(0.0, f64::max)
        });
        overtones.iter().sum()
    };
    let (mains, strongest) =
        [50u16, 60].map(|mains| (mains, part(mains))).into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (strongest > MOST * all && Decibel::of_mean_square(strongest) > FAINT).then_some(mains)
}
