//! The transfers there are: each with its place, which is given back when it ends.

use super::super::phone_files::PhoneFiles;
use crate::provision::tftp::Admission;
use crate::provision::tftp::admission::MAX_IN_ALL;
use crate::services::descriptors;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::task::AbortHandle;

/// A transfer as the listener knows it.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) number: u64,
    pub(super) proven: Rc<Cell<bool>>,
    pub(super) again: Sender<()>,
    pub(super) abort: AbortHandle,
}

/// What the transfers share.
pub(super) struct Shared {
    pub(super) files: Arc<PhoneFiles>,
    pub(super) admission: RefCell<Admission>,
    pub(super) transfers: RefCell<BTreeMap<SocketAddr, Known>>,
}

impl Shared {
    pub(super) fn new(files: Arc<PhoneFiles>) -> Shared {
        let admission = RefCell::new(Admission::new(descriptors::bound(MAX_IN_ALL)));
        Shared { files, admission, transfers: RefCell::default() }
    }

    /// The same telephone asks for the same again from the same port: while nothing was acknowledged its transfer answers once more.
    /// Otherwise what it had is over, since it has begun anew: its place in the table is taken, which its transfer notices.
    pub(super) fn is_repeated(&self, peer: SocketAddr, name: &str) -> bool {
        let transfers = self.transfers.borrow();
        let Some(known) = transfers.get(&peer) else { return false };
        if known.name == name && !known.proven.get() {
            let _ = known.again.try_send(());
            return true;
        }
        false
    }
}

/// A transfer's place among those there may be; given back when the transfer ends, in whatever way.
pub(super) struct Seat {
    pub(super) shared: Rc<Shared>,
    pub(super) peer: SocketAddr,
    pub(super) number: u64,
    pub(super) proven: Rc<Cell<bool>>,
}

impl Seat {
    /// The telephone has acknowledged something.
    pub(super) fn prove(&self) {
        if !self.proven.replace(true) {
            self.shared.admission.borrow_mut().proven(self.peer.ip());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.admission.borrow_mut().leave(self.peer.ip(), self.proven.get());
        let mut transfers = self.shared.transfers.borrow_mut();
        // Another may have taken its place since.
        if transfers.get(&self.peer).is_some_and(|known| known.number == self.number) {
            transfers.remove(&self.peer);
        }
    }
}
