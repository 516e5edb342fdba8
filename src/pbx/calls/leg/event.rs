//! What happens on a leg, as its call learns it.

use crate::sdp::Sdp;
use crate::sip::Uri;
use crate::sip::transaction::ServerId;
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// What happened on a leg.
#[derive(Debug, Clone, PartialEq)]
pub enum LegEvent {
    /// The called line sent a provisional response above 100, perhaps with a description of its early media.
    Provisional(u16, Option<Sdp>),
    /// The called line answered; the ACK is sent. `None`: its description could not be read.
    Answered(Option<Sdp>),
    /// The called line will not answer.
    Failed(Refusal),
    /// The called line redirects the call (3xx): the status, its reason phrase, the targets, the preferred one first.
    Redirected(u16, String, Vec<Uri>),
    /// The caller acknowledged our answer; with its own answer when we made the offer.
    Confirmed(Option<Sdp>),
    /// The peer makes a new offer (or asks for ours) on an established leg: accept or refuse it.
    OfferReceived(Option<Sdp>),
    /// The peer accepted our new offer.
    OfferAccepted(Option<Sdp>),
    /// The peer refused our new offer; the old agreement stands.
    OfferRefused(u16),
    /// The peer sends information (INFO) that somebody has to answer.
    InfoReceived(ServerId),
    /// The peer asks that whom it talks to calls somebody else (REFER), and waits for the answer.
    ReferReceived(ServerId),
    /// The peer hangs up, and asks that whom it talks to calls there (BYE with Also): the text of it.
    Also(Bytes),
    /// What came of our own REFER: the final status.
    Referred(u16),
    /// The peer is reached elsewhere now, as proved; it was at this address.
    Moved(SocketAddr),
    /// The leg is over by the peer's doing or by the network's; nothing more will come.
    Ended(Ending),
}

/// Why a called line will not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It refused: the status, its reason phrase.
    Status(u16, String),
    /// Its server is out of service or overloaded (503): the reason phrase, and how long it asks to be left alone.
    Unavailable(String, Option<Duration>),
    /// No response came.
    Silent,
    /// The system refused to send to it: why.
    Unsendable(String),
}

/// How a leg came to its end from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The caller gave up before the answer.
    Cancelled,
    /// The peer hung up.
    Bye,
    /// Our answer was never acknowledged (RFC 3261 13.3.1.4).
    NotAcked,
    /// It acknowledged our offer without an answer that can be used (RFC 3261 13.2.1).
    Undescribed,
    /// The peer does not know the dialog any more, or answers nothing (RFC 3261 12.2.1.2).
    Gone,
    /// The peer was to refresh the call and did not (RFC 4028 10).
    Expired,
}
