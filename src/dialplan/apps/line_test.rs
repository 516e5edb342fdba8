//! `LineTest`: measures the caller's line, and says what it is good for.

use crate::audio::sound::Sound;
use crate::audio::tone;
use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::line_test_words;
use crate::dialplan::request::{Interrupted, Played};
use crate::dialplan::test_signal::{SignalReply, TestSignal};
use crate::event::{CallEvent, Level};
use crate::linetest::report::Report;
use crate::linetest::{self, Part, Plan};
use crate::wording::outside;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "LineTest",
    synopsis: "Measures the caller's line, and says what it is good for",
    syntax: "LineTest([what[&what...][,options]])",
    help: "Answers. What: nothing or menu (a menu by digits: 1 milliwatt, 2 quiet, 3 loop, 4 full), full (noise, echo, response, slips, \
           from a telephone), loop (the same where the far end sends everything back, as Echo does), or what is wanted of \
           noise, level, echo, response, slips, also with loop; milliwatt and quiet are sent until # or the hang-up. # or * \
           ends a test. Options: q (nothing is spoken), s(seconds) (how long slips are looked for: 10, at most 3600). The \
           result is spoken, in the log, in 'linetest show', and in LINETEST_RESULT (GOOD, FAIR, BAD, UNKNOWN or FAILED), \
           LINETEST_VERDICT, LINETEST_NOISE and LINETEST_LEVEL (dBm0), LINETEST_ECHO_LEVEL (dB), LINETEST_ECHO_DELAY (ms), \
           LINETEST_SLIPS, LINETEST_DROPOUTS, LINETEST_LOST, LINETEST_JSON.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// Digits that end a test.
const END: &str = "#*";
/// How long a digit is waited for after the menu.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often the menu is said.
const TIMES: usize = 3;
/// How long slips are looked for, unless the options say otherwise.
const SECONDS: Duration = Duration::from_secs(10);
/// The parts of a whole test.
const WHOLE: [Part; 4] = [Part::Noise, Part::Echo, Part::Response, Part::Steadiness];
/// What is empty until it was measured.
const VARIABLES: [&str; 9] =
    ["VERDICT", "NOISE", "LEVEL", "ECHO_LEVEL", "ECHO_DELAY", "SLIPS", "DROPOUTS", "LOST", "JSON"];

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    Menu,
    Milliwatt,
    Quiet,
    Test { parts: Vec<Part>, is_loop: bool },
}

/// How.
#[derive(Debug, Clone, Copy)]
struct Options {
    is_spoken: bool,
    seconds: Duration,
}

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let options = options(&channel, args.trimmed(1));
    channel.set_variable("LINETEST_RESULT", "FAILED");
    VARIABLES.iter().for_each(|name| channel.set_variable(&format!("LINETEST_{name}"), ""));
    let wish = match wish(args.trimmed(0)) {
        Ok(wish) => wish,
        Err(unknown) => {
            let known: Vec<&str> = Part::ALL.iter().map(|part| part.name()).collect();
            channel.log(
                Level::Warning,
                format!(
                    "LineTest measures no '{}': menu, full, loop, milliwatt, quiet, {} are all there is",
                    outside(&unknown),
                    known.join(", ")
                ),
            );
            return Ok(Outcome::Next);
        }
    };
    channel.answer().await?;
    match wish {
        Wish::Menu => menu(&mut channel, options).await?,
        wish => perform(&mut channel, &wish, options).await?,
    }
    Ok(Outcome::Next)
}

fn options(channel: &ChannelHandle, text: &str) -> Options {
    let mut options = Options { is_spoken: true, seconds: SECONDS };
    for (letter, argument) in arguments::options(text) {
        match (letter, argument.as_deref().and_then(arguments::seconds)) {
            ('q', _) => options.is_spoken = false,
            ('s', Some(seconds)) => options.seconds = seconds,
            _ => channel.log(
                Level::Notice,
                format!(
                    "LineTest: the option '{}' is without effect: q and s(seconds) are all",
                    outside(&letter.to_string())
                ),
            ),
        }
    }
    options
}

/// What the words ask for; else the one that is not known.
fn wish(text: &str) -> Result<Wish, String> {
    let mut words: Vec<String> =
        text.split('&').map(|word| word.trim().to_ascii_lowercase()).filter(|word| !word.is_empty()).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["menu"] => return Ok(Wish::Menu),
        ["milliwatt"] => return Ok(Wish::Milliwatt),
        ["quiet"] => return Ok(Wish::Quiet),
        _ => {}
    }
    let is_loop = words.iter().any(|word| word == "loop");
    let is_whole = words.iter().any(|word| word == "full") || words.iter().all(|word| word == "loop");
    words.retain(|word| word != "loop" && word != "full");
    let named: Result<Vec<Part>, String> = words.into_iter().map(|word| Part::named(&word).ok_or(word)).collect();
    let mut parts = named?;
    if is_whole {
        parts.extend(WHOLE);
    }
    parts.sort();
    parts.dedup();
    Ok(Wish::Test { parts, is_loop })
}

