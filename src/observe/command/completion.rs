//! What the last word of an unfinished line may become.

use super::lookup::{find, has_prefix, next_words};
use super::row::Completion;
use crate::observe::control_api::{ControlApi, Manual};
use crate::observe::{escape, tokenize};

/// What the last word of an unfinished line may become, sorted: whole words. Empty when nothing fits.
pub fn complete(line: &str, exchange: &dyn ControlApi) -> Vec<String> {
    let mut words = tokenize::split(line);
    let open = if words.is_open { words.list.pop().unwrap_or_default() } else { String::new() };
    let mut found = next_words(&words.list);
    if let Some((command, arguments)) = find(&words.list) {
        match command.complete {
            [Completion::Command] => found.extend(next_words(arguments)),
            each => found.extend(each.get(arguments.len()).into_iter().flat_map(|one| candidates(*one, exchange))),
        }
    }
    found.retain(|candidate| has_prefix(candidate, &open));
    found.sort();
    found.dedup();
    found
}

/// Every word the argument may be.
fn candidates(argument: Completion, exchange: &dyn ControlApi) -> Vec<String> {
    match argument {
        Completion::Word(words) => words.split(' ').map(str::to_owned).collect(),
        Completion::NotifyType => exchange.notify_types(),
        Completion::Peer => exchange.peers().into_iter().map(|peer| escape::line(&peer.name)).collect(),
        Completion::Channel => exchange.channels().into_iter().map(|channel| escape::line(&channel.name)).collect(),
        Completion::Application => {
            exchange.manual(Manual::Applications).iter().map(|page| page.name.to_owned()).collect()
        }
        Completion::Function => exchange.manual(Manual::Functions).iter().map(|page| page.name.to_owned()).collect(),
        Completion::Command => next_words(&[]),
        Completion::Context => exchange.contexts().iter().map(|context| escape::line(context)).collect(),
    }
}
