//! One connection, from its first byte to its last.

use super::shared::{FAREWELL, Shared};
use super::table::{Status, TaskSide};
use crate::net::ingress::Received;
use crate::pbx::effect::Input;
use crate::sip::Flow;
use crate::sip::frame::{Frame, Framer};
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// From the first byte of a message to its last.
const MESSAGE: Duration = Duration::from_secs(30);
/// Without a byte from an authenticated peer: longer than any registration lasts without its refresh.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// How long a message waits for room in the switch's queue before it is dropped.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How often it tries.
const RETRY: Duration = Duration::from_millis(5);
/// Bytes read at once.
const CHUNK: usize = 4_096;

/// Serves a connection until it ends; returns why it did.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: S,
    task: &mut TaskSide,
) -> String {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut messages = Reader { shared, flow: task.flow, status: &task.status };
    let why = tokio::select! {
        why = messages.read(&mut reader) => why,
        why = write(&task.status, &mut task.queue, &mut writer) => why,
        _ = &mut task.stop => "closed by the exchange".to_owned(),
    };
    let farewell = async {
        while let Ok(bytes) = task.queue.try_recv() {
            writer.write_all(&bytes).await?;
        }
        writer.shutdown().await
    };
    // A peer that does not take its last bytes in time loses them.
    let _ = timeout(FAREWELL, farewell).await;
    why
}

async fn write<W: AsyncWrite + Unpin>(status: &Status, queue: &mut mpsc::Receiver<Bytes>, writer: &mut W) -> String {
    while let Some(bytes) = queue.recv().await {
        let sent = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        if let Err(error) = sent.await {
            return format!("cannot be written to: {error}");
        }
        status.queued.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
    "closed by the exchange".to_owned()
}

struct Reader<'a> {
    shared: &'a Shared,
    flow: Flow,
    status: &'a Status,
}

