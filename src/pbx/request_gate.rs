//! May a request open a server transaction? If not, it is answered without one, and nothing of it is kept.

use super::core::{Core, add_response_headers};
use super::uri_text::host;
use crate::config::peer::Peer;
use crate::guard::admission::{Caller, ChallengeOptions, Proof};
use crate::guard::amplification;
use crate::guard::replay::Replay;
use crate::rng::Rng;
use crate::sip::Flow;
use crate::sip::flow::{OpensFor, Transport};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::sips::SipsViolation;
use crate::sip::transaction::Transmit;
use crate::sip::validate::Essentials;
use std::net::SocketAddr;

/// Maximum number of nonces whose counts are remembered.
const MAX_NONCES: usize = 20_000;

/// Decides which requests are let in; remembers which nonces were used.
pub(super) struct RequestGate {
    replay: Replay,
}

/// A request at the gate.
pub(super) struct Asking<'a> {
    /// The request.
    pub(super) request: &'a Request,
    /// Its mandatory headers, read.
    pub(super) essentials: &'a Essentials,
    /// Who sent it, as the ingress found out.
    pub(super) caller: &'a Caller,
    /// It belongs to the dialog of a leg; is that to stay on TLS?
    pub(super) dialog: Option<Secured>,
    /// Where it came from.
    pub(super) source: SocketAddr,
    /// Where its responses go.
    pub(super) flow: Flow,
}

/// Is a dialog to stay on TLS (RFC 5630)?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Secured(pub(super) bool);

impl RequestGate {
    pub(super) fn new(rng: &mut Rng) -> RequestGate {
        RequestGate { replay: Replay::new(MAX_NONCES, rng) }
    }

    /// May this request, which is no retransmission, open a server transaction?
    pub(super) fn lets_in(&mut self, asking: &Asking<'_>, core: &mut Core) -> bool {
        match (asking.caller, asking.dialog) {
            (_, Some(Secured(true))) if asking.flow.transport != Transport::Tls => {
                refuse_in_the_clear(asking, core);
                false
            }
            (_, Some(_)) => {
                vouch(asking.flow, core);
                true
            }
            (Caller::Dialog, None) => belongs_to_something(asking, core),
            (Caller::Account { peer, proof }, None) => {
                let is_fresh = self.is_fresh(proof, core);
                // A device that was switched off may begin with the same CSeq again; a copy has the same digest, too.
                let is_digest = matches!(proof, Proof::Digest { .. });
                let registers_anew = is_fresh && is_digest && asking.request.method == Method::Register;
                if core.tx.is_merged(asking.essentials) && !registers_anew {
                    // RFC 3261 8.2.2.2
                    answer_statelessly(asking, Response::for_request(asking.request, 482, None), core);
                    return false;
                }
                take_or_challenge(asking, peer, is_fresh, core);
                is_fresh
            }
        }
    }

    /// A right digest counts once.
    fn is_fresh(&mut self, proof: &Proof, core: &Core) -> bool {
        match proof {
            Proof::Trusted => true,
            Proof::Digest { stale: true, .. } => false,
            Proof::Digest { nonce, nc, stale: false } => self.replay.accept(nonce, *nc, core.now.mono),
        }
    }
}

/// Who comes with a stale or repeated digest is challenged again; a fresh one proves its connection.
fn take_or_challenge(asking: &Asking<'_>, peer: &Peer, is_fresh: bool, core: &mut Core) {
    if is_fresh {
        vouch(asking.flow, core);
        return;
    }
    let random = core.rng.bits();
    let options = ChallengeOptions { algorithm: peer.settings.auth_algorithm, stale: true };
    let admission = core.config.admission.clone();
    let response = admission.challenge(asking.request, asking.source, core.now.mono, random, options);
    answer_statelessly(asking, response, core);
}

/// A request was let in: the connection it came over is a peer's, or one of a guest, who proved nothing.
fn vouch(flow: Flow, core: &mut Core) {
    let Some(connection) = flow.connection else { return };
    match flow.opens_for {
        OpensFor::Peer => core.out.proven.push(connection),
        OpensFor::Stranger(_) => core.out.guests.push(connection),
        OpensFor::Nobody => {}
    }
}

/// A request within a dialog that is known to nobody.
fn belongs_to_something(asking: &Asking<'_>, core: &mut Core) -> bool {
    let request = asking.request;
    if request.method == Method::Cancel && core.tx.cancels(request, asking.essentials) {
        return true;
    }
    // An ACK is never answered.
    if request.method == Method::Ack {
        core.count_drop("ACK for no call");
    } else {
        core.count_drop("request for a call that is over");
        answer_statelessly(asking, Response::for_request(request, 481, None), core);
    }
    false
}

/// Somebody speaks within a call that stays on TLS, and does not come over it (RFC 5630 5.1.2).
fn refuse_in_the_clear(asking: &Asking<'_>, core: &mut Core) {
    core.count_drop("request in the clear for a call over TLS");
    // An ACK is never answered.
    if asking.request.method != Method::Ack {
        let mut response = Response::for_request(asking.request, 480, None);
        let warning = SipsViolation::Required.warning(&host(asking.flow.advertised.ip()));
        response.headers.push(HeaderName::Warning, warning);
        answer_statelessly(asking, response, core);
    }
}

/// Answers without keeping anything, and with no more than twice the bytes unless the address is proved.
pub(super) fn answer_statelessly(asking: &Asking<'_>, mut response: Response, core: &mut Core) {
    add_response_headers(&mut response, &core.config.product);
    core.tag(&mut response);
    if asking.flow.connection.is_none() && !amplification::fits(asking.request, &mut response) {
        return core.count_drop("the answer would be more than twice the request");
    }
    let mut flow = asking.flow;
    if flow.transport.is_reliable() {
        // No connection is made for what is kept by nobody (RFC 3261 18.2.2 is for transactions).
        flow.opens_for = OpensFor::Nobody;
    }
    if flow.connection.is_none() {
        // Nor does it follow a `maddr` of who proved nothing.
        flow.remote.set_ip(asking.source.ip());
    }
    core.out.transmit.push(Transmit { flow, bytes: response.to_bytes() });
}
