//! What the console, or another program, orders of channels by their names: to go on elsewhere, and to talk to each other.

use super::Calls;
use super::channel::Channel;
use super::moving::{Moving, Unmovable};
use crate::dialplan::program::errand;
use crate::dialplan::{ChannelId, Position, Program};
use crate::event::{Level, LogLine};
use crate::pbx::core::Core;

/// What is ordered. Channels are given by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A channel goes on there, `[[context,]extension,]priority`; whoever it talked to is hung up.
    Redirect(String, String),
    /// Two channels talk to each other; whoever they talked to is hung up.
    Join(String, String),
    /// The telephone of the first takes the place of that of the second, whose program or Dial goes on; the second
    /// telephone is hung up, and whoever the first talked to.
    TakePlace(String, String),
    /// The call that rings at the first is answered by the second.
    PickUp(String, String),
}

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDone {
    /// No channel has this name.
    Unknown(String),
    /// It cannot be done: why.
    Refused(String),
}

/// Carries an order out.
///
/// # Errors
/// Why that cannot be done; nothing has changed then.
pub fn carry_out(calls: &mut Calls, order: &Order, core: &mut Core) -> Result<(), NotDone> {
    let Calls { parties, bridges, .. } = calls;
    let find = |name: &str| -> Result<ChannelId, NotDone> {
        let found = parties.channels().find(|channel| channel.name.eq_ignore_ascii_case(name));
        found.map(|channel| channel.id).ok_or_else(|| NotDone::Unknown(name.to_owned()))
    };
    let refused = |why: Unmovable| NotDone::Refused(why.words().to_owned());
    match order {
        Order::Redirect(channel, place) => {
            let id = find(channel)?;
            let Some(here) = parties.channel(id).map(whereabouts) else {
                return Err(NotDone::Unknown(channel.clone()));
            };
            let to = errand::position(&core.config.dialplan, place, &here, core.now.wall);
            let to = to.ok_or_else(|| NotDone::Refused("there is no such place in extensions.conf".to_owned()))?;
            let text = format!("{}: redirected to {to}", parties.name_of(id));
            let mut moving = Moving { parties, bridges, core };
            let alone = moving.go_on(id, to).map_err(refused)?;
            alone.into_iter().for_each(|other| moving.hang_up(other));
            core.emit(LogLine { level: Level::Verbose(3), text });
        }
        Order::Join(a, b) => {
            let (a, b) = (find(a)?, find(b)?);
            let mut moving = Moving { parties, bridges, core };
            let alone = moving.join(a, b).map_err(refused)?;
            alone.into_iter().for_each(|other| moving.hang_up(other));
        }
        Order::TakePlace(from, into) => {
            let (from, into) = (find(from)?, find(into)?);
            let mut moving = Moving { parties, bridges, core };
            let alone = moving.take_place(from, into).map_err(refused)?;
            [from].into_iter().chain(alone).for_each(|other| moving.hang_up(other));
        }
        Order::PickUp(ringing, by) => {
            let (ringing, by) = (find(ringing)?, find(by)?);
            Moving { parties, bridges, core }.pick_up(ringing, by).map_err(refused)?;
        }
    }
    Ok(())
}

/// Where a channel is in the dialplan; a called line, in the context of its peer.
fn whereabouts(channel: &Channel) -> Position {
    let context = channel.peer().map_or("default", |peer| peer.settings.context.as_str());
    channel.program.as_ref().map_or_else(|| Position::new(context, "s", 1), Program::position)
}
