//! SUBSCRIBE (RFC 6665 4.1), refreshed before it expires: the lamps of a telephone.

use super::user_agent::{Purpose, ReceivedRequest, ReceivedResponse, Timer, UserAgent};
use crate::sip::dialog::Dialog;
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use bytes::Bytes;
use std::time::Duration;

/// How long before its end a subscription is refreshed.
const REFRESH_BEFORE: Duration = Duration::from_secs(10);

/// What a telephone watches, and what it was told.
#[derive(Debug, Clone)]
pub struct Watching {
    /// The number.
    pub number: String,
    /// The event package.
    pub package: String,
    /// `Accept`, when it sends one.
    pub accept: Option<String>,
    /// How many seconds it asks for.
    pub expires: u32,
    /// The latest Subscription-State; empty before the first NOTIFY.
    pub state: String,
    /// The latest body, without what stands around it on the wire.
    pub body: String,
    /// How many NOTIFYs it took.
    pub notices: u32,
    /// NOTIFYs that came out of order.
    pub disordered: u32,
    /// With which status it was refused, or ended.
    pub refused: Option<u16>,
}

impl Watching {
    /// Nothing of this was told yet.
    pub fn new(number: &str, package: &str, expires: u32) -> Watching {
        Watching {
            number: number.into(),
            package: package.into(),
            accept: None,
            expires,
            state: String::new(),
            body: String::new(),
            notices: 0,
            disordered: 0,
            refused: None,
        }
    }

    /// Is it told what changes?
    pub fn is_active(&self) -> bool {
        self.state.starts_with("active")
    }
}

/// What a telephone watches.
#[derive(Default)]
pub struct LampKeys(Vec<Subscription>);

impl LampKeys {
    /// What it was told of what it watches, in the order of [`watch`](super::watch).
    pub fn watching(&self) -> impl Iterator<Item = &Watching> {
        self.0.iter().map(|one| &one.watching)
    }

    /// Subscribes to something, or again to what is subscribed to already.
    pub(super) fn watch(&mut self, ua: &mut UserAgent, watching: Watching) -> usize {
        let is_same =
            |one: &Subscription| one.watching.number == watching.number && one.watching.package == watching.package;
        let expires = watching.expires;
        let index = self.0.iter().position(is_same).unwrap_or(self.0.len());
        if index == self.0.len() {
            self.0.push(Subscription::new(watching, ua));
        }
        self.with(index, ua, |one, ua| one.start(index, expires, ua));
        index
    }

    /// Does something with one of them. What the exchange knows nothing of any more is begun anew (RFC 6665 4.1.2.2).
    pub(super) fn with(
        &mut self,
        index: usize,
        ua: &mut UserAgent,
        act: impl FnOnce(&mut Subscription, &mut UserAgent),
    ) {
        let Some(one) = self.0.get_mut(index) else { return };
        act(one, ua);
        let next = one.next.take_if(|_| !one.under_way);
        if one.is_unknown() || next.is_some() {
            one.watching.refused = None;
            one.start(index, next.unwrap_or(one.watching.expires), ua);
        }
    }

    /// Takes a request that is a NOTIFY of one of them; false: it is not.
    pub(super) fn take(&mut self, ua: &mut UserAgent, received: &ReceivedRequest) -> bool {
        let is_notify = received.request.method == Method::Notify;
        let Some(one) = self.0.iter_mut().find(|one| is_notify && one.is_of(received)) else { return false };
        one.on_notify(ua, received);
        true
    }

    /// How many timers they run.
    pub(super) fn timers(&self) -> usize {
        self.0.iter().map(Subscription::timers).sum()
    }
}

/// One subscription of a telephone.
pub(super) struct Subscription {
    pub watching: Watching,
    call_id: String,
    tag: String,
    cseq: u32,
    challenged: u8,
    dialog: Option<Dialog>,
    /// What it sent last, of which its dialog is made.
    sent: Option<Request>,
    /// A SUBSCRIBE is under way; and for how many seconds the next is to ask, when one was wanted meanwhile.
    under_way: bool,
    next: Option<u32>,
    /// The number of the latest NOTIFY.
    latest: Option<u32>,
    timer: Option<TimerId>,
}

impl Subscription {
    /// Of nothing yet.
    pub fn new(watching: Watching, ua: &mut UserAgent) -> Subscription {
        let (call_id, tag) = (ua.identity.new_call_id(&mut ua.rng), ua.identity.new_tag(&mut ua.rng));
        Subscription {
            watching,
            call_id,
            tag,
            cseq: 100,
            challenged: 0,
            dialog: None,
            sent: None,
            under_way: false,
            next: None,
            latest: None,
            timer: None,
        }
    }

    /// How many timers it runs.
    pub fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    /// Subscribes, or refreshes, for as many seconds as it wants, as soon as none of its SUBSCRIBEs is under way; `index`:
    /// which of the telephone's it is.
    pub fn start(&mut self, index: usize, expires: u32, ua: &mut UserAgent) {
        if self.under_way {
            self.next = Some(expires);
            return;
        }
        ua.cancel_timer(self.timer.take());
        (self.challenged, self.watching.expires) = (0, expires);
        self.send(index, ua);
    }

