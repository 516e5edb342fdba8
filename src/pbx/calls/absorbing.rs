//! A party's new offer that the exchange answers alone: it is no matter of the other party's, or there is none yet.

use super::hold_music;
use super::local;
use super::media_path::{MediaPath, Role};
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::pbx::core::Core;
use crate::sdp::Sdp;
use crate::sdp::codec::Codec;
use crate::sdp::concern::Concern;

/// Answers the offer of the party with this role (the first of the two) without the other, whose media the exchange relays,
/// unless that is more concerned than `upto`; says whether it did.
pub(super) fn absorb(
    parties: &mut Parties,
    path: &mut MediaPath,
    role: Role,
    (from, to): (ChannelId, ChannelId),
    upto: Concern,
    core: &mut Core,
) -> bool {
    let offer = parties.leg_of(from).and_then(|leg| leg.pending_offer()).cloned();
    let Some(offer) = offer.filter(|_| path.may_absorb()) else { return false };
    let covered = hold_music::covers(parties, to, from);
    let Some(mut pair) = parties.pair(from, to).filter(|pair| pair.concern(&offer, covered) <= upto) else {
        return false;
    };
    let Some(answer) = pair.answer_absorbed(&offer, covered, core) else { return false };
    let version = pair.a.leg.agreement.remote_version();
    parties.with_party(from, core, |party, cx| party.leg.accept_offer(answer, cx));
    let now = parties.leg_of(from).map_or(version, |leg| leg.agreement.remote_version());
    if role == Role::Caller {
        path.conceals(version, now);
    }
    hold_music::follow(parties, to, from, core);
    true
}

/// Would a party's new offer leave it without a codec for the one it is about to be connected with? A line that answered may
/// still be played something, and the caller waits: each may offer anew meanwhile, and has to leave what the other can do.
pub(super) fn parts_codecs(parties: &mut Parties, channel: ChannelId) -> bool {
    let Some(other) = to_be_connected(parties, channel) else { return false };
    let Some(pair) = parties.pair(channel, other) else { return false };
    let (Some(offer), agreement) = (pair.a.leg.pending_offer(), &pair.b.leg.agreement) else { return false };
    // What answered an offer of ours says only what was chosen of that.
    let Some(told) = agreement.remote.as_ref().filter(|_| !agreement.we_offered()) else { return false };
    let codecs = |sdp: &Sdp| -> Vec<Codec> {
        let formats = sdp.audio().map(|audio| audio.formats).unwrap_or_default();
        formats.iter().filter_map(|format| format.codec).collect()
    };
    let may = |codec: &Codec| [&pair.a, &pair.b].iter().all(|party| party.leg.peer.settings.codecs.contains(*codec));
    let theirs = codecs(told);
    !theirs.is_empty() && !codecs(offer).iter().any(|codec| theirs.contains(codec) && may(codec))
}

/// Whom a channel is connected with as soon as what runs on the called line's channel is over.
fn to_be_connected(parties: &Parties, id: ChannelId) -> Option<ChannelId> {
    let is_answered = |id: ChannelId| {
        let work = parties.channel(id).and_then(|channel| channel.callee.work.as_ref());
        work.is_some_and(|work| work.is_answered)
    };
    if is_answered(id) {
        return parties.channel(id)?.called_by.map(|caller| local::caller(parties, caller));
    }
    parties.channel(id)?.dial()?.branches.iter().map(|(branch, _)| *branch).find(|branch| is_answered(*branch))
}