impl Reader<'_> {
    async fn read<R: AsyncRead + Unpin>(&mut self, reader: &mut R) -> String {
        let mut framer = Framer::new();
        let mut chunk = vec![0; CHUNK];
        let start = Instant::now();
        let mut received = start;
        let mut begun: Option<Instant> = None;
        loop {
            let (until, why) = self.deadline(start, received, begun);
            let length = match timeout_at(until, reader.read(&mut chunk)).await {
                // The peer has authenticated meanwhile.
                Err(_) if self.deadline(start, received, begun).0 > until => continue,
                Err(_) => {
                    self.shared.counters.add(why);
                    return why.to_owned();
                }
                Ok(Ok(0)) => return "closed by the other side".to_owned(),
                Ok(Err(error)) => return format!("broken: {error}"),
                Ok(Ok(length)) => length,
            };
            received = Instant::now();
            framer.push(chunk.get(..length).unwrap_or_default());
            while let Some(frame) = framer.next_frame() {
                begun = None;
                if let Err(why) = self.frame(frame).await {
                    self.shared.counters.add("connection closed for what it sent");
                    return why.to_owned();
                }
            }
            begun = if framer.is_amid() { begun.or(Some(received)) } else { None };
        }
    }

    /// How long to wait for more, and what it means when nothing comes.
    fn deadline(&self, start: Instant, received: Instant, begun: Option<Instant>) -> (Instant, &'static str) {
        let status = self.status;
        let may_last = status.proven.load(Ordering::Relaxed) || status.guest.load(Ordering::Relaxed);
        let idle = (received + IDLE, "closed: nothing came for too long");
        let message = begun.map(|begun| (begun + MESSAGE, "closed: a message took too long"));
        let unproven = (!may_last).then(|| match status.outgoing {
            true => (received + self.shared.auth_timeout(), "closed: made for a stranger, and not used"),
            false => (start + self.shared.auth_timeout(), "closed: not authenticated in time"),
        });
        [Some(idle), message, unproven].into_iter().flatten().min_by_key(|(at, _)| *at).unwrap_or(idle)
    }

    async fn frame(&self, frame: Frame) -> Result<(), &'static str> {
        match frame {
            Frame::Ping => {
                self.shared.counters.add("keep_alive");
                self.send(Bytes::from_static(b"\r\n"))
            }
            Frame::Message(bytes) => self.message(&bytes).await,
            Frame::Last(bytes, why) => {
                self.message(&bytes).await?;
                Err(why)
            }
        }
    }

    async fn message(&self, bytes: &Bytes) -> Result<(), &'static str> {
        let received = self.shared.receive(bytes, self.flow, self.status.proven.load(Ordering::Relaxed));
        match received {
            Received::Passed => self.passed(),
            Received::Full(input) => self.retry(input).await,
            Received::Respond { bytes, report, .. } => {
                let sent = self.send(bytes);
                self.shared.report(report, self.flow);
                return sent;
            }
            Received::KeepAlive => {}
            Received::Unreadable => return Err("sent something that is not SIP"),
            Received::OverLimit => return Err("too many unauthenticated requests from its address"),
            Received::Dropped => {}
        }
        Ok(())
    }

    fn passed(&self) {
        self.status.known.store(true, Ordering::Relaxed);
    }

    /// Over a connection nothing is retransmitted: the message waits until the switch has room, and its sender with it.
    async fn retry(&self, mut input: Box<Input>) {
        let start = Instant::now();
        while start.elapsed() < MAX_WAIT {
            sleep(RETRY).await;
            match self.shared.pass(input) {
                Ok(()) => return self.passed(),
                Err(back) => input = back,
            }
        }
        self.shared.counters.add("the switch's queue is full");
    }

    fn send(&self, bytes: Bytes) -> Result<(), &'static str> {
        let Some(id) = self.flow.connection else { return Ok(()) };
        self.shared.table().queue(id, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::listeners::Listeners;
    use super::super::shared::Limits;
    use super::super::table::{Origin, Table};
    use super::*;
    use crate::net::ingress::without_sink;
    use crate::sip::flow::{ConnectionId, Transport};

    /// Why a connection task over which these bytes came and no more, and after how many seconds.
    async fn end_of(bytes: &[u8], origin: Origin, let_in: fn(&mut Table, ConnectionId)) -> (String, u64) {
        let listeners = Listeners::bind(None, None, 0).unwrap();
        let limits = Limits { auth_timeout: Duration::from_secs(30), auth_limit: 100 };
        let shared = Shared::new(&listeners, without_sink(), limits, None);
        let udp = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5060".parse().unwrap());
        let entered = shared.table().enter(Flow { transport: Transport::Tcp, ..udp }, origin, 100);
        let mut task = entered.map_err(drop).unwrap().0;
        let_in(&mut shared.table(), task.flow.connection.unwrap());
        let (mut phone, stream) = tokio::io::duplex(100_000);
        phone.write_all(bytes).await.unwrap();
        let start = Instant::now();
        let why = serve(&shared, stream, &mut task).await;
        assert!(shared.counters.all().iter().any(|(reason, _)| *reason == why), "{why} is counted");
        (why, start.elapsed().as_secs())
    }

    fn nobody(_: &mut Table, _: ConnectionId) {}

    #[tokio::test(start_paused = true)]
    async fn silence_is_borne_for_two_hours_of_who_proved_himself_and_for_half_a_minute_of_others() {
        let (long, short) = ("closed: nothing came for too long", "closed: not authenticated in time");
        let silent = |origin, let_in| end_of(b"", origin, let_in);
        assert_eq!(silent(Origin::Accepted, Table::authenticated).await, (long.to_owned(), 7_200));
        assert_eq!(silent(Origin::Peer, nobody).await, (long.to_owned(), 7_200));
        assert_eq!(silent(Origin::Accepted, nobody).await, (short.to_owned(), 30));
        // A guest's call may last; what was made for a stranger is made again when it is needed.
        assert_eq!(silent(Origin::Accepted, Table::admitted).await, (long.to_owned(), 7_200));
        let stranger = Origin::Stranger("192.0.2.9".parse().unwrap());
        assert_eq!(silent(stranger, nobody).await, ("closed: made for a stranger, and not used".to_owned(), 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_whole_within_half_a_minute_whoever_sends_it() {
        let begun = b"OPTIONS sip:a SIP/2.0\r\nVia: ";
        assert_eq!(
            end_of(begun, Origin::Accepted, Table::authenticated).await,
            ("closed: a message took too long".to_owned(), 30)
        );
    }
}
