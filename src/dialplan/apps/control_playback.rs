//! `ControlPlayback`: plays a sound that its listener can stop, pause, and wind.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, Played};
use crate::event::Level;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "ControlPlayback",
    synopsis: "Plays a sound that its listener can stop, pause, and wind",
    syntax: "ControlPlayback(sound[,skipms[,forward[,rewind[,stop[,pause[,restart[,options]]]]]]])",
    help: "forward (#) and rewind (*) jump by skipms (3000). stop, pause and restart are digits too, none unless they \
           are given; any of several may be written for each. Options: o(ms) (where to begin). Sets CPLAYBACKSTATUS to \
           SUCCESS, USERSTOPPED or ERROR, CPLAYBACKOFFSET to where it stopped in milliseconds, CPLAYBACKSTOPKEY to the \
           digit that stopped it. It does not answer the call.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// How far a jump goes when nothing is said.
const SKIP: Duration = Duration::from_millis(3000);
/// How long a pause may last.
const PAUSE: Duration = Duration::from_secs(3600);

/// The digits and what each does.
struct Keys {
    forward: String,
    rewind: String,
    stop: String,
    pause: String,
    restart: String,
}

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    for variable in ["CPLAYBACKSTATUS", "CPLAYBACKOFFSET", "CPLAYBACKSTOPKEY"] {
        channel.set_variable(variable, "");
    }
    let given = |place: usize, usual: &str| match args.trimmed(place) {
        "" => usual.to_owned(),
        own => own.to_owned(),
    };
    let keys = Keys {
        forward: given(2, "#"),
        rewind: given(3, "*"),
        stop: given(4, ""),
        pause: given(5, ""),
        restart: given(6, ""),
    };
    let skip = args.trimmed(1).parse().map_or(SKIP, Duration::from_millis);
    let mut position = start(args.trimmed(7));
    let sound = args.trimmed(0).to_owned();
    let all = [&keys.forward, &keys.rewind, &keys.stop, &keys.pause, &keys.restart];
    let stop_on = Digits::of(&all.map(String::as_str).concat());
    let status = loop {
        let ended = channel.play_from(vec![sound.clone()], stop_on, position).await?;
        position = ended.position;
        let digit = match ended.played {
            Played::All => break "SUCCESS",
            Played::Missing(_) => break "ERROR",
            Played::Failed(why) => {
                channel.log(Level::Warning, format!("ControlPlayback: {why}"));
                break "ERROR";
            }
            Played::Digit(digit) => digit,
        };
        if keys.stop.contains(digit) {
            channel.set_variable("CPLAYBACKSTOPKEY", &digit.to_string());
            break "USERSTOPPED";
        }
        if keys.pause.contains(digit) && !is_resumed(&mut channel, &keys).await? {
            break "USERSTOPPED";
        }
        if keys.restart.contains(digit) {
            position = Duration::ZERO;
        } else if keys.rewind.contains(digit) {
            position = position.saturating_sub(skip);
        } else if keys.forward.contains(digit) {
            position = position.saturating_add(skip);
        }
    };
    channel.set_variable("CPLAYBACKSTATUS", status);
    channel.set_variable("CPLAYBACKOFFSET", &position.as_millis().to_string());
    Ok(Outcome::Next)
}

/// Waits for the digit that ends a pause; false: it ends the playing.
async fn is_resumed(channel: &mut ChannelHandle, keys: &Keys) -> Result<bool, Interrupted> {
    loop {
        match channel.digit(PAUSE).await? {
            Some(digit) if keys.stop.contains(digit) => {
                channel.set_variable("CPLAYBACKSTOPKEY", &digit.to_string());
                return Ok(false);
            }
            Some(digit) if !keys.pause.contains(digit) => {}
            Some(_) | None => return Ok(true),
        }
    }
}

/// `o(ms)`.
fn start(options: &str) -> Duration {
    let inside = options.split_once("o(").and_then(|(_, rest)| rest.split_once(')'));
    inside.and_then(|(ms, _)| ms.trim().parse().ok()).map_or(Duration::ZERO, Duration::from_millis)
}
