//! How addresses, states and flags of peers are written on the console, and read from it.

use std::net::{IpAddr, SocketAddr};

use crate::observe::escape::{line, yes_no};
use crate::observe::snapshot::{NatFlag, PeerStatus, SecondaryMedia};

/// An address as it is typed, with or without a port.
pub(super) fn address(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok((ip, None));
    }
    match text.parse::<SocketAddr>() {
        Ok(whole) => Ok((whole.ip(), Some(whole.port()).filter(|port| *port != 0))),
        Err(_) => Err(format!("'{}' is not an IP address; write it as '192.0.2.7' or '192.0.2.7:5060'.\n", line(text))),
    }
}

/// The same as it is shown.
pub(super) fn shown(ip: IpAddr, port: Option<u16>) -> String {
    port.map_or(ip.to_string(), |port| SocketAddr::new(ip, port).to_string())
}

/// `OK (12 ms)` and the like.
pub(super) fn status(status: PeerStatus) -> String {
    match status {
        PeerStatus::Unmonitored => "Unmonitored".to_owned(),
        PeerStatus::Unknown => "UNKNOWN".to_owned(),
        PeerStatus::Ok(ms) => format!("OK ({ms} ms)"),
        PeerStatus::Lagged(ms) => format!("LAGGED ({ms} ms)"),
        PeerStatus::Unreachable => "UNREACHABLE".to_owned(),
    }
}

/// `Auto (Yes)` and the like.
pub(super) fn nat(flag: NatFlag) -> &'static str {
    match flag {
        NatFlag::Yes => "Yes",
        NatFlag::No => "No",
        NatFlag::AutoYes => "Auto (Yes)",
        NatFlag::AutoNo => "Auto (No)",
    }
}

/// Whether there is T.38; when there is, its error correction; and its largest datagram, when one is configured.
pub(super) fn t38(media: &SecondaryMedia) -> Vec<String> {
    let Some(t38) = &media.t38 else { return vec![yes_no(false).to_owned()] };
    let largest = t38.max_datagram.map(|bytes| bytes.to_string());
    [yes_no(true).to_owned(), t38.correction.clone()].into_iter().chain(largest).collect()
}
