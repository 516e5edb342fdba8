//! What was found in the store.

use crate::registrar::location::Restored;

/// What was found in the store.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The registrations, a peer's newest last.
    pub bindings: Vec<Restored>,
    /// The key/value database: full names and values.
    pub values: Vec<(String, String)>,
    /// The subscriptions: our tag, and all of each.
    pub subscriptions: Vec<(String, String)>,
}
