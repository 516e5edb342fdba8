//! All channels and legs: one table of each, and every look-up of one, of both, or of two parties at once.

use super::cdr_writer;
use super::channel::{Activity, Channel, Endpoint, SipEndpoint};
use super::deferred::Deferred;
use super::leg::{Cx, Leg, LegIndex};
use super::line_quality::Clocks;
use super::local_half::{HalfEnded, LocalEvents};
use super::media_port::Released;
use super::minutes;
use super::occupancy::Occupancy;
use super::origin::Origin;
use super::pages::Pages;
use super::pair::Pair;
use super::party::Party;
use super::sendings::Sendings;
use super::spies::Spies;
use super::transfers::Transfers;

use crate::config::peer::Peer;
use crate::dialplan::{AppReply, ChannelId};
use crate::event::CallEvent;
use crate::pbx::cdr::HangupBy;
use crate::pbx::core::{Core, LegId};
use crate::pbx::media::{MediaCommand, Remote, StreamId, StreamKind};
use crate::pbx::outside::OutsideOrder;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

/// Maximum number of channels at once.
pub const MAX_CHANNELS: usize = 4_000;

/// All channels and legs.
#[derive(Default)]
pub struct Parties {
    channels: BTreeMap<ChannelId, Channel>,
    legs: BTreeMap<LegId, Leg>,
    /// Which leg a message belongs to, and what happened on legs.
    pub index: LegIndex,
    /// What happened to halves of pairs that lead into the dialplan.
    pub(super) locals: LocalEvents,
    /// What a Dial leaves to others.
    pub(super) deferred: VecDeque<Deferred>,
    /// Whose ports a stream is.
    pub(super) streams: BTreeMap<StreamId, ChannelId>,
    /// Streams whose ports are being closed.
    pub(super) releases: BTreeMap<StreamId, Released>,
    /// The clocks of lines whose ports are closed, until those of the others are.
    pub(super) clocks: Clocks,
    /// Rows of digits that lines are being sent.
    pub(super) sendings: Sendings,
    /// Which channels each line has, and what changed on them.
    pub(super) occupancy: Occupancy,
    /// Who listens to whom, by the channel whose program does.
    pub(super) spies: Spies,
    /// Pages, by the channel that began each.
    pub(super) pages: Pages,
    /// Transfers under way.
    pub(super) transfers: Transfers,
    /// The place that each lot gave last.
    pub(super) last_places: BTreeMap<String, u32>,
    runnable: VecDeque<ChannelId>,
    last_serial: u32,
}

impl Parties {
    // ---- look-ups ----

