//! The leg of a called line: we sent the INVITE (RFC 3261 13.2).

use super::agreement::Agreement;
use super::body::description;
use super::context::{Arrival, Cx, T1};
use super::event::{LegEvent, Refusal};
use super::{Leg, Reoffer, SILENCE, State};
use crate::config::peer::{Peer, SendRpid};
use crate::config::presentation::Presentation;
use crate::dialplan::ChannelId;
use crate::pbx::core::LegId;
use crate::pbx::core::LegTimer;
use crate::pbx::core::Requester;
use crate::pbx::uri_text::{contact, escape_user, host, quote};
use crate::sdp::Sdp;
use crate::sip::Flow;
use crate::sip::Uri;
use crate::sip::dialog::routed;
use crate::sip::header::{CSeq, ContactValue, HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::sips::binds_request;
use crate::sip::transaction::ClientId;
use crate::sip::validate::Essentials;
use bytes::Bytes;
use std::sync::Arc;

/// Whom to call and what the phone shows.
pub struct Calling<'a> {
    /// The Request-URI: the contact exactly as the phone registered it.
    pub target: String,
    /// The proxies on the way, nearest first: the Path of its registration.
    pub route: Vec<Bytes>,
    /// The `To` URI.
    pub to: String,
    /// Caller's name, shown by the phone.
    pub from_name: Option<&'a str>,
    /// Caller's number; empty when it has none.
    pub from_number: &'a str,
    /// The user in From: `fromuser=`, else the caller's number, else the exchange's own name (`callerid=` of `[general]`).
    pub from_user: &'a str,
    /// The domain in From: `fromdomain=`, else our address.
    pub from_domain: String,
    /// May the peer see who calls?
    pub presentation: Presentation,
    /// Hops it may take at most; `maxforwards=` may allow fewer.
    pub hops: u8,
    /// May silence for six seconds give the peer up (`qualify` says it is there)?
    pub watched: bool,
}

/// Most places of one redirection that are looked at.
const MOST_CONTACTS: usize = 5;

impl Leg {
    /// A called line's leg; nothing is sent before [`Leg::invite`].
    pub fn outgoing(
        id: LegId,
        channel: ChannelId,
        peer: Arc<Peer>,
        Arrival { flow, behind_nat }: Arrival,
        cx: &mut Cx<'_>,
    ) -> Leg {
        Leg {
            id,
            channel,
            peer,
            flow,
            behind_nat,
            ours: true,
            agreement: Agreement::outgoing(&mut cx.core.rng),
            state: State::Ended,
            dialog: None,
            forks: Vec::new(),
            pending_ok: None,
            reoffer: Reoffer::None,
            glares: 0,
            refresh: Default::default(),
            hops: u8::MAX,
            contact: Bytes::new(),
        }
    }

    /// Sends the INVITE with our offer.
    pub fn invite(&mut self, calling: &Calling, offer: Sdp, cx: &mut Cx<'_>) {
        let (from, user) = self.from(calling);
        let mut request = routed(Method::Invite, &calling.target, &calling.route);
        self.contact = contact(&user, self.flow, binds_request(&request));
        let tag = cx.core.rng.hex(16);
        let headers = &mut request.headers;
        headers.push(HeaderName::From, Bytes::from(format!("{from};tag={tag}")));
        headers.push(HeaderName::To, Bytes::from(format!("<{}>", calling.to)));
        headers.push(
            HeaderName::CallId,
            Bytes::from(format!("{}@{}", cx.core.rng.hex(32), host(self.flow.advertised.ip()))),
        );
        headers.push(HeaderName::CSeq, Bytes::from_static(b"102 INVITE"));
        headers.push(HeaderName::Contact, self.contact.clone());
        if let Some((name, value)) = self.identity(calling) {
            headers.push(name, value);
        }
        if calling.presentation.is_hidden() {
            // RFC 3323 4.2, RFC 3325 9.3: whoever passes it on shall hide it, too.
            headers.push(HeaderName::Privacy, Bytes::from_static(b"id"));
        }
        self.dress(&mut request, cx);
        let hops = calling.hops.min(self.peer.settings.max_forwards);
        request.headers.set(HeaderName::MaxForwards, hops.to_string());
        request.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
        request.body = offer.to_bytes().into();
        self.agreement.local = Some(offer);
        self.send_invite(request, calling.watched, cx);
    }

