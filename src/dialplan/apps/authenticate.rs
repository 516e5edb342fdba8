//! `Authenticate`: lets nobody on who does not know a PIN.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::menu::{self, MAX_TYPED, Typing};
use crate::dialplan::request::{Cause, Interrupted, PinRequest, PinSource, PinVerdict};
use crate::event::Level;

/// How often a caller may try.
const ATTEMPTS: u32 = 3;

/// The application.
pub const APP: App = App {
    name: "Authenticate",
    synopsis: "Asks for a PIN",
    syntax: "Authenticate(pin[,options[,maxdigits[,prompt]]])",
    help: "The caller has three attempts, each ended by # or after maxdigits digits; then the call ends. The pin may be \
           the path of a file (/etc/strowger/pins) with one PIN on each line, read when the configuration is. Options: \
           m (each line of the file is account:MD5 of the PIN), d (the path is a family of the database, whose keys are \
           the PINs), r (with d: each counts once), a (the PIN, or the account of its line, becomes the variable \
           ACCOUNTCODE). After three wrong PINs a caller is locked out for 30 s, then for twice as long each time, up to \
           an hour; so are all callers of a line together after twelve.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let options = args.trimmed(1).to_owned();
    let Some(right) = source(args.trimmed(0), &options) else {
        channel.log(Level::Warning, "Authenticate needs a PIN, and lets nobody on without one".to_owned());
        return Ok(Outcome::Stop(Cause::NORMAL));
    };
    channel.answer().await?;
    let most = args.trimmed(2).parse().ok().filter(|most| *most > 0).unwrap_or(MAX_TYPED);
    let prompt = Some(args.trimmed(3)).filter(|prompt| !prompt.is_empty()).unwrap_or("agent-pass");
    let (first, next) = channel.with_state(|state| (state.timeouts.response, state.timeouts.digit));
    let asked = PinRequest { typed: None, right: right.clone() };
    let mut verdict = channel.pin(asked).await?;
    let mut said = prompt;
    for _ in 0..ATTEMPTS {
        if matches!(verdict, PinVerdict::Locked(_) | PinVerdict::Unusable(_)) {
            break;
        }
        let typing = Typing { prompts: menu::names(said), most, end: Some('#'), first, next };
        let mut typed = String::new();
        menu::read_number(&mut channel, APP.name, typing, &mut typed).await?;
        said = "auth-incorrect";
        // Nothing is no guess.
        if typed.is_empty() {
            continue;
        }
        verdict = channel.pin(PinRequest { typed: Some(typed.clone()), right: right.clone() }).await?;
        if let PinVerdict::Right(account) = &verdict {
            if options.contains('a') {
                channel.set_variable("ACCOUNTCODE", if account.is_empty() { &typed } else { account });
            }
            let played = channel.play(vec!["auth-thankyou".to_owned()]).await?;
            menu::was_played(&channel, APP.name, &played);
            return Ok(Outcome::Next);
        }
    }
    if let PinVerdict::Unusable(why) = verdict {
        channel.log(Level::Warning, format!("Authenticate: {why}"));
    }
    let played = channel.play(vec!["vm-goodbye".to_owned()]).await?;
    menu::was_played(&channel, APP.name, &played);
    Ok(Outcome::Stop(Cause::NORMAL))
}

fn source(pin: &str, options: &str) -> Option<PinSource> {
    let Some(path) = pin.strip_prefix('/') else {
        return (!pin.is_empty()).then(|| PinSource::Pin(pin.to_owned()));
    };
    Some(if options.contains('d') {
        PinSource::Database { family: path.trim_end_matches('/').to_owned(), take: options.contains('r') }
    } else if options.contains('m') {
        PinSource::Hashes(pin.to_owned())
    } else {
        PinSource::Lines(pin.to_owned())
    })
}
