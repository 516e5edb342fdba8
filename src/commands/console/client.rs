//! One connection to the control socket, and the messages when there is none.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exchange::Exchange;
use crate::observe::wire::{HEAD_LIMIT, Head, Kind, LINE_LIMIT};

/// How long the exchange may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Why a command got no reply.
#[derive(Debug)]
pub(super) enum Failure {
    /// No exchange listens in any of these places.
    NotRunning(Vec<Looked>),
    /// No exchange listens where the one that was asked for would; these run.
    Others(Vec<Looked>, Vec<Exchange>),
    /// Several run, and none was named.
    Several(Vec<Exchange>),
    /// A socket is there, but this user may not use it; its owner.
    Forbidden(PathBuf, u32),
    /// The line is longer than the exchange reads.
    LineTooLong,
    /// The exchange refuses this console; its reason.
    Refused(String),
    /// There is no exchange at the moment; it is being looked for.
    Away,
    /// The exchange went away.
    Disconnected,
    /// The exchange is there and does not answer.
    Silent,
    /// The reply does not follow the protocol.
    Foreign,
    /// An error of the system.
    Io(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotRunning(places) => {
                not_running(f, places)?;
                write!(
                    f,
                    "Start it with 'strowger'. If it runs with another configuration, name that one (-C DIR); \
                     if its socket is elsewhere, name that (--socket PATH)."
                )
            }
            Failure::Others(places, exchanges) => {
                not_running(f, places)?;
                write!(f, "What runs is reached with:{}", listed(exchanges))
            }
            Failure::Several(exchanges) => {
                write!(f, "{} exchanges run here. Say which one is meant:{}", exchanges.len(), listed(exchanges))
            }
            Failure::Forbidden(path, owner) => {
                write!(
                    f,
                    "Unable to connect to strowger: {} is open only to {}. Try again as such (sudo).",
                    path.display(),
                    permitted(*owner)
                )
            }
            Failure::LineTooLong => write!(f, "That command is longer than {LINE_LIMIT} bytes; nothing was sent."),
            Failure::Refused(why) => write!(f, "Unable to connect to strowger: {}", why.trim_end()),
            Failure::Away => {
                write!(f, "Not connected: the exchange is still being looked for; 'exit' ends this console.")
            }
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

/// A place where no exchange was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Looked {
    /// Where a socket would be.
    pub(super) place: PathBuf,
    /// This user may not look there; whose folder it is.
    pub(super) closed_by: Option<u32>,
}

fn not_running(f: &mut fmt::Formatter<'_>, places: &[Looked]) -> fmt::Result {
    writeln!(f, "Unable to connect to strowger: no exchange with this configuration runs. Looked for:")?;
    for looked in places {
        write!(f, "  {}", looked.place.display())?;
        match looked.closed_by {
            Some(owner) => writeln!(f, " (only {} may look there: try sudo)", permitted(owner))?,
            None => writeln!(f)?,
        }
    }
    Ok(())
}

fn listed(exchanges: &[Exchange]) -> String {
    exchanges.iter().map(|one| format!("\n  {one}")).collect()
}

/// Who may use what belongs to this user.
fn permitted(owner: u32) -> String {
    if owner == 0 { "root".to_owned() } else { format!("{} and root", user(owner)) }
}

/// A user as people name them.
fn user(uid: u32) -> String {
    let table = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    name.map_or_else(|| format!("the user with the number {uid}"), |name| format!("the user {name}"))
}

/// Whose folder keeps this user out of a place.
fn closed_by(place: &Path) -> Option<u32> {
    let mut above = place.ancestors().skip(1);
    above.find_map(|folder| std::fs::metadata(folder).ok()).map(|found| found.uid())
}

/// A connection to the running exchange.
pub(super) struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the first place where an exchange listens.
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
            let closed_by = if is_refused && found.is_none() { closed_by(place) } else { None };
            looked.push(Looked { place: place.clone(), closed_by });
        }
        Err(forbidden.unwrap_or(Failure::NotRunning(looked)))
    }

    /// The process of the exchange.
    pub(super) fn pid(&self) -> Option<i32> {
        let peer = rustix::net::sockopt::socket_peercred(self.stream.get_ref()).ok()?;
        Some(peer.pid.as_raw_nonzero().get())
    }

    /// Has one line carried out, and waits for its answer. Lines of the log that come before it are passed over.
    pub(super) fn ask(&mut self, line: &str) -> Result<Reply, Failure> {
        let (line, patience) = prepare(line)?;
        self.stream.get_ref().set_read_timeout(patience).map_err(Failure::Io)?;
        self.stream.get_ref().set_write_timeout(Some(PATIENCE)).map_err(Failure::Io)?;
        // A console that is refused finds the reason waiting, and the socket closed: the reply decides, not the write.
        let written = self.stream.get_mut().write_all(line.as_bytes());
        let answer = loop {
            match self.next() {
                Ok((kind, text)) if kind.is_reply() => break Ok(Reply { failed: kind == Kind::Failed, text }),
                Ok(_) => {}
                Err(failure) => break Err(failure),
            }
        };
        answer.map_err(|failure| match written {
            Err(error) if matches!(failure, Failure::Io(_)) => broken(error),
            _ => failure,
        })
    }

    /// The next answer, or line of the log.
    pub(super) fn next(&mut self) -> Result<(Kind, String), Failure> {
        let mut head = Vec::new();
        let limit = u64::try_from(HEAD_LIMIT).unwrap_or(u64::MAX);
        (&mut self.stream).take(limit).read_until(b'\n', &mut head).map_err(broken)?;
        if head.is_empty() {
            return Err(Failure::Disconnected);
        }
        let head = std::str::from_utf8(&head).ok().and_then(Head::parse).ok_or(Failure::Foreign)?;
        let mut text = vec![0; head.length];
        self.stream.read_exact(&mut text).map_err(broken)?;
        Ok((head.kind, String::from_utf8(text).map_err(|_| Failure::Foreign)?))
    }

    /// A second handle of the connection, for writing; from now on reading waits without limit.
    pub(super) fn writer(&self) -> Result<UnixStream, Failure> {
        let writer = self.stream.get_ref().try_clone().map_err(Failure::Io)?;
        writer.set_read_timeout(None).map_err(Failure::Io)?;
        Ok(writer)
    }
}

