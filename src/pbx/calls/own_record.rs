//! The record of a call between two lines that were both called: nobody dialled it, so it has no caller's record. It begins
//! with the transfer that connected them, and is that of the first of the two.

use super::caller_identity::own_identity;
use super::channel::Channel;
use super::parties::Parties;
use crate::dialplan::{ChannelId, Position};
use crate::pbx::cdr::CdrBuilder;
use crate::pbx::core::Core;

/// Two are connected; when neither is a caller, a record begins.
pub(super) fn begin(parties: &mut Parties, first: ChannelId, second: ChannelId, core: &Core) {
    let both = [first, second].map(|id| parties.channel(id).filter(|channel| channel.program.is_none()));
    let [Some(caller), Some(callee)] = both else { return };
    if caller.entered.is_some() || caller.local().is_some() {
        return;
    }
    let (shown, number) = (own_identity(caller), own_identity(callee).number);
    let context = caller.peer().map(|peer| peer.settings.context.clone()).unwrap_or_default();
    let mut cdr = CdrBuilder::default();
    (cdr.called_channel, cdr.connected) = (callee.name.clone(), true);
    cdr.application = ("Transfer".to_owned(), number.clone());
    (cdr.notes.begun_again, cdr.notes.answered_again) = (Some(core.now), Some(core.now));
    if let Some(channel) = parties.channel_mut(first) {
        channel.entered = Some(Position::new(&context, &number, 1));
        (channel.caller_name, channel.caller_number) = (shown.name, shown.number);
        channel.cdr = cdr;
    }
}

/// Is it the second of two such?
pub(super) fn of_other(channel: &Channel, other: &Channel) -> bool {
    channel.program.is_none() && channel.entered.is_none() && other.program.is_none() && other.entered.is_some()
}

/// The unique id of the channel whose record the call of this channel has; empty when it is gone.
pub(super) fn call_of(parties: &Parties, id: ChannelId) -> String {
    parties.channel(id).map(|channel| channel.call.clone()).unwrap_or_default()
}
