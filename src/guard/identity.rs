//! Which account a request claims to be, before anything is proved.

use super::shared_address::choose;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::config::peer::{Credential, Kind, Peer, PeerAddress};
use crate::names::Names;
use crate::sip::digest::{Algorithm, Ha1};
use crate::sip::flow::Transport;
use crate::sip::header::Credentials;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, Method, Request, Uri};

/// A configured peer with what its digest is checked by.
#[derive(Clone)]
pub(super) struct Account {
    pub peer: Arc<Peer>,
    /// `None` when no secret is configured.
    pub ha1: Option<Ha1>,
}

impl Account {
    pub fn new(peer: &Arc<Peer>, realm: &str) -> Account {
        let ha1 = match &peer.credential {
            Some(Credential::Password(secret)) => {
                Some(Ha1::from_secret_with(peer.settings.auth_algorithm, &peer.name, realm, secret.reveal()))
            }
            // The configuration accepts only 32 hexadecimal digits; anything else would make every login fail.
            Some(Credential::Ha1(secret)) => Ha1::from_hex(secret.reveal()),
            None => None,
        };
        Account { peer: Arc::clone(peer), ha1 }
    }

    /// The algorithm of its digest.
    pub fn algorithm(&self) -> Algorithm {
        self.peer.settings.auth_algorithm
    }

    /// Whether the request needs no digest: no secret is configured, or `insecure=invite`. A peer with a fixed address
    /// is then accepted only from that address, since the name alone proves nothing. A `type=peer` without one is known
    /// by its name only when it proves it, whatever `insecure` says.
    pub fn is_trusted(&self, method: &Method, flow: Flow, names: &Names) -> bool {
        self.needs_no_digest(method) && self.allows(flow.remote) && self.may_send_from(flow, names)
    }

    /// Whether it would need no digest at its fixed address, and the packet came from another.
    pub fn is_elsewhere(&self, method: &Method, flow: Flow, names: &Names) -> bool {
        self.needs_no_digest(method) && !self.may_send_from(flow, names)
    }

    fn needs_no_digest(&self, method: &Method) -> bool {
        let is_known = self.peer.kind != Kind::Peer || self.peer.host.is_fixed();
        let is_waived = matches!(method, Method::Invite | Method::Message);
        let waives = self.peer.settings.insecure.invite && is_waived && is_known;
        self.peer.credential.is_none() || waives
    }

    /// `permit`/`deny`/`acl`.
    pub fn allows(&self, source: SocketAddr) -> bool {
        self.peer.acl.allows(source.ip().to_canonical())
    }

    fn may_send_from(&self, flow: Flow, names: &Names) -> bool {
        match self.peer.host {
            PeerAddress::Dynamic => true,
            // Its name would be all that it is known by.
            PeerAddress::Unset => false,
            PeerAddress::Static(_) | PeerAddress::Named(_) => {
                self.is_at_port(flow, names) || self.is_at_any_port(flow, names)
            }
        }
    }

    /// Whether it has a fixed address, and the request came from that and its port.
    fn is_at_port(&self, flow: Flow, names: &Names) -> bool {
        self.ports_at(flow, names).any(|port| port == flow.remote.port())
    }

    /// Whether it has a fixed address, the request came from that, and the port says nothing: with `insecure=port`, and
    /// over a connection, which begins at a port of its own.
    fn is_at_any_port(&self, flow: Flow, names: &Names) -> bool {
        let is_any = self.peer.settings.insecure.port || flow.transport != Transport::Udp;
        is_any && self.ports_at(flow, names).next().is_some()
    }

    /// The ports it has at the address the request came from: several when it has several servers there.
    fn ports_at<'a>(&'a self, flow: Flow, names: &'a Names) -> impl Iterator<Item = u16> + 'a {
        let source = flow.remote.ip().to_canonical();
        let here = self.peer.places(names).filter(move |address| address.ip().to_canonical() == source);
        here.map(|address| address.port())
    }
}

/// The account a request claims to come from.
pub(super) struct ClaimedIdentity<'a> {
    /// The name it uses, for the log.
    pub name: SmolStr,
    /// The account of that name.
    pub account: Option<&'a Account>,
    /// The digest names another user.
    pub is_mixed: bool,
}

/// The accounts, by name.
pub(super) type Accounts = BTreeMap<String, Account>;

/// The accounts by their fixed address, so that a call costs the same however many accounts there are.
#[derive(Debug, Default)]
pub(super) struct AddressIndex(BTreeMap<IpAddr, Vec<String>>);

impl AddressIndex {
    pub fn new(accounts: &Accounts, names: &Names) -> AddressIndex {
        let mut addresses: BTreeMap<IpAddr, Vec<String>> = BTreeMap::new();
        for (name, account) in accounts {
            let here = account.peer.places(names).map(|address| address.ip().to_canonical());
            for ip in here.collect::<BTreeSet<IpAddr>>() {
                addresses.entry(ip).or_default().push(name.clone());
            }
        }
        AddressIndex(addresses)
    }