/// The reply of the exchange.
#[derive(Debug)]
pub(super) struct Reply {
    /// It was not carried out.
    pub(super) failed: bool,
    /// Whole lines.
    pub(super) text: String,
}

/// A line as it is sent, and how long its answer may take.
pub(super) fn prepare(line: &str) -> Result<(String, Option<Duration>), Failure> {
    let mut line = line.replace(['\n', '\r'], " ");
    // The one command without a time limit.
    let waits = line.to_ascii_lowercase().contains("waitfullybooted");
    line.push('\n');
    if line.len() > LINE_LIMIT {
        return Err(Failure::LineTooLong);
    }
    Ok((line, (!waits).then_some(PATIENCE)))
}

fn broken(error: io::Error) -> Failure {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    match error.kind() {
        WouldBlock | TimedOut => Failure::Silent,
        BrokenPipe | ConnectionReset | UnexpectedEof => Failure::Disconnected,
        _ => Failure::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread::JoinHandle;

    use super::*;
    use crate::observe::command::Output;
    use crate::observe::control::{ControlSocket, Limits, Request};
    use crate::observe::log_stream::LogStream;

    /// A listener that reads one line from one client, answers with these bytes, and closes.
    fn stub(name: &str, answer: &'static [u8]) -> (PathBuf, JoinHandle<String>) {
        let path = std::env::temp_dir().join(format!("strowger-client-{}-{name}.ctl", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let thread = std::thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            stream.get_mut().write_all(answer).unwrap();
            line
        });
        (path, thread)
    }

    fn ask(name: &str, line: &str, answer: &'static [u8]) -> (Result<String, Failure>, String) {
        let (path, thread) = stub(name, answer);
        let nowhere = std::env::temp_dir().join("strowger-client-nowhere.ctl");
        let mut client = Client::connect(&[nowhere, path.clone()]).unwrap();
        assert_eq!(client.pid(), i32::try_from(std::process::id()).ok());
        let answer = client.ask(line).map(|answer| answer.text);
        drop(client);
        std::fs::remove_file(path).unwrap();
        (answer, thread.join().unwrap())
    }

    #[test]
    fn a_line_is_sent_whole_and_its_answer_read() {
        let (answer, line) = ask("ok", " sip show\npeers \n", b"ok 4\na\nb\n");
        assert_eq!((answer.unwrap().as_str(), line.as_str()), ("a\nb\n", " sip show peers  \n"));
        let (answer, _) = ask("failed", "x", b"failed 3\nno\n");
        assert_eq!(answer.unwrap(), "no\n");
    }

    #[test]
    fn what_goes_wrong_is_told_apart() {
        assert!(matches!(ask("gone", "x", b"").0, Err(Failure::Disconnected)));
        assert!(matches!(ask("half", "x", b"ok 9\nabc").0, Err(Failure::Disconnected)));
        assert!(matches!(ask("foreign", "x", b"host/12/20.1.0\n").0, Err(Failure::Foreign)));
        assert!(matches!(ask("endless", "x", &[b'o'; 500]).0, Err(Failure::Foreign)));
        let (answer, line) = ask("long", &"x".repeat(LINE_LIMIT), b"");
        assert!(matches!(answer, Err(Failure::LineTooLong)) && line.is_empty());
    }

    #[test]
    fn without_an_exchange_it_says_where_it_looked_and_what_to_do() {
        let place = std::env::temp_dir().join("strowger-client-nowhere.ctl");
        let text = Client::connect(std::slice::from_ref(&place)).err().unwrap().to_string();
        let expected = format!(
            "Unable to connect to strowger: no exchange with this configuration runs. Looked for:\n  {}\nStart it with",
            place.display()
        );
        assert!(text.starts_with(&expected), "{text}");
    }

    /// The real socket with an exchange that answers each line with itself.
    fn serve(name: &str, connections: usize) -> (PathBuf, tokio::runtime::Runtime) {
        let path = std::env::temp_dir().join(format!("strowger-client-{}-{name}/x.ctl", std::process::id()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let socket = runtime.block_on(ControlSocket::open(&path)).unwrap();
        let (send, mut receive) = tokio::sync::mpsc::channel::<Request>(1);
        runtime.spawn(socket.serve(send, LogStream::default(), Limits { connections, ..Limits::default() }));
        runtime.spawn(async move {
            while let Some(Request { line, reply }) = receive.recv().await {
                let _ = reply.send(Output { text: line + "\n", ..Output::default() });
            }
        });
        (path, runtime)
    }

    fn clean_up(path: &std::path::Path) {
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn client_and_socket_understand_each_other() {
        let (path, runtime) = serve("real", 2);
        let mut client = Client::connect(std::slice::from_ref(&path)).unwrap();
        assert_eq!(client.ask("sip show peers").unwrap().text, "sip show peers\n");
        assert_eq!(client.ask("").unwrap().text, "\n");
        runtime.shutdown_timeout(Duration::from_secs(5));
        assert!(matches!(client.ask("x"), Err(Failure::Disconnected)));
        assert!(matches!(Client::connect(std::slice::from_ref(&path)), Err(Failure::NotRunning(_))));
        clean_up(&path);
    }

    #[test]
    fn one_that_is_turned_away_is_told_why() {
        let (path, runtime) = serve("full", 0);
        for _ in 0..50 {
            let mut client = Client::connect(std::slice::from_ref(&path)).unwrap();
            assert_eq!(client.ask("x").unwrap().text, "0 consoles are connected already; close one of them.\n");
        }
        runtime.shutdown_timeout(Duration::from_secs(5));
        clean_up(&path);
    }
}
