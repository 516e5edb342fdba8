//! Tones as they are written in `indications.conf` and in `Playtones`: `!350+440/100,!0/100,425/500,0/500`.
//!
//! Each part is a frequency in Hz, two added (`350+440`), or one whose loudness follows another (`400*25`), or a note
//! (`M69`), with how many milliseconds it lasts behind a slash; without one it never ends. Zero is silence. The parts
//! with `!` before the first one without it are heard once; what comes from there on goes round.

use super::RATE;
use std::f64::consts::TAU;

/// The longest that all parts of a list may last, once: what goes round is kept as samples.
pub const MAX_MS: u32 = 30_000;

/// The most parts.
const MAX_PARTS: usize = 128;

/// What a tone without end is rendered as, in milliseconds: whole turns of every frequency there may be.
const WHOLE_TURNS_MS: u32 = 1_000;

/// How much a modulated frequency gets softer.
const DEPTH: f64 = 0.9;

/// The peak of a sine at 0 dBm0, in 16-bit samples: mu-law overloads at +3.17 dBm0 and 32,124.
pub const REFERENCE_PEAK: f64 = 22_302.0;

/// The peak of a sine of this level, in 16-bit samples.
pub fn amplitude(dbm0: f64) -> f64 {
    REFERENCE_PEAK * 10f64.powf(dbm0 / 20.0)
}

/// A list of tones, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToneList {
    once: Vec<Part>,
    round: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    sound: Sound,
    /// None: without end.
    ms: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sound {
    Sum(u16, u16),
    Modulated(u16, u16),
}

/// A list of tones as samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// All of it, once.
    pub samples: Vec<i16>,
    /// Where it begins again; none: it ends.
    pub again: Option<usize>,
}

impl ToneList {
    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<ToneList, String> {
        let (mut once, mut round) = (Vec::new(), Vec::new());
        let mut total = 0u32;
        for word in text.split([',', '|']).map(str::trim).filter(|word| !word.is_empty()) {
            let (is_once, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest.trim()));
            let part = Part::parse(word)?;
            total = total.saturating_add(part.ms.unwrap_or(WHOLE_TURNS_MS));
            if once.len().saturating_add(round.len()) >= MAX_PARTS {
                return Err(format!("more than {MAX_PARTS} parts"));
            }
            if is_once && round.is_empty() { once.push(part) } else { round.push(part) }
        }
        if total > MAX_MS {
            return Err(format!("it lasts {} s; at most {} s are played as one list", total / 1_000, MAX_MS / 1_000));
        }
        if once.is_empty() && round.is_empty() {
            return Err("there is no tone in it".to_owned());
        }
        Ok(ToneList { once, round })
    }

    /// The samples.
    pub fn render(&self) -> Rendered {
        let mut samples = Vec::new();
        if self.once.iter().any(|part| endless(part, &mut samples)) {
            return self.ended_in(samples);
        }
        if self.round.is_empty() {
            return Rendered { samples, again: None };
        }
        let again = samples.len();
        // One part that is repeated has no seam when it is whole turns long.
        if let [Part { sound, ms: Some(_) }] = self.round.as_slice() {
            sound.render(WHOLE_TURNS_MS, &mut samples);
            return Rendered { samples, again: Some(again) };
        }
        if self.round.iter().any(|part| endless(part, &mut samples)) {
            return self.ended_in(samples);
        }
        Rendered { samples, again: Some(again) }
    }

    /// The last part goes on without end.
    fn ended_in(&self, samples: Vec<i16>) -> Rendered {
        let turn = usize::try_from(WHOLE_TURNS_MS.saturating_mul(RATE / 1_000)).unwrap_or(usize::MAX);
        let again = Some(samples.len().saturating_sub(turn));
        Rendered { samples, again }
    }
}

/// Adds a part to the samples; true when it has no end.
fn endless(part: &Part, samples: &mut Vec<i16>) -> bool {
    part.sound.render(part.ms.unwrap_or(WHOLE_TURNS_MS), samples);
    part.ms.is_none()
}

impl Part {
    fn parse(word: &str) -> Result<Part, String> {
        let (sound, ms) = match word.split_once('/') {
            Some((sound, ms)) => {
                let ms = ms.trim().parse::<u32>().ok().filter(|ms| *ms <= MAX_MS);
                (sound, Some(ms.ok_or_else(|| format!("'{word}' has no time in milliseconds behind its '/'"))?))
            }
            None => (word, None),
        };
        let hertz = |text: &str| {
            frequency(text.trim()).ok_or_else(|| format!("'{}' is no frequency below 4000 Hz", text.trim()))
        };
        let sound = match (sound.split_once('+'), sound.split_once('*')) {
            (Some((one, other)), _) => Sound::Sum(hertz(one)?, hertz(other)?),
            (None, Some((one, other))) => Sound::Modulated(hertz(one)?, hertz(other)?),
            (None, None) => Sound::Sum(hertz(sound)?, 0),
        };
        // Nothing, for no time: Asterisk's way to write silence without end.
        Ok(Part { sound, ms: ms.filter(|ms| *ms > 0) })
    }
}