    fn send_invite(&mut self, mut request: Request, watched: bool, cx: &mut Cx<'_>) {
        self.ask_for_timer(&mut request.headers);
        let life = T1.max(self.peer.settings.timer_t1) * 64;
        // A shorter `timerb=` ends the leg's patience only: a late answer must still find someone to end what it began.
        let how = self.sending(self.peer.settings.timer_b.map(|timer_b| timer_b.max(life)));
        let invite = cx.core.request(request, self.flow, how, Requester::Leg(self.id));
        let patience = match (self.peer.settings.timer_b, watched) {
            (Some(timer_b), _) => timer_b,
            (None, true) => SILENCE,
            (None, false) => life,
        };
        let silence = cx.timer(self.id, LegTimer::Silence, patience);
        self.state = State::Outgoing { invite, heard: false, silence };
    }

    /// From's address, and its user. Of a caller that is hidden it tells nothing (RFC 3323 4.1.1.3) but what a provider must find
    /// there: `fromuser=`, `fromdomain=`.
    fn from(&self, calling: &Calling) -> (String, String) {
        if calling.presentation.is_hidden() {
            let user = self.peer.from_user.as_deref().unwrap_or("anonymous");
            let domain = self.peer.from_domain.as_deref().unwrap_or("anonymous.invalid");
            return (address("Anonymous", user, domain), user.to_owned());
        }
        let from = address(calling.from_name.unwrap_or_default(), calling.from_user, &calling.from_domain);
        (from, calling.from_user.to_owned())
    }

    /// Who calls, in the header `sendrpid=` names: whatever From says for the peer's sake (RFC 3325 9.1). A caller that is hidden is
    /// told only to a peer that is trusted with it (`trust_id_outbound=`, RFC 3325 7).
    fn identity(&self, calling: &Calling) -> Option<(HeaderName, String)> {
        let hidden = calling.presentation.is_hidden();
        if calling.from_number.is_empty() || (hidden && !self.peer.settings.trust_id) {
            return None;
        }
        let address = address(calling.from_name.unwrap_or_default(), calling.from_number, &calling.from_domain);
        match self.peer.settings.send_rpid {
            SendRpid::No => None,
            // Screened it is only when a trusted neighbour vouched for the number.
            SendRpid::Rpid => {
                let privacy = if hidden { "full" } else { "off" };
                let screen = if calling.presentation.is_screened() { "yes" } else { "no" };
                let value = format!("{address};party=calling;privacy={privacy};screen={screen}");
                Some((HeaderName::RemotePartyId, value))
            }
            SendRpid::Pai => Some((HeaderName::PAssertedIdentity, address)),
        }
    }

    /// A response to our INVITE (RFC 3261 13.2.2).
    pub(super) fn invite_answered(
        &mut self,
        id: ClientId,
        response: &Response,
        essentials: &Essentials,
        refused: Option<Box<Request>>,
        cx: &mut Cx<'_>,
    ) {
        match response.status {
            0..=100 => self.mark_heard(cx),
            101..=199 => self.provisional_came(id, response, essentials, cx),
            200..=299 => self.accepted(id, response, essentials, cx),
            422 if self.is_calling() && self.raise_interval(&response.headers) => match refused {
                Some(request) => self.invite_again(*request, cx),
                None => self.refused(response, cx),
            },
            _ => self.refused(response, cx),
        }
    }

    fn is_calling(&self) -> bool {
        matches!(self.state, State::Outgoing { .. })
    }

