//! What every dialplan application is made of: its description, its arguments, and how it ends.

use super::arguments;
use super::handle::ChannelHandle;
pub use super::outcome::{AppCall, Decision, Outcome, Target};
use super::request::Interrupted;
use std::future::Future;
use std::pin::Pin;

/// A dialplan application.
pub struct App {
    /// Its name; matched without case.
    pub name: &'static str,
    /// What it does, in one line.
    pub synopsis: &'static str,
    /// Its arguments, as `core show application` prints them.
    pub syntax: &'static str,
    /// How to use it.
    pub help: &'static str,
    /// The fewest arguments that make sense.
    pub arity: usize,
    /// The body.
    pub run: fn(ChannelHandle, Args) -> Body,
}

/// A running application.
pub type Body = Pin<Box<dyn Future<Output = Result<Outcome, Interrupted>>>>;

/// The body of an application that only has something to decide, and nothing to wait for.
pub(super) fn decided(args: Args, decision: Decision) -> Body {
    Box::pin(async move { Ok(Outcome::Decide(decision, args.text)) })
}

/// An application's arguments after substitution.
#[derive(Debug, Clone, Default)]
pub struct Args {
    text: String,
    find: Option<FindApp>,
}

/// Finds an application by its name.
pub type FindApp = fn(&str) -> Option<&'static App>;

impl Args {
    /// The arguments in that text.
    pub fn new(text: &str) -> Args {
        Args { text: text.to_owned(), find: None }
    }

    /// The same, where the application may run others within itself.
    pub(super) fn with_apps(self, find: FindApp) -> Args {
        Args { find: Some(find), ..self }
    }

    /// Another application, by its name.
    pub(super) fn app(&self, name: &str) -> Option<&'static App> {
        (self.find?)(name)
    }

    /// These arguments, for an application that may run the same others.
    pub(super) fn again(&self, text: &str) -> Args {
        Args { text: text.to_owned(), find: self.find }
    }

    /// All of it, unsplit.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Split at commas, unquoted and unescaped; a missing one is empty.
    pub fn split(&self) -> arguments::Split {
        arguments::Split(arguments::split(&self.text))
    }
}
