//! What becomes of our own registrations at providers (`register =>`, `callbackextension=`).

use crate::wording::Outside;
use std::net::SocketAddr;
use std::time::Duration;

/// Something that happened to a registration of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationEvent {
    /// The user that is registered.
    pub user: String,
    /// The host it is registered at, as the configuration has it.
    pub host: String,
    /// Where its line stands.
    pub place: String,
    /// What happened.
    pub what: RegistrationNews,
}

/// What happened to a registration of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationNews {
    /// It is registered; `is_new`: it was not before.
    Registered {
        /// Where.
        address: SocketAddr,
        /// For how long.
        granted: Duration,
        /// When it is registered again.
        next: Duration,
        /// It was not registered before.
        is_new: bool,
    },
    /// It is registered no more, as we asked.
    Unregistered,
    /// Nobody answered.
    TimedOut {
        /// How many REGISTERs in a row have failed.
        attempt: u32,
        /// When it is tried again; none: never.
        next: Option<Duration>,
    },
    /// The request could not be sent.
    NotSent {
        /// Why.
        reason: String,
        /// When it is tried again; none: never.
        next: Option<Duration>,
    },
    /// The host name leads to no address yet.
    Unresolved {
        /// When it is tried again.
        next: Duration,
    },
    /// It was refused.
    Refused {
        /// With this status.
        status: u16,
        /// In these words.
        words: Outside,
        /// When it is tried again; none: never.
        next: Option<Duration>,
        /// Failed so often that `registerattempts=` is used up.
        used_up: bool,
    },
    /// It was refused as too short (423), and is asked for longer.
    TooBrief {
        /// The shortest that is granted.
        least: Duration,
        /// Why it is given up; none: it is asked for longer.
        given_up: Option<GivenUp>,
    },
}

/// Why a registration is not asked for longer, though the shorter one was refused (423).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// The refusal names no time.
    Unsaid,
    /// It is longer than `maxexpiry=` allows.
    TooLong,
    /// Each longer one was refused, too.
    TooOften,
}
