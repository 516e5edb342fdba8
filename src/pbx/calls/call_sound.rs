//! Short sounds into a call that goes on: that a recording begins, that a call was picked up, that a transfer is done.
//! Whoever hears one does not hear the other meanwhile; then both are connected as before. None on a call with a modem or
//! a fax.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::channel::{CallSound, Channel, HoldMusic};
use super::hold_music;
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::pbx::media::StreamId;
use crate::pbx::sounds::{SoundOrder, SoundReply, Wanted};

/// Orders a sound for a channel that talks; an empty name is none.
pub(super) fn play(parties: &mut Parties, id: ChannelId, name: &str, core: &mut Core) {
    if name.is_empty() || carries_data(parties, id) {
        return;
    }
    let Some(channel) = parties.channel_mut(id).filter(|channel| channel.sip().is_some()) else { return };
    let language = channel.peer().map(|peer| peer.settings.language.clone()).unwrap_or_default();
    let order = core.fresh_id();
    channel.call_sound = CallSound::Loading(order);
    // What is not on the relay nothing can be played into.
    channel.keeps_relay = true;
    let wanted = Wanted::Names { names: vec![name.to_owned()], language };
    core.out.sounds.push(SoundOrder { channel: id, order, wanted });
}

/// Does a modem or a fax take part?
fn carries_data(parties: &Parties, id: ChannelId) -> bool {
    let Some(bridge) = parties.channel(id).map(|channel| channel.bridge) else { return true };
    let is_in = |channel: &&Channel| channel.id == id || (bridge.is_some() && channel.bridge == bridge);
    parties.channels().filter(is_in).any(hold_music::carries_data)
}

/// A sound is there; gives back what is for somebody else.
pub(super) fn loaded(parties: &mut Parties, reply: SoundReply, core: &mut Core) -> Option<SoundReply> {
    let Some(channel) = parties.channel_mut(reply.channel) else { return Some(reply) };
    if channel.call_sound != CallSound::Loading(reply.order) {
        return Some(reply);
    }
    channel.call_sound = CallSound::None;
    let (id, name, hears_music) = (channel.id, channel.name.clone(), channel.hold_music != HoldMusic::None);
    let is_bridged = channel.bridge.is_some() && !channel.dead;
    let mut found = Vec::new();
    for sound in reply.sounds {
        match sound {
            Ok(sound) => found.push(sound),
            Err(reason) => core.emit(CallEvent::NotPlayed { channel: name.clone(), reason }),
        }
    }
    if found.is_empty() || !is_bridged || hears_music || carries_data(parties, id) {
        return None;
    }
    let started = parties.with_party(id, core, |party, cx| party.start_playing(&found, 0, false, cx.core));
    match started {
        Some(Ok(play)) => {
            if let Some(channel) = parties.channel_mut(id) {
                channel.call_sound = CallSound::Playing(play);
            }
        }
        Some(Err(reason)) => core.emit(CallEvent::NotPlayed { channel: name, reason }),
        None => {}
    }
    None
}

/// A sound has ended; says whether it was one of these. The two are connected again.
pub(super) fn played(
    parties: &mut Parties,
    bridges: &mut Bridges,
    (stream, play): (StreamId, u64),
    core: &mut Core,
) -> bool {
    let Some(id) = parties.channel_of_stream(stream).map(|channel| channel.id) else { return false };
    let Some(channel) = parties.channel_mut(id).filter(|channel| channel.call_sound == CallSound::Playing(play)) else {
        return false;
    };
    channel.call_sound = CallSound::None;
    let bridge = channel.bridge;
    let talking = bridge.and_then(|bridge| bridges.get(bridge)).and_then(|bridge| bridge.talking());
    if let Some((a, b)) = talking {
        let is_playing = |id| parties.channel(id).is_some_and(|it| matches!(it.call_sound, CallSound::Playing(_)));
        if !is_playing(a) && !is_playing(b) {
            Bridging { parties, bridges, core }.bridge_media(a, b);
        }
    }
    true
}
