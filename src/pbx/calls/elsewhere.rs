//! What a dial string says of where a call goes: a host that is no peer (`SIP/user@host`), called as `[general]` presets
//! peers and never the exchange itself; another host than the peer's own (`SIP/peer/number/host`); a password, To and From.

use crate::config::diagnostic::Place;
use crate::config::peer::{Kind, Peer, PeerAddress};
use crate::dialplan::elsewhere::{address, detour};
use crate::dialplan::{DialTarget, Elsewhere, HostQuery, Located};
use crate::names::is_nobody;
use crate::pbx::core::{Core, Target};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::uri_text::{escape_user, to_uri, transport_param};
use crate::sip::Flow;
use crate::sip::flow::{ServerKey, Transport};
use crate::sip::transaction::{Given, GivenProof};
use crate::sip::uri::Uri;
use crate::wording::outside;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// What was found of hosts.
pub(super) type Found = BTreeMap<HostQuery, Result<Vec<Located>, String>>;

/// Where a dial string leads that names a host; none: it names none. Its further servers are the alternates.
pub(super) fn place(core: &mut Core, target: &DialTarget, found: &Found) -> Option<Result<Target, Failure>> {
    let read = Elsewhere::of(target)?;
    match flows(&read.query, found, core) {
        Ok(flows) => reach(core, &read, flows).map(Ok),
        Err(why) => Some(Err(why)),
    }
}

/// The same peer, sent to another host when the dial string names one: with the Request-URI and the settings of the peer.
pub(super) fn detoured(
    core: &mut Core,
    target: &DialTarget,
    places: Vec<Target>,
    found: &Found,
) -> Result<Vec<Target>, Failure> {
    let Some(query) = detour(target) else { return Ok(places) };
    let Some(place) = places.into_iter().next() else { return Ok(Vec::new()) };
    let over = |flow: Flow| Target { flow, route: Vec::new(), alternates: Vec::new(), ..place.clone() };
    Ok(one_after_another(flows(&query, found, core)?.into_iter().map(over)).into_iter().collect())
}

/// A place with what else the dial string says: what answers a challenge, and what is in To and From.
pub(super) fn addressed(target: &DialTarget, mut place: Target) -> Target {
    let read = target.said();
    let ((to, at), (from, of)) = (read.to, read.from);
    if !to.is_empty() || !at.is_empty() {
        place.to = Some(to_address(&place.uri, to, at));
    }
    if !from.is_empty() || !of.is_empty() {
        let peer = Arc::make_mut(&mut place.peer);
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        peer.from_user = said(from).or(peer.from_user.take());
        peer.from_domain = said(of).or(peer.from_domain.take());
    }
    let login = read.login;
    let proof = match (login.md5, login.password) {
        ("", "") => None,
        ("", password) => Some(GivenProof::Password(password.into())),
        (md5, _) => Some(GivenProof::Md5(md5.to_ascii_lowercase().into())),
    };
    let user = if login.user.is_empty() { read.number } else { login.user };
    let given = |proof, home| Given { whom: read.line.to_owned(), user: user.to_owned(), proof, home };
    place.login = proof.map(|proof| Arc::new(given(proof, place.flow.remote.ip())));
    place.alternates = std::mem::take(&mut place.alternates).into_iter().map(|one| addressed(target, one)).collect();
    place
}

/// To, with another user or another domain than the Request-URI.
fn to_address(uri: &str, user: &str, domain: &str) -> String {
    let Ok(Uri::Sip(own)) = Uri::parse(to_uri(uri).as_bytes()) else { return to_uri(uri) };
    let user = match user {
        "" => own.user.as_deref().map(str::to_owned),
        user => Some(escape_user(user)),
    };
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let scheme = if own.secure { "sips" } else { "sip" };
    let port = own.port.map(|port| format!(":{port}")).unwrap_or_default();
    // What is no host would break the header.
    match Uri::parse(format!("{scheme}:{user}{domain}").as_bytes()) {
        Ok(said) if !domain.is_empty() => said.to_string(),
        Ok(_) | Err(_) => format!("{scheme}:{user}{}{port}", own.host),
    }
}

/// The ways to a host, those to try first first.
fn flows(query: &HostQuery, found: &Found, core: &Core) -> Result<Vec<Flow>, Failure> {
    let unknown = |why: &str| FailureReason::HostUnknown.with(&[&outside(&query.host), why]);
    if !query.transport.is_empty() && Transport::from_name(&query.transport).is_none() {
        return Err(unknown(&format!("'{}' is no transport: udp, tcp and tls are", outside(&query.transport))));
    }
    let usual = Transport::from_name(&query.transport).unwrap_or(core.config.general.defaults.transport());
    let servers = match found.get(query) {
        Some(Ok(servers)) => servers.clone(),
        Some(Err(why)) => return Err(unknown(&outside(why))),
        // Nobody looked it up: an address needs no looking up.
        None => match address(&query.host) {
            Some(ip) => {
                let address = SocketAddr::new(ip, query.port.unwrap_or(usual.default_port()));
                vec![Located { transport: usual.name(), address, seen: None }]
            }
            None => return Err(unknown("a host that has no section of its own is looked up by Dial alone")),
        },
    };
    let (mut flows, mut refused) = (Vec::new(), None);
    for server in &servers {
        match flow(&query.host, server, core) {
            Ok(flow) => flows.push(flow),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    match (flows.is_empty(), refused) {
        (true, Some(refused)) => Err(refused),
        (true, None) => Err(unknown("it has no address")),
        (false, _) => Ok(flows),
    }
}

fn flow(host: &str, server: &Located, core: &Core) -> Result<Flow, Failure> {
    let over = Transport::from_name(server.transport).unwrap_or(Transport::Udp);
    let remote = SocketAddr::new(server.address.ip().to_canonical(), server.address.port());
    let refused = |why: &str| FailureReason::HostRefused.with(&[&outside(host), &remote.to_string(), why]);
    if is_nobody(remote.ip()) {
        return Err(refused("no device has such an address"));
    }
    if !core.config.listening.has(over) {
        return Err(refused("that transport is off here (tcpenable=, tlsenable=)"));
    }
    let seen = server.seen.unwrap_or(core.config.listening.of(over).ip());
    let flow = core.routing.over(over, seen, remote);
    if core.routing.is_own_socket(remote, flow) {
        return Err(refused("that is this exchange itself: dial the extension as Local/extension@context"));
    }
    let by_name = address(host).is_none();
    Ok(Flow { server: (by_name && over == Transport::Tls).then(|| ServerKey::of(host)), ..flow })
}

fn reach(core: &Core, read: &Elsewhere, flows: Vec<Flow>) -> Option<Target> {
    let general = &core.config.general;
    let nowhere = Place { file: "sip.conf".into(), line: 0 };
    let at = if read.user.is_empty() { String::new() } else { format!("{}@", escape_user(&read.user)) };
    let target = |flow: Flow| {
        let peer = Peer {
            // Nobody who registers, and no line that could be lost.
            kind: Kind::Guest,
            host: PeerAddress::Static(flow.remote),
            from_domain: general.from_domain.clone(),
            ..Peer::new(&read.query.host, nowhere.clone(), general.defaults.clone())
        };
        Target::new(Arc::new(peer), flow, format!("sip:{at}{}{}", read.domain, transport_param(flow.transport)))
    };
    one_after_another(flows.into_iter().map(target))
}

/// The first place, with the others behind it (RFC 3263 4.3).
fn one_after_another(mut places: impl Iterator<Item = Target>) -> Option<Target> {
    let first = places.next()?;
    Some(Target { alternates: places.collect(), ..first })
}
