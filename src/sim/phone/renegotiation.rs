//! New offers of this side in an established call (RFC 3261 14, RFC 3311).

use super::call_media::CallMedia;
use super::change::Change;
use super::event::PhoneEvent;
use super::negotiator::Preferences;
use super::sdp_body;
use super::user_agent::{Purpose, ReceivedResponse, Timer, UserAgent};
use crate::sdp::Sdp;
use crate::sip::dialog::Dialog;
use crate::sip::header::HeaderName;
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use std::collections::VecDeque;
use std::time::Duration;

/// How often an offer is tried again after 491.
const MAX_RETRIES: u8 = 5;
/// The longest time for which a Retry-After is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);

/// A request that is to be sent: re-INVITE or UPDATE.
struct Wanted {
    method: Method,
    /// `None`: an UPDATE without a description.
    change: Option<Change>,
}

/// A request that has no final response yet.
struct Pending {
    wanted: Wanted,
    offer: Option<Sdp>,
    /// The preferences to return to when the offer is refused.
    before: Preferences,
}

/// Whether the other side still has the call after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DialogState {
    Alive,
    /// RFC 3261 12.2.1.2: a 481 or 408 means that it has not.
    Gone,
}

/// The new offers of a call: those wanted, and the one under way.
pub(super) struct Renegotiation {
    wanted: VecDeque<Wanted>,
    pending: Option<Pending>,
    retry_timer: Option<TimerId>,
    retries: u8,
    /// Whether this side made the Call-ID, and so waits longer after a 491 (RFC 3261 14.1).
    owns_call_id: bool,
}

impl Renegotiation {
    /// Of a call without any new offer.
    pub fn new(owns_call_id: bool) -> Renegotiation {
        Renegotiation { wanted: VecDeque::new(), pending: None, retry_timer: None, retries: 0, owns_call_id }
    }

    /// Adds a request to those that are to be sent.
    pub fn want(&mut self, method: Method, change: Option<Change>) {
        self.wanted.push_back(Wanted { method, change });
    }

    /// Whether a request of this side has no final response yet.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Sends the next request that is wanted, unless one is under way or waits to be tried again.
    pub fn send_next(&mut self, ua: &mut UserAgent, dialog: &mut Dialog, media: &mut CallMedia) {
        if self.pending.is_some() || self.retry_timer.is_some() {
            return;
        }
        let Some(wanted) = self.wanted.pop_front() else { return };
        let before = media.negotiator.preferences;
        let offer = wanted.change.and_then(|change| media.offer_change(change));
        let mut request = dialog.request(wanted.method.clone());
        request.headers.push(HeaderName::Contact, ua.contact());
        if let Some(sdp) = &offer {
            sdp_body::attach(&mut request.headers, &mut request.body, sdp);
        }
        ua.send(request, Some(Purpose::Renegotiate));
        self.pending = Some(Pending { wanted, offer, before });
    }

    /// Takes a response to the request under way.
    pub fn on_response(
        &mut self,
        ua: &mut UserAgent,
        dialog: &mut Dialog,
        media: &mut CallMedia,
        received: &ReceivedResponse,
    ) -> DialogState {
        match received.response.status {
            0..=199 => DialogState::Alive,
            200..=299 => {
                self.accepted(ua, dialog, media, received);
                DialogState::Alive
            }
            status => {
                let text = received.response.headers.text(HeaderName::RetryAfter);
                let after = text.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                self.refused(ua, media, status, after)
            }
        }
    }

    /// The request under way had no response in time.
    pub fn on_timeout(&mut self, ua: &mut UserAgent, media: &mut CallMedia) -> DialogState {
        self.refused(ua, media, 408, None)
    }

    fn accepted(
        &mut self,
        ua: &mut UserAgent,
        dialog: &mut Dialog,
        media: &mut CallMedia,
        received: &ReceivedResponse,
    ) {
        let Some(Pending { wanted, offer, .. }) = self.pending.take() else { return ua.acknowledge_stray(received) };
        let remote = sdp_body::read(&received.response.headers, &received.response.body);
        let is_invite = wanted.method == Method::Invite;
        // RFC 3261 14.1: without an offer of this side the 2xx makes one, and the ACK answers it.
        let asked_for_offer = is_invite && offer.is_none();
        let answer = remote.as_ref().filter(|_| asked_for_offer).and_then(|sdp| media.answer(sdp, &ua.behaviour));
        dialog.refresh_target(&received.response.headers);
        if is_invite {
            ua.acknowledge(received, dialog, answer.as_ref());
        }
        self.retries = 0;
        let agreement = &mut media.agreement;
        if asked_for_offer {
            agreement.local = answer.or(agreement.local.take());
            agreement.local_offered = false;
        } else if offer.is_some() {
            agreement.local = offer;
            agreement.local_offered = true;
        }
        if remote.is_some() {
            agreement.remote = remote;
            media.report(ua);
        }
        ua.report(PhoneEvent::RenegotiationAccepted);
    }

