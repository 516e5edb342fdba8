//! The user agent of a leg: who the peer is, where requests go, how messages of the dialog are made and sent.

use super::context::{Arrival, Cx, T1};
use super::early_dialogs::Dialogs;
use super::event::LegEvent;
use crate::clock::Time;
use crate::config::peer::{Peer, Settings};
use crate::dialplan::ChannelId;
use crate::event::quality::Reinvites;
use crate::pbx::core::LegId;
use crate::pbx::core::{Requester, add_request_headers};
use crate::pbx::uri_text::uri_address;
use crate::registrar::next_hop::Routing;
use crate::sdp::Sdp;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Transport;
use crate::sip::header::{HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{Account, ClientId, Given, Sending, ServerId};
use crate::sip::validate::Essentials;
use crate::sip::{Flow, Uri};
use crate::wording::outside;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// Makes and sends the messages of a leg's dialogs.
pub struct UserAgent {
    /// The leg that responses and events belong to.
    pub(super) leg: LegId,
    /// The channel that the leg carries.
    pub channel: ChannelId,
    /// The peer; it never changes.
    pub(super) peer: Arc<Peer>,
    /// Where requests of the dialog go.
    pub flow: Flow,
    /// The peer is reached at where it sends from rather than where its Contact says it is.
    pub(super) behind_nat: bool,
    /// What answers a challenge instead of the peer's own password.
    pub login: Option<Arc<Given>>,
    /// Our Contact.
    pub(super) contact: Bytes,
    /// Why our INVITE will be cancelled, if it is (RFC 3326).
    pub cancel_reason: Option<String>,
    /// Where a caller is sent when it is hung up before the answer (302).
    pub redirect_to: Option<String>,
    /// The dialog, and the other early ones of our INVITE.
    pub(super) dialogs: Dialogs,
    /// Who began a re-INVITE.
    pub reinvites: ReinviteCounts,
}

/// Re-INVITEs on a leg (UPDATEs with a description, too).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReinviteCounts {
    /// Sent by the peer, and when the last one came.
    from_line: (u32, Option<Time>),
    ours: u32,
}

impl ReinviteCounts {
    /// The peer sent one.
    pub(super) fn came(&mut self, now: Time) {
        self.from_line = (self.from_line.0.saturating_add(1), Some(now));
    }

    /// We sent one.
    pub(super) fn sent(&mut self) {
        self.ours = self.ours.saturating_add(1);
    }

    /// As it is told of a call that was answered then.
    pub fn told(&self, answered: Option<Time>) -> Reinvites {
        let (from_line, last) = self.from_line;
        Reinvites { from_line, last: last.zip(answered).map(|(last, answered)| last.since(answered)), ours: self.ours }
    }
}

impl UserAgent {
    /// Of a leg, towards its peer.
    pub(super) fn new(
        leg: LegId,
        channel: ChannelId,
        peer: Arc<Peer>,
        arrival: Arrival,
        contact: Bytes,
        dialogs: Dialogs,
    ) -> UserAgent {
        let Arrival { flow, behind_nat } = arrival;
        UserAgent {
            leg,
            channel,
            peer,
            flow,
            behind_nat,
            login: None,
            contact,
            cancel_reason: None,
            redirect_to: None,
            dialogs,
            reinvites: ReinviteCounts::default(),
        }
    }

    /// Who we are in its dialog, once there is one: at the address or name by which the peer knows us, when it called.
    pub fn local_uri(&self) -> Option<&Uri> {
        self.dialogs.current.as_ref().map(|dialog| &dialog.local.uri)
    }

    /// Has a later request than that of this number been sent in the dialog? Where it arrives first, the earlier one is answered
    /// with 500 (RFC 3261 12.2.2).
    pub(super) fn is_overtaken(&self, cseq: u32) -> bool {
        self.dialogs.current.as_ref().is_some_and(|dialog| dialog.local_cseq > cseq)
    }

    /// Our tag, once there is a dialog.
    pub(super) fn local_tag(&self) -> Option<&str> {
        self.dialogs.current.as_ref().map(|dialog| dialog.local_tag.as_str())
    }

    /// What the configuration says of the peer.
    pub(super) fn settings(&self) -> &Settings {
        &self.peer.settings
    }

    /// Reports what happened to the call.
    pub(super) fn report(&self, event: LegEvent, cx: &mut Cx<'_>) {
        cx.index.events.push_back((self.leg, event));
    }

    /// Adds what every request to this peer carries.
    pub(super) fn add_common_headers(&self, request: &mut Request, cx: &Cx<'_>) {
        add_request_headers(request, &cx.core.config.product);
        request.headers.set(HeaderName::MaxForwards, self.settings().max_forwards.to_string());
    }

