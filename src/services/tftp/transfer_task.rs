//! One transfer: its socket and its clock.

use super::super::phone_files::{Answer, Asker, Body, FileContent, Handed, PhoneFiles};
use super::table::Seat;
use crate::clock::Time;
use crate::event::provision::{BrokenOff, FileOutcome, Given};
use crate::provision::Via;
use crate::provision::tftp::options::Agreed;
use crate::provision::tftp::packet::{self, ErrorCode, Mode, Packet};
use crate::provision::tftp::{Bytes, Content, Drop as DropReason, Ending, Netascii, Transfer, Turn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::Receiver;

/// What a client sends to a transfer is short: acknowledgements, and errors with a text.
const LONGEST: usize = 600;

pub(super) struct Task {
    pub(super) files: Arc<PhoneFiles>,
    pub(super) seat: Seat,
    pub(super) socket: UdpSocket,
    pub(super) local: IpAddr,
    /// The request came once more; closed: another one has come from the same port.
    pub(super) repeated: Receiver<()>,
}

/// A socket of its own for a transfer, at the address that was asked, for this telephone alone.
pub(super) fn open(local: IpAddr, peer: SocketAddr) -> io::Result<UdpSocket> {
    let connected = |address: IpAddr| {
        let socket = std::net::UdpSocket::bind(SocketAddr::new(address, 0))?;
        socket.connect(peer)?;
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket)
    };
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // An address of IPv6 that needs its interface named, or one that has gone: the system knows one.
    connected(local).or_else(|_| connected(any))
}

impl Task {
    /// Answers the request in these bytes.
    pub(super) async fn run(mut self, bytes: Vec<u8>) {
        let Ok(Packet::Read(request)) = packet::parse(&bytes) else { return };
        let (name, peer) = (request.name.clone(), self.seat.peer);
        let asker = Asker { name: &name, via: Via::Tftp, peer, reached_at: self.local, user_agent: None };
        let answer = self.files.ask(asker).await;
        let handed = match answer {
            Answer::Give(handed) => handed,
            Answer::Missing => return self.refuse(ErrorCode::NotFound, "File not found").await,
            Answer::Refused => return self.refuse(ErrorCode::Access, "Access violation").await,
        };
        let Handed { body, length, what, has_secret, entry, .. } = *handed;
        let agreed = Agreed::of(&request, Some(length));
        let content: Box<dyn Content> = match body {
            Body::Made(bytes) => Box::new(Bytes::new(bytes)),
            Body::OnDisk(file) => Box::new(FileContent::new(file)),
        };
        let content: Box<dyn Content> = match request.mode {
            Mode::Octet => content,
            Mode::Netascii => Box::new(Netascii::new(content)),
        };
        let clock = Clock(Instant::now());
        let (mut transfer, first) = Transfer::start(clock.now(), agreed, content);
        let ending = self.transfer(&mut transfer, first, clock, &entry).await;
        let progress = transfer.progress();
        self.files.board().dropped(DropReason::Ignored, u64::from(progress.ignored));
        let given = Given {
            what,
            bytes: length,
            took: entry.took(),
            repeated: progress.repeated,
            unconfirmed: ending == Ending::LastNotAcknowledged,
            has_secret,
        };
        let broken = |reason| FileOutcome::Broken { bytes: progress.bytes, reason };
        entry.end(match ending {
            Ending::Done | Ending::LastNotAcknowledged => FileOutcome::Given(given),
            Ending::NeverAcknowledged => broken(BrokenOff::NeverAcknowledged),
            Ending::Silent => broken(BrokenOff::Silent),
            Ending::Aborted(code, text) => broken(BrokenOff::Ended(said(code, text).into())),
            Ending::Unreadable(why) => broken(BrokenOff::Unreadable(why)),
        });
    }

    async fn refuse(&self, code: ErrorCode, text: &str) {
        // A telephone whose answer is lost asks again.
        let _ = self.socket.send(&packet::error(code, text)).await;
    }

    /// Until it ends.
    async fn transfer(
        &mut self,
        transfer: &mut Transfer<Box<dyn Content>>,
        first: Turn,
        clock: Clock,
        entry: &super::super::phone_files::Entry,
    ) -> Ending {
        let mut turn = first;
        let mut buffer = [0; LONGEST];
        loop {
            for packet in &turn.send {
                if let Err(error) = self.socket.send(packet).await
                    && error.kind() == io::ErrorKind::ConnectionRefused
                {
                    turn.end = turn.end.or(transfer.refused().end);
                }
            }
            if let Some(end) = turn.end {
                return end;
            }
            let deadline = clock.instant(transfer.deadline());
            turn = tokio::select! {
                received = self.socket.recv(&mut buffer) => match received {
                    Ok(length) => transfer.receive(clock.now(), buffer.get(..length).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => transfer.refused(),
                    // Such as that a network was away for a moment: time tells.
                    Err(_) => {
                        tokio::task::yield_now().await;
                        transfer.tick(clock.now())
                    }
                },
                again = self.repeated.recv() => match again {
                    Some(()) => transfer.asked_again(clock.now()),
                    None => return self.superseded(transfer, clock),
                },
                () = tokio::time::sleep_until(deadline.into()) => transfer.tick(clock.now()),
            };
            if transfer.is_proven() {
                self.seat.prove();
            }
            entry.progress(transfer.progress().bytes);
        }
    }
}

impl Task {
    /// The telephone asks for something else from the same port. What it acknowledged before that may have arrived and wait here.
    fn superseded(&self, transfer: &mut Transfer<Box<dyn Content>>, clock: Clock) -> Ending {
        let mut buffer = [0; LONGEST];
        while let Ok(length) = self.socket.try_recv(&mut buffer) {
            if let Some(end) = transfer.receive(clock.now(), buffer.get(..length).unwrap_or_default()).end {
                return end;
            }
        }
        transfer.refused().end.unwrap_or(Ending::Silent)
    }
}

/// Time since the transfer began.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> Time {
        Time::from_start(self.0.elapsed())
    }

    fn instant(self, time: Time) -> Instant {
        self.0.checked_add(time.since_start()).unwrap_or(self.0)
    }
}

fn said(code: u16, text: String) -> String {
    if text.is_empty() { format!("error {code}") } else { text }
}