    fn refused(
        &mut self,
        ua: &mut UserAgent,
        media: &mut CallMedia,
        status: u16,
        retry_after: Option<Duration>,
    ) -> DialogState {
        let Some(Pending { wanted, before, .. }) = self.pending.take() else { return DialogState::Alive };
        media.negotiator.preferences = before;
        // RFC 3261 14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in steps of 10 ms.
        let steps = if self.owns_call_id { 210 + ua.rng.below(191) } else { ua.rng.below(201) };
        let wait = match (status, retry_after) {
            (491, _) => Some(Duration::from_millis(steps * 10)),
            // RFC 3261 14.2 and 20.33: it came too early.
            (500, Some(after)) => Some(after.min(MAX_RETRY_AFTER)),
            _ => None,
        };
        if let Some(wait) = wait.filter(|_| self.retries < MAX_RETRIES) {
            self.retries = self.retries.saturating_add(1);
            self.wanted.push_front(wanted);
            self.retry_timer = Some(ua.set_timer(wait, Timer::RetryOffer));
            return DialogState::Alive;
        }
        self.retries = 0;
        ua.report(PhoneEvent::RenegotiationRefused(status));
        if matches!(status, 481 | 408) { DialogState::Gone } else { DialogState::Alive }
    }

    /// The time to try again has come.
    pub fn on_retry_timer(&mut self) {
        self.retry_timer = None;
    }

    /// The call is over.
    pub fn stop(&mut self, ua: &mut UserAgent) {
        ua.cancel_timer(self.retry_timer.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Direction;
    use crate::sim::phone::test_support::{invite, requests, respond, sdp, user_agent};
    use crate::sip::message::Request;

    struct Call {
        ua: UserAgent,
        dialog: Dialog,
        media: CallMedia,
        renegotiation: Renegotiation,
    }

    impl Call {
        fn new(owns_call_id: bool) -> Call {
            let mut ua = user_agent();
            let received = invite(&mut ua, Some(&sdp(0)));
            let dialog = Dialog::uas(&received.request, &received.essentials, "x").unwrap();
            let mut media = CallMedia::new(&mut ua);
            media.agreement.remote = Some(sdp(0));
            media.agreement.local = media.answer(&sdp(0), &ua.behaviour);
            ua.take_datagrams();
            Call { ua, dialog, media, renegotiation: Renegotiation::new(owns_call_id) }
        }

        fn send(&mut self) -> Option<Request> {
            self.ua.take_datagrams();
            self.renegotiation.send_next(&mut self.ua, &mut self.dialog, &mut self.media);
            requests(&mut self.ua).pop()
        }

        fn respond(&mut self, request: &Request, status: u16, sdp: Option<&Sdp>) -> DialogState {
            let (_, received) = respond(&mut self.ua, request, status, &[], sdp).unwrap();
            self.renegotiation.on_response(&mut self.ua, &mut self.dialog, &mut self.media, &received)
        }

        fn direction(&self) -> Direction {
            self.media.negotiator.preferences.direction
        }
    }

    #[test]
    fn an_accepted_offer_is_in_force_and_the_next_one_follows() {
        let mut call = Call::new(true);
        call.renegotiation.want(Method::Invite, Some(Change::Hold));
        call.renegotiation.want(Method::Update, None);
        let hold = call.send().unwrap();
        assert!(call.renegotiation.is_pending() && call.send().is_none(), "one at a time");
        assert_eq!(call.respond(&hold, 200, Some(&sdp(0))), DialogState::Alive);
        assert!(call.media.agreement.local_offered && call.media.agreement.local.as_ref().unwrap().is_hold());
        assert_eq!(requests(&mut call.ua).pop().unwrap().method, Method::Ack);
        let media = PhoneEvent::MediaAt("192.0.2.2:10000".parse().unwrap());
        assert_eq!(call.ua.take_events(), [media, PhoneEvent::RenegotiationAccepted]);
        assert_eq!(call.send().unwrap().method, Method::Update);
    }

    #[test]
    fn after_491_an_offer_is_tried_again_later_by_the_owner_of_the_call_id() {
        for (owns_call_id, least, most) in [(true, 2100, 4000), (false, 0, 2000)] {
            let mut call = Call::new(owns_call_id);
            call.renegotiation.want(Method::Invite, Some(Change::Hold));
            for _ in 0..MAX_RETRIES {
                let hold = call.send().unwrap();
                let sent = call.ua.now;
                call.respond(&hold, 491, None);
                assert_eq!(call.direction(), Direction::SendRecv, "as before the offer");
                assert!(call.send().is_none(), "it waits");
                while call.ua.expired_timer() != Some(Timer::RetryOffer) {
                    call.ua.now = call.ua.now + Duration::from_millis(10);
                }
                let waited = call.ua.now.since(sent).as_millis();
                assert!((least..=most).contains(&waited), "{waited} ms");
                call.renegotiation.on_retry_timer();
            }
            let hold = call.send().unwrap();
            call.respond(&hold, 491, None);
            assert_eq!(call.ua.take_events(), [PhoneEvent::RenegotiationRefused(491)]);
            assert!(call.send().is_none(), "it is given up");
        }
    }

    #[test]
    fn a_refusal_leaves_the_call_as_it_was_unless_the_dialog_is_gone() {
        for (status, state) in [(488, DialogState::Alive), (481, DialogState::Gone)] {
            let mut call = Call::new(true);
            call.renegotiation.want(Method::Invite, Some(Change::Hold));
            let hold = call.send().unwrap();
            assert_eq!(call.respond(&hold, status, None), state);
            assert_eq!(call.direction(), Direction::SendRecv);
            assert_eq!(call.ua.take_events(), [PhoneEvent::RenegotiationRefused(status)]);
        }
    }
}
