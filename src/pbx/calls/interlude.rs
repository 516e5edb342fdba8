//! What is kept of a channel while another program than its own runs on it, in the middle of a call: an interlude. What is
//! done with it stands in `interludes`, how it ends in `interlude_end`.

use super::code_watch::CodeWatch;
use super::dial::Connected;
use crate::dialplan::{ChannelId, Program};

/// One interlude.
pub struct Interlude {
    /// Who waits meanwhile.
    pub partner: ChannelId,
    /// The line that is consulted waits, and whoever waited for that is talked to.
    pub swapped: bool,
    /// What it is for.
    pub purpose: Purpose,
    /// The channel's own program.
    pub program: Option<Program>,
    /// The Dial that its program waits for, when it is a caller.
    pub connected: Option<Box<Connected>>,
    /// Its codes.
    pub watch: Option<Box<CodeWatch>>,
}

/// What an interlude is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The other goes on at a number of this context.
    BlindTransfer(String),
    /// A number of this context is called and talked to first.
    Consultation(String),
    /// The place of the other is said, and then this one hangs up.
    SayPlace,
    /// An application runs; then both talk again.
    Application,
    /// Nobody waits: who transferred this one has hung up, and lines are called for it until one answers.
    Recall,
}

/// An interlude that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Who waited.
    pub partner: ChannelId,
    /// What it was for.
    pub purpose: Purpose,
    /// The number that was typed; empty: none.
    pub number: String,
    /// Lines that were being called.
    pub branches: Vec<ChannelId>,
}

impl Interlude {
    /// Is a line called and talked to first?
    pub fn consults(&self) -> bool {
        matches!(self.purpose, Purpose::Consultation(_))
    }
}
