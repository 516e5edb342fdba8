//! `regexten=`: extensions that are in the dialplan's `regcontext=` while a line is registered.

use crate::config::peer::Peer;
use crate::dialplan::Existence;
use crate::event::LineEvent;
use crate::pbx::core::Core;
use std::sync::Arc;

/// Who added the extensions, as `dialplan show` tells.
const REGISTRAR: &str = "SIP";

/// A line is registered: its extensions appear, as far as none of that name is there already.
pub(super) fn add(peer: &Peer, core: &mut Core) {
    for (context, exten) in extensions_of(peer, core) {
        if core.config.dialplan.exists(&context, &exten, None, core.now.wall) != Existence::Yes {
            let dialplan = Arc::make_mut(&mut core.config.dialplan);
            dialplan.add_extension(&context, &exten, 1, "NoOp", &peer.name, REGISTRAR);
            core.emit(LineEvent::ExtensionAdded { exten, context });
        }
    }
}

/// A line is gone: so are the extensions that were made for it, and no others.
pub(super) fn remove(peer: &Peer, core: &mut Core) {
    for (context, exten) in extensions_of(peer, core) {
        // Another line may have the same extension in its name.
        let found = core.config.dialplan.find(&context, &exten, 1, None, core.now.wall);
        if found.is_some_and(|found| found.priority.args == peer.name && &*found.priority.registrar == REGISTRAR) {
            Arc::make_mut(&mut core.config.dialplan).remove_extension(&context, &exten, Some(1), REGISTRAR);
            core.emit(LineEvent::ExtensionRemoved { exten, context });
        }
    }
}

/// A line's extensions with their contexts; none without `regcontext=`.
fn extensions_of(peer: &Peer, core: &Core) -> Vec<(String, String)> {
    let contexts = &core.config.general.reg_contexts;
    let mut all = Vec::new();
    if contexts.is_empty() {
        return all;
    }
    for one in peer.reg_extensions() {
        match one.context {
            // As chan_sip: a context named in the peer must be there already.
            Some(context) if !core.config.dialplan.has_context(&context) => {}
            Some(context) => all.push((context, one.extension)),
            None => all.extend(contexts.iter().map(|context| (context.clone(), one.extension.clone()))),
        }
    }
    all
}
