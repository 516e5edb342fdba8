//! `keepalive=`: NAT keep-alive (CRLF), so that an address translator on the way keeps its mapping.

use crate::config::peer::Peer;
use crate::pbx::core::{Core, LineTimer, Timer};
use crate::sip::Flow;
use crate::sip::transaction::Transmit;
use bytes::Bytes;
use std::collections::BTreeSet;

/// The peers whose next keep-alive is due at some time.
#[derive(Default)]
pub(super) struct KeepAlives(BTreeSet<String>);

impl KeepAlives {
    /// Has a peer sent its next keep-alive after its time, unless that is arranged already or it has no `keepalive=`.
    pub(super) fn arm(&mut self, peer: &Peer, core: &mut Core) {
        let Some(every) = peer.settings.keepalive else { return };
        if self.0.insert(peer.name.clone()) {
            core.set_timer(every, Timer::Line(LineTimer::Keepalive(peer.name.clone())));
        }
    }

    /// A peer's keep-alive is due: CR LF to everywhere it is. One that is nowhere is forgotten until it registers.
    pub(super) fn due(&mut self, name: &str, peer: Option<&Peer>, flows: Vec<Flow>, core: &mut Core) {
        self.0.remove(name);
        let Some(peer) = peer.filter(|peer| peer.settings.keepalive.is_some() && !flows.is_empty()) else { return };
        let packets = flows.into_iter().map(|flow| Transmit { flow, bytes: Bytes::from_static(b"\r\n") });
        core.out.transmit.extend(packets);
        self.arm(peer, core);
    }

    /// How many timers they have set.
    pub(super) fn timers(&self) -> usize {
        self.0.len()
    }
}
