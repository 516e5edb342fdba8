//! Tones that a program plays beside what it does: they sound until another sound, a bridge, or `StopPlaytones`.

use super::channel::Channel;
use super::local;
use super::parties::Parties;
use crate::dialplan::ChannelId;
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;

/// Plays the tone of that name in the channel's zone, or a list of tones, to the telephone whose call it is. A caller
/// who is not answered hears it as early media.
///
/// # Errors
/// There is no such tone, or nothing to play it in.
pub(super) fn start(parties: &mut Parties, id: ChannelId, tone: &str, core: &mut Core) -> Result<(), String> {
    let telephone = local::caller(parties, id);
    if telephone != id && local::unanswered_half(parties, id).is_some() {
        return Err(
            "a tone cannot be played before the answer to a caller who was sent here by another line".to_owned()
        );
    }
    let played = parties.with_party(telephone, core, |party, cx| {
        let list = party.tone_list(tone, cx.core);
        party.send_early_media(cx)?;
        let play = party.start_tone(&list, cx.core)?;
        party.channel.tone_by = (telephone != id).then_some((id, play));
        Ok(())
    });
    played.unwrap_or_else(|| Err("the channel has no telephone".to_owned()))
}

/// A half of a call into the dialplan ends: its tone, which still sounds, does too.
pub(super) fn end(parties: &Parties, half: ChannelId, core: &mut Core) {
    let has_tone = |channel: &&Channel| channel.tone_by == Some((half, channel.plays)) && !talks(parties, channel);
    let telephone = parties.channels().find(has_tone);
    if let Some(stream) = telephone.and_then(Channel::stream) {
        core.out.media.push(MediaCommand::Idle { stream });
    }
}

/// Stops whatever the telephone of a channel is played; nothing else is going on while its program runs.
pub(super) fn stop(parties: &Parties, id: ChannelId, core: &mut Core) {
    let telephone = parties.channel(local::caller(parties, id));
    if let Some(stream) = telephone.filter(|channel| !talks(parties, channel)).and_then(Channel::stream) {
        core.out.media.push(MediaCommand::Idle { stream });
    }
}

/// Is it bridged to another telephone? A half of a call into the dialplan says nothing itself: who is in a bridge with it
/// hears the tone.
pub(super) fn talks(parties: &Parties, channel: &Channel) -> bool {
    let mut others = parties.channels().filter(|other| other.id != channel.id && other.bridge == channel.bridge);
    channel.bridge.is_some() && others.any(|other| other.local().is_none())
}
