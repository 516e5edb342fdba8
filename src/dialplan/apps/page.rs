//! `Page`: many telephones answer by themselves and hear the caller.

use crate::dialplan::DialOptions;
use crate::dialplan::app::{App, AppCall, Args, Outcome, Target};
use crate::dialplan::arguments::{self, Split};
use crate::dialplan::ask::{StartPage, TalkToPage};
use crate::dialplan::dial_options::Subroutine;
use crate::dialplan::dial_request;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{TapKind, TapRequest, TapSides};
use crate::dialplan::request::{Interrupted, PageReply, PageRequest};
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Page",
    synopsis: "Has many telephones answer by themselves and hear the caller",
    syntax: "Page(technology/resource[&technology/resource...][,options[,timeout]])",
    help: "The caller is answered, hears a beep as soon as the first telephone is there, and is heard by all that answer, until \
           the caller hangs up or no telephone is left; then the dialplan goes on. Telephones still ring after timeout seconds \
           are given up. Each is asked to answer by itself, in the way of its make (its User-Agent says which): see the guide; \
           an Alert-Info, Call-Info or Answer-Mode of SIPAddHeader is sent instead. The caller's own line and lines with \
           line=modem are left out, which is logged. Options: d (everybody hears everybody; without it only the caller is \
           heard), q (no beep), r (what the caller says and hears is recorded, in the recordings folder), s (lines that have a \
           call are left out), i (a telephone that forwards the call is left out), A(sound) (played to each telephone first, and \
           to the caller), n (not to the caller), b(context^exten^priority(arguments)) (a Gosub on each called channel before it is called), B(...) (one on the \
           caller's channel before any is called).",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// The option letters.
pub const LETTERS: &str = "dqrsiAnbB";

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let split = args.split();
    let options = DialOptions::read(split.get(1));
    if let Some(Subroutine { place, args: given }) = options.gosub('B') {
        let then = AppCall { name: APP.name.to_owned(), args: without_option(args.text(), 'B') };
        return Ok(Target::parse(&place).map_or(Outcome::Next, |target| Outcome::CallThen(target, given, then)));
    }
    let read = read(&split, options.clone());
    let request = match read.and_then(|request| dial_request::admit(&channel, request, split.get(0), APP.name)) {
        Ok(request) => request,
        Err(why) => {
            channel.log(Level::Warning, why);
            return Ok(Outcome::Next);
        }
    };
    let unknown = unknown(split.get(1));
    if !unknown.is_empty() {
        channel.log(Level::Notice, format!("Page: there are no options '{}'", outside(&unknown)));
    }
    let announcement = request.announcement.clone().filter(|_| !options.has('n'));
    channel.answer().await?;
    if channel.ask(StartPage(request)).await? == PageReply::Over {
        channel.log(Level::Notice, "Page: no telephone is there to hear it".to_owned());
        return Ok(Outcome::Next);
    }
    let recording = if options.has('r') { record(&mut channel).await? } else { None };
    let beep = Some("beep".to_owned()).filter(|_| !options.has('q'));
    let sounds: Vec<String> = beep.into_iter().chain(announcement).collect();
    if !sounds.is_empty() {
        channel.play(sounds).await?;
    }
    channel.ask(TalkToPage).await?;
    if recording.is_some() {
        // It ended with the call, or ends now: there is nothing to say of it either way.
        let _ = channel.tap(TapRequest::Stop(TapKind::Mix, recording)).await?;
    }
    Ok(Outcome::Next)
}

fn read(args: &Split, options: DialOptions) -> Result<PageRequest, String> {
    let targets = dial_request::targets(args.trimmed(0), APP.name)?;
    let timeout = arguments::seconds(args.get(2)).filter(|time| !time.is_zero());
    let announcement = options.argument('A').filter(|sound| !sound.is_empty()).map(str::to_owned);
    let (duplex, only_idle) = (options.has('d'), options.has('s'));
    // Of the letters of Dial these two are meant in the same way.
    let dial = options.letters.into_iter().filter(|(letter, _)| matches!(letter, 'i' | 'b'));
    let options = DialOptions { letters: dial.collect(), ..DialOptions::default() };
    Ok(PageRequest { targets, timeout, duplex, only_idle, announcement, options })
}

/// The letters that mean nothing.
pub fn unknown(text: &str) -> String {
    let given = arguments::options(text).into_iter().map(|(letter, _)| letter);
    given.filter(|letter| !LETTERS.contains(*letter)).collect()
}

/// The arguments without one of the option letters.
fn without_option(text: &str, letter: char) -> String {
    let mut parts = arguments::pieces(text, ',', 3);
    if let Some(options) = parts.get_mut(1) {
        let kept = arguments::options(options).into_iter().filter(|(given, _)| *given != letter);
        let written = kept.map(|(given, argument)| match argument {
            Some(argument) => format!("{given}({argument})"),
            None => given.to_string(),
        });
        *options = written.collect();
    }
    parts.join(",")
}

async fn record(channel: &mut ChannelHandle) -> Result<Option<u64>, Interrupted> {
    let name = channel.with_state(|state| state.name.replace('/', "-"));
    let file = format!("page-{name}-{}.wav", channel.wall().0.div_euclid(1000));
    let start = TapRequest::Start {
        kind: TapKind::Mix,
        files: vec![(file, TapSides::Both)],
        append: false,
        only_bridged: false,
        gains: [0, 0],
        command: String::new(),
    };
    Ok(match channel.tap(start).await? {
        Ok(tapped) => Some(tapped.id),
        Err(why) => {
            channel.log(Level::Warning, format!("Page: {why}"));
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn options_and_timeout_read() {
        let args = Args::new("SIP/a&SIP/b,dsiA(dinner)b(x^s^1)B(y^s^1),20");
        let request = read(&args.split(), DialOptions::read(args.split().get(1))).unwrap();
        assert_eq!((request.targets.len(), request.timeout), (2, Some(Duration::from_secs(20))));
        assert!(request.duplex && request.only_idle);
        assert_eq!(request.announcement.as_deref(), Some("dinner"));
        assert!(request.options.has('i') && request.options.gosub('b').is_some() && !request.options.has('A'));
        assert_eq!(without_option("SIP/a,dB(y^s^1)q,20", 'B'), "SIP/a,dq,20");
        assert_eq!((unknown("dqxr|"), unknown(LETTERS)), ("x|".to_owned(), String::new()));
    }
}
