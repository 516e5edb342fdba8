//! Who takes part in which page, and how one leaves it.

use super::deferred::Deferred;
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::dialplan::originate::Goal;

/// Are telephones called for the page of this channel?
pub(super) fn is_calling(parties: &Parties, pager: ChannelId) -> bool {
    calls(parties, pager).next().is_some()
}

/// The channels that call telephones for the page of this one.
pub(super) fn calls(parties: &Parties, pager: ChannelId) -> impl Iterator<Item = ChannelId> {
    let is_for = move |goal: &Goal| matches!(goal, Goal::Page(of) if *of == pager);
    let all = parties.channels().filter(move |channel| {
        !channel.dead && channel.origin.as_ref().is_some_and(|origin| is_for(&origin.request.goal))
    });
    all.map(|channel| channel.id)
}

/// Is a line called so that it takes part in a page?
pub(super) fn is_paging(parties: &Parties, caller: ChannelId) -> bool {
    let origin = parties.channel(caller).and_then(|channel| channel.origin.as_ref());
    origin.is_some_and(|origin| matches!(origin.request.goal, Goal::Page(_)))
}

/// A channel ends, or goes on elsewhere: the page that it began is over, and it leaves the one that it takes part in.
pub(super) fn leave(parties: &mut Parties, id: ChannelId) {
    if parties.pages.contains_key(&id) {
        parties.deferred.push_back(Deferred::PageOver(id));
    }
    let Some(channel) = parties.channel_mut(id) else { return };
    let Some(pager) = channel.page.take() else { return };
    channel.share = None;
    if let Some(page) = parties.pages.get_mut(&pager) {
        page.members.retain(|member| *member != id);
        parties.deferred.push_back(Deferred::PageLeft(pager));
    }
}
