//! Parking: calls that wait in the places of a lot until somebody takes them. Where a call waits stands on its channel
//! alone, so that no table can say anything else.

use super::bridge::Bridges;
use super::channel::{Activity, Channel};
use super::dial::Dial;
use super::interlude::Purpose;
use super::moving::{Moving, Unmovable};
use super::music;
use super::pair::joint_codec;
use super::parked::Parked;
use super::parties::Parties;
use crate::config::parking_conf::{DEFAULT_LOT, ParkingLots};
use crate::dialplan::handover::{ParkRequest, ParkedAt, ParkedPlace};
use crate::dialplan::{AppReply, ChannelId, DialOptions, DialStatus, mid_call};
use crate::event::{DeviceState, Handover};
use crate::pbx::cause;
use crate::pbx::core::{CallTimer, Core, Timer};
use crate::pbx::media::MediaCommand;
use crate::wording::outside;
use std::time::Duration;

/// One line may take one place in so many of a lot, rounded up: the others have room, too.
const MAX_SHARE: u32 = 2;

/// The channels that wait, with where.
pub(super) fn all(parties: &Parties) -> impl Iterator<Item = (&Channel, &Parked)> {
    parties
        .channels()
        .filter(|channel| channel.waits_in_lot())
        .filter_map(|channel| Some((channel, channel.parked.as_deref()?)))
}

/// What a lamp shows of `park:701@parkedcalls`; none when there is no such place.
pub fn device_state(parties: &Parties, lots: &ParkingLots, device: &str) -> Option<DeviceState> {
    let (exten, context) = device.strip_prefix("park:").or_else(|| device.strip_prefix("Park:"))?.split_once('@')?;
    let (lot, slot) = lots.of_extension(exten, context)?;
    let is_taken = all(parties).any(|(_, parked)| parked.lot == lot && parked.slot == slot);
    Some(DeviceState::of(is_taken, false, true))
}

/// Parks a channel whose program asks for it; the reply says where.
pub(super) fn park(parties: &mut Parties, id: ChannelId, request: &ParkRequest, core: &mut Core) {
    let parked = find_place(parties, id, request, core).map(|at| {
        let time = at.time;
        let place =
            Parked { lot: at.lot.clone(), slot: at.slot, parker: at.parker.clone(), since: core.now.mono, time };
        parties.last_places.insert(at.lot.clone(), at.slot);
        if let Some(channel) = parties.channel_mut(id) {
            channel.parked = Some(Box::new(place));
            let event = Handover::Parked {
                channel: channel.name.clone(),
                lot: at.lot.clone(),
                slot: at.slot,
                by: at.parker.clone(),
            };
            core.emit(event);
        }
        tell_parker(parties, id, at.slot);
        Box::new(at)
    });
    parties.resume(id, AppReply::Parked(parked));
}

/// Whoever has parked a channel by a code, and waits for that, learns the place.
fn tell_parker(parties: &mut Parties, id: ChannelId, slot: u32) {
    let by = parties.channel(id).and_then(|channel| channel.program.as_ref()?.variable("BLINDTRANSFER"));
    let parker = by.and_then(|by| parties.channels().find(|channel| channel.name == by).map(|channel| channel.id));
    let Some(channel) = parker.and_then(|parker| parties.channel_mut(parker)) else { return };
    if channel.interlude.as_ref().is_some_and(|it| it.purpose == Purpose::SayPlace) {
        channel.program.iter_mut().for_each(|program| program.set_variable(mid_call::PLACE, &slot.to_string()));
    }
}

/// The lot that a name means for a channel: an empty one its line's, else the default lot.
fn lot_of(parties: &Parties, id: ChannelId, name: &str) -> String {
    let own = parties.channel(id).and_then(Channel::peer).map(|peer| peer.settings.parking_lot.as_str());
    let name = if name.is_empty() { own.unwrap_or_default() } else { name };
    if name.is_empty() { DEFAULT_LOT.to_owned() } else { name.trim().to_ascii_lowercase() }
}

fn find_place(parties: &Parties, id: ChannelId, request: &ParkRequest, core: &mut Core) -> Result<ParkedAt, String> {
    let name = lot_of(parties, id, &request.lot);
    let lots = core.config.parking.clone();
    let Some((name, lot)) = lots.get(&name) else {
        return Err(format!("there is no lot '{}' in res_parking.conf: the call is not parked", outside(&name)));
    };
    let taken: Vec<u32> =
        all(parties).filter(|(_, parked)| parked.lot == name).map(|(_, parked)| parked.slot).collect();
    let (first, last) = lot.places;
    let is_free = |slot: &u32| !taken.contains(slot);
    let slot = match request.slot {
        Some(wished) if !(first..=last).contains(&wished) || !is_free(&wished) => {
            return Err(format!("the place {wished} of lot '{name}' is not free: the call is not parked"));
        }
        Some(wished) => Some(wished),
        None if request.is_random => {
            let free: Vec<u32> = (first..=last).filter(is_free).collect();
            let count = u64::try_from(free.len()).unwrap_or(0).max(1);
            usize::try_from(core.rng.below(count)).ok().and_then(|number| free.get(number).copied())
        }
        None => {
            let before = parties.last_places.get(name).filter(|_| lot.takes_next).copied().unwrap_or(0);
            let behind = (first..=last).filter(|slot| *slot > before);
            behind.chain((first..=last).filter(|slot| *slot <= before)).find(is_free)
        }
    };
    let Some(slot) = slot else {
        return Err(format!("every place of lot '{name}' ({first}-{last}) is taken: the call is not parked"));
    };
    let (parker, places) = (parker_of(parties, id), last.saturating_sub(first).saturating_add(1));
    let owner = parties.channel(id).map(|channel| owner(channel, &parker)).unwrap_or_default();
    let is_own =
        |(channel, parked): &(&Channel, &Parked)| parked.lot == name && self::owner(channel, &parked.parker) == owner;
    let most = places.div_ceil(MAX_SHARE);
    if all(parties).filter(is_own).count() >= usize::try_from(most).unwrap_or(usize::MAX) {
        return Err(format!(
            "'{}' has {most} of the {places} places of lot '{name}', the most for one line: the call is not parked",
            outside(&owner)
        ));
    }
    Ok(ParkedAt {
        lot: name.to_owned(),
        slot,
        parker,
        time: lot.time,
        music: lot.music.clone(),
        comes_back_to_parker: lot.comes_back_to_parker,
        comeback_time: lot.comeback_time,
        comeback_context: lot.comeback_context.clone(),
    })
}

