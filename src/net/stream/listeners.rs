//! The sockets that accept connections.

use nix::libc;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// The sockets that accept connections, bound and not yet served.
pub struct Listeners {
    pub(super) tcp: Option<TcpListener>,
    pub(super) tls: Option<TcpListener>,
    pub(super) tos: u8,
}

impl Listeners {
    /// Binds them; `::` accepts both families, and IPv4 alone on a machine without IPv6.
    ///
    /// # Errors
    /// An address cannot be bound; the error comes with it.
    pub fn bind(
        tcp: Option<SocketAddr>,
        tls: Option<SocketAddr>,
        tos: u8,
    ) -> Result<Listeners, (SocketAddr, io::Error)> {
        let bind = |address: SocketAddr| listen(address, open).map_err(|error| (address, error));
        Ok(Listeners { tcp: tcp.map(bind).transpose()?, tls: tls.map(bind).transpose()?, tos })
    }

    /// Where TCP is accepted.
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Where TLS is accepted.
    pub fn tls(&self) -> Option<SocketAddr> {
        self.tls.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Is there any?
    pub fn is_empty(&self) -> bool {
        self.tcp.is_none() && self.tls.is_none()
    }
}

fn open(domain: socket2::Domain) -> io::Result<socket2::Socket> {
    socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))
}

fn listen(address: SocketAddr, open: fn(socket2::Domain) -> io::Result<socket2::Socket>) -> io::Result<TcpListener> {
    let socket = match open(socket2::Domain::for_address(address)) {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            return listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()), open);
        }
        socket => socket?,
    };
    // A restart need not wait for the connections of the one before to be forgotten.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(512)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_ipv6_listens_for_ipv4_alone() {
        let without = |domain: socket2::Domain| match domain {
            socket2::Domain::IPV6 => Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
            domain => open(domain),
        };
        let listener = listen("[::]:0".parse().unwrap(), without).unwrap();
        assert_eq!(listener.local_addr().unwrap().ip(), Ipv4Addr::UNSPECIFIED);
        assert!(std::net::TcpStream::connect(("127.0.0.1", listener.local_addr().unwrap().port())).is_ok());
        let refused = listen("[::1]:0".parse().unwrap(), without).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EAFNOSUPPORT), "one address was asked for, and it is not there");
    }
}
