//! The stateless edge: admission of every request from the network. A pure function over a read-only table, so that
//! several workers can run it, and a flood of unauthenticated requests leaves no state behind (RFC 3261 26.3.2.4).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use smol_str::SmolStr;

use super::denial::{self, Judged};
use super::domain::Domains;
use super::event::{AuthEvent, cut};
use super::identity::{self, Account, Accounts, AddressIndex, ClaimedIdentity, Directory};
use super::trial::Uncounted;
pub use super::trial::{Circumstances, Trial, Trials};
use super::{amplification, nat, provider};
use crate::clock::{Now, Time};
use crate::config::acl::Acl;
use crate::config::diagnostic::Place;
use crate::config::peer::{Peer, Tristate};
use crate::config::sip_conf::SipConf;
use crate::config::suggest::nearest;
use crate::config::transport::External;
use crate::event::security::{Denial, DenialCause};
use crate::names::Names;
use crate::sip::digest::nonce::{self, NonceKey, NonceState, Sealer};
use crate::sip::digest::{self, Algorithm, Ha1};
use crate::sip::flow::Transport;
use crate::sip::header::{Credentials, HeaderName, NameAddr, OptionTags, Via, split};
use crate::sip::method::{ALLOW, AtEdge};
use crate::sip::route;
use crate::sip::sips::{self, SipsViolation};
use crate::sip::uri::Host;
use crate::sip::validate::{Essentials, Refusal};
use crate::sip::{Flow, Method, Request, Response};

/// The extensions a request may require (RFC 4028, RFC 3327); the switch may still decline them to a peer.
const EXTENSIONS: &[&str] = &["timer", "path", "replaces", "norefersub"];

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Respond to it at once and forget it.
    Reply {
        /// The response, complete.
        response: Response,
        /// Where it goes; over the connection that the request came on, if any.
        to: SocketAddr,
        /// What to count and log.
        note: Option<AuthEvent>,
    },
    /// Leave it to the switch.
    Pass {
        /// Who sent it.
        caller: Caller,
    },
    /// No response can be sent; the reason is counted.
    Drop(&'static str),
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// An authenticated account.
    Account {
        /// The account.
        peer: Arc<Peer>,
        /// How it was authenticated.
        proof: Proof,
    },
    /// Not authenticated: ACK, CANCEL, and requests with a To tag. The switch finds the dialog, or responds with 481.
    Dialog,
}

/// How an account was authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// By a correct digest. The switch still checks with [`super::replay::Replay`] that it was not used before.
    Digest {
        /// The nonce, one of ours.
        nonce: SmolStr,
        /// The nonce count; `None` without `qop` (RFC 2069): the nonce is valid once.
        nc: Option<u32>,
        /// The nonce has expired: 401 with `stale=true`, unless this is a retransmission of a request already known.
        stale: bool,
    },
    /// No digest was required: no secret is configured, or `insecure=invite`.
    Trusted,
}

/// The read-only table of the ingress; built anew at every reload.
#[derive(Clone)]
pub struct Admission {
    realm: String,
    /// The realm as it is written between quotes.
    quotable: String,
    server: Bytes,
    key: Sealer,
    nat: Tristate,
    external: External,
    names: Arc<Names>,
    accounts: Arc<Accounts>,
    addresses: Arc<AddressIndex>,
    /// The access list of `[general]`: it applies to every source.
    acl: Acl,
    domains: Domains,
    /// The algorithm of the challenge when the account does not exist.
    algorithm: Algorithm,
    by_digest: bool,
    options_too: bool,
    /// Where an account would stand that does not exist.
    nowhere: Place,
    /// With `allowguest=yes`: the peer of callers that name no account.
    guest: Option<Arc<Peer>>,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admission").field("realm", &self.realm).field("accounts", &self.accounts.len()).finish()
    }
}

/// Whether `[general]` lets a request in, whatever the account.
#[derive(Clone, Copy)]
pub(super) struct GeneralAccess {
    /// Its access list allows the source.
    pub(super) source_allowed: bool,
    /// The domain is one of ours.
    pub(super) domain_served: bool,
}

/// What a challenge asks for beside the realm.
#[derive(Debug, Clone, Copy)]
pub struct ChallengeOptions {
    /// The algorithm of the digest.
    pub algorithm: Algorithm,
    /// The nonce is used up or has expired: no reason to ask a user for his password.
    pub stale: bool,
}

