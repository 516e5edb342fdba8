//! `SetMusicOnHold`: sets the class of music of the channel.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetMusicOnHold",
    synopsis: "Sets the class of music of the channel (old: write Set(CHANNEL(musicclass)=class))",
    syntax: "SetMusicOnHold(class)",
    help: "As Set(CHANNEL(musicclass)=class).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CHANNEL(musicclass)".to_owned(), args.to_owned())])
}
