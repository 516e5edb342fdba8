//! The certificate and key that TLS is spoken with.

use super::finding::Finding;
use crate::clock::Wall;
use crate::config::load::Loaded;
use crate::daemon::certificates;

/// What `check` says of them, each as something to do; nothing where TLS is off.
pub(super) fn certificates(loaded: &Loaded, now: Wall) -> Vec<Finding> {
    if loaded.config.as_ref().is_none_or(|config| config.sip.general.streams.tls.is_none()) {
        return Vec::new();
    }
    let found = certificates::findings(loaded, now);
    if found.is_empty() {
        return vec![Finding::fine("tls", "the certificate and its key fit, and are good for 30 days and more")];
    }
    let todo = |one: &crate::config::diagnostic::Diagnostic| {
        let what = format!("{}: {}", one.place, one.message);
        Finding::todo("tls", what, one.hint.clone().unwrap_or_default())
    };
    found.iter().map(todo).collect()
}
