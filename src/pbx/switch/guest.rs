//! Callers without an account (`allowguest=yes`). They have proved nothing, not even their address: somebody else may
//! get what we send. So what cannot become a call is refused once and forgotten, before there is a transaction that
//! would repeat it.

use crate::config::peer::{Kind, Peer};
use crate::guard::admission::Caller;
use crate::pbx::calls::{Asked, Calls};
use crate::pbx::core::Core;
use crate::pbx::request_gate::{Asking, answer_statelessly};
use crate::sip::message::Response;
use crate::sip::method::Method;
use std::sync::Arc;

/// Whether this is the INVITE of a guest that cannot become a call: it has its answer then.
pub(super) fn is_refused(asking: &Asking<'_>, calls: &mut Calls, is_stopping: bool, core: &mut Core) -> bool {
    let Caller::Account { peer, .. } = asking.caller else { return false };
    if peer.kind != Kind::Guest || asking.request.method != Method::Invite || asking.dialog.is_some() {
        return false;
    }
    let Some(response) = refusal(asking, peer, calls, is_stopping, core) else { return false };
    answer_statelessly(asking, response, core);
    true
}

fn refusal(
    asking: &Asking<'_>,
    guest: &Arc<Peer>,
    calls: &mut Calls,
    is_stopping: bool,
    core: &mut Core,
) -> Option<Response> {
    let plain = |status| Some(Response::for_request(asking.request, status, None));
    let Some(mut guest) = in_force(guest, core) else { return plain(403) };
    if !guest.settings.may_use(asking.flow.transport) {
        return plain(403);
    }
    if let Some(context) = core.config.admission.context_of(asking.request) {
        Arc::make_mut(&mut guest).settings.context = context.to_owned();
    }
    let asked = Asked { request: asking.request, essentials: asking.essentials, peer: &guest };
    calls.refusal(&asked, asking.source, is_stopping, core)
}

/// The peer of that name as it is configured now: what the ingress let pass may be older than the latest reload.
pub(super) fn in_force(peer: &Arc<Peer>, core: &Core) -> Option<Arc<Peer>> {
    match peer.kind {
        Kind::Guest => core.config.general.allow_guest.then(|| peer.clone()),
        Kind::Friend | Kind::Peer | Kind::User => core.config.peers.get(&peer.name).cloned(),
    }
}
