//! A lasting connection to the exchange, for commands and the log. A thread of its own receives, and reconnects when
//! the exchange went away.

use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::{self, Client, Failure, Reply};
use super::printer::Printer;

/// Time between two attempts to reconnect.
const AGAIN: Duration = Duration::from_millis(500);

/// What to do when the exchange goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Reconnect: a person uses this console.
    Reconnect,
    /// End with status 1: a script uses this console.
    End,
}

/// A lasting connection to the exchange.
pub(super) struct Connection {
    shared: Arc<Shared>,
    answers: Receiver<(u64, Result<Reply, Failure>)>,
}

/// What the typing and the receiving thread share.
struct Shared {
    places: Vec<PathBuf>,
    loss: Loss,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nothing while the exchange is away.
    writer: Option<UnixStream>,
    /// Which connection this is: replies of an earlier one are dropped.
    turn: u64,
    /// The line that sets this console's verbosity; sent again at each new connection.
    verbosity: Option<String>,
    /// A command waits for its reply, and will report what went wrong.
    asked: bool,
    /// The exchange was told to end: its going away is expected.
    farewell: bool,
}

impl Connection {
    /// Connects to the first place where an exchange listens. Its log goes to `printer`.
    /// `verbosity` is the line that sets it; without one there is no log. Returns the greeting of the exchange, too.
    pub(super) fn open(
        places: &[PathBuf],
        verbosity: Option<String>,
        loss: Loss,
        printer: Printer,
    ) -> Result<(Connection, String), Failure> {
        let (send, answers) = channel();
        let state = Mutex::new(State { verbosity, ..State::default() });
        let shared = Arc::new(Shared { places: places.to_vec(), loss, state });
        let (client, greeting) = shared.connect()?;
        let listening = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("listen".into())
            .spawn(move || listening.listen(client, &send, &printer))
            .map_err(Failure::Io)?;
        Ok((Connection { shared, answers }, greeting))
    }

    /// Has one line carried out, and waits for its reply.
    pub(super) fn ask(&self, line: &str) -> Result<Reply, Failure> {
        let (sent, patience) = client::prepare(line)?;
        let turn = {
            let mut state = self.shared.state();
            let turn = state.turn;
            let Some(writer) = &mut state.writer else { return Err(Failure::Away) };
            // When it cannot be written, the receiving thread gets the same error, and reports it as the reply.
            let _ = writer.write_all(sent.as_bytes());
            state.asked = true;
            turn
        };
        let answer = self.wait(turn, patience);
        self.shared.state().asked = false;
        answer
    }

    fn wait(&self, turn: u64, patience: Option<Duration>) -> Result<Reply, Failure> {
        loop {
            let answer = match patience {
                Some(patience) => self.answers.recv_timeout(patience),
                None => self.answers.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match answer {
                Ok((of, answer)) if of == turn => return answer,
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Disconnected),
                Err(RecvTimeoutError::Timeout) => {
                    // Its reply may still come, and must not be taken for that of the next line: that needs a new
                    // connection.
                    if let Some(writer) = &self.shared.state().writer {
                        let _ = writer.shutdown(Shutdown::Both);
                    }
                    return Err(Failure::Silent);
                }
            }
        }
    }

    /// A line that sets the verbosity was carried out: it holds for the connections to come.
    pub(super) fn remember_verbosity(&self, line: &str) {
        self.shared.state().verbosity = Some(format!("{} silent", line.trim()));
    }

    /// The exchange is about to be told to end, or not any more.
    pub(super) fn expect_farewell(&self, expected: bool) {
        self.shared.state().farewell = expected;
    }

    /// Whether it reconnects to an exchange that went away.
    pub(super) fn reconnects(&self) -> bool {
        self.shared.loss == Loss::Reconnect
    }

    /// Waits until the exchange is gone, for at most that long.
    pub(super) fn wait_for_the_end(&self, patience: Duration) {
        let end = std::time::Instant::now() + patience;
        while self.shared.state().writer.is_some() && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, and asks who answers. From then on the connection may be written to.
    fn connect(&self) -> Result<(Client, String), Failure> {
        let mut client = Client::connect(&self.places)?;
        let version = client.ask("core show version")?;
        if version.failed {
            return Err(Failure::Refused(version.text));
        }
        let pid = client.pid().map_or("unknown".to_owned(), |pid| pid.to_string());
        let verbosity = self.state().verbosity.clone();
        if let Some(line) = verbosity {
            client.ask(&line)?;
        }
        let mut state = self.state();
        state.writer = Some(client.writer()?);
        state.turn = state.turn.wrapping_add(1);
        Ok((client, format!("{}, pid {pid}", version.text.trim_end())))
    }

    fn listen(&self, mut client: Client, answers: &Sender<(u64, Result<Reply, Failure>)>, printer: &Printer) {
        loop {
            let turn = self.state().turn;
            let failure = loop {
                match client.next() {
                    Ok((kind, text)) if kind.is_reply() => {
                        let failed = kind == crate::observe::wire::Kind::Failed;
                        if answers.send((turn, Ok(Reply { failed, text }))).is_err() {
                            return;
                        }
                    }
                    Ok((kind, text)) => printer.write(kind, &text),
                    Err(failure) => break failure,
                }
            };
            let expected = {
                let mut state = self.state();
                state.writer = None;
                state.farewell || (self.loss == Loss::End && state.asked)
            };
            let reason = failure.to_string();
            if answers.send((turn, Err(failure))).is_err() || expected {
                return;
            }
            if self.loss == Loss::End {
                eprintln!("{reason}");
                // The typing thread waits for a line that may never come.
                std::process::exit(1);
            }
            printer.remark("Disconnected: the exchange has ended. This console waits for its return; 'exit' ends it.");
            client = loop {
                std::thread::sleep(AGAIN);
                if let Ok((client, greeting)) = self.connect() {
                    printer.remark(&format!("Connected again: {greeting}."));
                    break client;
                }
            };
        }
    }
}
