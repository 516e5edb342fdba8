//! The dialplan: extensions.conf as data, the search through it, and the programs that run in it, one per channel.
//!
//! The interpreter is plain data, stepped by the switch with a budget of steps a turn; only the body of an application is a
//! future. It waits in one place (`line::Line::ask`) and is polled when the switch has answered.

pub mod apps;
pub mod arguments;
pub mod ask;
pub mod database;
pub mod expression;
pub mod functions;
pub mod hint;
pub mod line;
pub mod load;
pub mod pattern;
pub mod program;
pub mod show;
pub mod state;
pub mod substitute;
pub mod timing;
pub mod tree;
pub mod world;

pub use ask::{
    Ask, Cause, ChannelId, DialOptions, DialReport, DialRequest, DialStatus, DialTarget, Ended, Level, LogLine,
    Position, Reply, Tone, UNTIL_HANGUP,
};
pub use line::Line;
pub use load::parse;
pub use program::{Finish, Program, Progress};
pub use state::CallerId;
pub use tree::{Dialplan, Existence, Found, General};
pub use world::{Globals, World};
