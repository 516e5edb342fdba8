//! `MixMonitor`: records both directions of a call into one file.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::commanded::CALLERS;
use crate::dialplan::evaluating;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{TapKind, TapRequest, TapSides};
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "MixMonitor",
    synopsis: "Records both directions of a call into one file",
    syntax: "MixMonitor(file.format[,options[,command]])",
    help: "Goes on at once; the recording ends with the call or StopMixMonitor. Formats: wav, ulaw, alaw, sln; without a leading \
           slash the file lies in the recordings folder of the state folder. Options: a (append), b (only while \
           somebody else is on the call), r(file) and t(file) (what the telephone says, and hears, each in a file of its own), \
           v(x), V(x), W(x) (what it hears, says, or both louder: -4 to 4), i(variable) (its number, for \
           StopMixMonitor). Accepted, without effect, which is logged: every other letter, of these B (beeps), c, m, n, p, P, S. Sets MIXMONITOR_FILENAME. A line with line=modem is not recorded. The command is run when the \
           recording is over, when strowger.toml allows commands ([programs] system); ^{NAME} in it is ${NAME} as it is when the recording \
           begins, ^{MIXMONITOR_FILENAME} among them. The shell has it as it stands: put nothing into it that a caller can choose.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let options = arguments::options(args.trimmed(1));
    let given = |letter: char| options.iter().find(|(option, _)| *option == letter);
    let argument = |letter: char| given(letter).and_then(|(_, argument)| argument.as_deref()).unwrap_or_default();
    let gain = |letter: char| argument(letter).trim().parse::<i8>().unwrap_or(0).clamp(-4, 4);
    let both = gain('W');
    let gains = [gain('V').saturating_add(both), gain('v').saturating_add(both)];
    let mixed = (args.trimmed(0), TapSides::Both);
    let own = [(argument('r'), TapSides::In), (argument('t'), TapSides::Out)];
    let files = std::iter::once(mixed).chain(own).filter(|(name, _)| !name.is_empty());
    let files: Vec<(String, TapSides)> = files.map(|(name, sides)| (name.to_owned(), sides)).collect();
    let without: String =
        options.iter().map(|(letter, _)| *letter).filter(|letter| !"abrtvVWi".contains(*letter)).collect();
    if !without.is_empty() {
        let text = format!("MixMonitor: the options '{}' are without effect here", outside(&without));
        channel.log(Level::Notice, text);
    }
    let path = evaluating::recording_path(&mut channel, args.trimmed(0)).await;
    channel.set_variable("MIXMONITOR_FILENAME", &path);
    let mut command = args.trimmed(2).to_owned();
    if command.contains("^{") {
        command = evaluating::evaluate(&mut channel, &command.replace("^{", "${")).await?;
    }
    if channel.with_state(|state| state.is_commanded(&command)) {
        channel.log(Level::Warning, format!("MixMonitor runs no command: {CALLERS}: {}", outside(&command)));
        command.clear();
    }
    let start = TapRequest::Start {
        kind: TapKind::Mix,
        files,
        append: given('a').is_some(),
        only_bridged: given('b').is_some(),
        gains,
        command,
    };
    match channel.tap(start).await? {
        Ok(tapped) => {
            channel.set_variable("MIXMONITOR_FILENAME", tapped.files.first().map_or("", String::as_str));
            if !argument('i').is_empty() {
                channel.set_variable(argument('i'), &tapped.id.to_string());
            }
        }
        Err(why) => channel.log(Level::Warning, format!("MixMonitor: {why}")),
    }
    Ok(Outcome::Next)
}
