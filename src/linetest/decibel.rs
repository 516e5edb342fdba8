//! Decibels as values that can be compared.

/// A level or a ratio, in tenths of a decibel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decibel(pub i32);

impl Decibel {
    /// Quieter than anything G.711 carries.
    pub const SILENCE: Decibel = Decibel(-900);

    /// A ratio of powers.
    pub fn of_power(ratio: f64) -> Decibel {
        // A conversion from a float saturates, and nothing is quieter than silence.
        Decibel(((100.0 * ratio.max(0.0).log10()).round() as i32).clamp(Decibel::SILENCE.0, -Decibel::SILENCE.0))
    }

    /// The level of this mean square of samples, in dBm0.
    pub fn of_mean_square(mean_square: f64) -> Decibel {
        Decibel::of_power(mean_square / MILLIWATT)
    }

    /// In decibels.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// So many whole decibels.
    pub const fn whole(decibels: i32) -> Decibel {
        Decibel(decibels.saturating_mul(10))
    }

    /// The difference to another one.
    pub fn above(self, other: Decibel) -> Decibel {
        Decibel(self.0.saturating_sub(other.0))
    }
}

impl std::fmt::Display for Decibel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1}", self.value())
    }
}

/// The mean square of samples at 0 dBm0: half of the square of a sine's peak.
const MILLIWATT: f64 = crate::audio::tone_list::REFERENCE_PEAK * crate::audio::tone_list::REFERENCE_PEAK / 2.0;
