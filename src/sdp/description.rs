//! A session description, line by line as it was received.

use super::line::{CRLF, SdpLine, address_of, is_connection, media_line};
use bytes::Bytes;
use smol_str::SmolStr;
use std::fmt;
use std::net::IpAddr;

/// Maximum size of a description, in bytes. A phone's has 300 to 1,500.
pub const MAX_SIZE: usize = 16 * 1024;
/// Maximum number of lines.
pub const MAX_LINES: usize = 512;
/// Maximum number of media (`m=` lines).
pub const MAX_MEDIA: usize = 16;
/// Maximum number of formats of one `m=` line.
pub const MAX_FORMATS: usize = 64;

/// A session description (RFC 8866). Unedited, it prints byte for byte as it was received.
#[derive(Clone, PartialEq, Eq)]
pub struct Sdp {
    /// The lines before the first `m=`.
    pub(super) session: Vec<SdpLine>,
    /// Each medium's lines, its `m=` line first.
    pub(super) media: Vec<Vec<SdpLine>>,
}

/// Why bytes are not a session description. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SdpError {
    /// More bytes than [`MAX_SIZE`].
    TooLarge {
        /// How many there are.
        size: usize,
    },
    /// More lines than [`MAX_LINES`].
    TooManyLines,
    /// More `m=` lines than [`MAX_MEDIA`].
    TooManyMedia {
        /// The first one too many.
        line: usize,
    },
    /// More formats in an `m=` line than [`MAX_FORMATS`].
    TooManyFormats {
        /// The line.
        line: usize,
    },
    /// The first line is not `v=0`.
    NoVersion,
    /// There is no `o=` line before the first `m=`.
    NoOrigin,
    /// A line that is not a letter, `=` and text.
    NotALine {
        /// The line.
        line: usize,
    },
    /// A zero byte, or a carriage return inside a line.
    BadByte {
        /// The line.
        line: usize,
    },
    /// An `o=` line without its six fields.
    BadOrigin {
        /// The line.
        line: usize,
    },
    /// A `c=` line that names no address of the internet (`IN IP4` or `IN IP6`, and an address or a host name).
    BadConnection {
        /// The line.
        line: usize,
    },
    /// A medium that is to be sent to, and no `c=` line that says where.
    NoConnection,
    /// An `m=` line without medium, port and protocol, or whose port is not a number up to 65535.
    BadMedia {
        /// The line.
        line: usize,
    },
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SdpError::TooLarge { size } => write!(f, "SDP of {size} bytes: more than the {MAX_SIZE} that are read"),
            SdpError::TooManyLines => write!(f, "SDP of more than {MAX_LINES} lines"),
            SdpError::TooManyMedia { line } => write!(f, "SDP line {line}: more than {MAX_MEDIA} m= lines"),
            SdpError::TooManyFormats { line } => {
                write!(f, "SDP line {line}: more than {MAX_FORMATS} formats in one m= line")
            }
            SdpError::NoVersion => write!(f, "SDP line 1: does not begin with v=0, so this is no session description"),
            SdpError::NoOrigin => write!(f, "SDP: no o= line, which says whose description this is"),
            SdpError::NotALine { line } => write!(f, "SDP line {line}: not of the form letter=value"),
            SdpError::BadByte { line } => {
                write!(f, "SDP line {line}: a zero byte or a carriage return inside the line")
            }
            SdpError::BadOrigin { line } => {
                write!(f, "SDP line {line}: o= needs user, id, version, network type, address type and address")
            }
            SdpError::BadConnection { line } => {
                write!(f, "SDP line {line}: c= needs IN, IP4 or IP6, and an address")
            }
            SdpError::NoConnection => write!(f, "SDP: an m= line to which no c= line gives an address"),
            SdpError::BadMedia { line } => {
                write!(f, "SDP line {line}: m= needs medium, port (0 to 65535), protocol and formats")
            }
        }
    }
}

impl std::error::Error for SdpError {}

/// The `o=` line (RFC 8866 section 5.2). Id and version are text: they may be longer than 64 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The user name; `-` or empty when there is none.
    pub user: SmolStr,
    /// The session id: the same for as long as the call lasts.
    pub id: SmolStr,
    /// The version: it grows with each change.
    pub version: SmolStr,
    /// The address of the originator; `None` when it is a host name.
    pub addr: Option<IpAddr>,
}

impl Sdp {
    /// Parses a description. Accepts bare line feeds, blank lines, a missing last line end, `c=` in the media only and
    /// a user name with spaces, as phones write them; refuses what could not be forwarded safely.
    ///
    /// # Errors
    /// See [`SdpError`]; each names the line.
    pub fn parse(bytes: &[u8]) -> Result<Sdp, SdpError> {
        if bytes.len() > MAX_SIZE {
            return Err(SdpError::TooLarge { size: bytes.len() });
        }
        let mut sdp = Sdp { session: Vec::with_capacity(6), media: Vec::new() };
        // The lines are slices of one buffer.
        let shared = Bytes::copy_from_slice(bytes);
        for (number, piece) in (1..).zip(shared.split_inclusive(|byte| *byte == b'\n')) {
            if number > MAX_LINES {
                return Err(SdpError::TooManyLines);
            }
            sdp.take(split_end(&shared, piece), number)?;
        }
        match sdp.session.iter().find(|line| line.letter().is_some()) {
            Some(first) if first.text.trim_ascii_end() == b"v=0" => {}
            Some(_) | None => return Err(SdpError::NoVersion),
        }
        if sdp.session.iter().any(|line| line.letter() == Some(b'o')) { Ok(sdp) } else { Err(SdpError::NoOrigin) }
    }

