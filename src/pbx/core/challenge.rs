//! Challenges to our requests (RFC 3261 22): whether one is answered, and with whose password.
//!
//! A password is worth something only to whom it belongs to. So a challenge is answered when it comes from where the
//! request was sent, and for a peer with a fixed address (a trunk) from that address, or for a realm that it has named
//! from there or that an `auth=` line of its own names; for a line that registers, from where it is registered. Twice at
//! most; a wrong password is given once.

use super::Core;
use super::nonces::Proof;
use crate::config::login::RealmLogin;
use crate::config::peer::{Credential, Peer};
use crate::config::register_line::RegisterLine;
use crate::config::secret::Secret;
use crate::event::{ChallengeEvent, ChallengeFailure};
use crate::pbx::core::Requester;
use crate::sip::HeaderName;
use crate::sip::digest::{Algorithm, Ha1};
use crate::sip::header::{CSeq, Challenge, Credentials};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{Account, Answer, ClientId, Given, GivenProof, Refused};
use crate::wording::Outside;
use smol_str::SmolStr;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// How often a request is sent again with credentials.
const MAX_TRIES: u8 = 2;
/// Challenges looked at in one response: a proxy gathers those of all that it called (RFC 3261 16.7).
const MAX_CHALLENGES: usize = 16;
/// The longest challenge that is answered: what it says is kept with each call, and sent in each of its requests.
const MAX_CHALLENGE: usize = 2_048;

/// Where a challenge comes from, for the line it is answered for.
#[derive(Debug, Clone)]
pub enum Home {
    /// Where the line is registered.
    Registered,
    /// At the registrar of this line of ours.
    Registrar(Arc<RegisterLine>),
    /// Elsewhere, or the line does not register.
    Other,
}

/// What a challenge is answered with.
pub struct Answered {
    refused: Refused,
    proofs: Vec<Proof>,
}

impl Answered {
    /// The request as it was sent.
    pub fn request(&self) -> &Request {
        &self.refused.request
    }

    /// The CSeq number after that of the request, for one that belongs to no dialog (RFC 3261 22.2).
    pub fn next_number(&self) -> Option<u32> {
        let cseq = CSeq::parse(self.refused.request.headers.get(HeaderName::CSeq)?).ok()?;
        Some(cseq.number.saturating_add(1))
    }
}

/// Whether a response asks for a password.
fn asks(response: &Response) -> Option<(HeaderName, bool)> {
    match response.status {
        401 => Some((HeaderName::WwwAuthenticate, false)),
        407 => Some((HeaderName::ProxyAuthenticate, true)),
        _ => None,
    }
}

/// What a challenge is answered with; none when the response is none, or is not answered: then an event says why.
pub fn answer(response: &Answer<Requester>, home: Home, core: &mut Core) -> Option<Answered> {
    let (name, by_proxy) = asks(&response.response)?;
    let refused = response.refused.as_deref()?;
    if refused.account == Account::Nobody {
        return None;
    }
    let values = response.response.headers.lines(name).take(MAX_CHALLENGES);
    let (short, long): (Vec<_>, Vec<_>) = values.partition(|value| value.len() <= MAX_CHALLENGE);
    let challenges: Vec<Challenge> = short.into_iter().filter_map(|value| Challenge::parse(value).ok()).collect();
    let asked = Asked { refused, challenges: &challenges, by_proxy, from: response.flow.remote, home };
    match asked.proofs(core) {
        Ok(proofs) => Some(Answered { refused: refused.clone(), proofs }),
        // What only asks whether somebody is there has its answer.
        Err(_) if refused.request.method == Method::Options => None,
        Err(reason) => {
            let is_too_long = challenges.is_empty() && !long.is_empty();
            let reason = if is_too_long { ChallengeFailure::TooLong { most: MAX_CHALLENGE } } else { reason };
            if let ChallengeFailure::Refused { .. } = reason {
                core.nonces.forget(&call_of(&refused.request));
            }
            let realm = challenges.first().map(|challenge| challenge.realm.as_str()).unwrap_or_default();
            let event = ChallengeEvent {
                whose: whose(&refused.account),
                method: refused.request.method.to_string(),
                address: response.flow.remote,
                status: response.response.status,
                realm: Outside::from(realm),
                reason,
            };
            core.emit(event);
            None
        }
    }
}

fn call_of(request: &Request) -> String {
    let call = request.headers.get(HeaderName::CallId).map(|id| String::from_utf8_lossy(id).into_owned());
    call.unwrap_or_default()
}

fn whose(account: &Account) -> String {
    match account {
        Account::Nobody => String::new(),
        Account::Peer(name) | Account::Registration(name) => name.to_string(),
        Account::Given(given) => given.whom.clone(),
    }
}

