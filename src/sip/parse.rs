//! The parser: from a datagram to a message. It refuses only what cannot be framed: everything else becomes a message,
//! with its first error recorded, so that `validate` can name the required response.

use super::header::{HeaderName, Headers};
use super::message::{Message, Request, Response};
use super::{Method, lex};
use bytes::Bytes;
use memchr::memchr;
use std::fmt;
use std::ops::Range;

/// Maximum size of a datagram: the most that UDP can carry over IPv4.
pub const MAX_DATAGRAM: usize = 65_507;
/// Maximum number of header fields of a message.
pub const MAX_HEADERS: usize = 256;

/// Why a datagram is dropped without a response. Each reason is counted under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unframed {
    /// No bytes at all.
    Empty,
    /// Only line ends, blanks or zeros: what phones send to keep a NAT open.
    KeepAlive,
    /// More than `MAX_DATAGRAM` bytes.
    TooLarge,
    /// The first line is neither that of a request nor of a response: another protocol, or noise.
    NotSip,
    /// The first line names SIP, but method, URI or status cannot be separated.
    BadStartLine,
    /// A response whose header fields are malformed, or whose version is not 2.0.
    BadHeader,
    /// A response that lacks Via, From, To, Call-ID or CSeq.
    MissingHeader,
    /// A response that repeats a header field it may have only once.
    DuplicateHeader,
    /// A response with fewer bytes of body than its Content-Length says.
    BodyTruncated,
    /// A request whose topmost Via is malformed: there is no address for a response.
    NoVia,
}

impl Unframed {
    /// Every reason, for the counters.
    pub const ALL: [Unframed; 10] = [
        Unframed::Empty,
        Unframed::KeepAlive,
        Unframed::TooLarge,
        Unframed::NotSip,
        Unframed::BadStartLine,
        Unframed::BadHeader,
        Unframed::MissingHeader,
        Unframed::DuplicateHeader,
        Unframed::BodyTruncated,
        Unframed::NoVia,
    ];

    /// The reason's name in counters and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Unframed::Empty => "empty",
            Unframed::KeepAlive => "keep_alive",
            Unframed::TooLarge => "too_large",
            Unframed::NotSip => "not_sip",
            Unframed::BadStartLine => "bad_start_line",
            Unframed::BadHeader => "bad_header",
            Unframed::MissingHeader => "missing_header",
            Unframed::DuplicateHeader => "duplicate_header",
            Unframed::BodyTruncated => "body_truncated",
            Unframed::NoVia => "no_via",
        }
    }
}

impl fmt::Display for Unframed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unframed::Empty => "an empty datagram",
            Unframed::KeepAlive => "a keep-alive",
            Unframed::TooLarge => "a datagram larger than 65,507 bytes",
            Unframed::NotSip => "not SIP",
            Unframed::BadStartLine => "a SIP start line that cannot be read",
            Unframed::BadHeader => "a response whose header fields cannot be read",
            Unframed::MissingHeader => "a response that lacks Via, From, To, Call-ID or CSeq",
            Unframed::DuplicateHeader => "a response that repeats a header field it may have only once",
            Unframed::BodyTruncated => "a response whose body is shorter than its Content-Length",
            Unframed::NoVia => "a request without a readable Via",
        })
    }
}

impl std::error::Error for Unframed {}

/// The first error the parser found in a message that it could still frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// The version is not SIP/2.0: 505.
    Version,
    /// White space in the first line that is not one blank between its three parts.
    StartLineSpace,
    /// The method is not a token.
    Method,
    /// A header line without a colon, or whose name is not a token.
    HeaderLine,
    /// More than `MAX_HEADERS` header fields; the rest was not read.
    TooManyHeaders,
    /// The header fields do not end in an empty line.
    NoEmptyLine,
    /// The Content-Length is not a number.
    ContentLength,
    /// The body is shorter than the Content-Length says.
    BodyTruncated,
}

impl Flaw {
    /// What is wrong, as the reason phrase of the response.
    pub fn reason(self) -> &'static str {
        match self {
            Flaw::Version => "Version Not Supported",
            Flaw::StartLineSpace => "Extra White Space In Request-Line",
            Flaw::Method => "Malformed Method",
            Flaw::HeaderLine => "Malformed Header Line",
            Flaw::TooManyHeaders => "Too Many Header Fields",
            Flaw::NoEmptyLine => "No Empty Line After Header Fields",
            Flaw::ContentLength => "Malformed Content-Length header",
            Flaw::BodyTruncated => "Body Shorter Than Content-Length",
        }
    }
}