    /// Whether an offer says where to send: each `c=` names an address, and each medium that is open has one, of its own
    /// or for all (RFC 8866 section 5.7). An answer without it is borne: its call is up already.
    ///
    /// # Errors
    /// The line that names none, or that there is none.
    pub fn check_offer(&self) -> Result<(), SdpError> {
        let is_c = |line: &SdpLine| line.letter() == Some(b'c');
        let bad = self.lines().position(|line| is_c(line) && !is_connection(line.value()));
        if let Some(before) = bad {
            return Err(SdpError::BadConnection { line: before.saturating_add(1) });
        }
        let is_open = |section: &&Vec<SdpLine>| section.first().and_then(media_line).is_some_and(|line| line.port != 0);
        let mut open = self.media.iter().filter(is_open);
        let is_whole = self.session.iter().any(is_c) || open.all(|section| section.iter().any(is_c));
        if is_whole { Ok(()) } else { Err(SdpError::NoConnection) }
    }

    /// The description as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        for line in self.lines() {
            bytes.extend_from_slice(&line.text);
            bytes.extend_from_slice(line.end);
        }
        bytes
    }

    /// Its originator and version.
    pub fn origin(&self) -> Origin {
        let line = self.session.iter().find(|line| line.letter() == Some(b'o'));
        line.and_then(origin).unwrap_or_else(|| Origin {
            user: "-".into(),
            id: "0".into(),
            version: "0".into(),
            addr: None,
        })
    }

    /// How many `m=` lines it has, rejected ones included.
    pub fn media_lines(&self) -> usize {
        self.media.len()
    }

    /// All lines in order.
    pub(super) fn lines(&self) -> impl Iterator<Item = &SdpLine> {
        self.session.iter().chain(self.media.iter().flatten())
    }

    fn take(&mut self, line: SdpLine, number: usize) -> Result<(), SdpError> {
        if line.text.iter().any(|byte| matches!(byte, 0 | b'\r')) {
            return Err(SdpError::BadByte { line: number });
        }
        match line.letter() {
            Some(b'm') => {
                let formats = media_line(&line).ok_or(SdpError::BadMedia { line: number })?.formats().count();
                if formats > MAX_FORMATS {
                    return Err(SdpError::TooManyFormats { line: number });
                }
                if self.media.len() >= MAX_MEDIA {
                    return Err(SdpError::TooManyMedia { line: number });
                }
                let mut section = Vec::with_capacity(12);
                section.push(line);
                self.media.push(section);
                return Ok(());
            }
            Some(b'o') if origin(&line).is_none() => return Err(SdpError::BadOrigin { line: number }),
            Some(letter) if letter.is_ascii_alphabetic() => {}
            None if line.text.trim_ascii().is_empty() => {}
            Some(_) | None => return Err(SdpError::NotALine { line: number }),
        }
        self.media.last_mut().unwrap_or(&mut self.session).push(line);
        Ok(())
    }
}

impl fmt::Debug for Sdp {
    /// The lines, without the keys of `a=crypto` and `k=`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.lines().map(|line| match line.attribute() {
            _ if line.letter() == Some(b'k') => "k=...".to_owned(),
            Some((name, _))
                if ["crypto", "key-mgmt", "ice-pwd"].iter().any(|key| name.eq_ignore_ascii_case(key.as_bytes())) =>
            {
                format!("a={}:...", String::from_utf8_lossy(name))
            }
            Some(_) | None => String::from_utf8_lossy(&line.text).into_owned(),
        });
        f.debug_list().entries(shown).finish()
    }
}

/// A slice of `shared` as a line.
fn split_end(shared: &Bytes, piece: &[u8]) -> SdpLine {
    const ENDS: [&[u8]; 4] = [CRLF, b"\n", b"\r", b""];
    let found = ENDS.iter().find_map(|end| piece.strip_suffix(*end).map(|text| (text, *end)));
    let (text, end) = found.unwrap_or((piece, b""));
    SdpLine { text: shared.slice_ref(text), end }
}

/// Parsed from the right, because some user names contain spaces, and some are empty.
fn origin(line: &SdpLine) -> Option<Origin> {
    let text = std::str::from_utf8(line.value()).ok()?;
    let (rest, host) = last_word(text)?;
    let (rest, kind) = last_word(rest)?;
    let (rest, net) = last_word(rest)?;
    let (rest, version) = last_word(rest)?;
    let (user, id) = last_word(rest)?;
    let addr = address_of(net.as_bytes(), kind.as_bytes(), host.as_bytes());
    Some(Origin { user: user.trim().into(), id: id.into(), version: version.into(), addr })
}

/// What precedes the last word, and the word.
fn last_word(text: &str) -> Option<(&str, &str)> {
    text.trim_end_matches([' ', '\t']).rsplit_once([' ', '\t'])
}
