//! Follows four tones that should come back steadily. A slip shifts their phases, each by as many turns as it has in the
//! samples that are missing or too many; nothing at all is a drop-out; what else happens is told by its kind. It keeps
//! the latest 20 ms.

use super::decibel::Decibel;
use super::fourier::{Complex, hann, tone};
use super::report::{Found, Slip, Steadiness, Unmeasured};
use super::signal::{STEADY_LEVEL, STEADY_TONES};
use crate::audio::RATE;
use crate::audio::tone_list::amplitude;
use std::collections::VecDeque;
use std::f64::consts::{PI, TAU};
use std::time::Duration;

/// Slips that are told one by one.
pub const MAX_SLIPS: usize = 32;

const TONES: usize = STEADY_TONES.len();
/// What is looked at together: 20 ms.
const WINDOW: usize = 160;
/// How far it moves on: 5 ms.
const STEP: usize = 40;
/// Steps after which nothing of a window is left in the next one.
const APART: usize = WINDOW / STEP;
/// Windows that agree until the tones count as there: 70 ms.
const AGREED: usize = 14;
/// A phase further away than this is no more the same: no slip turns the tones by less, and clocks that differ by 500 ppm
/// not by so much.
const TURNED: f64 = 24.0 * PI / 180.0;
/// A level further away than this is no more the same: 3 dB, as a factor.
const STRONGER: f64 = 1.41;
/// How fast what is expected follows what comes.
const FOLLOW: f64 = 0.2;
/// A slip explains phases that lie no further from it than this, on average.
const FITS: f64 = 8.0 * PI / 180.0;
/// The longest slip that is looked for: 200 ms.
const LONGEST_SLIP: i32 = 1_600;
/// The power of 5 ms, against the usual one, below which there is nothing: -13 dB.
const NOTHING: f64 = 0.05;
/// A level that is another one afterwards: 2 dB, as a factor.
const CHANGED: f64 = 1.26;
/// The weakest peak of a tone that is followed: -62 dBm0.
const WEAKEST: f64 = 17.7;
/// A tone this much weaker than the strongest is not followed: 26 dB, as a factor.
const LOST_TONE: f64 = 0.05;
/// Steps without the tones after which they are looked for anew: 1 s.
const GIVEN_UP: usize = 200;
/// How many tones it takes.
const FEWEST: usize = 3;
/// How long they have to be followed, of the time that there was.
const SHORTEST: Duration = Duration::from_secs(1);

type Peaks = [Complex; TONES];

/// See the module.
#[derive(Debug)]
pub(super) struct Tracker {
    window: Vec<f64>,
    /// The latest samples; none where none came.
    latest: VecDeque<Option<i16>>,
    /// The position behind them.
    position: i64,
    until_step: usize,
    state: State,
    /// Steps in which the tones were there.
    followed: u64,
    /// The sum of the levels, as ratios of power, and how many.
    level: (f64, u64),
    found: Steadiness,
}

#[derive(Debug)]
enum State {
    /// Looks for the tones: the latest peaks, and how many windows agreed.
    Looking(Option<Peaks>, usize),
    /// Follows them.
    Following(Expected),
    /// Something happened.
    Disturbed(Expected, Disturbance),
}

/// What comes next when nothing happens.
#[derive(Debug, Clone)]
struct Expected {
    peaks: Peaks,
    /// Which tones are strong enough.
    live: [bool; TONES],
    /// The power of 5 ms.
    power: f64,
}

#[derive(Debug, Clone)]
struct Disturbance {
    /// When it began: steps in which the tones were followed until then.
    at: u64,
    steps: usize,
    /// The latest peaks, their sum since they agree, and how many.
    latest: Option<Peaks>,
    sum: Peaks,
    agreed: usize,
    /// Steps without anything: in a row now, and the longest row.
    nothing: usize,
    longest_nothing: usize,
    rows_of_nothing: u64,
    /// Packets are missing in it: what follows is not the telephone's doing.
    is_loss: bool,
}

