//! What comes by itself: how loud it is, and whether it is a tone.

use super::decibel::Decibel;
use super::fourier::{Complex, hann, transform};
use super::noise::{blocks, power};
use super::report::{Found, Level, Unmeasured};
use crate::audio::RATE;

/// 20 ms.
const BLOCK: usize = 160;
/// Half a second, for the frequency.
const FRAME: usize = 4_096;
/// Blocks softer than the loudest by more than this (15 dB) are pauses.
const PAUSE: f64 = 0.0316;
/// The part of all power that a tone has.
const PURE: f64 = 0.8;

/// Finds the level of what came.
pub(super) fn find(samples: &[Option<i16>]) -> Found {
    let powers: Vec<f64> = blocks(samples, BLOCK).map(|block| power(&block)).collect();
    if powers.len() < 10 {
        return Found::Unmeasured(Unmeasured::TooShort);
    }
    let loudest = powers.iter().copied().fold(0.0, f64::max);
    let loud: Vec<f64> = powers.into_iter().filter(|power| *power >= loudest * PAUSE).collect();
    let mean = loud.iter().sum::<f64>() / loud.len().max(1) as f64;
    let loud_frames = blocks(samples, FRAME).filter(|frame| power(frame) >= mean / 2.0);
    let tones: Option<Vec<f64>> = loud_frames.map(|frame| pure_tone(&frame)).collect();
    Found::Level(Level { level: Decibel::of_mean_square(mean), tone: tones.and_then(|tones| same(&tones)) })
}

/// The frequency that frames share, in tenths of Hz.
fn same(tones: &[f64]) -> Option<u32> {
    let mean = tones.iter().sum::<f64>() / tones.len().max(1) as f64;
    let is_one = !tones.is_empty() && tones.iter().all(|tone| (tone - mean).abs() < 2.0);
    is_one.then(|| (mean * 10.0).round() as u32)
}

/// The frequency that has most of a frame's power.
fn pure_tone(frame: &[f64]) -> Option<f64> {
    let window = hann(frame.len());
    let mut values: Vec<Complex> =
        frame.iter().zip(&window).map(|(sample, weight)| Complex { re: sample * weight, im: 0.0 }).collect();
    transform(&mut values, false);
    let powers: Vec<f64> = values.iter().take(FRAME / 2).map(|value| value.square()).collect();
    let (place, _) = powers.iter().enumerate().skip(8).max_by(|one, other| one.1.total_cmp(other.1))?;
    let around = powers.get(place.saturating_sub(3)..=place.saturating_add(3))?;
    if around.iter().sum::<f64>() < PURE * powers.iter().skip(4).sum::<f64>() {
        return None;
    }
    // Between the lines: where the parabola through the three largest has its top.
    let [before, top, after] = [place.saturating_sub(1), place, place.saturating_add(1)]
        .map(|place| powers.get(place).map_or(0.0, |it| it.max(1e-9).ln()));
    let aside = 0.5 * (before - after) / (before - 2.0 * top + after);
    Some((place as f64 + aside) * f64::from(RATE) / FRAME as f64)
}
