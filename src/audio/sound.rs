//! A sound as it is played, and the sounds that need no file, by the names a dialplan calls them.

use super::RATE;
use super::g711::{self, Law};
use super::tone::{self, Meaning};
use std::sync::Arc;

/// A sound, ready to be played in either law: 8,000 bytes a second. Clones share their bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    mu: Arc<[u8]>,
    a: Arc<[u8]>,
}

impl Sound {
    /// The sound of samples, 8,000 a second.
    pub fn of_samples(samples: &[i16]) -> Sound {
        Sound { mu: g711::encode(samples, Law::Mu), a: g711::encode(samples, Law::A) }
    }

    /// The reference tone of G.711 (tables 5 and 6), one turn of it: 1,000 Hz at 0 dBm0 in eight bytes.
    pub fn reference_tone() -> Sound {
        Sound { mu: Arc::new(REFERENCE_MU), a: Arc::new(REFERENCE_A) }
    }

    /// Its bytes in this law.
    pub fn in_law(&self, law: Law) -> &Arc<[u8]> {
        match law {
            Law::Mu => &self.mu,
            Law::A => &self.a,
        }
    }

    /// How many samples it has.
    pub fn samples(&self) -> usize {
        self.mu.len()
    }

    /// The memory it takes, in bytes.
    pub fn size(&self) -> usize {
        self.mu.len().saturating_add(self.a.len())
    }
}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sound({} samples)", self.samples())
    }
}

/// G.711 table 6.
const REFERENCE_MU: [u8; 8] = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e];
/// G.711 table 5.
const REFERENCE_A: [u8; 8] = [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4];

/// The zone whose tones `tone/busy` without a zone means.
const HOME: &str = "us";

/// The samples of a built-in sound; `None`: there is none of that name (it may be a file).
///
/// `beep`; `silence/1` to `silence/10` (seconds); `tone/milliwatt`; `tone/dial`, `tone/ring`, `tone/busy`,
/// `tone/congestion`, also with a zone: `tone/uk/busy`. Tones are one turn of their cadence, to be repeated.
pub fn find(name: &str) -> Option<Vec<i16>> {
    match name.split_once('/') {
        None if name == "beep" => Some(tone::stretch(&[1_000], 200, -13.0)),
        None => None,
        Some(("silence", seconds)) => silence(seconds),
        Some(("tone", "milliwatt")) => Some(tone::milliwatt()),
        Some(("tone", kind)) => {
            let (zone, kind) = kind.split_once('/').unwrap_or((HOME, kind));
            tone::progress(zone, meaning(kind)?)
        }
        Some(_) => None,
    }
}

fn silence(seconds: &str) -> Option<Vec<i16>> {
    let seconds = (1..=10u32).find(|known| known.to_string() == seconds)?;
    let samples = usize::try_from(seconds.saturating_mul(RATE)).ok()?;
    Some(vec![0; samples])
}

fn meaning(kind: &str) -> Option<Meaning> {
    match kind {
        "dial" => Some(Meaning::Dial),
        "ring" => Some(Meaning::Ring),
        "busy" => Some(Meaning::Busy),
        "congestion" => Some(Meaning::Congestion),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Sound, find};
    use crate::audio::g711::Law;

    /// Both laws have the same tone (their own test is in `g711`).
    #[test]
    fn the_reference_tone_is_the_same_in_both_laws() {
        let tone = Sound::reference_tone();
        let in_law = |law: Law| tone.in_law(law).iter().map(|byte| law.decode(*byte)).collect::<Vec<i16>>();
        for (mu, a) in in_law(Law::Mu).into_iter().zip(in_law(Law::A)) {
            assert!(mu.signum() == a.signum() && mu.abs_diff(a) < mu.unsigned_abs() / 16, "{mu} {a}");
        }
    }

    #[test]
    fn the_names_that_are_known() {
        assert_eq!(find("beep").unwrap().len(), 1_600);
        assert_eq!(find("silence/1").unwrap(), vec![0; 8_000]);
        assert_eq!(find("silence/10").unwrap().len(), 80_000);
        assert_eq!(find("tone/busy").unwrap(), find("tone/us/busy").unwrap());
        assert_ne!(find("tone/busy").unwrap(), find("tone/uk/busy").unwrap());
        assert_eq!(find("tone/milliwatt").unwrap().len(), 8_000);
    }

    #[test]
    fn the_names_that_are_not() {
        for name in
            ["", "beeep", "silence/0", "silence/11", "silence/01", "silence", "tone/", "tone/mars/busy", "a/b/c"]
        {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
