//! JSON (RFC 8259), as far as it is printed here: strings, and objects field by field.

use std::fmt::{Display, Write as _};

/// A JSON string (RFC 8259 7), its quotes included.
pub fn quoted(text: &str) -> String {
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

/// A JSON object that is made field by field, in their order.
#[derive(Debug, Default)]
pub struct Object(String);

impl Object {
    /// A text.
    #[must_use]
    pub fn text(self, name: &str, text: &str) -> Object {
        self.raw(name, quoted(text))
    }

    /// A number, or `true` and `false`.
    #[must_use]
    pub fn number(self, name: &str, number: impl Display) -> Object {
        self.raw(name, number)
    }

    /// A number; without one, `null`.
    #[must_use]
    pub fn maybe(self, name: &str, number: Option<impl Display>) -> Object {
        match number {
            Some(number) => self.raw(name, number),
            None => self.raw(name, "null"),
        }
    }

    /// Something that is JSON already.
    #[must_use]
    pub fn raw(mut self, name: &str, json: impl Display) -> Object {
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{comma}{}:{json}", quoted(name));
        self
    }

    /// All of it.
    pub fn end(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A JSON array, an element a line.
pub fn array(elements: impl IntoIterator<Item = String>) -> String {
    let elements: Vec<String> = elements.into_iter().collect();
    if elements.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", elements.join(",\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_arrays_are_json() {
        let one =
            Object::default().text("a", "x\"\n").number("b", 1.5).maybe("c", None::<u8>).raw("d", array([])).end();
        assert_eq!(one, r#"{"a":"x\"\u000a","b":1.5,"c":null,"d":[]}"#);
        assert_eq!(array([one.clone(), "{}".to_owned()]), format!("[\n{one},\n{{}}\n]"));
    }
}
