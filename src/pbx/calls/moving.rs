//! Calls change hands: a channel leaves its bridge and goes on in the dialplan, two that talked to others talk to each
//! other, a telephone takes the place of another. Transfer, pickup, parking and `channel redirect` are made of these.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::caller_identity::own_identity;
use super::channel::{Activity, Channel, ChannelState};
use super::dialing::Dialing;
use super::hangup::Hangup;
use super::leg::Leg;
use super::limit_warning;
use super::local;
use super::originating::set_free;
use super::own_record;
use super::pair::joint_codec;
use super::parties::Parties;
use super::party::Party;
use crate::dialplan::originate::Goal;
use crate::dialplan::{AppReply, ChannelId, Position, Program};
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::core::Core;
use crate::sdp::codec::Codec;
use crate::sdp::{Sdp, local_offer, negotiate};

/// Changes who talks to whom, with all channels and bridges at hand.
pub(super) struct Moving<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

/// Why a call cannot change hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmovable {
    /// A channel is not there, or it is over.
    Gone,
    /// The line rings still, or something is done on its channel before it is connected.
    NotAnswered,
    /// There is no telephone at one end.
    NoTelephone,
    /// The lines allow no codec in common; nothing is converted here.
    NoCommonCodec,
    /// It would talk to itself.
    Itself,
}

impl Unmovable {
    /// The same in words, for the log.
    pub(super) fn words(self) -> &'static str {
        match self {
            Unmovable::Gone => "the call is over",
            Unmovable::NotAnswered => "the line has not answered yet",
            Unmovable::NoTelephone => "there is no telephone at its end",
            Unmovable::NoCommonCodec => "the two lines allow no codec in common (allow=), and nothing is converted",
            Unmovable::Itself => "a call cannot be connected with itself",
        }
    }

    /// The SIP status that says it to a telephone.
    pub(super) fn status(self) -> u16 {
        match self {
            Unmovable::Gone => 481,
            Unmovable::NotAnswered | Unmovable::NoTelephone | Unmovable::Itself => 403,
            Unmovable::NoCommonCodec => 488,
        }
    }
}

