//! Music on hold: begun by programs, and by a Dial instead of ringing. It goes on until another sound, a bridge, or until it
//! is stopped.

use super::channel::{Activity, Channel, Music};
use super::local;
use super::parties::Parties;
use crate::audio::sound::Sound;
use crate::config::musiconhold_conf::{DEFAULT, Sort};
use crate::dialplan::ChannelId;
use crate::event::{CallEvent, Level, LogLine};
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;
use crate::pbx::sounds::{SoundOrder, SoundReply, Wanted};
use crate::rng::Rng;
use crate::wording::outside;

/// What became of sounds that were loaded.
pub(super) enum Loaded {
    /// They are not for music.
    Others(SoundReply),
    /// They are played, or nobody wants them any more.
    Done,
    /// There is no music for a Dial: its caller is to hear ringing.
    Ring,
}

/// Orders the music of a class for the telephone whose call it is; of an empty or unknown one, of the default class.
///
/// # Errors
/// There is nobody to play it to, or not to that line.
pub(super) fn start(parties: &mut Parties, id: ChannelId, class: &str, core: &mut Core) -> Result<(), String> {
    let telephone = local::caller(parties, id);
    if telephone != id && local::unanswered_half(parties, id).is_some() {
        return Err("music cannot be played before the answer to a caller who was sent here by another line".to_owned());
    }
    let line = parties.channel(telephone).filter(|channel| channel.stream().is_some());
    let line = line.ok_or("the channel has no telephone")?;
    if line.has_modem() {
        return Err(format!("'{}' has a modem (line=modem): it is played no music", line.line()));
    }
    let name = line.name.clone();
    let found = core.config.music.get(class).cloned();
    if found.is_none() && !class.is_empty() {
        let text = format!("{name}: there is no class of music '{}': '{DEFAULT}' is played", outside(class));
        core.emit(LogLine { level: Level::Warning, text });
    }
    let class = found.or_else(|| core.config.music.get(DEFAULT).cloned()).unwrap_or_default();
    let order = core.fresh_id();
    if let Some(channel) = parties.channel_mut(id) {
        channel.music = Music::Loading { order, sort: class.sort };
        core.out.sounds.push(SoundOrder { channel: id, order, wanted: Wanted::Folder(class.directory) });
    }
    Ok(())
}

/// A Dial is to tell its caller that it rings, and has music for that; false: it has to ring.
pub(super) fn instead_of_ringing(parties: &mut Parties, caller: ChannelId, core: &mut Core) -> bool {
    let Some(channel) = parties.channel(caller) else { return false };
    let class = channel.dial().and_then(|dial| dial.options.argument('m')).map(str::to_owned);
    let Some(class) = class else { return false };
    match channel.music {
        Music::Loading { .. } | Music::Playing => return true,
        Music::Failed => return false,
        Music::None => {}
    }
    let telephone = local::caller(parties, caller);
    // Before the answer somebody else might be sent what we play, who never asked.
    let is_deaf = parties.with_party(telephone, core, |party, _| party.is_unanswered_caller() && party.may_be_forged());
    let started = match is_deaf {
        Some(true) => Err("nothing is played before the answer over UDP to a line without password".to_owned()),
        Some(false) | None => start(parties, caller, &class, core),
    };
    let Err(why) = started else { return true };
    failed(parties, caller, format!("Dial rings instead of music: {why}"), core);
    false
}

fn failed(parties: &mut Parties, id: ChannelId, why: String, core: &mut Core) {
    let Some(channel) = parties.channel_mut(id) else { return };
    channel.music = Music::Failed;
    let text = format!("{}: {why}", channel.name);
    core.emit(LogLine { level: Level::Notice, text });
}

