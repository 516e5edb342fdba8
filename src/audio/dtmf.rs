//! The tones of keys (ITU-T Q.23): made, and found in sound by Goertzel's algorithm (what a receiver should take and
//! leave: Q.24).

use super::RATE;
use std::f64::consts::TAU;
use std::time::Duration;

/// The lower of a key's two frequencies, by row; the higher one, by column.
const ROWS: [u16; 4] = [697, 770, 852, 941];
/// See [`ROWS`].
const COLUMNS: [u16; 4] = [1_209, 1_336, 1_477, 1_633];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// The peaks of the lower and the higher frequency that are sent: -9 and -7 dBm0 (a line weakens the higher one more).
const PEAKS: [f64; 2] = [7_913.0, 9_962.0];

/// Samples that are looked at together: of a tone of 40 ms two whole blocks, wherever it begins.
const BLOCK: u16 = 102;

/// Blocks in a row that have a key until it counts, and that do not until it is over. So a gap of one block (12 ms) in a
/// tone makes no second one.
const HITS: u8 = 2;
/// See [`HITS`].
const MISSES: u8 = 2;

/// The weakest peak of either frequency that counts: -33 dBm0.
const WEAKEST: f32 = 499.0;
/// By how much the lower frequency may seem stronger (9 dB), and the higher one (6 dB), as ratios of power: some of the
/// one is measured as the other.
const LOWER_STRONGER: f32 = 7.94;
/// See [`LOWER_STRONGER`].
const HIGHER_STRONGER: f32 = 3.98;
/// By how much a frequency is stronger than the others of its group: 7 dB.
const STANDS_OUT: f32 = 5.0;
/// The part of all power that the two frequencies have: speech has more beside.
const PURE: f32 = 0.70;

/// The tone of a key, `length` long; empty when it is none.
pub fn tone(key: char, length: Duration) -> Vec<i16> {
    let key = key.to_ascii_uppercase();
    let place = KEYS.iter().zip(ROWS).find_map(|(row, low)| {
        let column = row.iter().position(|known| *known == key)?;
        Some((low, *COLUMNS.get(column)?))
    });
    let Some((low, high)) = place else { return Vec::new() };
    let count = u32::try_from(length.as_millis()).unwrap_or(u32::MAX).saturating_mul(RATE / 1_000);
    let wave = |frequency: u16, n: u32| (TAU * f64::from(frequency) * f64::from(n) / f64::from(RATE)).sin();
    (0..count).map(|n| (PEAKS[0] * wave(low, n) + PEAKS[1] * wave(high, n)) as i16).collect()
}

/// Finds keys in sound.
#[derive(Debug, Clone)]
pub struct Detector {
    /// The eight frequencies, rows first.
    bins: [Bin; 8],
    energy: f32,
    filled: u16,
    /// What the latest block had, and how many in a row had it.
    latest: Option<char>,
    hits: u8,
    /// The key that is held, and the blocks in a row without it.
    held: Option<char>,
    misses: u8,
}

/// One frequency.
#[derive(Debug, Clone, Copy)]
struct Bin {
    coefficient: f32,
    before: f32,
    last: f32,
}

impl Default for Detector {
    fn default() -> Detector {
        let bin = |place: usize| {
            let frequency = ROWS.iter().chain(&COLUMNS).nth(place).copied().unwrap_or_default();
            let coefficient = 2.0 * (TAU * f64::from(frequency) / f64::from(RATE)).cos();
            Bin { coefficient: coefficient as f32, before: 0.0, last: 0.0 }
        };
        Detector {
            bins: std::array::from_fn(bin),
            energy: 0.0,
            filled: 0,
            latest: None,
            hits: 0,
            held: None,
            misses: 0,
        }
    }
}

impl Detector {
    /// Takes a sample; gives a key at once when it is sure of it, once for each press.
    pub fn push(&mut self, sample: i16) -> Option<char> {
        let sample = f32::from(sample);
        self.energy += sample * sample;
        for bin in &mut self.bins {
            let next = sample + bin.coefficient * bin.last - bin.before;
            (bin.before, bin.last) = (bin.last, next);
        }
        self.filled += 1;
        if self.filled < BLOCK {
            return None;
        }
        let found = self.found();
        self.filled = 0;
        self.energy = 0.0;
        self.bins.iter_mut().for_each(|bin| (bin.before, bin.last) = (0.0, 0.0));
        self.count(found)
    }

