//! How many programs run at once, all together and for one channel.

use crate::dialplan::ChannelId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most at once.
const MAX: usize = 64;
/// The most at once for one channel.
const MAX_OF_CHANNEL: usize = 4;

/// Hands out tickets: one for each program that runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Tickets(Rc<RefCell<BTreeMap<ChannelId, usize>>>);

/// Held as long as a program runs.
pub(super) struct Ticket {
    tickets: Tickets,
    channel: ChannelId,
}

impl Tickets {
    /// A ticket; an error says why there is none.
    pub(super) fn take(&self, channel: ChannelId) -> Result<Ticket, String> {
        let mut running = self.0.borrow_mut();
        if running.values().sum::<usize>() >= MAX {
            return Err(format!("{MAX} programs run already, more are not started"));
        }
        let own = running.entry(channel).or_default();
        if *own >= MAX_OF_CHANNEL {
            return Err(format!("{MAX_OF_CHANNEL} programs of this channel run already, more are not started"));
        }
        *own = own.saturating_add(1);
        Ok(Ticket { tickets: self.clone(), channel })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut running = self.tickets.0.borrow_mut();
        if let Some(own) = running.get_mut(&self.channel) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                running.remove(&self.channel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_for_all_and_so_many_for_one() {
        let tickets = Tickets::default();
        let own: Vec<Ticket> = (0..MAX_OF_CHANNEL).map(|_| tickets.take(ChannelId(1)).ok().unwrap()).collect();
        assert!(tickets.take(ChannelId(1)).is_err());
        let others: Vec<Ticket> =
            (0..).map_while(|number| tickets.take(ChannelId(2 + number)).ok()).take(1000).collect();
        assert_eq!(others.len(), MAX - MAX_OF_CHANNEL);
        drop(own);
        assert!(tickets.take(ChannelId(1)).is_ok());
        drop(others);
        assert!(tickets.0.borrow().is_empty());
    }
}
