//! `WaitExten`: waits for the caller to dial an extension.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::lookup;
use crate::dialplan::menu;
use crate::dialplan::request::{Interrupted, Played};
use crate::dialplan::special::{self, Trouble};
use crate::event::Level;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "WaitExten",
    synopsis: "Waits for the caller to dial an extension",
    syntax: "WaitExten([seconds][,options])",
    help: "Without seconds it waits as long as TIMEOUT(response) says, 10 seconds at first. After the first digit \
           others are waited for as BackGround does. When no digit came, the dialplan goes on with the next priority \
           or, where there is none, with t, or e. Options: d (plays the dial tone until the first digit), \
           m or m(class) (plays music on hold until then).",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// `autofallthrough=no`: what a program does whose last priority is behind it.
pub const AFTER_THE_LAST: App = App { run: |channel, args| Box::pin(after_the_last(channel, args)), ..APP };

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let time = arguments::seconds(args.trimmed(0)).filter(|time| !time.is_zero());
    let time = time.unwrap_or_else(|| channel.with_state(|state| state.timeouts.response));
    let options = arguments::options(args.trimmed(1));
    let music = options.iter().find(|(letter, _)| *letter == 'm');
    let digit = if options.iter().any(|(letter, _)| *letter == 'd') {
        let played = channel.play_until(menu::tone("dial", time), Digits::ANY).await?;
        menu::was_played(&channel, APP.name, &played);
        match played {
            Played::Digit(digit) => Some(digit),
            Played::All | Played::Missing(_) | Played::Failed(_) => None,
        }
    } else if let Some((_, class)) = music {
        channel.music(class.as_deref().unwrap_or_default().trim(), APP.name).await?;
        let digit = channel.digit(time).await?;
        channel.stop_music().await?;
        digit
    } else {
        channel.digit(time).await?
    };
    if let Some(digit) = digit {
        let context = menu::here(&channel);
        return menu::go(&mut channel, &context, digit).await;
    }
    let goes_on = channel.with_state(|state| {
        let next = state.position.priority.checked_add(1);
        next.is_some_and(|next| lookup::has_priority(state, next))
    });
    if goes_on {
        let text = channel.with_state(|state| format!("Timeout on {}, continuing", state.name));
        channel.log(Level::Verbose(3), text);
        return Ok(Outcome::Next);
    }
    Ok(nobody_dialled(&channel))
}

async fn after_the_last(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    let time: Duration = channel.with_state(|state| state.timeouts.response);
    match channel.digit(time).await? {
        Some(digit) => {
            let context = menu::here(&channel);
            menu::go(&mut channel, &context, digit).await
        }
        None => Ok(nobody_dialled(&channel)),
    }
}

fn nobody_dialled(channel: &ChannelHandle) -> Outcome {
    let context = menu::here(channel);
    channel.with_state(|state| special::leave(state, &context, &Trouble::ResponseTimeout))
}