    /// Forgets the sound it has heard: what comes next does not follow it.
    pub fn reset(&mut self) {
        *self = Detector { bins: self.bins, ..Detector::default() };
        self.bins.iter_mut().for_each(|bin| (bin.before, bin.last) = (0.0, 0.0));
    }

    fn count(&mut self, found: Option<char>) -> Option<char> {
        self.hits = if found == self.latest { self.hits.saturating_add(1) } else { 1 };
        self.latest = found;
        if found.is_some() && found == self.held {
            self.misses = 0;
            return None;
        }
        if self.held.is_some() {
            self.misses = self.misses.saturating_add(1);
            if self.misses >= MISSES {
                self.held = None;
            }
        }
        let key = found.filter(|_| self.hits >= HITS)?;
        (self.held, self.misses) = (Some(key), 0);
        Some(key)
    }

    /// The key that the block has.
    fn found(&self) -> Option<char> {
        let (rows, columns) = self.bins.split_at_checked(ROWS.len())?;
        let (row, low) = strongest(rows)?;
        let (column, high) = strongest(columns)?;
        let length = f32::from(BLOCK);
        let weakest = (WEAKEST * length / 2.0).powi(2);
        let is_loud = low >= weakest && high >= weakest;
        let is_balanced = low <= high * LOWER_STRONGER && high <= low * HIGHER_STRONGER;
        // Of two sines alone this is all of the energy.
        let is_pure = low + high >= PURE * self.energy * length / 2.0;
        let key = KEYS.get(row)?.get(column)?;
        (is_loud && is_balanced && is_pure).then_some(*key)
    }
}

/// The strongest of a group, with its power, when it stands out.
fn strongest(bins: &[Bin]) -> Option<(usize, f32)> {
    let powers = || bins.iter().map(Bin::power);
    let (place, power) = powers().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let others = powers().enumerate().filter(|(other, _)| *other != place).map(|(_, power)| power);
    others.fold(0.0, f32::max).total_cmp(&(power / STANDS_OUT)).is_le().then_some((place, power))
}