impl Moving<'_> {
    // ---- out of the bridge ----

    /// A channel leaves whatever it is in, and its program goes on there; a called line, which has none, gets one. Gives
    /// the channels that are left alone by it: they keep their legs until the caller of this ends them
    /// ([`Moving::hang_up`]) or connects them anew.
    ///
    /// # Errors
    /// It is over, or rings still.
    pub(super) fn go_on(&mut self, id: ChannelId, to: Position) -> Result<Vec<ChannelId>, Unmovable> {
        let channel = self.parties.channel(id).filter(|channel| !channel.dead).ok_or(Unmovable::Gone)?;
        if (channel.called_by.is_some() && channel.bridge.is_none()) || channel.callee.work.is_some() {
            return Err(Unmovable::NotAnswered);
        }
        self.hangup().leave_errands(id);
        let channel = self.parties.channel(id).ok_or(Unmovable::Gone)?;
        let caller_program =
            channel.called_by.and_then(|caller| self.parties.channel(caller)).and_then(|it| it.program.as_ref());
        let inherited = caller_program.map(Program::inherited).unwrap_or_default();
        let (has_program, caller) = (channel.program.is_some(), own_identity(channel));
        let alone = self.bridging().leave(id);
        if has_program {
            if let Some(channel) = self.parties.channel_mut(id) {
                channel.called_by = None;
            }
            self.hangup().redirect(id, to);
        } else {
            self.bridging().answer_offer_alone(id);
            self.bridging().reclaim_media(id);
            limit_warning::forget(self.parties, id, self.core);
            // Its time stays limited: whoever called it may not take that off by sending it elsewhere.
            let limit = self.parties.channel_mut(id).and_then(|channel| channel.callee.limit.take());
            set_free(self.parties, id, Goal::Extension(to), caller, &inherited);
            if let Some(channel) = self.parties.channel_mut(id) {
                channel.callee.limit = limit;
            }
        }
        self.answer_alone(&alone);
        Ok(alone)
    }

    /// Those who are left alone get the answer to an offer that waits for that of who went.
    fn answer_alone(&mut self, alone: &[ChannelId]) {
        alone.iter().for_each(|id| self.bridging().answer_offer_alone(*id));
    }

    /// Hangs a channel up that was left alone; its program runs `h`.
    pub(super) fn hang_up(&mut self, id: ChannelId) {
        self.parties.hang_up_leg(id, cause::NORMAL, self.core);
        self.hangup().end(id, HangupBy::Exchange, cause::NORMAL);
    }

    // ---- two calls become one ----

    /// Two channels that talk to others, or to nobody, talk to each other: each is brought back to the relay, off hold,
    /// and into one codec first. Gives those who are left alone.
    ///
    /// # Errors
    /// One of them is over or rings, or they have no codec in common.
    pub(super) fn join(&mut self, a: ChannelId, b: ChannelId) -> Result<Vec<ChannelId>, Unmovable> {
        self.joinable(a, b)?;
        let mut alone = self.bridging().leave(a);
        alone.extend(self.bridging().leave(b));
        alone.retain(|id| *id != a && *id != b);
        for id in [a, b] {
            if let Some(channel) = self.parties.channel_mut(id) {
                channel.called_by = None;
            }
        }
        let has_program = |id| self.parties.channel(id).is_some_and(|channel| channel.program.is_some());
        let has_record = |id| self.parties.channel(id).is_some_and(|channel| channel.entered.is_some());
        let is_second = |id| (has_program(id), has_record(id));
        let (caller, callee) = if is_second(a) < is_second(b) { (b, a) } else { (a, b) };
        let is_called = has_program(caller) && !has_program(callee);
        let name = self.parties.name_of(callee);
        if let Some(channel) = self.parties.channel_mut(caller) {
            (channel.cdr.called_channel, channel.cdr.connected) = (name, true);
        }
        let call = own_record::call_of(self.parties, caller);
        if let Some(channel) = self.parties.channel_mut(callee).filter(|_| is_called) {
            (channel.called_by, channel.call) = (Some(caller), call);
        }
        own_record::begin(self.parties, caller, callee, self.core);
        self.bridging().rejoin(caller, callee);
        self.answer_alone(&alone);
        Ok(alone)
    }

    /// May these two be joined as they are: both wait for nothing but the end of a bridge?
    pub(super) fn joinable(&mut self, a: ChannelId, b: ChannelId) -> Result<(), Unmovable> {
        if a == b {
            return Err(Unmovable::Itself);
        }
        for id in [a, b] {
            let channel = self.parties.channel(id).filter(|channel| !channel.dead).ok_or(Unmovable::Gone)?;
            let is_ringing = channel.called_by.is_some() && channel.bridge.is_none();
            if is_ringing || !matches!(channel.activity, Activity::Bridged(_) | Activity::Called) {
                return Err(Unmovable::NotAnswered);
            }
        }
        let pair = self.parties.pair(a, b).ok_or(Unmovable::NoTelephone)?;
        joint_codec(&pair.a, &pair.b).map(|_| ()).ok_or(Unmovable::NoCommonCodec)
    }

    /// The telephone of one channel takes the place of that of another, whose program, Dial or prompt goes on: how a call
    /// is transferred to where a line is still called, or to an application. Gives those who talked to it; the channel it
    /// comes from has the other's leg now, and is to be hung up with them.
    ///
    /// # Errors
    /// One of them is over or rings, or what goes on is in a codec that the telephone may not have.
    pub(super) fn take_place(&mut self, from: ChannelId, into: ChannelId) -> Result<Vec<ChannelId>, Unmovable> {
        if from == into {
            return Err(Unmovable::Itself);
        }
        for id in [from, into] {
            let channel = self.parties.channel(id).filter(|channel| !channel.dead).ok_or(Unmovable::Gone)?;
            if (channel.called_by.is_some() && channel.bridge.is_none()) || channel.rtp.is_none() {
                return Err(Unmovable::NotAnswered);
            }
        }
        let pair = self.parties.pair(from, into).ok_or(Unmovable::NoTelephone)?;
        let codec = joint_codec(&pair.b, &pair.a).ok_or(Unmovable::NoCommonCodec)?;
        let alone = self.bridging().leave(from);
        swap_legs(self.parties, from, into, self.core);
        if let Some(channel) = self.parties.channel_mut(into) {
            channel.state = ChannelState::Up;
            channel.answered.get_or_insert(self.core.now.mono);
            channel.program.iter_mut().for_each(Program::set_answered);
        }
        let version = self.parties.leg_of(into).map_or(0, |leg| leg.agreement.remote_version());
        if let Some(dial) = self.parties.channel_mut(into).and_then(Channel::dial_mut) {
            // What the lines were offered is another telephone's.
            dial.offered_version = version.wrapping_sub(1);
        }
        match self.parties.channel(into).and_then(|channel| channel.bridge) {
            Some(bridge) => self.bridging().party_replaced(bridge),
            None => {
                self.bridging().answer_offer_alone(into);
                self.parties.with_party(into, self.core, |party, cx| {
                    party.set_media_remote(cx.core);
                    if let Some(offer) = party.describe(cx.core).brought_back(Some(codec)) {
                        party.leg.renegotiate(offer, cx);
                    }
                });
                self.ring_again(into);
                // Its program waited for the ACK of the telephone that is gone.
                if self.parties.channel(into).is_some_and(|channel| matches!(channel.activity, Activity::Answering)) {
                    self.parties.resume(into, AppReply::Answered(Ok(())));
                }
            }
        }
        self.answer_alone(&alone);
        Ok(alone)
    }

    /// A telephone that is answered has taken the place of a caller who heard that it rings.
    fn ring_again(&mut self, id: ChannelId) {
        let Some(dial) = self.parties.channel_mut(id).and_then(Channel::dial_mut) else { return };
        if std::mem::take(&mut dial.rings) {
            self.dialing().early().ring(id);
        }
    }

    // ---- somebody else answers ----

    /// A channel answers in place of a line that rings: pickup. Its own program is over.
    ///
    /// # Errors
    /// Nothing rings there, or caller and channel have no codec in common.
    pub(super) fn pick_up(&mut self, ringing: ChannelId, by: ChannelId) -> Result<(), Unmovable> {
        let caller = self.parties.channel(ringing).filter(|it| it.bridge.is_none() && !it.dead);
        let caller = caller.and_then(|channel| channel.called_by).ok_or(Unmovable::Gone)?;
        self.parties.channel(caller).and_then(Channel::dial).ok_or(Unmovable::Gone)?;
        let telephone = local::caller(self.parties, caller);
        if telephone == by || ringing == by {
            return Err(Unmovable::Itself);
        }
        let described = self.answered_for(telephone, by)?;
        self.dialing().give_reason(caller, ringing);
        let program = self.parties.channel_mut(by).and_then(|channel| {
            (channel.activity, channel.called_by) = (Activity::Called, Some(caller));
            channel.program.take()
        });
        if program.is_some() {
            let name = self.parties.name_of(by);
            self.parties.deferred.push_back(super::deferred::Deferred::Unlock(name));
        }
        if let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut) {
            dial.replace_branch(ringing, by);
        }
        self.dialing().give_up(ringing);
        self.dialing().answered(caller, by, Some(described));
        Ok(())
    }

    /// Answers a channel in a codec that a caller can have too; gives what it describes, in that codec alone.
    fn answered_for(&mut self, telephone: ChannelId, by: ChannelId) -> Result<Sdp, Unmovable> {
        let channel = self.parties.channel(by).filter(|channel| !channel.dead).ok_or(Unmovable::Gone)?;
        let own = channel.rtp.ok_or(Unmovable::NoTelephone)?;
        let pair = self.parties.pair(telephone, by).ok_or(Unmovable::NoTelephone)?;
        let codec = codec_of_pickup(&pair.a, &pair.b).ok_or(Unmovable::NoCommonCodec)?;
        let done = self.parties.with_party(by, self.core, |party, cx| {
            let general = cx.core.config.general.clone();
            let allow = party.leg.peer.settings.codecs.only(codec);
            if party.is_unanswered_caller() {
                let before = party.leg.agreement.local.clone();
                let media = party.leg.next_local_media(own, &general);
                let made = match (&before, &party.leg.agreement.remote) {
                    (Some(before), _) => Ok(before.clone()),
                    (None, Some(offer)) => local_offer::own_answer(offer, &allow, &media, None),
                    (None, None) => local_offer::own_offer(&allow, &media),
                };
                party.answer(made.ok()?, cx);
            }
            let media = party.leg.next_local_media(own, &general);
            match &party.leg.agreement.remote {
                Some(remote) => negotiate::offer_from(remote, &allow, &media).ok(),
                None => party.leg.agreement.local.clone(),
            }
        });
        done.flatten().ok_or(Unmovable::NoCommonCodec)
    }

    /// A new leg takes the place of a channel's own, which is answered, and whose program or bridge goes on (RFC 3891 3:
    /// INVITE with Replaces of a confirmed dialog). The old one gets a BYE.
    ///
    /// # Errors
    /// It is over, or it cannot go on in a codec that the new one offers.
    pub(super) fn replace(&mut self, id: ChannelId, leg: Box<Leg>) -> Result<(), (Unmovable, Box<Leg>)> {
        let judged =
            self.parties.party(id).filter(|party| !party.channel.dead).map(|party| replacing_codec(&party, &leg));
        let codec = match judged {
            None => return Err((Unmovable::Gone, leg)),
            Some(None) => return Err((Unmovable::NoCommonCodec, leg)),
            Some(Some(codec)) => codec,
        };
        let mut leg = leg;
        leg.ua.channel = id;
        self.parties.replace_leg(id, *leg, cause::NORMAL, self.core);
        self.parties.with_party(id, self.core, |party, cx| {
            let general = cx.core.config.general.clone();
            let Some(own) = party.channel.rtp else { return };
            let media = party.leg.next_local_media(own, &general);
            let allow = party.leg.peer.settings.codecs.only(codec);
            let made = match &party.leg.agreement.remote {
                Some(offer) => local_offer::own_answer(offer, &allow, &media, None),
                None => local_offer::own_offer(&allow, &media),
            };
            if let Ok(made) = made {
                party.answer(made, cx);
            }
        });
        if let Some(bridge) = self.parties.channel(id).and_then(|channel| channel.bridge) {
            self.bridging().party_replaced(bridge);
        }
        Ok(())
    }

    // ---- helpers ----

    fn bridging(&mut self) -> Bridging<'_> {
        Bridging { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn hangup(&mut self) -> Hangup<'_> {
        Hangup { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn dialing(&mut self) -> Dialing<'_> {
        Dialing { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}

/// Each of two channels has the other's leg from now on. Their ports, programs and bridges stay where they are.
fn swap_legs(parties: &mut Parties, a: ChannelId, b: ChannelId, core: &mut Core) {
    let end = |id| parties.channel(id).and_then(|channel| channel.sip().cloned());
    let (Some(end_a), Some(end_b)) = (end(a), end(b)) else { return };
    for (id, end) in [(a, end_b), (b, end_a)] {
        if let Some(channel) = parties.channel_mut(id) {
            channel.replace_leg(end.leg, end.peer);
        }
        parties.with_leg(end.leg, core, |leg, _| leg.ua.channel = id);
    }
}

/// The codec for a caller and whoever picks up: what the caller has already, else the first that it offers and that the
/// other offers, too.
fn codec_of_pickup(caller: &Party<'_>, by: &Party<'_>) -> Option<Codec> {
    let offers = |party: &Party<'_>, codec: Codec| {
        let allows = party.leg.peer.settings.codecs.contains(codec);
        let fixed = party.leg.agreement.agreed().is_none_or(|agreed| agreed.codec == codec);
        allows && fixed && party.leg.agreement.remote.as_ref().is_none_or(|remote| has_codec(remote, codec))
    };
    let preferred = caller.leg.peer.settings.codecs.entries.iter().map(|(codec, _)| *codec);
    let offered = caller.leg.agreement.remote.as_ref().and_then(Sdp::audio);
    let offered = offered.into_iter().flat_map(|audio| audio.formats).filter_map(|format| format.codec);
    offered.chain(preferred).find(|codec| offers(caller, *codec) && offers(by, *codec))
}

/// The codec in which a new leg can go on in place of a party's own: that party's, when the new one offers it.
fn replacing_codec(party: &Party<'_>, leg: &Leg) -> Option<Codec> {
    let agreed = party.leg.agreement.agreed()?.codec;
    let may = leg.peer.settings.codecs.contains(agreed);
    leg.agreement.remote.as_ref().is_none_or(|offer| has_codec(offer, agreed)).then_some(agreed).filter(|_| may)
}

fn has_codec(description: &Sdp, codec: Codec) -> bool {
    description.audio().is_some_and(|audio| audio.formats.iter().any(|format| format.codec == Some(codec)))
}
