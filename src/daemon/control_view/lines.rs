//! Which lines are in use, and what the hints make of it.

use super::calls::is_on_hold;
use super::peers;
use crate::clock::Now;
use crate::config::peer::Kind;
use crate::dialplan::hint;
use crate::event::DeviceState;
use crate::observe::snapshot::{DomainRow, HintRow, InUse, SubscriptionRow, UserRow};
use crate::pbx::calls::channel::ChannelState;
use crate::pbx::subscriptions::Subscription;
use crate::pbx::switch::{PeerReport, Switch};
use std::collections::BTreeMap;

/// Every peer with its channels counted.
pub(super) fn in_use(switch: &Switch) -> Vec<InUse> {
    let empty = switch.peers().map(|report| {
        let (name, limit) = (report.peer.name.clone(), report.peer.call_limit.unwrap_or(0));
        (name.clone(), InUse { name, in_use: 0, ringing: 0, on_hold: 0, limit })
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

/// The domains that are ours.
pub(super) fn domains(switch: &Switch) -> Vec<DomainRow> {
    let general = &switch.config().general;
    let configured = general.domains.iter().map(|(name, context)| DomainRow {
        name: name.clone(),
        context: context.clone().unwrap_or_default(),
        automatic: false,
    });
    let own = switch.config().listening.udp.ip();
    let automatic = general.auto_domain && !own.is_unspecified();
    let own = automatic.then(|| DomainRow { name: own.to_string(), context: String::new(), automatic });
    configured.chain(own).collect()
}

/// A called line whose phone rings, or is about to.
fn is_ringing(state: ChannelState) -> bool {
    match state {
        ChannelState::Down | ChannelState::Ringing => true,
        ChannelState::Ring | ChannelState::Up => false,
    }
}

/// `type=user` and `friend`: those that may place calls.
pub(super) fn user(report: &PeerReport) -> Option<UserRow> {
    let peer = report.peer;
    (peer.kind != Kind::Peer).then(|| UserRow {
        name: peer.name.clone(),
        secret_set: peer.credential.is_some(),
        account: peer.account_code.clone(),
        context: peer.settings.context.clone(),
        acl: !peer.acl.is_empty(),
        force_rport: peers::row(report).force_rport,
    })
}

/// Every subscription.
pub(super) fn subscriptions(switch: &Switch, now: Now) -> Vec<SubscriptionRow> {
    let row = |one: &Subscription| SubscriptionRow {
        host: one.reached.flow.remote.ip().to_string(),
        line: one.peer.name.clone(),
        call_id: one.dialog.call_id.to_string(),
        exten: format!("{}@{}", one.place.1, one.place.0),
        state: one.told().map_or("None", DeviceState::shown).to_owned(),
        kind: one.format.name().trim_start_matches("application/").to_owned(),
        mailbox: "<none>".to_owned(),
        expiry_s: one.expires.since(now.mono).as_secs(),
    };
    switch.lamps().subscriptions.iter().map(row).collect()
}

/// Every hint with the state of its devices, and those that a pattern's hint makes of what is watched.
pub(super) fn hints(switch: &Switch) -> Vec<HintRow> {
    let hints = switch.config().dialplan.hints();
    let written: Vec<(&str, &str, &str)> = hints.map(|hint| (hint.context, hint.exten, hint.devices)).collect();
    let is_written =
        |place: &(&str, &str)| written.iter().any(|(context, exten, _)| (*context, *exten) == (place.0, place.1));
    let rows = written.iter().map(|(context, exten, devices)| row(switch, context, exten, devices));
    let made = switch.lamps().subscriptions.watched().filter(|place| !is_written(place));
    let made = made.filter_map(|(context, exten)| {
        let devices = switch.lamps().hint(context, exten)?;
        Some(row(switch, context, exten, &devices.join("&")))
    });
    rows.chain(made).collect()
}

fn row(switch: &Switch, context: &str, exten: &str, devices: &str) -> HintRow {
    let states = hint::names(devices).map(|device| switch.lamps().device_state(device));
    HintRow {
        exten: exten.to_owned(),
        context: context.to_owned(),
        devices: devices.to_owned(),
        state: DeviceState::combined(states).of_extension(),
        watchers: switch.lamps().subscriptions.watchers(context, exten),
    }
}
