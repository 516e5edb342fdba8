//! AGI: a script, or a server reached over TCP, steers a call by lines of text. What the lines mean is decided here; the
//! script itself runs outside of the switch.

mod command;
mod conversation;
mod media;
mod say;
mod state;
mod talk;
mod words;

pub(super) use conversation::run;
