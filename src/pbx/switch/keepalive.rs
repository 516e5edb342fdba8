//! `keepalive=`: an empty packet now and then, so that an address translator on the way keeps its door open.

use super::Switch;
use crate::pbx::call_timer::CallTimer;
use crate::sip::Flow;
use crate::sip::transaction::Transmit;
use bytes::Bytes;

impl Switch {
    /// Peers that are somewhere are kept alive, from the start of a configuration.
    pub(super) fn keep_all_alive(&mut self) {
        let peers = self.settings.peers.values();
        let there =
            peers.filter(|peer| self.static_address(peer).is_some() || !self.location.bindings(&peer.name).is_empty());
        let names: Vec<String> = there.map(|peer| peer.name.clone()).collect();
        for name in names {
            self.keep_alive(&name);
        }
    }

    /// Has a peer sent its next empty packet after its time, unless that is arranged already or nobody asked for it.
    pub(super) fn keep_alive(&mut self, name: &str) {
        let Some(every) = self.settings.peers.get(name).and_then(|peer| peer.settings.keepalive) else { return };
        if self.keepalives.insert(name.to_owned()) {
            self.core.timers.set(self.core.now.mono + every, CallTimer::Keepalive(name.to_owned()));
        }
    }

    /// CR LF to everywhere a peer is. One that is nowhere is forgotten until it registers.
    pub(super) fn keepalive_due(&mut self, name: &str) {
        self.keepalives.remove(name);
        let Some(peer) = self.settings.peers.get(name).filter(|peer| peer.settings.keepalive.is_some()) else { return };
        let bindings = self.location.bindings(name).iter();
        let mut flows: Vec<Flow> = bindings.map(|binding| binding.flow).collect();
        if flows.is_empty()
            && let Some(remote) = self.static_address(peer)
        {
            flows.push(self.flow_to(peer, remote));
        }
        if flows.is_empty() {
            return;
        }
        let packets = flows.into_iter().map(|flow| Transmit { flow, bytes: Bytes::from_static(b"\r\n") });
        self.core.out.transmit.extend(packets);
        self.keep_alive(name);
    }
}
