//! Writes the records of calls, and the line of the log in which a call that failed ends.

use super::channel::Channel;
use crate::config::peer::{Kind, Peer};
use crate::event::{CallEvent, LogLine};
use crate::pbx::cdr::{CdrBuilder, Facts, HangupBy};
use crate::pbx::core::Core;
use crate::pbx::effect::StoreOrder;
use crate::pbx::failure::{Failure, FailureReason};
use std::net::SocketAddr;

/// A call that was refused before it had a channel.
pub(super) struct RefusedCall<'a> {
    /// Whose call.
    pub(super) peer: &'a Peer,
    /// Where it came from.
    pub(super) source: SocketAddr,
    /// The number dialled.
    pub(super) exten: &'a str,
    /// The caller's name and number.
    pub(super) caller: (String, String),
}

/// A channel is forgotten: a caller's leaves its record.
pub(super) fn write(channel: &Channel, core: &mut Core) {
    let Some((entered, peer)) = channel.entered.as_ref().zip(channel.peer()) else { return };
    let caller = match &channel.program {
        Some(program) => {
            let caller = program.caller();
            (caller.name, caller.number)
        }
        None => (channel.caller_name.clone(), channel.caller_number.clone()),
    };
    let facts = || Facts {
        account: channel.cdr.account.as_deref().unwrap_or(&peer.account_code),
        caller: caller.clone(),
        entered: (entered.context.clone(), entered.exten.clone()),
        channel: (&channel.name, &channel.unique_id),
        began: (channel.created, channel.created_wall),
        answered: channel.answered,
    };
    if let Some((level, reason)) = channel.cdr.story() {
        let (line, exten, answered) = (peer.name.clone(), entered.exten.as_str().into(), channel.answered.is_some());
        core.emit(CallEvent::Ended { line, exten, answered, level, reason });
    }
    for record in records(&channel.cdr) {
        core.out.store.push(StoreOrder::Call(Box::new(record.record(core.now.mono, facts()))));
    }
}

/// Every record of a call (`ForkCDR`), the first one first.
fn records(cdr: &CdrBuilder) -> impl Iterator<Item = CdrBuilder> {
    let mut last = cdr.clone();
    let earlier = std::mem::take(&mut last.notes.earlier).into_iter().map(|earlier| {
        let mut builder = cdr.clone();
        builder.notes = earlier.notes;
        earlier.ended.map_or(builder.clone(), |at| builder.ended_at(at))
    });
    earlier.chain([last]).filter(|record| !record.notes.disabled)
}

/// A refused call: its line, in the words that log watchers know, and its record. A telephone that asks with each digit
/// whether the number is complete leaves no records of that, and neither does somebody without an account
/// (`allowguest=yes`): strangers fill no disk by asking. `names` gives its record a channel's name and unique id.
pub(super) fn rejected(
    call: RefusedCall<'_>,
    failure: Failure,
    names: impl FnOnce(&Core) -> (String, String),
    core: &mut Core,
) {
    let RefusedCall { peer, source, exten, caller } = call;
    if peer.kind == Kind::Guest {
        let (is_told, more) = core.guest_notices.refused(source.ip(), core.now.mono);
        more.into_iter().for_each(|text| core.emit(LogLine::notice(text)));
        if !is_told {
            return;
        }
    }
    core.emit(CallEvent::Rejected {
        line: peer.name.clone(),
        source,
        exten: exten.into(),
        level: failure.level(),
        reason: failure.text.clone(),
    });
    if failure.reason == FailureReason::Incomplete || peer.kind == Kind::Guest {
        return;
    }
    let (name, unique_id) = names(core);
    let now = core.now;
    let facts = Facts {
        account: &peer.account_code,
        caller,
        entered: (peer.settings.context.clone(), exten.to_owned()),
        channel: (&name, &unique_id),
        began: (now.mono, now.wall),
        answered: None,
    };
    let mut cdr = CdrBuilder::default();
    cdr.end(now.mono, HangupBy::Exchange, failure.cause);
    cdr.add_failures([failure]);
    core.out.store.push(StoreOrder::Call(Box::new(cdr.record(now.mono, facts))));
}
