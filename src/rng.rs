//! Randomness as an argument: the core is handed a generator and never asks the system for one.

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng};

/// The random source the core is handed. Cryptographic, because tags and branches must not be guessed.
pub struct Rng(ChaCha12Rng);

impl Rng {
    /// A source that repeats itself for the same seed: the system's entropy in the daemon, a number in a test.
    pub fn from_seed(seed: [u8; 32]) -> Rng {
        Rng(ChaCha12Rng::from_seed(seed))
    }

    /// A source for a test or a simulation, from a small number.
    pub fn from_number(seed: u64) -> Rng {
        Rng(ChaCha12Rng::seed_from_u64(seed))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`; zero when `bound` is zero. The bias of the remainder is below 2^-32 for bounds below
    /// 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.bits() % bound }
    }

    /// `digits` random hexadecimal digits in lower case.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits);
        while text.len() < digits {
            let bits = self.bits();
            let left = digits.saturating_sub(text.len()).min(16);
            text.extend((0..16u32).rev().take(left).filter_map(|at| {
                let digit = u32::try_from((bits >> (4 * at)) & 15).ok()?;
                char::from_digit(digit, 16)
            }));
        }
        text
    }
}
