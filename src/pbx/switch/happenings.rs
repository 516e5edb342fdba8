//! What happened on a leg, handed to whom it concerns: the caller's program, its Dial, or its bridge.

use super::Switch;
use crate::datetime;
use crate::dialplan::{AppReply, Cause, ChannelId, DialStatus};
use crate::pbx::bridge::Route;
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::channel::{Channel, ChannelState, Doing};
use crate::pbx::dial::Branch;
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::leg::{Cx, Ending, Leg, LegEvent, Refusal};
use crate::pbx::media::{MediaCommand, StreamCounts, StreamId};
use crate::sdp::{MediaKind, Sdp};
use std::net::SocketAddr;
use std::time::Duration;

/// A call without any sound is worth a warning when it was up so long.
const LONG_ENOUGH: Duration = Duration::from_secs(5);

/// What is known of a stream when its ports are closed, for what is told of it then.
pub(super) struct Released {
    name: String,
    line: String,
    /// From where sound was to come, and in how long a time; none: from nowhere, past the exchange, or hardly long enough.
    expected: Option<(SocketAddr, Duration)>,
}

impl Released {
    /// A stream of which nothing had to be heard.
    pub(super) fn unexpected(name: String) -> Released {
        Released { name, line: String::new(), expected: None }
    }
}

impl Switch {
    /// Routes what happened on a channel's leg.
    pub(super) fn leg_event(&mut self, id: ChannelId, event: LegEvent) {
        let Some(channel) = self.channels.get(&id) else { return };
        let called_by = channel.called_by();
        match (event, called_by) {
            (LegEvent::Ringing, Some(caller)) => self.line_rings(caller, id),
            (LegEvent::Progress(description), Some(caller)) => self.line_sounds(caller, id, &description),
            (LegEvent::Answered(answer), Some(caller)) => self.line_answered(caller, id, answer),
            (LegEvent::Failed(refusal), Some(caller)) => self.line_failed(caller, id, refusal),
            (LegEvent::Redirected(status, words, places), Some(caller)) => {
                self.line_redirected(caller, id, (status, words), &places);
            }
            (LegEvent::Confirmed(answer), _) => self.confirmed(id, answer.as_ref()),
            (LegEvent::Reoffered(offer), _) => self.reoffered(called_by.unwrap_or(id), id, offer),
            (LegEvent::ReofferAccepted(_), _) => self.reoffer_accepted(called_by.unwrap_or(id), id),
            (LegEvent::ReofferRefused(status), _) => self.reoffer_refused(called_by.unwrap_or(id), id, status),
            (LegEvent::Ended(ending), None) => self.caller_ended(id, ending),
            (LegEvent::Ended(ending), Some(caller)) => self.callee_ended(caller, id, ending),
            // Only a called line's leg can ring, answer or fail.
            (
                LegEvent::Ringing
                | LegEvent::Progress(_)
                | LegEvent::Answered(_)
                | LegEvent::Failed(..)
                | LegEvent::Redirected(..),
                None,
            ) => {}
        }
    }

