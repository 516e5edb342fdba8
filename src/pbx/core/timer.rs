//! Every timer of the switch, as one enum; transactions keep their own.

use crate::dialplan::ChannelId;
use crate::pbx::media::StreamId;
use std::sync::Arc;

/// Names a leg for as long as the exchange runs; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

/// Names a subscription for as long as the exchange runs; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// Whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {
    /// Something of a call.
    Call(CallTimer),
    /// Something of a line.
    Line(LineTimer),
    /// Something of a subscription.
    Subscription(SubscriptionId, SubscriptionTimer),
}

/// The timers of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionTimer {
    /// Its time is over.
    Expired,
    /// A NOTIFY that was refused for a while is tried again.
    Retry,
}

/// The timers of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallTimer {
    /// One of a leg's timers.
    Leg(LegId, LegTimer),
    /// A `Wait` of a channel's program is over.
    Wait(ChannelId),
    /// No digit came to a channel's program in time.
    Digit(ChannelId),
    /// The next of the digits that a channel's telephone is sent is due.
    Sending(ChannelId),
    /// A channel's call has lasted as long as `TIMEOUT(absolute)` allows.
    TimeLimit(ChannelId),
    /// A `Dial` of a channel's program has rung long enough.
    Dial(ChannelId),
    /// A line that a channel's `Dial` calls described its early media, and sent none for a while.
    Soundless(ChannelId),
    /// A telephone has waited long enough for where it transferred this channel.
    TransferLimit(ChannelId),
    /// A telephone whose transfer went well has had time to hang up.
    Transferred(ChannelId),
    /// A warning of the end of a called line's call is due.
    Warning(ChannelId),
    /// A called line's call has lasted as long as its `Dial` allows.
    Limit(ChannelId),
    /// Nothing has been heard of a stream: its call is looked at.
    Silence(StreamId),
    /// The next digit of a code that a channel's telephone presses does not come.
    Code(ChannelId),
    /// A channel was answered a while ago: does its sound arrive?
    Sound(ChannelId),
}

/// The timers of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineTimer {
    /// A peer's qualify has something to do.
    Qualify(String),
    /// A peer's `keepalive=` is due.
    Keepalive(String),
    /// A registration of ours is to be sent, by its name.
    Registration(Arc<str>),
    /// A mailbox of ours elsewhere is to be subscribed to, by its name.
    Mailbox(Arc<str>),
    /// A binding may have expired.
    Registrations,
}

/// The timers of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegTimer {
    /// Send the 2xx again.
    Ok,
    /// No ACK for 64*T1.
    OkGiveUp,
    /// No final response for 64*T1 after CANCEL (RFC 3261 9.1).
    CancelGiveUp,
    /// Not one response to our INVITE.
    Silence,
    /// Try the refused re-INVITE again (RFC 3261 14.1).
    Glare,
    /// The call is to be refreshed, or was not (RFC 4028).
    SessionTimer,
}
