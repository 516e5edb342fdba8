//! INFO between two lines: what one sends, the other gets as it is. Nothing is understood here: where there is no other line,
//! it is refused.

use super::bridge::Bridges;
use super::leg;
use super::local;
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::sip::header::HeaderName;
use crate::sip::transaction::ServerId;

/// A channel's peer sent information, which this transaction waits to have answered.
pub(super) fn received(parties: &mut Parties, bridges: &Bridges, id: ChannelId, server: ServerId, core: &mut Core) {
    let other = talks_to(parties, bridges, id).or_else(|| rings(parties, id));
    let passed = other.and_then(|other| {
        parties.with_party(other, core, |party, cx| party.leg.info.pass(server, &mut party.leg.ua, cx))
    });
    let refused = passed.unwrap_or(Err(415)).err();
    let Some(request) = core.tx.server_request(server).cloned() else { return };
    if let Some(status) = refused {
        core.respond(server, leg::info_refusal(&request, status));
    }
    let kind = request.headers.text(HeaderName::ContentType).unwrap_or_default().into_owned().into();
    let to = other.map(|other| parties.name_of(other));
    core.emit(CallEvent::Info { channel: parties.name_of(id), to, kind, refused });
}

/// The other channel of its bridge, unless one of them is held.
fn talks_to(parties: &Parties, bridges: &Bridges, id: ChannelId) -> Option<ChannelId> {
    let bridge = bridges.get(parties.channel(id)?.bridge?)?;
    bridge.channel(bridge.role(id)?.other())
}

/// Before the answer: the one line that a Dial of this caller rings, or the caller that this line alone rings for. Of several
/// lines nobody can say whom it is for.
fn rings(parties: &Parties, id: ChannelId) -> Option<ChannelId> {
    let caller = parties.channel(id)?.called_by.map_or(id, |caller| local::caller(parties, caller));
    let &[(only, _)] = parties.channel(caller)?.dial()?.branches.as_slice() else { return None };
    let only = local::only_line(parties, only)?;
    match only == id {
        true => Some(caller),
        false => (caller == id).then_some(only),
    }
}
