//! Templates of files: text with names in double braces that are filled in, parts that are repeated for each line of a
//! device, and parts that stand only when there is something to say.
//!
//! `{{name}}` is the value of a name. `{{#name}}` to `{{/name}}` is repeated for each entry of a list, or stands once when
//! the value is not empty; `{{^name}}` to `{{/name}}` stands when it is empty. A line with nothing but one of these three
//! leaves no empty line behind. `{{! ... }}` is a comment.

use super::values::{Entry, Value, Values};
use std::fmt::Write as _;

/// How deep parts may stand within each other.
const MAX_DEPTH: usize = 8;
/// The longest file that is made, in bytes.
const MAX_BYTES: usize = 512 * 1024;
/// How many pieces a file may be made of: lists within lists would be without end.
const MAX_PIECES: usize = 100_000;

/// What must be done to a value so that it stays one within the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// XML: `& < > " '` become references, and what XML 1.0 cannot have is left out.
    Xml,
    /// Lines of text: a value ends no line, and has no double quote (Cisco's `key: "value"` cannot write one).
    Text,
}

/// Whether passwords are written into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passwords {
    /// As they are: for the device.
    Written,
    /// As stars: for people.
    Masked,
}

/// What stands for a password that is not shown.
pub const MASK: &str = "********";

/// A template as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
    Section { name: String, when_empty: bool, parts: Vec<Part> },
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line it is found at, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// A file made of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The file.
    pub text: String,
    /// A password stands in it, or would if it were not masked.
    pub has_secret: bool,
}

/// A piece of the text: what stands before the next braces, or what is in them.
enum Piece<'a> {
    Text(&'a str),
    Tag(&'a str),
}

impl Template {
    /// Reads a template; `is_known` says whether a name may stand in it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str, is_known: &dyn Fn(&str) -> bool) -> Result<Template, Fault> {
        let mut open: Vec<(String, bool, u32, Vec<Part>)> = Vec::new();
        let mut parts = Vec::new();
        let mut line = 1_u32;
        for piece in pieces(text) {
            let (tag, at) = match piece {
                (Piece::Text(text), _) => {
                    parts.push(Part::Text(text.to_owned()));
                    continue;
                }
                (Piece::Tag(tag), at) => (tag.trim(), at),
            };
            line = at;
            let fault = |message: String| Fault { line: at, message };
            let (kind, name) = match tag.chars().next() {
                Some(kind @ ('#' | '^' | '/' | '!')) => (kind, tag.get(1..).unwrap_or_default().trim()),
                Some(_) => (' ', tag),
                None => return Err(fault("there is no name within {{ and }}".into())),
            };
            if kind == '!' {
                continue;
            }
            if !is_known(name) {
                return Err(fault(format!("there is no '{name}' to fill in")));
            }
            match kind {
                '#' | '^' if open.len() >= MAX_DEPTH => return Err(fault("parts stand too deep in each other".into())),
                '#' | '^' => open.push((name.to_owned(), kind == '^', at, std::mem::take(&mut parts))),
                '/' => match open.pop() {
                    Some((begun, when_empty, _, outer)) if begun == name => {
                        let inner = std::mem::replace(&mut parts, outer);
                        parts.push(Part::Section { name: begun, when_empty, parts: inner });
                    }
                    Some((begun, ..)) => {
                        return Err(fault(format!("'{{{{/{name}}}}}' stands where '{begun}' must end first")));
                    }
                    None => return Err(fault(format!("'{{{{/{name}}}}}' ends what was not begun"))),
                },
                _ => parts.push(Part::Value(name.to_owned())),
            }
        }
        match open.pop() {
            Some((name, _, at, _)) => Err(Fault { line: at, message: format!("'{name}' is begun and never ended") }),
            None if text.matches("{{").count() > text.matches("}}").count() => {
                Err(Fault { line, message: "'{{' is not ended by '}}'".into() })
            }
            None => Ok(Template { parts }),
        }
    }

    /// The file that these values make of it.
    pub fn fill(&self, values: &Values, format: Format, passwords: Passwords) -> Filled {
        let filled = Filled { text: String::new(), has_secret: false };
        let mut filling = Filling { values, format, passwords, filled, left: MAX_PIECES };
        filling.parts(&self.parts, &mut Vec::new());
        filling.filled
    }
}

