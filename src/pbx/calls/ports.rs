//! The RTP ports of channels: asked for, bound, given back. Media beside voice (video, text, fax by T.38) gets ports
//! only when both lines of a call carry it.

use super::channel::Channel;
use super::line_quality;
use super::media_port::{MediaPort, PortState, Ports, Released, stream_kind};
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::event::{CallEvent, LineQuality, StreamTotals};
use crate::pbx::core::Core;
use crate::pbx::effect::StoreOrder;
use crate::pbx::media::{Heard, MediaCommand, StreamCounts, StreamId};
use crate::sdp::{MediaKind, Sdp};
use std::net::SocketAddr;
use std::time::Duration;

/// A call without any sound is worth a warning when it was up so long.
const LONG_ENOUGH: Duration = Duration::from_secs(5);

impl Parties {
    /// Are the ports for these media there for both channels, or known to be missing? What was not asked for yet is
    /// asked for.
    pub(super) fn has_ports_for(&mut self, ids: [ChannelId; 2], kinds: &[MediaKind], core: &mut Core) -> bool {
        let mut all = true;
        for kind in kinds {
            for id in ids {
                self.request_port(id, *kind, core);
                let port = self.channel(id).and_then(|channel| channel.port(*kind));
                all &= port.is_none_or(|port| port.state != PortState::Requested);
            }
        }
        all
    }

    fn request_port(&mut self, id: ChannelId, kind: MediaKind, core: &mut Core) {
        let stream = StreamId(core.fresh_id());
        let local = core.media_bind_address(self.leg_of(id).map(|leg| leg.ua.flow));
        let Some(channel) = self.channel_mut(id).filter(|channel| channel.port(kind).is_none()) else { return };
        channel.ports.push(MediaPort { kind, stream, state: PortState::Requested });
        let watch = channel.watch(stream, false);
        self.streams.insert(stream, id);
        core.out.media.extend([MediaCommand::Reserve { stream, local, kind: stream_kind(kind) }, watch]);
    }

    /// Ports are bound: for which channel, and which.
    pub(super) fn bound(&mut self, stream: StreamId, rtp: SocketAddr, core: &mut Core) -> Option<(ChannelId, Ports)> {
        // When the call ended while its ports were being bound, its Release is already on the way.
        let id = *self.streams.get(&stream)?;
        // The peer may get the address of a translator that passes RTP on to us.
        let flow = self.leg_of(id).map(|leg| leg.ua.flow);
        let outside = flow.filter(|flow| flow.advertised.ip() != flow.local.ip()).map(|flow| flow.advertised.ip());
        let advertised = core.config.general.media_address.or(outside).filter(|ip| ip.is_ipv4() == rtp.is_ipv4());
        let address = SocketAddr::new(advertised.unwrap_or(rtp.ip()), rtp.port());
        core.media_addresses.insert(address);
        let channel = self.channel_mut(id)?;
        if channel.stream() == Some(stream) {
            channel.rtp = Some(address);
            return Some((id, Ports::Voice));
        }
        let port = channel.ports.iter_mut().find(|port| port.stream == stream)?;
        port.state = PortState::Bound(address);
        Some((id, Ports::Secondary))
    }

    /// There are no ports: for which channel, and which.
    pub(super) fn not_bound(&mut self, stream: StreamId, why: &str, core: &mut Core) -> Option<(ChannelId, Ports)> {
        let id = *self.streams.get(&stream)?;
        let channel = self.channel_mut(id)?;
        if channel.stream() == Some(stream) {
            return Some((id, Ports::Voice));
        }
        let name = channel.name.clone();
        let port = channel.ports.iter_mut().find(|port| port.stream == stream)?;
        port.state = PortState::Missing;
        let medium = port.kind.name();
        self.streams.remove(&stream);
        core.emit(CallEvent::NoPortsForMedium { channel: name, medium, reason: why.to_owned() });
        Some((id, Ports::Secondary))
    }

    /// Gives back all ports of a channel.
    pub(super) fn release_ports(&mut self, id: ChannelId, core: &mut Core) {
        self.release_media(id, &MediaKind::ALL, core);
        let Some(channel) = self.channel(id) else { return };
        let Some(stream) = channel.stream().filter(|stream| self.streams.contains_key(stream)) else { return };
        let remote = self.leg_of(id).and_then(|leg| leg.agreement.remote.as_ref()).and_then(Sdp::rtp_addr);
        let talked = channel.answered.map_or(Duration::ZERO, |at| core.now.mono.since(at));
        let expected = remote.filter(|_| talked >= LONG_ENOUGH && !channel.was_direct);
        let released = Released {
            channel: channel.name.clone(),
            medium: None,
            line: channel.line().to_owned(),
            expected: expected.map(|from| (from, talked)),
            with: channel.relayed_with,
            about: Some(Box::new(about(self, channel))),
        };
        if let Some(address) = channel.rtp {
            core.media_addresses.remove(&address);
        }
        self.streams.remove(&stream);
        self.releases.insert(stream, released);
        core.out.media.push(MediaCommand::Release { stream });
    }

