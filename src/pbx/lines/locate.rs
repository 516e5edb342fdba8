//! Answers where a peer is: its registrations, else its fixed address.

use super::watches::Watches;
use crate::config::peer::{Kind, Peer, PeerAddress};
use crate::datetime;
use crate::event::LineEvent;
use crate::names::Server;
use crate::pbx::core::{Core, Target};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::uri_text::{escape_user, uri_address};
use crate::registrar::last_seen::{Departure, DepartureCause, Departures};
use crate::registrar::location::{Location, preferred};
use crate::registrar::next_hop::target_uri;
use crate::registrar::qualify::Status;
use crate::sip::flow::Transport;
use crate::sip::{Flow, Uri};
use std::sync::Arc;

/// What tells where peers are.
pub(super) struct Whereabouts<'a> {
    pub(super) location: &'a Location,
    pub(super) departures: &'a Departures,
    pub(super) watches: &'a Watches,
}

impl Whereabouts<'_> {
    /// Where a peer is to be called, `exten` being the number to call there, the preferred places first; or why it
    /// cannot be.
    pub(super) fn targets(
        &self,
        peer: &Arc<Peer>,
        exten: Option<&str>,
        core: &mut Core,
    ) -> Result<Vec<Target>, Failure> {
        let monitored = self.check_reachable(peer, core)?;
        let registered = preferred(self.location.bindings(&peer.name)).into_iter().map(|binding| {
            let secure = binding.contact.sip().is_some_and(|contact| contact.secure);
            let uri = match exten {
                Some(exten) => target_uri(Some(&escape_user(exten)), binding.flow, secure),
                None => binding.contact.to_string(),
            };
            let behind_nat = is_behind_nat(&binding.contact, binding.flow);
            let (peer, flow, route) = (peer.clone(), binding.flow, binding.path.clone());
            Target { peer, flow, behind_nat, uri, route, monitored, alternates: Vec::new() }
        });
        let targets: Vec<Target> = registered.collect();
        if !targets.is_empty() {
            return Ok(targets);
        }
        let servers = servers(peer, core);
        if servers.is_empty() {
            return Err(match &peer.host {
                PeerAddress::Named(host) => FailureReason::NoAddress.with(&[&host.name, &peer.name]),
                PeerAddress::Unset => FailureReason::NoHost.with(&[&peer.name]),
                PeerAddress::Dynamic | PeerAddress::Static(_) => self.not_registered(&peer.name, core),
            });
        }
        let user = escape_user(exten.or(peer.default_user.as_deref()).unwrap_or(&peer.name));
        let place = |server: Server| {
            let flow = flow_to(peer, server, core);
            let uri = uri_at(peer, Some(&user), flow);
            Target {
                peer: peer.clone(),
                flow,
                behind_nat: false,
                uri,
                route: Vec::new(),
                monitored,
                alternates: Vec::new(),
            }
        };
        let mut places = servers.into_iter().map(place);
        let first = places.next();
        // One line, not several: its servers are tried one after another (RFC 3263 4.3).
        Ok(first.map(|first| Target { alternates: places.collect(), ..first }).into_iter().collect())
    }

    /// LAGGED is called with a warning, UNREACHABLE not at all; says whether the peer is watched and alive.
    fn check_reachable(&self, peer: &Peer, core: &mut Core) -> Result<bool, Failure> {
        let Some(status) = self.watches.status(&peer.name) else { return Ok(false) };
        match status {
            Status::Unreachable => {
                let away = self.watches.unreachable_for(&peer.name, core);
                let (span, since) = (datetime::span(away), core.moment_ago(away));
                Err(FailureReason::Unreachable.with(&[&peer.name, &span, &since]))
            }
            Status::Lagged(ms) => {
                let limit = peer.settings.qualify.unwrap_or_default().as_millis();
                let limit_ms = u64::try_from(limit).unwrap_or(u64::MAX);
                core.emit(LineEvent::Lagged { line: peer.name.clone(), ms, limit_ms });
                Ok(true)
            }
            Status::Ok(_) => Ok(true),
            Status::Unknown | Status::Unmonitored => Ok(false),
        }
    }

    /// See [`Directory::is_lost`](crate::pbx::core::Directory::is_lost).
    pub(super) fn is_lost(&self, peer: &Peer, core: &Core) -> bool {
        if peer.kind == Kind::Guest {
            return false;
        }
        let has_left = self.location.bindings(&peer.name).is_empty() && self.departures.of(&peer.name).is_some();
        let is_silent = self.watches.status(&peer.name) == Some(Status::Unreachable);
        is_silent || has_left || !core.config.peers.contains_key(&peer.name)
    }

    /// Why a line that could register cannot be called: it is nowhere.
    fn not_registered(&self, name: &str, core: &Core) -> Failure {
        let Some(Departure { since, left }) = self.departures.of(name) else {
            return FailureReason::NeverRegistered.with(&[name, &datetime::moment(core.started.wall)]);
        };
        let why = match left {
            DepartureCause::Expired => FailureReason::Expired,
            DepartureCause::SignedOff => FailureReason::SignedOff,
        };
        let away = core.now.mono.since(since.mono);
        why.with(&[name, &datetime::span(away), &core.moment_ago(away)])
    }

    /// `SIPPEER(name,item)`, as far as it is about the line.
    pub(super) fn item(&self, peer: &Peer, item: &str, core: &Core) -> Option<String> {
        let newest = self.location.newest(&peer.name);
        let address = newest.map(|binding| binding.flow.remote).or_else(|| Some(server_of(peer, core)?.address));
        match item.to_ascii_lowercase().as_str() {
            "" | "ip" => Some(address.map(|address| address.ip().to_string()).unwrap_or_default()),
            "port" => Some(address.map(|address| address.port().to_string()).unwrap_or_default()),
            "context" => Some(peer.settings.context.clone()),
            "callerid_name" => peer.caller_id.name.clone(),
            "callerid_num" => peer.caller_id.number.clone(),
            "language" => Some(peer.settings.language.clone()),
            "accountcode" => Some(peer.account_code.clone()),
            "dynamic" => Some(if peer.host == PeerAddress::Dynamic { "yes" } else { "no" }.to_owned()),
            "expire" => newest.map(|binding| binding.expires.since(core.now.mono).as_secs().to_string()),
            "regexten" => {
                let made: Vec<String> = peer.regexten.iter().map(|one| one.extension.clone()).collect();
                Some(made.join("&"))
            }
            "maxforwards" => Some(peer.settings.max_forwards.to_string()),
            "codecs" => Some(codec_names(peer).join(",")),
            "limit" => Some(peer.call_limit.unwrap_or_default().to_string()),
            "useragent" => newest.and_then(|binding| binding.user_agent.as_ref()).map(ToString::to_string),
            "status" => Some(match self.watches.status(&peer.name) {
                Some(Status::Ok(ms)) => format!("OK ({ms} ms)"),
                Some(Status::Lagged(ms)) => format!("LAGGED ({ms} ms)"),
                Some(Status::Unreachable) => "UNREACHABLE".to_owned(),
                Some(Status::Unknown) => "UNKNOWN".to_owned(),
                Some(Status::Unmonitored) | None => "UNMONITORED".to_owned(),
            }),
            _ => indexed(peer, item),
        }
    }
}

