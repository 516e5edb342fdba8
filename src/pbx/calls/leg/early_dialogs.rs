//! Several telephones behind one INVITE of ours: a proxy rings them all, and each answers with a tag of its own (RFC 3261 12.1.2).
//! One dialog is the leg's; the others are kept, so that what comes in them gets what it is owed.

use super::context::Cx;
use super::{Leg, State};
use crate::sdp::Sdp;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{ClientId, ServerId};
use crate::sip::validate::Essentials;

/// So many telephones behind one INVITE are told apart beside the latest.
const MOST_FORKS: usize = 8;

/// Another early dialog of the same INVITE.
pub(super) struct Fork {
    dialog: Dialog,
    /// What it described before the answer.
    described: Option<Sdp>,
}

impl Leg {
    /// The dialog of a tagged response becomes the leg's: a new one, or one that is known (RFC 3261 12.1.2, 13.2.2.4). False when there are
    /// too many already.
    pub(super) fn meet_dialog(
        &mut self,
        id: ClientId,
        response: &Response,
        essentials: &Essentials,
        cx: &mut Cx<'_>,
    ) -> bool {
        let Some(request) = cx.core.tx.request_of(id) else { return true };
        let Ok(dialog) = Dialog::uac(&request, response, essentials) else { return true };
        let key = dialog.key();
        if let Some(known) = self.dialog.as_mut().filter(|known| known.key() == key) {
            follow_response(known, dialog);
            return true;
        }
        let known = self.forks.iter().position(|fork| fork.dialog.key() == key);
        let known = known.map(|at| self.forks.remove(at));
        if known.is_none() && self.forks.len() >= MOST_FORKS {
            // Whoever answers is taken all the same.
            if !dialog.confirmed {
                return false;
            }
            let oldest = self.forks.remove(0);
            cx.index.dialogs.remove(&oldest.dialog.key());
        }
        if let Some(before) = self.dialog.take() {
            self.forks.push(Fork { dialog: before, described: self.agreement.remote.take() });
        }
        cx.index.dialogs.insert(key, self.id);
        self.dialog = Some(match known {
            Some(Fork { dialog: mut known, described }) => {
                self.agreement.remote = described;
                follow_response(&mut known, dialog);
                known
            }
            None => dialog,
        });
        true
    }

    /// Does a request belong to another early dialog than the leg's own? Which one.
    pub(super) fn fork_of(&self, essentials: &Essentials) -> Option<usize> {
        let key = DialogKey::of_request(essentials)?;
        self.forks.iter().position(|fork| fork.dialog.key() == key)
    }

    /// A request in another early dialog: the call itself is not touched by it.
    pub(super) fn fork_asks(
        &mut self,
        at: usize,
        server: ServerId,
        request: &Request,
        essentials: &Essentials,
        cx: &mut Cx<'_>,
    ) {
        let Some(fork) = self.forks.get_mut(at) else { return };
        if fork.dialog.receive(essentials.cseq.number, &request.method).is_err() {
            return self.reply(server, request, 500, cx);
        }
        match &request.method {
            Method::Bye => {
                self.reply(server, request, 200, cx);
                let gone = self.forks.remove(at);
                cx.index.dialogs.remove(&gone.dialog.key());
            }
            Method::Update if request.body.is_empty() => {
                fork.dialog.refresh_target(&request.headers);
                let mut response = Response::for_request(request, 200, None);
                response.headers.push(HeaderName::Contact, self.contact.clone());
                cx.core.respond(server, response);
            }
            // RFC 3261 14.2 and RFC 3311 5.2: our offer is not answered in this dialog.
            Method::Invite | Method::Update => self.reply(server, request, 491, cx),
            method => {
                let status = super::in_dialog::plain_status(method);
                if let Some(status) = status {
                    self.reply(server, request, status, cx);
                }
            }
        }
    }

    /// The telephone whose dialog is the leg's hangs up before any answer, and others ring still: the call waits for them.
    pub(super) fn next_fork(&mut self, cx: &mut Cx<'_>) -> bool {
        match self.state {
            State::Outgoing { .. } | State::Abandoned { .. } => {}
            State::Incoming { .. } | State::Answering { .. } | State::Confirmed | State::Ended => return false,
        }
        let Some(next) = self.forks.pop() else { return false };
        if let Some(gone) = self.dialog.replace(next.dialog) {
            cx.index.dialogs.remove(&gone.key());
        }
        self.agreement.remote = next.described;
        true
    }

    /// The INVITE is over: nobody is heard in these dialogs any more.
    pub(super) fn forget_dialogs(&mut self, cx: &mut Cx<'_>) {
        if let Some(dialog) = &self.dialog {
            cx.index.dialogs.remove(&dialog.key());
        }
        for fork in self.forks.drain(..) {
            cx.index.dialogs.remove(&fork.dialog.key());
        }
    }
}

/// What a later response says of a dialog that is known: its way and, for a 2xx, that it is confirmed. Its numbers stay.
fn follow_response(known: &mut Dialog, told: Dialog) {
    known.route_set = told.route_set;
    known.remote_target = told.remote_target;
    known.confirmed |= told.confirmed;
}
