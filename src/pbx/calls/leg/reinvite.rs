//! Renegotiation on an established leg: re-INVITE from either side, UPDATE from the peer (RFC 3261 14, RFC 3311).

use super::agreement::{Agreement, Previous};
use super::body::description;
use super::context::Cx;
use super::event::{Ending, LegEvent};
use super::session_timer::SessionTimer;
use super::user_agent::UserAgent;
use crate::pbx::core::{LegId, LegTimer};
use crate::rng::Rng;
use crate::sdp::Sdp;
use crate::sdp::negotiate::same_media;
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{ClientId, ServerId};
use bytes::Bytes;
use std::time::Duration;

/// Maximum number of 491 responses in a row (and of 500 responses to offers that later requests overtook) after which our offer is made again: a phone may send them until the ACK of
/// its own 2xx comes, which may be seconds on a bad network.
const MAX_GLARES: u8 = 7;

/// A re-INVITE or UPDATE under way, or none.
#[derive(Debug)]
pub(super) struct Renegotiation {
    leg: LegId,
    /// We made the dialog's Call-ID (RFC 3261 14.1 gives its owner the longer wait).
    owns_call_id: bool,
    /// 491 responses in a row, and 500 responses to offers that were overtaken.
    glares: u8,
    exchange: Exchange,
}

#[derive(Debug)]
enum Exchange {
    None,
    /// Our re-INVITE.
    Sent {
        client: ClientId,
        /// What held before.
        previous: Previous,
        /// It only refreshes the call: nobody asked for it, and nobody hears of it.
        is_refresh: bool,
    },
    /// Our offer met the peer's or came too early; it is made again when the timer goes off.
    Waiting {
        offer: Sdp,
        timer: TimerId,
    },
    /// The peer's, not yet answered.
    Received(ReceivedOffer),
}

/// A re-INVITE or UPDATE of the peer.
#[derive(Debug)]
pub(super) struct ReceivedOffer {
    /// Its transaction.
    pub server: ServerId,
    /// INVITE or UPDATE.
    pub method: Method,
    /// Its offer; `None` when it asks for ours.
    pub offer: Option<Sdp>,
}

/// Why an offer of the peer cannot be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conflict {
    /// It meets an offer of ours.
    Glare,
    /// An offer of its own is not answered yet.
    TooSoon,
}

impl Conflict {
    /// RFC 3261 14.2 and RFC 3311 5.2: 491 when it meets an offer of ours; 500 with a Retry-After of 0 to 10 s when it
    /// comes before our answer to its own.
    pub fn response(self, request: &Request, rng: &mut Rng) -> Response {
        match self {
            Conflict::Glare => Response::for_request(request, 491, None),
            Conflict::TooSoon => {
                let mut response = Response::for_request(request, 500, None);
                response.headers.push(HeaderName::RetryAfter, Bytes::from(rng.below(11).to_string()));
                response
            }
        }
    }
}

/// What a renegotiation changes of its leg.
pub(super) struct Parts<'a> {
    pub ua: &'a mut UserAgent,
    pub agreement: &'a mut Agreement,
    pub session_timer: &'a mut SessionTimer,
}

impl Renegotiation {
    /// None is under way.
    pub fn new(leg: LegId, owns_call_id: bool) -> Renegotiation {
        Renegotiation { leg, owns_call_id, glares: 0, exchange: Exchange::None }
    }

    /// Is none under way?
    pub fn is_idle(&self) -> bool {
        matches!(self.exchange, Exchange::None)
    }

    /// Sends our offer by re-INVITE. Only when the leg is idle. `is_refresh`: it only refreshes the call.
    pub fn send(&mut self, offer: Sdp, is_refresh: bool, parts: Parts<'_>, cx: &mut Cx<'_>) {
        let Parts { ua, agreement, session_timer } = parts;
        let Some(mut request) = ua.target_refresh(Method::Invite, cx) else { return };
        session_timer.write_request(ua.settings(), &mut request.headers);
        request.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
        request.body = offer.to_bytes().into();
        ua.reinvites.sent();
        let client = ua.send(request, cx);
        self.exchange = Exchange::Sent { client, previous: agreement.offer(offer), is_refresh };
    }

    /// Our offer that is still to be made again.
    pub fn our_offer(&self) -> Option<&Sdp> {
        match &self.exchange {
            Exchange::Waiting { offer, .. } => Some(offer),
            Exchange::None | Exchange::Sent { .. } | Exchange::Received(_) => None,
        }
    }