/// One request, with where and when it arrived.
#[derive(Clone, Copy)]
pub(super) struct RequestContext<'a> {
    request: &'a Request,
    essentials: &'a Essentials,
    pub(super) flow: Flow,
    circumstances: Circumstances<'a>,
}

/// Why a request of somebody who had too many answers already gets none.
pub const TOO_MANY: &str = "too many unauthenticated requests from one address";
/// Why a digest is not looked at.
pub const TOO_MANY_WRONG: &str = "too many wrong digests for one account from one address";

impl Admission {
    /// The table for a configuration. The key signs nonces and makes To tags: the same over a reload, else everybody is
    /// challenged again.
    pub fn new(conf: &SipConf, key: NonceKey) -> Admission {
        let realm = conf.general.realm.clone();
        let accounts = conf.peers.iter().map(|(name, peer)| (name.clone(), Account::new(peer, &realm))).collect();
        let names = Arc::<Names>::default();
        Admission {
            quotable: realm.replace(['"', '\\'], ""),
            realm,
            server: Bytes::from(conf.general.user_agent.clone()),
            key: Sealer::new(&key),
            nat: conf.general.defaults.nat.force_rport,
            external: conf.general.external.clone(),
            addresses: Arc::new(AddressIndex::new(&accounts, &names)),
            names,
            accounts: Arc::new(accounts),
            acl: conf.general.acl.clone(),
            domains: Domains::new(&conf.general),
            algorithm: conf.general.defaults.auth_algorithm,
            by_digest: conf.general.match_auth_username,
            options_too: conf.general.auth_options,
            nowhere: Place { file: "sip.conf".into(), line: 100 },
            guest: conf.general.allow_guest.then(|| Arc::new(Peer::guest(&conf.general.defaults))),
        }
    }

    /// The context of calls to the domain of `request`, when `domain=` names one.
    pub fn context_of(&self, request: &Request) -> Option<&str> {
        self.domains.context(request)
    }

    /// The same table with new addresses of host names.
    pub fn with_names(&self, names: Arc<Names>) -> Admission {
        let addresses = Arc::new(AddressIndex::new(&self.accounts, &names));
        Admission { names, addresses, ..self.clone() }
    }

    /// The addresses of host names as last looked up.
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The address of ours that `remote` is to use for `local` (`externaddr`).
    pub fn advertised_address(&self, transport: Transport, local: SocketAddr, remote: IpAddr) -> SocketAddr {
        let found = self.external.host.as_ref().and_then(|(name, _)| self.names.address(name));
        self.external.advertised_address(transport, local, remote, (found, self.names.outside()))
    }

    /// What is done with `request`, which arrived over `flow` and passed `validate::request`. `random` makes the nonce
    /// of a challenge. Response, work and address are the same whether or not the account exists.
    pub fn admit(&self, request: &Request, essentials: &Essentials, flow: Flow, now: Now, random: u64) -> Verdict {
        let circumstances = Circumstances { now, random, may_answer: true, trials: &Uncounted };
        self.admit_in(request, essentials, flow, circumstances)
    }

    /// The same, with what its source may still cause.
    pub fn admit_in(
        &self,
        request: &Request,
        essentials: &Essentials,
        flow: Flow,
        circumstances: Circumstances<'_>,
    ) -> Verdict {
        let source = flow.remote;
        if source.port() == 0 {
            return Verdict::Drop("source port 0");
        }
        let context = RequestContext { request, essentials, flow, circumstances };
        let rules = request.method.rules();
        if let Some(violation) = sips::sips_violation(request, flow.transport) {
            return if circumstances.may_answer {
                self.refuse_sips(context, violation)
            } else {
                Verdict::Drop(TOO_MANY)
            };
        }
        let may_answer = circumstances.may_answer;
        match rules.at_edge {
            AtEdge::Pass => Verdict::Pass { caller: Caller::Dialog },
            AtEdge::Authenticate => self.beforehand(context, true).unwrap_or_else(|| match request.method {
                // RFC 3261 16.3 step 3: what may not be forwarded is not sent on. A call is refused, and that is told, when
                // it is known whose it is.
                Method::Message if essentials.max_forwards == Some(0) => self.decline(context, 483),
                _ => self.authenticate(context),
            }),
            AtEdge::Accept => self.beforehand(context, may_answer).unwrap_or_else(|| match request.method {
                Method::Options if self.options_too => match self.authenticate(context) {
                    Verdict::Pass { .. } => self.accept(context),
                    refused => refused,
                },
                Method::Notify => match provider::of((request, essentials), flow, self.directory(), self.by_digest) {
                    Some(peer) if self.acl.allows(source.ip()) => pass(&peer, Proof::Trusted),
                    Some(_) | None => self.accept(context),
                },
                _ => self.accept(context),
            }),
            AtEdge::Refuse(status) => {
                self.beforehand(context, may_answer).unwrap_or_else(|| self.decline(context, status))
            }
        }
    }

