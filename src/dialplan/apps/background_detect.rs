//! `BackgroundDetect`: plays sounds until the caller talks, or dials an extension.

use crate::dialplan::app::{App, Args, Outcome, Target};
use crate::dialplan::ask::PlayBeside;
use crate::dialplan::digits::Digits;
use crate::dialplan::evaluating::clock;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::lookup;
use crate::dialplan::menu;
use crate::dialplan::recording::{RecordReply, RecordRequest};
use crate::dialplan::request::{Interrupted, PlayRequest};
use crate::event::Level;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "BackgroundDetect",
    synopsis: "Plays sounds until the caller talks, or dials an extension",
    syntax: "BackgroundDetect(sound[&sound...][,silence[,min[,max[,analysistime]]]])",
    help: "What the caller says counts as talk when it lasts from min (100) to max (any) milliseconds and silence (1000) of \
           silence follows, within the first analysistime (all) milliseconds of the sounds: they end, TALK_DETECTED is how \
           long the caller talked, and the call goes to the extension talk of the context when there is one. A digit that \
           an extension begins with ends the sounds, too, as in BackGround. Answers the call first.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// What of the caller counts as talk.
struct Talk {
    silence: Duration,
    min: Duration,
    max: Duration,
    /// Milliseconds of the clock until which it is listened.
    until: u64,
}

/// What ended the sounds.
enum Heard {
    Digit(char),
    Talk(u64),
    Nothing,
}

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let sounds = menu::names(args.trimmed(0));
    channel.answer().await?;
    let language = channel.language();
    let sounds = channel.with_state(|state| state.without_foreign_paths(sounds));
    let length = match channel.ask(PlayBeside(PlayRequest { sounds, stop_on: Digits::NONE, language })).await? {
        Ok(length) => length,
        Err(why) => {
            channel.log(Level::Warning, format!("BackgroundDetect: {why}"));
            return Ok(Outcome::Next);
        }
    };
    let time = |place: usize, usual: u64| Duration::from_millis(args.trimmed(place).parse().unwrap_or(usual));
    let began = clock(&mut channel).await;
    let end = began.saturating_add(milliseconds(length));
    let analysed = args.trimmed(4).parse::<u64>().ok().filter(|time| *time > 0);
    let until = analysed.map_or(end, |time| began.saturating_add(time).min(end));
    let talk = Talk { silence: time(1, 1_000), min: time(2, 100), max: time(3, u64::MAX), until };
    let heard = listen(&mut channel, &talk, end).await?;
    if !matches!(heard, Heard::Nothing) {
        channel.stop_tone().await?;
    }
    let context = menu::here(&channel);
    match heard {
        Heard::Digit(digit) => menu::go(&mut channel, &context, digit).await,
        Heard::Nothing => Ok(Outcome::Next),
        Heard::Talk(lasted) => {
            channel.set_variable("TALK_DETECTED", &lasted.to_string());
            let there = channel.with_state(|state| lookup::has(state, &context, "talk"));
            Ok(if there { Outcome::Jump(Target::to(&context, "talk")) } else { Outcome::Next })
        }
    }
}

/// Listens until the sounds end.
async fn listen(channel: &mut ChannelHandle, talk: &Talk, end: u64) -> Result<Heard, Interrupted> {
    // When the caller began to talk.
    let mut since: Option<u64> = None;
    loop {
        let now = clock(channel).await;
        if now >= end {
            return Ok(Heard::Nothing);
        }
        let listens = now < talk.until;
        let wanted = if since.is_some() { (false, talk.silence) } else { (true, talk.min) };
        let request = RecordRequest {
            max: Some(Duration::from_millis(if listens { talk.until } else { end }.saturating_sub(now).max(1))),
            until: listens.then_some(wanted),
            stop_on: Digits::ANY,
            ..RecordRequest::default()
        };
        match channel.record(request).await? {
            RecordReply::Digit(digit) if begins(channel, digit) => return Ok(Heard::Digit(digit)),
            RecordReply::Digit(_) | RecordReply::Max => {}
            RecordReply::Failed(why) => {
                channel.log(Level::Warning, format!("BackgroundDetect does not listen: {why}"));
                let left = Duration::from_millis(end.saturating_sub(clock(channel).await));
                return Ok(match channel.digit(left).await? {
                    Some(digit) if begins(channel, digit) => Heard::Digit(digit),
                    Some(_) | None => Heard::Nothing,
                });
            }
            RecordReply::Until => {
                let now = clock(channel).await;
                since = match since {
                    None => Some(now.saturating_sub(milliseconds(talk.min))),
                    Some(began) => {
                        let lasted = now.saturating_sub(milliseconds(talk.silence)).saturating_sub(began);
                        if Duration::from_millis(lasted) <= talk.max {
                            return Ok(Heard::Talk(lasted));
                        }
                        None
                    }
                };
            }
        }
    }
}

/// Does an extension begin with this digit?
fn begins(channel: &ChannelHandle, digit: char) -> bool {
    let (context, digit) = (menu::here(channel), digit.to_string());
    channel.with_state(|state| lookup::has(state, &context, &digit) || lookup::may_go_on(state, &context, &digit))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
