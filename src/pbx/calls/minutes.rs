//! How many minutes of a day calls took that the exchange placed (`max_minutes=`).

use super::channel::Channel;
use crate::clock::Time;
use crate::datetime::Civil;
use crate::pbx::core::Core;
use std::time::Duration;

/// A call that the exchange placed is over: its minutes are counted where they are limited.
pub(super) fn count(channel: &Channel, core: &mut Core) {
    let Some(peer) = channel.peer().filter(|peer| channel.placed && peer.limits.max_minutes.is_some()) else { return };
    let Some(answered) = channel.answered else { return };
    let (today, until) = (Today::at(core), channel.cdr.ended().unwrap_or(core.now.mono));
    core.spent.add(&peer.name, &today.day, today.seconds_of(answered, until));
}

/// The day it is where the machine stands.
pub(super) struct Today {
    /// As the record of calls has it.
    pub(super) day: String,
    began: Time,
}

impl Today {
    /// Today, now.
    pub(super) fn at(core: &Core) -> Today {
        let (zones, now) = (core.config.dialplan.zones(), core.now.wall);
        let Civil { hour, minute, second, .. } = zones.local().civil(now);
        let [hour, minute, second] = [hour, minute, second].map(u64::from);
        let since = Duration::from_secs(hour.saturating_mul(3600).saturating_add(minute.saturating_mul(60)) + second);
        let began = Time::from_start(core.now.mono.since_start().saturating_sub(since));
        Today { day: zones.local().format(now, "%F"), began }
    }

    /// How much of a time lies in this day, in seconds.
    pub(super) fn seconds_of(&self, since: Time, until: Time) -> u64 {
        until.since(since.max(self.began)).as_secs()
    }
}