    /// A channel.
    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(&id)
    }

    /// A channel, to be changed.
    pub fn channel_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        self.occupancy.touch(id);
        self.channels.get_mut(&id)
    }

    /// All channels, oldest first.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// How many channels there are.
    pub fn count(&self) -> usize {
        self.channels.len()
    }

    /// How many channels a line has, both directions.
    pub fn count_of(&self, line: &str) -> usize {
        let found = self.occupancy.candidates(line).into_iter().filter_map(|id| self.channel(id));
        found.filter(|channel| channel.line() == line).count()
    }

    /// A channel's name; empty when it is gone.
    pub fn name_of(&self, id: ChannelId) -> String {
        self.channels.get(&id).map(|channel| channel.name.clone()).unwrap_or_default()
    }

    /// A leg.
    pub fn leg(&self, id: LegId) -> Option<&Leg> {
        self.legs.get(&id)
    }

    /// The channel that a leg carries; none when the channel is gone or has another leg now.
    pub fn channel_of_leg(&self, id: LegId) -> Option<ChannelId> {
        let channel = self.channels.get(&self.legs.get(&id)?.ua.channel)?;
        (channel.leg() == Some(id)).then_some(channel.id)
    }

    /// All legs, oldest first; those whose channel is gone, too.
    pub fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.legs.values()
    }

    /// A channel's leg.
    pub fn leg_of(&self, id: ChannelId) -> Option<&Leg> {
        self.legs.get(&self.channels.get(&id)?.leg()?)
    }

    /// A channel with its leg; none for one without.
    pub fn party(&mut self, id: ChannelId) -> Option<Party<'_>> {
        self.occupancy.touch(id);
        let channel = self.channels.get_mut(&id)?;
        let SipEndpoint { leg, stream, .. } = *channel.sip()?;
        Some(Party { channel, leg: self.legs.get_mut(&leg)?, stream })
    }

    /// Two channels with their legs.
    pub fn pair(&mut self, a: ChannelId, b: ChannelId) -> Option<Pair<'_>> {
        self.occupancy.touch(a);
        self.occupancy.touch(b);
        let (a, b) = two_mut(&mut self.channels, a, b)?;
        let (end_a, end_b) = (a.sip()?.clone(), b.sip()?.clone());
        let (leg_a, leg_b) = two_mut(&mut self.legs, end_a.leg, end_b.leg)?;
        let a = Party { channel: a, leg: leg_a, stream: end_a.stream };
        Some(Pair { a, b: Party { channel: b, leg: leg_b, stream: end_b.stream } })
    }

    // ---- things done with them ----

    /// Does something with a channel and its leg that sends SIP.
    pub fn with_party<R>(
        &mut self,
        id: ChannelId,
        core: &mut Core,
        act: impl FnOnce(&mut Party<'_>, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        self.occupancy.touch(id);
        let channel = self.channels.get_mut(&id)?;
        let SipEndpoint { leg, stream, .. } = *channel.sip()?;
        let mut party = Party { channel, leg: self.legs.get_mut(&leg)?, stream };
        Some(act(&mut party, &mut Cx { core, index: &mut self.index }))
    }

    /// Does something with a leg, whose channel may be gone.
    pub fn with_leg<R>(
        &mut self,
        id: LegId,
        core: &mut Core,
        act: impl FnOnce(&mut Leg, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let leg = self.legs.get_mut(&id)?;
        self.occupancy.touch(leg.ua.channel);
        Some(act(leg, &mut Cx { core, index: &mut self.index }))
    }

    /// Does something with every leg.
    pub fn for_each_leg(&mut self, core: &mut Core, mut act: impl FnMut(&mut Leg, &mut Cx<'_>)) {
        for leg in self.legs.values_mut() {
            act(leg, &mut Cx { core, index: &mut self.index });
        }
    }

    /// Ends a channel's leg from our side; what the leg still has to say (CANCEL, BYE after the ACK) it says by itself.
    pub fn hang_up_leg(&mut self, id: ChannelId, cause: u16, core: &mut Core) {
        self.with_party(id, core, |party, cx| party.leg.hang_up(cause, cx));
    }

    /// Lets go of the legs that ended.
    pub fn forget_ended_legs(&mut self) {
        for id in std::mem::take(&mut self.index.ended) {
            self.legs.remove(&id);
        }
    }

    // ---- programs ----

    /// A channel's program may go on.
    pub fn make_runnable(&mut self, id: ChannelId) {
        self.runnable.push_back(id);
    }

    /// The next channel whose program may go on.
    pub fn next_runnable(&mut self) -> Option<ChannelId> {
        self.runnable.pop_front()
    }

    /// Does a program wait to go on?
    pub fn has_runnable(&self) -> bool {
        !self.runnable.is_empty()
    }

    /// Gives a program what it waits for, and lets it go on.
    pub fn resume(&mut self, id: ChannelId, reply: AppReply) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.activity = Activity::Running;
        if let Some(program) = &mut channel.program {
            program.answer(reply);
            self.runnable.push_back(id);
        }
    }

    // ---- they come and go ----

    /// A new channel's name and its unique id.
    pub fn next_names(&mut self, line: &str, core: &Core) -> (String, String) {
        let serial = self.last_serial;
        self.last_serial = self.last_serial.wrapping_add(1);
        let seconds = core.now.wall.0.div_euclid(1000);
        (format!("SIP/{line}-{serial:08x}"), format!("{seconds}.{serial}"))
    }

    /// A channel for a leg, whose ports are being bound from now on.
    pub fn open(&mut self, id: ChannelId, leg: Leg, activity: Activity, core: &mut Core) -> Option<&mut Channel> {
        let stream = StreamId(core.fresh_id());
        let names = self.next_names(&leg.peer.name, core);
        let local = core.media_bind_address(Some(leg.ua.flow));
        let endpoint = Endpoint::Sip(SipEndpoint { peer: leg.peer.clone(), leg: leg.id, stream });
        let remote = Remote { signalling: Some(leg.ua.flow.remote.ip()), ..Remote::unknown(core.config.strictness) };
        self.legs.insert(leg.id, leg);
        self.streams.insert(stream, id);
        core.out.media.push(MediaCommand::Reserve { stream, local, kind: StreamKind::Rtp });
        // Where its first packets will come from, in all likelihood.
        core.out.media.push(MediaCommand::Remote { stream, remote });
        let channel = Channel::new(core, id, names, endpoint, activity);
        core.out.media.push(channel.watch(stream, false));
        self.insert(channel)
    }

    /// Adds a channel.
    pub fn insert(&mut self, channel: Channel) -> Option<&mut Channel> {
        let id = channel.id;
        self.occupancy.touch(id);
        self.channels.insert(id, channel);
        self.channels.get_mut(&id)
    }

    /// Another leg takes the place of a channel's own, which is hung up: the program and the bridge of the channel go
    /// on.
    pub fn replace_leg(&mut self, id: ChannelId, leg: Leg, cause: u16, core: &mut Core) {
        let (new, peer) = (leg.id, leg.peer.clone());
        self.legs.insert(new, leg);
        self.occupancy.touch(id);
        if let Some(old) = self.channels.get_mut(&id).and_then(|channel| channel.replace_leg(new, peer)) {
            self.with_leg(old, core, |leg, cx| leg.hang_up(cause, cx));
        }
    }

    /// Takes a channel off the table, with its ports. A caller's leaves its record.
    pub fn forget(&mut self, id: ChannelId, core: &mut Core) {
        self.release_ports(id, core);
        stop_sending(self, id, core);
        self.occupancy.touch(id);
        if let Some(transfer) = self.transfers.remove(&id) {
            core.timers.cancel(transfer.limit);
        }
        let Some(mut channel) = self.channels.remove(&id) else { return };
        if channel.program.is_some() {
            self.deferred.push_back(Deferred::Unlock(channel.name.clone()));
        }
        let stopped = channel.stop_activity(0, core);
        let warning = channel.callee.warnings.take().and_then(|warnings| warnings.timer());
        for limit in channel.callee.limit.take().into_iter().chain(warning) {
            core.timers.cancel(limit);
        }
        if let Some(timer) = channel.watch.as_mut().and_then(|watch| watch.timer.take()) {
            core.timers.cancel(timer);
        }
        if let Some((_, timer)) = channel.time_limit.take() {
            core.timers.cancel(timer);
        }
        debug_assert!(
            channel.bridge.is_none() && stopped.branches.is_empty(),
            "{}: forgotten in mid-call",
            channel.name
        );
        if channel.goes_outside {
            core.out.outside.push(OutsideOrder::Forget(id));
        }
        cdr_writer::write(&channel, core);
        minutes::count(&channel, core);
        if let Some(origin) = channel.origin.take() {
            self.tell_origin(id, &origin, core);
        }
        if let Some(half) = channel.local().filter(|half| self.channels.contains_key(&half.other)) {
            let (cause, failure) = channel.cdr.outcome();
            self.locals.report(half.other, HalfEnded { cause, failure });
        }
        // A leg that never began to call ends without a word.
        if let Some(leg) = channel.leg().filter(|leg| self.legs.get(leg).is_some_and(Leg::is_ended)) {
            self.legs.remove(&leg);
        }
    }

    /// Whoever asked for a call of the exchange's own, which this channel begins, learns how it began; unless it has gone
    /// on to something else meanwhile.
    pub(super) fn tell_origin(&mut self, id: ChannelId, origin: &Origin, core: &mut Core) {
        let Origin { request, asker, status } = origin;
        if request.ticket != 0 {
            core.emit(CallEvent::Originated { ticket: request.ticket, status: status.name() });
        }
        let waits = |asker: &ChannelId| self.channel(*asker).is_some_and(|channel| channel.originates(id));
        if let Some(asker) = asker.filter(waits) {
            self.resume(asker, AppReply::Originated(*status));
        }
    }

    /// A line that registered over a connection is spoken to over that one, whatever became of the one its calls began
    /// on.
    pub fn move_to_connection(&mut self, peer: &Peer, came: crate::sip::Flow) {
        let orphans =
            self.legs.values_mut().filter(|leg| leg.ua.flow.connection.is_none() && leg.peer.name == peer.name);
        for leg in orphans {
            leg.ua.follow_connection(came);
        }
    }

    /// What is left in the tables besides channels: streams with those being closed, entries that lead to legs, and
    /// transfers and rows of digits under way.
    pub fn leftovers(&self) -> [usize; 3] {
        let under_way = self.transfers.len() + self.sendings.len();
        [self.streams.len() + self.releases.len() + self.clocks.len(), self.index.servers.len(), under_way]
    }

    /// A call ended, in what is known of its record; only the first end of a call counts.
    pub fn note_end(&mut self, id: ChannelId, by: HangupBy, cause: u16, core: &Core) {
        self.note_media(id, None);
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.cdr.end(core.now.mono, by, cause);
        }
    }

    /// Notes for the record where both phones' sound went, and the codec, while the legs still know.
    pub fn note_media(&mut self, caller: ChannelId, callee: Option<ChannelId>) {
        let remote = |id| -> Option<SocketAddr> { self.leg_of(id)?.agreement.remote.as_ref()?.rtp_addr() };
        let (caller_rtp, called_rtp) = (remote(caller), callee.and_then(remote));
        let agreed = self.leg_of(caller).and_then(|leg| leg.agreement.agreed());
        let Some(channel) = self.channels.get_mut(&caller) else { return };
        let cdr = &mut channel.cdr;
        cdr.caller_rtp = cdr.caller_rtp.or(caller_rtp);
        cdr.called_rtp = called_rtp.or(cdr.called_rtp);
        if let Some(agreed) = agreed.filter(|_| cdr.codec.is_empty()) {
            cdr.codec = agreed.codec.name().to_owned();
        }
    }
}