struct Filling<'a> {
    values: &'a Values,
    format: Format,
    passwords: Passwords,
    filled: Filled,
    /// How many pieces it may still be made of.
    left: usize,
}

impl<'a> Filling<'a> {
    /// `within`: the entries of the lists that are being repeated, the innermost last.
    fn parts(&mut self, parts: &[Part], within: &mut Vec<&'a Entry>) {
        for part in parts {
            if self.filled.text.len() > MAX_BYTES || self.left == 0 {
                return;
            }
            self.left = self.left.saturating_sub(1);
            match part {
                Part::Text(text) => self.filled.text.push_str(text),
                Part::Value(name) => match self.values.find(name, within) {
                    Some(Value::Text(text)) => self.write(text),
                    Some(Value::Secret(secret)) => {
                        self.filled.has_secret = true;
                        match self.passwords {
                            Passwords::Written => self.write(secret.reveal()),
                            Passwords::Masked => self.filled.text.push_str(MASK),
                        }
                    }
                    Some(Value::List(_)) | None => {}
                },
                Part::Section { name, when_empty, parts } => {
                    let value = self.values.find(name, within);
                    let is_empty = value.is_none_or(Value::is_empty);
                    match value {
                        Some(Value::List(entries)) if !when_empty => {
                            for entry in entries {
                                within.push(entry);
                                self.parts(parts, within);
                                within.pop();
                            }
                        }
                        _ if is_empty == *when_empty => self.parts(parts, within),
                        _ => {}
                    }
                }
            }
        }
    }

    fn write(&mut self, text: &str) {
        let out = &mut self.filled.text;
        match self.format {
            Format::Xml => out.push_str(&xml(text)),
            Format::Text => out.extend(text.chars().filter(|c| !c.is_control() && *c != '"')),
        }
    }
}

/// A text as it stands in a telephone's XML, between tags or within quotes: unlike [`crate::wording::xml::escape`] in ASCII alone.
pub fn xml(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                // Writing to a String cannot fail.
                let _ = write!(written, "&#{};", u32::from(letter));
            }
            // XML 1.0 2.2: no reference stands for these either.
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter if letter.is_ascii() => written.push(letter),
            // Old telephones take the bytes of UTF-8 for letters of Latin-1.
            letter => {
                let _ = write!(written, "&#{};", u32::from(letter));
            }
        }
    }
    written
}

/// The text in pieces, each tag with its line. A tag that stands alone in its line takes the line with it.
fn pieces(text: &str) -> Vec<(Piece<'_>, u32)> {
    let (mut found, mut rest, mut line) = (Vec::new(), text, 1_u32);
    while let Some((before, tag, after)) = next_tag(rest) {
        let is_alone = matches!(tag.trim_start().chars().next(), Some('#' | '^' | '/' | '!'));
        let (mut before, mut after) = (before, after);
        line = line.saturating_add(lines_in(before));
        let at = line;
        let head = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
        let begins_line = found.is_empty() || head > 0 || rest.len() == text.len() || ends_line(&found);
        let indent = before.get(head..).unwrap_or_default();
        let tail = after.find('\n').map_or(after.len(), |end| end.saturating_add(1));
        let behind = after.get(..tail).unwrap_or_default();
        if is_alone && begins_line && is_blank(indent) && is_blank(behind) {
            before = before.get(..head).unwrap_or_default();
            after = after.get(tail..).unwrap_or_default();
            line = line.saturating_add(lines_in(behind));
        }
        if !before.is_empty() {
            found.push((Piece::Text(before), at));
        }
        line = line.saturating_add(lines_in(tag));
        found.push((Piece::Tag(tag), at));
        rest = after;
    }
    if !rest.is_empty() {
        found.push((Piece::Text(rest), line));
    }
    found
}

