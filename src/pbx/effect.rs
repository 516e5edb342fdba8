//! What comes into the switch and what comes out of it, as values.

use super::cdr::Cdr;
use super::media::{MediaCommand, MediaEvent};
use super::outside::{OutsideOrder, OutsideReport};
use super::sounds::{SoundOrder, SoundReply};
use crate::event::{Event, LineQuality};
use crate::guard::admission::Caller;
use crate::registrar::location::Binding;
use crate::sip::Flow;
use crate::sip::flow::ConnectionId;
use crate::sip::message::{Request, Response};
use crate::sip::transaction::{ReferenceChange, Transmit};
use crate::sip::validate::Essentials;
use smol_str::SmolStr;

/// Something that happened outside the switch.
pub enum Input {
    /// A request that passed the ingress.
    Request {
        /// The request as received.
        request: Request,
        /// Its mandatory headers, read.
        essentials: Essentials,
        /// Who sent it, as the ingress found out.
        caller: Caller,
        /// Over what it came: from where, and to which address of ours.
        flow: Flow,
    },
    /// A well-formed response.
    Response {
        /// The response as received.
        response: Response,
        /// Its mandatory headers, read.
        essentials: Essentials,
        /// Over what it came.
        flow: Flow,
    },
    /// The media thread reports.
    Media(MediaEvent),
    /// What a program had done outside has come to its end.
    Outside(OutsideReport),
    /// Sounds that were ordered are there, or known to be missing.
    Sounds(SoundReply),
    /// A message could not be sent: the system refused it, or the connection is gone or cannot be had.
    SendFailed {
        /// The way it was to go.
        flow: Flow,
        /// Why, for the log.
        why: String,
    },
    /// A connection the switch knows of is closed, by whichever side.
    Closed {
        /// Which.
        flow: Flow,
        /// Why, for the log.
        why: String,
    },
    /// Time has passed; whatever is due is done.
    Tick,
}

/// What the switch wants done, in the order of each list.
#[derive(Default)]
pub struct Effects {
    /// Messages to send.
    pub transmit: Vec<Transmit>,
    /// Commands to the media thread.
    pub media: Vec<MediaCommand>,
    /// What programs have done outside of the switch.
    pub outside: Vec<OutsideOrder>,
    /// Sounds to find and read.
    pub sounds: Vec<SoundOrder>,
    /// What happened, for the log, the console, and whoever else wants to know.
    pub events: Vec<Event>,
    /// What must outlive a restart: stored before the datagrams are sent.
    pub store: Vec<StoreOrder>,
    /// Connections on which somebody proved who he is, by a digest that was not used before, the tags of a live call, or
    /// as a peer at its fixed address that needs none.
    pub proven: Vec<ConnectionId>,
    /// Connections of guests, and of peers without secret and fixed address, who were let in: they are strangers', and not
    /// closed for want of a digest.
    pub guests: Vec<ConnectionId>,
    /// What a message can name of ours from now on, and what no more: in force before anything of this is sent.
    pub references: Vec<ReferenceChange>,
}

/// Something to keep.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreOrder {
    /// These are a peer's bindings now, the newest last; none: it is not registered any more.
    Bindings {
        /// Whose.
        peer: SmolStr,
        /// All of them.
        bindings: Vec<Binding>,
    },
    /// An entry of the key/value database.
    Value {
        /// Its full name, `/family/key`.
        path: String,
        /// What it is now; `None`: it is gone.
        value: Option<String>,
    },
    /// A subscription.
    Subscription {
        /// Our tag in its dialog, which no other has.
        tag: SmolStr,
        /// All of it, as [`crate::pbx::subscriptions`] writes it; `None`: it is over.
        text: Option<String>,
    },
    /// A call is over.
    Call(Box<Cdr>),
    /// The ports of a line's sound are closed.
    Line(Box<LineQuality>),
}