    /// What is decided before anybody asks who sends it: whether it belongs to a dialog, and what it requires. Outside
    /// of one it is looked at only when `may_go_on`.
    fn beforehand(&self, context: RequestContext<'_>, may_go_on: bool) -> Option<Verdict> {
        let RequestContext { request, essentials, .. } = context;
        let in_dialog = request.method.rules().within_dialogs && essentials.to.tag().is_some();
        if !in_dialog && !may_go_on {
            return Some(Verdict::Drop(TOO_MANY));
        }
        let passed = in_dialog.then_some(Verdict::Pass { caller: Caller::Dialog });
        self.refuse_extensions(context).or(passed)
    }

    /// What is done with a request that `validate::request` refused: the required response, or none when there is no
    /// way to send one. There is no response to an ACK (RFC 3261 17).
    pub fn reject(&self, request: &Request, refusal: &Refusal, flow: Flow) -> Verdict {
        let source = flow.remote;
        let Some(via) = refusal.via.as_deref().filter(|_| source.port() != 0) else {
            return Verdict::Drop("malformed, and no Via to answer to");
        };
        if request.method == Method::Ack {
            return Verdict::Drop("malformed ACK");
        }
        let mut response = self.response_to(request, via, source, refusal.status);
        response.reason = Bytes::from_static(refusal.reason.as_bytes());
        self.reply(request, via, flow, response, None)
    }

    /// The answer to a request that says it belongs to something, and belongs to nothing (RFC 3261 9.2, 12.2.2). An ACK
    /// has none.
    pub fn belongs_to_nothing(&self, request: &Request, essentials: &Essentials, flow: Flow) -> Verdict {
        if request.method == Method::Ack {
            return Verdict::Drop("ACK for no call");
        }
        let response = self.response_to(request, &essentials.via, flow.remote, 481);
        self.reply(request, &essentials.via, flow, response, None)
    }

    /// The fixed address of a peer that this is, its port 0 when any port does; none: no peer has it.
    pub fn fixed_address(&self, flow: Flow) -> Option<SocketAddr> {
        self.addresses.place(&self.accounts, flow, &self.names)
    }

    /// The account whose name is most like one that does not exist: for the log alone, after the response is sent.
    pub fn nearest(&self, account: &str) -> Option<String> {
        nearest(account, self.accounts.keys().map(String::as_str)).map(str::to_owned)
    }

    /// A 401 with a fresh nonce (RFC 3261 22.1): one challenge, with `qop="auth"`, since several clients do not answer
    /// two. Via is copied as `request` has it.
    pub fn challenge(
        &self,
        request: &Request,
        source: SocketAddr,
        now: Time,
        random: u64,
        options: ChallengeOptions,
    ) -> Response {
        let mut response = Response::for_request(request, 401, Some(&self.to_tag(request)));
        let nonce = nonce::mint(&self.key, now, random, source.ip(), &self.realm);
        let stale = if options.stale { ", stale=true" } else { "" };
        let challenge = [
            "Digest algorithm=",
            options.algorithm.as_str(),
            ", realm=\"",
            &self.quotable,
            "\", nonce=\"",
            &nonce,
            "\", qop=\"auth\"",
            stale,
        ];
        response.headers.push(HeaderName::WwwAuthenticate, challenge.concat());
        self.add_common_headers(&mut response);
        response
    }

