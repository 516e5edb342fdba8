//! The fixed address of a peer: its servers, those to try first first, and how a request to each is addressed.

use crate::config::peer::{Peer, PeerAddress};
use crate::names::Server;
use crate::pbx::core::Core;
use crate::registrar::next_hop::target_uri;
use crate::sip::Flow;
use crate::sip::flow::Transport;

/// Where a peer is when it is not registered, as far as that is known: the server to use now, and its others behind it.
pub(super) fn servers(peer: &Peer, core: &Core) -> Vec<Server> {
    match peer.host {
        PeerAddress::Static(_) | PeerAddress::Named(_) => {
            core.failed_servers.in_order(peer.servers(core.config.admission.names()), core.now.mono)
        }
        PeerAddress::Dynamic | PeerAddress::Unset => {
            peer.default_addr.map(|address| Server::new(peer.settings.transport(), address)).into_iter().collect()
        }
    }
}

/// The first of them.
pub(super) fn server_of(peer: &Peer, core: &Core) -> Option<Server> {
    servers(peer, core).first().copied()
}

/// The Request-URI of a request to a peer's fixed address. A domain stays in it, whichever of its servers is sent to (RFC
/// 3263 4, RFC 3261 8.1.2).
pub(super) fn uri_at(peer: &Peer, user: Option<&str>, flow: Flow) -> String {
    let PeerAddress::Named(host) = &peer.host else { return target_uri(user, flow, false) };
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
    Flow { server: peer.host.server(), ..core.routing.over(transport, seen, address) }
}