    /// Sends the INVITE that calls the peer. `give_up` is how long it waits for any response, when not 64 times T1; a
    /// late one is heard for `late` more.
    pub(super) fn call(
        &self,
        request: Request,
        give_up: Option<Duration>,
        late: Duration,
        cx: &mut Cx<'_>,
    ) -> ClientId {
        self.transact(request, (give_up, late), cx)
    }

    /// Sends a request whose responses come back to the leg.
    pub(super) fn send(&self, request: Request, cx: &mut Cx<'_>) -> ClientId {
        self.transact(request, (None, Duration::ZERO), cx)
    }

    /// Ends the dialog (RFC 3261 15.1.1); nobody waits for the response.
    pub(super) fn send_bye(&mut self, cx: &mut Cx<'_>) {
        let Some(dialog) = &mut self.dialogs.current else { return };
        let mut request = dialog.request(Method::Bye);
        self.add_common_headers(&mut request, cx);
        self.send(request, cx);
    }

    /// The same for somebody who never acknowledged our 2xx and has proved no address: it is not repeated.
    pub(super) fn send_bye_once(&mut self, cx: &mut Cx<'_>) {
        let Some(dialog) = &mut self.dialogs.current else { return };
        let mut request = dialog.request(Method::Bye);
        self.add_common_headers(&mut request, cx);
        cx.core.request(request, self.flow, Sending::Once { give_up: T1 }, Requester::Leg(self.leg), Account::Nobody);
    }

    /// `timert1=` raises T1 and never lowers it.
    fn transact(&self, request: Request, (give_up, late): (Option<Duration>, Duration), cx: &mut Cx<'_>) -> ClientId {
        let how = Sending::Tuned { t1: self.settings().timer_t1, give_up, late };
        cx.core.request(request, self.flow, how, Requester::Leg(self.leg), self.account())
    }

    /// Whose credentials answer a challenge to its requests.
    fn account(&self) -> Account {
        match &self.login {
            Some(login) => Account::Given(login.clone()),
            None => Account::Peer(self.peer.name.as_str().into()),
        }
    }

    /// A request that refreshes the target (RFC 3261 12.2.1.1): re-INVITE or UPDATE, still without a body.
    pub(super) fn target_refresh(&mut self, method: Method, cx: &Cx<'_>) -> Option<Request> {
        let mut request = self.dialogs.current.as_mut()?.request(method);
        request.headers.push(HeaderName::Contact, self.contact.clone());
        self.add_common_headers(&mut request, cx);
        Some(request)
    }

    /// RFC 3261 13.2.2.4: the ACK of a 2xx to our INVITE of this number.
    pub(super) fn acknowledge(&self, id: ClientId, cseq: u32, cx: &mut Cx<'_>) {
        let Some(dialog) = &self.dialogs.current else { return };
        let mut ack = dialog.ack(cseq);
        self.add_common_headers(&mut ack, cx);
        cx.core.tx.acknowledge(id, ack, self.flow, &mut cx.core.rng, &mut cx.core.out.transmit);
    }

    /// A response within the dialog, with what forms or refreshes a dialog (RFC 3261 12.1.1).
    pub(super) fn response(&self, request: &Request, status: u16, body: Option<Sdp>) -> Response {
        let mut response = Response::for_request(request, status, self.local_tag());
        if (101..300).contains(&status) {
            for route in request.headers.lines(HeaderName::RecordRoute) {
                response.headers.push(HeaderName::RecordRoute, route.clone());
            }
            response.headers.push(HeaderName::Contact, self.contact.clone());
        }
        if let Some(sdp) = body {
            response.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
            response.body = sdp.to_bytes().into();
        }
        response
    }

    /// Responds, with our tag, to the INVITE that began the dialog.
    pub(super) fn respond_to_invite(&self, invite: ServerId, status: u16, body: Option<Sdp>, cx: &mut Cx<'_>) {
        if let Some(request) = cx.core.tx.server_request(invite) {
            let elsewhere = self.redirect_to.as_ref().filter(|_| status >= 300);
            let mut response = self.response(request, elsewhere.map_or(status, |_| 302), body);
            if let Some(to) = elsewhere {
                response.headers.push(HeaderName::Contact, format!("<{to}>"));
            }
            cx.core.respond(invite, response);
        }
    }

    /// The dialog of a tagged response to our INVITE becomes the current one (RFC 3261 12.1.2, 13.2.2.4). False when
    /// there are too many already. `remote` is the peer's description in the current dialog.
    pub(super) fn adopt_dialog(
        &mut self,
        invite: ClientId,
        response: &Response,
        essentials: &Essentials,
        remote: &mut Option<Sdp>,
        cx: &mut Cx<'_>,
    ) -> bool {
        let Some(request) = cx.core.tx.request_of(invite) else { return true };
        let Ok(dialog) = Dialog::uac(&request, response, essentials) else { return true };
        self.dialogs.adopt(dialog, remote, self.leg, cx.index)
    }

