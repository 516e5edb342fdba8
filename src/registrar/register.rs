//! A REGISTER as a row of phases (RFC 3261 10.3). Who may register was settled at the edge; here all or nothing happens.

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
/// Most proxies a Path may name.
const MOST_HOPS: usize = 8;
/// What is never refused as too brief (RFC 3261 10.3, step 7): an hour.
const NEVER_TOO_BRIEF: Duration = Duration::from_secs(3600);
/// Most contacts one REGISTER may name.
const MOST_CONTACTS: usize = 32;

/// What became of a REGISTER.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The answer, complete but for `Server`, `Allow` and the tag of To.
    pub response: Response,
    /// What changed in the location service, in order; empty when the request was refused or only asked.
    pub changes: Vec<Change>,
    /// What to log.
    pub log: Vec<Line>,
}

/// A change of a peer's contacts: to be stored before the answer is sent, and to be qualified.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A contact that was not there, or whose target moved.
    Added(Binding),
    /// A contact that goes on.
    Refreshed(Binding),
    /// A contact that is gone: unregistered, or replaced by a newer one.
    Removed(Binding),
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it weighs.
    pub level: Level,
    /// What it says.
    pub text: String,
}

/// The levels of log lines written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Console, verbose 3.
    Verbose,
    /// Something a user should know.
    Warning,
    /// Something a user must repair.
    Error,
}

/// Serves a REGISTER of `peer`, whose digest was checked. `flow` is what it came over.
///
/// A time above `maxexpiry` is lowered to it, and the answer tells the time granted. One below `minexpiry` is refused with 423
/// and told in Min-Expires (RFC 3261 10.3, step 7; chan_sip lengthens it); only a device of RFC 2543, which has no 423, gets it
/// lengthened. More contacts than `max_contacts`: the newest replaces the oldest. `from_trunk`: the REGISTER came from where the
/// configuration has a peer with a fixed address, so its Path may be followed.
#[allow(clippy::too_many_arguments, reason = "each is a fact of the arrival, and the switch has them one by one")]
pub fn register(
    location: &mut Location,
    general: &General,
    peer: &Peer,
    request: &Request,
    essentials: &Essentials,
    (flow, from_trunk, ways): (Flow, bool, &Routing),
    now: Now,
) -> Registered {
    let asked = Asked { general, peer, request, essentials, source: flow.remote, flow, from_trunk, ways, now };
    let old = location.bindings(&peer.name);
    match asked
        .is_dynamic()
        .and_then(|()| asked.takes_path())
        .and_then(|()| asked.contacts())
        .and_then(|wish| asked.apply(old, wish))
    {
        Ok(new) => {
            let log = asked.story(old, &new);
            let changes = changes(old, &new);
            if !changes.is_empty() {
                location.set(&peer.name, new);
            }
            Registered { response: asked.granted(location.bindings(&peer.name)), changes, log }
        }
        Err(refusal) => asked.refused(refusal),
    }
}

/// Why a REGISTER is refused.
struct Refusal {
    status: u16,
    reason: &'static str,
    header: Option<(HeaderName, String)>,
    line: Option<Line>,
}

impl Refusal {
    fn new(status: u16, reason: &'static str) -> Refusal {
        Refusal { status, reason, header: None, line: None }
    }

    fn told(status: u16, reason: &'static str, level: Level, text: String) -> Refusal {
        Refusal { status, reason, header: None, line: Some(Line { level, text }) }
    }

    fn with(status: u16, reason: &'static str, name: HeaderName, value: String) -> Refusal {
        Refusal { status, reason, header: Some((name, value)), line: None }
    }
}

/// What the Contact lines ask for.
enum Wish {
    /// Nothing: tell what is registered.
    Fetch,
    /// `*`: forget all.
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

/// The request with all it is judged by.
struct Asked<'a> {
    general: &'a General,
    peer: &'a Peer,
    request: &'a Request,
    essentials: &'a Essentials,
    source: SocketAddr,
    flow: Flow,
    from_trunk: bool,
    ways: &'a Routing,
    now: Now,
}

