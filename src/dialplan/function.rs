//! What every dialplan function is made of: its description, how it is read, and how it is assigned.

use super::scope::Scope;

/// Reads a function: its arguments, substituted; an error says why there is no value.
pub(crate) type Read = fn(&mut Scope<'_>, &str) -> Result<String, String>;
/// Assigns a function: its arguments and the value.
pub(crate) type Write = fn(&mut Scope<'_>, &str, &str) -> Result<(), String>;

/// A dialplan function.
pub struct Function {
    /// Its name; matched without case.
    pub name: &'static str,
    /// What it gives, in one line.
    pub synopsis: &'static str,
    /// Its arguments.
    pub syntax: &'static str,
    pub(crate) read: Option<Read>,
    pub(crate) write: Option<Write>,
}