/// Sounds are there: if they are for music, it begins.
pub(super) fn loaded(parties: &mut Parties, reply: SoundReply, core: &mut Core) -> Loaded {
    let id = reply.channel;
    let Some(channel) = parties.channel_mut(id) else { return Loaded::Done };
    let sort = match channel.music {
        Music::Loading { order, sort } if order == reply.order => sort,
        _ => return Loaded::Others(reply),
    };
    channel.music = Music::None;
    if channel.dead
        || channel.bridge.is_some()
        || (matches!(channel.activity, Activity::Bridged(_)) && channel.waits_for.is_none())
    {
        return Loaded::Done;
    }
    let (name, dials) = (channel.name.clone(), channel.dial().is_some());
    let (mut sounds, mut why) = (Vec::new(), None);
    for sound in reply.sounds {
        match sound {
            Ok(sound) => sounds.push(sound),
            Err(reason) => why = Some(reason),
        }
    }
    arrange(&mut sounds, sort, &mut core.rng);
    let started = match sounds.is_empty() {
        true => Err(why.unwrap_or_else(|| "there is no music in the folder of its class".to_owned())),
        false => play(parties, id, &sounds, core),
    };
    match started {
        Ok(()) => {
            if let Some(channel) = parties.channel_mut(id) {
                channel.music = Music::Playing;
            }
            Loaded::Done
        }
        Err(why) if dials => {
            failed(parties, id, format!("Dial rings instead of music: {why}"), core);
            Loaded::Ring
        }
        Err(reason) => {
            core.emit(CallEvent::NotPlayed { channel: name, reason });
            Loaded::Done
        }
    }
}

fn play(parties: &mut Parties, id: ChannelId, sounds: &[Sound], core: &mut Core) -> Result<(), String> {
    let telephone = local::caller(parties, id);
    let played = parties.with_party(telephone, core, |party, cx| {
        party.send_early_media(cx)?;
        party.start_playing(sounds, 0, true, cx.core).map(|_| ())
    });
    played.unwrap_or_else(|| Err("the channel has no telephone".to_owned()))
}

/// Puts the files of a class in the order in which they are played.
pub(super) fn arrange<T>(files: &mut [T], sort: Sort, rng: &mut Rng) {
    let mut below = |limit: usize| {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        usize::try_from(rng.below(limit.max(1))).unwrap_or(0)
    };
    match sort {
        Sort::Alphabetical => {}
        Sort::RandomStart => {
            let start = below(files.len());
            files.rotate_left(start.min(files.len()));
        }
        Sort::Random => (1..files.len()).rev().for_each(|last| files.swap(last, below(last.saturating_add(1)))),
    }
}

/// The music of a channel ends, when there is any.
pub(super) fn end(parties: &mut Parties, id: ChannelId, core: &mut Core) {
    let Some(channel) = parties.channel_mut(id) else { return };
    let music = std::mem::take(&mut channel.music);
    let telephone = parties.channel(local::caller(parties, id));
    if matches!(music, Music::Playing)
        && let Some(stream) = telephone.filter(|channel| channel.bridge.is_none()).and_then(Channel::stream)
    {
        core.out.media.push(MediaCommand::Idle { stream });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_every_file_once() {
        let mut rng = Rng::from_seed([7; 32]);
        let mut arranged = |sort| {
            let mut files: Vec<u8> = (0..20).collect();
            arrange(&mut files, sort, &mut rng);
            files
        };
        let sorted: Vec<u8> = (0..20).collect();
        assert_eq!(arranged(Sort::Alphabetical), sorted);
        let (mut random, mut rotated) = (arranged(Sort::Random), arranged(Sort::RandomStart));
        assert_ne!(random, sorted);
        let first = rotated.iter().position(|file| *file == 0).unwrap();
        rotated.rotate_left(first);
        random.sort_unstable();
        assert_eq!((random, rotated), (sorted.clone(), sorted));
        let mut rng = Rng::from_seed([7; 32]);
        arrange::<u8>(&mut [], Sort::RandomStart, &mut rng);
        arrange::<u8>(&mut [], Sort::Random, &mut rng);
    }
}