    fn send(&mut self, index: usize, ua: &mut UserAgent) {
        self.cseq = self.cseq.saturating_add(1);
        let mut request = match &mut self.dialog {
            Some(dialog) => {
                dialog.local_cseq = self.cseq.saturating_sub(1);
                dialog.request(Method::Subscribe)
            }
            None => {
                let target = ua.identity.uri_at_exchange(Some(&self.watching.number), ua.behaviour.sips);
                let mut request = Request::new(Method::Subscribe, target.clone());
                let from = format!("{};tag={}", ua.identity.address_of_record(), self.tag);
                let cseq = CSeq { number: self.cseq, method: Method::Subscribe };
                request.headers.push(HeaderName::MaxForwards, Bytes::from_static(b"70"));
                request.headers.push(HeaderName::From, Bytes::from(from));
                request.headers.push(HeaderName::To, Bytes::from(format!("<{target}>")));
                request.headers.push(HeaderName::CallId, Bytes::from(self.call_id.clone()));
                request.headers.push(HeaderName::CSeq, Bytes::from(cseq.to_string()));
                request
            }
        };
        request.headers.push(HeaderName::Event, self.watching.package.clone());
        request.headers.push(HeaderName::Expires, self.watching.expires.to_string());
        request.headers.push(HeaderName::Contact, ua.contact());
        if let Some(accept) = &self.watching.accept {
            request.headers.push(HeaderName::Accept, accept.clone());
        }
        ua.authorize(&mut request);
        self.sent = Some(request.clone());
        self.under_way = true;
        ua.send(request, Some(Purpose::Subscribe(index)));
    }

    /// Takes a response to its SUBSCRIBE.
    pub fn on_response(&mut self, index: usize, ua: &mut UserAgent, received: &ReceivedResponse) {
        let response = &received.response;
        self.under_way &= response.status < 200;
        match response.status {
            0..=199 => {}
            200..=299 => self.granted(index, ua, received),
            401 if ua.learn_challenge(response, self.challenged) => {
                self.challenged = self.challenged.saturating_add(1);
                self.send(index, ua);
            }
            status => self.refused(status, ua),
        }
    }

    fn granted(&mut self, index: usize, ua: &mut UserAgent, received: &ReceivedResponse) {
        self.watching.refused = None;
        if self.dialog.is_none()
            && let Some(request) = &self.sent
        {
            self.dialog = Dialog::uac(request, &received.response, &received.essentials).ok();
        }
        let text = received.response.headers.text(HeaderName::Expires);
        let granted: u64 = text.and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        let is_over = self.watching.state.starts_with("terminated");
        if granted > 0 && !is_over {
            let wait = Duration::from_secs(granted).saturating_sub(REFRESH_BEFORE).max(Duration::from_secs(1));
            ua.cancel_timer(self.timer.take());
            self.timer = Some(ua.set_timer(wait, Timer::Subscribe(index)));
        }
    }

    /// Its SUBSCRIBE was refused, or had no response (408). Whoever knows nothing of it any more is asked anew.
    pub fn refused(&mut self, status: u16, ua: &mut UserAgent) {
        self.under_way = false;
        ua.cancel_timer(self.timer.take());
        ua.forget_challenge();
        self.watching.refused = Some(status);
        self.watching.state = String::new();
        if status == 481 {
            self.dialog = None;
            (self.call_id, self.tag) = (ua.identity.new_call_id(&mut ua.rng), ua.identity.new_tag(&mut ua.rng));
            self.latest = None;
        }
    }

    /// Was it refused because the exchange knows nothing of it?
    pub fn is_unknown(&self) -> bool {
        self.watching.refused == Some(481) && self.dialog.is_none()
    }

    /// Is a NOTIFY one of its own?
    pub fn is_of(&self, received: &ReceivedRequest) -> bool {
        received.essentials.call_id == self.call_id && received.essentials.to.tag() == Some(&self.tag)
    }

    /// Takes a NOTIFY.
    pub fn on_notify(&mut self, ua: &mut UserAgent, received: &ReceivedRequest) {
        let number = received.essentials.cseq.number;
        if self.latest.is_some_and(|latest| number <= latest) {
            self.watching.disordered = self.watching.disordered.saturating_add(1);
            return ua.respond(received.server, Response::for_request(&received.request, 500, None));
        }
        self.latest = Some(number);
        let state = received.request.headers.text(HeaderName::SubscriptionState).unwrap_or_default();
        self.watching.state = state.into_owned();
        if !received.request.body.is_empty() {
            self.watching.body = String::from_utf8_lossy(&received.request.body).into_owned();
        }
        self.watching.notices = self.watching.notices.saturating_add(1);
        if self.watching.state.starts_with("terminated") {
            ua.cancel_timer(self.timer.take());
        }
        ua.respond(received.server, Response::for_request(&received.request, 200, None));
    }
}
