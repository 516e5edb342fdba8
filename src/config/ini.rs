//! Asterisk's configuration file dialect: sections, `name = value`, `name => value`, comments, templates.

use super::diagnostic::Place;

/// A file as read: its sections in order. Templates are resolved and left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The sections in file order; two of the same name stay two.
    pub sections: Vec<Section>,
}

/// One `[name]` with its entries, inherited ones first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The name between the brackets, as written.
    pub name: String,
    /// Where the section begins.
    pub place: Place,
    /// Its entries in order.
    pub entries: Vec<Entry>,
}

/// One `name = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as written; compare it without case, except in `[globals]`.
    pub name: String,
    /// The value, blanks around it stripped, comments removed, `\;` unescaped.
    pub value: String,
    /// Where it stands.
    pub place: Place,
}
