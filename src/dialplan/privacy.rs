//! Screening and privacy (options `p` and `P` of `Dial`): who calls says a name, and whoever answers decides whether to be
//! connected. With `P` the database remembers, in the family `privacy`.

use super::app::{App, Args, Outcome};
use super::chore::{Chore, ChoreReply};
use super::dial_options::Screening;
use super::digits::Digits;
use super::evaluating;
use super::files::{FileAction, FileRequest};
use super::handle::ChannelHandle;
use super::outside::{OutsideReply, OutsideRequest};
use super::recording::{RecordReply, RecordRequest};
use super::request::{DialRequest, DialStatus, Interrupted, Played};
use crate::event::Level;
use std::time::Duration;

/// The family of the database.
const FAMILY: &str = "privacy";
/// The folder of the names that callers said, below that of recordings.
const FOLDER: &str = "priv-callerintros";
/// How long a name may be.
const LONGEST_NAME: Duration = Duration::from_secs(4);
/// The silence behind a name.
const SILENCE: Duration = Duration::from_secs(2);
/// How often whoever answered is asked, and how long the answer is waited for.
const TIMES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(5);

/// What is done before anybody is called: the status that ends the `Dial`, when the database says so.
pub(super) async fn before(
    channel: &mut ChannelHandle,
    request: &mut DialRequest,
) -> Result<Option<DialStatus>, Interrupted> {
    let options = &request.options;
    if !options.has('p') && !options.has('P') {
        return Ok(None);
    }
    let (number, exten) = channel.with_state(|state| (state.caller.number.clone(), state.position.exten.clone()));
    if options.has('N') && !number.is_empty() {
        return Ok(None);
    }
    let plain =
        |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '+').take(64).collect::<String>();
    let caller = if plain(&number).is_empty() { format!("NOCALLERID_{}", plain(&exten)) } else { plain(&number) };
    let place = options.argument('P').map(|place| if place.is_empty() { exten.as_str() } else { place });
    let key = place.map(|place| format!("{place}/{caller}"));
    let is_passing = options.has('n');
    if let Some(key) = &key {
        match channel.chore(Chore::Get(FAMILY.to_owned(), key.clone())).await {
            ChoreReply::Value(said) => match said.trim().to_ascii_lowercase().as_str() {
                "allow" => return Ok(None),
                "deny" => return Ok(Some(DialStatus::NoAnswer)),
                "kill" => return Ok(Some(DialStatus::DontCall)),
                "torture" => return Ok(Some(DialStatus::Torture)),
                _ => {}
            },
            ChoreReply::Decided(_) | ChoreReply::Done | ChoreReply::Failed | ChoreReply::Waits(..) => {}
        }
    }
    let intro = introduce(channel, &caller, is_passing).await?;
    request.options.screening = Some(Screening { key, intro, is_passing });
    Ok(None)
}

/// What is done when the `Dial` is over.
pub(super) async fn after(channel: &mut ChannelHandle, screening: Option<Screening>) -> Result<(), Interrupted> {
    let Some(Screening { intro, is_passing: true, .. }) = screening.filter(|it| !it.intro.is_empty()) else {
        return Ok(());
    };
    let path = evaluating::recording_path(channel, &format!("{intro}.wav")).await;
    channel.outside(OutsideRequest::File(FileRequest { path, action: FileAction::Delete })).await.map(|_| ())
}

/// The caller says a name, unless one is kept; the sound, empty when there is none.
async fn introduce(channel: &mut ChannelHandle, caller: &str, is_passing: bool) -> Result<String, Interrupted> {
    let intro = format!("{FOLDER}/{caller}");
    let file = format!("{intro}.wav");
    let path = evaluating::recording_path(channel, &file).await;
    if !path.starts_with('/') {
        channel.log(Level::Warning, "Dial: no name is asked for: the exchange keeps no state".to_owned());
        return Ok(String::new());
    }
    let known = OutsideRequest::File(FileRequest { path, action: FileAction::Stat('f') });
    if !is_passing && channel.outside(known).await? == OutsideReply::File(Ok("1".to_owned())) {
        return Ok(intro);
    }
    if !channel.is_answered() {
        let text = "Dial: the caller says no name: Answer() before a Dial with option p or P".to_owned();
        channel.log(Level::Notice, text);
        return Ok(String::new());
    }
    channel.play(vec!["priv-recordintro".to_owned(), "beep".to_owned()]).await?;
    let request = RecordRequest {
        file: Some(file),
        append: false,
        max: Some(LONGEST_NAME),
        until: Some((false, SILENCE)),
        stop_on: Digits::of("#"),
    };
    if let RecordReply::Failed(why) = channel.record(request).await? {
        channel.log(Level::Warning, format!("Dial: the caller's name is not recorded: {why}"));
        return Ok(String::new());
    }
    channel.play(vec!["priv-introsaved".to_owned()]).await?;
    Ok(intro)
}

/// The variable that says what whoever answered decided.
pub const RESULT: &str = "SCREENING_RESULT";

/// What runs on the line that answered. It stands in no table: `Dial` alone has it.
pub static SCREEN: App = App {
    name: "Dial",
    synopsis: "Asks whoever answered whether to be connected",
    syntax: "",
    help: "",
    arity: 0,
    run: |channel, args| Box::pin(screen(channel, args)),
};

async fn screen(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let (intro, key) = args.text().split_once(',').unwrap_or((args.text(), ""));
    let options = if key.is_empty() { "screen-callee-options" } else { "priv-callee-options" };
    let prompts: Vec<String> =
        ["priv-callpending", intro, options].into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
    for _ in 0..TIMES {
        let digit = match channel.play_until(prompts.clone(), Digits::of("12345")).await? {
            Played::Digit(digit) => Some(digit),
            Played::All | Played::Missing(_) | Played::Failed(_) => channel.digit(PATIENCE).await?,
        };
        let (said, decided) = match digit {
            Some('1') => ("allow", ""),
            Some('2') => ("deny", "SCREEN:NOANSWER"),
            Some('3') => ("torture", "SCREEN:TORTURE"),
            Some('4') => ("kill", "SCREEN:DONTCALL"),
            // Not now, but from now on.
            Some('5') if !key.is_empty() => ("allow", "SCREEN:NOANSWER"),
            Some(_) | None => continue,
        };
        if !key.is_empty() {
            channel.chore(Chore::Put(FAMILY.to_owned(), key.to_owned(), said.to_owned())).await;
        }
        channel.set_variable(RESULT, decided);
        return Ok(Outcome::Next);
    }
    channel.set_variable(RESULT, "SCREEN:NOANSWER");
    Ok(Outcome::Next)
}
