//! Commands that play and listen.

use super::talk::{Answer, Answering, FOR_EVER, Talk, milliseconds};
use crate::dialplan::digits::Digits;
use crate::dialplan::request::{Interrupted, Played};
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// The most digits that are collected.
const MAX_DIGITS: usize = 1024;
/// How long `GET OPTION` and `GET DATA` wait by themselves.
const USUAL: Duration = Duration::from_secs(5);

/// A digit as its number in ASCII; 0 for none.
pub(super) fn code(digit: Option<char>) -> u32 {
    digit.map_or(0, u32::from)
}

/// What a script gives for no sound at all.
fn sounds(name: &str) -> Vec<String> {
    name.split('&').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Plays until one of these digits; `Err`: it cannot be played.
pub(super) async fn play(
    talk: &mut Talk,
    names: Vec<String>,
    stop_on: Digits,
) -> Result<Result<Option<char>, ()>, Interrupted> {
    if names.is_empty() {
        return Ok(Ok(None));
    }
    let played = talk.channel.play_until(names, stop_on).await?;
    Ok(judged(talk, played))
}

/// The digit that ended sounds; `Err`: they could not be played, which is logged.
fn judged(talk: &Talk, played: Played) -> Result<Option<char>, ()> {
    match played {
        Played::All => Ok(None),
        Played::Digit(digit) => Ok(Some(digit)),
        Played::Missing(name) => {
            talk.channel.log(Level::Warning, format!("AGI: there is no sound '{}' to play", outside(&name)));
            Err(())
        }
        Played::Failed(why) => {
            talk.channel.log(Level::Warning, format!("AGI: {why}"));
            Err(())
        }
    }
}

pub(super) fn stream_file<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name, rest @ ..] = words else { return Ok(Answer::Usage) };
        let digits = rest.first().map_or("", String::as_str);
        // Both positions are samples of 8 kHz.
        let offset = rest.get(1).and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or_default();
        let stop_on = Digits::of(digits);
        let (played, end) = match sounds(name) {
            names if names.is_empty() => (Ok(None), offset),
            names => {
                let from = Duration::from_micros(offset.saturating_mul(125));
                let played = talk.channel.play_from(names, stop_on, from).await?;
                let end = u64::try_from(played.position.as_micros() / 125).unwrap_or(u64::MAX);
                (judged(talk, played.played), end)
            }
        };
        Ok(Answer::Result(match played {
            Ok(digit) => format!("{} endpos={end}", code(digit)),
            Err(()) => "-1 endpos=0".to_owned(),
        }))
    })
}

pub(super) fn control_stream_file<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name, rest @ ..] = words else { return Ok(Answer::Usage) };
        let word = |place: usize| rest.get(place).map_or("", String::as_str);
        if !talk.has_app("ControlPlayback") {
            return stream_file(talk, words).await;
        }
        let [skip, forward, back, pause] = [word(1), word(2), word(3), word(4)];
        let or = |given: &str, usual: &str| if given.is_empty() { usual.to_owned() } else { given.to_owned() };
        let args = format!("{name},{},{},{},{},{pause}", or(skip, "3000"), or(forward, "#"), or(back, "*"), word(0));
        talk.exec("ControlPlayback", &args).await?;
        let end = talk.evaluate("${CPLAYBACKOFFSET}").await?.parse::<u64>().unwrap_or_default().saturating_mul(8);
        let status = talk.evaluate("${CPLAYBACKSTATUS}").await?;
        let stopped = talk.evaluate("${CPLAYBACKSTOPKEY}").await?;
        Ok(Answer::Result(match status.as_str() {
            "USERSTOPPED" => format!("{} endpos={end}", code(stopped.chars().next())),
            "ERROR" => "-1 endpos=0".to_owned(),
            _ => format!("0 endpos={end}"),
        }))
    })
}