    fn line_rings(&mut self, caller: ChannelId, id: ChannelId) {
        let text = format!("{} is ringing", self.name_of(id));
        self.core.out.verbose(3, text);
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.state = ChannelState::Ringing;
        }
        self.mark_branch(caller, id, Branch::Ringing);
        let early = self.channels.get(&caller).and_then(Channel::dial).is_some_and(|dial| dial.early.is_some());
        if !early {
            self.let_ring(caller);
        }
    }

    /// Sound before the answer: the caller hears the first line that makes any.
    fn line_sounds(&mut self, caller: ChannelId, id: ChannelId, description: &Sdp) {
        let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) else { return };
        match dial.early {
            Some(first) if first == id => return self.join(caller, id),
            Some(_) => return,
            // Option r: the caller hears ringing until the answer, whatever the line sends.
            None if dial.options.ringing => return dial.mark(id, Branch::Progress),
            None => dial.early = Some(id),
        }
        dial.mark(id, Branch::Progress);
        let text = format!("{} is making progress passing it to {}", self.name_of(id), self.name_of(caller));
        self.core.out.verbose(3, text);
        if !self.leg_of_channel(caller).is_some_and(|leg| leg.is_unanswered_caller() && leg.remote.is_some()) {
            return self.join(caller, id);
        }
        match self.answer_for(caller, description) {
            Ok(answer) => {
                self.with_leg(caller, |leg, cx| leg.progress(answer, cx));
                self.join(caller, id);
            }
            Err(Failure { text: why, .. }) => {
                let text = format!("{}: its sound before the answer cannot be passed on: {why}", self.name_of(id));
                self.core.out.verbose(3, text);
            }
        }
    }

    pub(super) fn line_failed(&mut self, caller: ChannelId, id: ChannelId, refusal: Refusal) {
        let Some(channel) = self.channels.get(&id) else { return };
        let (line, name) = (&channel.peer.name, &channel.name);
        let address = self.legs.get(&channel.leg).map(|leg| leg.flow.remote.to_string()).unwrap_or_default();
        let reason = match refusal {
            Refusal::Status(status, words) => Failure::of_status(line, status, &words),
            Refusal::Silent => {
                let waited = self.core.now.mono.since(channel.created);
                FailureReason::NoResponse.with(&[line, &address, &datetime::span(waited)])
            }
            Refusal::Unsendable(why) => FailureReason::Unsendable.with(&[line, &address, &why]),
        };
        let text = match reason.cause {
            cause::BUSY => format!("{name} is busy"),
            cause::CONGESTION => format!("{name} is circuit-busy"),
            _ => format!("{name} did not take the call: {}", reason.text),
        };
        self.core.out.verbose(3, text);
        self.branch_failed(caller, id, reason);
    }

    /// The caller acknowledged an answer of ours.
    fn confirmed(&mut self, id: ChannelId, answer: Option<&Sdp>) {
        if answer.is_some() {
            self.peer_moved(id);
        }
        let Some(channel) = self.channels.get(&id) else { return };
        match channel.doing {
            Doing::Answering => self.answer_program(id, AppReply::Done),
            Doing::Dialling(ref dial) if dial.bridge.is_some() => self.try_direct(id),
            Doing::Called(caller) => self.try_direct(caller),
            Doing::Dialling(_)
            | Doing::Reserving
            | Doing::Running
            | Doing::Waiting(_)
            | Doing::Playing(..)
            | Doing::Echoing => self.come_back(id),
        }
    }

    fn caller_ended(&mut self, id: ChannelId, ending: Ending) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let line = channel.peer.name.as_str();
        let (side, reason) = match ending {
            Ending::Bye if channel.answered.is_some() => (HangupBy::Caller, None),
            Ending::Bye | Ending::Cancelled => (HangupBy::Caller, Some(FailureReason::CallerGaveUp.with(&[]))),
            Ending::NotAcked => (HangupBy::Exchange, Some(FailureReason::NotAcked.with(&[line]))),
            Ending::Gone => (HangupBy::Exchange, Some(FailureReason::Gone.with(&[line]))),
            Ending::Expired => (HangupBy::Exchange, Some(FailureReason::NotRefreshed.with(&[line]))),
        };
        let cause = reason.as_ref().map_or(cause::NORMAL, |reason| reason.cause);
        let text = format!("{} hung up", channel.name);
        channel.cdr.note(reason);
        if side == HangupBy::Caller {
            self.core.out.verbose(3, text);
        }
        self.note_end(id, side, cause);
        self.caller_is_gone(id, cause);
    }

    /// The caller's leg is over: what it dialled is too, at once; then its program may run `h`.
    pub(super) fn caller_is_gone(&mut self, id: ChannelId, cause: u16) {
        let now = self.core.now.mono;
        self.note_end(id, HangupBy::Exchange, cause);
        self.give_up_branches(id, None);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.dead = true;
        let mut callee = None;
        match &mut channel.doing {
            Doing::Dialling(dial) => {
                let (timer, bridge) = (dial.timer.take(), dial.bridge.take());
                let status = if bridge.is_some() { DialStatus::Answer } else { DialStatus::Cancel };
                let report = dial.report(now, status, Some(cause), false);
                callee = bridge.map(|bridge| (bridge.callee, bridge.route));
                if let Some(program) = &mut channel.program {
                    program.answer(AppReply::Dialled(report));
                }
                if let Some(timer) = timer {
                    self.core.timers.cancel(timer);
                }
            }
            Doing::Waiting(Some(timer)) => self.core.timers.cancel(*timer),
            Doing::Waiting(None)
            | Doing::Reserving
            | Doing::Running
            | Doing::Answering
            | Doing::Playing(..)
            | Doing::Echoing
            | Doing::Called(_) => {}
        }
        if let Some((callee, route)) = callee {
            self.part(id, callee, route);
            self.hang_up_leg(callee, cause::NORMAL);
            self.forget_channel(callee);
        }
        self.release_ports(id);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.doing = Doing::Running;
        match &mut channel.program {
            Some(program) => {
                program.hang_up(Cause(cause));
                self.runnable.push_back(id);
            }
            None => self.forget_channel(id),
        }
    }

    fn callee_ended(&mut self, caller: ChannelId, id: ChannelId, ending: Ending) {
        let name = self.name_of(id);
        let line = self.channels.get(&id).map(|channel| channel.peer.name.clone()).unwrap_or_default();
        let reason = match ending {
            Ending::Bye => None,
            Ending::Expired => Some(FailureReason::NotRefreshed.with(&[&line])),
            Ending::Cancelled | Ending::NotAcked | Ending::Gone => Some(FailureReason::Gone.with(&[&line])),
        };
        match (reason, self.channels.get_mut(&caller)) {
            (Some(reason), Some(channel)) => channel.cdr.note([reason]),
            (Some(_), None) => {}
            (None, _) => self.core.out.verbose(3, format!("{name} hung up")),
        }
        let joined = self.channels.get(&caller).and_then(Channel::dial).is_some_and(|dial| dial.bridge.is_some());
        if joined {
            self.callee_is_gone(caller, id, HangupBy::Callee);
        } else {
            self.branch_failed(caller, id, FailureReason::HungUpEarly.with(&[&line]));
        }
    }

    /// The joined line's leg is over: without option `g` the caller is hung up at once, before its program goes on to `h`.
    pub(super) fn callee_is_gone(&mut self, caller: ChannelId, callee: ChannelId, by: HangupBy) {
        let now = self.core.now.mono;
        let bridge = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()?.bridge.take());
        self.part(caller, callee, bridge.map_or(Route::Relay, |bridge| bridge.route));
        self.forget_channel(callee);
        let Some(channel) = self.channels.get_mut(&caller) else { return };
        let Some(dial) = channel.dial_mut() else { return };
        let go_on = dial.options.continue_after;
        let report = dial.report(now, DialStatus::Answer, Some(cause::NORMAL), true);
        if go_on {
            self.answer_carried_alone(caller);
            // What the caller was told may name the other phone: its media comes back here first.
            self.come_back(caller);
        } else {
            self.note_end(caller, by, cause::NORMAL);
            self.hang_up_leg(caller, cause::NORMAL);
            self.release_ports(caller);
            if let Some(channel) = self.channels.get_mut(&caller) {
                channel.dead = true;
            }
        }
        self.answer_program(caller, AppReply::Dialled(report));
    }

    // ---- what every file of the switch does with a channel ----

    pub(super) fn name_of(&self, id: ChannelId) -> String {
        self.channels.get(&id).map(|channel| channel.name.clone()).unwrap_or_default()
    }

    pub(super) fn leg_of_channel(&self, id: ChannelId) -> Option<&Leg> {
        self.legs.get(&self.channels.get(&id)?.leg)
    }

    pub(super) fn with_leg(&mut self, id: ChannelId, act: impl FnOnce(&mut Leg, &mut Cx<'_>)) {
        if let Some(leg) = self.channels.get(&id).and_then(|channel| self.legs.get_mut(&channel.leg)) {
            act(leg, &mut Cx { core: &mut self.core, index: &mut self.index });
        }
    }

    /// Ends a channel's leg from our side; what the leg still has to say (CANCEL, BYE after the ACK) it says by itself.
    pub(super) fn hang_up_leg(&mut self, id: ChannelId, cause: u16) {
        self.with_leg(id, |leg, cx| leg.hang_up(cause, cx));
    }

    pub(super) fn release_ports(&mut self, id: ChannelId) {
        self.release_extras(id, &MediaKind::ALL);
        let Some(channel) = self.channels.get(&id) else { return };
        if self.streams.remove(&channel.stream).is_none() {
            return;
        }
        let remote = self.legs.get(&channel.leg).and_then(|leg| leg.remote.as_ref()).and_then(Sdp::rtp_addr);
        let talked = channel.answered.map_or(Duration::ZERO, |at| self.core.now.mono.since(at));
        let expected = remote.filter(|_| talked >= LONG_ENOUGH && !channel.was_direct);
        let released = Released {
            name: channel.name.clone(),
            line: channel.peer.name.clone(),
            expected: expected.map(|from| (from, talked)),
        };
        self.releases.insert(channel.stream, released);
        self.core.out.media.push(MediaCommand::Release { stream: channel.stream });
    }

    /// Takes a channel off the tables, with its ports.
    pub(super) fn forget_channel(&mut self, id: ChannelId) {
        self.release_ports(id);
        self.calling.remove(&id);
        if let Some(channel) = self.channels.remove(&id) {
            self.write_record(&channel);
            // A leg that never began to call ends without a word.
            if self.legs.get(&channel.leg).is_some_and(Leg::is_ended) {
                self.legs.remove(&channel.leg);
            }
            match channel.doing {
                Doing::Waiting(Some(timer)) => self.core.timers.cancel(timer),
                Doing::Waiting(None)
                | Doing::Reserving
                | Doing::Running
                | Doing::Answering
                | Doing::Playing(..)
                | Doing::Echoing
                | Doing::Dialling(_)
                | Doing::Called(_) => {}
            }
        }
    }

    /// A stream's ports are closed: what it counted is told.
    pub(super) fn released(&mut self, stream: StreamId, counts: &StreamCounts) {
        let Some(Released { name, line, expected }) = self.releases.remove(&stream) else { return };
        if let Some((from, talked)) = expected.filter(|_| counts.received == 0) {
            let strangers = match counts.strangers {
                0 => String::new(),
                number => format!(", and {number} packets from elsewhere were dropped"),
            };
            let reason = FailureReason::NoSound.with(&[&line, &datetime::span(talked), &from.to_string(), &strangers]);
            self.core.out.warning(format!("{name}: {}", reason.text));
        }
        if counts.received == 0 && counts.sent == 0 && counts.strangers == 0 {
            return;
        }
        let mut text =
            format!("{name}: {} packets received, {} sent, {} lost", counts.received, counts.sent, counts.lost);
        if counts.strangers > 0 {
            text.push_str(&format!(", {} dropped from strangers", counts.strangers));
        }
        self.core.out.verbose(3, text);
    }
}
