//! What happens to text messages (MESSAGE) outside of calls.

use crate::wording::Outside;

/// Something that happened to a text message. `line` is the name of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextEvent {
    /// A line sent one that runs in the dialplan.
    Received {
        /// Whose.
        line: String,
        /// The extension it is for.
        exten: Outside,
        /// The context.
        context: String,
    },
    /// One was not taken.
    Refused {
        /// Whose.
        line: String,
        /// Whom it is for, as it was written.
        exten: Outside,
        /// The status it was refused with.
        status: u16,
        /// Why, and what to do.
        reason: String,
    },
    /// A line has it.
    Delivered {
        /// Which.
        line: String,
        /// Who sent it.
        from: Outside,
    },
    /// It waits for its line.
    Kept {
        /// Which.
        line: String,
        /// Who sent it.
        from: Outside,
        /// Why it could not be delivered at once.
        reason: String,
    },
    /// It is lost.
    Lost {
        /// Whose it would have been.
        line: String,
        /// Who sent it.
        from: Outside,
        /// Why.
        reason: String,
    },
}
