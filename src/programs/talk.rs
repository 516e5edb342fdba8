//! A talk with a program, line by line: a script by its standard input and output, a FastAGI server by a connection.

use super::fetch::connect;
use super::process::{self, Process};
use super::script;
use super::settings::Settings;
use super::ticket::Ticket;
use crate::dialplan::ChannelId;
use crate::dialplan::outside::{AtHangup, Exchange, NotOpened, Opening, TalkEnd};
use rustix::process::Signal;
use std::cell::{Cell, RefCell};
use std::io;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// The port of FastAGI.
const PORT: u16 = 4573;
/// How long a connection to a FastAGI server may take.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest line of a program, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// Lines of a program in a second; more wait.
const MAX_LINES_A_SECOND: u32 = 1_000;
/// What is kept of a program's standard error, in bytes.
const MAX_ERRORS: usize = 2_048;
/// How long a script that has closed its output has to end by itself before it is told to.
const A_MOMENT: Duration = Duration::from_millis(200);

/// A talk under way.
pub(super) struct Talk {
    pub(super) channel: ChannelId,
    ends: Mutex<Ends>,
    process: RefCell<Option<Process>>,
    /// What is kept of the script's standard error.
    errors: Rc<RefCell<Vec<u8>>>,
    hung_up: watch::Sender<bool>,
    /// A hang-up is told to it (`AGISIGHUP`).
    pub(super) signals: Cell<bool>,
    /// The hang-up was told already.
    told: Cell<bool>,
    /// When the talk ends that goes on after the hang-up.
    deadline: Cell<Option<Instant>>,
    after_time: Duration,
    ticket: Cell<Option<Ticket>>,
}

/// What is written to and read from.
struct Ends {
    writer: Option<Box<dyn AsyncWrite + Unpin>>,
    reader: Box<dyn AsyncRead + Unpin>,
    /// Read, and not yet a whole line.
    rest: Vec<u8>,
    /// When the current second of lines began, and how many it has.
    window: (Instant, u32),
}

impl Talk {
    /// Starts the script, or connects to the server, and tells it what it is told first.
    pub(super) async fn open(
        opening: &Opening,
        channel: ChannelId,
        settings: &Settings,
        ticket: Ticket,
    ) -> Result<Talk, NotOpened> {
        let url = opening.program.get(.."agi://".len()).filter(|start| start.eq_ignore_ascii_case("agi://"));
        let (writer, reader, process): (Box<dyn AsyncWrite + Unpin>, Box<dyn AsyncRead + Unpin>, _) =
            match url.and(opening.program.get("agi://".len()..)) {
                Some(address) => {
                    let (reader, writer) = connection(address).await.map_err(NotOpened::Failed)?.into_split();
                    (Box::new(writer), Box::new(reader), None)
                }
                None => {
                    let mut process = start(opening, settings)?;
                    let child = &mut process.child;
                    let (Some(writer), Some(reader)) = (child.stdin.take(), child.stdout.take()) else {
                        return Err(NotOpened::Failed("it has no input or output".to_owned()));
                    };
                    (Box::new(writer), Box::new(reader), Some(process))
                }
            };
        let ends = Ends { writer: Some(writer), reader, rest: Vec::new(), window: (Instant::now(), 0) };
        let talk = Talk {
            channel,
            ends: Mutex::new(ends),
            process: RefCell::new(process),
            errors: Rc::default(),
            hung_up: watch::Sender::new(false),
            signals: Cell::new(true),
            told: Cell::new(false),
            deadline: Cell::new(None),
            after_time: settings.after_time,
            ticket: Cell::new(Some(ticket)),
        };
        talk.keep_errors();
        // A program that reads nothing has its input closed to it, and still may speak.
        let first = opening.first.clone();
        let _ = timeout(CONNECT, talk.ends.lock().await.write(&first)).await;
        Ok(talk)
    }

    /// Collects the end of what the script says to nobody.
    fn keep_errors(&self) {
        let stderr = self.process.borrow_mut().as_mut().and_then(|process| process.child.stderr.take());
        let Some(mut stderr) = stderr else { return };
        let errors = self.errors.clone();
        tokio::task::spawn_local(async move {
            let mut buffer = [0u8; 4096];
            while let Ok(size @ 1..) = stderr.read(&mut buffer).await {
                let mut errors = errors.borrow_mut();
                errors.extend_from_slice(buffer.get(..size).unwrap_or_default());
                let old = errors.len().saturating_sub(MAX_ERRORS);
                errors.drain(..old);
            }
        });
    }

    /// The channel is hung up.
    pub(super) fn hang_up(&self) {
        self.hung_up.send_replace(true);
    }

