//! What the methods of a leg work with: the core, and the tables by which a message finds its leg.

use super::event::LegEvent;
use crate::dialplan::ChannelId;
use crate::pbx::core::LegTimer;

use crate::pbx::core::{CallTimer, Core, LegId, Timer};
use crate::sip::Flow;
use crate::sip::dialog::DialogKey;
use crate::sip::timer::TimerId;
use crate::sip::transaction::ServerId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// RFC 3261 17.1.1.1: the estimate of the round-trip time.
pub(super) const T1: Duration = Duration::from_millis(500);
/// RFC 3261 17.1.2.2: the longest interval between two retransmissions.
pub(super) const T2: Duration = Duration::from_secs(4);

/// Which leg a message belongs to, and what happened on legs since their calls looked.
#[derive(Default)]
pub struct LegIndex {
    /// What happened on legs, for their calls to handle afterwards.
    pub events: VecDeque<(ChannelId, LegEvent)>,
    /// Legs that ended and are to be forgotten.
    pub ended: Vec<LegId>,
    /// Which leg an INVITE server transaction belongs to, until it is refused or its 2xx is acknowledged.
    pub servers: BTreeMap<ServerId, LegId>,
    /// Which leg a dialog belongs to.
    pub dialogs: BTreeMap<DialogKey, LegId>,
}

/// What a method of a leg works with: the core, and the tables that lead to legs.
pub struct Cx<'a> {
    /// Time, transactions, timers, effects.
    pub core: &'a mut Core,
    /// Where the leg enters its dialogs and transactions, and reports what happened.
    pub index: &'a mut LegIndex,
}

impl Cx<'_> {
    pub(super) fn timer(&mut self, leg: LegId, timer: LegTimer, after: Duration) -> TimerId {
        self.core.timers.set(self.core.now.mono + after, Timer::Call(CallTimer::Leg(leg, timer)))
    }
}

/// Where a peer is reached.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The flow its messages come and go by.
    pub flow: Flow,
    /// It is reached at where it sends from rather than where its Contact says it is.
    pub behind_nat: bool,
}