    /// Completes a response of the switch or the registrar: `Server`, `Allow`, and a To tag when it needs one and has
    /// none (RFC 3261 8.2.6.2).
    pub fn complete(&self, request: &Request, response: &mut Response) {
        let is_tagged = |to: &Bytes| NameAddr::parse(to).is_ok_and(|to| to.tag().is_some());
        if response.status > 100 && !response.headers.get(HeaderName::To).is_some_and(is_tagged) {
            let tagged = Response::for_request(request, response.status, Some(&self.to_tag(request)));
            if let Some(to) = tagged.headers.get(HeaderName::To) {
                response.headers.set(HeaderName::To, to.clone());
            }
        }
        self.add_common_headers(response);
    }

    fn add_common_headers(&self, response: &mut Response) {
        if !self.server.is_empty() {
            response.headers.set(HeaderName::Server, self.server.clone());
        }
        response.headers.set(HeaderName::Allow, ALLOW);
    }

    /// RFC 3261 8.2.2.3: extensions that are required and not supported.
    fn refuse_extensions(&self, context: RequestContext<'_>) -> Option<Verdict> {
        let required = OptionTags::from_headers(&context.request.headers, HeaderName::Require);
        let unknown = required.unknown(EXTENSIONS);
        if unknown.is_empty() {
            return None;
        }
        let mut response = self.response_to(context.request, &context.essentials.via, context.flow.remote, 420);
        response.headers.push(HeaderName::Unsupported, unknown.to_string());
        Some(self.reply(context.request, &context.essentials.via, context.flow, response, None))
    }

    /// RFC 5630 5.1.2: `sips:` over another transport than TLS, or a Contact that would leave it. The same for every
    /// sender, also within a call.
    fn refuse_sips(&self, context: RequestContext<'_>, violation: SipsViolation) -> Verdict {
        if context.request.method == Method::Ack {
            return Verdict::Drop("ACK for sips: that is not over TLS");
        }
        let mut response = self.response_to(context.request, &context.essentials.via, context.flow.remote, 480);
        let agent = Host::from(context.flow.advertised.ip()).to_string();
        response.headers.push(HeaderName::Warning, violation.warning(&agent));
        self.reply(context.request, &context.essentials.via, context.flow, response, None)
    }

    /// The 200 to OPTIONS and NOTIFY outside a dialog, the same for every sender. The keep-alive of an ATA is such a
    /// NOTIFY.
    fn accept(&self, context: RequestContext<'_>) -> Verdict {
        let mut response = self.response_to(context.request, &context.essentials.via, context.flow.remote, 200);
        if context.request.method == Method::Options {
            response.headers.push(HeaderName::Accept, "application/sdp, multipart/mixed");
        }
        self.reply(context.request, &context.essentials.via, context.flow, response, None)
    }

    fn decline(&self, context: RequestContext<'_>, status: u16) -> Verdict {
        let response = self.response_to(context.request, &context.essentials.via, context.flow.remote, status);
        self.reply(context.request, &context.essentials.via, context.flow, response, None)
    }

    fn authenticate(&self, context: RequestContext<'_>) -> Verdict {
        let RequestContext { request, essentials, flow, .. } = context;
        let source = flow.remote;
        let credentials = self.credentials(request);
        let credentials = credentials.as_ref();
        // RFC 7616 3.4: the digest is of a URI. Without one it says nothing of this request, whosever it is.
        if credentials.is_some_and(|credentials| credentials.uri.is_empty()) {
            return self.decline(context, 400);
        }
        let claim = match request.method {
            Method::Register => identity::registrant(&self.accounts, essentials, credentials),
            _ => identity::caller(self.directory(), (request, essentials), credentials, flow, self.by_digest),
        };
        let access = GeneralAccess {
            source_allowed: self.acl.allows(source.ip()),
            domain_served: self.domains.serves(request, essentials, flow.local),
        };
        let may_enter = access.source_allowed && access.domain_served;
        let trusted =
            claim.account.filter(|account| !claim.is_mixed && account.is_trusted(&request.method, flow, &self.names));
        if let Some(account) = trusted.filter(|_| may_enter) {
            return pass(&account.peer, Proof::Trusted);
        }
        let is_guest = request.method == Method::Invite && claim.account.is_none() && credentials.is_none();
        if let Some(guest) = self.guest.as_ref().filter(|_| is_guest && may_enter) {
            return pass(guest, Proof::Trusted);
        }
        match credentials {
            None if !context.circumstances.may_answer => Verdict::Drop(TOO_MANY),
            None => self.send_challenge(context, &claim, false),
            Some(credentials) => self.verify_digest(context, credentials, &claim, access),
        }
    }