impl Disturbance {
    fn at(at: u64) -> Disturbance {
        Disturbance {
            at,
            steps: 0,
            latest: None,
            sum: Peaks::default(),
            agreed: 0,
            nothing: 0,
            longest_nothing: 0,
            rows_of_nothing: 0,
            is_loss: false,
        }
    }
}

impl Tracker {
    pub fn new() -> Tracker {
        Tracker {
            window: hann(WINDOW),
            latest: VecDeque::with_capacity(WINDOW),
            position: 0,
            until_step: STEP,
            state: State::Looking(None, 0),
            followed: 0,
            level: (0.0, 0),
            found: Steadiness::default(),
        }
    }

    /// Takes the next sample.
    pub fn push(&mut self, position: i64, sample: Option<i16>) {
        if self.latest.len() >= WINDOW {
            self.latest.pop_front();
        }
        self.latest.push_back(sample);
        self.position = position.saturating_add(1);
        self.until_step = self.until_step.saturating_sub(1);
        if self.until_step == 0 {
            self.until_step = STEP;
            if self.latest.len() == WINDOW {
                self.step();
            }
        }
    }

    /// What was found.
    pub fn finish(mut self) -> Found {
        if let State::Disturbed(_, disturbance) = &self.state {
            // The end of the test is no drop-out.
            let ends_it = u64::from(disturbance.nothing > 0);
            let rows = disturbance.rows_of_nothing.saturating_sub(ends_it);
            self.found.drop_outs = self.found.drop_outs.saturating_add(rows);
        }
        self.found.followed = span(self.followed);
        let (sum, number) = self.level;
        self.found.level = (number > 0).then(|| Decibel::of_power(sum / number as f64));
        match self.found.followed >= SHORTEST {
            true => Found::Steadiness(self.found),
            false => Found::Unmeasured(Unmeasured::NothingBack),
        }
    }

    /// The newest 5 ms have come.
    fn step(&mut self) {
        let newest: Vec<Option<i16>> = self.latest.iter().rev().take(STEP).copied().collect();
        let power = mean_square(&newest);
        let peaks = self.peaks();
        let state = std::mem::replace(&mut self.state, State::Looking(None, 0));
        self.state = match state {
            State::Looking(before, agreed) => self.look(before, agreed, peaks),
            State::Following(expected) => self.follow(expected, peaks, power),
            State::Disturbed(expected, disturbance) => self.wait(expected, disturbance, peaks, power),
        };
    }

    /// The peaks and phases of the tones in the latest window; none while a part of it is missing.
    fn peaks(&self) -> Option<Peaks> {
        let samples: Option<Vec<f64>> = self.latest.iter().map(|sample| sample.map(f64::from)).collect();
        let samples = samples?;
        let first = self.position.saturating_sub(i64::try_from(WINDOW).unwrap_or(0));
        Some(STEADY_TONES.map(|hertz| tone(samples.iter().copied(), &self.window, f64::from(hertz), first)))
    }

    fn look(&mut self, before: Option<Peaks>, agreed: usize, peaks: Option<Peaks>) -> State {
        let Some(peaks) = peaks else { return State::Looking(None, 0) };
        let strongest = peaks.iter().map(|peak| peak.size()).fold(0.0, f64::max);
        let live = peaks.map(|peak| peak.size() >= WEAKEST && peak.size() >= strongest * LOST_TONE);
        let is_there = live.iter().filter(|live| **live).count() >= FEWEST;
        let agrees = before.is_some_and(|before| is_near(&peaks, &before, &live));
        let agreed = if is_there && agrees { agreed.saturating_add(1) } else { 0 };
        if agreed < AGREED {
            return State::Looking(Some(peaks), agreed);
        }
        let power = self.latest.iter().flatten().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / WINDOW as f64;
        State::Following(Expected { peaks, live, power })
    }

