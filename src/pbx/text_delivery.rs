//! A text message on its way to a line, as data.

use crate::clock::Wall;
use crate::dialplan::text_message::TextTarget;

/// A text message to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub target: TextTarget,
    /// The line that sent it, or began what sends it; empty: nobody's. Its share of the room is counted by this.
    pub sender: String,
    /// Who is said to send it, a name and a number.
    pub from: (String, String),
    /// What kind of text it is; empty: plain text.
    pub content_type: String,
    /// The text.
    pub body: String,
    /// When it was sent.
    pub sent: Wall,
    /// How many more times it may be sent on (RFC 3261 8.1.1.6).
    pub hops: u8,
}
