//! Splitting a line of header values at its commas.

use bytes::Bytes;
use memchr::memchr;

/// The values of one line. Slices of it, blanks around them and empty ones left out.
pub struct Items {
    rest: Bytes,
    list: bool,
}

impl Items {
    /// The values of `line`; the line itself when it is not a `list`.
    pub fn new(line: Bytes, list: bool) -> Items {
        Items { rest: line, list }
    }
}

impl Iterator for Items {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while !self.rest.is_empty() {
            let end = if self.list { first_comma(&self.rest) } else { self.rest.len() };
            let mut item = self.rest.split_to(end.min(self.rest.len()));
            if !self.rest.is_empty() {
                // The comma itself.
                let _ = self.rest.split_to(1);
            }
            let left = item.len() - item.trim_ascii_start().len();
            let _ = item.split_to(left);
            item.truncate(item.trim_ascii_end().len());
            if !item.is_empty() {
                return Some(item);
            }
        }
        None
    }
}

/// The first value of a list line, without copying.
pub fn first_item(line: &[u8]) -> &[u8] {
    line.get(..first_comma(line)).unwrap_or(line).trim_ascii()
}

/// The position of the first comma that separates two values; the end of the line when there is none.
pub fn first_comma(line: &[u8]) -> usize {
    if memchr(b',', line).is_none() {
        return line.len();
    }
    let mut at = 0usize;
    while let Some(byte) = line.get(at) {
        let skip = match byte {
            b',' => return at,
            b'"' => closing(line, at, b'"'),
            b'<' => closing(line, at, b'>'),
            b'(' => Some(comment_end(line, at)),
            _ => Some(at),
        };
        match skip {
            Some(last) => at = last.saturating_add(1),
            None => return line.len(),
        }
    }
    line.len()
}

/// Maximum length of a comment whose commas do not split. Bounded, so that a line of brackets does not cost quadratic
/// time.
const MAX_COMMENT: usize = 256;

/// RFC 3261 25.1: comments are balanced; a lone bracket is an ordinary character of a URI.
fn comment_end(line: &[u8], open: usize) -> usize {
    let near = line.get(..open.saturating_add(MAX_COMMENT)).unwrap_or(line);
    closing(near, open, b')').unwrap_or(open)
}

/// Where the quote, bracket or comment that opens at `open` is closed.
fn closing(line: &[u8], open: usize, close: u8) -> Option<usize> {
    let mut at = open.saturating_add(1);
    while let Some(byte) = line.get(at) {
        match byte {
            b if *b == close => return Some(at),
            b'\\' if close != b'>' => at = at.saturating_add(1),
            _ => {}
        }
        at = at.saturating_add(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &'static str) -> Vec<Bytes> {
        Items::new(Bytes::from_static(line.as_bytes()), true).collect()
    }

    #[test]
    fn commas_in_quotes_brackets_and_comments_part_nothing() {
        assert_eq!(split(r#""a\",b" <sip:x,y>;p="1,2" , (c,d) e,f"#), [r#""a\",b" <sip:x,y>;p="1,2""#, "(c,d) e", "f"]);
    }

    #[test]
    fn an_open_quote_swallows_the_rest_but_a_lone_bracket_does_not() {
        assert_eq!(split("a,\"b,c"), ["a", "\"b,c"]);
        assert_eq!(split("sip:a(b@x,sip:c@x"), ["sip:a(b@x", "sip:c@x"]);
        assert_eq!(split(" , ,, "), Vec::<Bytes>::new());
    }

    #[test]
    fn many_lone_brackets_are_cheap() {
        let line = "(".repeat(60_000);
        assert_eq!(first_comma(line.as_bytes()), line.len());
        assert_eq!(Items::new(Bytes::from("a(,".repeat(20_000)), true).count(), 20_000);
    }
}
