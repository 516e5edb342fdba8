//! The lines of a description that name the exchange.

use super::line::{SdpLine, network};
use super::media_kind::MediaKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Our own lines of a description: `o=`, `c=`, the ports, and `s=` where the whole description is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// The user of `o=` (`sdpowner=`).
    pub user: String,
    /// The text of `s=` (`sdpsession=`), used only where the whole description is ours.
    pub session_name: String,
    /// The id of `o=`: one number for the life of a dialog.
    pub id: u64,
    /// The version of `o=`: one more than the last time whenever anything else differs (RFC 3264 section 8).
    pub version: u64,
    /// The exchange's own address, for `o=`.
    pub addr: IpAddr,
    /// The address for media, for `c=`: the exchange's, or the other phone's with direct media.
    pub media_addr: IpAddr,
    /// The port there.
    pub rtp_port: u16,
    /// The RTCP port when it is not the one above RTP; then it is written as `a=rtcp`.
    pub rtcp_port: Option<u16>,
    /// The addresses for secondary media (all but voice); a medium without one is refused.
    pub secondary: Vec<(MediaKind, SocketAddr)>,
}

impl LocalMedia {
    pub(super) fn origin_line(&self) -> SdpLine {
        // A configured name with a space would shift every field after it.
        let user: String = self.user.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let user = if user.is_empty() { "-".to_owned() } else { user };
        SdpLine::made(format!("o={user} {} {} {}", self.id, self.version, network(self.addr)))
    }

    pub(super) fn name_line(&self) -> SdpLine {
        let name: String = self.session_name.chars().filter(|c| !c.is_control()).collect();
        // RFC 8866 section 5.3: a description without a name has `-`.
        SdpLine::made(format!("s={}", if name.is_empty() { "-" } else { &name }))
    }

    /// The `c=` line. An address that was 0.0.0.0 stays so: it is the old form of hold.
    pub(super) fn connection_line(&self, was: Option<IpAddr>) -> SdpLine {
        let addr = match was {
            Some(addr) if addr.is_unspecified() => self.unspecified(),
            Some(_) | None => self.media_addr,
        };
        SdpLine::made(format!("c={}", network(addr)))
    }

    pub(super) fn rtcp_line(&self) -> Option<SdpLine> {
        self.rtcp_port.map(|port| SdpLine::made(format!("a=rtcp:{port}")))
    }

    fn unspecified(&self) -> IpAddr {
        match self.media_addr {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}
