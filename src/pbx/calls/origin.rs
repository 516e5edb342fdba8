//! What a channel is for that calls a line on behalf of the exchange.

use crate::dialplan::ChannelId;
use crate::dialplan::originate::{OriginateRequest, OriginateStatus};

/// A call that the exchange begins.
#[derive(Debug)]
pub struct Origin {
    /// What was asked for.
    pub request: OriginateRequest,
    /// Whose program waits for the outcome.
    pub asker: Option<ChannelId>,
    /// How it went, as far as that is known.
    pub status: OriginateStatus,
}
