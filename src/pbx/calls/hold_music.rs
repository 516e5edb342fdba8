//! Music for a party of a bridge whom the other one holds: where its own line or the other's asks for it. It is told nothing
//! of the hold then, and its stream stays one.

use super::channel::{Channel, HoldMusic};
use super::music;
use super::parties::Parties;
use crate::config::musiconhold_conf::DEFAULT;
use crate::config::peer::LineKind;
use crate::dialplan::ChannelId;
use crate::dialplan::program::music_class;
use crate::event::{Level, LogLine};
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;
use crate::pbx::sounds::{SoundOrder, SoundReply, Wanted};

/// The class of music for a party while this other one holds it: that of its own channel, else what the other suggests
/// (`mohsuggest=`), else what its own line prefers (`mohinterpret=`). None: it is played nothing, for neither line asks for
/// music (`line=voice` does), or one of them has a modem or a fax.
pub(super) fn class(parties: &Parties, listener: ChannelId, holder: ChannelId) -> Option<String> {
    let (listener, holder) = (parties.channel(listener)?, parties.channel(holder)?);
    if carries_data(listener) || carries_data(holder) {
        return None;
    }
    let (own, other) = (&listener.peer()?.settings, &holder.peer()?.settings);
    let asked = own.line == Some(LineKind::Voice) || own.moh_interpret.is_some() || other.moh_suggest.is_some();
    let set = listener.program.as_ref().map(music_class).filter(|class| !class.is_empty());
    let class = set.or_else(|| other.moh_suggest.clone()).or_else(|| own.moh_interpret.clone());
    asked.then(|| class.unwrap_or_default())
}

/// Has a channel's line a modem or a fax?
pub(super) fn carries_data(channel: &Channel) -> bool {
    channel.peer().is_some_and(|peer| matches!(peer.settings.line, Some(LineKind::Modem | LineKind::Fax)))
}

/// Is a party to hear music, rather than to be told, when this other one holds it?
pub(super) fn covers(parties: &Parties, listener: ChannelId, holder: ChannelId) -> bool {
    let told = parties.leg_of(listener).and_then(|leg| leg.agreement.local.as_ref()).is_some_and(|it| it.is_hold());
    let hears = parties.channel(listener).is_some_and(|channel| channel.hold_music != HoldMusic::None);
    hears || (!told && class(parties, listener, holder).is_some())
}

/// The other one holds the call, or does not any more: music begins, or is over.
pub(super) fn follow(parties: &mut Parties, listener: ChannelId, holder: ChannelId, core: &mut Core) {
    let holds = parties.leg_of(holder).and_then(|leg| leg.agreement.remote.as_ref()).is_some_and(|it| it.is_hold());
    let class = class(parties, listener, holder);
    let Some(channel) = parties.channel_mut(listener) else { return };
    match (holds, &channel.hold_music, class) {
        (true, HoldMusic::None, Some(class)) => {
            let order = core.fresh_id();
            let found = core.config.music.get(&class).or_else(|| core.config.music.get(DEFAULT)).cloned();
            let class = found.unwrap_or_default();
            channel.hold_music = HoldMusic::Loading { order, sort: class.sort };
            core.out.sounds.push(SoundOrder { channel: listener, order, wanted: Wanted::Folder(class.directory) });
        }
        (false, HoldMusic::Loading { .. } | HoldMusic::Playing, _) => channel.hold_music = HoldMusic::None,
        (true, HoldMusic::Loading { .. } | HoldMusic::Playing, _) | (_, HoldMusic::None, _) => {}
    }
}

/// Sounds are there: if they are for a party that is held, its music begins. Else they are given back.
pub(super) fn loaded(parties: &mut Parties, reply: SoundReply, core: &mut Core) -> Option<SoundReply> {
    let Some(channel) = parties.channel_mut(reply.channel) else { return Some(reply) };
    let sort = match channel.hold_music {
        HoldMusic::Loading { order, sort } if order == reply.order => sort,
        HoldMusic::Loading { .. } | HoldMusic::Playing | HoldMusic::None => return Some(reply),
    };
    channel.hold_music = HoldMusic::None;
    let (name, id) = (channel.name.clone(), reply.channel);
    let mut sounds: Vec<_> = reply.sounds.into_iter().flatten().collect();
    music::arrange(&mut sounds, sort, &mut core.rng);
    let played = match sounds.is_empty() {
        true => Err("there is no music in the folder of its class".to_owned()),
        false => parties
            .with_party(id, core, |party, cx| party.start_playing(&sounds, 0, true, cx.core).map(|_| ()))
            .unwrap_or_else(|| Err("it is gone".to_owned())),
    };
    match played {
        Ok(()) => {
            if let Some(channel) = parties.channel_mut(id) {
                channel.hold_music = HoldMusic::Playing;
            }
            core.emit(LogLine { level: Level::Verbose(3), text: format!("Started music on hold on channel '{name}'") });
        }
        Err(why) => {
            let text = format!("{name}: it is held, and hears silence instead of music: {why}");
            core.emit(LogLine { level: Level::Notice, text });
        }
    }
    None
}

/// A party leaves its bridge: its music is over.
pub(super) fn end(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let Some(channel) = parties.channel_mut(id) else { return };
    if std::mem::take(&mut channel.hold_music) == HoldMusic::Playing
        && let Some(stream) = parties.channel(id).and_then(Channel::stream)
    {
        core.out.media.push(MediaCommand::Idle { stream });
    }
}