/// A channel's telephone is sent no digits any more; whoever waits for them learns that.
fn stop_sending(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let Some(sending) = parties.sendings.remove(&id) else { return };
    if let Some(timer) = sending.timer {
        core.timers.cancel(timer);
    }
    let waiting = sending.waits.filter(|waiting| *waiting != id);
    if let Some(waiting) = waiting.filter(|waiting| parties.channel(*waiting).is_some_and(Channel::sends_digits)) {
        parties.resume(waiting, AppReply::DigitsSent(Err("the call is over".to_owned())));
    }
}

/// Two entries of a table, in the order asked for; none when they are one and the same, or one is missing.
fn two_mut<K: Ord + Copy, V>(table: &mut BTreeMap<K, V>, a: K, b: K) -> Option<(&mut V, &mut V)> {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == high || !table.contains_key(&low) || !table.contains_key(&high) {
        return None;
    }
    let mut between = table.range_mut(low..=high);
    let first = between.next()?.1;
    let last = between.next_back()?.1;
    if a < b { Some((first, last)) } else { Some((last, first)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_a_table_come_in_the_order_asked_for() {
        let mut table: BTreeMap<u8, char> = [(1, 'a'), (2, 'b'), (3, 'c')].into();
        assert_eq!(two_mut(&mut table, 1, 3).map(|(a, b)| (*a, *b)), Some(('a', 'c')));
        assert_eq!(two_mut(&mut table, 3, 2).map(|(a, b)| (*a, *b)), Some(('c', 'b')));
        assert!(two_mut(&mut table, 2, 2).is_none() && two_mut(&mut table, 1, 4).is_none());
    }
}
