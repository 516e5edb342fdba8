//! Frequencies in samples: one of them (Goertzel's sum, with a window), all of them, and what two rows of samples have in
//! common.

use crate::audio::RATE;
use std::f64::consts::{PI, TAU};

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Complex {
    /// One at this angle.
    pub fn at(angle: f64) -> Complex {
        Complex { re: angle.cos(), im: angle.sin() }
    }

    pub fn times(self, other: Complex) -> Complex {
        Complex { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    pub fn plus(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }

    pub fn scaled(self, by: f64) -> Complex {
        Complex { re: self.re * by, im: self.im * by }
    }

    pub fn conjugate(self) -> Complex {
        Complex { re: self.re, im: -self.im }
    }

    pub fn square(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    pub fn size(self) -> f64 {
        self.square().sqrt()
    }

    /// Its angle, from -pi to pi.
    pub fn angle(self) -> f64 {
        self.im.atan2(self.re)
    }
}

/// Hann's window, so long that it begins and ends with nothing.
pub(super) fn hann(length: usize) -> Vec<f64> {
    let step = TAU / length.max(1) as f64;
    (0..length).map(|n| 0.5 - 0.5 * (step * n as f64).cos()).collect()
}

/// The peak and the phase of a frequency in samples seen through a window; the phase is that at sample `first`.
pub(super) fn tone(samples: impl Iterator<Item = f64>, window: &[f64], frequency: f64, first: i64) -> Complex {
    let turn = frequency / f64::from(RATE);
    // A whole number of turns is left out, so that a long test keeps its precision.
    let start = (first as f64 * turn).fract();
    let mut now = Complex::at(-TAU * start);
    let step = Complex::at(-TAU * turn);
    let mut sum = Complex::default();
    for (sample, weight) in samples.zip(window) {
        sum = sum.plus(now.scaled(sample * weight));
        now = now.times(step);
    }
    sum.scaled(2.0 / window.iter().sum::<f64>().max(f64::MIN_POSITIVE))
}

/// The discrete Fourier transform, in place; the length is a power of two.
pub(super) fn transform(values: &mut [Complex], inverse: bool) {
    let length = values.len();
    if length < 2 || !length.is_power_of_two() {
        return;
    }
    let shift = usize::BITS - length.trailing_zeros();
    for place in 0..length {
        let other = place.reverse_bits() >> shift;
        if other > place {
            values.swap(place, other);
        }
    }
    let mut half = 1usize;
    while half < length {
        let angle = if inverse { PI } else { -PI } / half as f64;
        let factors: Vec<Complex> = (0..half).map(|n| Complex::at(angle * n as f64)).collect();
        for group in values.chunks_exact_mut(half.saturating_mul(2)) {
            let (low, high) = group.split_at_mut(half);
            for ((low, high), factor) in low.iter_mut().zip(high).zip(&factors) {
                let turned = high.times(*factor);
                *high = low.plus(turned.scaled(-1.0));
                *low = low.plus(turned);
            }
        }
        half = half.saturating_mul(2);
    }
    if inverse {
        let by = 1.0 / length as f64;
        values.iter_mut().for_each(|value| *value = value.scaled(by));
    }
}

/// How much of `reference` is in `received`, as a factor, from each sample of it on: as many lags as `received` is longer.
pub(super) fn correlate(reference: &[f64], received: &[f64]) -> Vec<f64> {
    let energy: f64 = reference.iter().map(|sample| sample * sample).sum();
    let Some(lags) = received.len().checked_sub(reference.len()).filter(|_| energy > 0.0) else { return Vec::new() };
    // Wrapped round, only lags behind the last one would be wrong.
    let length = received.len().next_power_of_two();
    let spectrum = |samples: &[f64]| {
        let mut values: Vec<Complex> = samples.iter().map(|re| Complex { re: *re, im: 0.0 }).collect();
        values.resize(length, Complex::default());
        transform(&mut values, false);
        values
    };
    let (reference, mut common) = (spectrum(reference), spectrum(received));
    common.iter_mut().zip(reference).for_each(|(value, other)| *value = value.times(other.conjugate()));
    transform(&mut common, true);
    common.into_iter().take(lags).map(|value| value.re / energy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_there_and_back_is_the_same_and_a_cosine_is_one_line() {
        let cosine: Vec<Complex> =
            (0..64).map(|n| Complex { re: (TAU * 5.0 * f64::from(n) / 64.0).cos(), im: 0.0 }).collect();
        let mut values = cosine.clone();
        transform(&mut values, false);
        for (place, value) in values.iter().enumerate() {
            let wanted = if place == 5 || place == 59 { 32.0 } else { 0.0 };
            assert!((value.size() - wanted).abs() < 1e-9, "{place}");
        }
        transform(&mut values, true);
        assert!(values.iter().zip(&cosine).all(|(one, other)| one.plus(other.scaled(-1.0)).size() < 1e-12));
    }

    #[test]
    fn a_delayed_copy_is_found_where_it_is() {
        let mut rng = crate::rng::Rng::from_number(7);
        let reference: Vec<f64> = (0..500).map(|_| rng.below(2_001) as f64 - 1_000.0).collect();
        let mut received = vec![0.0; 1_200];
        reference.iter().zip(&mut received[123..]).for_each(|(from, to)| *to = from * 0.25);
        let common = correlate(&reference, &received);
        assert_eq!(common.len(), 700);
        assert!((common[123] - 0.25).abs() < 1e-9);
        assert!(common.iter().enumerate().all(|(lag, part)| lag == 123 || part.abs() < 0.06));
    }

    #[test]
    fn a_tone_has_its_peak_and_its_phase_wherever_it_is_looked_at() {
        let window = hann(160);
        for first in [0i64, 77, 8_000_123] {
            let samples =
                (first..first + 160).map(|n| 500.0 * (TAU * ((n * 1_873 % 8_000) as f64) / 8_000.0 + 1.0).cos());
            let found = tone(samples, &window, 1_873.0, first);
            assert!((found.size() - 500.0).abs() < 1.0 && (found.angle() - 1.0).abs() < 0.01, "{first}: {found:?}");
        }
    }
}