    fn follow(&mut self, mut expected: Expected, peaks: Option<Peaks>, power: Option<f64>) -> State {
        let is_nothing = power.is_some_and(|power| power < expected.power * NOTHING);
        if let Some(peaks) = peaks.filter(|peaks| !is_nothing && is_near(peaks, &expected.peaks, &expected.live)) {
            self.followed = self.followed.saturating_add(1);
            expected.peaks = mixed(&expected.peaks, &peaks);
            let level: f64 = peaks.iter().map(|peak| peak.square()).sum();
            let sent = TONES as f64 * amplitude(STEADY_LEVEL).powi(2);
            self.level = (self.level.0 + level / sent, self.level.1.saturating_add(1));
            if !expected.live.iter().zip(&peaks).all(|(live, peak)| !live || peak.size() >= WEAKEST / 2.0) {
                return State::Looking(None, 0);
            }
            return State::Following(expected);
        }
        self.wait(expected, Disturbance::at(self.followed), peaks, power)
    }

    /// Something has happened: waits until the tones are steady again.
    fn wait(&mut self, expected: Expected, mut now: Disturbance, peaks: Option<Peaks>, power: Option<f64>) -> State {
        now.steps = now.steps.saturating_add(1);
        match power {
            None => now.is_loss = true,
            Some(power) if power < expected.power * NOTHING => {
                now.rows_of_nothing = now.rows_of_nothing.saturating_add(u64::from(now.nothing == 0));
                now.nothing = now.nothing.saturating_add(1);
                now.longest_nothing = now.longest_nothing.max(now.nothing);
            }
            Some(_) => now.nothing = 0,
        }
        let steady = peaks.zip(now.latest).filter(|(peaks, before)| {
            let is_loud = |(peak, usual): (&Complex, &Complex)| peak.size() > usual.size() * 0.1;
            let live = peaks.iter().zip(&expected.peaks).zip(&expected.live);
            is_near(peaks, before, &expected.live) && live.filter(|(_, live)| **live).all(|(pair, _)| is_loud(pair))
        });
        match steady {
            Some((peaks, _)) => {
                now.agreed = now.agreed.saturating_add(1);
                now.sum.iter_mut().zip(&peaks).for_each(|(sum, peak)| *sum = sum.plus(*peak));
            }
            None => (now.agreed, now.sum) = (0, Peaks::default()),
        }
        now.latest = peaks;
        // No window that agrees has anything in it of what was before.
        if now.agreed > APART {
            let by = 1.0 / now.agreed as f64;
            return self.settle(&expected, &now, now.sum.map(|sum| sum.scaled(by)));
        }
        if now.steps >= GIVEN_UP {
            self.count(&now);
            return State::Looking(None, 0);
        }
        State::Disturbed(expected, now)
    }

    /// The tones are steady again: what has happened?
    fn settle(&mut self, expected: &Expected, now: &Disturbance, peaks: Peaks) -> State {
        self.count(now);
        let turns: Vec<(u16, f64)> = STEADY_TONES
            .into_iter()
            .zip(peaks.iter().zip(&expected.peaks))
            .zip(&expected.live)
            .filter(|(_, live)| **live)
            .map(|((hertz, (peak, before)), _)| (hertz, peak.times(before.conjugate()).angle()))
            .collect();
        let is_same = turns.iter().all(|(_, turn)| turn.abs() < TURNED);
        match slip(&turns) {
            _ if is_same => {}
            Some(samples) => {
                self.found.slip_count = self.found.slip_count.saturating_add(1);
                if self.found.slips.len() < MAX_SLIPS {
                    self.found.slips.push(Slip { at: span(now.at), samples });
                }
            }
            None => self.found.phase_hits = self.found.phase_hits.saturating_add(1),
        }
        let ratios = peaks.iter().zip(&expected.peaks).zip(&expected.live).filter(|(_, live)| **live);
        let ratios: Vec<f64> = ratios.map(|((peak, before), _)| peak.size() / before.size().max(1e-9)).collect();
        let is_louder = ratios.iter().all(|ratio| *ratio > CHANGED);
        let is_softer = ratios.iter().all(|ratio| *ratio < 1.0 / CHANGED);
        if is_louder || is_softer {
            self.found.level_changes = self.found.level_changes.saturating_add(1);
        } else if is_same && now.rows_of_nothing == 0 && !now.is_loss {
            self.found.noise_hits = self.found.noise_hits.saturating_add(1);
        }
        let mean = ratios.iter().map(|ratio| ratio * ratio).sum::<f64>() / ratios.len().max(1) as f64;
        State::Following(Expected { peaks, power: expected.power * mean, live: expected.live })
    }

