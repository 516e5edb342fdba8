//! Commands of the dialplan: what `System` and `TrySystem` share.

use super::commanded::CALLERS;
use super::handle::ChannelHandle;
use super::outside::{Command, OutsideReply, OutsideRequest};
use super::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// What a shell answers for a command that is not there.
const NOT_FOUND: i32 = 127;

/// How it went.
pub(super) enum Ran {
    /// It ran, to whatever end.
    Ended,
    /// It was not begun: the exchange may not, or has too much to do.
    Refused,
    /// There is no such command, or it could not be run.
    NotFound,
}

/// Runs a command; `SYSTEMSTATUS` says how it went.
///
/// # Errors
/// The channel was redirected.
pub(super) async fn run(app: &str, channel: &mut ChannelHandle, text: &str) -> Result<Ran, Interrupted> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() {
        channel.set_variable("SYSTEMSTATUS", "FAILURE");
        channel.log(Level::Warning, format!("{app} needs a command"));
        return Ok(Ran::NotFound);
    }
    if channel.with_state(|state| state.is_commanded(text)) {
        channel.set_variable("SYSTEMSTATUS", "FAILURE");
        channel.log(Level::Warning, format!("{app} is refused: {CALLERS}: {}", outside(text)));
        return Ok(Ran::Refused);
    }
    let command = Command { text: text.to_owned(), wants_output: false };
    let (status, ran) = match channel.outside(OutsideRequest::Command(command)).await? {
        OutsideReply::Ran { status: Ok(0), .. } => ("SUCCESS", Ran::Ended),
        OutsideReply::Ran { status: Ok(NOT_FOUND), .. } => {
            channel.log(Level::Warning, format!("{app}: the shell finds no such command: {}", outside(text)));
            ("FAILURE", Ran::NotFound)
        }
        OutsideReply::Ran { status: Ok(status), .. } => {
            let text = format!("{app}: status {status} from {}", outside(text));
            channel.log(Level::Verbose(3), text);
            ("APPERROR", Ran::Ended)
        }
        OutsideReply::Ran { status: Err(why), .. } => {
            channel.log(Level::Warning, format!("{app}: {why}: {}", outside(text)));
            ("APPERROR", Ran::Ended)
        }
        OutsideReply::Refused(why) => {
            channel.log(Level::Warning, format!("{app} is refused: {why}"));
            ("FAILURE", Ran::Refused)
        }
        _ => ("FAILURE", Ran::Refused),
    };
    channel.set_variable("SYSTEMSTATUS", status);
    Ok(ran)
}