impl Message {
    /// Parses one datagram. Header values and body are slices of it; only folded values are copied.
    pub fn parse(datagram: &Bytes) -> Result<Message, Unframed> {
        if datagram.len() > MAX_DATAGRAM {
            return Err(Unframed::TooLarge);
        }
        if datagram.is_empty() {
            return Err(Unframed::Empty);
        }
        // RFC 3261 7.5: "Implementations processing SIP messages over stream-oriented transports MUST ignore any CRLF
        // appearing before the start-line"; over UDP we do the same.
        let begin = datagram.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(datagram.len());
        if datagram.iter().skip(begin).all(|b| matches!(b, b'\r' | b'\n' | b' ' | b'\t' | 0)) {
            return Err(Unframed::KeepAlive);
        }
        let mut reader = Reader { datagram, at: begin, flaw: None };
        let line = reader.next_line().ok_or(Unframed::NotSip)?;
        let mut message = reader.start_line(line)?;
        let (headers, length) = reader.headers();
        let body = reader.body(length);
        match &mut message {
            Message::Request(request) => {
                (request.headers, request.body, request.flaw) = (headers, body, reader.flaw);
            }
            Message::Response(response) => {
                (response.headers, response.body, response.flaw) = (headers, body, reader.flaw);
            }
        }
        match (&message, reader.flaw) {
            // RFC 3261 18.3: a response whose body is cut off is discarded, the response to a request is 400.
            (Message::Response(_), Some(Flaw::BodyTruncated)) => Err(Unframed::BodyTruncated),
            _ => Ok(message),
        }
    }
}

/// The length of the body that follows this first line and header fields in a stream (RFC 3261 18.3); without a
/// Content-Length there is no body.
///
/// # Errors
/// The length cannot be determined, or is ambiguous: the reason in words.
pub fn stream_length(head: &Bytes) -> Result<usize, &'static str> {
    let mut reader = Reader { datagram: head, at: 0, flaw: None };
    reader.next_line();
    let (headers, length) = reader.headers();
    if headers.len() >= MAX_HEADERS {
        return Err("256 header fields or more");
    }
    if headers.lines(HeaderName::ContentLength).count() > 1 {
        return Err("more than one Content-Length");
    }
    let Some(length) = length else { return Ok(0) };
    lex::number(&length, u64::from(u32::MAX))
        .and_then(|length| usize::try_from(length).ok())
        .ok_or("a Content-Length that is no number")
}

struct Reader<'a> {
    datagram: &'a Bytes,
    at: usize,
    flaw: Option<Flaw>,
}

