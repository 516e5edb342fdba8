//! Bodies of several parts (RFC 2046 5.1, RFC 5621).

use super::header::Params;
use super::lex::Scan;
use bytes::Bytes;
use std::fmt;

/// Maximum number of parts of one body.
pub const MAX_PARTS: usize = 16;
/// Maximum number of header lines of one part.
const MAX_LINES: usize = 32;
/// RFC 2046 5.1.1.
const LONGEST_BOUNDARY: usize = 70;

/// Why a body cannot be split into its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken(pub &'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Broken {}

/// One part, or the whole body of a message with its header fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// Content-Type as written; empty when there is none.
    pub content_type: String,
    /// Content-Disposition, in lower case.
    pub disposition: String,
    /// Content-Encoding, in lower case.
    pub encoding: String,
    /// Content-Transfer-Encoding, in lower case.
    pub transfer_encoding: String,
    /// The content.
    pub body: Bytes,
}

impl Part {
    /// Its media type in lower case, without parameters.
    pub fn media_type(&self) -> String {
        self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether it has parts of its own.
    pub fn is_multipart(&self) -> bool {
        self.media_type().starts_with("multipart/")
    }

    /// Whether it may be ignored (RFC 3261 20.11). Without a `handling` parameter it may not.
    pub fn is_optional(&self) -> bool {
        let params = self.disposition.trim_start_matches(|c| c != ';');
        let params = Params::parse(&mut Scan::new(params.as_bytes()));
        params.is_ok_and(|params| {
            params.get("handling").is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
        })
    }

    /// Whether it is without any encoding.
    pub fn is_plain(&self) -> bool {
        matches!(self.encoding.as_str(), "" | "identity")
            && matches!(self.transfer_encoding.as_str(), "" | "7bit" | "8bit" | "binary")
    }

    /// Its parts, in order.
    ///
    /// # Errors
    /// No boundary, none at the end, a malformed part, or too many parts.
    pub fn parts(&self) -> Result<Vec<Part>, Broken> {
        let boundary = boundary(&self.content_type)?;
        let mut parts = Vec::new();
        // The start of the current part; `None` before the first one.
        let mut begun: Option<usize> = None;
        let mut at = 0usize;
        for line in self.body.split_inclusive(|byte| *byte == b'\n') {
            let (start, end) = (at, at.saturating_add(line.len()));
            at = end;
            let Some(is_last) = delimiter(line, &boundary) else { continue };
            if let Some(begun) = begun {
                if parts.len() >= MAX_PARTS {
                    return Err(Broken("more than 16 parts"));
                }
                // The line end before a delimiter belongs to the delimiter; an empty part may lack it.
                let content = self.body.get(begun..start).unwrap_or_default();
                parts.push(part(&self.body, without_line_end(content))?);
            }
            if is_last {
                return Ok(parts);
            }
            begun = Some(end);
        }
        Err(Broken("parts without an end"))
    }
}

fn boundary(content_type: &str) -> Result<String, Broken> {
    let params = content_type.split_once(';').map_or("", |_| content_type.trim_start_matches(|c| c != ';'));
    let params =
        Params::parse(&mut Scan::new(params.as_bytes())).map_err(|_| Broken("a Content-Type that cannot be read"))?;
    let boundary = params.get("boundary").filter(|boundary| (1..=LONGEST_BOUNDARY).contains(&boundary.len()));
    boundary.map(str::to_owned).ok_or(Broken("no boundary"))
}

/// Whether a line is a delimiter, and whether it is the last one.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let (rest, is_last) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    rest.trim_ascii().is_empty().then_some(is_last)
}

fn without_line_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}

