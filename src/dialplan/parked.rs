//! What `Park` and `ParkAndAnnounce` have in common: a call is parked, waits, and comes back when nobody takes it.

use super::app::{Outcome, Target};
use super::arguments;
use super::ask::WaitParked;
use super::dial_options::DialOptions;
use super::dial_request;
use super::handle::ChannelHandle;
use super::handover::{ParkRequest, ParkedAt};
use super::lookup;
use super::menu;
use super::request::{Cause, DialRequest, DialStatus, DialTarget, Interrupted};
use super::say::letters;
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// The options of the two applications.
#[derive(Debug, Default)]
pub(super) struct ParkOptions {
    /// `r`: it hears ringing instead of music.
    rings: bool,
    /// `R`: any free place.
    is_random: bool,
    /// `s`: the place is not said to it.
    pub(super) is_silent: bool,
    /// `c`: where it goes on when nobody takes it.
    comeback: Option<String>,
    /// `t`: how long it waits.
    time: Option<Duration>,
}

impl ParkOptions {
    /// Reads the letters.
    pub(super) fn read(text: &str) -> ParkOptions {
        let mut options = ParkOptions::default();
        for (letter, argument) in arguments::options(text) {
            let argument = argument.unwrap_or_default();
            match letter {
                'r' => options.rings = true,
                'R' => options.is_random = true,
                's' => options.is_silent = true,
                'c' => options.comeback = Some(argument.replace('^', ",")).filter(|place| !place.trim().is_empty()),
                't' => options.time = arguments::seconds(&argument).filter(|time| !time.is_zero()),
                _ => {}
            }
        }
        options
    }
}

/// Parks the channel; none when it cannot be, which it hears.
pub(super) async fn park(
    channel: &mut ChannelHandle,
    lot: &str,
    options: &ParkOptions,
    application: &str,
) -> Result<Option<ParkedAt>, Interrupted> {
    channel.answer().await?;
    // As Asterisk has it: the place that the dialplan wishes.
    let slot = channel.variable("PARKINGEXTEN").trim().parse().ok();
    let request = ParkRequest { lot: lot.to_owned(), slot, is_random: options.is_random };
    match channel.ask(request).await? {
        Ok(at) => {
            let at = ParkedAt { time: options.time.unwrap_or(at.time), ..*at };
            channel.set_variable("PARKINGSLOT", &at.slot.to_string());
            channel.set_variable("PARKINGLOT", &at.lot);
            channel.set_variable("PARKEDLOT", &at.lot);
            channel.set_variable("PARKER", &at.parker);
            channel.set_variable("PARKER_FLAT", &flat(&at.parker));
            Ok(Some(at))
        }
        Err(why) => {
            channel.log(Level::Warning, format!("{application}: {why}"));
            let played = channel.play(vec!["pbx-parkingfailed".to_owned()]).await?;
            menu::was_played(channel, application, &played);
            Ok(None)
        }
    }
}

/// Waits to be taken, and comes back.
pub(super) async fn wait(
    mut channel: ChannelHandle,
    at: ParkedAt,
    options: ParkOptions,
    application: &str,
) -> Result<Outcome, Interrupted> {
    if options.rings {
        if let Err(why) = channel.tone("ring").await? {
            channel.log(Level::Warning, format!("{application}: {why}"));
        }
    } else {
        channel.music(&at.music, application).await?;
    }
    channel.ask(WaitParked(at.time)).await?;
    channel.stop_tone().await?;
    channel.stop_music().await?;
    if let Some(target) = options.comeback.as_deref().and_then(Target::parse) {
        return Ok(Outcome::Jump(target));
    }
    if let Some(target) = DialTarget::parse(&at.parker).filter(|_| at.comes_back_to_parker) {
        let request = DialRequest {
            targets: vec![target],
            timeout: Some(at.comeback_time),
            options: DialOptions::default(),
            located: Default::default(),
        };
        let report = dial_request::dial(&mut channel, request).await?;
        if report.status == DialStatus::Answer {
            return Ok(Outcome::Stop(Cause(report.hangup_cause)));
        }
    }
    let context = &at.comeback_context;
    let places = [flat(&at.parker), "s".to_owned()];
    let has = |exten: &&String| !exten.is_empty() && channel.with_state(|state| lookup::has(state, context, exten));
    if let Some(exten) = places.iter().find(has) {
        return Ok(Outcome::Jump(Target::to(context, exten)));
    }
    let text = format!(
        "{application}: nobody took the call at {} of lot '{}', and there is no extension s in context '{}' where it could go on: \
         it is ended",
        at.slot,
        at.lot,
        outside(context)
    );
    channel.log(Level::Warning, text);
    Ok(Outcome::Stop(Cause::NO_ANSWER))
}

/// The names of the sounds that say a place.
pub(super) fn said(slot: u32) -> Vec<String> {
    letters::digits(&slot.to_string())
}

fn flat(parker: &str) -> String {
    parker.replace('/', "_")
}
