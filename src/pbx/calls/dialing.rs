//! `Dial` at work: lines are found and rung, and the first to answer is bridged with the caller.

use super::auto_answer;
use super::bridge::Bridges;
use super::bridging::Bridging;
use super::call_end::CallEnd;
use super::channel::{Activity, Channel, ChannelState, Music, Outgoing};
use super::deferred::Deferred;
use super::dial::{Branch, Dial};
use super::digit_sending::DialDigits;
use super::diversion;
use super::early_media::EarlyMedia;
use super::elsewhere::Found;
use super::invite_headers::{self, added_headers};
use super::leg::{self, Arrival, Calling, Cx, Leg, Refusal};
use super::limit_warning;
use super::local;
use super::local_pair;
use super::music;
use super::own_record;
use super::paged;
use super::parties::Parties;
use super::places::Places;
use crate::datetime;
use crate::dialplan::{AppReply, ChannelId, DialReport, DialRequest, DialStatus, LineEnd, Position};
use crate::event::{CallEvent, Level, LogLine};
use crate::names::Server;
use crate::pbx::cause;
use crate::pbx::core::{CallTimer, Core, Directory, LegId, Target, Timer};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::media::MediaCommand;
use crate::sdp::Sdp;
use crate::sip::flow::Transport;
use crate::wording::outside;
use smol_str::format_smolstr;

