//! What a simulated phone reports.

use std::net::SocketAddr;

/// What happened to a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneEvent {
    /// It is registered for this many seconds.
    Registered {
        /// The seconds granted.
        expires: u32,
    },
    /// It is no longer registered, as it asked.
    Unregistered,
    /// Its registration was refused (408: no response).
    RegisterRefused(u16),
    /// Its text message was answered (408: no response).
    TextAnswered(u16),
    /// It received a text message that says this; once more for each repetition outside of a call.
    TextReceived(String),
    /// It is called.
    Called {
        /// The caller's number.
        from: String,
        /// The number in the Request-URI.
        number: String,
    },
    /// The phone it calls rings.
    Ringing,
    /// The phone it calls sends early media.
    Progress,
    /// The call is established: the other side answered, or acknowledged this side's answer.
    Answered,
    /// Its call was refused (408: no response).
    Failed(u16),
    /// RTP is to be sent to this address from now on. Reported after every agreement, changed or not.
    MediaAt(SocketAddr),
    /// No RTP is to be sent: the other side holds the call.
    OnHold,
    /// The other side made a new offer, and this one accepted it.
    Renegotiated,
    /// The other side accepted this side's new offer, or UPDATE.
    RenegotiationAccepted,
    /// The other side refused it; the call goes on as it was.
    RenegotiationRefused(u16),
    /// The call is over, whoever ended it.
    Ended,
}
