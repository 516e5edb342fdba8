//! Who was refused at the ingress, and why.

use crate::clock::Wall;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How many bytes of an account name are kept and shown: the sender chooses it.
pub const MAX_ACCOUNT: usize = 64;

/// Why a request was refused, as Asterisk's security events name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenialReason {
    /// The secret is wrong.
    InvalidPassword,
    /// No account of that name is configured.
    InvalidAccountID,
    /// The source address, or the domain asked for, is refused.
    FailedACL,
    /// The digest names another user than the request.
    ChallengeResponseFailed,
}

impl DenialReason {
    /// The event's name as Asterisk's security log has it.
    pub fn name(self) -> &'static str {
        match self {
            DenialReason::InvalidPassword => "InvalidPassword",
            DenialReason::InvalidAccountID => "InvalidAccountID",
            DenialReason::FailedACL => "FailedACL",
            DenialReason::ChallengeResponseFailed => "ChallengeResponseFailed",
        }
    }
}

/// Why a request was refused, with what the administrator needs to put it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenialCause {
    /// The secret is wrong.
    WrongSecret {
        /// Where the section of the account stands.
        section: String,
    },
    /// The secret is wrong, or the configured hash was made for another name or realm.
    WrongHash {
        /// Where the section of the account stands.
        section: String,
        /// The realm it must be made for.
        realm: String,
    },
    /// The account needs no secret at its fixed address, and the request came from another address or port.
    OtherAddress {
        /// The account.
        peer: String,
        /// Where its section stands.
        section: String,
        /// Its address as configured.
        home: String,
        /// The request was a REGISTER.
        registers: bool,
    },
    /// No account of that name is configured, but one at the same address with another port.
    OtherPort {
        /// That account.
        peer: String,
        /// Where its section stands.
        section: String,
        /// Its address as configured.
        home: String,
    },
    /// A REGISTER for an account that may only call (`type=user`).
    MayNotRegister {
        /// Where the section of the account stands.
        section: String,
    },
    /// No account of that name is configured.
    UnknownAccount,
    /// The access list of `[general]` refuses the source address.
    GeneralAccessList,
    /// The access list of the account refuses the source address.
    AccessList {
        /// Where the section of the account stands.
        section: String,
    },
    /// The request asks for a domain that is not served here.
    OtherDomain,
    /// The digest names another user than the request.
    OtherUser {
        /// That user.
        username: String,
    },
}

impl DenialCause {
    /// The class it belongs to.
    pub fn reason(&self) -> DenialReason {
        match self {
            DenialCause::WrongSecret { .. } | DenialCause::WrongHash { .. } => DenialReason::InvalidPassword,
            DenialCause::UnknownAccount | DenialCause::OtherPort { .. } | DenialCause::MayNotRegister { .. } => {
                DenialReason::InvalidAccountID
            }
            DenialCause::GeneralAccessList
            | DenialCause::AccessList { .. }
            | DenialCause::OtherAddress { .. }
            | DenialCause::OtherDomain => DenialReason::FailedACL,
            DenialCause::OtherUser { .. } => DenialReason::ChallengeResponseFailed,
        }
    }
}

/// A request that was refused, and whose sender had proved its address by returning a nonce of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What was wrong.
    pub cause: DenialCause,
    /// The account it named, as sent, cut to about [`MAX_ACCOUNT`] bytes.
    pub account: String,
    /// Tells it from others; the same for a retransmission.
    pub id: String,
    /// Where it came from.
    pub source: SocketAddr,
    /// Over what.
    pub transport: String,
    /// When.
    pub at: Wall,
}

/// Something that concerns who may use the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecurityEvent {
    /// A request was refused: this may count towards a ban.
    Denied(Denial),
    /// A refusal that the administrator should know of: the first of its kind from there, or one of many since.
    DenialReported {
        /// The refusal.
        denial: Denial,
        /// For an unknown account: one whose name is much like it.
        nearest: Option<String>,
        /// How many there were since the last report; none for the first.
        repeated: Option<u64>,
    },
    /// A source that was refused under many names tries yet another: from here on they are only counted.
    NamesTried {
        /// The source.
        source: IpAddr,
        /// How many attempts there were since the last report; none for the first.
        repeated: Option<u64>,
    },
    /// An account that was refused before is authenticated now.
    Admitted {
        /// The account.
        account: String,
        /// Where it is.
        source: IpAddr,
        /// How often it was refused.
        denied: u64,
        /// For how long.
        since: Duration,
    },
}
