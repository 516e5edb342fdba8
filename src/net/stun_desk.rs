//! Where answers of a STUN server are handed from the thread that receives datagrams to the one that asked.

use crate::stun::is_stun;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Answers that may wait; a server sends one for each question.
const WAITING: usize = 4;

/// One datagram of the server that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StunAnswer {
    /// Where it came from.
    pub from: SocketAddr,
    /// What it says.
    pub bytes: Bytes,
}

/// Knows which server is being asked.
#[derive(Debug)]
pub struct StunDesk {
    asked: Mutex<Option<SocketAddr>>,
    answers: SyncSender<StunAnswer>,
}

/// A desk, and where its answers come out.
pub fn stun_desk() -> (Arc<StunDesk>, Receiver<StunAnswer>) {
    let (answers, waiting) = sync_channel(WAITING);
    (Arc::new(StunDesk { asked: Mutex::new(None), answers }), waiting)
}

impl StunDesk {
    /// This server is being asked now, or none.
    pub fn expect(&self, server: Option<SocketAddr>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// Takes a datagram that is a STUN message, and hands it on when it comes from the server that is being asked. False:
    /// it is none, and may be SIP.
    pub fn take(&self, datagram: &[u8], from: SocketAddr) -> bool {
        if !is_stun(datagram) {
            return false;
        }
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked == Some(from) {
            // More than one question is worth: whoever asked asks again.
            let _ = self.answers.try_send(StunAnswer { from, bytes: Bytes::copy_from_slice(datagram) });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{TransactionId, request};

    #[test]
    fn only_the_server_that_is_asked_is_heard_and_only_so_much() {
        let (desk, answers) = stun_desk();
        let (server, other) = ("192.0.2.1:3478".parse().unwrap(), "192.0.2.2:3478".parse().unwrap());
        let message = request(TransactionId([1; 12]));
        assert!(desk.take(&message, server), "it is no SIP");
        assert!(answers.try_recv().is_err(), "nobody asked");
        desk.expect(Some(server));
        assert!(desk.take(&message, other));
        assert!(answers.try_recv().is_err());
        assert!(!desk.take(b"OPTIONS sip:a SIP/2.0\r\n\r\n", server));
        for _ in 0..100 {
            desk.take(&message, server);
        }
        assert_eq!(answers.try_iter().count(), WAITING);
    }
}
