//! What of the dialplan is there for a channel: for its caller, and now.

use super::state::State;
use super::tree::Existence;
use super::view::View;

/// Is there such an extension, for this caller and now?
pub(super) fn has(state: &State, context: &str, exten: &str) -> bool {
    let Some(View { plan, now, .. }) = &state.view else { return false };
    let caller = Some(state.caller.number.as_str());
    plan.exists(context, exten, caller, *now) == Existence::Yes
}

/// Could more digits lead to an extension?
pub(super) fn may_go_on(state: &State, context: &str, exten: &str) -> bool {
    let Some(View { plan, now, .. }) = &state.view else { return false };
    plan.may_go_on(context, exten, Some(state.caller.number.as_str()), *now)
}

/// Is there this priority of the extension the program is in?
pub(super) fn has_priority(state: &State, priority: u32) -> bool {
    let Some(View { plan, now, .. }) = &state.view else { return false };
    let (at, caller) = (&state.position, Some(state.caller.number.as_str()));
    plan.find(&at.context, &at.exten, priority, caller, *now).is_some()
}

/// Is there a peer of that name?
pub(super) fn is_peer(state: &State, name: &str) -> bool {
    state.view.as_ref().is_some_and(|view| view.peers.contains_key(name))
}
