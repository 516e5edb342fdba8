//! `Set`: assigns a variable or function.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::files::FileRequest;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::outside::{OutsideReply, OutsideRequest};
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Set",
    synopsis: "Assigns a variable or function",
    syntax: "Set(name=value)",
    help: "Everything after the first = is the value, commas and quotes included. Channels created by this one \
           inherit _NAME; those created by them inherit __NAME, too. Functions that can be written are assigned the \
           same way: Set(CALLERID(num)=42), Set(GLOBAL(X)=1). Set(FILE(name)=text) waits until the file is written.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let Some((name, value)) = args.text().split_once('=') else {
        channel.log(Level::Warning, format!("Set needs name=value; '{}' has no '='", outside(args.text())));
        return Ok(Outcome::Next);
    };
    if let Some(file) = file_arguments(name) {
        write(&mut channel, file, value).await?;
        return Ok(Outcome::Next);
    }
    Ok(Outcome::Set(vec![(name.trim().to_owned(), value.to_owned())]))
}

/// The arguments of `FILE(...)`, when that is what is assigned.
fn file_arguments(name: &str) -> Option<&str> {
    let (function, args) = name.trim().split_once('(')?;
    args.strip_suffix(')').filter(|_| function.trim().eq_ignore_ascii_case("FILE"))
}

/// Writes a file. Why it was not is logged.
async fn write(channel: &mut ChannelHandle, file: &str, value: &str) -> Result<(), Interrupted> {
    let why = match FileRequest::write(file, value) {
        Err(why) => why,
        Ok(request) if channel.with_state(|state| state.is_callers_path(&request.path)) => {
            "the caller decides the path of the file".to_owned()
        }
        Ok(request) => match channel.outside(OutsideRequest::File(request)).await? {
            OutsideReply::File(Ok(_)) => return Ok(()),
            OutsideReply::File(Err(why)) | OutsideReply::Refused(why) => why,
            _ => "there was no answer".to_owned(),
        },
    };
    channel.log(Level::Warning, format!("FILE is not written: {why}"));
    Ok(())
}
