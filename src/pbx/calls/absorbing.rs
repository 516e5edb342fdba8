//! A party's new offer that the exchange answers alone: it is no matter of the other party's.

use super::hold_music;
use super::media_path::{MediaPath, Role};
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::pbx::core::Core;
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
