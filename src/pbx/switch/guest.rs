//! Callers who have proved nothing, not even their address: those without an account (`allowguest=yes`), and those who
//! have the name of a line without a secret whose address may be any. Somebody else may get what we send. So what cannot become a call is refused once and forgotten, before there is a transaction that
//! would repeat it.

use crate::config::peer::{Kind, Peer};
use crate::event::LineEvent;
use crate::guard::admission::Caller;
use crate::pbx::calls::{Asked, Calls};
use crate::pbx::core::Core;
use crate::pbx::request_gate::{Asking, answer_statelessly};
use crate::sip::Flow;
use crate::sip::HeaderName;
use crate::sip::message::Response;
use crate::sip::method::Method;
use std::sync::Arc;

/// Whether this is the INVITE of somebody who proved nothing, and cannot become a call: it has its answer then.
pub(super) fn is_refused(asking: &Asking<'_>, calls: &mut Calls, is_stopping: bool, core: &mut Core) -> bool {
    let Caller::Account { peer, .. } = asking.caller else { return false };
    if !asking.flow.is_strangers() || asking.request.method != Method::Invite || asking.dialog.is_some() {
        return false;
    }
    let Some(response) = refusal(asking, peer, calls, is_stopping, core) else { return false };
    answer_statelessly(asking, response, core);
    true
}

fn refusal(
    asking: &Asking<'_>,
    peer: &Arc<Peer>,
    calls: &mut Calls,
    is_stopping: bool,
    core: &mut Core,
) -> Option<Response> {
    let plain = |status| Some(Response::for_request(asking.request, status, None));
    let Some(mut peer) = in_force(peer, core) else { return plain(403) };
    // Whoever has proved nothing takes no call over, whether there is one or not (RFC 3891 3).
    if !may_use(&peer, asking.flow, core) || asking.request.headers.get(HeaderName::Replaces).is_some() {
        return plain(403);
    }
    if let Some(context) = core.config.admission.context_of(asking.request) {
        Arc::make_mut(&mut peer).settings.context = context.to_owned();
    }
    let asked = Asked { request: asking.request, essentials: asking.essentials, peer: &peer };
    calls.refusal(&asked, asking.source, is_stopping, core)
}

/// May a peer use the transport that this came over? If not, that is said; of guests there is nothing to say.
pub(super) fn may_use(peer: &Peer, flow: Flow, core: &mut Core) -> bool {
    let may = peer.settings.may_use(flow.transport);
    if !may && peer.kind != Kind::Guest {
        core.emit(LineEvent::TransportRefused {
            line: peer.name.clone(),
            address: flow.remote,
            transport: flow.transport.to_string(),
            section: peer.place.to_string(),
        });
    }
    may
}

/// The peer of that name as it is configured now: what the ingress let pass may be older than the latest reload.
pub(super) fn in_force(peer: &Arc<Peer>, core: &Core) -> Option<Arc<Peer>> {
    match peer.kind {
        Kind::Guest => core.config.general.allow_guest.then(|| peer.clone()),
        Kind::Friend | Kind::Peer | Kind::User => core.config.peers.get(&peer.name).cloned(),
    }
}
