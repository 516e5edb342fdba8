//! Does what was left to others: see [`Deferred`].

use super::bridge::Bridges;
use super::callee_program::CalleePrograms;
use super::deferred::Deferred;
use super::dialing::Dialing;
use super::digit_sending;
use super::environment::Shared;
use super::interludes::Interludes;
use super::originating::{self, Originating};
use super::paging::Paging;
use super::parties::Parties;
use super::spying;
use super::transfer::Transferring;
use crate::dialplan::originate::Goal;
use crate::pbx::core::Core;

/// Does what a `Dial`, or whoever hung up, left to others.
pub(super) fn carry_out(
    deferred: Deferred,
    parties: &mut Parties,
    bridges: &mut Bridges,
    shared: &mut Shared,
    core: &mut Core,
) {
    match deferred {
        Deferred::Unlock(channel) => shared.globals.unlock_all(&channel),
        Deferred::BeforeCall(caller, line) => {
            if !(CalleePrograms { parties, bridges, core }).before_call(caller, line) {
                Dialing { parties, bridges, core }.ports_ready(line);
            }
        }
        Deferred::AfterAnswer(caller, line) => {
            if digit_sending::is_waited_for(parties, line) {
                return Dialing { parties, bridges, core }.taken_by(caller, line);
            }
            if !(CalleePrograms { parties, bridges, core }).after_answer(caller, line) {
                let answer = parties.leg_of(line).and_then(|leg| leg.agreement.remote.clone());
                Dialing { parties, bridges, core }.accepted(caller, line, answer);
            }
        }
        Deferred::PageJoined(pager, line) => Paging { parties, bridges, core }.joined(pager, line),
        Deferred::PageLeft(pager) => Paging { parties, bridges, core }.lost(pager),
        Deferred::SpyOver(spy) => spying::over(parties, spy, core),
        Deferred::PageOver(pager) => Paging { parties, bridges, core }.over(pager),
        Deferred::TransferFailed(channel, status) => Transferring { parties, bridges, core }.failed(channel, status),
        Deferred::Originated(caller, line) => Originating { parties, bridges, core }.answered(caller, line),
        Deferred::NotOriginated(caller, status) => Originating { parties, bridges, core }.failed(caller, status),
        Deferred::Left(by, finished, line) => Interludes { parties, bridges, core }.hung_up(&by, finished, line),
        Deferred::Forsaken(channel) => Interludes { parties, bridges, core }.forsaken(channel),
        Deferred::Recalled(channel) => Interludes { parties, bridges, core }.arrived(channel),
        Deferred::Apart(line, place, caller) => {
            originating::set_free(parties, line, Goal::Extension(place), *caller, &[]);
        }
    }
}