    /// Counts what there was nothing of.
    fn count(&mut self, now: &Disturbance) {
        self.found.drop_outs = self.found.drop_outs.saturating_add(now.rows_of_nothing);
        let longest = span(u64::try_from(now.longest_nothing).unwrap_or(u64::MAX));
        self.found.longest_drop_out = self.found.longest_drop_out.max(longest);
    }
}

/// The time of so many steps.
fn span(steps: u64) -> Duration {
    Duration::from_micros(steps.saturating_mul(u64::try_from(STEP).unwrap_or(0)).saturating_mul(125))
}

fn mean_square(samples: &[Option<i16>]) -> Option<f64> {
    let squares: Option<Vec<f64>> = samples.iter().map(|sample| sample.map(|it| f64::from(it).powi(2))).collect();
    let squares = squares?;
    Some(squares.iter().sum::<f64>() / squares.len().max(1) as f64)
}

/// Do the tones go on as they were?
fn is_near(peaks: &Peaks, before: &Peaks, live: &[bool; TONES]) -> bool {
    let mut pairs = peaks.iter().zip(before).zip(live).filter(|(_, live)| **live).map(|(pair, _)| pair);
    pairs.all(|(peak, before)| {
        let ratio = peak.size() / before.size().max(1e-9);
        ratio < STRONGER && ratio > 1.0 / STRONGER && peak.times(before.conjugate()).angle().abs() < TURNED
    })
}

fn mixed(before: &Peaks, now: &Peaks) -> Peaks {
    let mut mixed = *before;
    mixed.iter_mut().zip(now).for_each(|(mixed, now)| {
        *mixed = mixed.scaled(1.0 - FOLLOW).plus(now.scaled(FOLLOW));
    });
    mixed
}

/// By how many samples the tones went on elsewhere, when that explains all of their turns. Of slips that do equally well, one of
/// whole blocks of 10 ms is likelier, and then the shorter.
fn slip(turns: &[(u16, f64)]) -> Option<i32> {
    let misfit = |samples: i32| {
        let squares = turns.iter().map(|(hertz, turn)| {
            let wanted = f64::from(samples) * f64::from(*hertz) * TAU / f64::from(RATE);
            let off = (turn - wanted + PI).rem_euclid(TAU) - PI;
            off * off
        });
        (squares.sum::<f64>() / turns.len().max(1) as f64).sqrt()
    };
    let all = (-LONGEST_SLIP..=LONGEST_SLIP).filter(|samples| *samples != 0).map(|samples| (samples, misfit(samples)));
    let best = |of: Vec<(i32, f64)>| {
        of.into_iter().min_by(|one, other| one.1.total_cmp(&other.1).then(one.0.abs().cmp(&other.0.abs())))
    };
    let any = best(all.clone().collect())?;
    let block = best(all.filter(|(samples, _)| samples % 80 == 0).collect())?;
    let chosen = if block.1 < any.1 + FITS / 4.0 { block } else { any };
    (chosen.1 < FITS).then_some(chosen.0)
}
