//! Media beside voice (video, text, fax by T.38): which a call may carry, their ports, and who is joined to whom.

use super::Switch;
use super::happenings::Released;
use crate::dialplan::ChannelId;
use crate::pbx::channel::Channel;
use crate::pbx::dial::Branch;
use crate::pbx::leg::Leg;
use crate::pbx::media::{MediaCommand, PayloadMap, Remote, StreamId};
use crate::pbx::media_port::{MediaPort, Place, kind_of};
use crate::sdp::{MediaKind, Sdp};
use std::net::SocketAddr;

impl Switch {
    /// The media beside voice that a description has and that both lines may carry.
    pub(super) fn shared_extras(&self, (a, b): (ChannelId, ChannelId), described: &Sdp) -> Vec<MediaKind> {
        let (Some(a), Some(b)) = (self.channels.get(&a), self.channels.get(&b)) else { return Vec::new() };
        let both = |extra: &MediaKind| a.peer.settings.may_carry(*extra) && b.peer.settings.may_carry(*extra);
        MediaKind::ALL.into_iter().filter(both).filter(|extra| described.has(*extra)).collect()
    }

    /// Is it settled for both channels where these media go? What has no ports yet is asked for; [`Switch::extra_settled`]
    /// comes back to whoever waits.
    pub(super) fn are_settled(&mut self, ids: (ChannelId, ChannelId), extras: &[MediaKind]) -> bool {
        let mut all = true;
        for extra in extras {
            for id in [ids.0, ids.1] {
                self.ask_for_port(id, *extra);
                let port = self.channels.get(&id).and_then(|channel| port_of(channel, *extra));
                all &= port.is_none_or(|port| port.place != Place::Asked);
            }
        }
        all
    }

