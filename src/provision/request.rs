//! What a telephone asks for, and what there is for it.

use super::mac::Mac;
use std::fmt;
use std::net::IpAddr;

/// The protocol a file is asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// TFTP (RFC 1350).
    Tftp,
    /// HTTP.
    Http,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Via::Tftp => "TFTP",
            Via::Http => "HTTP",
        })
    }
}

/// One request for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The name as it was asked for; by HTTP the path without what follows a `?`, its percent signs decoded.
    pub name: &'a str,
    /// How.
    pub via: Via,
    /// The hardware address of the one who asks, when the machine's table of neighbours (ARP) has it.
    pub mac: Option<Mac>,
    /// Its address.
    pub address: IpAddr,
    /// The address of the exchange that it asked: what files that are made for it name as the exchange.
    pub reached_at: IpAddr,
}

/// What there is for a request. Whether a file with secrets is given is decided by whoever asks the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file that is made for it.
    Made {
        /// What it consists of.
        bytes: Vec<u8>,
        /// It has passwords in it: it is given only to its device, or while the window is open.
        has_secret: bool,
        /// Whose file it is; none: any device's.
        device: Option<Mac>,
        /// What it is, for people: "its configuration", "the list of ring tones".
        what: &'static str,
    },
    /// A file of the user's.
    OnDisk {
        /// Its name in the folder, as it is written there.
        name: String,
        /// The device whose address its name has: such a file is treated as one that has passwords.
        device: Option<Mac>,
    },
    /// It is not looked for.
    Refused(Why),
    /// It is not there.
    Missing {
        /// What that means, or what to do, as the rest of a sentence after "not there, ".
        hint: Option<String>,
    },
}

/// Why a name is not looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It leads out of the folder.
    OutsideTheFolder,
    /// It names nothing.
    NoName,
    /// It is longer than [`super::file_name::MAX_NAME`].
    TooLong,
    /// It has control characters.
    Characters,
}

impl fmt::Display for Why {
    /// The rest of a sentence after "refused: ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::OutsideTheFolder => "the name leads out of the folder",
            Why::NoName => "it names no file",
            Why::TooLong => "the name is too long",
            Why::Characters => "the name has control characters",
        })
    }
}
