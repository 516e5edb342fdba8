//! REGISTER in phases (RFC 3261 10.3). Its sender was authenticated at the ingress. It takes effect as a whole or not at
//! all.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use super::location::{Binding, Location, preferred};
use super::next_hop::Routing;
use crate::clock::{Now, Time, Wall};
use crate::config::general::General;
use crate::config::peer::{Peer, PeerAddress};
use crate::datetime;
use crate::event::{LineEvent, RegisterRefusal};
use crate::guard::nat;
use crate::sip::dialog::first_hop;
use crate::sip::flow::Transport;
use crate::sip::header::contact::expires_seconds;
use crate::sip::header::{ContactValue, HeaderName, NameAddr, OptionTags};
use crate::sip::sips::is_sips;
use crate::sip::uri::SipUri;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, Request, Response, Uri};

/// The option tag of RFC 3327.
const PATH: &str = "path";
/// Maximum number of proxies in a Path.
const MAX_HOPS: usize = 8;
/// A time that is never refused as too brief (RFC 3261 10.3, step 7): an hour.
const NEVER_TOO_BRIEF: Duration = Duration::from_secs(3600);
/// The longest time between the making of a request and the arrival of its last copy: it is sent for 64*T1, and a copy
/// is under way for T4 (RFC 3261 17.1.2.2).
const ON_ITS_WAY: Duration = Duration::from_secs(32 + 5);
/// Maximum number of contacts in one REGISTER.
const MAX_CONTACTS: usize = 32;

/// The result of a REGISTER.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The response, complete but for `Server`, `Allow` and the tag of To.
    pub response: Response,
    /// What changed in the location service, in order; empty when the request was refused or was only a query.
    pub changes: Vec<Change>,
    /// What happened to the line.
    pub events: Vec<LineEvent>,
    /// Where it was, and is not any more: its calls follow it.
    pub moves: Vec<Move>,
}

/// A device is reached elsewhere than before: its address behind a translator has changed, or it has another one, or
/// another connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// How it was reached.
    pub from: Flow,
    /// How it is reached.
    pub to: Flow,
}

/// A change of a peer's contacts: to be stored before the response is sent, and to be qualified.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A contact that was not there, or whose target moved.
    Added(Binding),
    /// A contact that was refreshed.
    Refreshed(Binding),
    /// A contact that was removed: unregistered, or replaced by a newer one.
    Removed(Binding),
}

/// How a REGISTER arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    /// The flow it came over.
    pub flow: Flow,
    /// Its digest was right and not used before. So it is no older message that was overtaken on its way, whatever its
    /// CSeq says.
    pub is_fresh: bool,
}

/// Where a REGISTER came from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// How it arrived.
    pub arrived: Arrived,
    /// Its source is the fixed address of a configured peer, so its Path may be followed.
    pub from_trunk: bool,
    /// Chooses the flow of calls to the contact.
    pub routing: &'a Routing,
}

/// Serves a REGISTER of `peer`, whose digest was checked.
///
/// A time above `maxexpiry` is lowered to it, and the response has the granted time. One below `minexpiry` is refused
/// with 423 and Min-Expires (RFC 3261 10.3, step 7; chan_sip lengthens it); only for a device of RFC 2543, which has no
/// 423, is it lengthened. With more contacts than `max_contacts` the newest replaces one that the same device had before,
/// else the oldest.
pub fn register(
    location: &mut Location,
    general: &General,
    peer: &Peer,
    request: &Request,
    essentials: &Essentials,
    origin: Origin<'_>,
    now: Now,
) -> Registered {
    let Origin { arrived: Arrived { flow, is_fresh }, from_trunk, routing } = origin;
    let source = flow.remote;
    let asked = Registration { general, peer, request, essentials, source, flow, is_fresh, from_trunk, routing, now };
    let old = location.bindings(&peer.name);
    match asked
        .is_dynamic()
        .and_then(|()| asked.takes_path())
        .and_then(|()| asked.contacts())
        .and_then(|wish| asked.apply(old, wish))
    {
        Ok(new) => {
            let events = asked.events(old, &new);
            let (changes, moves) = (changes(old, &new), moves(old, &new));
            if !changes.is_empty() {
                location.set(&peer.name, new);
            }
            Registered { response: asked.granted(location.bindings(&peer.name)), changes, events, moves }
        }
        Err(refusal) => asked.refused(refusal),
    }
}