/// Whether what was found so far ends a line: with a line's end, or with a tag that took its line with it.
fn ends_line(found: &[(Piece<'_>, u32)]) -> bool {
    match found.last() {
        Some((Piece::Text(text), _)) => text.ends_with('\n'),
        Some((Piece::Tag(tag), _)) => matches!(tag.trim_start().chars().next(), Some('#' | '^' | '/' | '!')),
        None => true,
    }
}

fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (tag, after) = rest.split_once("}}")?;
    Some((before, tag, after))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

fn lines_in(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secret::Secret;

    fn values() -> Values {
        let line = |n: &str, secret: &str| {
            Entry::default()
                .text("n", n)
                .secret("secret", Secret::new(secret))
                .text("label", if n == "1" { "A&B" } else { "" })
        };
        let mut values = Values::default();
        values.set("mac", "0014a9bc0001");
        values.set("ntp", "");
        values.list("lines", vec![line("1", "p<1"), line("2", "p2")]);
        values
    }

    fn filled(text: &str, format: Format, passwords: Passwords) -> Filled {
        Template::parse(text, &|_| true).unwrap().fill(&values(), format, passwords)
    }

    #[test]
    fn names_are_filled_in_and_parts_repeated() {
        let text = "<a m=\"{{mac}}\">\n{{#lines}}\n  <P{{n}}>{{secret}}</P{{n}}>{{#label}}<L>{{label}}</L>{{/label}}\n{{/lines}}\n\
            {{^ntp}}\nno time\n{{/ntp}}\n{{#ntp}}\nntp {{ntp}}\n{{/ntp}}\n{{! said to nobody }}\n</a>\n";
        let made = filled(text, Format::Xml, Passwords::Written);
        let expected = "<a m=\"0014a9bc0001\">\n  <P1>p&lt;1</P1><L>A&amp;B</L>\n  <P2>p2</P2>\nno time\n</a>\n";
        assert_eq!((made.text.as_str(), made.has_secret), (expected, true));
        let masked = filled(text, Format::Xml, Passwords::Masked);
        assert!(masked.has_secret && !masked.text.contains("p2") && masked.text.contains("<P2>********</P2>"));
        assert!(!filled("{{mac}} {{ntp}}{{nothing}}", Format::Text, Passwords::Written).has_secret);
    }

    #[test]
    fn a_value_stays_within_its_place() {
        let mut values = Values::default();
        values.set("label", "a\"b\nline1_password: x\r\u{0}<&>'");
        let fill =
            |format| Template::parse("[{{label}}]", &|_| true).unwrap().fill(&values, format, Passwords::Written).text;
        assert_eq!(fill(Format::Text), "[abline1_password: x<&>']");
        assert_eq!(fill(Format::Xml), "[a&quot;b&#10;line1_password: x&#13;&lt;&amp;&gt;&apos;]");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let fault = |text: &str| {
            let fault = Template::parse(text, &|name| matches!(name, "mac" | "lines" | "n")).unwrap_err();
            (fault.line, fault.message)
        };
        assert_eq!(fault("a\n{{mca}}\n"), (2, "there is no 'mca' to fill in".into()));
        assert_eq!(fault("\n\n{{#lines}}\n{{n}}"), (3, "'lines' is begun and never ended".into()));
        assert_eq!(fault("{{#lines}}\n{{#n}}\n{{/lines}}"), (3, "'{{/lines}}' stands where 'n' must end first".into()));
        assert_eq!(fault("x\n{{/n}}"), (2, "'{{/n}}' ends what was not begun".into()));
        assert_eq!(fault("{{}}"), (1, "there is no name within {{ and }}".into()));
        assert_eq!(fault("{{mac}}\n{{mac"), (1, "'{{' is not ended by '}}'".into()));
        assert_eq!(fault(&"{{#lines}}".repeat(9)), (1, "parts stand too deep in each other".into()));
    }

    /// Whatever somebody writes into a template, it is read or refused, and what is made of it has an end.
    #[test]
    fn any_text_is_read_or_refused() {
        let mut rng = crate::rng::Rng::from_number(14);
        let pieces = ["{{", "}}", "#", "^", "/", "!", "lines", "n", "mac", "\n", " ", "x", "secret", "é"];
        for _ in 0..20_000 {
            let count = rng.below(24);
            let text: String = (0..count)
                .filter_map(|_| pieces.get(usize::try_from(rng.below(pieces.len() as u64)).unwrap()))
                .copied()
                .collect();
            if let Ok(template) = Template::parse(&text, &|_| true) {
                let _ = template.fill(&values(), Format::Xml, Passwords::Masked);
            }
        }
    }
}
