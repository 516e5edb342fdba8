//! Channels and SIP dialogs as the console lists them.

use crate::clock::Now;
use crate::dialplan::ChannelId;
use crate::observe::snapshot::{ChannelDetail, ChannelRow, ChannelState, SipChannelRow};
use crate::pbx::calls::channel;
use crate::pbx::calls::leg::Leg;
use crate::pbx::switch::{ChannelReport, LegReport, Switch};
use std::collections::BTreeMap;

/// The lines of `core show channels`, the newest channel first.
pub(super) fn rows(switch: &Switch, now: Now) -> Vec<ChannelRow> {
    let accounts: BTreeMap<ChannelId, String> =
        switch.channels().map(|report| (report.channel.id, account_code(report.channel))).collect();
    let account = |report: &ChannelReport| report.bridged.and_then(|other| accounts.get(&other));
    let row = |report: ChannelReport| row(&report, account(&report).cloned().unwrap_or_default(), now);
    let mut rows: Vec<ChannelRow> = switch.channels().map(row).collect();
    rows.reverse();
    rows
}

/// `peer_account`: that of the channel it talks to.
fn row(report: &ChannelReport, peer_account: String, now: Now) -> ChannelRow {
    let channel = report.channel;
    let position = channel.program.as_ref().map(|program| program.position().clone());
    let (application, data) = match &report.application {
        Some((name, args)) => (name.clone(), args.clone()),
        None if channel.program.is_none() => ("AppDial".to_owned(), "(Outgoing Line)".to_owned()),
        None => (String::new(), String::new()),
    };
    ChannelRow {
        name: channel.name.clone(),
        context: position.as_ref().map(|position| position.context.clone()).unwrap_or_default(),
        exten: position.as_ref().map(|position| position.exten.clone()).unwrap_or_default(),
        priority: position.map_or(0, |position| position.priority),
        state: channel.state.name().to_owned(),
        application,
        data,
        caller_id: channel.caller_number.clone(),
        duration_s: now.mono.since(channel.created).as_secs(),
        bridge_id: report.bridged.map(|other| format!("{:08x}", other.0.min(channel.id.0))).unwrap_or_default(),
        unique_id: channel.unique_id.clone(),
        account: account_code(channel),
        peer_account,
    }
}

/// What `core show channel NAME` tells.
pub(super) fn detail(switch: &Switch, name: &str, now: Now) -> Option<ChannelDetail> {
    let report = switch.channels().find(|report| report.channel.name.eq_ignore_ascii_case(name))?;
    let channel = report.channel;
    let leg = switch.legs().find(|report| Some(report.leg.id) == channel.leg());
    let other = report.bridged.and_then(|id| switch.channels().find(|report| report.channel.id == id));
    let began = other.as_ref().filter(|other| other.channel.program.is_some()).map_or(channel, |other| other.channel);
    let account = |report: &ChannelReport| account_code(report.channel);
    Some(ChannelDetail {
        row: row(&report, other.as_ref().map(account).unwrap_or_default(), now),
        state: match channel.state {
            channel::ChannelState::Down => ChannelState::Down,
            channel::ChannelState::Ring => ChannelState::Ring,
            channel::ChannelState::Ringing => ChannelState::Ringing,
            channel::ChannelState::Up => ChannelState::Up,
        },
        linked_id: began.unique_id.clone(),
        caller_name: channel.caller_name.clone(),
        connected_number: other.as_ref().map(|other| other.channel.caller_number.clone()).unwrap_or_default(),
        connected_name: other.as_ref().map(|other| other.channel.caller_name.clone()).unwrap_or_default(),
        dialled: channel.entered.as_ref().map(|position| position.exten.clone()).unwrap_or_default(),
        language: channel.peer().map(|peer| peer.settings.language.clone()).unwrap_or_default(),
        codecs: leg.as_ref().map(|report| codecs(report.leg)).unwrap_or_default(),
        direction: leg.as_ref().and_then(|report| direction(report.leg)).unwrap_or_default().to_owned(),
        call_id: leg.and_then(|report| report.call_id.map(str::to_owned)).unwrap_or_default(),
        variables: channel.program.as_ref().map(|program| program.variables()).unwrap_or_default(),
    })
}

/// One line of `sip show channels`.
pub(super) fn dialog(report: &LegReport) -> SipChannelRow {
    let leg = report.leg;
    let is_caller = report.channel.is_some_and(|channel| channel.program.is_some());
    let last_message = match (is_caller, leg.is_confirmed()) {
        (true, true) => "Rx: ACK",
        (false, true) => "Tx: ACK",
        (true, false) if leg.is_unanswered_caller() => "Rx: INVITE",
        (true, false) => "Tx: 200 OK",
        (false, false) => "Tx: INVITE",
    };
    SipChannelRow {
        host: Some(leg.ua.flow.remote.ip()),
        user: report.channel.map(|channel| channel.caller_number.clone()).unwrap_or_default(),
        call_id: report.call_id.unwrap_or_default().to_owned(),
        codecs: codecs(leg),
        on_hold: is_on_hold(leg),
        last_message: last_message.to_owned(),
        peer: leg.peer.name.clone(),
    }
}

pub(super) fn is_on_hold(leg: &Leg) -> bool {
    leg.agreement.remote.as_ref().is_some_and(|remote| remote.is_hold())
}

/// What both sides' descriptions name; nothing before there are two.
fn codecs(leg: &Leg) -> Vec<String> {
    let both = leg
        .agreement
        .local
        .as_ref()
        .and_then(|sdp| sdp.audio())
        .zip(leg.agreement.remote.as_ref().and_then(|sdp| sdp.audio()));
    let Some((local, remote)) = both else { return Vec::new() };
    let common = local.formats.iter().filter(|format| remote.find(format).is_some());
    common.filter_map(|format| Some(format.codec?.name().to_owned())).collect()
}

/// Seen from us: what the peer wants to do, turned round.
fn direction(leg: &Leg) -> Option<&'static str> {
    Some(leg.agreement.remote.as_ref()?.audio()?.direction.mirrored().name())
}

fn account_code(channel: &channel::Channel) -> String {
    channel.peer().map(|peer| peer.account_code.clone()).unwrap_or_default()
}