/// The codecs of a peer, the preferred one first.
fn codec_names(peer: &Peer) -> Vec<&'static str> {
    peer.settings.codecs.entries.iter().map(|(codec, _)| codec.name()).collect()
}

/// `codec[n]`, counted from 0, and `chanvar[name]`.
fn indexed(peer: &Peer, item: &str) -> Option<String> {
    let (name, inside) = item.split_once('[')?;
    let inside = inside.strip_suffix(']')?;
    match name.to_ascii_lowercase().as_str() {
        "codec" => Some(codec_names(peer).get(inside.parse::<usize>().ok()?)?.to_string()),
        "chanvar" => {
            // The latest setvar= of that name counts, whatever it says of inheritance.
            let found = peer.set_vars.iter().rev().find(|(name, _)| name.trim_start_matches('_') == inside);
            found.map(|(_, value)| value.clone())
        }
        _ => None,
    }
}

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

/// Everywhere a peer is.
pub(super) fn flows_of(location: &Location, peer: &Peer, core: &Core) -> Vec<Flow> {
    let registered: Vec<Flow> = location.bindings(&peer.name).iter().map(|binding| binding.flow).collect();
    if !registered.is_empty() {
        return registered;
    }
    server_of(peer, core).map(|server| flow_to(peer, server, core)).into_iter().collect()
}

/// Is a line reached elsewhere than its Contact says? A connection comes from a port of its own.
fn is_behind_nat(contact: &Uri, flow: Flow) -> bool {
    uri_address(contact).is_none_or(|said| {
        said.ip() != flow.remote.ip() || (!flow.transport.is_reliable() && said.port() != flow.remote.port())
    })
}
