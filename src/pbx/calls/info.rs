//! INFO and MESSAGE of a line within a call: a digit goes to whoever waits for it here, and to a line of another kind as that one's; all else the
//! other line gets as it is. Where there is no other line, it is refused.

use super::bridge::Bridges;
use super::digits::DigitsPressed;
use super::leg::{self, LegEvent};
use super::local;
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::sip::header::HeaderName;
use crate::sip::message::Response;
use crate::sip::method::Method;
use crate::sip::transaction::ServerId;

/// A channel's peer sent information, which this transaction waits to have answered.
pub(super) fn received(parties: &mut Parties, bridges: &mut Bridges, id: ChannelId, server: ServerId, core: &mut Core) {
    let Some(request) = core.tx.server_request(server).cloned() else { return };
    let is_text = request.method == Method::Message;
    if let Some((digit, pressed)) = leg::info_digit(&request).filter(|_| !is_text)
        && (DigitsPressed { parties, bridges, core }).take(id, digit, pressed)
    {
        return core.respond(server, Response::for_request(&request, 200, None));
    }
    let other = other_end(parties, bridges, id);
    let passed = other.and_then(|other| {
        parties.with_party(other, core, |party, cx| party.leg.info.pass(server, &mut party.leg.ua, cx))
    });
    let refused = passed.unwrap_or(Err(415)).err();
    if let Some(status) = refused {
        core.respond(server, leg::info_refusal(&request, status));
    }
    let (channel, to) = (parties.name_of(id), other.map(|other| parties.name_of(other)));
    if is_text {
        return core.emit(CallEvent::Text { channel, to, refused });
    }
    let kind = request.headers.text(HeaderName::ContentType).unwrap_or_default().into_owned().into();
    core.emit(CallEvent::Info { channel, to, kind, refused });
}

/// What a peer asks for on a leg whose channel is gone, and that waits only for its ACK: nobody else would answer it.
pub(super) fn nobody_there(event: &LegEvent, core: &mut Core) {
    let (LegEvent::InfoReceived(server) | LegEvent::ReferReceived(server)) = event else { return };
    if let Some(request) = core.tx.server_request(*server).cloned() {
        core.respond(*server, Response::for_request(&request, 481, None));
    }
}

/// The telephone at the other end, also beyond pairs that lead into the dialplan.
fn other_end(parties: &Parties, bridges: &Bridges, id: ChannelId) -> Option<ChannelId> {
    let mut at = id;
    for _ in 0..local::MAX_DEPTH {
        let other = talks_to(parties, bridges, at).or_else(|| rings(parties, at))?;
        let Some(half) = parties.channel(other)?.local() else { return Some(other) };
        at = half.other;
    }
    None
}

/// The other channel of its bridge, unless one of them is held.
fn talks_to(parties: &Parties, bridges: &Bridges, id: ChannelId) -> Option<ChannelId> {
    let bridge = bridges.get(parties.channel(id)?.bridge?)?;
    bridge.channel(bridge.role(id)?.other())
}

/// Before the answer: the one line that a Dial of this caller rings, or the caller that this line alone rings for. Of several
/// lines nobody can say whom it is for.
fn rings(parties: &Parties, id: ChannelId) -> Option<ChannelId> {
    let channel = parties.channel(id)?;
    let caller = channel.called_by.unwrap_or(id);
    let dial = parties.channel(caller)?.dial()?;
    let &[(only, _)] = dial.branches.as_slice() else { return None };
    if channel.called_by.is_some() { (only == id).then_some(caller) } else { Some(only) }
}
