//! One option of a smaller file as a row of its table: how it is read, and what the reference page says of it.

use super::diagnostic::Diagnostic;
use super::ini::Entry;
use super::small_files::{self, Ignored};

/// An option that sets something of a `T`.
pub struct ConfRow<T: 'static> {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What it accepts, for people.
    pub values: &'static str,
    /// What holds when it is absent, for people.
    pub default: &'static str,
    /// What it does, for people.
    pub help: &'static str,
    /// Reads the value; `None`: it is none.
    pub set: fn(&mut T, &str) -> Option<()>,
}

/// Sets what a line says; else what is to be said of the line.
pub(super) fn apply<T>(
    rows: &'static [ConfRow<T>],
    ignored: &[Ignored],
    into: &mut T,
    entry: &Entry,
) -> Result<(), Diagnostic> {
    match rows.iter().find(|row| entry.is(row.name)) {
        Some(row) => (row.set)(into, entry.value.trim()).ok_or_else(|| small_files::bad(entry, row.values)),
        None => {
            let known: Vec<&'static str> = rows.iter().map(|row| row.name).collect();
            small_files::ignored(entry, &known, ignored)
        }
    }
}
