//! What a caller hears until somebody answers: that it rings, or the sound that a called line sends before the answer
//! (RFC 3960). Every provisional response, in whatever order they come, ends in one of the two.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::channel::{Channel, ChannelState};
use super::dial::{Branch, Dial};
use super::leg::Leg;
use super::local;
use super::parties::Parties;
use super::party::Hears;
use crate::dialplan::ChannelId;
use crate::event::CallEvent;
use crate::pbx::core::{CallTimer, Core, Timer};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::media::StreamId;
use crate::sdp::Sdp;
use std::time::Duration;

/// How long a line that has described its early media may send none, before its caller is told that it rings.
const SOUNDLESS: Duration = Duration::from_secs(1);

/// Works on what callers hear, with all channels and bridges at hand.
pub(super) struct EarlyMedia<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl EarlyMedia<'_> {
    /// A called line sent a provisional response above 100, perhaps with a description.
    pub(super) fn provisional(&mut self, caller: ChannelId, id: ChannelId, status: u16, description: Option<Sdp>) {
        match status {
            180 => self.note_ringing(caller, id),
            // Forwarded, or in a queue: the caller may want to show it.
            181 | 182 => self.pass_on(caller, status),
            _ => {}
        }
        if let Some(outer) = local::unanswered_half(self.parties, caller) {
            return self.pass_up(outer, caller, id, (status, description));
        }
        match description {
            Some(description) => self.described(caller, id, status, &description),
            // RFC 6228 4: an early dialog is over, and nothing begins.
            None if status == 199 => {}
            None => self.sounds_unheard(caller, id, status),
        }
    }

    /// It was called by a dialplan that a call was sent into: whoever called that is told.
    fn pass_up(
        &mut self,
        (outer, half): (ChannelId, ChannelId),
        caller: ChannelId,
        id: ChannelId,
        (status, mut description): (u16, Option<Sdp>),
    ) {
        let Some(dial) = self.dial_mut(caller) else { return };
        if description.is_some() {
            dial.mark(id, Branch::Progress);
            if dial.options.ringing || dial.early.is_some_and(|first| first != id) {
                description = None;
            } else {
                dial.early = Some(id);
            }
        }
        self.provisional(outer, half, status, description);
    }

    fn note_ringing(&mut self, caller: ChannelId, id: ChannelId) {
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.state = ChannelState::Ringing;
            let channel = channel.name.clone();
            self.core.emit(CallEvent::Ringing { channel });
        }
        self.mark(caller, id, Branch::Ringing);
    }

    fn pass_on(&mut self, caller: ChannelId, status: u16) {
        self.parties.with_party(caller, self.core, |party, cx| party.leg.indicate(status, cx));
    }

    /// A provisional response without a description: unless the caller hears something already, it hears ringing. A 180
    /// is passed each time, but not over the sound of another line.
    fn sounds_unheard(&mut self, caller: ChannelId, id: ChannelId, status: u16) {
        let Some(dial) = self.dial_mut(caller) else { return };
        let other_is_heard = dial.is_heard() && dial.early != Some(id);
        if (status == 180 && !other_is_heard) || !dial.is_audible() {
            self.ring(caller);
        }
    }

    /// The caller is told that it rings.
    pub(super) fn ring(&mut self, caller: ChannelId) {
        if let Some((outer, half)) = local::unanswered_half(self.parties, caller) {
            return self.provisional(outer, half, 180, None);
        }
        let Some(dial) = self.dial_mut(caller) else { return };
        dial.rings = true;
        let hears = Hears { line_described: dial.early.is_some(), line: dial.is_heard(), tone: dial.tone };
        let telephone = local::caller(self.parties, caller);
        let tone = self.parties.with_party(telephone, self.core, |party, cx| party.dial_rings(hears, cx));
        if let Some(dial) = self.dial_mut(caller) {
            dial.tone = tone.unwrap_or(false);
        }
    }

    /// A called line described what it may send before its answer: the caller hears the first line that does, and
    /// ringing until there is sound.
    fn described(&mut self, caller: ChannelId, id: ChannelId, status: u16, description: &Sdp) {
        let telephone = local::caller(self.parties, caller);
        let is_deaf = self.parties.with_party(telephone, self.core, |party, _| party.may_be_forged());
        let Some(dial) = self.dial_mut(caller) else { return };
        // Option r: the caller hears ringing until the answer, whatever the line sends. So does one that is sent none of
        // it, for it may be somebody else who gets it.
        if dial.options.ringing || is_deaf == Some(true) {
            dial.mark(id, Branch::Progress);
            return self.sounds_unheard(caller, id, status);
        }
        if dial.early.is_some_and(|first| first != id) {
            dial.mark(id, Branch::Progress);
            if !dial.is_heard() {
                // Whoever is heard first.
                self.listen(id);
            }
            return self.sounds_unheard(caller, id, status);
        }
        let moved = dial.early_from.is_some() && dial.early_from != description.rtp_addr();
        (dial.early, dial.early_from) = (Some(id), description.rtp_addr());
        if moved {
            // Another telephone behind one INVITE: whether it sends anything is not known yet.
            dial.heard.retain(|line| *line != id);
        }
        // With a description a telephone stops ringing, unless it comes with a 180.
        dial.rings = false;
        dial.mark(id, Branch::Progress);
        self.pass_description(caller, id, status, description);
        self.watch(caller);
    }

    /// Tells the caller of the description, where it is waiting for one, and joins both.
    fn pass_description(&mut self, caller: ChannelId, id: ChannelId, status: u16, description: &Sdp) {
        let (channel, to) = (self.parties.name_of(id), self.parties.name_of(caller));
        let telephone = local::caller(self.parties, caller);
        let takes = |leg: &Leg| leg.is_unanswered_caller() && leg.agreement.remote.is_some();
        if self.parties.leg_of(telephone).is_some_and(takes) {
            match self.first_answer(telephone, description) {
                Ok(answer) => {
                    let rings = self.parties.with_party(telephone, self.core, |party, cx| {
                        let rings = status == 180 && !party.rings_in_band();
                        party.leg.progress(if rings { 180 } else { 183 }, answer, cx);
                        rings
                    });
                    if let Some(dial) = self.dial_mut(caller) {
                        dial.rings = rings == Some(true);
                    }
                }
                Err(failure) => {
                    self.core.emit(CallEvent::ProgressNotPassed { channel, reason: failure.text });
                    return self.never_mind(caller);
                }
            }
        } else if self.parties.leg_of(telephone).is_some_and(Leg::is_unanswered_caller) {
            // It made no offer: only our 200 can describe anything to it.
            return self.never_mind(caller);
        }
        self.core.emit(CallEvent::Progress { channel, caller: to });
        // A tone goes on until there is sound to take its place.
        match self.dial_mut(caller).is_some_and(|dial| dial.tone) {
            true => self.listen(id),
            false => self.join(caller, id),
        }
    }

    /// The description is of no use to the caller: it rings.
    fn never_mind(&mut self, caller: ChannelId) {
        if let Some(dial) = self.dial_mut(caller) {
            (dial.early, dial.early_from) = (None, None);
        }
        self.ring(caller);
    }

    /// Has a called line's sound waited for.
    fn listen(&mut self, id: ChannelId) {
        let id = local::sounding(self.parties, id);
        self.parties.with_party(id, self.core, |party, cx| party.set_media_remote(cx.core));
    }

    /// Rings, when there is no sound soon.
    fn watch(&mut self, caller: ChannelId) {
        let timer = Timer::Call(CallTimer::Soundless(caller));
        if self.dial_mut(caller).is_some_and(|dial| dial.needs_watch()) {
            let timer = self.core.set_timer(SOUNDLESS, timer);
            if let Some(dial) = self.dial_mut(caller) {
                dial.soundless = Some(timer);
            }
        }
    }

    /// A line that described its early media has sent none for a while.
    pub(super) fn soundless(&mut self, caller: ChannelId) {
        let Some(dial) = self.dial_mut(caller) else { return };
        dial.soundless = None;
        if !dial.is_audible() {
            self.ring(caller);
        }
    }

    /// The first sound of a stream came, or it comes from elsewhere now.
    pub(super) fn heard(&mut self, stream: StreamId) {
        let Some(channel) = self.parties.channel_of_stream(stream) else { return };
        let (mut id, Some(mut caller), true) = (channel.id, channel.called_by, channel.stream() == Some(stream)) else {
            return;
        };
        while let Some((outer, half)) = local::unanswered_half(self.parties, caller) {
            let Some(dial) = self.dial_mut(caller).filter(|dial| dial.early == Some(id)) else { return };
            dial.heard.push(id);
            (id, caller) = (half, outer);
        }
        let Some(dial) = self.dial_mut(caller) else { return };
        let was_heard = dial.is_heard();
        if !dial.heard.contains(&id) {
            dial.heard.push(id);
        }
        if was_heard || dial.early.is_none() || dial.options.ringing {
            return;
        }
        let is_another = dial.early.replace(id) != Some(id);
        let (tone, rang) = (std::mem::take(&mut dial.tone), std::mem::take(&mut dial.rings));
        if let Some(timer) = dial.soundless.take() {
            self.core.timers.cancel(timer);
        }
        if rang {
            // A telephone that rings by itself since it had the description does not stop for a packet.
            let telephone = local::caller(self.parties, caller);
            self.parties.with_party(telephone, self.core, |party, cx| party.progress_again(cx));
        }
        if tone || is_another {
            self.join(caller, id);
        }
    }

    /// The caller hears a called line.
    fn join(&mut self, caller: ChannelId, id: ChannelId) {
        let (caller, line) = (local::caller(self.parties, caller), local::sounding(self.parties, id));
        let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
        Bridging { parties, bridges, core }.bridge_media(caller, line);
    }

    /// A line that was called is called no more, and the caller may have heard it: it hears another, or ringing.
    pub(super) fn lost(&mut self, caller: ChannelId, id: ChannelId) {
        let Some(dial) = self.dial_mut(caller).filter(|dial| dial.early == Some(id)) else { return };
        (dial.early, dial.early_from) = (None, None);
        if let Some((outer, half)) = local::unanswered_half(self.parties, caller) {
            return self.lost(outer, half);
        }
        let Some(dial) = self.dial_mut(caller) else { return };
        let others: Vec<ChannelId> = dial.branches.iter().map(|(other, _)| *other).filter(|it| *it != id).collect();
        if others.is_empty() {
            return;
        }
        let described = others.into_iter().find_map(|other| {
            let sdp = self.parties.leg_of(local::sounding(self.parties, other))?.agreement.remote.clone()?;
            Some((other, sdp))
        });
        match described {
            Some((other, sdp)) => self.described(caller, other, 183, &sdp),
            None => self.ring(caller),
        }
    }

    /// The answer to a caller, made of what a called line describes.
    pub(super) fn first_answer(&mut self, caller: ChannelId, description: &Sdp) -> Result<Sdp, Failure> {
        match self.parties.party(caller) {
            Some(mut party) => party.describe(self.core).first_answer(description),
            None => Err(FailureReason::Gone.with(&["it"])),
        }
    }

    fn mark(&mut self, caller: ChannelId, id: ChannelId, state: Branch) {
        if let Some(dial) = self.dial_mut(caller) {
            dial.mark(id, state);
        }
    }

    fn dial_mut(&mut self, caller: ChannelId) -> Option<&mut Dial> {
        self.parties.channel_mut(caller).and_then(Channel::dial_mut)
    }
}
