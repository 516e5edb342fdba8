//! What a new offer in a call changes.

use crate::sdp::{Codec, Direction, MediaKind};

/// What a new offer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Puts the other side on hold.
    Hold,
    /// Ends the hold.
    Resume,
    /// Sets the direction of the audio.
    Direction(Direction),
    /// Moves RTP to this port.
    MovePort(u16),
    /// Offers only this codec.
    Codec(Codec),
    /// Offers fax instead of voice, whose line stays with port 0.
    T38,
    /// Offers fax instead of voice, in the same line.
    T38Alone,
    /// Offers voice (again), with its secondary media.
    Voice,
    /// Removes a secondary medium.
    Without(MediaKind),
    /// Adds a secondary medium.
    With(MediaKind),
    /// Repeats the last description: keeps the call alive.
    Refresh,
    /// Makes no offer: asks the other side for one.
    NoSdp,
}