/// Sends the request again, with this CSeq number.
pub fn send_again(id: ClientId, requester: Requester, answered: Answered, number: u32, core: &mut Core) {
    let Answered { mut refused, proofs } = answered;
    let method = refused.request.method.clone();
    refused.request.headers.set(HeaderName::CSeq, CSeq { number, method }.to_string());
    refused.tries = refused.tries.saturating_add(1);
    let call = call_of(&refused.request);
    for proof in proofs {
        refused.answered.push(proof.realm().into());
        core.nonces.learn(&call, proof);
    }
    core.nonces.write(&call, &mut refused.request, refused.flow.remote.ip(), &mut core.rng);
    core.tx.send_again(core.now.mono, id, (requester, refused), &mut core.rng, &mut core.out.transmit);
}

/// A request that was asked for a password.
struct Asked<'a> {
    refused: &'a Refused,
    challenges: &'a [Challenge],
    by_proxy: bool,
    from: SocketAddr,
    home: Home,
}

/// A user and what proves him, and the option that it stands in.
struct Found {
    user: String,
    proof: Credential,
    option: String,
}

impl Asked<'_> {
    /// One proof for each realm that can be answered, of the strongest algorithm.
    fn proofs(&self, core: &mut Core) -> Result<Vec<Proof>, ChallengeFailure> {
        let sent_to = self.refused.flow.remote;
        if self.from.ip().to_canonical() != sent_to.ip().to_canonical() {
            return Err(ChallengeFailure::FromElsewhere { sent_to });
        }
        let mut realms: Vec<&SmolStr> = Vec::new();
        for challenge in self.challenges {
            if !realms.contains(&&challenge.realm) {
                realms.push(&challenge.realm);
            }
        }
        let mut failure = ChallengeFailure::Unknown;
        let mut proofs = Vec::new();
        for realm in realms {
            match self.proof(realm, core) {
                Ok(proof) => proofs.push(proof),
                // A password that is refused is not given again, whoever else asks.
                Err(refused @ (ChallengeFailure::Refused { .. } | ChallengeFailure::TooOften)) => return Err(refused),
                Err(other) => failure = other,
            }
        }
        if proofs.is_empty() { Err(failure) } else { Ok(proofs) }
    }

    fn proof(&self, realm: &str, core: &mut Core) -> Result<Proof, ChallengeFailure> {
        let found = self.found(realm, core)?;
        let offered = self.challenges.iter().filter(|challenge| challenge.realm == realm);
        let mut usable: Vec<(&Challenge, Algorithm)> = offered
            .filter(|challenge| challenge.offers_auth() || (challenge.qop.is_none() && !challenge.is_of_session()))
            .filter_map(|challenge| Some((challenge, challenge.algorithm()?)))
            .collect();
        if usable.is_empty() {
            return Err(ChallengeFailure::Unknown);
        }
        if self.was_refused(realm, &usable) {
            return Err(ChallengeFailure::Refused { user: found.user, option: found.option });
        }
        if self.refused.tries >= MAX_TRIES {
            return Err(ChallengeFailure::TooOften);
        }
        usable.sort_by_key(|(challenge, algorithm)| {
            let strength = match algorithm {
                Algorithm::Sha256 => 0,
                Algorithm::Md5 => 1,
            };
            // What more servers do right comes first.
            (strength, challenge.is_of_session())
        });
        let ha1 = |algorithm| match &found.proof {
            Credential::Password(secret) => Some(Ha1::from_secret_with(algorithm, &found.user, realm, secret.reveal())),
            Credential::Ha1(hash) => Ha1::from_hex(hash.reveal()).filter(|hash| hash.algorithm() == algorithm),
        };
        let best = usable.into_iter().find_map(|(challenge, algorithm)| Some((challenge, ha1(algorithm)?)));
        let Some((challenge, ha1)) = best else {
            return Err(ChallengeFailure::HashDoesNotServe { option: found.option });
        };
        let proof = Proof::new(challenge.clone(), self.by_proxy, found.user, ha1, self.from.ip());
        match (&self.home, &self.refused.account) {
            (Home::Registrar(line), _) => core.nonces.learn_realm(line.peer.as_ref().unwrap_or(&line.id), realm),
            (_, Account::Peer(name) | Account::Registration(name)) => core.nonces.learn_realm(name, realm),
            (_, Account::Nobody | Account::Given(_)) => {}
        }
        Ok(proof)
    }

    /// Was the request sent with the right nonce and this realm's password, and refused? A nonce of an earlier request,
    /// sent unasked, proves nothing.
    fn was_refused(&self, realm: &str, usable: &[(&Challenge, Algorithm)]) -> bool {
        if usable.iter().any(|(challenge, _)| challenge.stale) {
            return false;
        }
        let name = if self.by_proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
        let given = Credentials::find(&self.refused.request.headers, name, realm);
        let same = given.is_some_and(|given| usable.iter().any(|(challenge, _)| challenge.nonce == given.nonce));
        same || self.refused.answered.iter().any(|answered| answered == realm)
    }

    /// The user and password for a realm.
    fn found(&self, realm: &str, core: &Core) -> Result<Found, ChallengeFailure> {
        if let Home::Registrar(line) = &self.home {
            return registrar(line, realm, core);
        }
        if let Account::Given(given) = &self.refused.account {
            return given_login(given, self.from.ip());
        }
        let Account::Peer(name) = &self.refused.account else { return Err(ChallengeFailure::NotRegistered) };
        let Some(peer) = core.config.peers.get(&**name).cloned() else { return Err(ChallengeFailure::NotRegistered) };
        let section = format!("[{}], {}", peer.name, peer.place);
        if !peer.host.is_fixed() && peer.default_addr.is_none() {
            return match self.home {
                Home::Registered => own(&peer, &section).and_then(|found| unshared(found, &peer, realm, core)),
                Home::Registrar(_) | Home::Other => Err(ChallengeFailure::NotRegistered),
            };
        }
        if let Some(login) = peer.auth.iter().find(|login| login.realm == realm) {
            let (user, proof) = (login.login.user.clone(), login.login.proof.clone());
            return Ok(Found { user, proof, option: format!("auth= in {section}") });
        }
        let names = core.config.admission.names();
        let mut addresses = peer.host.addresses(names).chain(peer.default_addr);
        let is_its_own = addresses.any(|at| at.ip().to_canonical() == self.from.ip().to_canonical());
        let is_registered = matches!(self.home, Home::Registered);
        if !is_its_own && !is_registered && !core.nonces.knows_realm(name, realm) {
            return Err(ChallengeFailure::NotItsRealm { section });
        }
        if let Some(login) = core.config.general.auth.iter().find(|login| login.realm == realm) {
            let (user, proof) = (login.login.user.clone(), login.login.proof.clone());
            return Ok(Found { user, proof, option: "auth= in [general]".to_owned() });
        }
        trunk(&peer, &section).and_then(|found| unshared(found, &peer, realm, core))
    }
}

