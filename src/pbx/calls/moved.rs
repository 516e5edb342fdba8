//! A telephone is somewhere else than it was, as its signalling proves.

use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use std::net::SocketAddr;

/// A channel's telephone is somewhere else now, as its signalling proves: its media may be, too.
pub(super) fn noticed(parties: &mut Parties, id: ChannelId, before: SocketAddr, core: &mut Core) {
    parties.with_party(id, core, |party, cx| {
        let (channel, line) = (party.channel.name.clone(), party.leg.peer.name.clone());
        let address = party.leg.ua.flow.remote;
        cx.core.emit(CallEvent::Moved { channel, line, before, address });
        party.tell_media_moved(cx.core);
    });
}
