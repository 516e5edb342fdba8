//! What lines are being sent of rows of digits: a table, which [`digit_sending`](super::digit_sending) works on.

use crate::dialplan::{ChannelId, DialedDigit};
use crate::sip::timer::TimerId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The rows under way, by the channel whose telephone is sent them.
pub(super) type Sendings = BTreeMap<ChannelId, Sending>;

/// What a line is being sent.
#[derive(Debug)]
pub(super) struct Sending {
    /// What is still to be sent.
    pub rest: VecDeque<DialedDigit>,
    /// How long each digit is pressed.
    pub pressed: Duration,
    /// The pause behind each.
    pub gap: Duration,
    /// When the next is due.
    pub timer: Option<TimerId>,
    /// Whose program waits for the end.
    pub waits: Option<ChannelId>,
}
