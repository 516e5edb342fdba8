//! What the findings mean to a modem, in plain words, with what to do.

use super::decibel::Decibel;
use super::figures::{milliseconds, percent};
use super::report::{Echoes, Found, Report, Response, Steadiness};

use std::time::Duration;

/// What a line is good for. The worse is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Modems of every kind work on it, as far as it was measured.
    Good,
    /// What counts could not be measured.
    Unknown,
    /// Slow modems work on it, fast ones do not, or not for long.
    Fair,
    /// Modems do not work on it, or not for long.
    Bad,
}

impl Grade {
    /// Its name in the dialplan and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Good => "good",
            Grade::Unknown => "unknown",
            Grade::Fair => "fair",
            Grade::Bad => "bad",
        }
    }

    /// In plain words.
    pub fn text(self) -> &'static str {
        match self {
            Grade::Good => "good for modems",
            Grade::Unknown => "not measured well enough to say what it is good for",
            Grade::Fair => "good for slow modems",
            Grade::Bad => "not good for modems",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is for modems.
    pub grade: Grade,
    /// What it is, why that is so, and what to do.
    pub text: String,
}

/// What a test says of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The worst of its findings.
    pub grade: Grade,
    /// All of them, the worst first.
    pub findings: Vec<Finding>,
}

/// Noise that fast modems, and all modems, are disturbed by.
const NOISY: [Decibel; 2] = [Decibel::whole(-52), Decibel::whole(-40)];
/// Noise and distortion, against the tones, below which they are.
const UNCLEAR: [Decibel; 2] = [Decibel::whole(28), Decibel::whole(18)];
/// An echo as loud as this is no telephone whose impedance fits.
const LOUD_ECHO: Decibel = Decibel::whole(-6);
/// What comes back of a loop weaker than this is weak, and too weak.
const WEAK: [Decibel; 2] = [Decibel::whole(-16), Decibel::whole(-30)];
/// A way there and back of more than this, and modems give up calling each other.
const LONG_WAY: Duration = Duration::from_millis(600);
/// A tone of 0 dBm0 that comes back so much weaker than soft ones, or with such harmonics, was clipped.
const CLIPPED: [Decibel; 2] = [Decibel::whole(1), Decibel::whole(-26)];
/// From this share of packets on, losses are bad.
const MANY_LOST: f64 = 0.01;

/// What it means to a modem.
pub fn verdict(report: &Report) -> Verdict {
    let mut findings = Findings::default();
    for measured in &report.parts {
        if measured.packets.leaves_out_silence() {
            let text = "the line leaves out silence: switch its silence suppression (VAD) and comfort noise off";
            findings.add_once(Grade::Bad, text);
        }
        if measured.packets.other_codec > 0 {
            findings
                .add_once(Grade::Bad, "packets came that are neither ulaw nor alaw: allow nothing else on the line");
        }
        if measured.packets.stalls > 0 {
            let text =
                "this machine was held up and left out some of what it sends: measure again when it is less busy";
            findings.add_once(Grade::Unknown, text);
        }
        match &measured.found {
            Found::Noise(noise) => {
                let grade = worse(noise.level > NOISY[0], noise.level > NOISY[1]);
                findings.add(grade, format!("noise of {} dBm0", noise.level));
                if let Some(mains) = noise.hum {
                    let text = format!("the noise is hum of {mains} Hz: a cable or a power supply brings it in");
                    findings.add(Grade::Fair, text);
                }
            }
            Found::Level(_) => {}
            Found::Echoes(echoes) if report.is_loop => findings.looped(echoes),
            Found::Echoes(echoes) => findings.echoed(echoes),
            Found::Response(response) if report.is_loop => findings.response(response),
            // Of a line that is not looped, what comes back is an echo: its frequencies are not those of the line.
            Found::Response(_) => {}
            Found::Steadiness(steadiness) => findings.steadiness(steadiness),
            Found::Unmeasured(why) => {
                // An echo there is none of cannot be followed: the part that looks for it says so.
                let is_told = !report.is_loop && report.echoes().is_some();
                if !is_told {
                    findings.add(Grade::Unknown, format!("{} is not known: {}", measured.part.name(), why.text()));
                }
            }
        }
    }
    findings.lost(report.came_and_lost());
    let mut findings = findings.0;
    findings.sort_by_key(|found| std::cmp::Reverse(found.grade));
    let grade = findings.first().map_or(Grade::Unknown, |worst| worst.grade);
    Verdict { grade, findings }
}

