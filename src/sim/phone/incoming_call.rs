//! A call to this phone that it has not answered: INVITE as its receiver sees it (RFC 3261 13.3).

use super::call_media::CallMedia;
use super::change::Change;
use super::established_call::EstablishedCall;
use super::event::PhoneEvent;
use super::in_dialog;
use super::ok_retransmission::OkRetransmission;
use super::renegotiation::Renegotiation;
use super::sdp_body;
use super::user_agent::{ReceivedRequest, Timer, UserAgent};
use crate::sdp::Sdp;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::ServerId;
use crate::sip::uri::Uri;

/// A call from its INVITE until it is answered or refused.
pub(super) struct IncomingCall {
    server: ServerId,
    dialog: Dialog,
    answer_timer: Option<TimerId>,
    media: CallMedia,
    renegotiation: Renegotiation,
}

impl IncomingCall {
    /// Takes an INVITE, and does what the phone does by itself when called. `None`: it was refused, as it cannot make a
    /// dialog.
    pub fn start(ua: &mut UserAgent, received: &ReceivedRequest) -> Option<IncomingCall> {
        let ReceivedRequest { server, request, essentials } = received;
        let tag = ua.identity.new_tag(&mut ua.rng);
        let Ok(dialog) = Dialog::uas(request, essentials, &tag) else {
            ua.reply(received, 400);
            return None;
        };
        let mut media = CallMedia::new(ua);
        media.agreement.remote = sdp_body::read(&request.headers, &request.body);
        let renegotiation = Renegotiation::new(false);
        let mut call = IncomingCall { server: *server, dialog, answer_timer: None, media, renegotiation };
        let number = request.uri().map(|uri| user_of(&uri)).unwrap_or_default();
        ua.report(PhoneEvent::Called { from: user_of(&essentials.from.uri), number });
        if ua.behaviour.auto_early_media {
            call.indicate(ua, 183, true);
        }
        if ua.behaviour.auto_ring {
            call.indicate(ua, 180, false);
        }
        call.answer_timer = ua.behaviour.auto_answer_after.map(|after| ua.set_timer(after, Timer::Answer));
        Some(call)
    }

    /// Its dialog.
    pub fn dialog(&self) -> DialogKey {
        self.dialog.key()
    }

    /// The Call-ID of its dialog.
    pub fn call_id(&self) -> &str {
        self.dialog.call_id.as_str()
    }

    /// Its media.
    pub fn media(&self) -> &CallMedia {
        &self.media
    }

    /// Adds a re-INVITE or UPDATE to those that are to be sent once it is answered.
    pub fn want(&mut self, method: Method, change: Option<Change>) {
        self.renegotiation.want(method, change);
    }

    /// Sends a provisional response, with the answer to the offer (early media) or without.
    pub fn indicate(&mut self, ua: &mut UserAgent, status: u16, described: bool) {
        let local = if described { self.describe(ua) } else { None };
        self.respond(ua, status, local.as_ref());
        if local.is_some() {
            self.media.agreement.local = local;
            self.media.report(ua);
        }
    }

    /// Answers: 200, sent again until the ACK comes. `None`: there is no codec in common, so it is refused.
    pub fn answer(mut self, ua: &mut UserAgent) -> Option<EstablishedCall> {
        let Some(local) = self.describe(ua) else {
            self.refuse(ua, 488);
            return None;
        };
        ua.cancel_timer(self.answer_timer.take());
        let tag = self.dialog.local_tag.as_str();
        let Some(response) = ua.invite_response(self.server, 200, tag, Some(&local)) else {
            self.end(ua);
            return None;
        };
        let agreement = &mut self.media.agreement;
        agreement.local_offered = agreement.remote.is_none();
        agreement.local = Some(local);
        let ok = OkRetransmission::start(ua, self.server, response, agreement.local_offered);
        if !agreement.local_offered {
            self.media.report(ua);
        }
        Some(EstablishedCall::incoming(self.dialog, self.media, self.renegotiation, ok))
    }

    /// Refuses with a final status.
    pub fn refuse(self, ua: &mut UserAgent, status: u16) {
        self.respond(ua, status, None);
        self.end(ua);
    }

    /// A CANCEL. RFC 3261 9.2: the INVITE ends with 487.
    pub fn on_cancel(self, ua: &mut UserAgent, invite: ServerId) -> Option<IncomingCall> {
        if self.server != invite {
            return Some(self);
        }
        self.refuse(ua, 487);
        None
    }