    /// The account at the address the request came from, but at another port: for advice, and no proof of anything.
    pub fn at_other_port<'a>(&self, accounts: &'a Accounts, flow: Flow, names: &Names) -> Option<&'a Account> {
        let first = accounts.get(self.0.get(&flow.remote.ip().to_canonical())?.first()?)?;
        (!first.may_send_from(flow, names)).then_some(first)
    }

    /// The fixed address that a message came from, its port 0 when that peer's port does not matter.
    pub fn place(&self, accounts: &Accounts, flow: Flow, names: &Names) -> Option<SocketAddr> {
        let source = flow.remote.ip().to_canonical();
        let here = || self.0.get(&source).into_iter().flatten().filter_map(|name| accounts.get(name));
        let port = if here().any(|account| account.is_at_any_port(flow, names)) { 0 } else { flow.remote.port() };
        (port == 0 || here().any(|account| account.is_at_port(flow, names))).then(|| SocketAddr::new(source, port))
    }

    /// The accounts (`type=peer` or `friend`) at the address and port the request came from; else those at the address
    /// whose port says nothing. By name.
    fn here<'a>(&self, accounts: &'a Accounts, flow: Flow, names: &Names) -> Vec<&'a Account> {
        let here = self.0.get(&flow.remote.ip().to_canonical()).into_iter().flatten();
        let callable = here.filter_map(|name| accounts.get(name)).filter(|account| account.peer.is_callable());
        let here: Vec<&Account> = callable.collect();
        let exactly: Vec<&Account> = here.iter().copied().filter(|account| account.is_at_port(flow, names)).collect();
        if !exactly.is_empty() {
            return exactly;
        }
        here.into_iter().filter(|account| account.is_at_any_port(flow, names)).collect()
    }
}

/// What a lookup by name, digest or source address needs.
#[derive(Clone, Copy)]
pub(super) struct Directory<'a> {
    pub accounts: &'a Accounts,
    pub addresses: &'a AddressIndex,
    /// The addresses of host names.
    pub names: &'a Names,
}

/// The claim of a REGISTER: the user of its To (RFC 3261 10.3, step 5), whatever its From is.
pub(super) fn registrant<'a>(
    accounts: &'a Accounts,
    essentials: &Essentials,
    credentials: Option<&Credentials>,
) -> ClaimedIdentity<'a> {
    let name = user(&essentials.to.uri).unwrap_or_default();
    let account = accounts.get(name.as_str()).filter(|account| account.peer.is_callable());
    let is_mixed = credentials.is_some_and(|credentials| credentials.username != name);
    ClaimedIdentity { name, account, is_mixed }
}

/// The claim of a call: the From's user when it names an account; else the digest's; else the account whose fixed
/// address it came from. A `type=peer` is not known by From: the account whose address it is comes before it, unless
/// the digest is of another. So it is for every account in From where that peer is trusted to say who calls
/// (`trustrpid=`): another exchange may send a call back whose caller is a line of ours. Of several accounts at one
/// address [`choose`] finds the one. `by_digest` (`match_auth_username`): the digest's user comes first.
pub(super) fn caller<'a>(
    directory: Directory<'a>,
    (request, essentials): (&Request, &Essentials),
    credentials: Option<&Credentials>,
    flow: Flow,
    by_digest: bool,
) -> ClaimedIdentity<'a> {
    let Directory { accounts, addresses, names } = directory;
    // Looked up whether it is needed or not: the response time must not reveal which accounts exist.
    let at_address = addresses.here(accounts, flow, names);
    let peers: Vec<&Peer> = at_address.iter().map(|account| &*account.peer).collect();
    let here = std::hint::black_box(at_address.get(choose(&peers, request, essentials)).copied());
    let from = user(&essentials.from.uri).unwrap_or_default();
    let is_of = |here: &Account| credentials.is_none_or(|credentials| credentials.username == here.peer.name);
    let is_here = here.is_some_and(is_of);
    let is_neighbour =
        is_here && here.is_some_and(|here| here.peer.kind == Kind::Peer && here.peer.settings.trust_rpid);
    let is_known_by_from = |named: &&Account| named.peer.kind != Kind::Peer && !is_neighbour;
    let named = accounts.get(from.as_str()).filter(|named| !is_here || is_known_by_from(named));
    if let Some(account) = named.filter(|_| !by_digest || credentials.is_none()) {
        let is_mixed = credentials.is_some_and(|credentials| credentials.username != from);
        return ClaimedIdentity { name: from, account: Some(account), is_mixed };
    }
    if let Some(credentials) = credentials {
        let name = credentials.username.clone();
        return ClaimedIdentity { account: accounts.get(name.as_str()), name, is_mixed: false };
    }
    ClaimedIdentity {
        name: here.map_or(from, |account| account.peer.name.as_str().into()),
        account: here,
        is_mixed: false,
    }
}

/// Whether the digest was made for the number that is dialled. Clients leave the user out of the digest's URI, and
/// RFC 3261 22.4 lets the two differ; but a digest for one number must not dial another.
pub(super) fn is_for_target(request: &Request, credentials: &Credentials) -> bool {
    if !matches!(request.method, Method::Invite | Method::Message) {
        return true;
    }
    let digest = Uri::parse(credentials.uri.as_bytes()).ok().and_then(|uri| user(&uri));
    let target = request.uri().ok().and_then(|uri| user(&uri));
    match (digest, target) {
        (Some(digest), Some(target)) => digest == target,
        (Some(_) | None, Some(_) | None) => true,
    }
}

/// The user part, decoded, or the number of a tel URI; none when it is empty or the URI has no such thing.
fn user(uri: &Uri) -> Option<SmolStr> {
    uri.user_text().map(SmolStr::new).filter(|user| !user.is_empty())
}