/// Why a REGISTER is refused.
struct Refusal {
    status: u16,
    reason: &'static str,
    header: Option<(HeaderName, String)>,
    event: Option<Box<LineEvent>>,
}

impl Refusal {
    fn new(status: u16, reason: &'static str) -> Refusal {
        Refusal { status, reason, header: None, event: None }
    }

    fn with(status: u16, reason: &'static str, name: HeaderName, value: String) -> Refusal {
        Refusal { status, reason, header: Some((name, value)), event: None }
    }
}

/// What the Contact lines request.
enum Wish {
    /// Nothing: the response lists what is registered.
    Fetch,
    /// `*`: remove all.
    Clear,
    /// Bind these, or unbind those whose time is zero.
    Bind(Vec<Contact>),
}

/// A contact to bind, its time clamped; zero unbinds it.
struct Contact {
    sip: SipUri,
    value: NameAddr,
    granted: Duration,
    q: u16,
}

/// The request with everything that decides on it.
struct Registration<'a> {
    general: &'a General,
    peer: &'a Peer,
    request: &'a Request,
    essentials: &'a Essentials,
    source: SocketAddr,
    flow: Flow,
    is_fresh: bool,
    from_trunk: bool,
    routing: &'a Routing,
    now: Now,
}

impl Registration<'_> {
    /// Only a peer with `host=dynamic` registers its address.
    fn is_dynamic(&self) -> Result<(), Refusal> {
        let home = match &self.peer.host {
            PeerAddress::Dynamic => return Ok(()),
            PeerAddress::Static(home) => home.to_string(),
            PeerAddress::Named(host) => host.name.clone(),
            PeerAddress::Unset => "no address (it has no 'host=')".to_owned(),
        };
        let section = self.peer.place.to_string();
        Err(self.refusal(403, "Forbidden", RegisterRefusal::NotDynamic { home, section }))
    }

    /// RFC 3261 10.3, step 6: what is requested.
    fn contacts(&self) -> Result<Wish, Refusal> {
        let mut stars = 0usize;
        let mut contacts = Vec::new();
        for value in self.request.headers.values(HeaderName::Contact) {
            match ContactValue::parse(&value) {
                Ok(ContactValue::Star) => stars = stars.saturating_add(1),
                Ok(contact) => contacts.extend(self.contact(contact)?),
                Err(_) => return Err(Refusal::new(400, "Bad Contact")),
            }
            if contacts.len() > MAX_CONTACTS {
                return Err(Refusal::new(400, "Too Many Contacts"));
            }
        }
        match (stars, contacts.is_empty()) {
            (0, true) => Ok(Wish::Fetch),
            (0, false) => Ok(Wish::Bind(contacts)),
            (1, true) if self.header_expires() == Some(0) => Ok(Wish::Clear),
            _ => Err(Refusal::new(400, "Contact * Needs Expires 0 And Nothing Else")),
        }
    }

    fn contact(&self, contact: ContactValue) -> Result<Option<Contact>, Refusal> {
        let (expires, q) = (contact.expires().or_else(|| self.header_expires()), contact.q());
        let ContactValue::Address(value) = contact else { return Ok(None) };
        let Some(sip) = value.uri.sip().cloned() else { return Err(Refusal::new(400, "Contact Is No SIP URI")) };
        let granted = match expires {
            Some(0) => Duration::ZERO,
            Some(seconds) => {
                let asked = Duration::from_secs(seconds.into());
                if asked < self.general.min_expiry.min(NEVER_TOO_BRIEF) && self.essentials.via.has_magic_branch() {
                    let least = self.general.min_expiry.as_secs().to_string();
                    return Err(Refusal::with(423, "Interval Too Brief", HeaderName::MinExpires, least));
                }
                self.clamped(asked)
            }
            None => self.clamped(self.general.default_expiry),
        };
        Ok(Some(Contact { sip, value, granted, q }))
    }

    fn header_expires(&self) -> Option<u32> {
        self.request.headers.get(HeaderName::Expires).map(|value| expires_seconds(value))
    }

    fn clamped(&self, asked: Duration) -> Duration {
        asked.min(self.general.max_expiry).max(self.general.min_expiry).max(Duration::from_secs(1))
    }

    /// RFC 3261 10.3, steps 6 and 7: the new contacts, the newest last; on an error nothing changes.
    fn apply(&self, old: &[Binding], wish: Wish) -> Result<Vec<Binding>, Refusal> {
        let mut new = old.to_vec();
        match wish {
            Wish::Fetch => {}
            Wish::Clear => {
                new.drain(..).try_for_each(|binding| self.in_order(old, &binding))?;
            }
            Wish::Bind(contacts) => {
                for contact in contacts {
                    self.bind(old, contact, &mut new)?;
                }
                self.keep_most(old, &mut new)?;
            }
        }
        Ok(new)
    }

    /// What is too many goes: first what the same device had before, which it is not at any more, then the oldest.
    fn keep_most(&self, old: &[Binding], new: &mut Vec<Binding>) -> Result<(), Refusal> {
        let most = usize::try_from(self.peer.max_contacts).unwrap_or(usize::MAX).max(1);
        while new.len() > most {
            let named: Vec<&Binding> = new.iter().filter(|binding| !old.contains(binding)).collect();
            let is_left = |it: &Binding| old.contains(it) && named.iter().any(|other| is_one_device(it, other));
            let place = new.iter().position(is_left).unwrap_or(0);
            self.in_order(old, &new.remove(place))?;
        }
        Ok(())
    }

    fn bind(&self, old: &[Binding], contact: Contact, new: &mut Vec<Binding>) -> Result<(), Refusal> {
        if let Some(place) = new.iter().position(|binding| binding.contact.equivalent(&contact.value.uri)) {
            self.in_order(old, &new.remove(place))?;
        }
        if !contact.granted.is_zero() {
            new.push(self.binding(contact)?);
        }
        Ok(())
    }

    /// RFC 3261 10.3, step 7: a request of the same Call-ID must have a higher CSeq than the one that made the binding;
    /// otherwise it was overtaken, and fails as a whole. Only bindings from before this request count.
    ///
    /// A device that was switched off counts from the beginning again, some of them with the same Call-ID. It was not
    /// overtaken: its digest is fresh or, where no secret is asked for, the binding is older than any message that may
    /// still be on its way.
    fn in_order(&self, old: &[Binding], binding: &Binding) -> Result<(), Refusal> {
        let is_late = !self.is_fresh
            && old.contains(binding)
            && binding.call_id == self.essentials.call_id
            && self.essentials.cseq.number <= binding.cseq
            && binding.age(self.now.mono) <= ON_ITS_WAY;
        if is_late { Err(Refusal::new(500, "Overtaken By A Later REGISTER")) } else { Ok(()) }
    }

    fn binding(&self, contact: Contact) -> Result<Binding, Refusal> {
        let path = self.path()?;
        let flow = self.flow_to(&contact.sip, &path)?;
        let mut params = contact.value.params;
        params.remove("expires");
        let mut binding = Binding {
            contact: contact.value.uri,
            params,
            q: contact.q,
            source: self.source,
            flow,
            granted: contact.granted,
            expires: Time::ZERO,
            expires_wall: Wall(0),
            call_id: self.essentials.call_id.clone(),
            cseq: self.essentials.cseq.number,
            path,
            user_agent: self.request.headers.text(HeaderName::UserAgent).map(|text| text.chars().take(128).collect()),
        };
        binding.renew(self.now);
        Ok(binding)
    }

    /// RFC 3261 8.2.2.3: a required Path that will not be kept is refused.
    fn takes_path(&self) -> Result<(), Refusal> {
        let required = OptionTags::from_headers(&self.request.headers, HeaderName::Require).contains(PATH);
        if required && !self.peer.settings.support_path {
            return Err(Refusal::with(420, "Bad Extension", HeaderName::Unsupported, PATH.to_owned()));
        }
        Ok(())
    }

    /// The REGISTER's Path (RFC 3327 5.3), when `supportpath=` keeps it. It decides where calls go, so it is accepted
    /// only from a proxy that is configured: by `contactpermit`, or as a peer with a fixed address.
    fn path(&self) -> Result<Vec<Bytes>, Refusal> {
        let path: Vec<Bytes> = self.request.headers.values(HeaderName::Path).take(MAX_HOPS + 1).collect();
        if path.is_empty() || !self.peer.settings.support_path {
            return Ok(Vec::new());
        }
        let is_sip = |hop: &Bytes| NameAddr::parse(hop).is_ok_and(|hop| hop.uri.sip().is_some());
        if path.len() > MAX_HOPS || !path.iter().all(is_sip) {
            return Err(Refusal::new(400, "Bad Path"));
        }
        let source = self.source.ip();
        if self.from_trunk || self.general.contact_acl.names(source) || self.peer.contact_acl.names(source) {
            return Ok(path);
        }
        Err(self.refusal(403, "Forbidden", RegisterRefusal::PathNotAllowed))
    }

    /// The flow of later requests: to the first proxy of the Path, at the address of its URI or, when that is a host
    /// name, the source of the REGISTER; else to the Contact. Over the transport of the REGISTER, unless that was UDP
    /// and the URI names another one.
    fn flow_to(&self, contact: &SipUri, path: &[Bytes]) -> Result<Flow, Refusal> {
        self.keeps_to_tls(contact, path)?;
        let target = self.target(contact)?;
        let hop = first_hop(path);
        let (uri, target) = match hop.as_ref().and_then(Uri::sip) {
            Some(hop) => (hop, hop.address().unwrap_or(self.source)),
            None => (contact, target),
        };
        let Some(Ok((transport, remote))) = self.other_transport(uri, target.ip()) else {
            return Ok(self.flow.with_remote(target));
        };
        let flow = self.routing.over(transport, self.flow.local.ip(), remote);
        if self.routing.is_own_socket(remote, flow) {
            return Err(self.bad_address(remote.ip(), "it is the exchange itself"));
        }
        Ok(flow)
    }

    /// RFC 5630 5.2: a `sips:` Contact is bound only by a REGISTER that came over TLS, to a `sips:` address, through
    /// `sips:` proxies alone. Otherwise calls to it would leave TLS.
    fn keeps_to_tls(&self, contact: &SipUri, path: &[Bytes]) -> Result<(), Refusal> {
        if !contact.secure {
            return Ok(());
        }
        let secure = |hop: &Bytes| NameAddr::parse(hop).is_ok_and(|hop| hop.uri.sip().is_some_and(|uri| uri.secure));
        let reason = match self.flow.transport {
            Transport::Udp | Transport::Tcp => "it did not register over TLS",
            Transport::Tls if !is_sips(&self.request.target) => "it registered at a sip: address",
            Transport::Tls if !path.iter().all(secure) => "a proxy on the way (Path) has a sip: address",
            Transport::Tls => return Ok(()),
        };
        let refusal = RegisterRefusal::NotSecured { contact: contact.to_string().into(), reason };
        Err(self.refusal(400, "SIPS Contact Without SIPS All The Way", refusal))
    }

    /// The transport and address of a URI that came over UDP and names another transport (RFC 3263 4.1), or why they
    /// are not used. Requests to it would go to `target`.
    fn other_transport(&self, uri: &SipUri, target: IpAddr) -> Option<Result<(Transport, SocketAddr), &'static str>> {
        let transport = uri.transport().filter(|_| self.flow.transport == Transport::Udp)?;
        let remote = match transport {
            Transport::Udp => return None,
            Transport::Tcp | Transport::Tls => uri.address(),
        };
        let remote = remote.map(|remote| SocketAddr::new(remote.ip().to_canonical(), remote.port()));
        Some(match (self.routing.closed_to(transport, &self.peer.settings), remote) {
            (Some(why), _) => Err(why),
            (None, Some(remote)) if remote.ip() == target => Ok((transport, remote)),
            (None, _) => Err("no connection can be made to it from here: it is a name, or behind NAT"),
        })
    }

    /// The address of later requests: that of the Contact, whether or not it is the source; the source with `nat=`,
    /// with `rport` in the Via, or when the Contact has a host name or an address of another family, since nothing is
    /// looked up here.
    fn target(&self, contact: &SipUri) -> Result<SocketAddr, Refusal> {
        let named = contact.host.ip().map(|address| address.to_canonical());
        let source = SocketAddr::new(self.source.ip().to_canonical(), self.source.port());
        self.check_address(named.unwrap_or(source.ip()))?;
        let via = &self.essentials.via;
        let flag = self.peer.settings.nat.force_rport;
        let follow_source = via.rport.is_some() || nat::force_rport(flag, via, self.source);
        let target = match named {
            Some(address) if !follow_source && address.is_ipv4() == source.is_ipv4() => {
                SocketAddr::new(address, contact.port.unwrap_or(5060))
            }
            Some(_) | None => source,
        };
        if self.routing.is_own_socket(target, self.flow) {
            return Err(self.bad_address(target.ip(), "it is the exchange itself"));
        }
        Ok(target)
    }

    /// Checks the address of a Contact: not unspecified, multicast or broadcast, no loopback address of another
    /// machine, and not excluded by `contactpermit` and `contactdeny`.
    fn check_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        let source = self.source.ip().to_canonical();
        if address.is_unspecified() || address.is_multicast() || is_broadcast {
            return Err(self.bad_address(address, "no single phone can be there"));
        }
        if address.is_loopback() && !source.is_loopback() {
            return Err(self.bad_address(address, "that is this machine, and the phone is another"));
        }
        let denied = !(self.general.contact_acl.allows(address) && self.peer.contact_acl.allows(address));
        if denied {
            return Err(self.refusal(603, "Denied", RegisterRefusal::ContactDenied { address }));
        }
        Ok(())
    }

    fn bad_address(&self, address: IpAddr, reason: &'static str) -> Refusal {
        self.refusal(403, "Forbidden", RegisterRefusal::UnusableContact { address, reason })
    }

    /// A refusal that is worth an event.
    fn refusal(&self, status: u16, phrase: &'static str, reason: RegisterRefusal) -> Refusal {
        let (line, source) = (self.peer.name.clone(), self.source);
        let event = LineEvent::RegisterRefused { line, source, reason };
        Refusal { status, reason: phrase, header: None, event: Some(Box::new(event)) }
    }

    /// What happened to the line: only what is new.
    fn events(&self, old: &[Binding], new: &[Binding]) -> Vec<LineEvent> {
        let line = || self.peer.name.clone();
        if new.is_empty() && !old.is_empty() {
            return vec![LineEvent::Unregistered { line: line() }];
        }
        let is_new = |binding: &&Binding| !old.iter().any(|before| before.flow.remote == binding.flow.remote);
        let mut events = Vec::new();
        for binding in new.iter().filter(is_new) {
            events.push(LineEvent::Registered { line: line(), address: binding.flow.remote });
            events.extend(self.unmet(binding));
        }
        events
    }

    /// Worth telling: the URI names a transport that calls to it do not use.
    fn unmet(&self, binding: &Binding) -> Option<LineEvent> {
        let hop = first_hop(&binding.path);
        let uri = hop.as_ref().unwrap_or(&binding.contact).sip()?;
        let reason = self.other_transport(uri, binding.flow.remote.ip())?.err()?;
        Some(LineEvent::TransportNotUsed {
            line: self.peer.name.clone(),
            source: self.source,
            transport: uri.transport()?.to_string().into(),
            uri: uri.to_string().into(),
            reason,
        })
    }

    /// RFC 3261 10.3, step 8: all current contacts, each with the time left.
    fn granted(&self, bindings: &[Binding]) -> Response {
        let mut response = Response::for_request(self.request, 200, None);
        for binding in preferred(bindings) {
            let seconds = binding.seconds_left(self.now.mono);
            let mut value = String::with_capacity(128);
            // Writing to memory cannot fail.
            let _ = write!(value, "<{}>{};expires={seconds}", binding.contact, binding.params);
            response.headers.push(HeaderName::Contact, value);
        }
        if let Some(newest) = bindings.last() {
            response.headers.push(HeaderName::Expires, newest.seconds_left(self.now.mono).to_string());
        }
        // RFC 3327 5.3: shows the proxies on the path, and the phone, that the Path is kept.
        if let Some(newest) = bindings.last().filter(|newest| !newest.path.is_empty()) {
            newest.path.iter().for_each(|hop| response.headers.push(HeaderName::Path, hop.clone()));
            response.headers.push(HeaderName::Supported, Bytes::from_static(PATH.as_bytes()));
        }
        response.headers.push(HeaderName::Date, datetime::header_date(self.now.wall));
        response
    }

    fn refused(&self, refusal: Refusal) -> Registered {
        let mut response = Response::for_request(self.request, refusal.status, None);
        response.reason = refusal.reason.into();
        if let Some((name, value)) = refusal.header {
            response.headers.push(name, value);
        }
        let events = refusal.event.into_iter().map(|event| *event).collect();
        Registered { response, changes: Vec::new(), events, moves: Vec::new() }
    }
}