    fn ask_for_port(&mut self, id: ChannelId, extra: MediaKind) {
        let stream = StreamId(self.fresh_id());
        let Some(channel) = self.channels.get(&id).filter(|channel| port_of(channel, extra).is_none()) else { return };
        let local = self.media_address(channel.leg);
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.extras.push(MediaPort { extra, stream, place: Place::Asked });
            self.streams.insert(stream, id);
            self.core.out.media.push(MediaCommand::Reserve { stream, local, kind: kind_of(extra) });
        }
    }

    /// The ports of a medium beside voice are bound.
    pub(super) fn extra_reserved(&mut self, id: ChannelId, stream: StreamId, told: SocketAddr) {
        self.extra_settled(id, stream, Place::Bound(told));
    }

    /// There are none for it: the call goes on without.
    pub(super) fn extra_missing(&mut self, id: ChannelId, stream: StreamId, why: &str) {
        if let Some(channel) = self.channels.get(&id)
            && let Some(port) = channel.extras.iter().find(|port| port.stream == stream)
        {
            let (name, medium) = (&channel.name, port.extra.name());
            let text = format!(
                "{name}: its {medium} is refused and its voice goes on: no RTP ports are left ({why}); rtpstart= and rtpend= \
                 in rtp.conf set how many there are"
            );
            self.core.out.warning(text);
        }
        self.streams.remove(&stream);
        self.extra_settled(id, stream, Place::Missing);
    }

    /// Whoever waits for a channel's ports may go on, if these were the last.
    fn extra_settled(&mut self, id: ChannelId, stream: StreamId, place: Place) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if let Some(port) = channel.extras.iter_mut().find(|port| port.stream == stream) {
            port.place = place;
        }
        let caller = channel.called_by().unwrap_or(id);
        let Some(dial) = self.channels.get(&caller).and_then(Channel::dial) else { return };
        if dial.bridge.is_some() {
            self.carry_on(caller);
            // Should it be refused after all, what waited for the legs to settle may go on.
            return self.try_direct(caller);
        }
        let waiting = dial.branches.iter().filter(|(_, branch)| *branch == Branch::Reserving).map(|(id, _)| *id);
        let ready = waiting.filter_map(|id| Some((id, self.channels.get(&id)?.rtp?)));
        for (id, rtp) in ready.collect::<Vec<_>>() {
            self.ports_for_branch(id, rtp);
        }
    }

    /// Has a called line the ports for what its caller offers? Only a first offer is waited for: whoever was answered
    /// already has heard what the call carries.
    pub(super) fn is_branch_settled(&mut self, caller: ChannelId, id: ChannelId) -> bool {
        let offer = self.leg_of_channel(caller).filter(|leg| leg.local.is_none()).and_then(|leg| leg.remote.as_ref());
        let Some(extras) = offer.map(|offer| self.shared_extras((caller, id), offer)) else { return true };
        self.are_settled((caller, id), &extras)
    }

    /// Where `id` is told that these media go: those that both it and the other have ports for.
    pub(super) fn extras_between(&self, id: ChannelId, other: ChannelId) -> Vec<(MediaKind, SocketAddr)> {
        let (Some(channel), Some(other)) = (self.channels.get(&id), self.channels.get(&other)) else {
            return Vec::new();
        };
        let both = channel.extras.iter().filter(|port| port_of(other, port.extra).is_some_and(|p| p.bound().is_some()));
        both.filter_map(|port| Some((port.extra, port.bound()?))).collect()
    }

    /// Where a channel is told that media beside voice go, whoever is at the other end.
    pub(super) fn extras_of(&self, id: ChannelId) -> Vec<(MediaKind, SocketAddr)> {
        let ports = self.channels.get(&id).map(|channel| channel.extras.as_slice()).unwrap_or_default();
        ports.iter().filter_map(|port| Some((port.extra, port.bound()?))).collect()
    }

    /// Do two lines carry more than voice, or are about to? Then their media stay on the relay.
    pub(super) fn have_extras(&self, a: ChannelId, b: ChannelId) -> bool {
        [a, b].iter().filter_map(|id| self.channels.get(id)).any(|channel| !channel.extras.is_empty())
    }

    /// Joins what two channels carry beside voice.
    pub(super) fn join_extras(&mut self, caller: ChannelId, callee: ChannelId) {
        for (extra, _) in self.extras_between(caller, callee) {
            if let (Some(a), Some(b)) = (self.extra_end(caller, extra), self.extra_end(callee, extra)) {
                let map = PayloadMap::identity;
                let bridge = MediaCommand::Bridge { a: a.0, b: b.0, a_to_b: map(), b_to_a: map() };
                let remotes = [a, b].map(|(stream, remote)| MediaCommand::Remote { stream, remote });
                self.core.out.media.extend(remotes.into_iter().chain([bridge]));
            }
        }
    }

    /// A channel's stream for a medium its peer takes part in, and where that peer is.
    fn extra_end(&self, id: ChannelId, extra: MediaKind) -> Option<(StreamId, Remote)> {
        let channel = self.channels.get(&id)?;
        let leg = self.legs.get(&channel.leg)?;
        let described = leg.remote.as_ref().filter(|described| described.has(extra))?;
        let addresses = (described.secondary_addr(extra), described.secondary_rtcp_addr(extra));
        Some((port_of(channel, extra)?.stream, self.remote_of(channel, leg, addresses)))
    }

    /// Gives back the ports of what a channel does not carry any more.
    pub(super) fn sweep_extras(&mut self, ids: &[ChannelId]) {
        for id in ids {
            let Some(channel) = self.channels.get(id).filter(|channel| !channel.extras.is_empty()) else { continue };
            let leg = self.legs.get(&channel.leg);
            let (local, remote) = (leg.and_then(|leg| leg.local.as_ref()), leg.and_then(|leg| leg.remote.as_ref()));
            let carries =
                |extra: MediaKind| [local, remote].iter().all(|told| told.is_some_and(|told| told.has(extra)));
            let unused: Vec<MediaKind> =
                channel.extras.iter().map(|port| port.extra).filter(|extra| !carries(*extra)).collect();
            // What the peer turned down in an answer was told it with a port: a refresh must not say that again.
            let told = local.filter(|_| leg.is_some_and(Leg::is_idle));
            let is_told = told.is_some_and(|told| unused.iter().any(|extra| told.has(*extra)));
            self.release_extras(*id, &unused);
            if is_told {
                self.unsay_extras(*id);
            }
        }
    }

    /// What a channel was told last is that without the media whose ports it has no more.
    fn unsay_extras(&mut self, id: ChannelId) {
        let told = self.retell(id);
        if let Some(leg) = self.channels.get(&id).and_then(|channel| self.legs.get_mut(&channel.leg)) {
            leg.local = told.or(leg.local.take());
        }
    }

    /// Gives back the ports of these media.
    pub(super) fn release_extras(&mut self, id: ChannelId, extras: &[MediaKind]) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let (gone, kept) = std::mem::take(&mut channel.extras).into_iter().partition(|p| extras.contains(&p.extra));
        channel.extras = kept;
        let gone: Vec<MediaPort> = gone;
        for port in gone {
            // One without ports has no stream, either.
            if self.streams.remove(&port.stream).is_some() {
                let name = format!("{} ({})", channel.name, port.extra.name());
                self.releases.insert(port.stream, Released::unexpected(name));
                self.core.out.media.push(MediaCommand::Release { stream: port.stream });
            }
        }
    }

    /// Why a description with these media is not carried: which line lacks which option.
    pub(super) fn lacking(&self, ids: [ChannelId; 2], described: &Sdp) -> Option<String> {
        let channels: Vec<&Channel> = ids.iter().filter_map(|id| self.channels.get(id)).collect();
        let lacks = |channel: &&&Channel, extra: MediaKind| !channel.peer.settings.may_carry(extra);
        described.secondary_media().find_map(|extra| {
            let lines: Vec<String> = channels
                .iter()
                .filter(|channel| lacks(channel, extra))
                .map(|channel| format!("'{}'", channel.peer.name))
                .collect();
            let (name, option) = (extra.name(), extra.option());
            (!lines.is_empty())
                .then(|| format!("{name} needs '{option}=yes' in sip.conf, not set for {}", lines.join(" and ")))
        })
    }

    /// Where a peer is, as the media ring is told it.
    pub(super) fn remote_of(
        &self,
        channel: &Channel,
        leg: &Leg,
        (rtp, rtcp): (Option<SocketAddr>, Option<SocketAddr>),
    ) -> Remote {
        let may = |at: &SocketAddr| self.may_be_sent_to(leg, *at);
        Remote {
            rtp: rtp.filter(may),
            rtcp: rtcp.filter(may),
            signalling: Some(leg.signalling()),
            symmetric: channel.peer.settings.nat.comedia.holds(leg.is_behind_nat()),
            strictness: self.settings.strictness,
        }
    }

    /// Says once in a call why its peer will hear nothing.
    pub(super) fn say_misplaced(&mut self, id: ChannelId, at: SocketAddr) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.misplaced = true;
        let text = format!(
            "{}: '{}' wants its sound at {at}, which is the exchange itself or this machine's loopback: nothing is sent there. \
             Set the telephone's own address in it",
            channel.name, channel.peer.name
        );
        self.core.out.notice(text);
    }

    /// May media go there because a peer's description says so? Not to the exchange itself, and to this machine's other
    /// programs (loopback) only for peers on this machine. The media ring knows the addresses its own ports are bound to;
    /// here they are known as a translator's address, where that is what peers are told.
    fn may_be_sent_to(&self, leg: &Leg, at: SocketAddr) -> bool {
        let (ours, theirs) = (leg.flow.local.ip(), leg.flow.remote.ip());
        let listening = self.settings.listening.udp;
        let is_sip =
            at.port() == listening.port() && [ours, listening.ip(), leg.flow.advertised.ip()].contains(&at.ip());
        let is_foreign = at.ip().is_loopback() && !theirs.is_loopback() && theirs != ours;
        let told = self.settings.general.media_address.unwrap_or(leg.flow.advertised.ip());
        let even = SocketAddr::new(at.ip(), at.port() & !1);
        let is_media = told != ours && at.ip() == told && self.channels.values().any(|channel| is_told(channel, even));
        !is_sip && !is_foreign && !is_media
    }
}

/// Is this one of the addresses a channel's peer is told?
fn is_told(channel: &Channel, at: SocketAddr) -> bool {
    channel.rtp == Some(at) || channel.extras.iter().any(|port| port.bound() == Some(at))
}

fn port_of(channel: &Channel, extra: MediaKind) -> Option<&MediaPort> {
    channel.extras.iter().find(|port| port.extra == extra)
}
