//! Two parties: what they may exchange, and how the media thread joins them.

use super::channel::HoldMusic;
use super::description::secondary_between;
use super::digit_fault;
use super::digit_form;
use super::leg;
use super::media_path::MediaPath;
use super::party::Party;
use crate::config::peer::DirectMedia;
use crate::pbx::core::Core;
use crate::pbx::media::{MediaCommand, PayloadMap};
use crate::sdp::codec::Codec;
use crate::sdp::concern::{Concern, Other, but_for_hold, concern};
use crate::sdp::{MediaKind, Sdp, payload};

/// Two parties; their order matters.
pub struct Pair<'a> {
    /// The first: a caller.
    pub a: Party<'a>,
    /// The second: the line it is, or may be, bridged with.
    pub b: Party<'a>,
}

impl Pair<'_> {
    /// Connects the streams of both through the relay: where each peer is, and the payload numbers of each.
    pub fn bridge_media(&mut self, core: &mut Core) {
        self.a.set_media_remote(core);
        self.b.set_media_remote(core);
        let (a, b) = (self.a.seen(), self.b.seen());
        let digits = (digit_form::while_bridged(a, b), digit_form::while_bridged(b, a));
        self.a.listen(digits.0, core);
        self.b.listen(digits.1, core);
        digit_fault::connected(&mut self.a, self.b.seen(), core);
        digit_fault::connected(&mut self.b, self.a.seen(), core);
        // One of them is held and hears music: it does until the other comes back.
        if [&self.a, &self.b].iter().any(|party| party.channel.hold_music == HoldMusic::Playing) {
            return;
        }
        let command = MediaCommand::Bridge {
            a: self.a.stream,
            b: self.b.stream,
            a_to_b: payloads(&self.a, &self.b),
            b_to_a: payloads(&self.b, &self.a),
        };
        core.out.media.push(command);
        (self.a.channel.relayed_with, self.b.channel.relayed_with) = (Some(self.b.stream), Some(self.a.stream));
        self.bridge_secondary(core);
    }

    /// Connects what both carry beside voice.
    fn bridge_secondary(&mut self, core: &mut Core) {
        for (kind, _) in secondary_between(self.a.channel, self.b.channel) {
            if let (Some(a), Some(b)) = (self.a.secondary_remote(kind, core), self.b.secondary_remote(kind, core)) {
                let map = PayloadMap::identity;
                let bridge = MediaCommand::Bridge { a: a.0, b: b.0, a_to_b: map(), b_to_a: map() };
                let remotes = [a, b].map(|(stream, remote)| MediaCommand::Remote { stream, remote });
                core.out.media.extend(remotes.into_iter().chain([bridge]));
            }
        }
    }

    /// How much the second must know of a new offer of the first, when their media is relayed. `covered`: it hears music
    /// when it is held, and need not know of that.
    pub fn concern(&self, offer: &Sdp, covered: bool) -> Concern {
        let before = &self.a.leg.agreement.remote;
        match (before, other_of(&self.b)) {
            (Some(before), Some(other)) if self.may_reach(offer) && covered => but_for_hold(before, offer, &other),
            (Some(before), Some(other)) if self.may_reach(offer) => concern(before, offer, &other),
            _ => Concern::Must,
        }
    }

    /// Can the port of the first reach where its offer says?
    pub fn may_reach(&self, offer: &Sdp) -> bool {
        let (ours, theirs) = (self.a.channel.rtp, offer.rtp_addr());
        ours.zip(theirs).is_none_or(|(ours, theirs)| ours.is_ipv4() == theirs.is_ipv4())
    }

    /// The answer of the exchange alone to a new offer of the first.
    pub fn answer_absorbed(&mut self, offer: &Sdp, is_covered: bool, core: &Core) -> Option<Sdp> {
        let codecs = other_of(&self.b)?.codecs();
        let secondary = secondary_between(self.a.channel, self.b.channel);
        self.a.describe(core).absorbed_answer(offer, &codecs, (secondary, is_covered))
    }

    /// Has both lines kept alive as `rtpkeepalive=` asks, while their media is on the relay, unless a modem takes part.
    pub fn keep_alive(&self, is_relayed: bool, core: &mut Core) {
        let both = [&self.a, &self.b];
        let has_modem = both.iter().any(|party| party.channel.has_modem());
        both.iter().for_each(|party| party.keep_alive(is_relayed && !has_modem, core));
    }

    /// Says what is asked for and not done because a modem takes part.
    pub fn tell_spared(&self, core: &mut Core) {
        let both = [&self.a, &self.b];
        if let Some(modem) = both.iter().find(|party| party.channel.has_modem()) {
            both.iter().for_each(|party| party.tell_spared(modem.channel.line(), core));
        }
    }

    /// The way of their media once the second has answered the first. `offered_version`: which version of the first's
    /// media the second was offered. One that began to hold, or left the codec, while a program ran on it tells the first
    /// of it from now on; and the first learns when a medium of its early media is not there any more, since somebody else
    /// has answered, and when whom it talked to before had it hold. The second learns that the first holds when it was not
    /// told with its INVITE, and when the first has lost a medium.
    pub fn media_path(&self, offered_version: u32) -> MediaPath {
        let is_untold = self.holds_untold() || self.b.has_lost(&self.a);
        let version = self.a.leg.agreement.remote_version();
        let offered_version = if is_untold { version.wrapping_sub(1) } else { offered_version };
        let mut path = MediaPath::new(self.may_go_direct(), offered_version);
        let codec = |party: &Party<'_>| party.leg.agreement.agreed().map(|agreed| agreed.codec);
        let is_apart = codec(&self.a).zip(codec(&self.b)).is_some_and(|(a, b)| a != b);
        if self.a.has_lost(&self.b)
            || is_apart
            || leg::is_kept_on_hold(self.a.leg)
            || self.b.channel.on_hold && self.b.leg.agreement.remote_version() > 0
        {
            path.informs_caller();
        }
        path
    }

    /// Did the first begin to hold before the second took part, or before it could be told?
    fn holds_untold(&self) -> bool {
        let holds = |sdp: &Option<Sdp>| sdp.as_ref().is_some_and(Sdp::is_hold);
        let (a, b) = (&self.a.leg.agreement, &self.b.leg.agreement);
        a.remote_version() > 0 && holds(&a.remote) && !holds(&b.local)
    }

    /// Do both lines want direct media, and does each have an address to send to?
    pub fn may_go_direct(&self) -> bool {
        let one_family = self.a.leg.ua.flow.remote.is_ipv4() == self.b.leg.ua.flow.remote.is_ipv4();
        // Media that does not come by here cannot be recorded.
        let is_recorded = !self.a.channel.taps.is_empty() || !self.b.channel.taps.is_empty();
        one_family
            && !is_recorded
            && wants_direct(&self.a)
            && wants_direct(&self.b)
            && may_send_to(&self.a, &self.b)
            && may_send_to(&self.b, &self.a)
            && !self.needs_relay()
    }

    /// Must their digits be heard, or sent in another form, or sent by us?
    fn needs_relay(&self) -> bool {
        let both = [&self.a, &self.b];
        both.iter().any(|party| party.channel.watch.is_some() || party.channel.keeps_relay)
            || digit_form::converted(self.a.seen(), self.b.seen()).is_some()
            || digit_form::converted(self.b.seen(), self.a.seen()).is_some()
    }

    /// The media beside voice that a description has and that both lines may carry.
    pub fn shared_media(&self, described: &Sdp) -> Vec<MediaKind> {
        let may = |party: &Party<'_>, kind| party.leg.peer.settings.may_carry(kind);
        let both = |kind: &MediaKind| may(&self.a, *kind) && may(&self.b, *kind);
        MediaKind::ALL.into_iter().filter(both).filter(|kind| described.has(*kind)).collect()
    }

    /// Do they carry more than voice, or are about to? Then their media stays on the relay.
    pub fn has_secondary_media(&self) -> bool {
        !self.a.channel.ports.is_empty() || !self.b.channel.ports.is_empty()
    }

    /// Why a description with these media is not forwarded: which line lacks which option.
    pub fn lacking(&self, described: &Sdp) -> Option<String> {
        described.secondary_media().find_map(|kind| {
            let modem = [&self.a, &self.b].into_iter().find(|party| party.channel.has_modem());
            if let Some(modem) = modem.filter(|_| kind == MediaKind::Image) {
                return Some(format!(
                    "'{}' is line=modem: its call stays sound, and no {}",
                    modem.channel.line(),
                    kind.name()
                ));
            }
            let lacks = |party: &&Party<'_>| !party.leg.peer.settings.may_carry(kind);
            let lines = [&self.a, &self.b].into_iter().filter(lacks).map(|party| format!("'{}'", party.leg.peer.name));
            let lines: Vec<String> = lines.collect();
            let (name, option) = (kind.name(), kind.option());
            (!lines.is_empty())
                .then(|| format!("{name} needs '{option}=yes' in sip.conf, not set for {}", lines.join(" and ")))
        })
    }
}