async fn menu(channel: &mut ChannelHandle, options: Options) -> Result<(), Interrupted> {
    let mut words = vec!["linetest/line-test".to_owned()];
    for _ in 0..TIMES {
        words.push("linetest/menu".to_owned());
        let chosen = match channel.play_until(std::mem::take(&mut words), Digits::of("1234#*")).await? {
            Played::Digit(digit) => Some(digit),
            Played::Failed(why) => {
                channel.log(Level::Warning, format!("LineTest: {why}"));
                return Ok(());
            }
            Played::All | Played::Missing(_) => channel.digit(PATIENCE).await?,
        };
        match chosen {
            Some('1') => perform(channel, &Wish::Milliwatt, options).await?,
            Some('2') => perform(channel, &Wish::Quiet, options).await?,
            Some('3') => perform(channel, &Wish::Test { parts: WHOLE.to_vec(), is_loop: true }, options).await?,
            Some('4') => perform(channel, &Wish::Test { parts: WHOLE.to_vec(), is_loop: false }, options).await?,
            Some('#' | '*') => return Ok(()),
            Some(_) | None => {}
        }
    }
    Ok(())
}

async fn perform(channel: &mut ChannelHandle, wish: &Wish, options: Options) -> Result<(), Interrupted> {
    let (words, samples) = match wish {
        // Whoever asks for it has it by now.
        Wish::Menu => return Ok(()),
        Wish::Test { parts, is_loop } => return test(channel, parts, *is_loop, options).await,
        Wish::Milliwatt => ("linetest/tone", tone::milliwatt()),
        Wish::Quiet => ("linetest/quiet", vec![0; 8_000]),
    };
    say(channel, vec![words.to_owned()], options).await?;
    let signal = TestSignal { sound: Sound::of_samples(&samples), stop_on: Digits::of(END), measure: None };
    match channel.ask(signal).await? {
        SignalReply::Failed(why) => failed(channel, &why),
        SignalReply::Digit(_) | SignalReply::Measured(_) => channel.set_variable("LINETEST_RESULT", "UNKNOWN"),
    }
    Ok(())
}

async fn test(channel: &mut ChannelHandle, parts: &[Part], is_loop: bool, options: Options) -> Result<(), Interrupted> {
    let name = channel.with_state(|state| state.name.clone());
    let mut report = Report { channel: name, at: channel.wall(), is_loop, parts: Vec::new() };
    let begin = if is_loop { "linetest/loop-begin" } else { "linetest/begin" };
    say(channel, vec![begin.to_owned()], options).await?;
    for part in parts {
        let measure = Some(Plan { part: *part, lasting: part.length(options.seconds) });
        let signal = TestSignal { sound: Sound::of_samples(&part.signal()), stop_on: Digits::of(END), measure };
        match channel.ask(signal).await {
            Ok(SignalReply::Measured(measured)) => report.parts.push(*measured),
            Ok(SignalReply::Digit(_)) => break,
            Ok(SignalReply::Failed(why)) => {
                failed(channel, &why);
                break;
            }
            Err(interrupted) => {
                keep(channel, &report);
                return Err(interrupted);
            }
        }
    }
    if report.parts.is_empty() {
        return Ok(());
    }
    keep(channel, &report);
    let words = line_test_words::of(&report, &channel.language());
    say(channel, words, options).await
}

fn failed(channel: &ChannelHandle, why: &str) {
    channel.log(Level::Warning, format!("LineTest: {why}"));
}

/// Tells of a test, and sets the variables.
fn keep(channel: &ChannelHandle, report: &Report) {
    if report.parts.is_empty() {
        return;
    }
    let set = |name: &str, value: Option<String>| {
        channel.set_variable(&format!("LINETEST_{name}"), &value.unwrap_or_default());
    };
    let (verdict, echo) = (linetest::verdict(report), report.echoes().and_then(|echoes| echoes.loudest()));
    set("RESULT", Some(verdict.grade.name().to_ascii_uppercase()));
    set("VERDICT", Some(linetest::summary(report)));
    set("NOISE", report.noise().map(|noise| noise.level.to_string()));
    set("LEVEL", report.level().map(|level| level.level.to_string()));
    set("ECHO_LEVEL", echo.map(|echo| echo.level.to_string()));
    set("ECHO_DELAY", echo.map(|echo| format!("{:.1}", echo.delay.as_secs_f64() * 1e3)));
    set("SLIPS", report.steadiness().map(|found| found.slip_count.to_string()));
    set("DROPOUTS", report.steadiness().map(|found| found.drop_outs.to_string()));
    set("LOST", Some(report.came_and_lost().1.to_string()));
    set("JSON", Some(linetest::json(report)));
    channel.with_state(|state| state.tell(CallEvent::LineTested(Box::new(report.clone()))));
}

/// Says words; a digit ends them.
async fn say(channel: &mut ChannelHandle, words: Vec<String>, options: Options) -> Result<(), Interrupted> {
    if options.is_spoken
        && let Played::Failed(why) = channel.play_until(words, Digits::of(END)).await?
    {
        failed(channel, &why);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_is_measured() {
        let test = |parts: &[Part], is_loop| Ok(Wish::Test { parts: parts.to_vec(), is_loop });
        for (text, wanted) in [
            ("", Ok(Wish::Menu)),
            ("menu", Ok(Wish::Menu)),
            ("MilliWatt", Ok(Wish::Milliwatt)),
            (" quiet ", Ok(Wish::Quiet)),
            ("full", test(&WHOLE, false)),
            ("loop", test(&WHOLE, true)),
            ("echo&noise & echo", test(&[Part::Noise, Part::Echo], false)),
            ("loop&slips", test(&[Part::Steadiness], true)),
            ("full&level", test(&Part::ALL, false)),
            ("echo&loudness", Err("loudness".to_owned())),
            ("quiet&echo", Err("quiet".to_owned())),
        ] {
            assert_eq!(wish(text), wanted, "{text}");
        }
    }
}
