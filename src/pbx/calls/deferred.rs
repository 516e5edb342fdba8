//! What a `Dial` leaves to others, who know it: done in the same turn, before anything else that happened.

use super::interlude::Finished;
use crate::dialplan::{CallerId, ChannelId, DialStatus, Position};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deferred {
    /// A line is about to be called, and something runs on its channel first: the caller, and the line.
    BeforeCall(ChannelId, ChannelId),
    /// A line has answered, and something is done on its channel first.
    AfterAnswer(ChannelId, ChannelId),
    /// A call that the exchange began was answered by this line.
    Originated(ChannelId, ChannelId),
    /// A line that answered goes on in the dialplan by itself, from there; who called it.
    Apart(ChannelId, Position, Box<CallerId>),
    /// A channel in an interlude has hung up: its name, what the interlude was, and the line that it consulted.
    Left(String, Finished, Option<ChannelId>),
    /// Who waits for a channel in an interlude has hung up.
    Forsaken(ChannelId),
    /// Somebody has answered whom a channel calls that was left by who transferred it.
    Recalled(ChannelId),
    /// A call that the exchange began failed.
    NotOriginated(ChannelId, DialStatus),
    /// A channel did not arrive where a telephone transferred it to: the SIP status that says why.
    TransferFailed(ChannelId, u16),
    /// A telephone has answered for the page of that channel: the channel, and the line.
    PageJoined(ChannelId, ChannelId),
    /// One that was called for its page is called no more, or has left it.
    PageLeft(ChannelId),
    /// The channel that began a page has ended, or goes on elsewhere.
    PageOver(ChannelId),
    /// A channel that listens to another one has ended or goes on elsewhere, or that one has ended.
    SpyOver(ChannelId),
    /// The program of the channel of that name is gone without having come to its end: its locks are free.
    Unlock(String),
}