/// The codec in which two answered parties can talk: the first one's, else the second's; none when neither may have the
/// other's. A codec that a party left out of its own latest offer is not the choice while there is another.
pub(super) fn joint_codec(a: &Party<'_>, b: &Party<'_>) -> Option<Codec> {
    let agreed = |party: &Party<'_>| party.leg.agreement.agreed().map(|agreed| agreed.codec);
    let may = |party: &Party<'_>, codec: &Codec| party.leg.peer.settings.codecs.contains(*codec);
    let has = |sdp: &Sdp, codec: Codec| {
        sdp.audio().is_some_and(|audio| audio.formats.iter().any(|format| format.codec == Some(codec)))
    };
    let offers = |party: &Party<'_>, codec: &Codec| {
        let agreement = &party.leg.agreement;
        agreement.we_offered() || agreement.remote.as_ref().is_none_or(|remote| has(remote, *codec))
    };
    let first = agreed(a).filter(|codec| may(b, codec));
    let second = agreed(b).filter(|codec| may(a, codec));
    let wanted = first.filter(|codec| offers(b, codec)).or(second.filter(|codec| offers(a, codec)));
    wanted.or(first).or(second)
}

fn other_of<'a>(party: &'a Party<'_>) -> Option<Other<'a>> {
    let agreement = &party.leg.agreement;
    let (local, remote) = (agreement.local.as_ref()?, agreement.remote.as_ref()?);
    Some(Other { local, remote, we_offered: agreement.we_offered(), codec: agreement.agreed()?.codec })
}

