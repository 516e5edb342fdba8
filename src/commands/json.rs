//! What JSON needs of us: a string. Everything else that is printed as JSON is a handful of fixed fields.

use std::fmt::Write as _;

/// A JSON string (RFC 8259 7), its quotes included.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}
