//! What is said of a line that was tested: the names of sounds.

use super::say::{self, Gender, Language, Words};
use crate::linetest::report::{Echo, Report, Steadiness};
use crate::linetest::{Decibel, Grade, verdict};
use std::time::Duration;

/// A report, in the words of that language for its numbers.
pub(super) fn of(report: &Report, language: &str) -> Words {
    let mut said = Said { language: say::language(language), words: Words::new() };
    said.word("done");
    if let Some(noise) = report.noise() {
        said.word("noise");
        said.level(noise.level, "dbm0");
    }
    if let Some(level) = report.level() {
        said.word("level");
        said.level(level.level, "dbm0");
    }
    if report.parts.iter().any(|part| part.packets.leaves_out_silence()) {
        said.word("silence-suppression");
    }
    if let Some(echoes) = report.echoes() {
        match (echoes.loudest(), report.is_loop) {
            (Some(back), true) => {
                said.word("round-trip");
                said.time(back.delay);
                said.word("level");
                said.level(back.level, "decibels");
            }
            (None, true) => said.word("nothing-back"),
            (found, false) => said.echo(found, echoes.at_first.filter(|_| echoes.fades())),
        }
    }
    if let Some((top, low)) = report.response().filter(|_| report.is_loop).and_then(|it| it.spread(304, 3_404)) {
        said.word("frequency-response");
        if top.above(low) <= Decibel::whole(3) { said.word("flat") } else { said.level(top.above(low), "decibels") }
    }
    report.steadiness().into_iter().for_each(|found| said.steadiness(found));
    if let (_, lost @ 1..) = report.came_and_lost() {
        said.word("loss");
        said.number(lost);
    }
    said.word(match verdict(report).grade {
        Grade::Good => "good-for-modems",
        Grade::Unknown => "unknown-for-modems",
        Grade::Fair => "fair-for-modems",
        Grade::Bad => "bad-for-modems",
    });
    said.words
}

struct Said {
    language: &'static Language,
    words: Words,
}

impl Said {
    fn word(&mut self, name: &str) {
        self.words.push(format!("linetest/{name}"));
    }

    fn number(&mut self, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.words.extend(self.language.number(number, Gender::None).unwrap_or_default());
    }

    /// To the nearest decibel.
    fn level(&mut self, level: Decibel, unit: &str) {
        let whole = level.value().round();
        if whole < 0.0 {
            self.word("minus");
        }
        self.number(whole.abs() as u64);
        self.word(unit);
    }

    fn time(&mut self, time: Duration) {
        self.number((time.as_secs_f64() * 1_000.0).round() as u64);
        self.word("milliseconds");
    }

    /// An echo of a telephone: as it is, or as it was before it was cancelled.
    fn echo(&mut self, found: Option<Echo>, at_first: Option<Echo>) {
        let Some(echo) = at_first.or(found) else { return self.word("no-echo") };
        self.word("echo-at");
        self.time(echo.delay);
        self.level(echo.level, "decibels");
        self.word(if at_first.is_some() { "canceller-on" } else { "canceller-off" });
    }

    fn steadiness(&mut self, found: &Steadiness) {
        self.word("slips");
        self.number(found.slip_count.saturating_add(found.phase_hits));
        self.word("drop-outs");
        self.number(found.drop_outs);
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::clock::Wall;
    use crate::linetest::report::{Echo, Echoes, Found, Measured, Noise, Packets, Report, Steadiness};
    use crate::linetest::{Decibel, Part};
    use std::time::Duration;

    #[test]
    fn a_good_line_is_said_in_words() {
        let measured = |part, found| Measured { part, found, packets: Packets { received: 9, ..Packets::default() } };
        let noise = Noise { level: Decibel(-652), peak: Decibel(-600), hum: None };
        let echo = Echo { delay: Duration::from_micros(43_125), level: Decibel(-184) };
        let echoes = Echoes { echoes: vec![echo], floor: Decibel(-600), at_first: Some(echo), same_per_mille: None };
        let steady = Steadiness { followed: Duration::from_secs(10), ..Steadiness::default() };
        let report = Report {
            channel: "SIP/ata-00000001".to_owned(),
            at: Wall(0),
            is_loop: false,
            parts: vec![
                measured(Part::Noise, Found::Noise(noise)),
                measured(Part::Echo, Found::Echoes(echoes)),
                measured(Part::Steadiness, Found::Steadiness(steady)),
            ],
        };
        let wanted = "linetest/done linetest/noise linetest/minus digits/60 digits/5 linetest/dbm0 linetest/echo-at \
                      digits/40 digits/3 linetest/milliseconds linetest/minus digits/18 linetest/decibels \
                      linetest/canceller-off linetest/slips digits/0 linetest/drop-outs digits/0 linetest/good-for-modems";
        assert_eq!(of(&report, "en").join(" "), wanted);
    }
}
