//! `ChanSpy` at work: who may be listened to, and what the media thread is told of it. The listener takes part in a mix
//! of its own, which has copies of what goes over the stream that is listened to.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::channel::{Activity, Channel, Share};
use super::local;
use super::media_path::Route;
use super::parties::Parties;
use super::playing;
use super::spies::Spying;
use crate::dialplan::spying::{Spied, SpyChoice, SpyHears, SpyManner, SpyReply, SpyRequest};
use crate::dialplan::{AppReply, ChannelId, Digits};
use crate::event::{Level, LogLine};
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;
use crate::pbx::mixing::{MixId, SpyPlan};
use crate::pbx::recording::Sides;

/// What says who may listen to a channel.
const GROUP: &str = "SPYGROUP";

/// A program asks for something.
pub(super) fn requested(
    parties: &mut Parties,
    bridges: &mut Bridges,
    id: ChannelId,
    request: &SpyRequest,
    core: &mut Core,
) {
    let reply = match request {
        SpyRequest::Find(choice, behind) => SpyReply::Found(find(parties, bridges, id, choice, *behind)),
        SpyRequest::Stop => {
            stop(parties, id, core);
            SpyReply::Over
        }
        SpyRequest::Listen(number, manner) => match listen(parties, bridges, id, ChannelId(*number), *manner, core) {
            Err(why) => {
                stop(parties, id, core);
                why.map_or(SpyReply::Over, SpyReply::Failed)
            }
            Ok(()) => match playing::take_digit(parties, id, Digits::ANY) {
                Some(digit) => SpyReply::Digit(digit),
                None => {
                    if let Some(channel) = parties.channel_mut(id) {
                        channel.activity = Activity::Spying;
                    }
                    return;
                }
            },
        },
    };
    parties.resume(id, AppReply::Spied(reply));
}

/// The next channel that may be listened to.
fn find(parties: &Parties, bridges: &Bridges, id: ChannelId, choice: &SpyChoice, behind: u64) -> Option<Spied> {
    let own = local::caller(parties, id);
    let mut fits = parties.channels().filter(|channel| channel.id.0 > behind && ![id, own].contains(&channel.id));
    let found = fits.find(|channel| may_be_heard(parties, channel) && is_meant(bridges, channel, choice))?;
    Some(Spied { number: found.id.0, name: found.name.clone(), unique_id: found.unique_id.clone() })
}

/// Is it a telephone that is answered, and does not listen to others itself?
fn may_be_heard(parties: &Parties, channel: &Channel) -> bool {
    let is_up = !channel.dead && channel.stream().is_some() && channel.answered.is_some();
    is_up && !parties.spies.values().any(|spying| spying.listener == channel.id)
}

fn is_meant(bridges: &Bridges, channel: &Channel, choice: &SpyChoice) -> bool {
    let begins = |text: &str| {
        let head = text.as_bytes().get(..choice.prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(choice.prefix.as_bytes()))
    };
    let is_named = if choice.by_unique_id { begins(&channel.unique_id) } else { begins(&channel.name) };
    let talks = || channel.bridge.and_then(|id| bridges.get(id)).is_some_and(|bridge| bridge.talking().is_some());
    let line = channel.name.rsplit_once('-').map_or("", |(line, _)| line);
    let is_allowed = choice.lines.is_empty() || choice.lines.iter().any(|one| one.eq_ignore_ascii_case(line));
    let here = channel.program.as_ref().map(|program| program.position()).into_iter().chain(channel.entered.clone());
    let is_there = |(exten, context): &(String, String)| {
        here.clone().any(|place| place.exten == *exten && place.context.eq_ignore_ascii_case(context))
    };
    is_named
        && is_allowed
        && choice.place.as_ref().is_none_or(is_there)
        && (choice.groups.is_empty() || groups(channel).iter().any(|group| choice.groups.contains(group)))
        && (!choice.only_bridged || talks())
}

/// The groups in its `SPYGROUP`: its own, or what it inherited as a called line.
fn groups(channel: &Channel) -> Vec<String> {
    let inherited = channel.callee.variables.iter().find(|(name, _)| name.trim_start_matches('_') == GROUP);
    let own = channel.program.as_ref().and_then(|program| program.variable(GROUP));
    let text = own.or(inherited.map(|(_, value)| value.clone())).unwrap_or_default();
    text.split(':').map(|group| group.trim().to_owned()).filter(|group| !group.is_empty()).collect()
}

