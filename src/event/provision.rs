//! Telephones that fetch their files.

use crate::wording::Outside;
use std::net::IpAddr;
use std::time::Duration;

/// A file was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionEvent {
    /// The hardware address of who asked, as the files of Cisco telephones have it (`0014A9BC0001`); none: not known.
    pub mac: Option<String>,
    /// Its address.
    pub address: IpAddr,
    /// `TFTP` or `HTTP`.
    pub via: &'static str,
    /// What it says it is.
    pub user_agent: Option<Outside>,
    /// The file, as it was asked for.
    pub file: Outside,
    /// What came of it.
    pub outcome: FileOutcome,
}

/// What came of a request for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOutcome {
    /// It was given.
    Given(Given),
    /// It was not given to its end.
    Broken {
        /// Bytes that had arrived.
        bytes: u64,
        /// Why.
        reason: BrokenOff,
    },
    /// It is not there.
    Missing {
        /// What that means, or what to do.
        hint: Option<String>,
    },
    /// It has passwords in it, and who asked is not known to be its device.
    Withheld {
        /// The device, when it is one's.
        device: Option<String>,
    },
    /// It is not looked for: why.
    Refused(String),
}

/// A file that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// What it is, when it was made here.
    pub what: Option<&'static str>,
    /// Its length.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
    /// Packets that had to be sent more than once.
    pub repeated: u32,
    /// The last block was not acknowledged: many telephones leave that out.
    pub unconfirmed: bool,
    /// It has passwords in it.
    pub has_secret: bool,
}

/// Why a file did not arrive whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokenOff {
    /// Nothing was ever acknowledged: a firewall may be between, or the sender was forged.
    NeverAcknowledged,
    /// The telephone fell silent.
    Silent,
    /// The telephone ended it, with what it said. Often it wanted the length alone.
    Ended(Outside),
    /// The file cannot be read: why.
    Unreadable(String),
}