    /// What we described before the offer that the peer has not answered yet.
    pub fn before_our_offer(&self) -> Option<&Sdp> {
        match &self.exchange {
            Exchange::Sent { previous, .. } => previous.local(),
            Exchange::None | Exchange::Waiting { .. } | Exchange::Received(_) => None,
        }
    }

    /// Is this our re-INVITE?
    pub fn is_sent_by(&self, id: ClientId) -> bool {
        matches!(self.exchange, Exchange::Sent { client, .. } if client == id)
    }

    /// A response to our re-INVITE of number `cseq`. Says how the leg ends, when it ends by it.
    pub fn on_response(&mut self, response: &Response, cseq: u32, parts: Parts<'_>, cx: &mut Cx<'_>) -> Option<Ending> {
        if response.status < 200 {
            return None;
        }
        let exchange = std::mem::replace(&mut self.exchange, Exchange::None);
        let Exchange::Sent { client, previous, is_refresh } = exchange else {
            self.exchange = exchange;
            return None;
        };
        if response.status < 300 {
            parts.ua.acknowledge(client, cseq, cx);
            self.on_success(response, is_refresh, parts, cx);
            return None;
        }
        let offer = parts.agreement.withdraw_offer(previous);
        if !is_refresh {
            let is_overtaken = response.status == 500 && parts.ua.is_overtaken(cseq);
            return self.on_refusal(response, offer.map(|offer| (offer, is_overtaken)), parts, cx);
        }
        let ending = parts.session_timer.on_refusal(response, cx);
        if ending.is_none() {
            parts.ua.report(LegEvent::Confirmed(None), cx);
        }
        ending
    }

    fn on_success(&mut self, response: &Response, is_refresh: bool, parts: Parts<'_>, cx: &mut Cx<'_>) {
        let Parts { ua, agreement, session_timer } = parts;
        self.glares = 0;
        ua.refresh_target(&response.headers, &cx.core.routing);
        session_timer.on_success(ua.settings(), &response.headers, cx);
        let answer = description(&response.headers, &response.body).and_then(Result::ok);
        let same = answer.as_ref().zip(agreement.remote.as_ref()).is_none_or(|(new, old)| same_media(old, new));
        if let Some(answer) = &answer {
            agreement.take_remote(answer.clone());
        }
        let event = match (is_refresh, same) {
            (false, _) => LegEvent::OfferAccepted(answer),
            // What waited for the leg to be idle may go on.
            (true, true) => LegEvent::Confirmed(None),
            // The peer took the occasion to move its media: as after an ACK that brings an answer.
            (true, false) => LegEvent::Confirmed(answer),
        };
        ua.report(event, cx);
    }

