//! The registrations of ours that sip.conf asks for, when all of its sections are known.

use super::builder::settle;
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::general::General;
use crate::config::mailbox_line::MailboxLine;
use crate::config::peer::{OutboundProxy, Peer, PeerAddress};
use crate::config::register_line::{RegisterLine, Written};
use crate::sip::flow::Transport;
use std::collections::BTreeMap;
use std::sync::Arc;

type Peers = BTreeMap<String, Arc<Peer>>;

/// Those of the `register` lines and of `callbackextension=`, each once.
pub(super) fn all(
    written: Vec<(Place, Written)>,
    peers: &Peers,
    general: &General,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Arc<RegisterLine>> {
    let mut lines: Vec<RegisterLine> = Vec::new();
    let of_lines: Vec<RegisterLine> =
        written.into_iter().map(|(place, line)| finish(place, line, peers, general, diagnostics)).collect();
    let of_peers = peers.values().filter_map(|peer| of_peer(peer, diagnostics)).collect::<Vec<_>>();
    for mut line in of_lines.into_iter().chain(of_peers) {
        line.proxy = proxy(&line, peers, general);
        if let Some(first) = lines.iter().find(|first| first.id == line.id) {
            let say =
                format!("'{}@{}' is registered by {} already: the line is ignored", line.user, line.host, first.place);
            let hint = "take one of them out, or give it another extension";
            diagnostics.push(Diagnostic::warning(line.place.clone(), say).hint(hint));
        } else {
            lines.push(line);
        }
    }
    lines.into_iter().map(Arc::new).collect()
}

/// The proxy that a line is registered by: that of its section, else that of `[general]`, which a section with an address may
/// have renounced.
fn proxy(line: &RegisterLine, peers: &Peers, general: &General) -> Option<OutboundProxy> {
    let peer = line.peer.as_ref().and_then(|name| peers.get(name));
    let own = peer.and_then(|peer| peer.settings.outbound_proxy.clone());
    if own.is_some() || peer.is_some_and(|peer| peer.host.is_fixed()) {
        return own;
    }
    let mut proxy = general.defaults.outbound_proxy.clone()?;
    settle(&mut proxy, general);
    Some(proxy)
}

/// What providers call the peers by whose accounts are registered: the user and the extension of each line.
pub(super) fn name_peers(lines: &[Arc<RegisterLine>], peers: &mut Peers) {
    for line in lines {
        let Some(peer) = line.peer.as_ref().and_then(|name| peers.get_mut(name)) else { continue };
        let peer = Arc::make_mut(peer);
        for word in line.named_extension().into_iter().chain([line.user.as_str()]) {
            if !peer.is_called_as(word) {
                peer.registered_as.push(word.to_owned());
            }
        }
    }
}

/// A `register` line with the section it belongs to: the one it names, the one whose name its host is, or the one with the
/// same host.
fn finish(
    place: Place,
    mut line: Written,
    peers: &Peers,
    general: &General,
    diagnostics: &mut Vec<Diagnostic>,
) -> RegisterLine {
    if let Some(name) = line.peer.take_if(|name| !peers.contains_key(name)) {
        let say = format!("there is no section '{name}': what stands before '?' is ignored");
        let hint = "write the name of a peer's section, or take it out with the '?'";
        diagnostics.push(Diagnostic::warning(place.clone(), say).hint(hint));
    }
    let named = peers.get(&line.host).filter(|peer| peer.host.is_fixed() && line.port.is_none());
    if let Some(peer) = named {
        line.peer.get_or_insert_with(|| peer.name.clone());
    }
    let of_section = line.peer.as_ref().and_then(|name| peers.get(name));
    let default = |peer: Option<&Arc<Peer>>| peer.map_or(&general.defaults, |peer| &peer.settings).transport();
    let pinned = match line.transport {
        Some(transport) => vec![transport],
        None => of_section.map_or(&general.defaults, |peer| &peer.settings).transports.clone(),
    };
    let mut line = line.finish(place, &pinned, &general.transports(), general.srv_lookup);
    if let Some(peer) = named {
        line.address = peer.host.clone();
        line.host = host_of(&peer.host);
    }
    if line.peer.is_none() {
        // Two accounts with one provider have one host: the section of the same user comes first.
        let here = |peer: &&Arc<Peer>| is_same_host(&peer.host, &line.address);
        let same = peers.values().filter(here).find(|peer| peer.is_called_as(&line.user));
        line.peer = same.or_else(|| peers.values().find(here)).map(|peer| peer.name.clone());
    }
    let peer = line.peer.as_ref().and_then(|name| peers.get(name));
    // Of a section's own transport it is said at the section.
    if line.transport.is_some() || peer.is_none() {
        is_off(line.transport.unwrap_or_else(|| default(peer)), &line.place, general, diagnostics);
    }
    line
}

/// Those of the `mwi` lines, each once.
pub(super) fn mailboxes(
    written: Vec<(Place, Written, String)>,
    peers: &Peers,
    general: &General,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Arc<MailboxLine>> {
    let mut all: Vec<Arc<MailboxLine>> = Vec::new();
    for (place, line, mailbox) in written {
        let mut account = finish(place, line, peers, general, diagnostics);
        account.proxy = proxy(&account, peers, general);
        account.id = format!("mwi:{}@{}/{mailbox}", account.user, account.host);
        match all.iter().find(|first| first.account.id == account.id) {
            Some(first) => {
                let say =
                    format!("mailbox '{mailbox}' is asked for by {} already: the line is ignored", first.account.place);
                diagnostics.push(Diagnostic::warning(account.place, say).hint("take one of them out"));
            }
            None => all.push(Arc::new(MailboxLine { account: Arc::new(account), mailbox })),
        }
    }
    all
}

/// What `callbackextension=` of a peer asks for.
fn of_peer(peer: &Peer, diagnostics: &mut Vec<Diagnostic>) -> Option<RegisterLine> {
    let extension = peer.callback_extension.clone()?;
    if !peer.host.is_fixed() {
        let say = format!("'callbackextension' of peer '{}' has no effect: nobody knows where to register", peer.name);
        diagnostics.push(Diagnostic::warning(peer.place.clone(), say).hint("write its address or name as 'host='"));
        return None;
    }
    let user = peer.default_user.as_ref().or(peer.from_user.as_ref()).unwrap_or(&peer.name).clone();
    let host = host_of(&peer.host);
    Some(RegisterLine {
        place: peer.place.clone(),
        id: format!("{user}@{host}/{extension}"),
        peer: Some(peer.name.clone()),
        transport: None,
        user,
        domain: None,
        login: None,
        host,
        address: peer.host.clone(),
        proxy: None,
        extension,
        expiry: None,
    })
}

fn is_off(transport: Transport, place: &Place, general: &General, diagnostics: &mut Vec<Diagnostic>) {
    let is_on = match transport {
        Transport::Udp => true,
        Transport::Tcp => general.streams.tcp.is_some(),
        Transport::Tls => general.streams.tls.is_some(),
    };
    if !is_on {
        let say = format!("the registration is to go over {}, which is switched off", transport.name());
        let hint = format!("write '{}enable=yes' in [general]", transport.name());
        diagnostics.push(Diagnostic::warning(place.clone(), say).hint(hint));
    }
}

/// A fixed address as a URI has it: with its port unless that is the usual one.
fn host_of(address: &PeerAddress) -> String {
    match address {
        PeerAddress::Static(at) if at.port() == 5060 && at.is_ipv4() => at.ip().to_string(),
        PeerAddress::Static(at) => at.to_string(),
        PeerAddress::Named(host) => host.to_string(),
        PeerAddress::Dynamic | PeerAddress::Unset => String::new(),
    }
}

fn is_same_host(a: &PeerAddress, b: &PeerAddress) -> bool {
    match (a, b) {
        (PeerAddress::Static(a), PeerAddress::Static(b)) => a.ip() == b.ip(),
        (PeerAddress::Named(a), PeerAddress::Named(b)) => a.name == b.name,
        _ => false,
    }
}
