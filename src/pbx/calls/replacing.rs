//! INVITE with Replaces (RFC 3891): a telephone takes over a call that is answered, or picks up one that rings.

use super::bridge::Bridges;
use super::caller_identity;
use super::channel::{Activity, Channel, ChannelState};
use super::inbound::{Invite, offer};
use super::leg::{Cx, IncomingInvite, Leg};
use super::moving::Moving;
use super::parties::{MAX_CHANNELS, Parties};
use crate::config::peer::Kind;
use crate::dialplan::ChannelId;
use crate::event::{Handover, Level, LogLine};
use crate::pbx::cause;
use crate::pbx::core::{Core, LegId};
use crate::sip::dialog::DialogKey;
use crate::sip::header::{HeaderName, Replaces};
use crate::sip::message::Response;
use crate::wording::outside;

/// Takes calls over, with all channels and bridges at hand.
pub(super) struct Replacing<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Replacing<'_> {
    /// An INVITE that may be one of these; says whether it was, and is answered.
    pub(super) fn incoming(&mut self, invite: &Invite<'_>) -> bool {
        let headers = &invite.request.headers;
        let Some(value) = headers.get(HeaderName::Replaces) else { return false };
        let taken = match Replaces::parse(value) {
            _ if headers.lines(HeaderName::Replaces).count() > 1 => Err((400, "it has several Replaces".to_owned())),
            Err(error) => Err((400, error.to_string())),
            Ok(replaces) => self.find(invite, &replaces).and_then(|target| match target {
                Replaced::Answered(id) => self.take_over(invite, id),
                Replaced::Ringing(id) => self.pick_up(invite, id),
            }),
        };
        if let Err((status, why)) = taken {
            self.core.respond(invite.server, Response::for_request(invite.request, status, None));
            let text = format!(
                "'{}' may not take over the call {}: {why} ({status})",
                invite.peer.name,
                outside(&String::from_utf8_lossy(value))
            );
            self.core.emit(LogLine { level: Level::Notice, text });
        }
        true
    }

    /// What is to be replaced, by the rules of RFC 3891 3.
    fn find(&self, invite: &Invite<'_>, replaces: &Replaces) -> Result<Replaced, (u16, String)> {
        let unknown = || (481, "there is no such call".to_owned());
        let id = self.of_dialog(replaces).or_else(|| self.ringing(&replaces.call_id)).ok_or_else(unknown)?;
        let channel = self.parties.channel(id).filter(|channel| !channel.dead).ok_or((603, "it is over".to_owned()))?;
        let theirs = channel.peer().ok_or_else(unknown)?;
        let may = |peer: &crate::config::peer::Peer| peer.kind != Kind::Guest && peer.settings.allow_transfer;
        let is_ringing = channel.called_by.is_some() && channel.bridge.is_none() && channel.callee.work.is_none();
        let may_answer = theirs.settings.context == invite.peer.settings.context
            || invite.peer.groups.pickups.meet(&theirs.groups.calls);
        let is_near = theirs.name == invite.peer.name || (is_ringing && may_answer);
        if !may(&invite.peer) || !may(theirs) || !is_near {
            return Err((403, "it is another line's, or allowtransfer=no".to_owned()));
        }
        let bridge = channel.bridge.and_then(|bridge| self.bridges.get(bridge));
        let mut takes_part = bridge.into_iter().flat_map(|bridge| bridge.members()).chain([id]);
        let is_modem = |id| self.parties.channel(id).is_some_and(Channel::has_modem);
        if takes_part.any(is_modem) || invite.peer.settings.line == Some(crate::config::peer::LineKind::Modem) {
            return Err((603, "a line with line=modem takes part".to_owned()));
        }
        let leg = self.parties.leg_of(id).ok_or_else(unknown)?;
        match () {
            () if is_ringing && !leg.is_confirmed() => Ok(Replaced::Ringing(id)),
            // RFC 3891 3: an early dialog that the other side began is not ours to end.
            () if leg.is_unanswered_caller() => Err(unknown()),
            () if replaces.early_only => Err((486, "it is answered already".to_owned())),
            () => Ok(Replaced::Answered(id)),
        }
    }

    /// The channel of a dialog of ours.
    fn of_dialog(&self, replaces: &Replaces) -> Option<ChannelId> {
        let key = DialogKey::new(&replaces.call_id, &replaces.to_tag, Some(&replaces.from_tag));
        self.parties.channel_of_leg(self.parties.index.dialogs.get(&key)?)
    }

    /// The line that rings and that is called so for those who watch it.
    fn ringing(&self, name: &str) -> Option<ChannelId> {
        let is_it = |channel: &&Channel| channel.callee.pickup_name.as_deref() == Some(name);
        let found = self.parties.channels().find(is_it)?;
        self.parties.leg_of(found.id).filter(|leg| !leg.is_confirmed()).map(|_| found.id)
    }

    /// The new leg takes the place of the answered one.
    fn take_over(&mut self, invite: &Invite<'_>, id: ChannelId) -> Result<(), (u16, String)> {
        let leg = self.leg(invite, id)?;
        let name = self.parties.name_of(id);
        let mut moving = Moving { parties: self.parties, bridges: self.bridges, core: self.core };
        match moving.replace(id, Box::new(leg)) {
            Ok(()) => {
                let text = format!("{name}: '{}' has taken the call over", invite.peer.name);
                self.core.emit(LogLine { level: Level::Verbose(3), text });
            }
            Err((why, mut leg)) => {
                let text = format!("{name} is not taken over: {}", why.words());
                self.core.emit(LogLine { level: Level::Notice, text });
                leg.hang_up(cause::NOT_ACCEPTABLE, &mut Cx { core: self.core, index: &mut self.parties.index });
            }
        }
        Ok(())
    }

    /// The new telephone gets ports; then it answers the call that rings.
    fn pick_up(&mut self, invite: &Invite<'_>, ringing: ChannelId) -> Result<(), (u16, String)> {
        if self.parties.count() >= MAX_CHANNELS {
            return Err((503, "there are too many channels".to_owned()));
        }
        let id = ChannelId(self.core.fresh_id());
        let leg = self.leg(invite, id)?;
        let shown = caller_identity::caller(&invite.peer, invite.request, invite.essentials);
        if let Some(channel) = self.parties.open(id, leg, Activity::ReservingPorts, self.core) {
            channel.state = ChannelState::Ring;
            (channel.caller_number, channel.caller_name) = (shown.number, shown.name);
            channel.picks_up = Some(ringing);
        }
        Ok(())
    }

    fn leg(&mut self, invite: &Invite<'_>, channel: ChannelId) -> Result<Leg, (u16, String)> {
        let Invite { server, request, essentials, peer, arrival } = invite;
        let offer = offer(peer, request).map_err(|failure| (failure.reason.row().status, failure.text))?;
        let id = LegId(self.core.fresh_id());
        let mut cx = Cx { core: self.core, index: &mut self.parties.index };
        let came = IncomingInvite { server: *server, request, essentials, offer };
        let made = Leg::incoming(id, channel, peer.clone(), came, *arrival, &mut cx);
        made.map_err(|_| (400, "it has no Contact that can be read".to_owned()))
    }

    /// A telephone that picks a call up has its ports.
    pub(super) fn ready(&mut self, id: ChannelId) {
        let ringing = self.parties.channel_mut(id).and_then(|channel| channel.picks_up.take());
        let Some(ringing) = ringing else { return };
        let name = self.parties.name_of(ringing);
        let mut moving = Moving { parties: self.parties, bridges: self.bridges, core: self.core };
        let picked_up = moving.pick_up(ringing, id);
        let by = self.parties.name_of(id);
        let Err(why) = picked_up else {
            return self.core.emit(Handover::PickedUp { channel: name, by });
        };
        let text = format!("{by} cannot pick up {name}: {}", why.words());
        self.core.emit(LogLine { level: Level::Notice, text });
        self.parties.hang_up_leg(id, cause::NORMAL, self.core);
        self.parties.forget(id, self.core);
    }
}

/// What an INVITE takes over.
enum Replaced {
    /// An answered call: the channel that has its leg.
    Answered(ChannelId),
    /// A line that is called.
    Ringing(ChannelId),
}
