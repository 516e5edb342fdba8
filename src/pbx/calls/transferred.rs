//! Transfers under way: whose call goes on elsewhere because whom it talked to asked for that by REFER, and who is told how
//! that goes. Until it is known the telephone that asked keeps its leg, so that the call can come back to it.

use super::channel::Channel;
use super::deferred::Deferred;
use super::interlude::{Interlude, Purpose};
use super::local;
use super::parties::Parties;
use super::transfers::Transfer;
use crate::dialplan::ChannelId;
use crate::event::{Level, LogLine};
use crate::pbx::core::{CallTimer, Core, LegId, Timer};
use std::time::Duration;

/// A telephone whose transfer went well hangs up by itself; after so long it is hung up.
const HANGS_UP: Duration = Duration::from_secs(5);
/// So long a telephone waits for where it transferred a call: as long as the subscription of its REFER lasts, which is longer than
/// anything rings (chan_sip lets it go at once).
const WAITS: Duration = Duration::from_secs(180);

/// A channel goes on elsewhere as another one's telephone wished.
pub(super) fn begin(parties: &mut Parties, id: ChannelId, by: ChannelId, leg: LegId, core: &mut Core) {
    let limit = core.set_timer(WAITS, Timer::Call(CallTimer::TransferLimit(id)));
    if let Some(before) = parties.transfers.insert(id, Transfer { by, leg, rings: false, limit }) {
        core.timers.cancel(before.limit);
    }
}

/// Where a channel went nobody answers, and nothing is played: the telephone that asked need not know more, and is let go. The
/// call goes on as the dialplan has it, and comes back no more.
pub(super) fn timed_out(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let Some(Transfer { by, leg, .. }) = parties.transfers.remove(&id) else { return };
    if parties.channel(by).is_some_and(is_left) {
        let (name, other) = (parties.name_of(by), parties.name_of(id));
        let seconds = WAITS.as_secs();
        let text = format!(
            "{name} waits no longer for where it transferred {other}: nobody has answered there for {seconds} s"
        );
        core.emit(LogLine { level: Level::Notice, text });
        done(parties, by, leg, core);
    }
}

/// A telephone is told how the call goes that it asked for.
pub(super) fn tell(parties: &mut Parties, leg: LegId, status: u16, core: &mut Core) {
    parties.with_leg(leg, core, |leg, cx| leg.refers.notify(status, &mut leg.ua, cx));
}

/// Whose telephone asked that this channel goes on elsewhere, while that telephone is still there.
fn transfer_of(parties: &Parties, id: ChannelId) -> Option<(ChannelId, Transfer)> {
    let telephone = local::caller(parties, id);
    let transfer = *parties.transfers.get(&telephone)?;
    parties.channel(transfer.by).filter(|by| !by.dead && by.bridge.is_none()).map(|_| (telephone, transfer))
}

/// A line rings for a channel.
pub(super) fn rings(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let Some((telephone, transfer)) = transfer_of(parties, id).filter(|(_, transfer)| !transfer.rings) else { return };
    parties.transfers.insert(telephone, Transfer { rings: true, ..transfer });
    tell(parties, transfer.leg, 180, core);
}

/// A channel has arrived: somebody answered, or an application has taken it.
pub(super) fn arrived(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let is_recalling = |interlude: &Interlude| interlude.purpose == Purpose::Recall;
    if parties.channel(id).is_some_and(|channel| channel.interlude.as_deref().is_some_and(is_recalling)) {
        parties.deferred.push_back(Deferred::Recalled(id));
    }
    let Some((telephone, transfer)) = transfer_of(parties, id) else { return };
    take(parties, telephone, core);
    done(parties, transfer.by, transfer.leg, core);
}

/// What a telephone asked for is done. It hangs up by itself.
pub(super) fn done(parties: &mut Parties, by: ChannelId, leg: LegId, core: &mut Core) {
    tell(parties, leg, 200, core);
    core.set_timer(HANGS_UP, Timer::Call(CallTimer::Transferred(by)));
}

/// A channel did not arrive anywhere; says whether its call comes back to whose telephone asked.
pub(super) fn failed(parties: &mut Parties, id: ChannelId, status: u16) -> bool {
    let Some((telephone, _)) = transfer_of(parties, id).filter(|(telephone, _)| *telephone == id) else { return false };
    parties.deferred.push_back(Deferred::TransferFailed(telephone, status));
    true
}

/// The transfer of a channel is over; whose telephone asked for it, and on which leg.
pub(super) fn take(parties: &mut Parties, id: ChannelId, core: &mut Core) -> Option<(ChannelId, LegId)> {
    let transfer = parties.transfers.remove(&id)?;
    core.timers.cancel(transfer.limit);
    Some((transfer.by, transfer.leg))
}

/// Does this channel wait for nothing but its telephone's hanging up, after its transfer?
pub(super) fn is_left(channel: &Channel) -> bool {
    channel.bridge.is_none() && !channel.dead
}
