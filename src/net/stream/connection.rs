//! One connection, from its first byte to its last.

use super::table::{Ends, Link};
use super::{FAREWELL, Shared};
use crate::net::ingress::Received;
use crate::pbx::effect::Event;
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
/// Without a byte from somebody who proved who he is: longer than any registration lasts without its refresh.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// How long the switch may have no room for a message before it is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked for room.
const ASK: Duration = Duration::from_millis(5);
/// Bytes read at once.
const PIECE: usize = 4_096;

/// Speaks on a connection until it ends; says why it did.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(shared: &Shared, stream: S, ends: &mut Ends) -> String {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut link = Talk { shared, flow: ends.flow, link: &ends.link };
    let why = tokio::select! {
        why = link.read(&mut reader) => why,
        why = write(&ends.link, &mut ends.queue, &mut writer) => why,
        _ = &mut ends.stop => "closed by the exchange".to_owned(),
    };
    let farewell = async {
        while let Ok(bytes) = ends.queue.try_recv() {
            writer.write_all(&bytes).await?;
        }
        writer.shutdown().await
    };
    // Who does not listen to the end has heard enough.
    let _ = timeout(FAREWELL, farewell).await;
    why
}

async fn write<W: AsyncWrite + Unpin>(link: &Link, queue: &mut mpsc::Receiver<Bytes>, writer: &mut W) -> String {
    while let Some(bytes) = queue.recv().await {
        let sent = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        if let Err(error) = sent.await {
            return format!("cannot be written to: {error}");
        }
        link.queued.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
    "closed by the exchange".to_owned()
}

struct Talk<'a> {
    shared: &'a Shared,
    flow: Flow,
    link: &'a Link,
}

impl Talk<'_> {
    async fn read<R: AsyncRead + Unpin>(&mut self, reader: &mut R) -> String {
        let mut framer = Framer::new();
        let mut piece = vec![0; PIECE];
        let start = Instant::now();
        let mut received = start;
        let mut begun: Option<Instant> = None;
        loop {
            let (until, why) = self.deadline(start, received, begun);
            let length = match timeout_at(until, reader.read(&mut piece)).await {
                // The switch has found out meanwhile that it is no stranger.
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
            framer.push(piece.get(..length).unwrap_or_default());
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
        let proven = self.link.proven.load(Ordering::Relaxed);
        let idle = (received + IDLE, "closed: nothing came for too long");
        let message = begun.map(|begun| (begun + MESSAGE, "closed: a message took too long"));
        let stranger = (!proven).then(|| (start + self.shared.auth_timeout(), "closed: not authenticated in time"));
        [Some(idle), message, stranger].into_iter().flatten().min_by_key(|(at, _)| *at).unwrap_or(idle)
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
        let received = self.shared.receive(bytes, self.flow);
        match received {
            Received::Passed => self.passed(),
            Received::Full(event) => self.insist(event).await,
            Received::Answer { bytes, note, .. } => {
                let sent = self.send(bytes);
                self.shared.note(note, self.flow);
                return sent;
            }
            Received::KeepAlive => {}
            Received::Unreadable => return Err("sent something that is not SIP"),
            Received::Dropped if !self.shared.may_ask(self.flow.remote.ip()) => {
                return Err("too many unauthenticated requests from its address");
            }
            Received::Dropped => {}
        }
        Ok(())
    }

    fn passed(&self) {
        self.link.known.store(true, Ordering::Relaxed);
    }

    /// Over a connection nothing is sent again: the message waits until the switch has room, and its sender with it.
    async fn insist(&self, mut event: Box<Event>) {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            sleep(ASK).await;
            match self.shared.pass(event) {
                Ok(()) => return self.passed(),
                Err(back) => event = back,
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
    use super::super::{Limits, Listeners};
    use super::*;
    use crate::net::ingress::to_nobody;
    use crate::sip::flow::Transport;

    /// What becomes of a connection over which `said` came, and no more: why it ends, and after how many seconds.
    async fn fate(said: &[u8], is_proven: bool) -> (String, u64) {
        let listeners = Listeners::bind(None, None, 0).unwrap();
        let limits = Limits { auth_timeout: Duration::from_secs(30), auth_limit: 100 };
        let shared = Shared::new(&listeners, to_nobody(), limits, None);
        let udp = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5060".parse().unwrap());
        let entered = shared.table().enter(Flow { transport: Transport::Tcp, ..udp }, false, 100);
        let mut ends = entered.map_err(drop).unwrap().0;
        if is_proven {
            shared.table().prove(ends.flow.connection.unwrap());
        }
        let (mut phone, stream) = tokio::io::duplex(100_000);
        phone.write_all(said).await.unwrap();
        let start = Instant::now();
        let why = serve(&shared, stream, &mut ends).await;
        assert!(shared.counters.all().iter().any(|(reason, _)| *reason == why), "{why} is counted");
        (why, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_borne_for_two_hours_by_who_proved_himself_and_for_half_a_minute_by_others() {
        assert_eq!(fate(b"", true).await, ("closed: nothing came for too long".to_owned(), 7_200));
        assert_eq!(fate(b"", false).await, ("closed: not authenticated in time".to_owned(), 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_whole_within_half_a_minute_whoever_sends_it() {
        let begun = b"OPTIONS sip:a SIP/2.0\r\nVia: ";
        assert_eq!(fate(begun, true).await, ("closed: a message took too long".to_owned(), 30));
    }
}
