//! `DISA`: a caller from outside gets the dial tone, and dials as if from inside.

use crate::dialplan::app::{App, Args, Outcome, Target};
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::lookup;
use crate::dialplan::menu::{self, MAX_TYPED, Typing};
use crate::dialplan::request::{Cause, Interrupted, PinRequest, PinSource, PinVerdict, Played, Tone};
use crate::dialplan::special::{self, Trouble};
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// How long the first digit is waited for.
const FIRST_DIGIT: Duration = Duration::from_secs(20);
/// How long the tone of a refused call lasts.
const REFUSED: Duration = Duration::from_secs(10);

/// The application.
pub const APP: App = App {
    name: "DISA",
    synopsis: "Gives a caller the dial tone, and lets it dial as if from inside",
    syntax: "DISA(pin|no-password|/file[,context[,callerid[,mailbox[,options]]]])",
    help: "Answers, plays the dial tone and reads the PIN up to #; after the right one it plays the dial tone again, and \
           the call goes to the extension of the context (disa unless one is given) that is dialled then, with that \
           caller ID. A file has lines pin[,context[,callerid]], read when the configuration is. A wrong PIN, or an \
           extension that is not there (unless the context has an i), gets the tone of congestion, and the call ends. \
           no-password lets everybody dial who can call here. Options: n (does not answer), p (# ends the extension). \
           Wrong PINs lock a caller out as Authenticate has it. The mailbox is not looked at.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// What a caller may do that knows a PIN.
struct Grant {
    context: String,
    caller: String,
}

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let options = args.trimmed(4).to_owned();
    if !options.contains('n') {
        channel.answer().await?;
    }
    let context = Some(args.trimmed(1)).filter(|context| !context.is_empty()).unwrap_or("disa");
    let given = Grant { context: context.to_owned(), caller: args.trimmed(2).to_owned() };
    let pin = args.trimmed(0);
    let grant =
        if pin.eq_ignore_ascii_case("no-password") { Some(given) } else { admitted(&mut channel, pin, given).await? };
    let Some(grant) = grant else { return refuse(&mut channel).await };
    let Some(dialled) = dialled(&mut channel, &grant.context, options.contains('p')).await? else {
        return refuse(&mut channel).await;
    };
    let to = channel.with_state(|state| {
        if lookup::has(state, &grant.context, &dialled) {
            Some(Target::to(&grant.context, &dialled))
        } else {
            let to = special::place(state, &grant.context, &Trouble::Invalid(&dialled));
            to.map(|to| Target::to(&to.context, &to.exten))
        }
    });
    let Some(to) = to else {
        let (dialled, context) = (outside(&dialled), outside(&grant.context));
        channel.log(Level::Notice, format!("DISA: there is no extension '{dialled}' in context '{context}'"));
        return refuse(&mut channel).await;
    };
    if !grant.caller.is_empty() {
        let (name, number) = crate::dialplan::state::name_and_number(&grant.caller);
        channel.with_state(|state| (state.caller.name, state.caller.number) = (name, number));
    }
    Ok(Outcome::Jump(to))
}

/// Reads the PIN; what it allows when it is right.
async fn admitted(channel: &mut ChannelHandle, pin: &str, given: Grant) -> Result<Option<Grant>, Interrupted> {
    let right = if pin.starts_with('/') { PinSource::Lines(pin.to_owned()) } else { PinSource::Pin(pin.to_owned()) };
    let may = channel.pin(PinRequest { typed: None, right: right.clone() }).await?;
    if !matches!(may, PinVerdict::Right(_)) {
        return Ok(None);
    }
    let next = channel.with_state(|state| state.timeouts.digit);
    let prompts = menu::tone("dial", FIRST_DIGIT);
    let typing = Typing { prompts, most: MAX_TYPED, end: Some('#'), first: Duration::ZERO, next };
    let mut typed = String::new();
    menu::read_number(channel, APP.name, typing, &mut typed).await?;
    if typed.is_empty() {
        return Ok(None);
    }
    match channel.pin(PinRequest { typed: Some(typed.clone()), right }).await? {
        PinVerdict::Right(beside) => {
            channel.set_variable("ACCOUNTCODE", &typed);
            let mut fields = beside.split([',', '|']).map(str::trim);
            let mut field =
                |given: String| fields.next().filter(|field| !field.is_empty()).map_or(given, str::to_owned);
            Ok(Some(Grant { context: field(given.context), caller: field(given.caller) }))
        }
        PinVerdict::Unusable(why) => {
            channel.log(Level::Warning, format!("DISA: {why}"));
            Ok(None)
        }
        PinVerdict::Wrong | PinVerdict::Locked(_) => Ok(None),
    }
}

/// Plays the dial tone and reads an extension; none when nobody dials.
async fn dialled(channel: &mut ChannelHandle, context: &str, pound: bool) -> Result<Option<String>, Interrupted> {
    let played = channel.play_until(menu::tone("dial", FIRST_DIGIT), Digits::ANY).await?;
    menu::was_played(channel, APP.name, &played);
    let Played::Digit(first) = played else { return Ok(None) };
    let mut dialled = String::from(first);
    menu::dial_on(channel, context, &mut dialled, pound.then_some('#')).await?;
    Ok(Some(dialled))
}

async fn refuse(channel: &mut ChannelHandle) -> Result<Outcome, Interrupted> {
    channel.indicate(Tone::Congestion).await?;
    channel.wait(REFUSED).await?;
    Ok(Outcome::Stop(Cause::NORMAL))
}