    /// Tells the program something, and waits for its next line.
    pub(super) async fn exchange(&self, exchange: &Exchange) -> Result<String, TalkEnd> {
        self.signals.set(exchange.at_hangup.signal);
        if exchange.hung_up {
            self.hang_up();
        }
        let mut hung_up = self.hung_up.subscribe();
        let mut ends = self.ends.lock().await;
        let mut deadline = None;
        let is_done = {
            let mut writing = std::pin::pin!(ends.write(&exchange.tell));
            loop {
                tokio::select! {
                    biased;
                    written = &mut writing => break written,
                    _ = hung_up.wait_for(|is| *is), if deadline.is_none() => {
                        deadline = Some(self.after_hangup(exchange.at_hangup)?);
                    }
                    () = until(deadline) => return Err(self.overdue()),
                }
            }
        };
        if is_done.is_err() {
            ends.writer = None;
        }
        loop {
            let is_told_now = deadline.is_some() && !self.told.replace(true);
            if is_told_now && exchange.at_hangup.signal && self.process.borrow().is_none() {
                let _ = ends.write("HANGUP\n").await;
            }
            tokio::select! {
                biased;
                line = ends.line() => return line,
                _ = hung_up.wait_for(|is| *is), if deadline.is_none() => {
                    deadline = Some(self.after_hangup(exchange.at_hangup)?);
                }
                () = until(deadline) => return Err(self.overdue()),
            }
        }
    }

    /// The hang-up has come: the script is told, and has so long to finish.
    fn after_hangup(&self, at_hangup: AtHangup) -> Result<Instant, TalkEnd> {
        if !self.told.get()
            && at_hangup.signal
            && let Some(process) = &*self.process.borrow()
        {
            process.signal(Signal::HUP);
        }
        if at_hangup.end {
            return Err(TalkEnd::HungUp);
        }
        let deadline = self.deadline.get().unwrap_or_else(|| Instant::now() + self.after_time);
        self.deadline.set(Some(deadline));
        Ok(deadline)
    }

    fn overdue(&self) -> TalkEnd {
        if let Some(process) = &*self.process.borrow() {
            process.kill();
        }
        TalkEnd::Stopped(format!(
            "it went on for {} s after the hang-up and was stopped",
            self.after_time.as_secs_f64()
        ))
    }

    /// Closes the talk; gives what the script said to nobody. It is waited for elsewhere, and has an end.
    pub(super) async fn close(&self, signal: bool) -> String {
        let mut ends = self.ends.lock().await;
        ends.writer = None;
        ends.reader = Box::new(tokio::io::empty());
        drop(ends);
        let ticket = self.ticket.take();
        let Some(mut process) = self.process.take() else { return String::new() };
        let has_ended = timeout(A_MOMENT, process.wait()).await.is_ok();
        if !has_ended {
            if signal && !self.told.get() {
                process.signal(Signal::HUP);
            }
            let time = self.after_time;
            tokio::task::spawn_local(async move {
                if timeout(time, process.wait()).await.is_err() {
                    process.kill();
                    let _ = process.wait().await;
                }
                drop(ticket);
            });
        }
        String::from_utf8_lossy(&self.errors.borrow()).into_owned()
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

impl Ends {
    async fn write(&mut self, text: &str) -> io::Result<()> {
        match &mut self.writer {
            Some(writer) if !text.is_empty() => {
                writer.write_all(text.as_bytes()).await?;
                writer.flush().await
            }
            _ => Ok(()),
        }
    }

    /// The next line. Given up in the middle, it loses nothing.
    async fn line(&mut self) -> Result<String, TalkEnd> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                self.pace().await;
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.rest.len() > MAX_LINE {
                return Err(TalkEnd::Stopped(format!("its line is longer than {MAX_LINE} bytes")));
            }
            let mut buffer = [0u8; 4096];
            match self.reader.read(&mut buffer).await {
                Ok(0) | Err(_) => return Err(TalkEnd::Silent),
                Ok(size) => self.rest.extend_from_slice(buffer.get(..size).unwrap_or_default()),
            }
        }
    }

    /// A program that prints without end takes no more than its part of the exchange's time.
    async fn pace(&mut self) {
        let second = Duration::from_secs(1);
        if self.window.0.elapsed() >= second {
            self.window = (Instant::now(), 0);
        }
        self.window.1 = self.window.1.saturating_add(1);
        if self.window.1 > MAX_LINES_A_SECOND {
            sleep(second.saturating_sub(self.window.0.elapsed())).await;
        }
    }
}

fn start(opening: &Opening, settings: &Settings) -> Result<Process, NotOpened> {
    let path = script::find(&opening.program, settings).map_err(NotOpened::NotFound)?;
    let mut command = process::command(&path, settings);
    command.args(&opening.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Process::spawn(command).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => " (is the program after '#!' in its first line installed?)",
            io::ErrorKind::PermissionDenied => " (may the user the exchange runs as read and execute it?)",
            _ => "",
        };
        NotOpened::Failed(format!("{} cannot be started: {error}{hint}", path.display()))
    })
}

/// Connects to `host[:port][/path]`.
async fn connection(address: &str) -> Result<tokio::net::TcpStream, String> {
    let host = address.split('/').next().unwrap_or_default();
    let (host, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None | Some("") => PORT,
        Some(port) => port.parse().map_err(|_| format!("{port} is no port"))?,
    };
    let stream = timeout(CONNECT, connect(host, port)).await;
    stream.unwrap_or_else(|_| Err(format!("no connection to {host}:{port} within {} s", CONNECT.as_secs())))
}