impl Asked<'_> {
    /// Only a peer with `host=dynamic` says itself where it is.
    fn is_dynamic(&self) -> Result<(), Refusal> {
        let home = match &self.peer.host {
            PeerAddress::Dynamic => return Ok(()),
            PeerAddress::Static(home) => home.to_string(),
            PeerAddress::Named { name, .. } => name.clone(),
        };
        Err(Refusal::told(
            403,
            "Forbidden",
            Level::Error,
            format!(
                "Peer '{name}' is trying to register from {source}, but not configured as host=dynamic: {place} says it is \
                     at {home}. Set host=dynamic there, or switch registration off in the phone",
                name = self.peer.name,
                source = self.source,
                place = self.peer.place,
            ),
        ))
    }

    /// RFC 3261 10.3, step 6: what is asked for.
    fn contacts(&self) -> Result<Wish, Refusal> {
        let mut stars = 0usize;
        let mut contacts = Vec::new();
        for value in self.request.headers.values(HeaderName::Contact) {
            match ContactValue::parse(&value) {
                Ok(ContactValue::Star) => stars = stars.saturating_add(1),
                Ok(contact) => contacts.extend(self.contact(contact)?),
                Err(_) => return Err(Refusal::new(400, "Bad Contact")),
            }
            if contacts.len() > MOST_CONTACTS {
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

    /// RFC 3261 10.3, steps 6 and 7: the contacts as they will be, the newest last; an error leaves all as it was.
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
                let most = usize::try_from(self.peer.max_contacts).unwrap_or(usize::MAX).max(1);
                let surplus = new.len().saturating_sub(most);
                new.drain(..surplus).try_for_each(|binding| self.in_order(old, &binding))?;
            }
        }
        Ok(new)
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
    /// else it was overtaken on the way, and fails as a whole. Only bindings from before this request count.
    fn in_order(&self, old: &[Binding], binding: &Binding) -> Result<(), Refusal> {
        let is_late = old.contains(binding)
            && binding.call_id == self.essentials.call_id
            && self.essentials.cseq.number <= binding.cseq;
        if is_late { Err(Refusal::new(500, "Overtaken By A Later REGISTER")) } else { Ok(()) }
    }

    fn binding(&self, contact: Contact) -> Result<Binding, Refusal> {
        let path = self.path()?;
        let flow = self.way(&contact.sip, &path)?;
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

    /// RFC 3261 8.2.2.3: a proxy that needs its Path kept is told when it will not be.
    fn takes_path(&self) -> Result<(), Refusal> {
        let required = OptionTags::from_headers(&self.request.headers, HeaderName::Require).contains(PATH);
        if required && !self.peer.settings.support_path {
            return Err(Refusal::with(420, "Bad Extension", HeaderName::Unsupported, PATH.to_owned()));
        }
        Ok(())
    }

    /// The REGISTER's Path (RFC 3327 5.3), when `supportpath=` says to keep it. It decides where calls go, so only a proxy that the
    /// configuration names may have one: by `contactpermit`, or as a peer with a fixed address.
    fn path(&self) -> Result<Vec<Bytes>, Refusal> {
        let path: Vec<Bytes> = self.request.headers.values(HeaderName::Path).take(MOST_HOPS + 1).collect();
        if path.is_empty() || !self.peer.settings.support_path {
            return Ok(Vec::new());
        }
        let is_sip = |hop: &Bytes| NameAddr::parse(hop).is_ok_and(|hop| hop.uri.sip().is_some());
        if path.len() > MOST_HOPS || !path.iter().all(is_sip) {
            return Err(Refusal::new(400, "Bad Path"));
        }
        let source = self.source.ip();
        if self.from_trunk || self.general.contact_acl.names(source) || self.peer.contact_acl.names(source) {
            return Ok(path);
        }
        let text = format!(
            "Peer '{}': the proxy at {} asks to have calls sent through it (Path). If it is yours, name it by contactpermit= in \
             [{}], or as a peer with host=",
            self.peer.name, self.source, self.peer.name
        );
        Err(Refusal::told(403, "Forbidden", Level::Warning, text))
    }

    /// The way requests will go: to the first proxy of the Path, by its URI or, when that is a name, to where the REGISTER came
    /// from; else to the Contact. Over what the REGISTER came, unless that was UDP and the URI asks for another transport.
    fn way(&self, contact: &SipUri, path: &[Bytes]) -> Result<Flow, Refusal> {
        self.keeps_to_tls(contact, path)?;
        let target = self.target(contact)?;
        let hop = first_hop(path);
        let (uri, target) = match hop.as_ref().and_then(Uri::sip) {
            Some(hop) => (hop, hop.address().unwrap_or(self.source)),
            None => (contact, target),
        };
        let Some(Ok((transport, remote))) = self.asked(uri, target.ip()) else {
            return Ok(self.flow.with_remote(target));
        };
        let way = self.ways.over(transport, self.flow.local.ip(), remote);
        if [way.local, way.advertised].contains(&remote) {
            return Err(self.unfit(remote.ip(), "it is the exchange itself"));
        }
        Ok(way)
    }

    /// RFC 5630 5.2: a `sips:` Contact is bound only by a REGISTER that came over TLS, to a `sips:` address, by way of `sips:` proxies
    /// alone. Calls to it would leave TLS otherwise.
    fn keeps_to_tls(&self, contact: &SipUri, path: &[Bytes]) -> Result<(), Refusal> {
        if !contact.secure {
            return Ok(());
        }
        let secure = |hop: &Bytes| NameAddr::parse(hop).is_ok_and(|hop| hop.uri.sip().is_some_and(|uri| uri.secure));
        let what = match self.flow.transport {
            Transport::Udp | Transport::Tcp => "it did not register over TLS",
            Transport::Tls if !is_sips(&self.request.target) => "it registered at a sip: address",
            Transport::Tls if !path.iter().all(secure) => "a proxy on the way (Path) has a sip: address",
            Transport::Tls => return Ok(()),
        };
        let text = format!(
            "Peer '{}' at {}: refused to register {contact}, for {what}: let the phone use sips: for all of it, over TLS, or for none",
            self.peer.name, self.source
        );
        Err(Refusal::told(400, "SIPS Contact Without SIPS All The Way", Level::Warning, text))
    }

    /// What a URI asks for that came over UDP and wants another transport (RFC 3263 4.1): over what, and where; or why not so.
    /// Requests to it would go to `target`.
    fn asked(&self, uri: &SipUri, target: IpAddr) -> Option<Result<(Transport, SocketAddr), &'static str>> {
        let transport = uri.transport().filter(|_| self.flow.transport == Transport::Udp)?;
        let remote = match transport {
            Transport::Udp => return None,
            Transport::Tcp | Transport::Tls => uri.address(),
        };
        let remote = remote.map(|remote| SocketAddr::new(remote.ip().to_canonical(), remote.port()));
        Some(match (self.ways.closed_to(transport, &self.peer.settings), remote) {
            (Some(why), _) => Err(why),
            (None, Some(remote)) if remote.ip() == target => Ok((transport, remote)),
            (None, _) => Err("no connection can be made to it from here: it is a name, or behind NAT"),
        })
    }

    /// Where requests will go. The Contact's own address, be it the source's or not; the source when
    /// `nat=` says so, when the Via has `rport`, or when the Contact's address is a name or of another family, since
    /// nothing is looked up here.
    fn target(&self, contact: &SipUri) -> Result<SocketAddr, Refusal> {
        let said = contact.host.ip().map(|address| address.to_canonical());
        let source = SocketAddr::new(self.source.ip().to_canonical(), self.source.port());
        self.is_fit(said.unwrap_or(source.ip()))?;
        let via = &self.essentials.via;
        let flag = self.peer.settings.nat.force_rport;
        let follow_source = via.rport.is_some() || nat::force_rport(flag, via, self.source);
        let target = match said {
            Some(address) if !follow_source && address.is_ipv4() == source.is_ipv4() => {
                SocketAddr::new(address, contact.port.unwrap_or(5060))
            }
            Some(_) | None => source,
        };
        let is_own = [self.flow.local, self.flow.advertised].contains(&target);
        if is_own {
            return Err(self.unfit(target.ip(), "it is the exchange itself"));
        }
        Ok(target)
    }

    /// What may stand in a Contact: no address that is nobody's, everybody's, or the exchange's own machine seen from
    /// elsewhere; and what `contactpermit` and `contactdeny` say.
    fn is_fit(&self, address: IpAddr) -> Result<(), Refusal> {
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        let source = self.source.ip().to_canonical();
        if address.is_unspecified() || address.is_multicast() || is_broadcast {
            return Err(self.unfit(address, "no single phone can be there"));
        }
        if address.is_loopback() && !source.is_loopback() {
            return Err(self.unfit(address, "that is this machine, and the phone is another"));
        }
        let denied = !(self.general.contact_acl.allows(address) && self.peer.contact_acl.allows(address));
        if denied {
            let text = format!(
                "Peer '{}' at {}: the contact address {address} is refused by contactpermit/contactdeny",
                self.peer.name, self.source
            );
            return Err(Refusal::told(603, "Denied", Level::Warning, text));
        }
        Ok(())
    }

    fn unfit(&self, address: IpAddr, why: &str) -> Refusal {
        let text = format!(
            "Peer '{}' at {}: refused to register the contact address {address}: {why}. Look at the phone's own address settings",
            self.peer.name, self.source
        );
        Refusal::told(403, "Forbidden", Level::Warning, text)
    }

    /// What the console tells: only what is new.
    fn story(&self, old: &[Binding], new: &[Binding]) -> Vec<Line> {
        let name = &self.peer.name;
        let say = |text| Line { level: Level::Verbose, text };
        if new.is_empty() && !old.is_empty() {
            return vec![say(format!("Unregistered SIP '{name}'"))];
        }
        let is_new = |binding: &&Binding| !old.iter().any(|before| before.flow.remote == binding.flow.remote);
        let mut story = Vec::new();
        for binding in new.iter().filter(is_new) {
            story.push(say(format!("Registered SIP '{name}' at {}", binding.flow.remote)));
            story.extend(self.unmet(binding));
        }
        story
    }

    /// It asks for a transport that it is not called over.
    fn unmet(&self, binding: &Binding) -> Option<Line> {
        let hop = first_hop(&binding.path);
        let uri = hop.as_ref().unwrap_or(&binding.contact).sip()?;
        let why = self.asked(uri, binding.flow.remote.ip())?.err()?;
        let transport = uri.transport()?;
        let text = format!(
            "Peer '{}' at {} asks to be called over {transport} ({uri}), and is called over UDP, as it registered: {why}",
            self.peer.name, self.source
        );
        Some(Line { level: Level::Warning, text })
    }

    /// RFC 3261 10.3, step 8: all contacts there are, each with the time it has left.
    fn granted(&self, bindings: &[Binding]) -> Response {
        let mut response = Response::for_request(self.request, 200, None);
        for binding in preferred(bindings) {
            let seconds = binding.seconds_left(self.now.mono);
            let mut value = String::with_capacity(128);
            // Memory takes whatever is written to it.
            let _ = write!(value, "<{}>{};expires={seconds}", binding.contact, binding.params);
            response.headers.push(HeaderName::Contact, value);
        }
        if let Some(newest) = bindings.last() {
            response.headers.push(HeaderName::Expires, newest.seconds_left(self.now.mono).to_string());
        }
        // RFC 3327 5.3: the proxies on the way, and the phone, see that the Path is kept.
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
        Registered { response, changes: Vec::new(), log: refusal.line.into_iter().collect() }
    }
}

/// From the old contacts to the new: first what is gone, then what came or goes on.
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