    fn directory(&self) -> Directory<'_> {
        Directory { accounts: &self.accounts, addresses: &self.addresses, names: &self.names }
    }

    /// Verifies a digest. Every path does the same work whether or not the account exists: the dummy HA1 is always
    /// made.
    fn verify_digest(
        &self,
        context: RequestContext<'_>,
        credentials: &Credentials,
        claim: &ClaimedIdentity<'_>,
        access: GeneralAccess,
    ) -> Verdict {
        let RequestContext { request, flow, circumstances, .. } = context;
        let (source, trials) = (flow.remote, circumstances.trials);
        let state = nonce::check(&self.key, &credentials.nonce, circumstances.now.mono, source.ip(), &self.realm);
        match state {
            NonceState::Foreign if !circumstances.may_answer => return Verdict::Drop(TOO_MANY),
            NonceState::Foreign => {}
            NonceState::Valid | NonceState::Expired => match trials.may_try(&claim.name) {
                Trial::Verify => {}
                Trial::Challenge => return self.send_challenge(context, claim, state == NonceState::Expired),
                Trial::Ignore => return Verdict::Drop(TOO_MANY_WRONG),
            },
        }
        let algorithm = self.algorithm_for(claim);
        let dummy = self.dummy(&credentials.username, algorithm);
        let known = claim.account.filter(|_| !claim.is_mixed).and_then(|account| account.ha1.as_ref());
        let knows_secret = digest::verify(credentials, &request.method, known.unwrap_or(&dummy)) && known.is_some();
        let is_allowed = access.source_allowed & claim.account.is_some_and(|account| account.allows(source));
        let entitled = claim.account.filter(|_| knows_secret & is_allowed & access.domain_served);
        let passed = entitled.filter(|_| identity::is_for_target(request, credentials));
        if state != NonceState::Foreign && entitled.is_none() {
            trials.wrong(&claim.name);
        }
        // A digest by another algorithm than was asked for proves nothing and tries no secret: the sender is challenged
        // again. That also gives the algorithm of the account to a caller named by its digest alone.
        let is_fit = credentials.algorithm() == Some(algorithm);
        match (state, passed) {
            (NonceState::Foreign, _) => self.send_challenge(context, claim, false),
            // RFC 7616 3.3 has `stale` tell of the nonce alone: said to whoever knows the secret and to nobody else, it
            // would tell a right guess from a wrong one, and neither would be a guess that counts.
            (NonceState::Expired, None) => self.send_challenge(context, claim, true),
            // Who follows a redirection may show the digest that it has (pjsip does), which dials no other number.
            (NonceState::Valid, None) if entitled.is_some() => self.send_challenge(context, claim, true),
            (NonceState::Valid, None) if !is_fit => self.send_challenge(context, claim, false),
            (NonceState::Valid, None) => {
                // Written for nobody, too, so that it takes the same time.
                if claim.account.is_none() {
                    std::hint::black_box(self.nowhere.to_string());
                }
                let cause = denial::cause(Judged {
                    directory: self.directory(),
                    claim,
                    credentials,
                    method: &request.method,
                    flow,
                    source_allowed: access.source_allowed,
                    domain_served: access.domain_served,
                    is_allowed,
                    knows_secret,
                    realm: &self.realm,
                });
                self.refuse(context, claim, cause)
            }
            (NonceState::Valid | NonceState::Expired, Some(account)) => {
                let proof = Proof::Digest {
                    nonce: credentials.nonce.clone(),
                    nc: credentials.nonce_count(),
                    stale: state == NonceState::Expired,
                };
                pass(&account.peer, proof)
            }
        }
    }

    /// The algorithm of the challenge: the account's own, or that of `[general]` when the account does not exist. So
    /// the algorithm reveals only the peers that have another one than `[general]`.
    fn algorithm_for(&self, claim: &ClaimedIdentity<'_>) -> Algorithm {
        claim.account.map_or(self.algorithm, Account::algorithm)
    }

    fn send_challenge(&self, context: RequestContext<'_>, claim: &ClaimedIdentity<'_>, stale: bool) -> Verdict {
        let (via, source) = (&context.essentials.via, context.flow.remote);
        let Circumstances { now, random, .. } = context.circumstances;
        let options = ChallengeOptions { algorithm: self.algorithm_for(claim), stale };
        let mut response = self.challenge(context.request, source, now.mono, random, options);
        self.stamp(&mut response, via, source);
        let neighbour = denial::neighbour(self.directory(), claim, &context.request.method, context.flow);
        let event = neighbour.map_or(AuthEvent::Challenged, |cause| {
            AuthEvent::ChallengedNeighbour(Box::new(self.denial(&context, claim, cause)))
        });
        self.reply(context.request, via, context.flow, response, Some(event))
    }

    fn refuse(&self, context: RequestContext<'_>, claim: &ClaimedIdentity<'_>, cause: DenialCause) -> Verdict {
        let denial = Box::new(self.denial(&context, claim, cause));
        let via = &context.essentials.via;
        let response = self.response_to(context.request, via, context.flow.remote, 403);
        self.reply(context.request, via, context.flow, response, Some(AuthEvent::Refused(denial)))
    }

    fn denial(&self, context: &RequestContext<'_>, claim: &ClaimedIdentity<'_>, cause: DenialCause) -> Denial {
        Denial {
            cause,
            account: cut(&claim.name),
            id: self.to_tag(context.request),
            source: context.flow.remote,
            transport: context.flow.transport.to_string(),
            at: context.circumstances.now.wall,
        }
    }

    /// The credentials for our realm. Those for other realms or schemes, and malformed ones, are skipped (RFC 3261 22.3
    /// lets a request carry several).
    fn credentials(&self, request: &Request) -> Option<Credentials> {
        request
            .headers
            .lines(HeaderName::Authorization)
            .filter_map(|value| Credentials::parse(value).ok())
            .find(|credentials| credentials.realm == self.realm)
    }

    /// The HA1 of an account that does not exist: always the same for the same name, and made of an unknown secret.
    fn dummy(&self, user: &str, algorithm: Algorithm) -> Ha1 {
        let mac = digest::hex(&self.key.mac(b"dummy", &[user.as_bytes(), self.realm.as_bytes()]));
        Ha1::from_secret_with(algorithm, "", "", &mac)
    }

    /// The To tag of a stateless response: derived from the request, so that retransmissions get the same
    /// (RFC 3261 8.2.7).
    fn to_tag(&self, request: &Request) -> String {
        let top = request.headers.get(HeaderName::Via).map(|line| split::first_item(line));
        let branch = top.and_then(|via| Via::parse(via).ok()).and_then(|via| via.branch).unwrap_or_default();
        let part = |name| request.headers.get(name).map_or(&b""[..], |value| value.as_ref());
        let parts = [part(HeaderName::CallId), part(HeaderName::From), part(HeaderName::CSeq), branch.as_bytes()];
        let mac = self.key.mac(b"to-tag", &parts);
        digest::hex(mac.get(..8).unwrap_or_default())
    }

    fn response_to(&self, request: &Request, via: &Via, source: SocketAddr, status: u16) -> Response {
        let mut response = Response::for_request(request, status, Some(&self.to_tag(request)));
        self.add_common_headers(&mut response);
        self.stamp(&mut response, via, source);
        response
    }

    /// Writes `received` and `rport` into its top Via.
    fn stamp(&self, response: &mut Response, via: &Via, source: SocketAddr) {
        route::stamp_via(&mut response.headers, source, nat::force_rport(self.nat, via, source));
    }

    /// Its destination depends on no peer's configuration, only on the general one (AST-2011-013), and never on an
    /// unauthenticated `maddr`.
    fn reply(
        &self,
        request: &Request,
        via: &Via,
        flow: Flow,
        mut response: Response,
        note: Option<AuthEvent>,
    ) -> Verdict {
        // The address of a connection cannot be forged.
        if flow.connection.is_none() && !amplification::fits(request, &mut response) {
            return Verdict::Drop("the answer would be more than twice the request");
        }
        let port = flow.answering(via, nat::force_rport(self.nat, via, flow.remote)).remote.port();
        Verdict::Reply { response, to: SocketAddr::new(flow.remote.ip(), port), note }
    }
}

fn pass(peer: &Arc<Peer>, proof: Proof) -> Verdict {
    Verdict::Pass { caller: Caller::Account { peer: Arc::clone(peer), proof } }
}

#[cfg(test)]
mod tests;
