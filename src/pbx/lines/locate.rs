//! Answers where a peer is: its registrations, else its fixed address.

use super::fixed_address::{flow_of, flow_to, route_to, server_of, servers, uri_at};
use super::registrations::Registrations;
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
use crate::sip::header::NameAddr;
use crate::sip::{Flow, Uri};
use bytes::Bytes;
use std::sync::Arc;

/// What tells where peers are.
pub(super) struct Whereabouts<'a> {
    pub(super) location: &'a Location,
    pub(super) departures: &'a Departures,
    pub(super) watches: &'a Watches,
    pub(super) registrations: &'a Registrations,
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
            let (flow, route) = (flow_of(peer, binding.flow, core), route_to(peer, &binding.path));
            let user_agent = binding.user_agent.clone();
            Target { behind_nat, route, monitored, user_agent, ..Target::new(peer.clone(), flow, uri) }
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
            Target { route: route_to(peer, &[]), monitored, ..Target::new(peer.clone(), flow, uri) }
        };
        let mut places = servers.into_iter().map(place);
        let first = places.next();
        // One line, not several: its servers are tried one after another (RFC 3263 4.3).
        let mut found = first.map(|first| Target { alternates: places.collect(), ..first });
        if let Some(target) = &mut found {
            by_route(target, self.registrations.route_of(&peer.name), core);
        }
        Ok(found.into_iter().collect())
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
            "mailbox" => Some(peer.messages.mailboxes.join(",")),
            "vmexten" => Some(peer.settings.vm_exten.clone()),
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

/// RFC 3608: the proxies that its registrar named are on the way of our calls, whichever server they would go to.
fn by_route(target: &mut Target, route: &[Bytes], core: &Core) {
    let Some(first) = route.first() else { return };
    target.route = route_to(&target.peer, route);
    if target.peer.settings.outbound_proxy.is_some() {
        return;
    }
    target.alternates.clear();
    if let Ok(first) = NameAddr::parse(first) {
        target.flow = core.routing.follow(&first.uri, target.flow, &target.peer.settings);
    }
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
