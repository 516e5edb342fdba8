//! A network that treats each datagram as badly as it is told to.

use std::time::Duration;
use strowger::rng::Rng;

/// How datagrams fare. Per cent and milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    pub loss: u64,
    pub duplication: u64,
    pub reorder: u64,
    pub delay: (u64, u64),
}

impl Quality {
    /// 10 ms each way, nothing lost.
    pub const PERFECT: Quality = Quality { loss: 0, duplication: 0, reorder: 0, delay: (10, 10) };
    /// A bad wireless link.
    pub const ROUGH: Quality = Quality { loss: 10, duplication: 5, reorder: 10, delay: (5, 50) };
}

pub struct Network {
    pub quality: Quality,
    rng: Rng,
}

impl Network {
    pub fn new(quality: Quality, seed: u64) -> Network {
        Network { quality, rng: Rng::from_number(seed) }
    }

    /// After how long each copy of a datagram arrives: none when it is lost.
    pub fn carry(&mut self) -> Vec<Duration> {
        let Quality { loss, duplication, reorder, delay } = self.quality;
        if self.rng.below(100) < loss {
            return Vec::new();
        }
        let copies = if self.rng.below(100) < duplication { 2 } else { 1 };
        (0..copies)
            .map(|_| {
                let late = if self.rng.below(100) < reorder { 60 } else { 0 };
                Duration::from_millis(delay.0 + self.rng.below(delay.1 - delay.0 + 1) + late)
            })
            .collect()
    }
}
