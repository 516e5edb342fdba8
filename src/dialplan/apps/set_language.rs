//! `SetLanguage`: sets the language spoken to the channel.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetLanguage",
    synopsis: "Sets the language spoken to the channel (old: write Set(CHANNEL(language)=language))",
    syntax: "SetLanguage(language)",
    help: "As Set(CHANNEL(language)=language).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CHANNEL(language)".to_owned(), args.to_owned())])
}
