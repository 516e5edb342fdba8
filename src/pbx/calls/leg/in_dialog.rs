//! What arrives for an established leg.

use super::body::description;
use super::context::Cx;
use super::event::{Ending, LegEvent};
use super::{Leg, State};
use crate::pbx::core::Requester;
use crate::pbx::uri_text::uri_address;
use crate::registrar::next_hop::Routing;
use crate::sip::Flow;
use crate::sip::flow::Transport;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{Answer, ServerId};
use crate::sip::uri::Uri;
use crate::sip::validate::Essentials;

impl Leg {
    /// A response to one of this leg's requests.
    pub fn receive_response(&mut self, answer: Answer<Requester>, cx: &mut Cx<'_>) {
        let Answer { id, response, essentials, refused, .. } = answer;
        if self.is_reoffer(id) {
            self.reoffer_answered(id, &response, &essentials, cx);
        } else if self.is_update(id) {
            self.update_answered(&response, cx);
        } else {
            self.invite_answered(id, &response, &essentials, refused, cx);
        }
    }

    /// An ACK that belongs to this dialog and to no transaction: it is for a 2xx of ours.
    pub fn receive_ack(&mut self, request: &Request, essentials: &Essentials, cx: &mut Cx<'_>) {
        let body = description(&request.headers, &request.body).and_then(Result::ok);
        self.acknowledged(essentials.cseq.number, body, cx);
    }

    /// A request within this dialog, other than ACK and CANCEL (RFC 3261 12.2.2).
    pub fn receive_request(&mut self, server: ServerId, request: &Request, essentials: &Essentials, cx: &mut Cx<'_>) {
        if let Some(fork) = self.fork_of(essentials) {
            return self.fork_asks(fork, server, request, essentials, cx);
        }
        let in_order = match &mut self.dialog {
            Some(dialog) => dialog.receive(essentials.cseq.number, &request.method).is_ok(),
            None => false,
        };
        if !in_order {
            // RFC 3261 12.2.2: an old CSeq is answered with 500.
            return self.reply(server, request, 500, cx);
        }
        match &request.method {
            Method::Bye => self.bye_came(server, request, cx),
            Method::Invite | Method::Update => self.reoffer_came(server, request, cx),
            method => {
                if let Some(status) = plain_status(method) {
                    self.reply(server, request, status, cx);
                }
            }
        }
    }

    /// RFC 3261 15.1.2: 200 at once; a pending INVITE of either side is over with it (487).
    fn bye_came(&mut self, server: ServerId, request: &Request, cx: &mut Cx<'_>) {
        self.reply(server, request, 200, cx);
        if self.next_fork(cx) {
            return;
        }
        self.refuse_pending_reoffer(cx);
        match self.state {
            State::Incoming { .. } => self.refuse(487, cx),
            State::Outgoing { .. }
            | State::Abandoned { .. }
            | State::Answering { .. }
            | State::Confirmed
            | State::Ended => {}
        }
        let unwanted = matches!(self.state, State::Abandoned { .. } | State::Answering { hang_up: true });
        self.end(cx);
        if !unwanted {
            self.tell(LegEvent::Ended(Ending::Bye), cx);
        }
    }

    pub(super) fn reply(&self, server: ServerId, request: &Request, status: u16, cx: &mut Cx<'_>) {
        cx.core.respond(server, Response::for_request(request, status, None));
    }

    /// The connection of the dialog is closed: its requests go over a new one, to the Contact (RFC 3261 12.2.1.1 and 18.1.1).
    pub fn lose_connection(&mut self) {
        let target = self.dialog.as_ref().and_then(|dialog| uri_address(&dialog.remote_target));
        let remote = target.filter(|target| target.ip() == self.flow.remote.ip()).unwrap_or(self.flow.remote);
        self.flow = Flow { connection: None, remote, ..self.flow };
    }

    /// The peer speaks over another connection: it is where requests reach it now.
    pub fn follow_connection(&mut self, came: Flow) {
        let is_another = came.transport == self.flow.transport && came.connection != self.flow.connection;
        if came.connection.is_some() && is_another && came.remote.ip() == self.flow.remote.ip() {
            self.flow = Flow { server: self.flow.server, ..came };
        }
    }

    /// Where the dialog's requests go from now on (RFC 3261 8.1.2, 12.2.1.1): the nearest proxy of its route set, else the
    /// peer's Contact. What is behind NAT, and a name, stays where it was heard from. A dialog that began with `sips:` stays on
    /// TLS, and a Contact that asks for TLS where there is none is not used: `before` stays the target.
    pub(super) fn follow_dialog(&mut self, before: Option<Uri>, ways: &Routing) {
        let Some(dialog) = &mut self.dialog else { return };
        if !self.behind_nat || !dialog.route_set.is_empty() {
            let way = ways.follow(&dialog.next_hop(), self.flow, &self.peer.settings);
            if !dialog.secure || way.transport == Transport::Tls {
                self.flow = way;
            }
        }
        let asks = dialog.remote_target.sip().is_some_and(|target| target.secure);
        if let Some(before) = before.filter(|_| asks && self.flow.transport != Transport::Tls) {
            dialog.remote_target = before;
        }
    }

    /// Did it begin with `sips:`, so that nothing of it may leave TLS?
    pub fn is_secure(&self) -> bool {
        self.dialog.as_ref().is_some_and(|dialog| dialog.secure)
    }
}

/// What a request in a dialog is answered that neither ends nor changes the call; none: nothing is owed.
pub(super) fn plain_status(method: &Method) -> Option<u16> {
    method.rules().in_dialog
}
