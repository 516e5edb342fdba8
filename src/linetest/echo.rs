//! What comes back of noise: each echo with its delay and its level.

use super::decibel::Decibel;
use super::fourier::correlate;
use super::report::{Echo, Echoes, Found, Unmeasured};
use super::signal::{NOISE_TURN, NOISE_TURNS, SOFT};
use std::ops::Range;
use std::time::Duration;

/// Echoes that are told.
const MAX_ECHOES: usize = 4;
/// What belongs to an echo, before its loudest sample and behind it: a hybrid and filters spread it over a few ms.
const BEFORE: usize = 24;
const BEHIND: usize = 80;
/// How much an echo stands out of what is there by chance: six standard deviations, of 8,191 lags.
const STANDS_OUT: f64 = 36.0;
/// Echoes weaker than the loudest by more than this (30 dB) are not told.
const FAINT: f64 = 1e-3;
/// Samples by which the first moment is judged: a third of a second.
const FIRST: usize = 2_730;
/// The median of squares of what is normally distributed, against their mean.
const MEDIAN: f64 = 0.4549;
/// Louder than this, what comes back may be the same.
const LOUD: Decibel = Decibel::whole(-1);

/// What was sent or came: the position of the first sample, and all samples.
pub(super) type Heard<'a> = (i64, &'a [Option<i16>]);

/// Finds the echoes of what was sent in what came.
pub(super) fn find(sent: Heard<'_>, received: Heard<'_>) -> Found {
    if sent.1.len() < NOISE_TURN.saturating_mul(3) || received.1.len() < NOISE_TURN {
        return Found::Unmeasured(Unmeasured::TooShort);
    }
    let shift = sent.0.saturating_sub(received.0);
    let reference = stretch(sent.1, 0, NOISE_TURN);
    // The first turn comes out of silence; in the second and third every echo is whole.
    let turns: Vec<Vec<f64>> = [1usize, 2]
        .iter()
        .map(|turn| {
            let from = shift.saturating_add(i64::try_from(turn.saturating_mul(NOISE_TURN)).unwrap_or(i64::MAX));
            correlate(&reference, &stretch(received.1, from, NOISE_TURN.saturating_mul(2)))
        })
        .collect();
    let [second, third] = turns.as_slice() else { return Found::Unmeasured(Unmeasured::TooShort) };
    let both: Vec<f64> = second.iter().zip(third).map(|(one, other)| (one + other) / 2.0).collect();
    let (echoes, floor) = peaks(&both, &turns);
    let first_samples = stretch(sent.1, 0, FIRST);
    let at_first = correlate(&first_samples, &stretch(received.1, shift, FIRST.saturating_add(NOISE_TURN)));
    let at_first = peaks(&at_first, &[]).0.first().copied();
    let same_per_mille =
        echoes.first().filter(|echo| echo.level >= LOUD).map(|echo| least_same(sent, received, echo.delay));
    Found::Echoes(Echoes { echoes, floor, at_first, same_per_mille })
}

/// Samples from there on; nothing where none came.
fn stretch(samples: &[Option<i16>], from: i64, length: usize) -> Vec<f64> {
    (from..)
        .take(length)
        .map(|place| usize::try_from(place).ok().and_then(|place| *samples.get(place)?).map_or(0.0, f64::from))
        .collect()
}

/// What stands out, and is there in each of the turns; the loudest first. And what it has to stand out of. A slip in one turn makes
/// echoes there that are none.
fn peaks(parts: &[f64], turns: &[Vec<f64>]) -> (Vec<Echo>, Decibel) {
    let mut squares: Vec<f64> = parts.iter().map(|part| part * part).collect();
    let mut sorted = squares.clone();
    sorted.sort_by(f64::total_cmp);
    let chance = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0) / MEDIAN;
    let floor = (chance * STANDS_OUT).max(1e-9);
    let mut found: Vec<(Echo, f64)> = Vec::new();
    while found.len() < MAX_ECHOES {
        let Some((place, loudest)) = squares.iter().copied().enumerate().max_by(|one, other| one.1.total_cmp(&other.1))
        else {
            break;
        };
        let faintest = found.first().map_or(0.0, |(_, energy)| energy * FAINT);
        let (from, to) = (place.saturating_sub(BEFORE), place.saturating_add(BEHIND).min(squares.len()));
        let Some(around) = squares.get_mut(from..to) else { break };
        let mut energy = (around.iter().sum::<f64>() - chance * around.len() as f64).max(loudest);
        if loudest < floor || energy < faintest {
            break;
        }
        around.iter_mut().for_each(|square| *square = 0.0);
        let is_there = |turn: &Vec<f64>| turn.get(place).is_some_and(|part| part * part > floor / 4.0);
        if !turns.iter().all(is_there) {
            continue;
        }
        // Half of a turn with a slip is elsewhere: the whole one tells the level.
        let of_turn = |turn: &Vec<f64>| turn.get(from..to).unwrap_or_default().iter().map(|part| part * part).sum();
        let most = turns.iter().map(of_turn).fold(0.0, f64::max);
        if loudest > floor * 10.0 && most > energy * 1.26 {
            energy = most;
        }
        let delay = Duration::from_micros(u64::try_from(place).unwrap_or(0).saturating_mul(125));
        found.push((Echo { delay, level: Decibel::of_power(energy) }, energy));
    }
    (found.into_iter().map(|(echo, _)| echo).collect(), Decibel::of_power(floor))
}

/// How many of a thousand samples came back as they were sent, so much later: of the loud ones, or of the soft ones when
/// those are fewer.
fn least_same(sent: Heard<'_>, received: Heard<'_>, delay: Duration) -> u16 {
    let loud = NOISE_TURN.saturating_mul(NOISE_TURNS);
    same(sent, received, delay, 0..loud).min(same(sent, received, delay, loud..loud.saturating_add(SOFT)))
}

fn same(sent: Heard<'_>, received: Heard<'_>, delay: Duration, range: Range<usize>) -> u16 {
    let later = i64::try_from(delay.as_micros() / 125).unwrap_or(0);
    let shift = sent.0.saturating_sub(received.0).saturating_add(later);
    let these = sent.1.iter().zip(shift..).skip(range.start).take(range.len());
    let pairs = these.filter_map(|(sample, place)| {
        let came = *received.1.get(usize::try_from(place).ok()?)?;
        Some((*sample)? == came?)
    });
    let (same, all) = pairs.fold((0u64, 0u64), |(same, all), is_same| (same + u64::from(is_same), all + 1));
    u16::try_from(same.saturating_mul(1_000).checked_div(all).unwrap_or(0)).unwrap_or(1_000)
}
