//! The console's commands: runs the line of a console, by the one table of them.

mod channel;
mod channel_detail;
mod completion;
mod core;
mod database;
mod dialplan;
mod facilities;
mod features;
mod help;
mod hint;
mod line_test;
mod logger;
mod lookup;
mod mailbox;
mod manual;
mod originate;
mod parking;
mod pattern;
mod provision;
mod quality;
mod reload;
mod reply;
mod row;
mod rtp;
mod sip;
mod sip_line;
mod sip_objects;
mod sip_peer;
mod sip_rows;
mod sip_settings;
mod sip_text;
mod subscription;
mod table;
#[cfg(test)]
mod tests;

use super::control_api::ControlApi;
use super::{escape, tokenize, wire};
use reply::Reply;

pub use completion::complete;
pub use core::CONFIGURATION;
pub use reply::{Output, SetVerbose};
pub use row::Command;
pub use table::{ALIASES, TABLE};

/// Serves one line of the control socket: a command, or a request for completions.
pub fn serve(line: &str, exchange: &mut dyn ControlApi) -> Output {
    match line.strip_prefix(wire::COMPLETE) {
        Some(open) => {
            let words = complete(open, exchange).into_iter().map(|word| word + "\n");
            Output { text: words.collect(), ..Output::default() }
        }
        None => run(line, exchange),
    }
}

/// Carries out one console line.
pub fn run(line: &str, exchange: &mut dyn ControlApi) -> Output {
    let words = tokenize::split(line).list;
    if words.is_empty() {
        return Output::default();
    }
    let typed = escape::line(line.trim());
    let Some((command, arguments)) = lookup::find(&words) else {
        let help = help::of_the_beginning(&words);
        let near = lookup::nearest(&words).map(|name| format!("Did you mean '{name}'?\n")).unwrap_or_default();
        return Output::failed(format!(
            "No such command '{typed}' (type '{help}' for other possible commands)\n{near}"
        ));
    };
    let failed = |text: String| Output::failed(format!("{text}Command '{typed}' failed.\n"));
    let output = match (command.run)(arguments, exchange) {
        Reply::Done(text) => Output { text, ..Output::default() },
        Reply::Failed(text) => failed(text),
        Reply::Usage => Output::failed(command.usage()),
        Reply::Help(words) => match help::show(&words) {
            Ok(text) => Output { text, ..Output::default() },
            Err(why) => failed(why),
        },
        Reply::NotYet => Output { not_yet: true, ..Output::default() },
        Reply::Verbose(wish) => Output { verbose: Some(wish), ..Output::default() },
    };
    Output { text: escape::lines(&output.text), ..output }
}
