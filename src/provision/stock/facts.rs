//! What making a file needs to know of the exchange, and a file that is made.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// What files say of the exchange and of where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The exchange's address as the device reaches it.
    pub address: IpAddr,
    /// The TFTP port, if it is not the usual one.
    pub tftp_port: u16,
    /// The HTTP port; none: no HTTP.
    pub http_port: Option<u16>,
    /// Names of the user's own files in the provisioning folder, in lower case.
    pub own_files: BTreeSet<String>,
}

impl Facts {
    /// For files that are compared with each other and given to nobody.
    pub(super) fn of_nobody() -> Facts {
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Facts { address, tftp_port: TFTP_PORT, http_port: None, own_files: BTreeSet::new() }
    }
}

/// TFTP's port (RFC 1350).
pub const TFTP_PORT: u16 = 69;

/// A file that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Its name; empty: it is shown to people and given to no device.
    pub name: String,
    /// What it is, for people.
    pub what: &'static str,
    /// What it consists of.
    pub bytes: Vec<u8>,
    /// A password stands in it.
    pub has_secret: bool,
}
