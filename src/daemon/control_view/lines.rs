//! Which lines are in use, and what the hints make of it.

use super::calls::is_on_hold;
use crate::config::peer::{Kind, PeerAddress};
use crate::observe::snapshot::{DeviceState, HintRow, InUse, UserRow};
use crate::pbx::calls::channel::ChannelState;
use crate::pbx::switch::{PeerReport, PeerStatus, Switch};
use std::collections::BTreeMap;

/// Every peer with its channels counted.
pub(super) fn in_use(switch: &Switch) -> Vec<InUse> {
    let empty = switch.peers().map(|report| {
        let limit = report.peer.call_limit.unwrap_or(0);
        (report.peer.name.clone(), InUse { name: report.peer.name.clone(), limit, ..InUse::default() })
    });
    let mut counted: BTreeMap<String, InUse> = empty.collect();
    for report in switch.legs() {
        let Some(line) = counted.get_mut(&report.leg.peer.name) else { continue };
        let Some(channel) = report.channel else { continue };
        line.in_use = line.in_use.saturating_add(1);
        line.ringing = line.ringing.saturating_add(u32::from(is_ringing(channel.state)));
        line.on_hold = line.on_hold.saturating_add(u32::from(is_on_hold(report.leg)));
    }
    counted.into_values().collect()
}

/// A called line whose phone rings, or is about to.
fn is_ringing(state: ChannelState) -> bool {
    match state {
        ChannelState::Down | ChannelState::Ringing => true,
        ChannelState::Ring | ChannelState::Up => false,
    }
}

/// `type=user` and `friend`: those that may place calls.
pub(super) fn user(report: &PeerReport, force_rport: crate::observe::snapshot::NatFlag) -> Option<UserRow> {
    let peer = report.peer;
    (peer.kind != Kind::Peer).then(|| UserRow {
        name: peer.name.clone(),
        secret_set: peer.credential.is_some(),
        account: peer.account_code.clone(),
        context: peer.settings.context.clone(),
        acl: !peer.acl.is_empty(),
        force_rport,
    })
}

/// Every hint with the state of its devices.
pub(super) fn hints(switch: &Switch) -> Vec<HintRow> {
    let lines: BTreeMap<String, InUse> = in_use(switch).into_iter().map(|line| (line.name.clone(), line)).collect();
    let hints = switch.config().dialplan.hints();
    let row = hints.map(|hint| HintRow {
        exten: hint.exten.to_owned(),
        context: hint.context.to_owned(),
        devices: hint.devices.to_owned(),
        state: together(hint.devices.split('&').map(|device| state(switch, &lines, device.trim()))),
    });
    row.collect()
}

fn state(switch: &Switch, lines: &BTreeMap<String, InUse>, device: &str) -> DeviceState {
    let name = device.split_once('/').filter(|(technology, _)| technology.eq_ignore_ascii_case("SIP"));
    let Some(report) = name.and_then(|(_, name)| switch.peer(name)) else { return DeviceState::Unavailable };
    let line = lines.get(&report.peer.name).cloned().unwrap_or_default();
    let is_there = !report.bindings.is_empty()
        || report.peer.default_addr.is_some()
        || !matches!(report.peer.host, PeerAddress::Dynamic);
    match (line.in_use > line.ringing, line.ringing > 0) {
        (true, true) => DeviceState::InUseRinging,
        (true, false) => DeviceState::InUse,
        (false, true) => DeviceState::Ringing,
        (false, false) if is_there && report.status != PeerStatus::Unreachable => DeviceState::Idle,
        (false, false) => DeviceState::Unavailable,
    }
}

/// Several devices of one hint: the busiest of each kind shows, and it is unavailable only if all are.
fn together(states: impl Iterator<Item = DeviceState>) -> DeviceState {
    let states: Vec<DeviceState> = states.collect();
    let any = |wanted: DeviceState| states.contains(&wanted);
    let both = any(DeviceState::InUseRinging);
    match (both || any(DeviceState::InUse), both || any(DeviceState::Ringing)) {
        (true, true) => DeviceState::InUseRinging,
        (true, false) => DeviceState::InUse,
        (false, true) => DeviceState::Ringing,
        (false, false) if any(DeviceState::Idle) => DeviceState::Idle,
        (false, false) => DeviceState::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_devices_show_as_one() {
        use DeviceState::{Idle, InUse, InUseRinging, Ringing, Unavailable};
        for (states, shown) in [
            ([Idle, Unavailable], Idle),
            ([Unavailable, Unavailable], Unavailable),
            ([Idle, InUse], InUse),
            ([InUse, Ringing], InUseRinging),
            ([Ringing, Idle], Ringing),
            ([InUseRinging, Unavailable], InUseRinging),
        ] {
            assert_eq!(together(states.into_iter()), shown, "{states:?}");
        }
    }
}