/// Listens to a channel, or goes on with it. The error is none when it is over.
fn listen(
    parties: &mut Parties,
    bridges: &mut Bridges,
    id: ChannelId,
    target: ChannelId,
    manner: SpyManner,
    core: &mut Core,
) -> Result<(), Option<String>> {
    let listener = local::caller(parties, id);
    let channel = parties.channel(target).filter(|channel| may_be_heard(parties, channel)).ok_or(None)?;
    let (name, stream) = (channel.name.clone(), channel.stream().ok_or(None)?);
    let has_modem = modem_in(parties, bridges, target);
    let known = parties.spies.get(&id).filter(|spying| spying.target == target).map(|spying| spying.mix);
    if known.is_none() {
        stop(parties, id, core);
        bring_to_relay(parties, bridges, target, has_modem.is_some(), core).map_err(Some)?;
    }
    let manner = match &has_modem {
        Some(line) if manner.whispers => {
            let text = format!("{name}: nobody whispers there: '{line}' has a modem (line=modem)");
            core.emit(LogLine { level: Level::Notice, text });
            SpyManner { whispers: false, barges: false, ..manner }
        }
        _ => manner,
    };
    let mix = known.unwrap_or_else(|| MixId(core.fresh_id()));
    let shared = parties.with_party(listener, core, |party, cx| party.share(Share::Mix(mix, manner.volume), cx.core));
    shared.unwrap_or_else(|| Err("the listener has no telephone".to_owned())).map_err(Some)?;
    let laws = parties.party(target).map(|party| party.laws()).unwrap_or_default();
    let hears = match manner.hears {
        SpyHears::Both => Some(Sides::Both),
        SpyHears::Telephone => Some(Sides::FromPeer),
        SpyHears::Nothing => None,
    };
    let plan = Box::new(SpyPlan { laws, hears, whispers: manner.whispers, barges: manner.barges });
    core.out.media.push(MediaCommand::Spy { stream, mix, plan: plan.clone() });
    if known.is_none() {
        let text = format!("{}: listens to {name}", parties.name_of(listener));
        core.emit(LogLine { level: Level::Notice, text });
    }
    parties.spies.insert(id, Spying { listener, target, stream, mix, plan: *plan });
    Ok(())
}

/// The line with a modem that takes part in a channel's call.
fn modem_in(parties: &Parties, bridges: &Bridges, id: ChannelId) -> Option<String> {
    let bridge = parties.channel(id).and_then(|channel| bridges.get(channel.bridge?));
    let both = std::iter::once(id).chain(bridge.into_iter().flat_map(|bridge| bridge.members()));
    let found = both.filter_map(|one| parties.channel(one)).find(|channel| channel.has_modem());
    found.map(|channel| channel.line().to_owned())
}

/// What goes direct from telephone to telephone cannot be heard here: it comes back, unless that would disturb a modem.
fn bring_to_relay(
    parties: &mut Parties,
    bridges: &mut Bridges,
    id: ChannelId,
    has_modem: bool,
    core: &mut Core,
) -> Result<(), String> {
    let bridge = parties.channel(id).and_then(|channel| bridges.get(channel.bridge?));
    let direct = bridge.filter(|bridge| bridge.path.route() == Route::Direct).map(|bridge| bridge.id);
    if let Some(name) = direct.and(parties.channel(id)).filter(|_| has_modem).map(|channel| channel.name.clone()) {
        return Err(format!("{name} is not listened to: its sound goes direct, and a modem (line=modem) takes part"));
    }
    if let Some(channel) = parties.channel_mut(id) {
        channel.keeps_relay = true;
    }
    if let Some(bridge) = direct {
        Bridging { parties, bridges, core }.party_replaced(bridge);
    }
    Ok(())
}

/// A listener listens no more.
pub(super) fn stop(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let Some(Spying { listener, stream, mix, .. }) = parties.spies.remove(&id) else { return };
    core.out.media.push(MediaCommand::StopSpying { stream, mix });
    let Some(channel) = parties.channel_mut(listener) else { return };
    channel.share = None;
    if let Some(stream) = channel.stream().filter(|_| !channel.dead) {
        core.out.media.push(MediaCommand::Idle { stream });
    }
}

/// A channel that was listened to is over.
pub(super) fn over(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    stop(parties, id, core);
    if parties.channel(id).is_some_and(|channel| matches!(channel.activity, Activity::Spying)) {
        parties.resume(id, AppReply::Spied(SpyReply::Over));
    }
}
