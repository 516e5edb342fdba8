//! One console: lines in, answers out, one after the other. A console that stalls costs only itself.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Limits, Request};
use crate::observe::command::Output;
use crate::observe::wire::{Head, LINE_LIMIT};

/// What came of reading a line.
enum Line {
    Whole(String),
    TooLong,
    NotText,
    Gone,
}

/// Tells one that cannot come in why. It never waits: what does not fit into the socket's buffer is lost.
pub(super) fn turn_away(stream: &UnixStream, why: &str) {
    let _ = stream.try_write(&bytes(&Output::failed(format!("{why}.\n"))));
}

/// Answers a console's lines until it leaves, stalls, or the exchange ends.
pub(super) async fn attend(stream: UnixStream, requests: mpsc::Sender<Request>, limits: Limits) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let line = tokio::select! {
            line = next_line(&mut read, limits.line) => line,
            () = requests.closed() => return,
        };
        let (output, is_last) = match line {
            Line::Whole(line) => match answer(&line, &mut read, &requests, limits.again).await {
                Some(output) => (output, false),
                None => return,
            },
            Line::NotText => (Output::failed("That line is not UTF-8.\n".to_owned()), false),
            Line::TooLong => (Output::failed(format!("That line is longer than {LINE_LIMIT} bytes.\n")), true),
            Line::Gone => return,
        };
        if !send(&mut write, &bytes(&output), limits.write).await || is_last {
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

/// Reads one line. Its beginning may take as long as it likes; what is begun has to end in time.
async fn next_line(read: &mut BufReader<OwnedReadHalf>, time: Duration) -> Line {
    match read.fill_buf().await {
        Ok([]) | Err(_) => return Line::Gone,
        Ok(_) => {}
    }
    match timeout(time, rest_of_line(read)).await {
        Ok(Ok(line)) => line,
        Ok(Err(_)) | Err(_) => Line::Gone,
    }
}

async fn rest_of_line(read: &mut BufReader<OwnedReadHalf>) -> io::Result<Line> {
    let mut line = Vec::new();
    loop {
        let ready = read.fill_buf().await?;
        if ready.is_empty() {
            return Ok(Line::Gone);
        }
        let end = ready.iter().position(|byte| *byte == b'\n');
        let part = ready.get(..end.unwrap_or(ready.len())).unwrap_or_default();
        let used = part.len().saturating_add(usize::from(end.is_some()));
        if line.len().saturating_add(used) > LINE_LIMIT {
            return Ok(Line::TooLong);
        }
        line.extend_from_slice(part);
        read.consume(used);
        if end.is_some() {
            return Ok(String::from_utf8(line).map_or(Line::NotText, Line::Whole));
        }
    }
}

/// Writes it all, as long as the console keeps taking some of it.
async fn send(write: &mut OwnedWriteHalf, bytes: &[u8], time: Duration) -> bool {
    let mut left = bytes;
    while !left.is_empty() {
        match timeout(time, write.write(left)).await {
            Ok(Ok(taken)) if taken > 0 => left = left.get(taken..).unwrap_or_default(),
            Ok(_) | Err(_) => return false,
        }
    }
    true
}

fn bytes(output: &Output) -> Vec<u8> {
    let head = Head { failed: output.failed, length: output.text.len() };
    [head.print().as_bytes(), output.text.as_bytes()].concat()
}