/// How bad it is when the first, and when the second is so.
fn worse(fair: bool, bad: bool) -> Grade {
    match (fair, bad) {
        (_, true) => Grade::Bad,
        (true, false) => Grade::Fair,
        (false, false) => Grade::Good,
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, grade: Grade, text: String) {
        self.0.push(Finding { grade, text });
    }

    fn add_once(&mut self, grade: Grade, text: &str) {
        if self.0.iter().all(|known| known.text != text) {
            self.add(grade, text.to_owned());
        }
    }

    /// An echo of a telephone.
    fn echoed(&mut self, echoes: &Echoes) {
        match (echoes.loudest(), echoes.at_first.filter(|_| echoes.fades())) {
            (now, Some(first)) => {
                let now = now.map_or(echoes.floor, |now| now.level);
                let text = format!(
                    "echo at {}, {} dB, that fades to {now} dB: the ATA's echo canceller is on; switch it off for modems",
                    milliseconds(first.delay),
                    first.level
                );
                self.add(Grade::Fair, text);
            }
            (None, None) => {
                let floor = echoes.floor;
                let text = format!(
                    "no echo louder than {floor} dB: its echo canceller took it away, or no two-wire line is there"
                );
                self.add(Grade::Unknown, text);
            }
            (Some(echo), None) if echo.level > LOUD_ECHO => {
                let text = format!(
                    "echo at {}, {} dB: the line is looped, or the ATA's impedance does not fit what is plugged into it",
                    milliseconds(echo.delay),
                    echo.level
                );
                self.add(Grade::Fair, text);
            }
            (Some(echo), None) => {
                let text = format!(
                    "echo at {}, {} dB: the ATA's echo canceller is off, as it should be",
                    milliseconds(echo.delay),
                    echo.level
                );
                self.add(Grade::Good, text);
            }
        }
    }

    /// What came back of a loop.
    fn looped(&mut self, echoes: &Echoes) {
        let Some(back) = echoes.loudest() else {
            let text = "nothing came back: have the far end loop the sound (Echo() at another exchange)";
            return self.add(Grade::Unknown, text.to_owned());
        };
        let (way, level) = (milliseconds(back.delay), back.level);
        match back.delay > LONG_WAY {
            true => {
                self.add(Grade::Fair, format!("round trip {way}: modems give up calling each other over so long a way"))
            }
            false => self.add(Grade::Good, format!("round trip {way}")),
        }
        let grade = worse(level < WEAK[0], level < WEAK[1]);
        self.add(grade, format!("what came back is {level} dB against what was sent"));
        if echoes.fades() {
            let text = "what came back faded at once: an echo canceller took it for an echo; switch it off for modems";
            self.add(Grade::Fair, text.to_owned());
        }
        match echoes.same_per_mille {
            Some(1_000) => {
                let text = "every sample came back as it was sent: nothing converts, cancels or changes the level";
                self.add(Grade::Good, text.to_owned());
            }
            Some(some) => {
                let text = format!(
                    "{} of the samples came back as they were sent: something converts them, changes the level, loses or slips some",
                    percent(u64::from(some), 1_000)
                );
                self.add(Grade::Fair, text);
            }
            None => {}
        }
        for echo in echoes.echoes.iter().skip(1) {
            let (after, against) = (echo.delay.abs_diff(back.delay), echo.level.above(back.level));
            let grade = worse(against > Decibel::whole(-26), false);
            self.add(grade, format!("a second echo {} beside it, {against} dB against it", milliseconds(after)));
        }
    }

    fn response(&mut self, response: &Response) {
        match (response.spread(304, 3_404), response.spread(604, 3_004)) {
            (Some((top, low)), _) if top <= Decibel::whole(3) && low >= Decibel::whole(-6) => {
                self.add(Grade::Good, format!("the response is flat within {} dB from 304 to 3404 Hz", top.above(low)));
            }
            (_, Some((top, low))) if top <= Decibel::whole(6) && low >= Decibel::whole(-10) => {
                let text = format!(
                    "the response is not flat from 304 to 3404 Hz ({} dB from 604 to 3004 Hz): fast modems use all of it",
                    top.above(low)
                );
                self.add(Grade::Fair, text);
            }
            (_, Some((top, low))) => {
                let text = format!("the response differs by {} dB from 604 to 3004 Hz", top.above(low));
                self.add(Grade::Bad, text);
            }
            (_, None) => {
                self.add(Grade::Bad, "some frequencies from 604 to 3004 Hz do not come back at all".to_owned())
            }
        }
        let clear = response.clearness;
        let grade = worse(clear < UNCLEAR[0], clear < UNCLEAR[1]);
        self.add(grade, format!("noise and distortion are {clear} dB below the tones"));
        let is_clipped = response.compression.is_some_and(|it| it >= CLIPPED[0])
            || response.harmonics.is_some_and(|it| it >= CLIPPED[1]);
        if is_clipped {
            let text = "a tone of 0 dBm0 comes back clipped: a gain on the way is too high";
            self.add(Grade::Fair, text.to_owned());
        }
    }

    fn steadiness(&mut self, found: &Steadiness) {
        let time = format!("{} s", found.followed.as_secs());
        if found.is_steady() {
            self.add(Grade::Good, format!("no slip and no drop-out in {time}"));
        }
        if found.slip_count > 0 {
            let number = found.slip_count;
            let first = found.slips.first().map(|slip| slip.samples).unwrap_or_default();
            let text = format!(
                "{} in {time}, the first of {} samples {}: clocks differ, or a jitter buffer is too short; give the ATA a \
                 longer one of fixed length",
                crate::wording::plural(number, "slip"),
                first.unsigned_abs(),
                if first > 0 { "left out" } else { "too many" }
            );
            self.add(Grade::Bad, text);
        }
        if found.drop_outs > 0 {
            let text = format!(
                "{} in {time}, the longest of {}: packets are lost on the way out, or something mutes the line",
                crate::wording::plural(found.drop_outs, "drop-out"),
                milliseconds(found.longest_drop_out)
            );
            self.add(Grade::Bad, text);
        }
        if found.phase_hits > 0 {
            let text = format!(
                "{} in {time} that no slip explains: something conceals losses, or another line cuts in",
                crate::wording::plural(found.phase_hits, "jump")
            );
            self.add(Grade::Bad, text);
        }
        if found.level_changes > 0 {
            let number = crate::wording::plural(found.level_changes, "change");
            let text = format!("{number} of level in {time}: switch automatic gain off");
            self.add(Grade::Fair, text);
        }
    }

    fn lost(&mut self, (came, lost): (u64, u64)) {
        let all = came.saturating_add(lost);
        if lost > 0 {
            let is_many = lost as f64 >= all as f64 * MANY_LOST;
            let share = percent(lost, all);
            self.add(worse(true, is_many), format!("{lost} of {all} packets lost on the way in ({share})"));
        }
    }
}