impl Bin {
    fn power(&self) -> f32 {
        self.last * self.last + self.before * self.before - self.coefficient * self.last * self.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::g711::Law;
    use crate::rng::Rng;

    const ALL: &str = "123A456B789C*0#D";
    /// The peak of 0 dBm0.
    const REFERENCE: f64 = 22_302.0;

    /// Through mu-law, as the line has it.
    fn heard(samples: impl IntoIterator<Item = f64>) -> String {
        let mut detector = Detector::default();
        let coded = samples.into_iter().map(|sample| Law::Mu.decode(Law::Mu.encode(sample as i16)));
        coded.filter_map(|sample| detector.push(sample)).collect()
    }

    struct Press {
        key: char,
        /// Level of each frequency, in dBm0.
        low: f64,
        high: f64,
        /// By how much both are off.
        off: f64,
        length: u32,
        pause: u32,
    }

    impl Press {
        fn of(key: char) -> Press {
            Press { key, low: -9.0, high: -9.0, off: 0.0, length: 40, pause: 40 }
        }

        fn samples(&self) -> Vec<f64> {
            let place = ALL.chars().position(|known| known == self.key).unwrap();
            let pair = [(ROWS[place / 4], self.low), (COLUMNS[place % 4], self.high)];
            let wave = |n: u32| {
                let parts = pair.map(|(frequency, level)| {
                    let turn = TAU * f64::from(frequency) * (1.0 + self.off) / f64::from(RATE);
                    REFERENCE * 10f64.powf(level / 20.0) * (turn * f64::from(n)).sin()
                });
                parts[0] + parts[1]
            };
            (0..self.length * 8).map(wave).chain((0..self.pause * 8).map(|_| 0.0)).collect()
        }
    }

    fn row(press: impl Fn(char) -> Press) -> String {
        // Each begins elsewhere in a block.
        let samples = ALL.chars().flat_map(|key| press(key).samples());
        heard(std::iter::repeat_n(0.0, 37).chain(samples))
    }

    /// Gaussian enough: the sum of four.
    fn noise(rng: &mut Rng, deviation: f64) -> f64 {
        let bits = rng.bits();
        let sum: f64 = (0..4).map(|n| f64::from((bits >> (16 * n)) as u16) / 65_536.0).sum();
        (sum - 2.0) * deviation * 3f64.sqrt()
    }

    #[test]
    fn every_key_is_found_at_every_level_twist_and_offset_that_q_24_asks_for() {
        assert_eq!(row(Press::of), ALL, "40 ms, 40 ms pause");
        for level in [-30.0, -24.0, -12.0, -6.0, -3.0] {
            assert_eq!(row(|key| Press { low: level, high: level, ..Press::of(key) }), ALL, "{level} dBm0");
        }
        for off in [-0.015, -0.01, 0.01, 0.015] {
            for (low, high) in [(-9.0, -9.0), (-9.0, -15.0), (-13.0, -9.0)] {
                assert_eq!(row(|key| Press { low, high, off, ..Press::of(key) }), ALL, "{off} {low} {high}");
            }
        }
        assert_eq!(row(|key| Press { low: -8.0, high: -15.5, ..Press::of(key) }), ALL, "the lower stronger");
        assert_eq!(row(|key| Press { low: -13.5, high: -8.0, ..Press::of(key) }), ALL, "the higher stronger");
    }

    #[test]
    fn what_is_too_short_too_far_off_or_no_pair_is_no_key() {
        assert_eq!(row(|key| Press { length: 12, pause: 60, ..Press::of(key) }), "");
        for off in [-0.05, 0.05] {
            assert_eq!(row(|key| Press { off, length: 100, ..Press::of(key) }), "", "{off}");
        }
        assert_eq!(row(|key| Press { low: -40.0, length: 100, ..Press::of(key) }), "", "one frequency");
        assert_eq!(row(|key| Press { low: -60.0, high: -60.0, length: 100, ..Press::of(key) }), "", "silence");
    }

    #[test]
    fn with_noise_of_a_hundredth_of_its_power_no_key_in_a_thousand_is_lost_or_doubled() {
        let mut rng = Rng::from_number(2);
        // The power of the pair is twice that of one; 20 dB below.
        let deviation = REFERENCE * 10f64.powf(-9.0 / 20.0) * 0.1;
        let keys: String = ALL.chars().cycle().take(1_008).collect();
        let samples: Vec<f64> =
            keys.chars().flat_map(|key| Press { length: 50, pause: 50, ..Press::of(key) }.samples()).collect();
        let found = heard(samples.into_iter().map(|sample| sample + noise(&mut rng, deviation)));
        assert_eq!(found, keys);
    }

    /// A held key is one, whatever short gaps there are; equal keys with a pause are two.
    #[test]
    fn a_held_key_is_one_and_two_presses_are_two() {
        let held = Press { length: 5_000, ..Press::of('8') }.samples();
        assert_eq!(heard(held.iter().enumerate().map(|(n, sample)| if n % 8_000 < 80 { 0.0 } else { *sample })), "8");
        assert_eq!(heard([Press::of('8').samples(), Press::of('8').samples()].concat()), "88");
    }

    /// Three minutes of noise at several levels and colours have no key.
    #[test]
    fn noise_has_no_keys() {
        let mut rng = Rng::from_number(3);
        let mut last = 0.0;
        for deviation in [200.0, 1_000.0, 4_000.0] {
            for colour in [0.0, 0.9] {
                let samples = (0..30 * RATE).map(|_| {
                    last = colour * last + noise(&mut rng, deviation);
                    last
                });
                assert_eq!(heard(samples.collect::<Vec<_>>()), "");
            }
        }
    }

    /// Speech is measured by hand: with `STROWGER_SPEECH` the folder of its files (WAV, 8 kHz, 16 bit), of which it prints
    /// what was heard in how many minutes.
    #[test]
    fn speech_has_no_keys() {
        let Ok(folder) = std::env::var("STROWGER_SPEECH") else { return };
        let (mut minutes, mut found) = (0.0, String::new());
        for entry in std::fs::read_dir(folder).unwrap() {
            let mut wav = hound::WavReader::open(entry.unwrap().path()).unwrap();
            assert_eq!(wav.spec().sample_rate, RATE);
            let samples: Vec<f64> = wav.samples::<i16>().map(|sample| f64::from(sample.unwrap())).collect();
            minutes += samples.len() as f64 / f64::from(RATE) / 60.0;
            for gain in [1.0, 0.3] {
                found.push_str(&heard(samples.iter().map(|sample| sample * gain)));
            }
        }
        eprintln!("{} keys in {minutes:.1} minutes of speech, at two levels: {found}", found.len());
    }

    #[test]
    fn what_is_sent_is_found() {
        let samples: Vec<i16> = ALL
            .to_lowercase()
            .chars()
            .flat_map(|key| [tone(key, Duration::from_millis(80)), vec![0; 640]].concat())
            .collect();
        assert_eq!(heard(samples.into_iter().map(f64::from)), ALL);
        assert!(tone('x', Duration::from_secs(1)).is_empty());
    }
}
