//! `Monitor`: records each direction of a call into a file.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{TapKind, TapRequest, TapSides};
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Monitor",
    synopsis: "Records each direction of a call into a file",
    syntax: "Monitor([format[,name[,options]]])",
    help: "Goes on at once; ends with the call or StopMonitor. Writes NAME-in (what the telephone says) and NAME-out (what it \
           hears) in the format (wav, ulaw, alaw, sln), or both mixed into NAME with option m. Without a name it is the \
           channel's. Options: b (only while somebody else is on the call), i (not what the telephone says), o (not what it \
           hears), m. Accepted, without effect, which is logged: every other letter, of these B (beeps) and p. Without a leading slash the files lie in the recordings folder of the state folder.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let format = Some(args.trimmed(0)).filter(|format| !format.is_empty()).unwrap_or("wav").to_owned();
    let own = channel.with_state(|state| state.name.replace('/', "-"));
    let name = Some(args.trimmed(1)).filter(|name| !name.is_empty()).map_or(own, str::to_owned);
    let options = args.trimmed(2).to_owned();
    let without: String =
        options.chars().filter(|letter| letter.is_alphabetic() && !"biom".contains(*letter)).collect();
    if !without.is_empty() {
        let text = format!("Monitor: the options '{}' are without effect here", outside(&without));
        channel.log(Level::Notice, text);
    }
    let mut files = Vec::new();
    if options.contains('m') {
        files.push((format!("{name}.{format}"), TapSides::Both));
    } else {
        if !options.contains('i') {
            files.push((format!("{name}-in.{format}"), TapSides::In));
        }
        if !options.contains('o') {
            files.push((format!("{name}-out.{format}"), TapSides::Out));
        }
    }
    let only_bridged = options.contains('b');
    let kind = TapKind::Monitor;
    let start = TapRequest::Start { kind, files, append: false, only_bridged, gains: [0, 0], command: String::new() };
    if let Err(why) = channel.tap(start).await? {
        channel.log(Level::Warning, format!("Monitor: {why}"));
    }
    Ok(Outcome::Next)
}
