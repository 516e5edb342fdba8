//! What comes back of many tones at once, and of a loud one.

use super::decibel::Decibel;
use super::fourier::{hann, tone};
use super::noise::power;
use super::report::{Found, Response, Unmeasured};
use super::signal::{RESPONSE_LEVEL, RESPONSE_TONES};
use crate::audio::tone_list::amplitude;

/// A quarter of a second: every tone has whole turns in it.
const BLOCK: usize = 2_000;
/// Half of it.
const STEP: usize = 1_000;
/// How far beside a tone its noise is measured, in Hz: no tone is there.
const BESIDE: [f64; 2] = [-48.0, 48.0];
/// How much of a tone there is against the noise beside it before it counts, as a ratio of power: 10 dB.
const CLEAR: f64 = 10.0;
/// Tones that have to come back.
const FEWEST: usize = 4;
/// The frequency of the loud tone.
const MIDDLE: u16 = 1_004;
/// The part of all power in a block of the loud tone that it has itself, whatever distorts it.
const ALONE: f64 = 0.5;

/// What one block has: the power of each tone and beside it, and all power, seen through the same window.
struct Block {
    tones: Vec<(f64, f64)>,
    all: f64,
    harmonics: f64,
}

impl Block {
    fn of(samples: &[f64], window: &[f64]) -> Block {
        let mean = samples.iter().sum::<f64>() / samples.len().max(1) as f64;
        let samples: Vec<f64> = samples.iter().map(|sample| sample - mean).collect();
        let at = |hertz: f64| tone(samples.iter().copied(), window, hertz, 0).square() / 2.0;
        let beside = |hertz: u16| BESIDE.map(|beside| at(f64::from(hertz) + beside)).iter().sum::<f64>() / 2.0;
        let weighted: f64 = samples.iter().zip(window).map(|(sample, weight)| (sample * weight).powi(2)).sum();
        Block {
            tones: RESPONSE_TONES.map(|hertz| (at(f64::from(hertz)), beside(hertz))).to_vec(),
            all: weighted / window.iter().map(|weight| weight * weight).sum::<f64>().max(f64::MIN_POSITIVE),
            harmonics: [2, 3].map(|times| at(f64::from(MIDDLE) * f64::from(times))).iter().sum(),
        }
    }

    fn middle(&self) -> f64 {
        let place = RESPONSE_TONES.iter().position(|hertz| *hertz == MIDDLE);
        place.and_then(|place| self.tones.get(place)).map_or(0.0, |(power, _)| *power)
    }

    /// All tones but the middle one.
    fn others(&self) -> f64 {
        self.tones.iter().map(|(power, _)| power).sum::<f64>() - self.middle()
    }
}

/// Finds the response in what came.
pub(super) fn find(samples: &[Option<i16>]) -> Found {
    let window = hann(BLOCK);
    let whole = samples.windows(BLOCK).step_by(STEP).filter_map(|block| {
        let block: Option<Vec<f64>> = block.iter().map(|sample| sample.map(f64::from)).collect();
        block
    });
    let blocks: Vec<Block> = whole.filter(|block| power(block) > 1.0).map(|block| Block::of(&block, &window)).collect();
    if blocks.is_empty() {
        return Found::Unmeasured(Unmeasured::NothingBack);
    }
    // While the tones come; the loud one alone is something else.
    let is_alone = |block: &Block| block.middle() > ALONE * block.all;
    let loudest = blocks.iter().filter(|block| !is_alone(block)).map(Block::others).fold(0.0, f64::max);
    let chord: Vec<&Block> = blocks.iter().filter(|block| !is_alone(block) && block.others() > loudest * 0.7).collect();
    let sent = amplitude(RESPONSE_LEVEL).powi(2) / 2.0;
    let point = |(place, hertz): (usize, u16)| {
        let all = |which: fn(&(f64, f64)) -> f64| middle(chord.iter().filter_map(|it| it.tones.get(place)).map(which));
        let (power, noise) = (all(|it| it.0)?, all(|it| it.1)?);
        (power > CLEAR * noise.max(1e-3)).then(|| (hertz, Decibel::of_power(power / sent)))
    };
    let points: Vec<(u16, Decibel)> = RESPONSE_TONES.into_iter().enumerate().filter_map(point).collect();
    if points.len() < FEWEST {
        return Found::Unmeasured(Unmeasured::NothingBack);
    }
    let clear = |block: &&Block| {
        let tones = block.others() + block.middle();
        tones / (block.all - tones).max(tones * 1e-6)
    };
    let clearness = Decibel::of_power(middle(chord.iter().map(clear)).unwrap_or(0.0));
    let softly = points.iter().find(|(hertz, _)| *hertz == MIDDLE).map(|(_, level)| *level);
    let (compression, harmonics) = loud(&blocks, softly).unzip();
    Found::Response(Response { points, clearness, compression, harmonics })
}

/// What became of the loud tone: by how much it is weaker than it should be, and its harmonics against it.
fn loud(blocks: &[Block], softly: Option<Decibel>) -> Option<(Decibel, Decibel)> {
    let softly = softly?;
    let loudest = blocks.iter().map(Block::middle).fold(0.0, f64::max);
    let alone: Vec<&Block> =
        blocks.iter().filter(|block| block.middle() > loudest * 0.9 && block.middle() > ALONE * block.all).collect();
    let level = Decibel::of_power(middle(alone.iter().map(|block| block.middle()))? / (amplitude(0.0).powi(2) / 2.0));
    let harmonics = middle(alone.iter().map(|block| block.harmonics / block.middle().max(f64::MIN_POSITIVE)))?;
    Some((softly.above(level), Decibel::of_power(harmonics)))
}

/// The one in the middle of all.
fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