    /// Where the dialog's requests go from now on (RFC 3261 8.1.2, 12.2.1.1): the nearest proxy of its route set, else
    /// the peer's Contact. A peer behind NAT, and a host name, stays where its messages came from. A dialog that began
    /// with `sips:` stays on TLS, and a Contact that asks for TLS where there is none is not used: `before` stays the
    /// target.
    pub(super) fn follow_dialog(&mut self, before: Option<Uri>, routing: &Routing) {
        let Some(dialog) = &mut self.dialogs.current else { return };
        if !self.behind_nat || !dialog.route_set.is_empty() {
            let next = routing.follow(&dialog.next_hop(), self.flow, &self.peer.settings);
            if !dialog.secure || next.transport == Transport::Tls {
                self.flow = next;
            }
        }
        let wants_tls = dialog.remote_target.sip().is_some_and(|target| target.secure);
        if let Some(before) = before.filter(|_| wants_tls && self.flow.transport != Transport::Tls) {
            dialog.remote_target = before;
        }
    }

    /// RFC 3261 12.2.2: a target refresh request moves the remote target.
    pub(super) fn refresh_target(&mut self, headers: &Headers, routing: &Routing) {
        if let Some(dialog) = &mut self.dialogs.current {
            let before = dialog.remote_target.clone();
            dialog.refresh_target(headers);
            self.follow_dialog(Some(before), routing);
        }
    }

    /// Where a request of the dialog shows the peer to be, when that is elsewhere than it was: the source of one that is
    /// reached there (`nat=`; or it registered so, by `rport`), or the connection. The proxies of a route set stay where
    /// they said.
    pub(super) fn moved_to(&mut self, arrival: Arrival) -> Option<Flow> {
        let Arrival { flow: came, behind_nat } = arrival;
        let follows = came.connection.is_some() || behind_nat || self.behind_nat;
        let has_route = self.dialogs.current.as_ref().is_none_or(|dialog| !dialog.route_set.is_empty());
        if !follows || has_route || came.transport != self.flow.transport || came.is_same_flow(self.flow) {
            return None;
        }
        self.behind_nat |= behind_nat;
        Some(came)
    }

    /// The way of the dialog's messages, for people: where ours go, the peer's Contact, and ours, to which its own should
    /// come.
    pub fn way(&self) -> [String; 3] {
        let contact = self.dialogs.current.as_ref().map(|dialog| outside(&dialog.remote_target.to_string()));
        let ours = String::from_utf8_lossy(&self.contact).into_owned();
        [self.flow.remote.to_string(), contact.unwrap_or_default(), ours]
    }

    /// Is the peer reached by this flow?
    pub fn is_reached_by(&self, flow: Flow) -> bool {
        let is_same = self.flow.connection.is_some() && self.flow.connection == flow.connection;
        self.flow.transport == flow.transport && (is_same || self.flow.remote == flow.remote)
    }

    /// Requests go to the peer by another flow from now on, those under way, too. False when they did already, or when
    /// the transport would be another: the messages until now have named this one.
    pub(super) fn move_to(&mut self, to: Flow, cx: &mut Cx<'_>) -> bool {
        let from = self.flow;
        if to.transport != from.transport || to.is_same_flow(from) {
            return false;
        }
        self.flow = Flow { server: from.server, ..to };
        let leg = self.leg;
        let is_ours = |requester: &Requester| matches!(requester, Requester::Leg(other) if *other == leg);
        cx.core.tx.redirect(is_ours, from, self.flow);
        true
    }

    /// The connection of the dialog is closed: its requests go over a new one, to the Contact (RFC 3261 12.2.1.1 and
    /// 18.1.1).
    pub fn lose_connection(&mut self) {
        let target = self.dialogs.current.as_ref().and_then(|dialog| uri_address(&dialog.remote_target));
        let remote = target.filter(|target| target.ip() == self.flow.remote.ip()).unwrap_or(self.flow.remote);
        self.flow = Flow { connection: None, remote, ..self.flow };
    }

    /// The peer's messages come over another connection: requests reach it there now.
    pub fn follow_connection(&mut self, came: Flow) {
        let is_another = came.transport == self.flow.transport && came.connection != self.flow.connection;
        if came.connection.is_some() && is_another && came.remote.ip() == self.flow.remote.ip() {
            self.flow = Flow { server: self.flow.server, ..came };
        }
    }
}