impl Reader<'_> {
    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.datagram.get(range.clone()).unwrap_or_default()
    }

    fn cut(&self, range: Range<usize>) -> Bytes {
        if range.start < range.end && range.end <= self.datagram.len() {
            self.datagram.slice(range)
        } else {
            Bytes::new()
        }
    }

    fn note(&mut self, flaw: Flaw) {
        self.flaw.get_or_insert(flaw);
    }

    /// The next line without its end. CRLF ends a line; so does a bare LF, which old devices and test tools send. A
    /// bare CR does not: a parser that takes it for a line end sees other header fields than this one.
    fn next_line(&mut self) -> Option<Range<usize>> {
        let rest = self.datagram.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let (mut end, next) = match memchr(b'\n', rest) {
            Some(length) => (start + length, start + length + 1),
            None => (self.datagram.len(), self.datagram.len()),
        };
        if end > start && self.datagram.get(end - 1) == Some(&b'\r') {
            end -= 1;
        }
        self.at = next;
        Some(start..end)
    }

    fn trim(&self, range: Range<usize>) -> Range<usize> {
        let bytes = self.bytes(&range);
        let left = bytes.len() - bytes.trim_ascii_start().len();
        let start = range.start + left;
        start..start + bytes.trim_ascii().len()
    }

    /// RFC 3261 7.1 and 7.2: Request-Line or Status-Line.
    fn start_line(&mut self, line: Range<usize>) -> Result<Message, Unframed> {
        let bytes = self.bytes(&line);
        if bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return self.status_line(line).ok_or(Unframed::BadStartLine).map(Message::Response);
        }
        // The version is searched at the end of the line, so that a URI with blanks in it still gets a 400.
        let trimmed = bytes.trim_ascii_end();
        let version_at = trimmed.iter().rposition(|b| is_blank(*b)).ok_or(Unframed::NotSip)? + 1;
        let version = trimmed.get(version_at..).unwrap_or_default();
        if !version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return Err(Unframed::NotSip);
        }
        let method_end = bytes.iter().position(|b| is_blank(*b)).unwrap_or(0);
        if method_end == 0 {
            return Err(Unframed::BadStartLine);
        }
        let version_ok = version.eq_ignore_ascii_case(b"SIP/2.0");
        // RFC 3261 7.1: single blanks between the parts, no other white space anywhere.
        let tidy = bytes.iter().filter(|b| is_blank(**b)).eq(b"  ");
        let wide = line.start + method_end..line.start + version_at;
        let target = self.trim(wide);
        if target.is_empty() {
            return Err(Unframed::BadStartLine);
        }
        let method = Method::from_shared(self.cut(line.start..line.start + method_end));
        if !version_ok {
            self.note(Flaw::Version);
        }
        if !tidy {
            self.note(Flaw::StartLineSpace);
        }
        if !lex::is_token(method.as_bytes()) {
            self.note(Flaw::Method);
        }
        Ok(Message::Request(Request::new(method, self.cut(target))))
    }

    fn status_line(&mut self, line: Range<usize>) -> Option<Response> {
        let bytes = self.bytes(&line);
        let version = bytes.get(..7)?;
        let digits = bytes.get(8..11)?;
        let blank = bytes.get(7) == Some(&b' ') && bytes.get(11).is_none_or(|b| *b == b' ');
        let status = lex::number(digits, 699).filter(|n| *n >= 100).and_then(|n| u16::try_from(n).ok())?;
        if !blank || !version.eq_ignore_ascii_case(b"SIP/2.0") {
            return None;
        }
        let mut response = Response::new(status);
        response.reason = self.cut(self.trim(line.start + 11..line.end));
        Some(response)
    }

    /// RFC 3261 7.3.1. Returns the header fields and the first Content-Length.
    fn headers(&mut self) -> (Headers, Option<Bytes>) {
        let mut headers = Headers::with_capacity(20);
        let mut length = None;
        loop {
            let Some(line) = self.next_line() else {
                self.note(Flaw::NoEmptyLine);
                return (headers, length);
            };
            if line.is_empty() {
                return (headers, length);
            }
            let mut end = line.end;
            while self.datagram.get(self.at).is_some_and(|b| matches!(b, b' ' | b'\t')) {
                end = self.next_line().map_or(end, |more| more.end);
            }
            match self.header_line(line, end) {
                None => self.note(Flaw::HeaderLine),
                Some(_) if headers.len() >= MAX_HEADERS => self.note(Flaw::TooManyHeaders),
                Some((name, value)) => {
                    if name == HeaderName::ContentLength && length.is_none() {
                        length = Some(value.clone());
                    }
                    headers.push(name, value);
                }
            }
        }
    }

    /// One header field: `first` is its first line, `end` where its last folded line ends.
    fn header_line(&self, first: Range<usize>, end: usize) -> Option<(HeaderName, Bytes)> {
        let colon = first.start + memchr(b':', self.bytes(&first))?;
        // RFC 3261 25.1, HCOLON: only blanks and tabs may precede the colon.
        let mut name_end = colon;
        while name_end > first.start && self.datagram.get(name_end - 1).is_some_and(|b| matches!(b, b' ' | b'\t')) {
            name_end -= 1;
        }
        let name = first.start..name_end;
        let known = HeaderName::known(self.bytes(&name));
        let name = match known {
            Some(known) => known,
            None if lex::is_token(self.bytes(&name)) => HeaderName::Other(self.cut(name)),
            None => return None,
        };
        let value = self.trim(colon + 1..end);
        let value = if value.end > first.end { unfold(self.bytes(&value)) } else { self.cut(value) };
        // A CR that ended no line: see `next_line`.
        if memchr(b'\r', &value).is_some() { None } else { Some((name, value)) }
    }

    /// RFC 3261 18.3: over UDP the body is as long as Content-Length says, bytes beyond it are discarded; without one
    /// it is the rest.
    fn body(&mut self, length: Option<Bytes>) -> Bytes {
        let rest = self.at..self.datagram.len();
        let Some(length) = length else { return self.cut(rest) };
        let Some(length) = lex::number(&length, u64::from(u32::MAX)).and_then(|n| usize::try_from(n).ok()) else {
            self.note(Flaw::ContentLength);
            return self.cut(rest);
        };
        if length > rest.len() {
            self.note(Flaw::BodyTruncated);
            return self.cut(rest);
        }
        self.cut(rest.start..rest.start + length)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// RFC 3261 7.3.1: a line end with the white space around it is equal to one blank.
fn unfold(value: &[u8]) -> Bytes {
    let mut flat = Vec::with_capacity(value.len());
    for line in value.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii();
        if !line.is_empty() {
            if !flat.is_empty() {
                flat.push(b' ');
            }
            flat.extend_from_slice(line);
        }
    }
    flat.into()
}

#[cfg(test)]
mod tests;