fn payloads(from: &Party<'_>, to: &Party<'_>) -> PayloadMap {
    match (&from.leg.agreement.local, &to.leg.agreement.remote) {
        (Some(local), Some(remote)) => PayloadMap(payload::payload_map(local, remote)),
        _ => PayloadMap::identity(),
    }
}

fn wants_direct(party: &Party<'_>) -> bool {
    let wanted = match party.leg.peer.settings.direct_media {
        DirectMedia::Relay => false,
        DirectMedia::Direct { nonat } => !(nonat && party.leg.is_behind_nat()),
    };
    // A caller whose INVITE had no offer gives its address only with its ACK.
    let known = party.leg.agreement.remote.as_ref().is_none_or(|remote| remote.rtp_addr().is_some());
    wanted && known
}

/// Do `directmediapermit`, `directmediadeny` and `directmediaacl` let a line exchange media with where the other is?
pub(super) fn may_send_to(party: &Party<'_>, other: &Party<'_>) -> bool {
    other.leg.agreement.remote.as_ref().is_none_or(|remote| may_exchange_media(party, remote))
}

/// The same for where a description says.
pub(super) fn may_exchange_media(party: &Party<'_>, described: &Sdp) -> bool {
    // On hold it is nowhere, and nothing is sent there.
    described.rtp_addr().is_none_or(|at| party.leg.peer.direct_media_acl.allows(at.ip()))
}
