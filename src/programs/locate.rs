//! Where a host is that a `Dial` names and that has no section of its own.

use crate::dialplan::Located;
use crate::dialplan::elsewhere::address;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// How long a look-up takes at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first address of a host, IPv4 before IPv6, and which of ours is seen from there.
pub(super) async fn locate(host: &str) -> Result<Located, String> {
    let address = match address(host) {
        Some(address) => address,
        None => look_up(host).await?,
    };
    Ok(Located { address, seen: seen_from(address) })
}

async fn look_up(host: &str) -> Result<IpAddr, String> {
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, 0))).await;
    let found = found.map_err(|_| "the name servers do not answer".to_owned())?;
    let mut all: Vec<IpAddr> = found.map_err(|error| error.to_string())?.map(|at| at.ip()).collect();
    all.sort_by_key(|ip| !ip.is_ipv4());
    all.first().copied().ok_or_else(|| "it has no address".to_owned())
}

/// The address that the system would send from: a connected UDP socket knows it, and nothing is sent.
fn seen_from(address: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(address, 9)).ok()?;
    socket.local_addr().ok().map(|own| own.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_look_up_and_loopback_sees_loopback() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(locate("127.0.0.1")).unwrap();
        let own = IpAddr::from(Ipv4Addr::LOCALHOST);
        assert_eq!((found.address, found.seen), (own, Some(own)));
        assert!(runtime.block_on(locate("no-such-host.invalid")).is_err());
    }
}
