//! One console: lines in, replies out, one after the other, and the log in between if it asked for it. A console
//! that stalls delays nobody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::log_subscription::Subscription;
use crate::observe::command::Output;
use crate::observe::log_stream::{ConsoleLine, LogStream};
use crate::observe::wire::{Head, Kind, LINE_LIMIT};

/// One line from a console, for the owner of the switch.
#[derive(Debug)]
pub struct Request {
    /// The line, without its end.
    pub line: String,
    /// Where the reply goes. One that is `not_yet` makes the socket send the line again a little later.
    pub reply: oneshot::Sender<Output>,
}

/// Limits of consoles.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of consoles.
    pub connections: usize,
    /// How long a line may take from its first byte to its last.
    pub line: Duration,
    /// How long a console may read nothing of a reply before it is dropped.
    pub write: Duration,
    /// How long until a line without a reply yet is sent again.
    pub again: Duration,
    /// How long the end waits for replies under way.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 32,
            line: Duration::from_secs(5),
            write: Duration::from_secs(5),
            again: Duration::from_millis(100),
            farewell: Duration::from_secs(2),
        }
    }
}

/// The outcome of reading a line.
enum InputLine {
    Whole(String),
    TooLong,
    NotText,
    Gone,
}

/// What happens next on a connection.
enum Next {
    Line(InputLine),
    ConsoleLine(Arc<ConsoleLine>),
}

/// Tells a console that is refused why. It never waits: what does not fit into the socket's buffer is lost.
pub(super) fn turn_away(stream: &UnixStream, why: &str) {
    let _ = stream.try_write(&bytes(&Output::failed(format!("{why}.\n"))));
}

/// Serves one console until it leaves, stalls, or the exchange ends.
pub(super) async fn attend(stream: UnixStream, requests: mpsc::Sender<Request>, log: LogStream, limits: Limits) {
    let (read, mut write) = stream.into_split();
    let mut lines = Lines { read: BufReader::new(read), line: Vec::new(), begun: None };
    let mut subscription = Subscription::new(log);
    loop {
        let next = tokio::select! {
            line = lines.next(limits.line) => Next::Line(line),
            line = subscription.next() => Next::ConsoleLine(line),
            () = requests.closed() => return,
        };
        let line = match next {
            Next::Line(line) => line,
            Next::ConsoleLine(line) => {
                // However long it takes: lines missed meanwhile are counted, and no reply is due.
                let bytes = frame(line.kind, &line.text);
                let written = tokio::select! {
                    written = send(&mut write, &bytes, None) => written,
                    () = requests.closed() => return,
                };
                if written {
                    continue;
                }
                return;
            }
        };
        let (mut output, is_last) = match line {
            InputLine::Whole(line) => match carry_out(&line, &mut lines.read, &requests, limits.again).await {
                Some(output) => (output, false),
                None => return,
            },
            InputLine::NotText => (Output::failed("That line is not UTF-8.\n".to_owned()), false),
            InputLine::TooLong => (Output::failed(format!("That line is longer than {LINE_LIMIT} bytes.\n")), true),
            InputLine::Gone => return,
        };
        if let Some(wish) = output.verbose.take() {
            output.text += &subscription.set(wish);
        }
        if !send(&mut write, &bytes(&output), Some(limits.write)).await || is_last {
            return;
        }
    }
}

/// Has one line carried out. `None` when the console left before there was a reply.
async fn carry_out(
    line: &str,
    read: &mut BufReader<OwnedReadHalf>,
    requests: &mpsc::Sender<Request>,
    again: Duration,
) -> Option<Output> {
    loop {
        let (reply, replied) = oneshot::channel();
        let request = Request { line: line.to_owned(), reply };
        let output = match requests.send(request).await {
            Ok(()) => replied.await.ok(),
            Err(_) => None,
        };
        match output {
            Some(output) if output.not_yet => is_still_there(read, again).await.then_some(())?,
            Some(output) => return Some(output),
            None => return Some(Output::failed("The exchange is stopping.\n".to_owned())),
        }
    }
}

/// Waits for the given time; sees at once when the console leaves.
async fn is_still_there(read: &mut BufReader<OwnedReadHalf>, time: Duration) -> bool {
    let pause = tokio::time::sleep(time);
    if !read.buffer().is_empty() {
        pause.await;
        return true;
    }
    tokio::pin!(pause);
    tokio::select! {
        () = &mut pause => true,
        more = read.fill_buf() => {
            let is_there = more.is_ok_and(|bytes| !bytes.is_empty());
            if is_there {
                pause.await;
            }
            is_there
        }
    }
}

/// Reads lines. What was read of one is kept, so that waiting for its rest may be broken off at any time.
struct Lines {
    read: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
    begun: Option<Instant>,
}

impl Lines {
    /// The next line. It may begin at any time, and has to end within the limit once begun.
    async fn next(&mut self, time: Duration) -> InputLine {
        loop {
            let ready = match self.begun {
                None => self.read.fill_buf().await,
                Some(begun) => match timeout_at(begun + time, self.read.fill_buf()).await {
                    Ok(ready) => ready,
                    Err(_) => return InputLine::Gone,
                },
            };
            let Ok(ready) = ready else { return InputLine::Gone };
            if ready.is_empty() {
                return InputLine::Gone;
            }
            self.begun.get_or_insert_with(Instant::now);
            let end = ready.iter().position(|byte| *byte == b'\n');
            let part = ready.get(..end.unwrap_or(ready.len())).unwrap_or_default();
            let used = part.len().saturating_add(usize::from(end.is_some()));
            if self.line.len().saturating_add(used) > LINE_LIMIT {
                return InputLine::TooLong;
            }
            self.line.extend_from_slice(part);
            self.read.consume(used);
            if end.is_some() {
                self.begun = None;
                return String::from_utf8(std::mem::take(&mut self.line)).map_or(InputLine::NotText, InputLine::Whole);
            }
        }
    }
}

/// Writes it all, as long as the console keeps taking some of it; without a time, for as long as it is there.
async fn send(write: &mut OwnedWriteHalf, bytes: &[u8], time: Option<Duration>) -> bool {
    let mut left = bytes;
    while !left.is_empty() {
        let written = match time {
            Some(time) => timeout(time, write.write(left)).await.ok(),
            None => Some(write.write(left).await),
        };
        match written {
            Some(Ok(taken)) if taken > 0 => left = left.get(taken..).unwrap_or_default(),
            Some(_) | None => return false,
        }
    }
    true
}

fn bytes(output: &Output) -> Vec<u8> {
    frame(if output.failed { Kind::Failed } else { Kind::Ok }, &output.text)
}

fn frame(kind: Kind, text: &str) -> Vec<u8> {
    let head = Head { kind, length: text.len() };
    [head.print().as_bytes(), text.as_bytes()].concat()
}
