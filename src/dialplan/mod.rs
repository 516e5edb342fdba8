//! The dialplan: extensions.conf as data, the search through it, and the programs that run in it, one per channel.
//!
//! The interpreter is plain data, stepped by the switch with a budget of steps a turn; only the body of an application
//! is a future. It waits in one place (a request of `handle::ChannelHandle`) and is polled when the switch has replied.

mod agi;
pub mod app;
pub mod apps;
pub mod arguments;
mod ask;
pub mod call_file;
mod chore;
mod command;
mod commanded;
pub mod database;
pub mod dial_options;
mod dial_request;
mod dial_string;
mod dialled;
pub mod digits;
pub mod diversion;
pub mod elsewhere;
mod ending;
pub mod environment;
mod evaluating;
pub mod expression;
pub mod files;
pub mod function;
pub mod functions;
pub mod handle;
pub mod handover;
mod hash;
pub mod hint;
mod journal;
mod jumps;
mod line_test_words;
mod listening;
pub mod load;

mod located;
mod lookup;
mod loops;
pub mod mailbox;
mod menu;
pub mod mid_call;
pub mod originate;
pub mod outcome;
pub mod outside;
mod parked;
pub mod pattern;
pub mod peers;
mod pick_up;
mod place;
pub mod privacy;
pub mod program;
pub mod record;
pub mod recording;
pub mod request;
pub mod say;
pub mod scope;
pub mod show;
mod speak;
mod special;
mod speech;
mod spoken;
pub mod spy;
pub mod spying;
pub mod state;
pub mod substitute;
mod suspension;
pub mod test_signal;
pub mod text_message;
mod timeouts;
pub mod timing;
pub mod tree;
mod view;

pub use dial_options::DialOptions;
pub use dial_string::DialString;
pub use digits::{DialedDigit, DigitRow, Digits};
pub use diversion::{Diversion, DiversionReason};
pub use elsewhere::Elsewhere;
pub use environment::{Environment, Globals};
pub use handle::ChannelHandle;
pub use load::{not_yet_supported, parse, parse_in};
pub use located::{HostQuery, Located};
pub use program::{Finish, Program, Progress};
pub use request::{
    AppReply, AppRequest, Cause, ChannelId, DialReport, DialRequest, DialStatus, DialTarget, HangUpRequest,
    Interrupted, LineEnd, PageReply, PageRequest, PinRequest, PinSource, PinVerdict, PlayRequest, Played, PlayedFrom,
    Position, SendDigitsRequest, Tone, UNTIL_HANGUP,
};
pub use state::CallerId;
pub use tree::{Dialplan, Existence, Found, General};
