//! A request of ours was asked for a password (401, 407), and that was the end of it.

use crate::wording::Outside;
use std::net::{IpAddr, SocketAddr};

/// A challenge that is not answered, or whose answer was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeEvent {
    /// The peer, or the registration.
    pub whose: String,
    /// The method of our request.
    pub method: String,
    /// Who asks.
    pub address: SocketAddr,
    /// 401 or 407.
    pub status: u16,
    /// The realm it names; empty: none that can be read.
    pub realm: Outside,
    /// Why there is no answer.
    pub reason: ChallengeFailure,
}

/// Why a challenge is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChallengeFailure {
    /// It was answered, and the answer is refused.
    Refused {
        /// The user it was answered for.
        user: String,
        /// The option the password stands in, and where.
        option: String,
    },
    /// There is no password for it.
    NoPassword {
        /// Where one would stand.
        section: String,
    },
    /// Only the hash of a password is configured, and it serves another realm or algorithm.
    HashDoesNotServe {
        /// The option it stands in, and where.
        option: String,
    },
    /// It comes from elsewhere than the request was sent to.
    FromElsewhere {
        /// Where the request was sent.
        sent_to: SocketAddr,
    },
    /// It comes from an address that is not the peer's, for a realm that the peer never named.
    NotItsRealm {
        /// Where the peer's section stands.
        section: String,
    },
    /// It is for our own realm, and the password is the one that the peer proves itself with to us.
    OurOwnRealm {
        /// Where the peer's section stands.
        section: String,
    },
    /// The password stands in a dial string, and was written for another place.
    NotDialled {
        /// That place.
        home: IpAddr,
    },
    /// The line is not registered where it was asked.
    NotRegistered,
    /// No algorithm or quality of protection that is known is offered, or nothing of it can be read.
    Unknown,
    /// It is longer than anything that is answered.
    TooLong {
        /// The most that is, in bytes.
        most: usize,
    },
    /// It was answered as often as a request may be.
    TooOften,
}
