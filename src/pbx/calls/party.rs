//! A party: a channel together with its leg, and what can be done with one alone.

use super::channel::{Channel, ChannelState, Share};
use super::description::Describe;
use super::digit_form;
use super::leg::{Cx, Leg};
use crate::audio::g711::Law;
use crate::audio::sound::Sound;
use crate::audio::tone;
use crate::config::peer::{ProgressInBand, Settings};
use crate::dialplan::state::TONE_ZONE;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::pbx::media::{G711, MediaCommand, Remote, StreamId, WhileBridged};
use crate::pbx::mixing::{FeedPlan, Seat};
use crate::sdp::codec::Codec;
use crate::sdp::{MediaKind, Sdp};
use std::net::SocketAddr;

/// A channel and its leg.
pub struct Party<'a> {
    /// The channel.
    pub channel: &'a mut Channel,
    /// Its leg.
    pub leg: &'a mut Leg,
    /// Its ports for voice.
    pub stream: StreamId,
}

/// What a caller in a Dial hears already.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hears {
    /// A line described its early media.
    pub line_described: bool,
    /// There is sound of it.
    pub line: bool,
    /// The tone of ringing.
    pub tone: bool,
}

impl Party<'_> {
    /// The maker of its descriptions.
    pub(super) fn describe<'b>(&'b mut self, core: &'b Core) -> Describe<'b> {
        Describe { channel: self.channel, leg: self.leg, general: &core.config.general }
    }

    /// Both, as the other party's descriptions need them.
    pub(super) fn seen(&self) -> (&Channel, &Leg) {
        (self.channel, self.leg)
    }

    /// Is it a caller whom nothing final was sent?
    pub fn is_unanswered_caller(&self) -> bool {
        self.leg.is_unanswered_caller()
    }

    /// Is it a caller of whom nothing proves yet that it hears us? Its ACK will; before it somebody else might be sent
    /// what we say, who never asked.
    pub(super) fn may_be_forged(&self) -> bool {
        self.channel.called_by.is_none() && !self.leg.is_confirmed() && self.leg.ua.flow.may_be_forged()
    }

    /// Where its peer wants its voice.
    pub fn remote_rtp(&self) -> Option<SocketAddr> {
        self.leg.agreement.remote.as_ref().and_then(Sdp::rtp_addr)
    }

    /// Where its peer sends its voice, by our latest description.
    pub fn local_rtp(&self) -> Option<SocketAddr> {
        self.leg.agreement.local.as_ref().and_then(Sdp::rtp_addr)
    }

    // ---- its media ----

    /// Tells the media thread where its peer is, by its latest description.
    pub fn set_media_remote(&mut self, core: &mut Core) {
        let on_hold = self.leg.agreement.is_on_hold();
        if on_hold != self.channel.on_hold {
            (self.channel.on_hold, self.channel.hold_changed) = (on_hold, core.now.mono);
        }
        let Some(description) = &self.leg.agreement.remote else { return };
        let is_proved = !self.may_be_forged();
        let (rtp, rtcp) = (description.rtp_addr(), description.rtcp_addr());
        let (rtp, rtcp) = (rtp.filter(|_| is_proved), rtcp.filter(|_| is_proved));
        let remote = self.remote(rtp, rtcp, core);
        let unroutable = rtp.filter(|_| remote.rtp.is_none() && !self.channel.unroutable_logged);
        core.out.media.push(MediaCommand::Remote { stream: self.stream, remote });
        self.play_on_as_agreed(core);
        if let Some(share) = self.channel.share {
            // Without G.711 its peer hears nothing of it until there is some again.
            let _ = self.share(share, core);
        }
        self.listen(self.channel.listening.bridged, core);
        if let Some(address) = unroutable {
            self.channel.unroutable_logged = true;
            let (channel, line) = (self.channel.name.clone(), self.leg.peer.name.clone());
            core.emit(CallEvent::UnroutableMedia { channel, line, address });
        }
    }

    /// Tells the media thread where to look for its digits, when that is news.
    pub(super) fn listen(&mut self, bridged: WhileBridged, core: &mut Core) {
        digit_form::listen(self.channel, self.leg, self.stream, bridged, core);
    }

    /// The media thread learns that its peer's signalling comes from elsewhere, once there is any media.
    pub(super) fn tell_media_moved(&mut self, core: &mut Core) {
        if self.leg.agreement.local.is_none() {
            return;
        }
        self.set_media_remote(core);
        let kinds = self.channel.ports.iter().map(|port| port.kind);
        let beside: Vec<_> = kinds.filter_map(|kind| self.secondary_remote(kind, core)).collect();
        core.out.media.extend(beside.into_iter().map(|(stream, remote)| MediaCommand::Remote { stream, remote }));
    }

    /// Has its line kept alive as `rtpkeepalive=` asks, or not any more.
    pub fn keep_alive(&self, on: bool, core: &mut Core) {
        if self.leg.peer.settings.rtp_keepalive.is_some() {
            core.out.media.push(self.channel.watch(self.stream, on));
        }
    }

    /// Says what its line asks for and what is not done because `modem`, a line with a modem, takes part.
    pub fn tell_spared(&self, modem: &str, core: &mut Core) {
        let options: Vec<String> = self.leg.peer.settings.silence_options().collect();
        if !options.is_empty() {
            let (channel, options) = (self.channel.name.clone(), options.join(", "));
            core.emit(CallEvent::ModemSpared { channel, options, modem: modem.to_owned() });
        }
    }

    /// A caller who had proved nothing has acknowledged our answer: its sound goes to it from now on.
    pub fn set_media_remote_of_stranger(&mut self, core: &mut Core) {
        if self.leg.ua.flow.is_strangers() {
            self.set_media_remote(core);
        }
    }

    /// Its stream for a medium beside voice that its peer takes part in, and where that peer is.
    pub(super) fn secondary_remote(&self, kind: MediaKind, core: &Core) -> Option<(StreamId, Remote)> {
        let described = self.leg.agreement.remote.as_ref().filter(|described| described.has(kind))?;
        let remote = self.remote(described.secondary_addr(kind), described.secondary_rtcp_addr(kind), core);
        Some((self.channel.port(kind)?.stream, remote))
    }

    /// Is it sent its media to where its own come from (`nat=comedia`)?
    pub fn is_followed(&self) -> bool {
        self.leg.peer.settings.nat.comedia.holds(self.leg.is_behind_nat())
    }

    fn remote(&self, rtp: Option<SocketAddr>, rtcp: Option<SocketAddr>, core: &Core) -> Remote {
        let may = |at: &SocketAddr| self.may_be_sent_to(*at, core);
        Remote {
            rtp: rtp.filter(may),
            rtcp: rtcp.filter(may),
            signalling: Some(self.leg.ua.flow.remote.ip()),
            symmetric: self.is_followed(),
            strictness: core.config.strictness,
        }
    }

    /// May media go there because a peer's description says so? Not to the exchange itself, and to this machine's other
    /// programs (loopback) only for peers on this machine. The media thread knows the addresses its own ports are bound
    /// to; here they are known as a translator's address, where peers get that one.
    fn may_be_sent_to(&self, at: SocketAddr, core: &Core) -> bool {
        let flow = self.leg.ua.flow;
        let (ours, theirs) = (flow.local.ip(), flow.remote.ip());
        let listening = core.config.listening.udp;
        let is_here = [ours, listening.ip(), flow.advertised.ip()].contains(&at.ip());
        let is_sip = (at.port() == listening.port() && is_here) || core.routing.is_own_socket(at, flow);
        let is_foreign = at.ip().is_loopback() && !theirs.is_loopback() && theirs != ours;
        let advertised = core.config.general.media_address.unwrap_or(flow.advertised.ip());
        let even = SocketAddr::new(at.ip(), at.port() & !1);
        let is_media = advertised != ours && at.ip() == advertised && core.media_addresses.contains(&even);
        !is_sip && !is_foreign && !is_media
    }

    // ---- a caller before and at the answer ----

    /// Answers it and lets its voice in.
    pub fn answer(&mut self, description: Sdp, cx: &mut Cx<'_>) {
        self.channel.state = ChannelState::Up;
        self.channel.answered.get_or_insert(cx.core.now.mono);
        self.channel.look_at_sound_later(cx.core);
        self.leg.answer(description, cx);
        self.set_media_remote(cx.core);
    }

    /// Sends a caller a description before the answer (183), unless it has one.
    ///
    /// # Errors
    /// There is nothing both can speak, or no port.
    pub fn send_early_media(&mut self, cx: &mut Cx<'_>) -> Result<(), String> {
        if self.leg.agreement.local.is_some() || self.leg.agreement.remote.is_none() {
            return Ok(());
        }
        let description = self.describe(cx.core).own()?;
        self.leg.progress(183, description, cx);
        self.set_media_remote(cx.core);
        Ok(())
    }

    /// Sends a caller again what it has: there is sound by it now.
    pub fn progress_again(&mut self, cx: &mut Cx<'_>) {
        if let Some(description) = self.leg.agreement.local.clone() {
            self.leg.progress(183, description, cx);
        }
    }

    /// Shall a caller that is not answered hear ringing from us, rather than make it of a 180 (`progressinband=yes`)?
    pub fn rings_in_band(&self) -> bool {
        self.settings().progress_in_band == ProgressInBand::Yes
            && self.is_unanswered_caller()
            && !self.may_be_forged()
            && self.leg.agreement.remote.is_some()
    }

    /// Does a caller listen to us before the answer, since `Progress()` or a prompt, so that it may not ring by itself
    /// any more? `progressinband=never` has it ring all the same.
    fn listens(&self) -> bool {
        let never = self.settings().progress_in_band == ProgressInBand::Never;
        let may_hear = self.is_unanswered_caller() && !self.may_be_forged();
        may_hear && self.leg.agreement.local.is_some() && !never
    }

    fn settings(&self) -> &Settings {
        &self.leg.peer.settings
    }

    /// A caller in a Dial learns that it rings: once by a tone, or by each 180. What it hears of a line goes on.
    /// Says whether it hears the tone now.
    pub(super) fn dial_rings(&mut self, hears: Hears, cx: &mut Cx<'_>) -> bool {
        let listens = self.listens() && !hears.line_described;
        if !(self.rings_in_band() || listens || !self.is_unanswered_caller()) {
            self.leg.indicate(180, cx);
            return false;
        }
        if !hears.line && !hears.tone {
            self.indicate_ringing(cx);
        }
        !hears.line
    }

    /// Has it hear another tone than that of ringing, before the answer too; says whether it does.
    pub(super) fn plays_instead(&mut self, tone: &str, cx: &mut Cx<'_>) -> bool {
        if self.may_be_forged() {
            return false;
        }
        let list = self.tone_list(tone, cx.core);
        let played = self.send_early_media(cx).and_then(|()| self.start_tone(&list, cx.core));
        if let Err(reason) = &played {
            let channel = self.channel.name.clone();
            cx.core.emit(CallEvent::NotPlayed { channel, reason: reason.clone() });
        }
        played.is_ok()
    }

    /// By 180, or by a tone to a caller that is answered or wants to hear it; by both to one that listens already.
    pub fn indicate_ringing(&mut self, cx: &mut Cx<'_>) {
        let in_band = self.rings_in_band() && self.send_early_media(cx).is_ok();
        let listens = self.listens();
        if self.is_unanswered_caller() && !in_band {
            self.leg.indicate(180, cx);
        }
        if in_band || listens || !self.is_unanswered_caller() {
            self.play_tone(tone::Meaning::Ring, cx.core);
        }
    }

    // ---- playing ----

    /// Plays a tone until something else is done.
    pub fn play_tone(&mut self, meaning: tone::Meaning, core: &mut Core) {
        let list = self.tone_list(meaning.name(), core);
        if let Err(reason) = self.start_tone(&list, core) {
            core.emit(CallEvent::NotPlayed { channel: self.channel.name.clone(), reason });
        }
    }

    /// What a tone's name means in its line's zone; what is no name is a list of tones.
    pub(super) fn tone_list(&self, tone: &str, core: &Core) -> String {
        let assigned = self.channel.program.as_ref().and_then(|program| program.variable(TONE_ZONE));
        let zone = assigned.filter(|zone| !zone.is_empty()).unwrap_or_else(|| self.settings().tone_zone.clone());
        let indications = &core.config.indications;
        let named = indications.tone(if zone.is_empty() { &indications.country } else { &zone }, tone);
        named.unwrap_or_else(|| tone.to_owned())
    }

    /// Has a list of tones played until something else is done. Says which playing it is.
    ///
    /// # Errors
    /// It is no list of tones; or nothing was agreed on, or no G.711.
    pub(super) fn start_tone(&mut self, list: &str, core: &mut Core) -> Result<u64, String> {
        let (law, payload_type, ptime_ms) = self.played_as()?;
        let tone = core.tones.render(list, law)?;
        self.channel.plays = self.channel.plays.saturating_add(1);
        self.channel.played_in = Some((law, G711 { payload_type, law }, ptime_ms));
        let (stream, play, sound, again) = (self.stream, self.channel.plays, tone.sound, tone.again);
        core.out.media.push(MediaCommand::Tone { stream, play, sound, again, payload_type, ptime_ms });
        Ok(play)
    }

    /// Has sounds played in the codec that was agreed on, without the first `skip` samples. Says which playing it is.
    ///
    /// # Errors
    /// Nothing was agreed on, or no G.711.
    pub fn start_playing(
        &mut self,
        sounds: &[Sound],
        skip: usize,
        repeat: bool,
        core: &mut Core,
    ) -> Result<u64, String> {
        let (law, payload_type, ptime_ms) = self.played_as()?;
        let sounds = sounds.iter().map(|sound| sound.in_law(law).clone()).collect();
        self.channel.plays = self.channel.plays.saturating_add(1);
        self.channel.played_in = Some((law, G711 { payload_type, law }, ptime_ms));
        let (stream, play) = (self.stream, self.channel.plays);
        core.out.media.push(MediaCommand::Play { stream, play, sounds, skip, repeat, payload_type, ptime_ms });
        Ok(play)
    }

    /// Has its peer take part in what others hear, too, or follow what was agreed on anew.
    ///
    /// # Errors
    /// Nothing was agreed on, or no G.711.
    pub(super) fn share(&mut self, share: Share, core: &mut Core) -> Result<(), String> {
        let (law, payload_type, ptime_ms) = self.played_as()?;
        let (stream, codec) = (self.stream, G711 { payload_type, law });
        self.channel.share = Some(share);
        core.out.media.push(match share {
            Share::Mix(mix, gain) => {
                let seat = Box::new(Seat { laws: self.laws(), codec, ptime_ms, gain });
                MediaCommand::Mix { stream, mix, seat }
            }
            Share::Feed(source) => {
                MediaCommand::Feed { stream, source, plan: Box::new(FeedPlan { laws: self.laws(), codec }) }
            }
        });
        Ok(())
    }

    /// What G.711 its peer sends and is sent, by the payload types: those that were agreed on, and the static ones.
    pub(super) fn laws(&self) -> Vec<(u8, Law)> {
        let mut laws = vec![(0, Law::Mu), (8, Law::A)];
        let agreed = self.leg.agreement.agreed();
        let law = agreed.and_then(|agreed| match agreed.codec {
            Codec::Ulaw => Some(Law::Mu),
            Codec::Alaw => Some(Law::A),
            _ => None,
        });
        if let Some((agreed, law)) = agreed.zip(law) {
            laws.splice(0..0, [(agreed.to_answerer, law), (agreed.to_offerer, law)]);
        }
        laws
    }

    /// What is being played follows a codec that was agreed on anew. One that is not G.711 leaves it as it is: the peer
    /// hears nothing of it, and the program goes on when it is over.
    fn play_on_as_agreed(&mut self, core: &mut Core) {
        let (Some((from, before, before_ms)), Ok((law, payload_type, ptime_ms))) =
            (self.channel.played_in, self.played_as())
        else {
            return;
        };
        let to = G711 { payload_type, law };
        if (to, ptime_ms) != (before, before_ms) {
            self.channel.played_in = Some((from, to, ptime_ms));
            core.out.media.push(MediaCommand::Recode { stream: self.stream, from, to, ptime_ms });
        }
    }

    /// What its peer is played in: the law, its payload type, and milliseconds in a packet.
    pub(super) fn played_as(&self) -> Result<(Law, u8, u8), String> {
        let Some(agreed) = self.leg.agreement.agreed() else {
            return Err(format!("{}: nothing was agreed to play in", self.channel.name));
        };
        let payload_type = if self.leg.agreement.we_offered() { agreed.to_answerer } else { agreed.to_offerer };
        let law = match agreed.codec {
            Codec::Ulaw => Law::Mu,
            Codec::Alaw => Law::A,
            other => {
                return Err(format!("{}: sounds are played in ulaw or alaw, not {}", self.channel.name, other.name()));
            }
        };
        Ok((law, payload_type, agreed.ptime.unwrap_or(20)))
    }

    // ---- offers in mid-call, with nobody else to ask ----

    /// Answers an offer that changes nothing, or one that asks for ours (RFC 3261 14.2), with the latest local
    /// description.
    pub fn repeat_local_sdp(&mut self, cx: &mut Cx<'_>) {
        match self.describe(cx.core).repeat() {
            Some(ours) => {
                self.leg.accept_offer(ours, cx);
                // The same words may come from elsewhere: behind an address translator that changed its mind.
                self.set_media_remote(cx.core);
            }
            None => self.leg.refuse_offer(488, cx),
        }
    }

    /// Answers an offer of a party that talks to nobody; says whether it could.
    pub fn answer_offer_alone(&mut self, offer: &Sdp, cx: &mut Cx<'_>) -> bool {
        match self.describe(cx.core).answer_alone(offer) {
            Ok(answer) => {
                self.leg.accept_offer(answer, cx);
                self.set_media_remote(cx.core);
                true
            }
            Err(reason) => {
                let channel = self.channel.name.clone();
                cx.core.emit(CallEvent::OfferRefused { channel, forwarded: false, reason });
                self.leg.refuse_offer(488, cx);
                false
            }
        }
    }

    /// A party that goes on alone sends to the exchange's own port again, and nobody holds it any more: now, or as soon
    /// as nothing else is under way on its leg.
    pub fn reclaim_media(&mut self, cx: &mut Cx<'_>) {
        if let Some(offer) = self.describe(cx.core).reclaim() {
            self.leg.renegotiate(offer, cx);
        }
    }

    /// Does it carry a medium beside voice that the other does not carry, or not any more?
    pub(super) fn has_lost(&self, other: &Party<'_>) -> bool {
        let carries = |party: &Party<'_>, kind| {
            let (local, remote) = (&party.leg.agreement.local, &party.leg.agreement.remote);
            local.as_ref().is_some_and(|sdp| sdp.secondary_addr(kind).is_some())
                && remote.as_ref().is_some_and(|sdp| sdp.has(kind))
                && party.channel.port(kind).is_some_and(|port| port.bound().is_some())
        };
        self.channel.bound_ports().into_iter().any(|(kind, _)| carries(self, kind) && !carries(other, kind))
    }

    /// The media beside voice that it has ports for and does not carry: its peer, or we, left them out of the last
    /// description.
    pub(super) fn unused_media(&self) -> Vec<MediaKind> {
        let agreement = &self.leg.agreement;
        let both = [agreement.local.as_ref(), agreement.remote.as_ref()];
        let carries = |kind: MediaKind| both.iter().all(|sdp| sdp.is_some_and(|sdp| sdp.has(kind)));
        self.channel.ports.iter().map(|port| port.kind).filter(|kind| !carries(*kind)).collect()
    }

    /// The latest local description without the media whose ports are released: what the peer turned down in its answer
    /// stands there with a port, and a refresh must not offer that again.
    pub(super) fn clear_secondary_media(&mut self, core: &Core) {
        let without = self.describe(core).repeat();
        self.leg.agreement.local = without.or(self.leg.agreement.local.take());
    }
}