    fn on_refusal(
        &mut self,
        response: &Response,
        offer: Option<(Sdp, bool)>,
        parts: Parts<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Ending> {
        match (response.status, offer) {
            // RFC 3261 14.1: 481 and 408 end the dialog.
            (481 | 408, _) => return Some(Ending::Gone),
            (422, Some((offer, _))) if parts.session_timer.raise_interval(&response.headers) => {
                self.wait(offer, Duration::ZERO, cx);
            }
            // RFC 3261 12.2.2: a later request of ours (a NOTIFY, say) came first. The offer itself was not looked at.
            (500, Some((offer, true))) if self.glares < MAX_GLARES => {
                self.glares = self.glares.saturating_add(1);
                self.wait(offer, Duration::ZERO, cx);
            }
            (491, Some((offer, _))) if self.glares < MAX_GLARES => {
                self.glares = self.glares.saturating_add(1);
                let delay = self.glare_delay(cx.core.rng.bits());
                self.wait(offer, delay, cx);
            }
            (status, _) => {
                self.glares = 0;
                parts.ua.report(LegEvent::OfferRefused(status), cx);
            }
        }
        None
    }

    fn wait(&mut self, offer: Sdp, delay: Duration, cx: &mut Cx<'_>) {
        let timer = cx.timer(self.leg, LegTimer::Glare, delay);
        self.exchange = Exchange::Waiting { offer, timer };
    }

    /// RFC 3261 14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in units of 10 ms.
    fn glare_delay(&self, random: u64) -> Duration {
        let units = if self.owns_call_id { 210 + random % 191 } else { random % 201 };
        Duration::from_millis(units.saturating_mul(10))
    }

    /// The timer of an offer that waits went off: the offer, to be made again.
    pub fn take_waiting(&mut self) -> Option<Sdp> {
        match std::mem::replace(&mut self.exchange, Exchange::None) {
            Exchange::Waiting { offer, .. } => Some(offer),
            other @ (Exchange::None | Exchange::Sent { .. } | Exchange::Received(_)) => {
                self.exchange = other;
                None
            }
        }
    }

    /// What a new offer of the peer would meet here (RFC 3261 14.2).
    pub fn conflict(&self) -> Option<Conflict> {
        match &self.exchange {
            Exchange::Sent { .. } => Some(Conflict::Glare),
            Exchange::Received(_) => Some(Conflict::TooSoon),
            Exchange::Waiting { .. } | Exchange::None => None,
        }
    }

    /// The peer's new offer, which meets none. One of ours that waits gives way: it is reported as refused, and the
    /// call may make it anew.
    pub fn receive(&mut self, received: ReceivedOffer, ua: &UserAgent, cx: &mut Cx<'_>) {
        if let Exchange::Waiting { timer, .. } = self.exchange {
            cx.core.timers.cancel(timer);
            ua.report(LegEvent::OfferRefused(491), cx);
        }
        self.exchange = Exchange::Received(received);
    }

    /// The peer's new offer, taken out to be answered. One of ours under way stays.
    pub fn take_received(&mut self) -> Option<ReceivedOffer> {
        match std::mem::replace(&mut self.exchange, Exchange::None) {
            Exchange::Received(received) => Some(received),
            other @ (Exchange::None | Exchange::Sent { .. } | Exchange::Waiting { .. }) => {
                self.exchange = other;
                None
            }
        }
    }

    /// The peer's new offer that waits for its answer.
    pub fn pending_offer(&self) -> Option<&Sdp> {
        match &self.exchange {
            Exchange::Received(received) => received.offer.as_ref(),
            Exchange::None | Exchange::Sent { .. } | Exchange::Waiting { .. } => None,
        }
    }

    /// Refuses the peer's new offer; what was agreed before goes on.
    pub fn refuse(&mut self, status: u16, cx: &mut Cx<'_>) {
        let Some(received) = self.take_received() else { return };
        let Some(request) = cx.core.tx.server_request(received.server) else { return };
        let response = Response::for_request(request, status, None);
        cx.core.respond(received.server, response);
    }

    /// The leg is over. RFC 3261 15.1.2: what the peer still waits for gets 487.
    pub fn end(&mut self, cx: &mut Cx<'_>) {
        self.refuse(487, cx);
        match std::mem::replace(&mut self.exchange, Exchange::None) {
            Exchange::Sent { client, .. } => {
                cx.core.tx.abandon(cx.core.now.mono, client);
            }
            Exchange::Waiting { timer, .. } => cx.core.timers.cancel(timer),
            Exchange::None | Exchange::Received(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::peer::Settings;
    use crate::pbx::calls::leg::context::LegIndex;
    use crate::pbx::calls::leg::context::testing::{LEG, core, next_timer, response, sdp, sent, user_agent};
    use crate::pbx::core::Core;

    /// A renegotiation and the parts of its leg, which agreed on PCMU by the peer's offer.
    struct Bench {
        core: Core,
        index: LegIndex,
        renegotiation: Renegotiation,
        ua: UserAgent,
        agreement: Agreement,
        session_timer: SessionTimer,
        /// A transaction of the peer.
        server: ServerId,
    }

    fn bench(owns_call_id: bool) -> Bench {
        let mut core = core();
        let (ua, server) = user_agent(Settings::default(), &mut core);
        let mut agreement = Agreement::incoming(Some(sdp("0", "sendrecv")), &mut core.rng);
        agreement.describe(sdp("0", "sendrecv"), false);
        Bench {
            core,
            index: LegIndex::default(),
            renegotiation: Renegotiation::new(LEG, owns_call_id),
            ua,
            agreement,
            session_timer: SessionTimer::new(LEG),
            server,
        }
    }

    impl Bench {
        fn send(&mut self, is_refresh: bool) {
            let Bench { core, index, renegotiation, ua, agreement, session_timer, .. } = self;
            let parts = Parts { ua, agreement, session_timer };
            renegotiation.send(sdp("8", "sendrecv"), is_refresh, parts, &mut Cx { core, index });
        }

        fn respond(&mut self, response: &Response) -> Option<Ending> {
            let Bench { core, index, renegotiation, ua, agreement, session_timer, .. } = self;
            let parts = Parts { ua, agreement, session_timer };
            renegotiation.on_response(response, 102, parts, &mut Cx { core, index })
        }

        fn events(&mut self) -> Vec<LegEvent> {
            self.index.events.drain(..).map(|(_, event)| event).collect()
        }

        /// Nothing is left under way.
        fn is_clean(&self) -> bool {
            self.renegotiation.is_idle() && self.core.timers.is_empty()
        }
    }

    fn answer(format: &str) -> Response {
        let mut response = response(200, &[(HeaderName::ContentType, "application/sdp")]);
        response.body = sdp(format, "sendrecv").to_bytes().into();
        response
    }

    #[test]
    fn an_accepted_offer_is_acknowledged_and_becomes_the_agreement() {
        let mut bench = bench(true);
        bench.send(false);
        assert_eq!(bench.respond(&response(180, &[])), None);
        assert!(!bench.renegotiation.is_idle(), "a provisional response decides nothing");
        assert_eq!(bench.respond(&answer("8")), None);
        let target = "sip:peer@192.0.2.2 SIP/2.0";
        assert_eq!(sent(&mut bench.core), [format!("INVITE {target}"), format!("ACK {target}")]);
        assert_eq!(bench.events(), [LegEvent::OfferAccepted(Some(sdp("8", "sendrecv")))]);
        assert!(bench.agreement.we_offered() && bench.agreement.local == Some(sdp("8", "sendrecv")));
        assert!(bench.is_clean());
    }

    #[test]
    fn a_refused_offer_leaves_what_held_before_and_481_ends_the_leg() {
        for (status, ending, events) in
            [(488, None, vec![LegEvent::OfferRefused(488)]), (481, Some(Ending::Gone), vec![])]
        {
            let mut bench = bench(true);
            bench.send(false);
            assert_eq!(bench.respond(&response(status, &[])), ending, "{status}");
            assert_eq!(bench.events(), events, "{status}");
            assert_eq!(bench.agreement.local, Some(sdp("0", "sendrecv")), "{status}");
            assert!(!bench.agreement.we_offered() && bench.is_clean(), "{status}");
        }
    }

    #[test]
    fn after_a_491_the_offer_waits_longer_for_the_owner_of_the_call_id_and_is_made_seven_times_more() {
        for (owns_call_id, range) in [(true, 2100..=4000), (false, 0..=2000)] {
            let mut bench = bench(owns_call_id);
            for _ in 0..MAX_GLARES {
                bench.send(false);
                assert_eq!(bench.respond(&response(491, &[])), None);
                let (wait, timer) = next_timer(&mut bench.core);
                assert_eq!(timer, LegTimer::Glare);
                assert!(range.contains(&wait.as_millis()), "{wait:?}");
                assert_eq!(bench.renegotiation.take_waiting(), Some(sdp("8", "sendrecv")));
                assert_eq!(bench.events(), []);
            }
            bench.send(false);
            assert_eq!(bench.respond(&response(491, &[])), None);
            assert_eq!(bench.events(), [LegEvent::OfferRefused(491)]);
            assert!(bench.is_clean());
        }
    }

    #[test]
    fn a_refresh_reports_a_description_only_when_the_peer_moves_its_media() {
        for (format, moved) in [("0", None), ("8", Some(sdp("8", "sendrecv")))] {
            let mut bench = bench(true);
            bench.send(true);
            assert_eq!(bench.respond(&answer(format)), None);
            assert_eq!(bench.events(), [LegEvent::Confirmed(moved)], "{format}");
        }
    }

    #[test]
    fn an_offer_of_the_peer_meets_ours_that_is_sent_and_displaces_ours_that_waits() {
        let mut bench = bench(true);
        bench.send(false);
        assert_eq!(bench.renegotiation.conflict(), Some(Conflict::Glare));
        bench.respond(&response(491, &[]));
        assert_eq!(bench.renegotiation.conflict(), None);
        let received =
            ReceivedOffer { server: bench.server, method: Method::Invite, offer: Some(sdp("0", "sendonly")) };
        let Bench { core, index, renegotiation, ua, .. } = &mut bench;
        renegotiation.receive(received, ua, &mut Cx { core, index });
        assert_eq!(bench.events(), [LegEvent::OfferRefused(491)]);
        assert_eq!(bench.renegotiation.conflict(), Some(Conflict::TooSoon));
        assert_eq!(bench.renegotiation.pending_offer(), Some(&sdp("0", "sendonly")));
        sent(&mut bench.core);
        let Bench { core, index, renegotiation, .. } = &mut bench;
        renegotiation.end(&mut Cx { core, index });
        assert_eq!(sent(&mut bench.core), ["SIP/2.0 487 Request Terminated"]);
        assert!(bench.is_clean());
    }
}