    /// RFC 4028 7.3: the same INVITE with the next number and the interval that the peer's 422 asks for.
    fn invite_again(&mut self, mut request: Request, cx: &mut Cx<'_>) {
        let State::Outgoing { silence, .. } = self.state else { return };
        let Some(cseq) = request.headers.get(HeaderName::CSeq).and_then(|cseq| CSeq::parse(cseq).ok()) else { return };
        cx.core.timers.cancel(silence);
        self.forget_dialogs(cx);
        self.dialog = None;
        let cseq = CSeq { number: cseq.number.saturating_add(1), method: Method::Invite };
        // It was handed back as it was sent; the next one gets a Via of its own.
        request.headers.remove(HeaderName::Via);
        request.headers.set(HeaderName::CSeq, cseq.to_string());
        self.send_invite(request, false, cx);
    }

    /// Something came: the peer lives, and a CANCEL may be sent (RFC 3261 9.1).
    fn mark_heard(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Outgoing { invite, silence, .. } => {
                cx.core.timers.cancel(silence);
                self.state = State::Outgoing { invite, heard: true, silence };
            }
            State::Abandoned { invite, cancelled: false, give_up } => {
                cx.core.timers.cancel(give_up);
                self.send_cancel(invite, cx);
            }
            State::Abandoned { .. }
            | State::Incoming { .. }
            | State::Answering { .. }
            | State::Confirmed
            | State::Ended => {}
        }
    }

    fn provisional_came(&mut self, id: ClientId, response: &Response, essentials: &Essentials, cx: &mut Cx<'_>) {
        self.mark_heard(cx);
        if !matches!(self.state, State::Outgoing { .. }) {
            return;
        }
        if !self.meet_dialog(id, response, essentials, cx) {
            return;
        }
        match description(&response.headers, &response.body) {
            Some(Ok(sdp)) => {
                self.agreement.remote = Some(sdp.clone());
                self.tell(LegEvent::Progress(sdp), cx);
            }
            // Sound we cannot read is no reason to lose the call: it rings.
            Some(Err(_)) | None => {
                if response.status == 180 {
                    self.tell(LegEvent::Ringing, cx);
                }
            }
        }
    }

    /// RFC 3261 13.2.2.4: a 2xx is acknowledged at once, whatever we want by now.
    fn accepted(&mut self, id: ClientId, response: &Response, essentials: &Essentials, cx: &mut Cx<'_>) {
        self.meet_dialog(id, response, essentials, cx);
        let before = cx.core.tx.request_of(id).and_then(|request| request.uri().ok());
        self.follow_dialog(before, &cx.core.routing);
        self.acknowledge(id, essentials.cseq.number, cx);
        match self.state {
            State::Outgoing { silence, .. } => {
                cx.core.timers.cancel(silence);
                self.state = State::Confirmed;
                self.timer_answered(&response.headers, cx);
                let answer = match description(&response.headers, &response.body) {
                    Some(Ok(sdp)) => Some(sdp),
                    // RFC 3261 13.2.1: an answer given in a reliable provisional stands; some phones give it only in their 18x.
                    Some(Err(_)) | None => self.agreement.remote.clone(),
                };
                if answer.is_some() {
                    self.agreement.remote.clone_from(&answer);
                }
                self.tell(LegEvent::Answered(answer), cx);
            }
            State::Abandoned { give_up, .. } => {
                // The answer crossed our CANCEL (RFC 3261 9.1): end what it began.
                cx.core.timers.cancel(give_up);
                self.state = State::Confirmed;
                self.send_in_dialog(Method::Bye, cx);
                self.end(cx);
            }
            State::Incoming { .. } | State::Answering { .. } | State::Confirmed | State::Ended => {}
        }
    }

    pub(super) fn acknowledge(&mut self, id: ClientId, cseq: u32, cx: &mut Cx<'_>) {
        let Some(dialog) = &self.dialog else { return };
        let mut ack = dialog.ack(cseq);
        self.dress(&mut ack, cx);
        cx.core.tx.acknowledge(id, ack, self.flow, &mut cx.core.rng, &mut cx.core.out.transmit);
    }

    fn refused(&mut self, response: &Response, cx: &mut Cx<'_>) {
        let tell = matches!(self.state, State::Outgoing { .. });
        self.end(cx);
        if tell {
            let words = String::from_utf8_lossy(&response.reason).into_owned();
            self.tell(
                match (response.status, self.peer.settings.promisc_redir) {
                    (300..400, true) => LegEvent::Redirected(response.status, words, contacts(&response.headers)),
                    (status, _) => LegEvent::Failed(Refusal::Status(status, words)),
                },
                cx,
            );
        }
    }

    pub(super) fn send_cancel(&mut self, invite: ClientId, cx: &mut Cx<'_>) {
        cx.core.tx.cancel(cx.core.now.mono, invite, &mut cx.core.out.transmit);
        let give_up = cx.timer(self.id, LegTimer::CancelGiveUp, T1 * 64);
        self.state = State::Abandoned { invite, cancelled: true, give_up };
    }

    /// Not one response: the peer is given up (408 in effect).
    pub(super) fn heard_nothing(&mut self, cx: &mut Cx<'_>) {
        if let State::Outgoing { heard: false, invite, .. } = self.state {
            // A late answer must still find someone to acknowledge and end it.
            let give_up = cx.timer(self.id, LegTimer::CancelGiveUp, T1 * 64);
            self.state = State::Abandoned { invite, cancelled: false, give_up };
            self.tell(LegEvent::Failed(Refusal::Silent), cx);
        }
    }

    /// The system refused to send over `flow`: an INVITE on its way there that nobody ever answered has failed (RFC 3261
    /// 8.1.3.1). Says whether this leg had one.
    pub fn unsendable(&mut self, flow: Flow, why: &str, cx: &mut Cx<'_>) -> bool {
        let State::Outgoing { heard: false, .. } = self.state else { return false };
        let concerned = self.flow == flow;
        if concerned {
            self.end(cx);
            self.tell(LegEvent::Failed(Refusal::Unsendable(why.to_owned())), cx);
        }
        concerned
    }

    /// One of this leg's client transactions ended without any final response.
    pub fn client_failed(&mut self, id: ClientId, cx: &mut Cx<'_>) {
        self.request_failed(id, Refusal::Silent, cx);
    }

    /// The network did not carry one of this leg's requests (RFC 3261 8.1.3.1: as good as a 503).
    pub fn transport_failed(&mut self, id: ClientId, why: &str, cx: &mut Cx<'_>) {
        if self.is_reoffer(id) && self.state == State::Confirmed {
            // The call itself may go on: the peer can come back over another connection.
            return self.reoffer_refused(&Response::new(503), cx);
        }
        if self.is_update(id) {
            return self.update_answered(&Response::new(503), cx);
        }
        self.request_failed(id, Refusal::Unsendable(why.to_owned()), cx);
    }

    fn request_failed(&mut self, id: ClientId, refusal: Refusal, cx: &mut Cx<'_>) {
        match self.state {
            State::Outgoing { invite, .. } if invite == id => {
                self.end(cx);
                self.tell(LegEvent::Failed(refusal), cx);
            }
            State::Abandoned { invite, .. } if invite == id => self.end(cx),
            State::Confirmed if self.is_reoffer(id) || self.is_update(id) => {
                // RFC 3261 12.2.1.2: no answer within a dialog ends it.
                self.lost(cx);
            }
            State::Outgoing { .. }
            | State::Abandoned { .. }
            | State::Confirmed
            | State::Incoming { .. }
            | State::Answering { .. }
            | State::Ended => {}
        }
    }
}

/// The places a 3xx names (RFC 3261 8.1.3.4), the preferred first.
fn contacts(headers: &Headers) -> Vec<Uri> {
    let values = headers.values(HeaderName::Contact).filter_map(|value| ContactValue::parse(&value).ok());
    let mut named: Vec<(u16, Uri)> = values
        .filter_map(|value| Some((value.q(), value.address()?.uri.clone())))
        .filter(|(_, uri)| uri.sip().is_some())
        .take(MOST_CONTACTS)
        .collect();
    named.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    named.into_iter().map(|(_, uri)| uri).collect()
}

/// A name-addr (RFC 3261 25.1): the name only when there is one.
fn address(name: &str, user: &str, domain: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("{} ", quote(name)) };
    format!("{name}<sip:{}@{domain}>", escape_user(user))
}
