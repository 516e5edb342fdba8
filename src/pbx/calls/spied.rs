//! How it ends that one channel listens to another.

use super::channel::Channel;
use super::deferred::Deferred;
use super::parties::Parties;
use super::recordings;
use crate::dialplan::ChannelId;
use crate::event::{Level, LogLine};
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;

/// A channel ends, or goes on elsewhere: whoever listens to it is told when it is `dead`, and it listens no more.
pub(super) fn leave(parties: &mut Parties, id: ChannelId, dead: bool) {
    let listens = parties.spies.contains_key(&id);
    let to_it = parties.spies.iter().filter(|(_, spying)| dead && spying.target == id).map(|(spy, _)| *spy);
    let ended: Vec<ChannelId> = to_it.chain(listens.then_some(id)).collect();
    parties.deferred.extend(ended.into_iter().map(Deferred::SpyOver));
}

/// Two channels are bridged: what is done to one that a modem on the other would not bear ends.
pub(super) fn spare(parties: &mut Parties, both: [ChannelId; 2], core: &mut Core) {
    recordings::spare(parties, both, core);
    let modem = both.iter().filter_map(|id| parties.channel(*id)).find(|channel| channel.has_modem());
    let Some(modem) = modem.map(Channel::line).map(str::to_owned) else { return };
    let whispering = parties.spies.values_mut().filter(|spying| spying.plan.whispers && both.contains(&spying.target));
    let mut said = Vec::new();
    for spying in whispering {
        (spying.plan.whispers, spying.plan.barges) = (false, false);
        let (stream, mix, plan) = (spying.stream, spying.mix, Box::new(spying.plan.clone()));
        core.out.media.push(MediaCommand::Spy { stream, mix, plan });
        said.push(spying.target);
    }
    for target in said {
        let text =
            format!("{}: nobody whispers there any more: '{modem}' has a modem (line=modem)", parties.name_of(target));
        core.emit(LogLine { level: Level::Notice, text });
    }
}
