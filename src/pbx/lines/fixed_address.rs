//! The fixed address of a peer: its servers, those to try first first, and how a request to each is addressed.

use crate::config::peer::{Peer, PeerAddress};
use crate::names::Server;
use crate::pbx::core::Core;
use crate::registrar::next_hop::target_uri;
use crate::sip::Flow;
use crate::sip::flow::Transport;
use bytes::Bytes;

/// Where a peer is when it is not registered, as far as that is known: the server to use now, and its others behind it.
pub(super) fn servers(peer: &Peer, core: &Core) -> Vec<Server> {
    match peer.host {
        PeerAddress::Static(_) | PeerAddress::Named(_) => in_order(peer, core),
        PeerAddress::Dynamic | PeerAddress::Unset => match (peer.default_addr, &peer.settings.outbound_proxy) {
            (Some(_), Some(_)) => in_order(peer, core),
            (Some(address), None) => vec![Server::new(peer.settings.transport(), address)],
            (None, _) => Vec::new(),
        },
    }
}

/// The servers that requests to a peer go to, those that failed lately last.
fn in_order(peer: &Peer, core: &Core) -> Vec<Server> {
    core.failed_servers.in_order(peer.servers(core.config.admission.names()), core.now.mono)
}

/// The way of requests to a peer: by its `outboundproxy`, and on by what its registration named.
pub(super) fn route_to(peer: &Peer, path: &[Bytes]) -> Vec<Bytes> {
    let proxy = peer.settings.outbound_proxy.iter().map(|proxy| Bytes::from(proxy.route()));
    proxy.chain(path.iter().cloned()).collect()
}

/// The same for a registered peer: where its registration leads, or its `outboundproxy`, once that is found.
pub(super) fn flow_of(peer: &Peer, registered: Flow, core: &Core) -> Flow {
    match &peer.settings.outbound_proxy {
        Some(_) => in_order(peer, core).first().map_or(registered, |server| flow_to(peer, *server, core)),
        None => registered,
    }
}

/// The first of them.
pub(super) fn server_of(peer: &Peer, core: &Core) -> Option<Server> {
    servers(peer, core).first().copied()
}

/// The Request-URI of a request to a peer's fixed address. A domain stays in it, whichever of its servers is sent to (RFC
/// 3263 4, RFC 3261 8.1.2).
pub(super) fn uri_at(peer: &Peer, user: Option<&str>, flow: Flow) -> String {
    let host = match (&peer.host, &peer.default_addr, &peer.settings.outbound_proxy) {
        (PeerAddress::Named(host), _, _) => host.to_string(),
        // What stands behind a proxy is not where the request is sent.
        (PeerAddress::Static(address), _, Some(_)) | (_, Some(address), Some(_)) => address.to_string(),
        _ => return target_uri(user, flow, false),
    };
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    match flow.transport {
        Transport::Udp => format!("sip:{user}{host}"),
        Transport::Tcp | Transport::Tls => format!("sip:{user}{host};transport={}", flow.transport.name()),
    }
}

/// The flow to a server of a peer's fixed address.
pub(super) fn flow_to(peer: &Peer, server: Server, core: &Core) -> Flow {
    let Server { transport, address } = server;
    let seen = core.config.local_towards.get(&address.ip()).copied();
    let seen = seen.unwrap_or(core.config.listening.of(transport).ip());
    let named = peer.settings.outbound_proxy.as_ref().map_or(&peer.host, |proxy| &proxy.address);
    Flow { server: named.server(), ..core.routing.over(transport, seen, address) }
}
