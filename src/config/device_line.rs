//! What a peer says of the telephone or adapter it is a line of. Which models there are is known to whoever makes their files.

use super::diagnostic::Place;
use super::mac::Mac;

/// The most lines that a device may be said to have.
pub const MAX_LINES: u8 = 99;

/// `mac=`, `device=`, `device_line=` of a peer: all peers of one address are lines of one device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceLine {
    /// `mac`: the device's hardware address, by which its files are named.
    pub mac: Option<Mac>,
    /// `device`: its model, as written.
    pub model: Option<String>,
    /// `device_line`: which of its lines, from 1; none: the first that is free.
    pub line: Option<u8>,
    /// Where the first of these options stands; none: none of them is there.
    pub place: Option<Place>,
}

impl DeviceLine {
    /// Whether the peer says anything of a device.
    pub fn is_said(&self) -> bool {
        self.place.is_some()
    }
}
