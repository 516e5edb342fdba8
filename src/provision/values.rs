//! What templates are filled with: texts, passwords and lists, by name.

pub mod names;

use crate::config::secret::Secret;
use std::collections::BTreeMap;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text; empty: there is nothing to say.
    Text(String),
    /// A password: written for the device alone.
    Secret(Secret),
    /// Entries that a part is repeated for.
    List(Vec<Entry>),
}

impl Value {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.is_empty(),
            Value::Secret(secret) => secret.reveal().is_empty(),
            Value::List(entries) => entries.is_empty(),
        }
    }
}

/// The names of one entry of a list, such as one line of a device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry(BTreeMap<&'static str, Value>);

impl Entry {
    /// With this text.
    #[must_use]
    pub fn text(mut self, name: &'static str, text: impl Into<String>) -> Entry {
        self.0.insert(name, Value::Text(text.into()));
        self
    }

    /// With this password.
    #[must_use]
    pub fn secret(mut self, name: &'static str, secret: Secret) -> Entry {
        self.0.insert(name, Value::Secret(secret));
        self
    }

    /// With this list.
    #[must_use]
    pub fn list(mut self, name: &'static str, entries: Vec<Entry>) -> Entry {
        self.0.insert(name, Value::List(entries));
        self
    }

    /// With `yes` or nothing.
    #[must_use]
    pub fn flag(self, name: &'static str, is_set: bool) -> Entry {
        self.text(name, if is_set { "yes" } else { "" })
    }
}

/// All names of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    outer: Entry,
}

impl Values {
    /// Sets a text.
    pub fn set(&mut self, name: &'static str, text: impl Into<String>) {
        self.outer.0.insert(name, Value::Text(text.into()));
    }

    /// Sets a password.
    pub fn secret(&mut self, name: &'static str, secret: Secret) {
        self.outer.0.insert(name, Value::Secret(secret));
    }

    /// Sets a list.
    pub fn list(&mut self, name: &'static str, entries: Vec<Entry>) {
        self.outer.0.insert(name, Value::List(entries));
    }

    /// The value of a name: of the innermost entry that has it, else of the file.
    pub(super) fn find<'a>(&'a self, name: &str, within: &[&'a Entry]) -> Option<&'a Value> {
        within.iter().rev().find_map(|entry| entry.0.get(name)).or_else(|| self.outer.0.get(name))
    }

    /// Every name that is set, those of lists too.
    #[cfg(test)]
    pub(super) fn names(&self) -> std::collections::BTreeSet<&'static str> {
        fn collect(entry: &Entry, names: &mut std::collections::BTreeSet<&'static str>) {
            for (name, value) in &entry.0 {
                names.insert(name);
                if let Value::List(entries) = value {
                    entries.iter().for_each(|entry| collect(entry, names));
                }
            }
        }
        let mut names = std::collections::BTreeSet::new();
        collect(&self.outer, &mut names);
        names
    }
}
