//! Warnings of a `Dial` with a time limit (option L): which, when, and who hears them. Never on a call with a `line=modem`.

use super::callee_work::Warnings;
use super::channel::Channel;
use super::parties::Parties;
use crate::dialplan::arguments::is_true;
use crate::dialplan::say::{self, Gender};
use crate::dialplan::{ChannelId, DialOptions, Program};
use crate::event::{Level, LogLine};
use crate::pbx::core::{CallTimer, Core, Timer};
use crate::pbx::sounds::{SoundOrder, Wanted};
use std::time::Duration;

/// A call with a limit has begun: what is to be played into it.
pub(super) fn plan(
    parties: &mut Parties,
    [caller, callee]: [ChannelId; 2],
    (program, options): (ChannelId, &DialOptions),
    core: &mut Core,
) {
    let (Some(limit), Some(program)) = (options.limit().filter(|_| options.has('L')), program_of(parties, program))
    else {
        return;
    };
    let variable = |name: &str| program.variable(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let sound = |name: &str| Some(variable(name)).filter(|sound| !sound.is_empty());
    let (first, last) = (sound("LIMIT_CONNECT_FILE"), sound("LIMIT_TIMEOUT_FILE"));
    let warnings = options.warnings().filter(|(left, _)| *left < limit);
    if warnings.is_none() && first.is_none() && last.is_none() {
        return;
    }
    let says = |name: &str, usual: bool| match variable(name).to_ascii_lowercase().as_str() {
        "" => usual,
        text => {
            ["yes", "true", "on", "y", "t"].contains(&text) || (is_true(text) && text.starts_with(char::is_numeric))
        }
    };
    let heard_by = [says("LIMIT_PLAYAUDIO_CALLER", true), says("LIMIT_PLAYAUDIO_CALLEE", false)];
    let file = sound("LIMIT_WARNING_FILE").filter(|file| !file.eq_ignore_ascii_case("timeleft"));
    let language = program.language();
    let modem = [caller, callee].into_iter().filter_map(|id| parties.channel(id)).find(|channel| channel.has_modem());
    if let Some(modem) = modem {
        let text = format!(
            "{}: '{}' is line=modem: its call is ended in time, and nothing is played into it (Dial option L)",
            modem.name,
            modem.line()
        );
        return core.emit(LogLine { level: Level::Warning, text });
    }
    for id in [caller, callee] {
        parties.channel_mut(id).into_iter().for_each(|channel| channel.keeps_relay = true);
    }
    let timer = Timer::Call(CallTimer::Warning(callee));
    let next = warnings.map(|(left, _)| core.set_timer(limit.saturating_sub(left), timer));
    let Some(channel) = parties.channel_mut(callee) else { return };
    let warnings = Warnings {
        caller,
        ends: core.now.mono + limit,
        next,
        repeat: warnings.and_then(|(_, repeat)| repeat),
        heard_by,
        file,
        last,
        language,
        order: None,
        playing: Vec::new(),
        is_ending: false,
    };
    channel.callee.warnings = Some(Box::new(warnings));
    if let Some(first) = first {
        order(channel, vec![first], core);
    }
}

fn program_of(parties: &Parties, id: ChannelId) -> Option<&Program> {
    parties.channel(id)?.program.as_ref()
}

/// Orders sounds that are a warning.
pub(super) fn order(channel: &mut Channel, names: Vec<String>, core: &mut Core) {
    let id = channel.id;
    let Some(warnings) = channel.callee.warnings.as_mut() else { return };
    let order = core.fresh_id();
    warnings.order = Some(order);
    let wanted = Wanted::Names { names, language: warnings.language.clone() };
    core.out.sounds.push(SoundOrder { channel: id, order, wanted });
}

/// A called line goes on without who called it: nothing is played into that call any more.
pub(super) fn forget(parties: &mut Parties, callee: ChannelId, core: &mut Core) {
    let warnings = parties.channel_mut(callee).and_then(|channel| channel.callee.warnings.take());
    if let Some(timer) = warnings.and_then(|warnings| warnings.timer()) {
        core.timers.cancel(timer);
    }
}

/// A warning is due; it is for those that the limit was made for, while they talk to each other.
pub(super) fn due(parties: &mut Parties, callee: ChannelId, core: &mut Core) {
    let bridge_of = |id: ChannelId| parties.channel(id).and_then(|channel| channel.bridge);
    let bridge = bridge_of(callee);
    let Some(warnings) = parties.channel(callee).and_then(|channel| channel.callee.warnings.as_ref()) else { return };
    let talk = bridge.is_some() && bridge_of(warnings.caller) == bridge;
    let Some(channel) = parties.channel_mut(callee) else { return };
    let Some(warnings) = channel.callee.warnings.as_mut() else { return };
    let left = warnings.ends.since(core.now.mono);
    let again = warnings.repeat.filter(|repeat| *repeat < left);
    warnings.next = again.map(|repeat| core.set_timer(repeat, Timer::Call(CallTimer::Warning(callee))));
    if !talk {
        return;
    }
    let names = warnings.file.clone().map_or_else(|| time_left(&warnings.language, left), |file| vec![file]);
    order(channel, names, core);
}

/// "You have two minutes, thirty seconds", as Asterisk says it.
fn time_left(language: &str, left: Duration) -> Vec<String> {
    let seconds = i64::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(0);
    let mut names = vec!["vm-youhave".to_owned()];
    for (number, unit) in [(seconds / 60, "queue-minutes"), (seconds % 60, "queue-seconds")] {
        if number > 0 {
            names.extend(say::language(language).number(number, Gender::None).unwrap_or_default());
            names.push(unit.to_owned());
        }
    }
    names
}
