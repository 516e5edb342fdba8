//! What `Pickup` and `PickupChan` have in common.

use super::app::Outcome;
use super::ask::PickUp;
use super::handle::ChannelHandle;
use super::handover::PickupTarget;
use super::menu;
use super::request::Interrupted;
use crate::event::Level;

/// The most targets.
pub(super) const MAX_TARGETS: usize = 50;

/// Picks the first of them up; goes on when none rings.
pub(super) async fn pick_up(mut channel: ChannelHandle, targets: Vec<PickupTarget>) -> Result<Outcome, Interrupted> {
    let missed = channel.ask(PickUp(targets)).await?;
    channel.log(Level::Notice, missed.why);
    if !missed.sound.is_empty() {
        let played = channel.play(vec![missed.sound]).await?;
        menu::was_played(&channel, "Pickup", &played);
    }
    Ok(Outcome::Next)
}