/// A part: its header lines, an empty line, its content.
fn part(whole: &Bytes, content: &[u8]) -> Result<Part, Broken> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at.saturating_add(1));
        let (line, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = behind;
        let text = String::from_utf8_lossy(without_line_end(line)).into_owned();
        if text.is_empty() {
            break;
        }
        let is_full = lines.len() >= MAX_LINES;
        match lines.last_mut().filter(|_| text.starts_with([' ', '\t'])) {
            // The continuation of a folded line (RFC 3261 7.3.1).
            Some(last) => last.push_str(&text),
            None if is_full => return Err(Broken("a part with more than 32 header lines")),
            None => lines.push(text),
        }
    }
    let mut part = Part { body: whole.slice_ref(rest), ..Part::default() };
    let mut seen = 0u8;
    for line in &lines {
        let (name, value) = line.split_once(':').ok_or(Broken("a part with a header line that is none"))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let (bit, field, value) = match name.as_str() {
            "content-type" | "c" => (1, &mut part.content_type, value.to_owned()),
            "content-disposition" => (2, &mut part.disposition, value.to_ascii_lowercase()),
            "content-encoding" | "e" => (4, &mut part.encoding, value.to_ascii_lowercase()),
            "content-transfer-encoding" => (8, &mut part.transfer_encoding, value.to_ascii_lowercase()),
            _ => continue,
        };
        if seen & bit != 0 {
            return Err(Broken("a part with a header field twice"));
        }
        seen |= bit;
        *field = value;
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn whole(content_type: &str, body: &str) -> Part {
        Part { content_type: content_type.to_owned(), body: Bytes::from(body.to_owned()), ..Part::default() }
    }

    fn parts(body: &str) -> Result<Vec<(String, String)>, Broken> {
        let parts = whole("multipart/mixed;boundary=b1", body).parts()?;
        Ok(parts.iter().map(|part| (part.media_type(), String::from_utf8_lossy(&part.body).into_owned())).collect())
    }

    fn owned(parts: &[(&str, &str)]) -> Result<Vec<(String, String)>, Broken> {
        Ok(parts.iter().map(|(kind, body)| ((*kind).to_owned(), (*body).to_owned())).collect())
    }

    #[test]
    fn parts_are_what_stands_between_the_boundaries() {
        let body = "preamble\r\n--b1\r\nContent-Type: Application/SDP; x=y\r\nContent-Disposition: session;\r\n handling = OPTIONAL\r\n\r\n\
                    v=0\r\n--b12\r\n\r\n--b1 \t\r\nc:text/plain\r\n\r\n--b1--\r\nepilogue\r\n--b1\r\n";
        assert_eq!(parts(body), owned(&[("application/sdp", "v=0\r\n--b12\r\n"), ("text/plain", "")]));
        let first = &whole("multipart/mixed;boundary=\"b1\"", body).parts().unwrap()[0];
        assert!(first.is_optional() && first.is_plain() && !first.is_multipart(), "{first:?}");
        let unix = body.replace('\r', "");
        assert_eq!(parts(&unix), owned(&[("application/sdp", "v=0\n--b12\n"), ("text/plain", "")]));
    }

    /// AST-2017-003: a part of no length at all.
    #[test]
    fn parts_of_no_length_are_parts() {
        assert_eq!(parts("--b1\r\n--b1--"), owned(&[("", "")]));
        assert_eq!(parts("--b1\r\n--b1\r\n\r\n--b1\r\n\r\n\r\n--b1--"), owned(&[("", ""), ("", ""), ("", "")]));
        assert_eq!(parts("--b1--"), owned(&[]));
        assert_eq!(parts("--b1\r\nContent-Type: application/sdp\r\n--b1--\r\n"), owned(&[("application/sdp", "")]));
    }

    #[test]
    fn what_cannot_be_taken_apart_says_why() {
        for (body, why) in [
            ("", "parts without an end"),
            ("--b1\r\n\r\nabc", "parts without an end"),
            ("--b1\r\n\r\nabc--b1--", "parts without an end"),
            ("--b1\r\nno header\r\n\r\n--b1--", "a part with a header line that is none"),
            ("--b1\r\nc: a/b\r\nContent-Type: c/d\r\n\r\n--b1--", "a part with a header field twice"),
        ] {
            assert_eq!(parts(body), Err(Broken(why)), "{body:?}");
        }
        let sixteen = "--b1\r\n\r\nx\r\n".repeat(16);
        assert_eq!(parts(&format!("{sixteen}--b1--")).unwrap().len(), 16);
        assert_eq!(parts(&format!("{sixteen}--b1\r\n--b1--")), Err(Broken("more than 16 parts")));
        let lines = format!("--b1\r\n{}\r\n--b1--", "X: y\r\n".repeat(33));
        assert_eq!(parts(&lines), Err(Broken("a part with more than 32 header lines")));
        for kind in
            ["multipart/mixed", "multipart/mixed;x=y", "multipart/mixed;boundary=\"\"", "multipart/mixed;boundary"]
        {
            assert_eq!(whole(kind, "--b1--").parts(), Err(Broken("no boundary")), "{kind}");
        }
        let long = format!("multipart/mixed;boundary={}", "b".repeat(71));
        assert_eq!(whole(&long, "--b--").parts(), Err(Broken("no boundary")));
        assert_eq!(whole("multipart/mixed;=", "").parts(), Err(Broken("a Content-Type that cannot be read")));
    }

    #[test]
    fn mutated_bodies_stay_in_bounds() {
        let good = "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n--b1\r\nContent-Type: multipart/mixed;boundary=b1\r\n\
                    Content-Disposition: render;handling=optional\r\n\r\n--b1\r\n\r\n\r\n--b1--\r\n";
        let mut rng = Rng::from_number(5621);
        let (mut taken, mut broken) = (0, 0);
        for _ in 0..20_000 {
            let mut body = good.as_bytes().to_vec();
            for _ in 0..=rng.below(4) {
                let at = rng.below(body.len() as u64) as usize;
                match rng.below(4) {
                    0 if body.len() > 1 => drop(body.remove(at)),
                    1 => body.insert(at, b"\r\n-b1:; \"\0"[rng.below(10) as usize]),
                    2 => body.truncate(at.max(1)),
                    _ => body.extend_from_within(at..),
                }
            }
            let part =
                Part { content_type: "multipart/mixed;boundary=b1".into(), body: body.into(), ..Part::default() };
            match part.parts() {
                Ok(parts) => {
                    taken += 1;
                    assert!(parts.len() <= MAX_PARTS);
                    let inside: usize = parts.iter().map(|part| part.body.len()).sum();
                    assert!(inside <= part.body.len());
                }
                Err(_) => broken += 1,
            }
        }
        assert!(taken > 2_000 && broken > 2_000, "{taken} taken, {broken} broken");
    }
}
