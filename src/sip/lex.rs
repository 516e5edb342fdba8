//! The lexical elements that all SIP grammars share (RFC 3261 25.1): tokens, white space, quoted strings.

use smol_str::SmolStr;
use std::borrow::Cow;

/// A position in a header value. Every step is checked; none can run past the end.
pub(crate) struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Scan<'a> {
        Scan { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips linear white space; folded lines are unfolded by the parser, but a header built elsewhere may still hold
    /// CR and LF.
    pub(crate) fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|b| !wanted(*b)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    pub(crate) fn token(&mut self) -> &'a [u8] {
        self.take_while(is_token_byte)
    }

    /// The content of a quoted string, escapes kept as written; `None` (and nothing consumed) when it does not begin
    /// here or does not end.
    pub(crate) fn quoted(&mut self) -> Option<&'a [u8]> {
        let inside = self.rest.strip_prefix(b"\"")?;
        let mut escaped = false;
        for (at, byte) in inside.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.rest = inside.get(at + 1..)?;
                    return inside.get(..at);
                }
                _ => {}
            }
        }
        None
    }
}

/// RFC 3261 25.1, `token`.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Whether the whole of `bytes` is one token.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|b| is_token_byte(*b))
}

/// Bytes as text: UTF-8 (RFC 3261 7.3.1), or else Latin-1, which old devices send.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

/// The same as an owned string: most values are short enough to need no allocation.
pub(crate) fn kept(bytes: &[u8]) -> SmolStr {
    SmolStr::new(text(bytes))
}

/// Removes the backslashes from the content of a quoted string.
pub(crate) fn unescape(inside: &[u8]) -> SmolStr {
    if !inside.contains(&b'\\') {
        return kept(inside);
    }
    let mut plain = Vec::with_capacity(inside.len());
    let mut escaped = false;
    for byte in inside {
        if *byte == b'\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            plain.push(*byte);
        }
    }
    kept(&plain)
}

/// Writes `text` as a quoted string.
pub(crate) fn write_quoted(f: &mut std::fmt::Formatter<'_>, text: &str) -> std::fmt::Result {
    use std::fmt::Write;
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                f.write_char('\\')?;
                f.write_char(c)?;
            }
            '\r' | '\n' => f.write_char(' ')?,
            // RFC 3261 25.1: a control character may occur as a quoted-pair only.
            '\0'..='\x1f' | '\x7f' => {
                f.write_char('\\')?;
                f.write_char(c)?;
            }
            _ => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// A number written in digits only, at most `max`.
pub(crate) fn number(digits: &[u8], max: u64) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut value = 0u64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    (value <= max).then_some(value)
}

/// A port from 1 to 65535.
pub(crate) fn port(digits: &[u8]) -> Option<u16> {
    number(digits, 65_535).and_then(|n| u16::try_from(n).ok()).filter(|n| *n != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_ends_at_the_first_quote_that_is_not_escaped() {
        let mut scan = Scan::new(br#""a \" b\\" rest"#);
        assert_eq!(scan.quoted().map(unescape).as_deref(), Some(r#"a " b\"#));
        assert_eq!(scan.rest(), b" rest");
        assert_eq!(Scan::new(br#""open"#).quoted(), None);
        assert_eq!(Scan::new(br#""open\""#).quoted(), None);
    }

    #[test]
    fn numbers_are_digits_within_their_bound() {
        assert_eq!(number(b"0068", 255), Some(68));
        assert_eq!(number(b"256", 255), None);
        assert_eq!(number(b"-1", 255), None);
        assert_eq!(number(b"36893488147419103232", u64::MAX), None);
        assert_eq!(port(b"0"), None);
        assert_eq!(port(b"65536"), None);
    }

    #[test]
    fn bytes_that_are_no_utf8_read_as_latin1() {
        assert_eq!(text(b"J\xfcrgen"), "Jürgen");
    }
}