    /// Gives back the ports of these media beside voice.
    pub(super) fn release_media(&mut self, id: ChannelId, kinds: &[MediaKind], core: &mut Core) {
        let Some(channel) = self.channel_mut(id) else { return };
        let ports = std::mem::take(&mut channel.ports);
        let (gone, kept): (Vec<MediaPort>, Vec<MediaPort>) = ports.into_iter().partition(|p| kinds.contains(&p.kind));
        channel.ports = kept;
        let channel = channel.name.clone();
        for port in gone {
            if let Some(address) = port.bound() {
                core.media_addresses.remove(&address);
            }
            // One without ports has no stream, either.
            if self.streams.remove(&port.stream).is_some() {
                let (channel, medium) = (channel.clone(), Some(port.kind.name()));
                let released =
                    Released { channel, medium, line: String::new(), expected: None, with: None, about: None };
                self.releases.insert(port.stream, released);
                core.out.media.push(MediaCommand::Release { stream: port.stream });
            }
        }
    }

    /// Gives back the ports of media that these channels do not carry any more.
    pub(super) fn release_unused_media(&mut self, ids: &[ChannelId], core: &mut Core) {
        for id in ids {
            if self.channel(*id).is_none_or(|channel| channel.ports.is_empty()) {
                continue;
            }
            let (unused, is_offered) = match self.party(*id) {
                Some(party) => {
                    let unused = party.unused_media();
                    let local = party.leg.agreement.local.as_ref().filter(|_| party.leg.is_idle());
                    let is_offered = local.is_some_and(|local| unused.iter().any(|kind| local.has(*kind)));
                    (unused, is_offered)
                }
                None => (MediaKind::ALL.to_vec(), false),
            };
            self.release_media(*id, &unused, core);
            if is_offered && let Some(mut party) = self.party(*id) {
                party.clear_secondary_media(core);
            }
        }
    }

    /// A stream's ports are closed: reports what it counted, and how its sound came.
    pub(super) fn released(
        &mut self,
        stream: StreamId,
        (counts, heard): (&StreamCounts, Option<&Heard>),
        core: &mut Core,
    ) {
        let Some(released) = self.releases.remove(&stream) else { return };
        let Released { channel, medium, line, expected, with, about } = released;
        let StreamCounts { received, sent, lost, strangers, early, .. } = *counts;
        if let Some((source, after)) = expected.filter(|_| received == 0) {
            core.emit(CallEvent::NoMedia { channel: channel.clone(), line, after, source, strangers });
        }
        let totals = StreamTotals { received, sent, lost, strangers, early };
        let quality = about.zip(heard).map(|(mut about, heard)| {
            line_quality::complete(&mut about, heard);
            (about.ended, about.sent) = (core.now.wall, sent);
            about
        });
        let are_closing = with.is_some_and(|with| self.releases.contains_key(&with));
        let clocks = self.clocks.compare(
            (stream, &channel),
            quality.as_deref().map(|quality| &quality.stream),
            with,
            are_closing,
        );
        if let Some(quality) = &quality {
            core.out.store.push(StoreOrder::Line(quality.clone()));
        }
        core.emit(CallEvent::StreamClosed { channel, medium, totals, quality });
        if let Some(clocks) = clocks {
            core.emit(CallEvent::Clocks(clocks));
        }
    }

    /// The channel a stream belongs to.
    pub(super) fn channel_of_stream(&self, stream: StreamId) -> Option<&Channel> {
        self.channel(*self.streams.get(&stream)?)
    }
}

/// What is known of a channel whose ports are closed, for what is told of its sound.
fn about(parties: &Parties, channel: &Channel) -> LineQuality {
    let leg = parties.leg_of(channel.id);
    let with = channel.relayed_with.and_then(|with| {
        let is_open = parties.channel_of_stream(with).map(|other| other.name.clone());
        is_open.or_else(|| parties.releases.get(&with).map(|released| released.channel.clone()))
    });
    line_quality::about(channel, leg, with.unwrap_or_default())
}