/// What a dial string has: for the place that it was written for.
fn given_login(given: &Given, from: IpAddr) -> Result<Found, ChallengeFailure> {
    if from.to_canonical() != given.home.to_canonical() {
        return Err(ChallengeFailure::NotDialled { home: given.home });
    }
    let proof = match &given.proof {
        GivenProof::Password(password) => Credential::Password(Secret::new(&**password)),
        GivenProof::Md5(hash) => Credential::Ha1(Secret::new(&**hash)),
    };
    Ok(Found { user: given.user.clone(), proof, option: "the password in the dial string".to_owned() })
}

/// What a registration of ours has: `auth=` for the realm, else the line's own, else that of its section.
fn registrar(line: &RegisterLine, realm: &str, core: &Core) -> Result<Found, ChallengeFailure> {
    let peer = line.peer.as_ref().and_then(|name| core.config.peers.get(name));
    let section = peer.map(|peer| format!("[{}], {}", peer.name, peer.place)).unwrap_or_default();
    let of_realm = |auth: &[RealmLogin]| auth.iter().find(|login| login.realm == realm).map(|it| it.login.clone());
    let (login, option) = if let Some(login) = peer.and_then(|peer| of_realm(&peer.auth)) {
        (login, format!("auth= in {section}"))
    } else if let Some(login) = of_realm(&core.config.general.auth) {
        (login, "auth= in [general]".to_owned())
    } else if let Some(login) = &line.login {
        (login.clone(), format!("the line at {}", line.place))
    } else if let Some(peer) = peer {
        return trunk(peer, &section);
    } else {
        return Err(ChallengeFailure::NoPassword { section: format!("the line at {}", line.place) });
    };
    Ok(Found { user: login.user, proof: login.proof, option })
}

/// What a line that registers shares with us: its own name and password.
fn own(peer: &Arc<Peer>, section: &str) -> Result<Found, ChallengeFailure> {
    let named = |option: &str| format!("{option}= in {section}");
    let (proof, option) = match (&peer.remote_secret, &peer.credential) {
        (Some(secret), _) => (Credential::Password(secret.clone()), named("remotesecret")),
        (None, Some(proof @ Credential::Password(_))) => (proof.clone(), named("secret")),
        (None, Some(proof @ Credential::Ha1(_))) => (proof.clone(), named("md5secret")),
        (None, None) => return Err(ChallengeFailure::NoPassword { section: section.to_owned() }),
    };
    Ok(Found { user: peer.name.clone(), proof, option })
}

/// CVE-2021-41158: what a peer proves itself with to us is not given for our own realm. Whoever sits at its address could ask
/// us for what we have just asked him.
fn unshared(found: Found, peer: &Peer, realm: &str, core: &Core) -> Result<Found, ChallengeFailure> {
    let is_ours = realm == core.config.general.realm && found.user == peer.name;
    match is_ours && peer.remote_secret.is_none() && peer.credential.is_some() {
        true => Err(ChallengeFailure::OurOwnRealm { section: format!("[{}], {}", peer.name, peer.place) }),
        false => Ok(found),
    }
}

/// The same of a trunk, where we are `defaultuser=` or, without it, `fromuser=`.
fn trunk(peer: &Arc<Peer>, section: &str) -> Result<Found, ChallengeFailure> {
    let user = peer.default_user.as_ref().or(peer.from_user.as_ref()).unwrap_or(&peer.name);
    own(peer, section).map(|found| Found { user: user.clone(), ..found })
}
