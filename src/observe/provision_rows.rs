//! What the console is told of telephones that fetch their files.

use std::net::IpAddr;
use std::time::Duration;

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvisionRows {
    /// Where files are served, or why not: a sentence for each protocol.
    pub services: Vec<String>,
    /// The folder of the user's own files.
    pub folder: String,
    /// How long files with passwords are given to whoever asks; none: only to their devices.
    pub open_for: Option<Duration>,
    /// Who asked for files, the latest first.
    pub devices: Vec<AskerRow>,
    /// Files that were asked for: those under way first, then the latest.
    pub transfers: Vec<TransferRow>,
    /// What was dropped, and how often.
    pub drops: Vec<(String, u64)>,
}

/// A telephone that asked for files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskerRow {
    /// Its hardware address, `0014A9BC0001`; empty: not known.
    pub mac: String,
    /// Its address.
    pub address: IpAddr,
    /// What it says it is; empty: nothing.
    pub user_agent: String,
    /// How many files it asked for.
    pub asked: u64,
    /// How many it got.
    pub got: u64,
    /// How long ago it asked for the last.
    pub ago: Duration,
    /// The name of the last.
    pub last: String,
    /// How long ago it got a file with passwords in it; none: it has not.
    pub secrets_ago: Option<Duration>,
}

/// A file that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRow {
    /// The hardware address of who asked; empty: not known.
    pub mac: String,
    /// Its address.
    pub address: IpAddr,
    /// `TFTP` or `HTTP`.
    pub via: &'static str,
    /// The file.
    pub file: String,
    /// How long ago it was asked for.
    pub ago: Duration,
    /// Bytes that arrived.
    pub bytes: u64,
    /// What became of it, in a word or two: `sending`, `given`, `not there`.
    pub state: &'static str,
}

/// What commands may see and ask of those who serve files. They may do it at any time: nothing waits.
pub trait PhoneControl {
    /// Everything there is to see.
    fn rows(&self) -> ProvisionRows;
    /// Gives files with passwords to whoever asks, for so long; none: to their devices only.
    fn open(&self, time: Option<Duration>);
}
