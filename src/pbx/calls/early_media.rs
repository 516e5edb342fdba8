//! What a caller hears until somebody answers: that it rings, or the sound that a called line sends before the answer
//! (RFC 3960). Every provisional response, in whatever order they come, ends in one of the two.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::channel::{Channel, ChannelState};
use super::dial::{Branch, Dial, EarlySource};
use super::digit_sending::{self, DialDigits};
use super::leg::Leg;
use super::local;
use super::music;
use super::parties::Parties;
use super::party::Hears;
use super::recordings;
use super::transferred;
use crate::dialplan::{ChannelId, DigitRow};
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
        self.note_status(caller, id, status);
        match description {
            Some(description) => {
                let digits = self.digits_at_progress(caller, id);
                self.described(caller, id, status, &description);
                if let Some(digits) = digits {
                    digit_sending::begin_early(self.parties, id, &digits, self.core);
                }
            }
            // RFC 6228 4: an early dialog is over, and nothing begins.
            None if status == 199 => {}
            None => self.sounds_unheard(caller, id, status),
        }
    }

    /// What a telephone is to be sent with its first early media.
    fn digits_at_progress(&self, caller: ChannelId, id: ChannelId) -> Option<DigitRow> {
        self.parties.channel(id).filter(|channel| channel.sip().is_some())?;
        let dial = self.parties.channel(caller)?.dial()?;
        let is_first = dial.branches.iter().any(|(line, how)| *line == id && *how != Branch::Progress);
        DialDigits::of(&dial.options).progress.filter(|_| is_first)
    }

    /// What the status alone says is said of each half on the way, and to the caller.
    fn note_status(&mut self, caller: ChannelId, id: ChannelId, status: u16) {
        match status {
            180 => self.note_ringing(caller, id),
            // Forwarded, or in a queue: the caller may want to show it.
            181 | 182 => self.pass_on(caller, status),
            _ => {}
        }
        if let Some((outer, half)) = local::unanswered_half(self.parties, caller) {
            self.note_status(outer, half, status);
        }
    }

    fn note_ringing(&mut self, caller: ChannelId, id: ChannelId) {
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.state = ChannelState::Ringing;
            let channel = channel.name.clone();
            self.core.emit(CallEvent::Ringing { channel });
        }
        self.mark(caller, id, Branch::Ringing);
        transferred::rings(self.parties, caller, self.core);
    }

    fn pass_on(&mut self, caller: ChannelId, status: u16) {
        self.parties.with_party(caller, self.core, |party, cx| party.leg.indicate(status, cx));
    }

    /// A provisional response without a description: unless the caller hears something already, it hears ringing. A 180
    /// is passed each time, but not over the sound of another line.
    fn sounds_unheard(&mut self, caller: ChannelId, id: ChannelId, status: u16) {
        let Some(dial) = self.dial_mut(caller) else { return };
        let is_audible = dial.is_audible();
        if dial.is_heard() && dial.early_line() != Some(id) {
            return;
        }
        match local::unanswered_half(self.parties, caller) {
            Some((outer, half)) => self.sounds_unheard(outer, half, status),
            None if status == 180 || !is_audible => self.ring(caller),
            None => {}
        }
    }

    /// The caller is told that it rings.
    pub(super) fn ring(&mut self, caller: ChannelId) {
        if let Some((outer, half)) = local::unanswered_half(self.parties, caller) {
            return self.provisional(outer, half, 180, None);
        }
        if music::instead_of_ringing(self.parties, caller, self.core) {
            if let Some(dial) = self.dial_mut(caller) {
                dial.tone = true;
            }
            return;
        }
        let Some(dial) = self.dial_mut(caller) else { return };
        let is_new = !std::mem::replace(&mut dial.rings, true);
        let hears = Hears { line_described: dial.early.is_some(), line: dial.is_heard(), tone: dial.tone };
        let wanted = dial.options.argument('r').filter(|tone| !tone.is_empty()).map(str::to_owned);
        let telephone = local::caller(self.parties, caller);
        let tone = self.parties.with_party(telephone, self.core, |party, cx| match &wanted {
            Some(wanted) if hears.tone || (is_new && party.plays_instead(wanted, cx)) => true,
            _ => party.dial_rings(hears, cx),
        });
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
        if dial.early_line().is_some_and(|first| first != id) {
            dial.mark(id, Branch::Progress);
            if !dial.is_heard() {
                // Whoever is heard first.
                self.listen(id);
            }
            return self.sounds_unheard(caller, id, status);
        }
        dial.early = Some(EarlySource { line: id, from: description.rtp_addr() });
        // With a description a telephone stops ringing, unless it comes with a 180.
        dial.rings = false;
        dial.mark(id, Branch::Progress);
        // Called by a dialplan that a call was sent into: whoever called that is told.
        if let Some((outer, half)) = local::unanswered_half(self.parties, caller) {
            return self.described(outer, half, status, description);
        }
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
            dial.early = None;
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

    /// The first sound of a stream came, or it comes from elsewhere now. Who is heard first is heard, in each Dial on
    /// the way to the caller.
    pub(super) fn heard(&mut self, stream: StreamId) {
        let Some(channel) = self.parties.channel_of_stream(stream) else { return };
        let (mut id, Some(mut caller), true) = (channel.id, channel.called_by, channel.stream() == Some(stream)) else {
            return;
        };
        let from = self.parties.leg_of(id).and_then(|leg| leg.agreement.remote.as_ref()?.rtp_addr());
        let (mut is_first, mut is_another) = (true, false);
        loop {
            let source = EarlySource { line: id, from };
            let Some(dial) = self.dial_mut(caller) else { return };
            is_first &= !dial.is_heard() && dial.early.is_some() && !dial.options.ringing;
            dial.note_heard(source);
            if is_first {
                is_another |= dial.early.replace(source).map(|before| before.line) != Some(id);
            }
            match local::unanswered_half(self.parties, caller) {
                Some((outer, half)) => (id, caller) = (half, outer),
                None => break,
            }
        }
        if is_first {
            self.begins_to_hear(caller, id, is_another);
        }
    }

    /// There is sound: what the caller heard until then ends.
    fn begins_to_hear(&mut self, caller: ChannelId, id: ChannelId, is_another: bool) {
        let Some(dial) = self.dial_mut(caller) else { return };
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

    /// A dialplan that a call was sent into plays something to the caller, unless it hears another line; says whether.
    /// Its end is that of a line: [`EarlyMedia::lost`].
    pub(super) fn begin_prompt(&mut self, caller: ChannelId, half: ChannelId) -> bool {
        let Some(dial) = self.dial_mut(caller) else { return false };
        if dial.options.ringing || dial.early_line().is_some_and(|line| line != half) {
            return false;
        }
        let prompt = EarlySource { line: half, from: None };
        dial.early = Some(prompt);
        dial.note_heard(prompt);
        self.begins_to_hear(caller, half, false);
        true
    }

    /// The caller hears a called line.
    fn join(&mut self, caller: ChannelId, id: ChannelId) {
        let (caller, line) = (local::caller(self.parties, caller), local::sounding(self.parties, id));
        let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
        recordings::spare(parties, [caller, line], core);
        Bridging { parties, bridges, core }.bridge_media(caller, line);
    }

    /// A line that was called is called no more, and the caller may have heard it: it hears another, or ringing. Of those
    /// that a dialplan on the way called, first another line of the same Dial.
    pub(super) fn lost(&mut self, caller: ChannelId, id: ChannelId) {
        self.lost_while(caller, id, false);
    }

    /// The same; `others_ring`: nearer to the lines others ring on.
    fn lost_while(&mut self, caller: ChannelId, id: ChannelId, others_ring: bool) {
        let Some(dial) = self.dial_mut(caller) else { return };
        dial.forget_heard(id);
        if dial.early_line() != Some(id) {
            return;
        }
        dial.early = None;
        let others = dial.branches.iter().map(|(other, _)| *other).filter(|other| *other != id);
        let (heard, unheard): (Vec<_>, Vec<_>) = others.partition(|other| dial.has_heard(*other));
        let others_ring = others_ring || heard.len() + unheard.len() > 0;
        let described = heard.into_iter().chain(unheard).find_map(|other| {
            let sdp = self.parties.leg_of(local::sounding(self.parties, other))?.agreement.remote.clone()?;
            Some((other, sdp))
        });
        match (described, local::unanswered_half(self.parties, caller)) {
            (Some((other, sdp)), _) => self.described(caller, other, 183, &sdp),
            (None, Some((outer, half))) => self.lost_while(outer, half, others_ring),
            (None, None) if others_ring => self.ring(caller),
            (None, None) => {}
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