/// Hz, or a note as MIDI numbers them: `M69` is 440 Hz.
fn frequency(text: &str) -> Option<u16> {
    let hertz = match text.strip_prefix(['M', 'm']) {
        Some(note) => {
            let note = note.parse::<u8>().ok().filter(|note| *note < 128)?;
            // Whole numbers, so that every tone has whole turns in a second; below 4 kHz it fits.
            (440.0 * 2f64.powf((f64::from(note) - 69.0) / 12.0)).round() as u16
        }
        None => text.parse().ok()?,
    };
    (hertz < 4_000).then_some(hertz)
}

impl Sound {
    fn render(self, ms: u32, samples: &mut Vec<i16>) {
        let peak = amplitude(-16.0);
        let number = ms.saturating_mul(RATE / 1_000);
        let sine = |hertz: u16, sample: u32| (TAU * f64::from(hertz) * f64::from(sample) / f64::from(RATE)).sin();
        match self {
            Sound::Sum(0, 0) => samples.extend((0..number).map(|_| 0i16)),
            Sound::Sum(one, other) => {
                samples.extend((0..number).map(|n| ((sine(one, n) + sine(other, n)) * peak).round() as i16));
            }
            Sound::Modulated(one, other) => samples.extend((0..number).map(|n| {
                let envelope = (1.0 + DEPTH * sine(other, n)) / (1.0 + DEPTH);
                // As loud as one frequency at its loudest would be with another beside it.
                (sine(one, n) * envelope * 2.0 * peak).round() as i16
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn rendered(text: &str) -> Rendered {
        ToneList::parse(text).unwrap_or_else(|why| panic!("{text}: {why}")).render()
    }

    #[test]
    fn parts_with_an_exclamation_mark_are_heard_once() {
        let tone = rendered("!350+440/100,!0/100,350+440/200,0/300");
        assert_eq!((tone.samples.len(), tone.again), (5_600, Some(1_600)));
        assert!(tone.samples[800..1_600].iter().all(|sample| *sample == 0));
        let once = rendered("!950/330,!1400/330,!1800/330");
        assert_eq!((once.samples.len(), once.again), (7_920, None));
        // Behind the first that goes round, the mark says nothing.
        assert_eq!(rendered("425/100,!0/100").again, Some(0));
    }

    #[test]
    fn a_tone_without_end_has_no_seam() {
        for text in ["350+440", "425", "400*33", "440/300", "!350+440/100,!0/100,350+440", "M69"] {
            let tone = rendered(text);
            let turn = &tone.samples[tone.again.unwrap()..];
            assert_eq!(turn.len(), 8_000, "{text}");
            // The next turn begins where this one would go on: no step is larger than those within.
            let largest = turn.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap();
            assert!((turn[0] - turn[7_999]).abs() <= largest, "{text}");
        }
    }

    #[test]
    fn what_comes_behind_a_part_without_end_is_never_heard() {
        assert_eq!(rendered("425,0/500"), rendered("425"));
        assert_eq!(rendered("!950/330,0"), Rendered { again: Some(2_640), ..rendered("!950/330,0/1000") });
    }

    #[test]
    fn two_frequencies_and_a_modulated_one_are_equally_loud_at_most() {
        let peak = |text| rendered(text).samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(peak("400+450").abs_diff(peak("400*25")) < 400);
        assert!(peak("0+450") < 4_000 && peak("M69|0/10") > 3_000);
    }

    #[test]
    fn what_is_no_list_is_refused_in_words() {
        for (text, why) in [
            ("", "there is no tone in it"),
            (" , ", "there is no tone in it"),
            ("dial", "'dial' is no frequency below 4000 Hz"),
            ("4000", "'4000' is no frequency below 4000 Hz"),
            ("440/x", "'440/x' has no time in milliseconds behind its '/'"),
            ("440/30001", "'440/30001' has no time in milliseconds behind its '/'"),
            ("440/20000,0/20000", "it lasts 40 s; at most 30 s are played as one list"),
            ("440+", "'' is no frequency below 4000 Hz"),
        ] {
            assert_eq!(ToneList::parse(text), Err(why.to_owned()), "{text}");
        }
        assert!(ToneList::parse(&"440/1,".repeat(129)).is_err());
    }

    #[test]
    fn mutated_lists_are_read_or_refused_and_are_short() {
        let mut rng = Rng::from_number(3);
        for _ in 0..20_000 {
            let letters = b"!0123456789+*/,|M ";
            let text: String =
                (0..rng.below(30)).map(|_| char::from(letters[rng.below(letters.len() as u64) as usize])).collect();
            if let Ok(list) = ToneList::parse(&text)
                && rng.below(20) == 0
            {
                assert!(list.render().samples.len() <= 31 * 8_000, "{text}");
            }
        }
    }
}
