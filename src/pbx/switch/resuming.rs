//! A graceful stop, taken back.

use super::{Stopping, Switch};

/// Takes calls again after the switch was told to stop gracefully; false: it was not.
pub fn resume(switch: &mut Switch) -> bool {
    switch.stopping.take_if(|how| *how == Stopping::Gracefully).is_some()
}
