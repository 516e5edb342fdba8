//! The exchange begins a call: a line is called as a `Dial` does it, by a channel that nobody is at the end of, and whoever
//! answers goes on by itself: in the dialplan, or with one application.

use super::bridge::Bridges;
use super::channel::{Activity, Channel, ChannelState, Endpoint};
use super::deferred::Deferred;
use super::dialing::Dialing;
use super::origin::Origin;
use super::parties::Parties;
use crate::dialplan::app::AppCall;
use crate::dialplan::originate::{Goal, OriginateRequest, OriginateStatus};
use crate::dialplan::program::errand;
use crate::dialplan::{AppReply, CallerId, ChannelId, DialRequest, DialStatus, Position, Program};
use crate::pbx::core::{Core, Directory};

/// Maximum number of calls that the exchange may be beginning at once.
const MAX_AT_ONCE: usize = 200;

/// Begins calls, with all channels and bridges at hand.
pub(super) struct Originating<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Originating<'_> {
    /// Calls the line. `asker`: whose program asked; it learns the outcome, at once unless it waits.
    pub(super) fn begin(&mut self, request: OriginateRequest, asker: Option<ChannelId>, directory: &dyn Directory) {
        let waiting = asker.filter(|_| request.waits);
        if let Some(asker) = asker.filter(|_| !request.waits) {
            self.parties.resume(asker, AppReply::Originated(OriginateStatus::Success));
        }
        let id = ChannelId(self.core.fresh_id());
        if let Some(asker) = waiting.and_then(|asker| self.parties.channel_mut(asker)) {
            asker.activity = Activity::Originating(id);
        }
        let busy = self.parties.channels().filter(|channel| channel.origin.is_some()).count();
        if busy >= MAX_AT_ONCE {
            let origin = Origin { request, asker: waiting, status: OriginateStatus::Congestion };
            return self.parties.tell_origin(id, &origin, self.core);
        }
        let name = format!("Originate/{}-{:08x}", request.target, id.0);
        let unique_id = format!("{}.{}", self.core.now.wall.0.div_euclid(1000), id.0);
        let mut channel = Channel::new(self.core, id, (name, unique_id), Endpoint::App, Activity::Running);
        let (caller_name, number) = request.caller.clone();
        let caller = CallerId { name: caller_name, ani: number.clone(), number, ..CallerId::default() };
        // It never runs: the Dial finds here who calls, and what the called line inherits.
        let mut program = Program::new(id, &channel.name, Position::new("", "", 1), caller);
        for (name, value) in &request.variables {
            program.set_variable(name, value);
        }
        channel.program = Some(program);
        let dial = DialRequest {
            targets: vec![request.target.clone()],
            timeout: Some(request.timeout),
            options: request.options.clone(),
            located: Default::default(),
        };
        channel.origin = Some(Box::new(Origin { request, asker: waiting, status: OriginateStatus::Failed }));
        self.parties.insert(channel);
        Dialing { parties: self.parties, bridges: self.bridges, core: self.core }.start(id, dial, directory);
    }

    /// The line could not be had.
    pub(super) fn failed(&mut self, id: ChannelId, status: DialStatus) {
        if let Some(origin) = self.parties.channel_mut(id).and_then(|channel| channel.origin.as_mut()) {
            origin.status = match status {
                DialStatus::Busy => OriginateStatus::Busy,
                DialStatus::Congestion => OriginateStatus::Congestion,
                DialStatus::NoAnswer => OriginateStatus::Ringing,
                DialStatus::Answer
                | DialStatus::Cancel
                | DialStatus::ChanUnavail
                | DialStatus::DontCall
                | DialStatus::Torture
                | DialStatus::InvalidArgs => OriginateStatus::Failed,
            };
        }
        self.tell_page(id, Deferred::PageLeft);
        self.parties.forget(id, self.core);
    }

    /// The one who pages learns what came of a call; says whether it is one for a page.
    fn tell_page(&mut self, id: ChannelId, news: impl FnOnce(ChannelId) -> Deferred) -> bool {
        let origin = self.parties.channel(id).and_then(|channel| channel.origin.as_ref());
        let Some(Goal::Page(pager)) = origin.map(|origin| &origin.request.goal) else { return false };
        let news = news(*pager);
        self.parties.deferred.push_back(news);
        true
    }

    /// It has answered, and goes on by itself.
    pub(super) fn answered(&mut self, id: ChannelId, callee: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let Some(origin) = channel.origin.as_mut() else { return };
        origin.status = OriginateStatus::Success;
        let request = origin.request.clone();
        let caller = channel.program.as_ref().map(Program::caller).unwrap_or_default();
        if self.tell_page(id, |pager| Deferred::PageJoined(pager, callee)) {
            if let Some(line) = self.parties.channel_mut(callee) {
                (line.called_by, line.callee) = (None, Default::default());
            }
            return self.parties.forget(id, self.core);
        }
        if let Some(line) = self.parties.channel_mut(callee).filter(|_| !request.account.is_empty()) {
            line.cdr.account = Some(request.account);
        }
        // What its program plays goes to it, and what it says is heard.
        self.parties.with_party(callee, self.core, |party, cx| party.set_media_remote(cx.core));
        set_free(self.parties, callee, request.goal, caller, &request.variables);
        self.parties.forget(id, self.core);
    }
}

/// A line that was called goes on by itself.
pub(super) fn set_free(
    parties: &mut Parties,
    id: ChannelId,
    goal: Goal,
    caller: CallerId,
    variables: &[(String, String)],
) {
    let Some(channel) = parties.channel_mut(id) else { return };
    let name = channel.name.clone();
    let (mut program, entered) = match goal {
        Goal::Extension(start) => (Program::new(id, &name, start.clone(), caller.clone()), start),
        Goal::Application(application, args) => {
            let context = channel.peer().map_or("default", |peer| peer.settings.context.as_str());
            let start = Position::new(context, "", 1);
            let call = AppCall { name: application, args };
            (errand::application((id, &name), start.clone(), caller.clone(), call), start)
        }
        // It has no program.
        Goal::Page(_) => return,
    };
    for (name, value) in channel.callee.variables.iter().chain(variables) {
        program.set_variable(name, value);
    }
    program.set_language(&channel.peer().map(|peer| peer.settings.language.clone()).unwrap_or_default());
    program.set_answered();
    channel.program = Some(program);
    channel.called_by = None;
    channel.callee = Default::default();
    channel.entered = Some(entered);
    channel.state = ChannelState::Up;
    channel.activity = Activity::Running;
    (channel.caller_name, channel.caller_number) = (caller.name, caller.number);
    parties.make_runnable(id);
}
