//! Whether the sound of a call arrives. A few seconds after the answer the media thread is asked what it has counted;
//! what it saw is held against what the line has described, and what cannot work is said: once, with the cure.

use super::channel::{Channel, ChannelState, LOOK_AT_SOUND};
use super::parties::Parties;
use super::party::Party;
use crate::clock::Wall;
use crate::config::peer::{Kind, Peer};
use crate::datetime::span;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::pbx::failure::{Failure, FailureReason, join_texts};
use crate::pbx::media::{MediaCommand, StreamId, StreamReport};
use crate::registrar::next_hop::is_private;
use crate::sdp::MediaKind;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Lines whose last fault is remembered; of more, the oldest fault is forgotten.
const MAX_LINES: usize = 1_000;

/// What was wrong with the sound of a line in its latest call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundFault {
    /// When it was seen.
    pub at: Wall,
    /// What, and the cure.
    pub text: String,
}

/// What was wrong with the sound of lines, by their names.
#[derive(Debug, Default)]
pub struct Sounds(BTreeMap<String, SoundFault>);

impl Sounds {
    /// What was wrong in the latest call of a line; none when nothing was.
    pub fn of(&self, line: &str) -> Option<&SoundFault> {
        self.0.get(line)
    }

    /// The media thread says what it has counted for a stream.
    pub(super) fn counted(&mut self, stream: StreamId, report: &StreamReport, parties: &mut Parties, core: &mut Core) {
        let Some(id) = parties.channel_of_stream(stream).map(|channel| channel.id) else { return };
        let Some(party) = parties.party(id) else { return };
        let Some(seen) = Seen::of(&party, report) else { return };
        let (peer, channel) = (party.leg.peer.clone(), party.channel.name.clone());
        let faults = seen.faults(&peer);
        if faults.is_empty() {
            if seen.is_heard {
                self.0.remove(&peer.name);
            }
            return;
        }
        let text = join_texts(&faults);
        let caller = party.channel.called_by.unwrap_or(id);
        if let Some(caller) = parties.channel_mut(caller) {
            caller.cdr.add_sound(&text);
        }
        self.remember(&peer, SoundFault { at: core.now.wall, text: text.clone() });
        core.emit(CallEvent::SoundFault { channel, line: peer.name.clone(), reason: text });
    }

    fn remember(&mut self, peer: &Peer, fault: SoundFault) {
        if peer.kind == Kind::Guest {
            return;
        }
        if self.0.len() >= MAX_LINES && !self.0.contains_key(&peer.name) {
            let oldest = self.0.iter().min_by_key(|(_, fault)| fault.at.0).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.0.remove(&name));
        }
        self.0.insert(peer.name.clone(), fault);
    }
}

/// The time has come: asks the media thread, where sound is to be expected there.
pub(super) fn look(channel: &Channel, core: &mut Core) {
    let is_up = channel.state == ChannelState::Up && !channel.was_direct && channel.port(MediaKind::Image).is_none();
    if let Some(stream) = channel.stream().filter(|_| is_up) {
        core.out.media.push(MediaCommand::Count { stream });
    }
}

/// What a line has described, and what was seen.
struct Seen<'a> {
    report: &'a StreamReport,
    /// Where it wants its sound.
    wants: Option<SocketAddr>,
    /// Where its SIP comes from.
    signalling: IpAddr,
    /// It is sent its sound to where its own comes from.
    is_followed: bool,
    /// By both descriptions, it sends.
    sends: bool,
    /// Something came from it.
    is_heard: bool,
}

impl Seen<'_> {
    fn of<'a>(party: &Party<'_>, report: &'a StreamReport) -> Option<Seen<'a>> {
        let (remote, local) = (party.leg.agreement.remote.as_ref()?, party.leg.agreement.local.as_ref()?);
        let (theirs, ours) = (remote.audio()?, local.audio()?);
        Some(Seen {
            report,
            wants: remote.rtp_addr(),
            signalling: party.leg.ua.flow.remote.ip().to_canonical(),
            is_followed: party.is_followed(),
            sends: theirs.direction.sends() && ours.direction.receives(),
            is_heard: report.counts.received > 0,
        })
    }

    /// What is wrong: at most one thing each way.
    fn faults(&self, peer: &Peer) -> Vec<Failure> {
        self.to_it(peer).into_iter().chain(self.of_its_own(peer)).collect()
    }

    /// Of what it is sent.
    fn to_it(&self, peer: &Peer) -> Option<Failure> {
        let wants = self.wants?;
        let host = wants.ip().to_canonical();
        let elsewhere = self.report.source.filter(|source| source.ip().to_canonical() != host);
        // Heard from there, it can be reached there: over a private network beside the public one.
        let is_from_there = self.report.source.is_some_and(|source| source.ip().to_canonical() == host);
        let is_behind_nat = is_private(host) && !is_private(self.signalling) && !is_from_there;
        if !self.is_followed && is_behind_nat && host != self.signalling {
            let values = [&peer.name, &wants.to_string(), &self.signalling.to_string(), &peer.section()];
            return Some(FailureReason::SoundToPrivate.with(&values.map(String::as_str)));
        }
        if let Some(source) = elsewhere.filter(|_| !self.is_followed) {
            let values = [&peer.name, &wants.to_string(), &source.to_string(), &peer.section()];
            return Some(FailureReason::SoundElsewhere.with(&values.map(String::as_str)));
        }
        let (refused, why) = self.report.refused.as_ref()?;
        let values = [&refused.to_string(), &peer.name, &wants.to_string(), why];
        (self.report.counts.sent == 0).then(|| FailureReason::SoundUnsent.with(&values.map(String::as_str)))
    }

    /// Of what comes from it.
    fn of_its_own(&self, peer: &Peer) -> Option<Failure> {
        let wants = self.wants.filter(|_| self.sends && !self.is_heard)?;
        match self.report.stranger {
            Some(stranger) => {
                let strangers = self.report.counts.strangers.to_string();
                let values = [&peer.name, &wants.to_string(), &strangers, &stranger.to_string(), &peer.section()];
                Some(FailureReason::SoundRefused.with(&values.map(String::as_str)))
            }
            None => Some(FailureReason::SoundMissing.with(&[&peer.name, &span(LOOK_AT_SOUND), &wants.to_string()])),
        }
    }
}
