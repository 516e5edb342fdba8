//! The TFTP server: a socket for requests, and one for each transfer, whose port is the transfer's number (RFC 1350 4).
//!
//! All of it runs as tasks of one thread. What the protocol says is [`crate::provision::tftp`]; here are its sockets, its clock
//! and its bounds.

mod request_socket;
mod table;
mod transfer_task;

pub use request_socket::RequestSocket;

use super::phone_files::PhoneFiles;
use crate::provision::tftp::Drop as DropReason;
use crate::provision::tftp::packet::{self, ErrorCode, MAX_REQUEST, Packet};
use request_socket::Arrived;
use std::rc::Rc;
use std::sync::Arc;
use table::{Known, Seat, Shared};
use tokio::sync::mpsc::channel;
use tokio::task::spawn_local;
use transfer_task::Task;

/// The port of TFTP, the only one that Cisco's telephones ask.
pub const PORT: u16 = 69;

/// Serves requests until it is dropped; then its transfers end, too. To be run within a `LocalSet`.
pub async fn serve(socket: RequestSocket, files: Arc<PhoneFiles>) {
    let shared = Rc::new(Shared::new(files));
    let _ending = EndAll(shared.clone());
    let mut last_number: u64 = 0;
    // Room for one byte more than is read shows that there was more.
    let mut buffer = [0; MAX_REQUEST + 3];
    loop {
        match socket.receive(&mut buffer).await {
            Ok(arrived) => {
                last_number = last_number.wrapping_add(1);
                let bytes = buffer.get(..arrived.length).unwrap_or_default();
                shared.request(&socket, arrived, bytes, last_number);
            }
            // Such as that a host refused an earlier answer: the next datagram is another's.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Ends every transfer when the server ends.
struct EndAll(Rc<Shared>);

impl Drop for EndAll {
    fn drop(&mut self) {
        self.0.transfers.borrow().values().for_each(|known| known.abort.abort());
    }
}

impl Shared {
    fn request(self: &Rc<Shared>, socket: &RequestSocket, arrived: Arrived, bytes: &[u8], number: u64) {
        let board = self.files.board();
        if !self.files.serves(arrived.peer.ip()) {
            return board.dropped(DropReason::Network, 1);
        }
        let request = match packet::parse(bytes) {
            Ok(Packet::Read(request)) => request,
            Ok(Packet::Write(_)) => {
                // Once, from the port that was asked: nothing is kept of it.
                let refusal = packet::error(ErrorCode::Access, "Read-only server");
                socket.send(&refusal, arrived.peer);
                return board.dropped(DropReason::Write, 1);
            }
            Ok(Packet::Data | Packet::Ack(_) | Packet::Error { .. }) => return board.dropped(DropReason::NoRequest, 1),
            Err(_) => return board.dropped(DropReason::Malformed, 1),
        };
        if self.is_repeated(arrived.peer, &request.name) {
            return board.dropped(DropReason::Repeated, 1);
        }
        if let Err(why) = self.admission.borrow_mut().enter(arrived.peer.ip()) {
            return board.dropped(why, 1);
        }
        let seat = Seat { shared: self.clone(), peer: arrived.peer, number, proven: Rc::default() };
        let own = match transfer_task::open(arrived.local, arrived.peer) {
            Ok(own) => own,
            // The seat is given back.
            Err(_) => return board.dropped(DropReason::NoSocket, 1),
        };
        let (again, repeated) = channel(1);
        let (name, proven) = (request.name.clone().into_owned(), seat.proven.clone());
        let task = Task { files: self.files.clone(), seat, socket: own, local: arrived.local, repeated };
        let abort = spawn_local(task.run(bytes.to_vec())).abort_handle();
        self.transfers.borrow_mut().insert(arrived.peer, Known { name, number, proven, again, abort });
    }
}

#[cfg(test)]
mod tests;
