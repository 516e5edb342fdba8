//! Orders to channels, from outside of any call.

use super::Switch;
use crate::clock::Now;
use crate::pbx::calls::orders;
pub use crate::pbx::calls::orders::{NotDone, Order};
use crate::pbx::effect::Effects;

/// Carries an order out, and says what is to be done next.
pub fn carry_out(switch: &mut Switch, now: Now, order: &Order) -> (Result<(), NotDone>, Effects) {
    switch.core.now = now;
    let done = orders::carry_out(&mut switch.calls, order, &mut switch.core);
    (done, switch.turn())
}
