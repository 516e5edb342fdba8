//! Calls whose lines are not heard any more: what is known of the silence of streams, and which calls are ended for it.

use super::bridge::Bridges;
use super::channel::{Channel, ChannelState, GIVEN_UP};
use super::hangup::Hangup;
use super::local;
use super::media_path::Route;
use super::parties::Parties;
use crate::clock::Time;
use crate::datetime::span;
use crate::dialplan::ChannelId;
use crate::pbx::core::{CallTimer, Core, Directory, Timer};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::media::StreamId;
use crate::sdp::MediaKind;
use crate::sip::timer::TimerId;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a silent call is looked at again: its lines may have become unreachable meanwhile.
const AGAIN: Duration = Duration::from_secs(10);

/// The streams from which nothing is heard.
#[derive(Debug, Default)]
pub(super) struct Silences(BTreeMap<StreamId, Silent>);

#[derive(Debug)]
struct Silent {
    /// Since when.
    since: Time,
    /// When the call is looked at again.
    timer: Option<TimerId>,
    /// Media was direct then: nothing could be heard.
    excused: Option<Time>,
}

impl Silences {
    /// The media thread reports that a stream has been silent for so long.
    pub(super) fn begin(&mut self, stream: StreamId, lasting: Duration, core: &mut Core) {
        self.end(stream, core);
        let now = core.now.mono;
        let since = Time::ZERO + now.since_start().saturating_sub(lasting);
        let timer = Some(core.timers.set(now, Timer::Call(CallTimer::Silence(stream))));
        self.0.insert(stream, Silent { since, timer, excused: None });
    }

    /// A stream is heard again, or is no more.
    pub(super) fn end(&mut self, stream: StreamId, core: &mut Core) {
        if let Some(timer) = self.0.remove(&stream).and_then(|silent| silent.timer) {
            core.timers.cancel(timer);
        }
    }
}

/// Looks at a silent call, with all that is known of it.
pub(super) struct SilentCall<'a> {
    pub(super) silences: &'a mut Silences,
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
    pub(super) directory: &'a dyn Directory,
}

impl SilentCall<'_> {
    /// The timer of a silent stream went off: its call is ended, or looked at again.
    pub(super) fn look(&mut self, stream: StreamId) {
        let Some(silent) = self.silences.0.get_mut(&stream) else { return };
        silent.timer = None;
        let Some(id) = self.parties.channel_of_stream(stream).map(|channel| channel.id) else { return };
        let now = self.core.now.mono;
        let members = self.members(id);
        let mut again = now + AGAIN;
        if let Some((at, failure)) = self.overdue(id, stream, &members) {
            if at <= now {
                return self.hangup().by_silence(id, failure);
            }
            again = again.min(at);
        }
        if let Some(at) = self.given_up_at(&members) {
            let caller = members.first().copied().unwrap_or(id);
            if at > now {
                again = again.min(at);
            } else if let Some(failure) = self.vanished(&members) {
                return self.hangup().by_silence(caller, failure);
            }
        }
        let timer = self.core.timers.set(again, Timer::Call(CallTimer::Silence(stream)));
        if let Some(silent) = self.silences.0.get_mut(&stream) {
            silent.timer = Some(timer);
        }
    }

    /// The channels of a call, a caller first: those in one bridge, or a caller and whom it rings.
    fn members(&self, id: ChannelId) -> Vec<ChannelId> {
        let Some(channel) = self.parties.channel(id) else { return Vec::new() };
        if let Some(bridge) = channel.bridge.and_then(|bridge| self.bridges.get(bridge)) {
            let is_called = |id: &ChannelId| self.parties.channel(*id).is_some_and(|it| it.called_by.is_some());
            let mut members: Vec<ChannelId> = bridge.members().collect();
            members.sort_by_key(is_called);
            return members;
        }
        let caller = channel.called_by.map_or(id, |caller| local::caller(self.parties, caller));
        let dial = self.parties.channel(caller).and_then(Channel::dial);
        let branches = dial.into_iter().flat_map(|dial| dial.branches.iter());
        let rung = branches.flat_map(|(id, _)| local::rung(self.parties, *id));
        std::iter::once(caller).chain(rung).collect()
    }

    fn channels<'b>(&'b self, members: &'b [ChannelId]) -> impl Iterator<Item = &'b Channel> {
        members.iter().filter_map(|id| self.parties.channel(*id))
    }

    // ---- what its owner asks for: rtptimeout, rtpholdtimeout ----

    /// When `rtptimeout=` or `rtpholdtimeout=` ends the call for the silence of this channel's voice, and why; never when
    /// a modem takes part, while nothing is to be expected (direct media, fax by T.38), or before the answer.
    fn overdue(&mut self, id: ChannelId, stream: StreamId, members: &[ChannelId]) -> Option<(Time, Failure)> {
        let now = self.core.now.mono;
        let channel = self.parties.channel(id).filter(|channel| channel.stream() == Some(stream))?;
        let peer = channel.peer()?;
        let (option, limit) = match channel.on_hold {
            true => ("rtpholdtimeout", peer.settings.rtp_hold_timeout?),
            false => ("rtptimeout", peer.settings.rtp_timeout?),
        };
        let answered = channel.answered.filter(|_| channel.state == ChannelState::Up)?;
        if self.channels(members).any(Channel::has_modem) || channel.port(MediaKind::Image).is_some() {
            return None;
        }
        let bridge = channel.bridge.and_then(|bridge| self.bridges.get(bridge));
        let is_direct = bridge.is_some_and(|bridge| bridge.path.route() == Route::Direct);
        let silent = self.silences.0.get_mut(&stream)?;
        if is_direct {
            silent.excused = Some(now);
            return None;
        }
        let begun = silent.since.max(answered).max(channel.hold_changed);
        let at = silent.excused.map_or(begun, |excused| begun.max(excused)) + limit;
        let failure = FailureReason::NoRtp.with(&[&peer.name, &span(limit), option]);
        Some((at, failure))
    }

    // ---- what nobody needs to ask for: lines that vanished ----

    /// When the call has been silent for so long that it is given up if its lines are gone; none while anything of it is
    /// heard.
    fn given_up_at(&self, members: &[ChannelId]) -> Option<Time> {
        let streams = self.channels(members).flat_map(|channel| {
            let beside = channel.ports.iter().map(|port| port.stream);
            channel.stream().into_iter().chain(beside)
        });
        let mut latest = Time::ZERO;
        for stream in streams {
            latest = latest.max(self.silences.0.get(&stream)?.since);
        }
        Some(latest + GIVEN_UP)
    }

    /// Why the call is given up: none of its lines can be reached. None when one can.
    fn vanished(&self, members: &[ChannelId]) -> Option<Failure> {
        let lines: Vec<_> = self.channels(members).filter_map(Channel::peer).collect();
        let all_lost = !lines.is_empty() && lines.iter().all(|peer| self.directory.is_lost(self.core, peer));
        let names = lines.iter().map(|peer| format!("'{}'", peer.name)).collect::<Vec<_>>().join(" and ");
        all_lost.then(|| FailureReason::Vanished.with(&[&names, &span(GIVEN_UP)]))
    }

    fn hangup(&mut self) -> Hangup<'_> {
        Hangup { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