/// Works on Dials, with all channels and bridges at hand.
pub(super) struct Dialing<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Dialing<'_> {
    // ---- a program dials ----

    /// Rings all targets of a request.
    pub(super) fn start(&mut self, caller: ChannelId, request: DialRequest, directory: &dyn Directory) {
        let mut dial = Dial::new(self.core.now.mono, request.options);
        let telephone = local::caller(self.parties, caller);
        dial.offered_version = self.parties.leg_of(telephone).map_or(0, |leg| leg.agreement.remote_version());
        let ring_at_once = dial.options.ringing || dial.options.ringing_until_media;
        let has_music = dial.options.has('m') && self.parties.channel(telephone).is_some_and(|it| !it.has_modem());
        self.begin_record_anew(caller, dial.options.has('C'));
        if telephone == caller
            && let Some(channel) = self.parties.channel_mut(caller)
        {
            channel.watch = None;
        }
        let (mut found, mut pairs): (Vec<(String, Target)>, Vec<Position>) = (Vec::new(), Vec::new());
        for target in &request.targets {
            let opening = found.len().saturating_add(pairs.len().saturating_mul(2));
            let placed = match target.technology.eq_ignore_ascii_case("Local") {
                true => {
                    local_pair::admit(self.parties, self.core, caller, target, opening).map(|pair| pairs.push(pair))
                }
                false => {
                    self.places(directory, &request.located).locate(caller, target, (&found, opening)).map(|places| {
                        found.extend(places.into_iter().map(|place| (target.to_string(), place)));
                    })
                }
            };
            match placed {
                Ok(()) => {}
                Err(failure) => {
                    let reason = failure.text.clone();
                    let name = self.parties.name_of(caller);
                    self.core.emit(CallEvent::NotCalled { caller: name, target: target.to_string().into(), reason });
                    dial.fail(failure);
                }
            }
        }
        let timer = Timer::Call(CallTimer::Dial(caller));
        dial.timer = request.timeout.map(|timeout| self.core.set_timer(timeout, timer));
        if let Some(channel) = self.parties.channel_mut(caller) {
            channel.activity = Activity::Dialing(Box::new(dial));
        }
        if !found.is_empty() {
            self.parties.with_party(telephone, self.core, |party, cx| {
                if party.rings_in_band() || has_music {
                    // What the caller hears ringing or music in is what the called line may have: no other codec could follow
                    // the tone.
                    let _ = party.send_early_media(cx);
                }
            });
        }
        for (name, target) in found {
            self.open_branch(caller, &name, target);
        }
        for start in pairs {
            self.open_pair(caller, start);
        }
        if ring_at_once {
            self.early().ring(caller);
        }
        self.finish_if_all_failed(caller);
    }

    /// A channel for a line that is to be called; its INVITE waits for its ports.
    pub(super) fn open_branch(&mut self, caller: ChannelId, name: &str, mut target: Target) {
        let id = ChannelId(self.core.fresh_id());
        let leg_id = LegId(self.core.fresh_id());
        let arrival = Arrival { flow: target.flow, behind_nat: target.behind_nat };
        let mut cx = Cx { core: self.core, index: &mut self.parties.index };
        let leg = Leg::outgoing(leg_id, id, target.peer.clone(), arrival, &mut cx);
        let call = own_record::call_of(self.parties, caller);
        let Some(channel) = self.parties.open(id, leg, Activity::Called, self.core) else { return };
        (channel.called_by, channel.call) = (Some(caller), call);
        channel.callee.pickup_name = Some(format_smolstr!("pickup-{}", self.core.rng.hex(16)));
        channel.alternates = std::mem::take(&mut target.alternates);
        let branch = channel.name.clone();
        let mut presentation = Default::default();
        let mut shown = (String::new(), String::new());
        let (mut headers, mut group, mut is_cancelled_elsewhere) = (Vec::new(), None, false);
        let mut of_transfer = Vec::new();
        if let Some(channel) = self.parties.channel_mut(caller) {
            channel.cdr.called_channel = branch;
            let caller = channel.program.as_ref().map(|program| program.caller()).unwrap_or_default();
            if let Some(program) = &channel.program {
                let inherited = program.inherited();
                headers = added_headers(&inherited);
                of_transfer = invite_headers::of_transfer(&inherited);
                headers.extend(diversion::headers(&self.core.config.general, channel, &caller, &target, &headers));
                group = program.variable("OUTBOUND_GROUP").filter(|group| !group.is_empty());
            }
            presentation = caller.presentation;
            if let Some(dial) = channel.dial_mut() {
                dial.branches.push((id, Branch::Reserving));
                dial.last_number = name.strip_prefix("SIP/").unwrap_or(name).to_owned();
                presentation = dial.options.presentation().unwrap_or(presentation);
                is_cancelled_elsewhere = dial.options.has('c');
            }
            shown = (caller.name, caller.number);
        }
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.hides_caller = presentation.is_hidden();
            channel.outgoing = Some(Box::new(Outgoing { target, presentation, headers, of_transfer }));
            channel.group = group.map(|group| match group.split_once('@') {
                Some((group, category)) => (category.to_owned(), group.to_owned()),
                None => (String::new(), group),
            });
            (channel.caller_name, channel.caller_number) = shown;
        }
        if is_cancelled_elsewhere {
            self.give_reason(caller, id);
        }
    }

    // ---- its ports are there: the INVITE ----

    /// A called line's ports are bound, or those of its caller: its INVITE can say where media shall go.
    pub(super) fn ports_ready(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel(id) else { return };
        let (Some(caller), Some(rtp)) = (channel.called_by, channel.rtp) else { return };
        let telephone = local::caller(self.parties, caller);
        if channel.outgoing.is_none() || !self.has_ports_for_offer(telephone, id) {
            return;
        }
        if self.runs_before_call(caller, id) {
            return;
        }
        let is_own = self.parties.leg_of(telephone).is_none();
        let Some(outgoing) = self.parties.channel_mut(id).and_then(|channel| channel.outgoing.take()) else { return };
        let name = format!("SIP/{}", outgoing.target.peer.name);
        let line = outgoing.target.peer.name.clone();
        let unfit = |why: String| FailureReason::Unsendable.with(&[&line, "", &why]);
        let offer = match self.parties.pair(id, telephone) {
            Some(mut pair) => pair.a.describe(self.core).first_offer(rtp, pair.b.seen()),
            // No telephone calls: the exchange does.
            None if is_own => match self.parties.party(id) {
                Some(mut party) => party.describe(self.core).own().map_err(unfit),
                None => return,
            },
            None => Err(FailureReason::Gone.with(&[&outgoing.target.peer.name])),
        };
        match offer {
            Ok(offer) => self.invite(caller, id, *outgoing, offer),
            Err(failure) => {
                let (caller_name, reason) = (self.parties.name_of(caller), failure.text.clone());
                self.core.emit(CallEvent::NotCalled { caller: caller_name, target: name.into(), reason });
                self.branch_failed(caller, id, failure);
            }
        }
    }

    fn invite(&mut self, caller: ChannelId, id: ChannelId, outgoing: Outgoing, offer: Sdp) {
        let Outgoing { target, presentation, headers, of_transfer } = outgoing;
        let channel = self.parties.name_of(id);
        let mut headers = invite_headers::all_added(&headers, |text, why| {
            let text = format!("{channel}: '{}' is not added to the INVITE: {why}", outside(text));
            self.core.emit(LogLine { level: Level::Warning, text });
        });
        headers.extend(of_transfer);
        if paged::is_paging(self.parties, local::caller(self.parties, caller)) {
            let ours = self.parties.leg_of(id).map(|leg| leg::host(leg.ua.flow.advertised.ip())).unwrap_or_default();
            let make = auto_answer::add(&mut headers, target.user_agent.as_deref(), &ours);
            let text = format!("{channel}: asked to answer by itself ({make})");
            self.core.emit(LogLine { level: Level::Verbose(4), text });
        }
        let caller_leg = self.parties.leg_of(local::caller(self.parties, caller));
        let (hops, secure) = caller_leg.map_or((u8::MAX, false), |leg| (leg.hops, leg.is_secure()));
        let default_user = self.core.config.general.caller_id.clone();
        let name = format!("SIP/{}", target.peer.name);
        let over = target.flow.transport;
        let has_several = target.peer.servers(self.core.config.admission.names()).len() > 1;
        let server = has_several.then(|| Server::of(target.flow).to_string());
        self.parties.with_party(id, self.core, |party, cx| {
            let (channel, peer) = (&*party.channel, target.peer.clone());
            let known = Some(&channel.caller_number).filter(|number| !number.is_empty());
            let from_user = peer.from_user.as_ref().or(known).unwrap_or(&default_user);
            let calling = Calling {
                hops,
                to: target.to.unwrap_or_else(|| leg::to_uri(&target.uri)),
                target: target.uri,
                route: target.route,
                from_name: Some(&channel.caller_name),
                from_number: &channel.caller_number,
                from_user,
                from_domain: peer.from_domain.clone().unwrap_or_else(|| leg::host(party.leg.ua.flow.advertised.ip())),
                presentation,
                headers,
                watched: target.monitored,
            };
            party.leg.ua.login = target.login;
            party.leg.invite(&calling, offer, cx);
        });
        self.mark(caller, id, Branch::Calling);
        let caller = self.parties.name_of(caller);
        self.core.emit(CallEvent::Called { caller: caller.clone(), target: name.clone().into(), server });
        if secure && over != Transport::Tls {
            // RFC 5630 5.1.1.3: the exchange is the end of the caller's call, and begins another.
            self.core.emit(CallEvent::NotSecured { caller, target: name.into(), transport: over.to_string() });
        }
    }

    /// Has a called line the ports for what its caller offers? Only a first offer is waited for: whoever was answered
    /// already knows what the call carries.
    fn has_ports_for_offer(&mut self, caller: ChannelId, id: ChannelId) -> bool {
        let Some(pair) = self.parties.pair(caller, id) else { return true };
        let agreement = &pair.a.leg.agreement;
        let Some(offer) = agreement.remote.as_ref().filter(|_| agreement.local.is_none()) else { return true };
        let kinds = pair.shared_media(offer);
        self.parties.has_ports_for([caller, id], &kinds, self.core)
    }

    /// The ports of a channel in this Dial are there, or known to be missing: lines that waited for them are called.
    pub(super) fn ports_settled(&mut self, caller: ChannelId) {
        let Some(dial) = self.dial(caller) else { return };
        let waiting = dial.branches.iter().filter(|(_, branch)| *branch == Branch::Reserving).map(|(id, _)| *id);
        let waiting: Vec<ChannelId> = waiting.collect();
        let beyond = dial.branches.iter().filter_map(|(id, _)| local::running_half(self.parties, *id));
        let beyond: Vec<ChannelId> = beyond.collect();
        waiting.into_iter().for_each(|id| self.ports_ready(id));
        beyond.into_iter().for_each(|running| self.ports_settled(running));
    }

    // ---- what called lines do ----

    /// A called line will not answer.
    pub(super) fn refused(&mut self, caller: ChannelId, id: ChannelId, refusal: Refusal) {
        let Some(channel) = self.parties.channel(id) else { return };
        let line = channel.line();
        let address = self.parties.leg_of(id).map(|leg| leg.ua.flow.remote.to_string()).unwrap_or_default();
        let failure = match refusal {
            Refusal::Status(status, words) => Failure::of_status(line, status, &words),
            Refusal::Unavailable(words, _) => Failure::of_status(line, 503, &words),
            Refusal::Silent => {
                let waited = self.core.now.mono.since(channel.created);
                FailureReason::NoResponse.with(&[line, &address, &datetime::span(waited)])
            }
            Refusal::Unsendable(why) => FailureReason::Unsendable.with(&[line, &address, &outside(&why)]),
        };
        self.not_taken(caller, id, failure);
    }

    /// The same, and why.
    pub(super) fn not_taken(&mut self, caller: ChannelId, id: ChannelId, failure: Failure) {
        let (channel, cause, reason) = (self.parties.name_of(id), failure.cause, failure.text.clone());
        self.core.emit(CallEvent::NotTaken { channel, cause, reason });
        self.branch_failed(caller, id, failure);
    }

    /// A called line answered: the caller gets its answer, the others are given up, both are bridged.
    pub(super) fn answered(&mut self, caller: ChannelId, callee: ChannelId, answer: Option<Sdp>) {
        let Some(answer) = answer else {
            let line = self.parties.channel(callee).map_or("", Channel::line).to_owned();
            return self.branch_failed(caller, callee, FailureReason::NoDescription.with(&[&line]));
        };
        let name = self.parties.name_of(callee);
        let event = CallEvent::Answered { callee: name.clone(), caller: self.parties.name_of(caller) };
        self.core.emit(event);
        let now = self.core.now.mono;
        if let Some(channel) = self.parties.channel_mut(callee) {
            channel.state = ChannelState::Up;
            // On a forwarded call each Dial on the way comes by here.
            if channel.answered.is_none() {
                channel.answered = Some(now);
                channel.look_at_sound_later(self.core);
            }
        }
        if !self.runs_after_answer(caller, callee) {
            self.accepted(caller, callee, Some(answer));
        }
    }

    /// A line that answered is connected: whatever was to be done on its channel first is done.
    pub(super) fn accepted(&mut self, caller: ChannelId, callee: ChannelId, answer: Option<Sdp>) {
        let Some(answer) = answer else {
            let line = self.parties.channel(callee).map_or("", Channel::line).to_owned();
            return self.branch_failed(caller, callee, FailureReason::NoDescription.with(&[&line]));
        };
        if self.goes_apart_beyond(caller, callee) {
            return;
        }
        if let Some((outer, half)) = local::called_half(self.parties, caller) {
            return self.answered_through((outer, half), caller, callee, answer);
        }
        if self.parties.leg_of(caller).is_some_and(Leg::is_unanswered_caller) {
            match self.early().first_answer(caller, &answer) {
                Ok(answer) => {
                    self.parties.with_party(caller, self.core, |party, cx| party.answer(answer, cx));
                }
                Err(failure) => return self.branch_failed(caller, callee, failure),
            }
        }
        self.connect(caller, callee);
    }

    /// The caller is answered: the others are given up, both are bridged.
    pub(super) fn connect(&mut self, caller: ChannelId, callee: ChannelId) {
        self.answered_elsewhere(caller, callee);
        self.give_up_branches(caller, Some(callee));
        let (now, name) = (self.core.now.mono, self.parties.name_of(callee));
        if self.parties.channel(caller).is_some_and(|channel| channel.origin.is_some()) {
            return self.parties.deferred.push_back(Deferred::Originated(caller, callee));
        }
        if self.goes_apart(caller, callee) || self.takes_half(caller, callee) {
            return;
        }
        CallEnd { parties: self.parties, core: self.core }.plan(caller, callee);
        let Some(channel) = self.parties.channel_mut(caller) else { return };
        channel.cdr.called_channel.clone_from(&name);
        channel.cdr.connected = true;
        let Some(dial) = channel.dial_mut() else { return };
        let version = dial.offered_version;
        dial.take_timers().for_each(|timer| self.core.timers.cancel(timer));
        let (connected, digits) = (dial.answered_by(now, &name), DialDigits::of(&dial.options));
        (channel.activity, channel.music) = (Activity::Bridged(Box::new(connected)), Music::None);
        digits.keep_relay(self.parties, [caller, callee]);
        self.bridging().connect(caller, callee, version);
        digits.send(self.parties, caller, callee, self.core);
    }

    /// A line answered the dialplan that a call was sent into: it takes the place of the pair in between, so that what
    /// both say is relayed once. The program on the way learns that its Dial was answered, and ends.
    fn answered_through(
        &mut self,
        (outer, half): (ChannelId, ChannelId),
        running: ChannelId,
        callee: ChannelId,
        answer: Sdp,
    ) {
        self.answered_elsewhere(running, callee);
        self.give_up_branches(running, Some(callee));
        let (now, name) = (self.core.now.mono, self.parties.name_of(callee));
        let Some(channel) = self.parties.channel_mut(running) else { return };
        let Some(dial) = channel.dial_mut() else { return };
        let version = dial.offered_version;
        dial.take_timers().for_each(|timer| self.core.timers.cancel(timer));
        let report = dial.answered_by(now, &name).report(now, cause::NORMAL, false);
        let (options, digits) = (dial.options.clone(), DialDigits::of(&dial.options));
        channel.cdr.connected = true;
        let telephone = local::caller(self.parties, running);
        let mut end = CallEnd { parties: self.parties, core: self.core };
        end.plan_beyond(running, callee, &options);
        end.limit(callee, options.limit());
        limit_warning::plan(end.parties, [telephone, callee], (running, &options), end.core);
        end.by_key(&options, telephone, callee);
        digits.keep_relay(self.parties, [telephone, callee]);
        self.parties.resume(running, AppReply::Dialed(report));
        if self.dial(outer).is_none() {
            self.take_place((outer, half), callee, version);
            return digits.send(self.parties, telephone, callee, self.core);
        }
        if let Some(dial) = self.parties.channel_mut(outer).and_then(Channel::dial_mut) {
            dial.replace_branch(half, callee);
        }
        self.moved_to(outer, callee);
        self.parties.forget(half, self.core);
        // Its digits come before whatever the outer Dial has done on it, and before its media are connected.
        if digits.called.is_some() {
            self.parties.with_party(callee, self.core, |party, cx| party.set_media_remote(cx.core));
        }
        self.answered(outer, callee, Some(answer));
        digits.send(self.parties, telephone, callee, self.core);
    }

    /// A line takes the place of a half that answered itself, in the bridge with whoever called that.
    fn take_place(&mut self, (outer, half): (ChannelId, ChannelId), callee: ChannelId, version: u32) {
        self.bridging().leave(outer);
        self.moved_to(outer, callee);
        let beyond = local::called_half(self.parties, outer);
        self.parties.forget(half, self.core);
        match beyond {
            Some(beyond) => self.take_place(beyond, callee, version),
            None => self.bridging().connect(outer, callee, version),
        }
    }

    fn moved_to(&mut self, caller: ChannelId, callee: ChannelId) {
        let name = self.parties.name_of(callee);
        if let Some(channel) = self.parties.channel_mut(callee) {
            channel.called_by = Some(caller);
        }
        if let Some(channel) = self.parties.channel_mut(caller) {
            channel.cdr.called_channel = name;
        }
    }

    /// Says of the lines that rang in vain why they ring no more.
    pub(super) fn answered_elsewhere(&mut self, caller: ChannelId, callee: ChannelId) {
        let Some(dial) = self.dial(caller) else { return };
        let others: Vec<ChannelId> = dial.branches.iter().map(|(id, _)| *id).filter(|id| *id != callee).collect();
        for other in others {
            self.give_reason(caller, other);
            let (channel, by) = (self.parties.name_of(other), self.parties.name_of(callee));
            self.core.emit(CallEvent::AnsweredElsewhere { channel, by });
        }
    }

    // ---- it ends without an answer ----

    /// One line cannot be had: take it off, and finish when it was the last.
    pub(super) fn branch_failed(&mut self, caller: ChannelId, id: ChannelId, failure: Failure) {
        let channel = self.parties.name_of(id);
        self.give_up(id);
        if let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut)
            && dial.drop_branch(id)
        {
            dial.ends.push(LineEnd { channel, cause: failure.cause, said: failure.said.clone() });
            dial.fail(failure);
            self.early().lost(caller, id);
            self.finish_if_all_failed(caller);
        }
    }

    fn finish_if_all_failed(&mut self, caller: ChannelId) {
        let Some(dial) = self.dial(caller).filter(|dial| dial.branches.is_empty()) else { return };
        let (status, counts) = (dial.failure(), dial.counts());
        let (no_answer, name) = (status == DialStatus::NoAnswer, self.parties.name_of(caller));
        self.core.emit(CallEvent::AllFailed { caller: name, no_answer, counts });
        self.end(caller, status, None);
    }

    /// The time is up.
    pub(super) fn timed_out(&mut self, caller: ChannelId) {
        let Some(dial) = self.dial(caller) else { return };
        let after = self.core.now.mono.since(dial.started);
        let (mut lines, mut ends): (Vec<String>, Vec<LineEnd>) = Default::default();
        let rung = dial.branches.iter().flat_map(|(id, _)| local::rung(self.parties, *id));
        for channel in rung.filter_map(|id| self.parties.channel(id)) {
            ends.push(LineEnd { channel: channel.name.clone(), cause: cause::NO_ANSWER, said: String::new() });
            let line = format!("'{}'", local::place_name(channel));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let failure = FailureReason::NoAnswer.with(&[&lines.join(", "), &datetime::span(after)]);
        if let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut) {
            dial.failures.push(failure);
            dial.ends.extend(ends);
        }
        let name = self.parties.name_of(caller);
        self.core.emit(CallEvent::NobodyAnswered { caller: name, after });
        self.end(caller, DialStatus::NoAnswer, Some(cause::NO_ANSWER));
    }

    /// A Dial that was never answered is over: lines that still ring are given up, the program goes on.
    pub(super) fn end(&mut self, caller: ChannelId, status: DialStatus, hangup_cause: Option<u16>) {
        self.give_up_branches(caller, None);
        if self.parties.channel(caller).is_some_and(|channel| channel.origin.is_some()) {
            return self.parties.deferred.push_back(Deferred::NotOriginated(caller, status));
        }
        if let Some(report) = self.close(caller, status, hangup_cause) {
            self.parties.resume(caller, AppReply::Dialed(report));
        }
    }

    /// The program goes on elsewhere, and the Dial with all its lines is over. `status`: DIALSTATUS.
    pub(super) fn leave(&mut self, caller: ChannelId, to: Position, status: Option<DialStatus>) {
        self.give_up_branches(caller, None);
        self.close(caller, status.unwrap_or(DialStatus::Cancel), None);
        let Some(channel) = self.parties.channel_mut(caller) else { return };
        channel.leave_talks(self.core);
        channel.activity = Activity::Running;
        if let Some(program) = &mut channel.program {
            if let Some(status) = status {
                program.set_variable("DIALSTATUS", status.name());
            }
            program.redirect(to);
            self.parties.make_runnable(caller);
        }
    }

    /// What a Dial leaves when it is over without a connection: its report.
    fn close(&mut self, caller: ChannelId, status: DialStatus, hangup_cause: Option<u16>) -> Option<DialReport> {
        if let Some((outer, half)) = local::unanswered_half(self.parties, caller) {
            self.early().lost(outer, half);
        }
        self.parties.release_unused_media(&[caller], self.core);
        music::end(self.parties, caller, self.core);
        let channel = self.parties.channel_mut(caller)?;
        let dial = channel.dial_mut()?;
        dial.take_timers().for_each(|timer| self.core.timers.cancel(timer));
        let report = dial.report(self.core.now.mono, status, hangup_cause);
        let failures = std::mem::take(&mut dial.failures);
        if std::mem::take(&mut dial.tone)
            && let Some(stream) = channel.stream()
        {
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
        channel.cdr.unanswered = Some(status);
        channel.cdr.add_failures(failures);
        Some(report)
    }

    /// Gives up every line still rung but one.
    pub(super) fn give_up_branches(&mut self, caller: ChannelId, but: Option<ChannelId>) {
        let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut) else { return };
        let branches = std::mem::take(&mut dial.branches);
        for (id, _) in branches.into_iter().filter(|(id, _)| Some(*id) != but) {
            self.give_up(id);
        }
    }

    /// A line that is called is called no more.
    pub(super) fn give_up(&mut self, id: ChannelId) {
        self.parties.hang_up_leg(id, cause::NORMAL, self.core);
        self.parties.forget(id, self.core);
    }

    // ---- helpers ----

    pub(super) fn dial(&self, caller: ChannelId) -> Option<&Dial> {
        self.parties.channel(caller).and_then(Channel::dial)
    }

    fn mark(&mut self, caller: ChannelId, id: ChannelId, state: Branch) {
        if let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut) {
            dial.mark(id, state);
        }
    }

    pub(super) fn places<'b>(&'b mut self, directory: &'b dyn Directory, located: &'b Found) -> Places<'b> {
        Places { parties: self.parties, directory, core: self.core, located }
    }

    pub(super) fn early(&mut self) -> EarlyMedia<'_> {
        EarlyMedia { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    pub(super) fn bridging(&mut self) -> Bridging<'_> {
        Bridging { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
