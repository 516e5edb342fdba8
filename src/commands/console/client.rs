//! One connection to the control socket, and what to tell when there is none.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::observe::wire::{HEAD_LIMIT, Head, LINE_LIMIT};

/// How long the exchange may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a command got no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody listens in any of these places; true stands with those that we may not look into.
    NotRunning(Vec<(PathBuf, bool)>),
    /// A socket is there, but this user may not use it; its owner.
    Forbidden(PathBuf, u32),
    /// The line is longer than the exchange reads.
    LineTooLong,
    /// The exchange went away.
    Disconnected,
    /// The exchange is there and does not answer.
    Silent,
    /// What answered is no strowger of this kind.
    Foreign,
    /// The system's word.
    Io(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotRunning(places) => {
                writeln!(f, "Unable to connect to strowger: no exchange with this configuration runs. Looked for:")?;
                for (place, is_hidden) in places {
                    let hidden = if *is_hidden { " (this user may not look there; try as root)" } else { "" };
                    writeln!(f, "  {}{hidden}", place.display())?;
                }
                write!(
                    f,
                    "Start it with 'strowger'. If it runs with another configuration, name that one (-C DIR); \
                     if its socket is elsewhere, name that (--socket PATH)."
                )
            }
            Failure::Forbidden(path, owner) => {
                write!(
                    f,
                    "Unable to connect to strowger: {} is open only to the user with the number {owner} and to root. \
                     Try again as one of them (sudo).",
                    path.display()
                )
            }
            Failure::LineTooLong => write!(f, "That command is longer than {LINE_LIMIT} bytes; nothing was sent."),
            Failure::Disconnected => write!(f, "Disconnected: the exchange has ended, or dropped this console."),
            Failure::Silent => write!(
                f,
                "The exchange did not answer within {} seconds: it is stopped or overloaded. Its log may say more.",
                PATIENCE.as_secs()
            ),
            Failure::Foreign => write!(
                f,
                "What answered does not speak as strowger does: another program has this socket, or another version runs."
            ),
            Failure::Io(error) => write!(f, "The connection to the exchange broke: {error}"),
        }
    }
}

/// A connection to the running exchange.
pub(super) struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the first place where somebody listens.
    pub(super) fn connect(places: &[PathBuf]) -> Result<Client, Failure> {
        let mut looked = Vec::new();
        let mut forbidden = None;
        for place in places {
            let error = match UnixStream::connect(place) {
                Ok(stream) => return Ok(Client { stream: BufReader::new(stream) }),
                Err(error) => error,
            };
            let is_refused = error.kind() == io::ErrorKind::PermissionDenied;
            let found = std::fs::metadata(place).ok();
            if let Some(found) = found.as_ref().filter(|_| is_refused && forbidden.is_none()) {
                forbidden = Some(Failure::Forbidden(place.clone(), found.uid()));
            }
            looked.push((place.clone(), is_refused && found.is_none()));
        }
        Err(forbidden.unwrap_or(Failure::NotRunning(looked)))
    }

    /// The process of the exchange.
    pub(super) fn pid(&self) -> Option<i32> {
        let peer = rustix::net::sockopt::socket_peercred(self.stream.get_ref()).ok()?;
        Some(peer.pid.as_raw_nonzero().get())
    }

    /// Has one line carried out, and waits for its answer.
    pub(super) fn ask(&mut self, line: &str) -> Result<String, Failure> {
        let mut line = line.replace(['\n', '\r'], " ").trim().to_owned();
        // The one command that may take as long as it likes.
        let waits = line.to_ascii_lowercase().contains("waitfullybooted");
        line.push('\n');
        if line.len() > LINE_LIMIT {
            return Err(Failure::LineTooLong);
        }
        self.stream.get_ref().set_read_timeout((!waits).then_some(PATIENCE)).map_err(Failure::Io)?;
        self.stream.get_ref().set_write_timeout(Some(PATIENCE)).map_err(Failure::Io)?;
        // One that was turned away finds the reason waiting, and nobody who reads: the answer decides, not the write.
        let written = self.stream.get_mut().write_all(line.as_bytes());
        self.answer().map_err(|failure| match written {
            Err(error) if matches!(failure, Failure::Io(_)) => broken(error),
            _ => failure,
        })
    }

    fn answer(&mut self) -> Result<String, Failure> {
        let mut head = Vec::new();
        let limit = u64::try_from(HEAD_LIMIT).unwrap_or(u64::MAX);
        (&mut self.stream).take(limit).read_until(b'\n', &mut head).map_err(broken)?;
        if head.is_empty() {
            return Err(Failure::Disconnected);
        }
        let head = std::str::from_utf8(&head).ok().and_then(Head::parse).ok_or(Failure::Foreign)?;
        let mut text = vec![0; head.length];
        self.stream.read_exact(&mut text).map_err(broken)?;
        String::from_utf8(text).map_err(|_| Failure::Foreign)
    }
}

fn broken(error: io::Error) -> Failure {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    match error.kind() {
        WouldBlock | TimedOut => Failure::Silent,
        BrokenPipe | ConnectionReset | UnexpectedEof => Failure::Disconnected,
        _ => Failure::Io(error),
    }
}
