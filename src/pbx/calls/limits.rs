//! What calls to a line may cost (`call-limit=`, `max_outgoing=`, `max_minutes=`, `allow_numbers=`, `forbid_numbers=`), and
//! that none of it holds an emergency call back.

use super::minutes::Today;
use super::parties::Parties;
use crate::config::peer::Peer;
use crate::event::{Level, LogLine};
use crate::pbx::core::Core;
use crate::pbx::failure::{Failure, FailureReason};
use crate::wording::{outside, plural};

/// Why no call may be placed to a line now, `number` being the one to call there and `named` how many more calls the same
/// `Dial` places there; none: it may. What would hold an emergency call back is told.
pub(super) fn refusal(
    parties: &Parties,
    core: &mut Core,
    peer: &Peer,
    number: Option<&str>,
    named: usize,
) -> Option<Failure> {
    let failure = reached(parties, core, peer, number, named)?;
    let Some(number) = number.filter(|number| core.config.general.emergency.has(number)) else { return Some(failure) };
    let text = format!("Emergency call to {} by '{}' all the same: {}", outside(number), peer.name, failure.text);
    core.emit(LogLine { level: Level::Notice, text });
    None
}

fn reached(parties: &Parties, core: &Core, peer: &Peer, number: Option<&str>, named: usize) -> Option<Failure> {
    let limits = &peer.limits;
    if let Some(number) = number.filter(|number| !limits.permits(number)) {
        return Some(FailureReason::NumberForbidden.with(&[&outside(number), &peer.name]));
    }
    if let Some(limit) = limit_reached(parties, peer, named) {
        let limit = limit.to_string();
        // Behind a trunk are others than itself: it is not they who are busy.
        return Some(match number.filter(|_| peer.host.is_fixed()) {
            Some(_) => FailureReason::TrunkFull.with(&[&limit, &peer.name, "call-limit"]),
            None => FailureReason::CalleeLimit.with(&[&peer.name, &limit]),
        });
    }
    let placed = || parties.channels().filter(|channel| channel.placed && channel.line() == peer.name);
    if let Some(limit) = limits.max_outgoing
        && placed().count().saturating_add(named) >= usize::try_from(limit).unwrap_or(usize::MAX)
    {
        return Some(FailureReason::TrunkFull.with(&[&limit.to_string(), &peer.name, "max_outgoing"]));
    }
    let limit = limits.max_minutes?;
    let today = Today::at(core);
    let running = placed().filter_map(|channel| channel.answered).map(|since| today.seconds_of(since, core.now.mono));
    let spent = running.fold(core.spent.on(&peer.name, &today.day), u64::saturating_add);
    let minutes = u64::from(limit).saturating_mul(60);
    (spent >= minutes).then(|| FailureReason::MinutesSpent.with(&[&peer.name, &plural(limit, "minute")]))
}

/// The `call-limit=` of a line that has so many calls already, both directions and `more` counted.
pub(super) fn limit_reached(parties: &Parties, peer: &Peer, more: usize) -> Option<u32> {
    let limit = peer.call_limit.filter(|limit| *limit > 0)?;
    let calls = parties.count_of(&peer.name).saturating_add(more);
    (calls >= usize::try_from(limit).unwrap_or(usize::MAX)).then_some(limit)
}