pub(super) fn get_option<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name, digits, rest @ ..] = words else { return Ok(Answer::Usage) };
        let digits = Digits::of(digits);
        let timeout = rest.first().and_then(|text| milliseconds(text)).unwrap_or(USUAL);
        let start = talk.clock().await;
        let Ok(mut digit) = play(talk, sounds(name), digits).await? else {
            return Ok(Answer::Result("-1 endpos=0".to_owned()));
        };
        let end = talk.samples_since(start).await;
        while digit.is_none() {
            match talk.channel.digit(timeout).await? {
                None => break,
                pressed => digit = pressed.filter(|digit| digits.contains(*digit)),
            }
        }
        Ok(Answer::Result(format!("{} endpos={end}", code(digit))))
    })
}

pub(super) fn get_data<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name, rest @ ..] = words else { return Ok(Answer::Usage) };
        let timeout = rest.first().and_then(|text| milliseconds(text)).unwrap_or(USUAL);
        let most = rest.get(1).and_then(|text| text.trim().parse::<usize>().ok());
        let most = most.filter(|most| *most > 0).unwrap_or(MAX_DIGITS).min(MAX_DIGITS);
        let mut got = String::new();
        let mut next = match play(talk, sounds(name), Digits::ANY).await? {
            Ok(digit) => digit,
            Err(()) => return Ok(Answer::number(-1)),
        };
        loop {
            match next {
                Some('#') => return Ok(Answer::Result(got)),
                Some(digit) => got.push(digit),
                None => {}
            }
            if got.len() >= most {
                return Ok(Answer::Result(got));
            }
            next = talk.channel.digit(timeout).await?;
            if next.is_none() {
                return Ok(Answer::Result(format!("{got} (timeout)")));
            }
        }
    })
}

pub(super) fn wait_for_digit<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [time] = words else { return Ok(Answer::Usage) };
        let Some(time) = milliseconds(time) else { return Ok(Answer::Usage) };
        let mut digit = talk.channel.digit(time).await?;
        while digit.is_none() && time == FOR_EVER {
            digit = talk.channel.digit(time).await?;
        }
        Ok(Answer::Result(code(digit).to_string()))
    })
}

pub(super) fn record_file<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    Box::pin(async move {
        let [name, format, digits, timeout, rest @ ..] = words else { return Ok(Answer::Usage) };
        if !talk.has_app("Record") {
            return Ok(Answer::Unknown("RECORD FILE is not there yet".to_owned()));
        }
        let seconds = milliseconds(timeout)
            .filter(|time| *time < FOR_EVER)
            .map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX).div_ceil(1000));
        let silence = rest.iter().find_map(|word| word.to_ascii_lowercase().strip_prefix("s=").map(str::to_owned));
        let quiet = if rest.iter().any(|word| word.eq_ignore_ascii_case("beep")) { "" } else { "q" };
        // `y`: any digit ends it, `x`: none does; `k` keeps what was recorded when the caller hangs up.
        let any = if digits.is_empty() { "x" } else { "y" };
        let silence = silence.unwrap_or_default();
        let args = format!("{name}.{format},{silence},{seconds},{quiet}{any}k");
        let start = talk.clock().await;
        let went = talk.exec("Record", &args).await?;
        let end = talk.samples_since(start).await;
        let status = talk.evaluate("${RECORD_STATUS}").await?;
        let pressed = talk.evaluate("${RECORD_DIGIT}").await?;
        Ok(Answer::Result(match (went, status.as_str()) {
            (Some(true), "DTMF") => format!("{} (dtmf) endpos={end}", code(pressed.chars().next())),
            (Some(true), "OPERATOR") => format!("48 (dtmf) endpos={end}"),
            (Some(true), "SILENCE" | "TIMEOUT") => format!("0 (timeout) endpos={end}"),
            (Some(true), "HANGUP") => format!("-1 (hangup) endpos={end}"),
            _ => "-1 (writefile)".to_owned(),
        }))
    })
}
