//! `regexten=`: extensions that are in the dialplan's `regcontext=` while a line is registered.

use super::Switch;
use crate::config::peer::Peer;
use crate::dialplan::Existence;
use std::sync::Arc;

/// Who added the extensions, as `dialplan show` tells.
const REGISTRAR: &str = "SIP";

impl Switch {
    /// A line is registered: its extensions appear, as far as none of that name is there already.
    pub(super) fn add_extensions(&mut self, peer: &Peer) {
        for (context, exten) in self.extensions_of(peer) {
            if self.settings.dialplan.exists(&context, &exten, None, self.core.now.wall) != Existence::Yes {
                let dialplan = Arc::make_mut(&mut self.settings.dialplan);
                dialplan.add_extension(&context, &exten, 1, "NoOp", &peer.name, REGISTRAR);
                self.core.out.verbose(3, format!("Added extension '{exten}' priority 1 to {context}"));
            }
        }
    }

    /// A line is gone: so are the extensions that were made for it, and no others.
    pub(super) fn remove_extensions(&mut self, peer: &Peer) {
        for (context, exten) in self.extensions_of(peer) {
            let dialplan = &self.settings.dialplan;
            // Another line may have the same extension in its name.
            let found = dialplan.find(&context, &exten, 1, None, self.core.now.wall);
            if found.is_some_and(|found| found.priority.args == peer.name && &*found.priority.registrar == REGISTRAR) {
                Arc::make_mut(&mut self.settings.dialplan).remove_extension(&context, &exten, Some(1), REGISTRAR);
                self.core.out.verbose(3, format!("Removed extension '{exten}' priority 1 from {context}"));
            }
        }
    }

    /// Before a new configuration: the extensions of every registered line go, for their names may change.
    pub(super) fn remove_all_extensions(&mut self) {
        for peer in self.registered() {
            self.remove_extensions(&peer);
        }
    }

    /// After it: those of every line that is still registered appear as it says.
    pub(super) fn add_all_extensions(&mut self) {
        for peer in self.registered() {
            self.add_extensions(&peer);
        }
    }

    fn registered(&self) -> Vec<Arc<Peer>> {
        let peers = self.settings.peers.values();
        peers.filter(|peer| !self.location.bindings(&peer.name).is_empty()).cloned().collect()
    }

    /// A line's extensions with their contexts; none without `regcontext=`.
    fn extensions_of(&self, peer: &Peer) -> Vec<(String, String)> {
        let contexts = &self.settings.general.reg_contexts;
        let mut all = Vec::new();
        if contexts.is_empty() {
            return all;
        }
        for one in peer.reg_extensions() {
            match one.context {
                // As chan_sip: a context named in the peer must be there already.
                Some(context) if !self.settings.dialplan.has_context(&context) => {}
                Some(context) => all.push((context, one.extension)),
                None => all.extend(contexts.iter().map(|context| (context.clone(), one.extension.clone()))),
            }
        }
        all
    }
}
