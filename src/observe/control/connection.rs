//! One console: lines in, answers out, one after the other, and the log in between if it asked for it. A console
//! that stalls costs only itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::log_subscription::Subscription;
use super::{Limits, Request};
use crate::observe::command::Output;
use crate::observe::log_stream::{Live, LogLine};
use crate::observe::wire::{Head, Kind, LINE_LIMIT};

/// What came of reading a line.
enum Line {
    Whole(String),
    TooLong,
    NotText,
    Gone,
}

/// What happens next on a connection.
enum Next {
    Line(Line),
    LogLine(Arc<LogLine>),
}

/// Tells one that cannot come in why. It never waits: what does not fit into the socket's buffer is lost.
pub(super) fn turn_away(stream: &UnixStream, why: &str) {
    let _ = stream.try_write(&bytes(&Output::failed(format!("{why}.\n"))));
}

/// Answers a console's lines until it leaves, stalls, or the exchange ends.
pub(super) async fn attend(stream: UnixStream, requests: mpsc::Sender<Request>, live: Live, limits: Limits) {
    let (read, mut write) = stream.into_split();
    let mut lines = Lines { read: BufReader::new(read), line: Vec::new(), begun: None };
    let mut ear = Subscription::new(live);
    loop {
        let next = tokio::select! {
            line = lines.next(limits.line) => Next::Line(line),
            said = ear.next() => Next::LogLine(said),
            () = requests.closed() => return,
        };
        let line = match next {
            Next::Line(line) => line,
            Next::LogLine(said) => {
                // However long it takes: what it misses meanwhile is counted, and no answer is owed.
                let bytes = frame(said.kind, &said.text);
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
            Line::Whole(line) => match answer(&line, &mut lines.read, &requests, limits.again).await {
                Some(output) => (output, false),
                None => return,
            },
            Line::NotText => (Output::failed("That line is not UTF-8.\n".to_owned()), false),
            Line::TooLong => (Output::failed(format!("That line is longer than {LINE_LIMIT} bytes.\n")), true),
            Line::Gone => return,
        };
        if let Some(wish) = output.verbose.take() {
            output.text += &ear.set(wish);
        }
        if !send(&mut write, &bytes(&output), Some(limits.write)).await || is_last {
            return;
        }
    }
}

/// Has one line carried out. `None` when the console left before there was an answer.
async fn answer(
    line: &str,
    read: &mut BufReader<OwnedReadHalf>,
    requests: &mpsc::Sender<Request>,
    again: Duration,
) -> Option<Output> {
    loop {
        let (reply, answered) = oneshot::channel();
        let request = Request { line: line.to_owned(), reply };
        let output = match requests.send(request).await {
            Ok(()) => answered.await.ok(),
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
    /// The next line. Its beginning may take as long as it likes; what is begun has to end in time.
    async fn next(&mut self, time: Duration) -> Line {
        loop {
            let ready = match self.begun {
                None => self.read.fill_buf().await,
                Some(begun) => match timeout_at(begun + time, self.read.fill_buf()).await {
                    Ok(ready) => ready,
                    Err(_) => return Line::Gone,
                },
            };
            let Ok(ready) = ready else { return Line::Gone };
            if ready.is_empty() {
                return Line::Gone;
            }
            self.begun.get_or_insert_with(Instant::now);
            let end = ready.iter().position(|byte| *byte == b'\n');
            let part = ready.get(..end.unwrap_or(ready.len())).unwrap_or_default();
            let used = part.len().saturating_add(usize::from(end.is_some()));
            if self.line.len().saturating_add(used) > LINE_LIMIT {
                return Line::TooLong;
            }
            self.line.extend_from_slice(part);
            self.read.consume(used);
            if end.is_some() {
                self.begun = None;
                return String::from_utf8(std::mem::take(&mut self.line)).map_or(Line::NotText, Line::Whole);
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
