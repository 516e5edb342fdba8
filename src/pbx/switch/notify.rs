//! `sip notify`: an order to a telephone, from outside of any call.

use super::Switch;
use crate::clock::Now;
use crate::pbx::effect::Effects;
use crate::pbx::lines::notify;
pub use crate::pbx::lines::notify::Notified;

/// Sends a peer the NOTIFY of a type, and says what is to be done next.
pub fn send(switch: &mut Switch, now: Now, kind: &str, peer: &str) -> (Notified, Effects) {
    switch.core.now = now;
    let sent = notify::send(&switch.lines, kind, peer, &mut switch.core);
    (sent, switch.take_effects())
}

/// The types there are, by name.
pub fn types(switch: &Switch) -> Vec<String> {
    switch.core.config.notify_types.names().into_iter().map(str::to_owned).collect()
}