/// Which devices are reached elsewhere: by the same Contact, or by another one that has taken its place.
fn moves(old: &[Binding], new: &[Binding]) -> Vec<Move> {
    let stays = |before: &Binding| new.iter().any(|binding| binding.contact.equivalent(&before.contact));
    let is_predecessor = |before: &Binding, binding: &Binding| {
        let is_same = before.contact.equivalent(&binding.contact);
        is_same || (!stays(before) && is_one_device(before, binding))
    };
    let moved = |binding: &Binding, before: &Binding| {
        let flow = (before.flow, binding.flow);
        (flow.0 != flow.1 && is_predecessor(before, binding)).then_some(Move { from: flow.0, to: flow.1 })
    };
    new.iter().flat_map(|binding| old.iter().filter_map(move |before| moved(binding, before))).collect()
}

/// Did one device register both? RFC 3261 10.2: all its REGISTERs have one Call-ID; RFC 5626 4.1: and it names itself.
/// Another telephone that takes the account has not the calls of the first.
fn is_one_device(before: &Binding, binding: &Binding) -> bool {
    let instance = |binding: &Binding| binding.params.get("+sip.instance").map(str::to_owned);
    let named = instance(before);
    before.call_id == binding.call_id || (named.is_some() && named == instance(binding))
}

/// The changes from the old contacts to the new: first those removed, then those added or refreshed.
fn changes(old: &[Binding], new: &[Binding]) -> Vec<Change> {
    let find = |among: &[Binding], binding: &Binding| {
        among.iter().find(|other| other.contact.equivalent(&binding.contact)).map(|other| other.flow)
    };
    let gone = old.iter().filter(|binding| find(new, binding).is_none()).cloned().map(Change::Removed);
    let touched = new.iter().filter(|binding| !old.contains(binding)).map(|binding| match find(old, binding) {
        Some(flow) if flow == binding.flow => Change::Refreshed(binding.clone()),
        Some(_) | None => Change::Added(binding.clone()),
    });
    gone.chain(touched).collect()
}

#[cfg(test)]
mod tests;