/// The line whose doing it is that a channel is parked: who parked it, else its own.
fn owner(channel: &Channel, parker: &str) -> String {
    if parker.is_empty() { format!("SIP/{}", channel.line()) } else { parker.to_owned() }
}

/// The line that transferred a channel here, `SIP/desk`; empty when it came by itself.
fn parker_of(parties: &Parties, id: ChannelId) -> String {
    let Some(channel) = parties.channel(id) else { return String::new() };
    let by = channel.program.as_ref().and_then(|program| program.variable("BLINDTRANSFER")).unwrap_or_default();
    let line = by.rsplit_once('-').map_or("", |(line, _)| line);
    if by == channel.name { String::new() } else { line.to_owned() }
}

/// A parked channel's program waits to be taken.
pub(super) fn wait(parties: &mut Parties, id: ChannelId, time: Duration, core: &mut Core) {
    let Some(channel) = parties.channel_mut(id) else { return };
    let timer = core.set_timer(time, Timer::Call(CallTimer::Wait(id)));
    channel.activity = Activity::Parked(timer);
    if let Some(parked) = &mut channel.parked {
        (parked.since, parked.time) = (core.now.mono, time);
    }
}

/// Nobody took it in time.
pub(super) fn timed_out(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let Some(channel) = parties.channel_mut(id) else { return };
    if let Some(parked) = channel.parked.take() {
        core.emit(Handover::ParkTimedOut { channel: channel.name.clone(), lot: parked.lot, slot: parked.slot });
    }
    parties.resume(id, AppReply::Waited);
}

/// The channel that waits in a place; of no place, the one that waits longest.
fn waiting(parties: &Parties, id: ChannelId, place: &ParkedPlace) -> Option<ChannelId> {
    let lot = lot_of(parties, id, &place.lot);
    let is_there = |parked: &Parked| parked.lot == lot && place.slot.is_none_or(|slot| parked.slot == slot);
    let found = all(parties).filter(|(channel, parked)| channel.id != id && is_there(parked));
    found.min_by_key(|(_, parked)| parked.since).map(|(channel, _)| channel.id)
}

/// Is there a call in that place?
pub(super) fn find(parties: &mut Parties, id: ChannelId, place: &ParkedPlace, core: &Core) {
    let lot = lot_of(parties, id, &place.lot);
    let tone = core.config.parking.get(&lot).map(|(_, lot)| lot.tone.clone()).unwrap_or_default();
    let found = waiting(parties, id, place).map(|_| tone);
    parties.resume(id, AppReply::ParkedFound(found));
}

/// Connects a channel with the call in that place, or says why not.
pub(super) fn take(parties: &mut Parties, bridges: &mut Bridges, id: ChannelId, place: &ParkedPlace, core: &mut Core) {
    if let Err(why) = connect(parties, bridges, id, place, core) {
        let mut report = Dial::new(core.now.mono, DialOptions::default()).report(
            core.now.mono,
            DialStatus::ChanUnavail,
            Some(cause::ABSENT),
        );
        report.reason = why;
        parties.resume(id, AppReply::Dialed(report));
    }
}

fn connect(
    parties: &mut Parties,
    bridges: &mut Bridges,
    id: ChannelId,
    place: &ParkedPlace,
    core: &mut Core,
) -> Result<(), String> {
    let waiting = waiting(parties, id, place).ok_or("no call waits there any more")?;
    let pair = parties.pair(id, waiting).ok_or(Unmovable::NoTelephone.words())?;
    joint_codec(&pair.a, &pair.b).ok_or(Unmovable::NoCommonCodec.words())?;
    let (name, by) = (parties.name_of(waiting), parties.name_of(id));
    music::end(parties, waiting, core);
    let Some(channel) = parties.channel_mut(waiting) else { return Ok(()) };
    channel.stop_activity(cause::NORMAL, core);
    channel.activity = Activity::Called;
    let parked = channel.parked.take();
    if let Some(stream) = channel.stream() {
        core.out.media.push(MediaCommand::Idle { stream });
    }
    if let Some(channel) = parties.channel_mut(id) {
        let connected = Dial::new(core.now.mono, DialOptions::default()).answered_by(core.now.mono, &name);
        channel.activity = Activity::Bridged(Box::new(connected));
    }
    if let Some(parked) = parked {
        core.emit(Handover::Unparked { channel: name, by, lot: parked.lot, slot: parked.slot });
    }
    Moving { parties, bridges, core }.join(id, waiting).map(|_| ()).map_err(|why| why.words().to_owned())
}