    /// A request of the other side in the early dialog.
    pub fn on_request(mut self, ua: &mut UserAgent, received: &ReceivedRequest) -> Option<IncomingCall> {
        if let Err(status) = in_dialog::admit(&mut self.dialog, received) {
            ua.reply(received, status);
            return Some(self);
        }
        match &received.request.method {
            Method::Bye => {
                ua.reply(received, 200);
                // RFC 3261 15.1.2: the INVITE is over with its dialog.
                self.refuse(ua, 487);
                return None;
            }
            Method::Invite | Method::Update if in_dialog::is_refresh(&received.request) => {
                in_dialog::accept(ua, received, None);
            }
            // RFC 3261 14.2, RFC 3311 5.2: the first offer has no answer yet.
            Method::Invite | Method::Update => ua.reply(received, 491),
            method => ua.reply(received, in_dialog::default_status(method)),
        }
        Some(self)
    }

    /// What its 183 or 200 says: what was said before, the answer to the offer, or an offer when there was none.
    fn describe(&mut self, ua: &UserAgent) -> Option<Sdp> {
        match (&self.media.agreement.local, &self.media.agreement.remote) {
            (Some(local), _) => Some(local.clone()),
            (None, Some(offer)) => {
                let offer = offer.clone();
                self.media.answer(&offer, &ua.behaviour)
            }
            (None, None) => self.media.offer(),
        }
    }

    fn respond(&self, ua: &mut UserAgent, status: u16, sdp: Option<&Sdp>) {
        if let Some(response) = ua.invite_response(self.server, status, self.dialog.local_tag.as_str(), sdp) {
            ua.respond(self.server, response);
        }
    }

    fn end(self, ua: &mut UserAgent) {
        ua.cancel_timer(self.answer_timer);
        ua.abandon_call();
        ua.report(PhoneEvent::Ended);
    }
}

/// The user part of a URI; empty when it has none.
fn user_of(uri: &Uri) -> String {
    uri.sip().and_then(|uri| uri.user_text()).map(|user| user.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::phone::test_support::{invite, receive, request, sdp, statuses, user_agent};
    use crate::sim::phone::user_agent::Received;
    use std::time::Duration;

    fn called(payload: u8, change: impl FnOnce(&mut UserAgent)) -> (UserAgent, IncomingCall) {
        let mut ua = user_agent();
        change(&mut ua);
        let received = invite(&mut ua, Some(&sdp(payload)));
        let call = IncomingCall::start(&mut ua, &received).unwrap();
        (ua, call)
    }

    #[test]
    fn it_does_what_its_behaviour_says_when_called() {
        let (mut ua, call) = called(0, |ua| {
            ua.behaviour.auto_early_media = true;
            ua.behaviour.auto_ring = true;
            ua.behaviour.auto_answer_after = Some(Duration::from_secs(2));
        });
        assert_eq!(statuses(&mut ua), [183, 180]);
        let media = PhoneEvent::MediaAt("192.0.2.2:10000".parse().unwrap());
        assert_eq!(ua.take_events(), [PhoneEvent::Called { from: "b".into(), number: "a".into() }, media.clone()]);
        ua.now = ua.now + Duration::from_secs(2);
        assert_eq!(ua.expired_timer(), Some(Timer::Answer));
        let early = call.media().agreement.local.as_ref().map(Sdp::to_bytes);
        let established = call.answer(&mut ua).unwrap();
        assert_eq!(established.media().agreement.local.as_ref().map(Sdp::to_bytes), early, "the same answer again");
        assert_eq!((statuses(&mut ua), ua.take_events()), (vec![200], vec![media]));
        assert!(!established.is_talking(), "the ACK is awaited");
    }

    #[test]
    fn an_offer_without_a_common_codec_is_refused() {
        let (mut ua, call) = called(18, |_| {});
        assert!(call.answer(&mut ua).is_none());
        assert_eq!(statuses(&mut ua), [488]);
        assert_eq!(ua.take_events().last(), Some(&PhoneEvent::Ended));
    }

    #[test]
    fn a_cancel_ends_it_with_487() {
        let (mut ua, call) = called(0, |_| {});
        let Some(Received::Cancel(server)) = receive(&mut ua, &request("CANCEL", "", None)) else { panic!("none") };
        assert!(call.on_cancel(&mut ua, server).is_none());
        assert_eq!(statuses(&mut ua), [200, 487]);
    }

    #[test]
    fn a_bye_in_the_early_dialog_ends_it_and_an_update_with_an_offer_waits() {
        let (mut ua, call) = called(0, |_| {});
        let tag = format!(";tag={}", call.dialog.local_tag);
        let in_dialog = |ua: &mut UserAgent, method: &str, sdp: Option<&Sdp>| {
            let Some(Received::InDialog(received)) = receive(ua, &request(method, &tag, sdp)) else { panic!("none") };
            received
        };
        let update = in_dialog(&mut ua, "UPDATE", Some(&sdp(0)));
        let call = call.on_request(&mut ua, &update).unwrap();
        let bye = in_dialog(&mut ua, "BYE", None);
        assert!(call.on_request(&mut ua, &bye).is_none());
        assert_eq!(statuses(&mut ua), [491, 200, 487]);
    }
}
