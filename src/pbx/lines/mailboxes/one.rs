//! One subscription of ours to a mailbox: asked for, renewed, and tried again after a failure; what its NOTIFYs say.

use crate::config::mailbox_line::MailboxLine;
use crate::config::peer::Settings;
use crate::event::mailbox::{MailboxEvent, MailboxNews};
use crate::names::Server;
use crate::pbx::core::servers::retry_after;
use crate::pbx::core::{Core, LineTimer, Requester, Timer, add_request_headers};
use crate::pbx::lines::registrations::{Failed, renewal, seconds, wait, ways};
use crate::pbx::uri_text::{contact, escape_user};
use crate::sip::Flow;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::flow::OpensFor;
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{Account, Answer, ClientId, Reference, ReferenceChange, Sending};
use crate::sip::validate::Essentials;
use crate::wording::Outside;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How long the answer to the last SUBSCRIBE is waited for: the program is about to end.
const FAREWELL: Duration = Duration::from_secs(4);
/// How soon it is begun anew when the other side has forgotten the dialog.
const ANEW: Duration = Duration::from_millis(500);
/// How often in a row a longer time is asked for (423), and the longest.
const MAX_RAISES: u8 = 3;
const LONGEST: Duration = Duration::from_secs(86_400);

/// What a NOTIFY of a mailbox is answered with, and what its body is to be read for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It says how many messages wait in this mailbox.
    Counts(String),
    /// Nothing that matters.
    Nothing,
    /// It is refused with this status.
    Refused(u16),
}

/// A mailbox that we have ourselves told of.
pub struct MailboxWatch {
    /// Its line.
    pub line: Arc<MailboxLine>,
    /// The other side tells us.
    pub is_subscribed: bool,
    key: Arc<str>,
    call_id: String,
    tag: String,
    /// The number of the first SUBSCRIBE, while there is no dialog.
    cseq: u32,
    dialog: Option<Dialog>,
    /// The SUBSCRIBE under way, and the request that a dialog is made of.
    client: Option<(ClientId, Request)>,
    timer: Option<TimerId>,
    flow: Option<Flow>,
    raised: Option<Duration>,
    raises: u8,
    failures: u32,
    is_leaving: bool,
    unresolved_said: bool,
    references: Vec<ReferenceChange>,
}

impl MailboxWatch {
    /// Not asked for yet.
    pub(super) fn new(key: Arc<str>, line: Arc<MailboxLine>, core: &mut Core) -> MailboxWatch {
        let (call_id, tag) = (core.rng.hex(32), core.rng.hex(16));
        MailboxWatch {
            line,
            is_subscribed: false,
            key,
            call_id,
            tag,
            cseq: 101,
            dialog: None,
            client: None,
            timer: None,
            flow: None,
            raised: None,
            raises: 0,
            failures: 0,
            is_leaving: false,
            unresolved_said: false,
            references: Vec::new(),
        }
    }

    pub(super) fn opened(&self) -> ReferenceChange {
        ReferenceChange::Opened(Reference::tag(&self.tag))
    }

    pub(super) fn closed(&self) -> ReferenceChange {
        ReferenceChange::Closed(Reference::tag(&self.tag))
    }

    /// The tags of dialogs that it began and gave up.
    pub(super) fn take_references(&mut self) -> Vec<ReferenceChange> {
        std::mem::take(&mut self.references)
    }

    /// Is a message of this dialog its own? The first NOTIFY may come before the 2xx (RFC 6665 4.4.1).
    pub(super) fn is_of(&self, key: &DialogKey) -> bool {
        match &self.dialog {
            Some(dialog) => dialog.key() == *key,
            None => {
                let own = DialogKey::new(&self.call_id, &self.tag, None);
                self.client.is_some() && (&own.call_id, &own.local_tag) == (&key.call_id, &key.local_tag)
            }
        }
    }

    /// For whom a connection may be opened in its dialog.
    pub fn opens_for(&self) -> OpensFor {
        self.flow.map_or(OpensFor::Nobody, |flow| flow.opens_for)
    }

    pub(super) fn is_sent(&self, id: ClientId) -> bool {
        self.client.as_ref().is_some_and(|(client, _)| *client == id)
    }

    /// Is its last SUBSCRIBE still unanswered?
    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving && self.client.is_some()
    }

    pub(super) fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    /// Waits so long, then subscribes.
    pub(super) fn begin_after(&mut self, wait: Duration, core: &mut Core) {
        self.stop_timer(core);
        self.timer = Some(core.set_timer(wait, Timer::Line(LineTimer::Mailbox(self.key.clone()))));
    }

    fn stop_timer(&mut self, core: &mut Core) {
        if let Some(timer) = self.timer.take() {
            core.timers.cancel(timer);
        }
    }

    /// Is it at a place that is none of its host's any more, or not yet anywhere?
    pub(super) fn has_moved(&self, core: &Core) -> bool {
        let now = ways(&self.line.account, core);
        let is_there = |flow: Flow| {
            now.iter().any(|now| {
                (now.transport, now.remote, now.advertised) == (flow.transport, flow.remote, flow.advertised)
            })
        };
        !self.is_leaving && self.dialog.is_none() && !now.is_empty() && !self.flow.is_some_and(is_there)
    }

    /// Its time has come.
    pub(super) fn send(&mut self, core: &mut Core) {
        self.stop_timer(core);
        if self.dialog.is_none() {
            let Some(flow) = ways(&self.line.account, core).first().copied() else {
                let next = core.config.general.register.timeout;
                if !std::mem::replace(&mut self.unresolved_said, true) {
                    self.tell(MailboxNews::Unresolved { next }, core);
                }
                return self.begin_after(next, core);
            };
            self.flow = Some(flow);
        }
        self.unresolved_said = false;
        let expires = self.raised.unwrap_or(core.config.general.mwi_expiry);
        let give_up = core.config.general.register.timeout;
        self.transmit(expires, give_up, core);
    }

    /// Ends it there; says whether an answer is to be waited for.
    pub(super) fn leave(&mut self, core: &mut Core) -> bool {
        self.stop_timer(core);
        self.is_leaving = true;
        self.is_subscribed = false;
        if self.dialog.is_none() {
            self.client = None;
            return false;
        }
        self.transmit(Duration::ZERO, FAREWELL, core);
        self.client.is_some()
    }

    fn transmit(&mut self, expires: Duration, give_up: Duration, core: &mut Core) {
        let Some(flow) = self.flow else { return };
        let account = self.line.account.clone();
        let peer = account.peer.as_deref().and_then(|name| core.config.peers.get(name)).cloned();
        let settings: Settings =
            peer.map_or_else(|| core.config.general.defaults.clone(), |peer| peer.settings.clone());
        let (mut request, flow) = match &mut self.dialog {
            Some(dialog) => {
                let flow = core.routing.follow(&dialog.next_hop(), flow, &settings);
                (dialog.request(Method::Subscribe), flow)
            }
            None => (self.first(), flow),
        };
        let headers = &mut request.headers;
        headers.set(HeaderName::MaxForwards, settings.max_forwards.to_string());
        headers.push(HeaderName::Contact, contact(&account.user, flow, false));
        headers.push(HeaderName::Event, Bytes::from_static(b"message-summary"));
        headers.push(HeaderName::Accept, Bytes::from_static(b"application/simple-message-summary"));
        headers.push(HeaderName::Expires, expires.as_secs().to_string());
        add_request_headers(&mut request, &core.config.product);
        let how = Sending::Tuned { t1: Duration::ZERO, give_up: Some(give_up), late: Duration::ZERO };
        let (requester, whose) = (Requester::Mailbox(self.key.clone()), Account::Registration(self.key.clone()));
        let id = core.request(request.clone(), flow, how, requester, whose);
        self.client = Some((id, request));
    }

    /// The SUBSCRIBE that begins a dialog.
    fn first(&mut self) -> Request {
        self.cseq = self.cseq.saturating_add(1);
        let account = &self.line.account;
        let domain = account.domain.as_deref().unwrap_or(&account.host);
        let uri = format!("sip:{}@{domain}", escape_user(&account.user));
        let mut request = Request::new(Method::Subscribe, uri.clone());
        let headers = &mut request.headers;
        if let Some(proxy) = &account.proxy {
            headers.push(HeaderName::Route, proxy.route());
        }
        headers.push(HeaderName::From, format!("<{uri}>;tag={}", self.tag));
        headers.push(HeaderName::To, format!("<{uri}>"));
        headers.push(HeaderName::CallId, self.call_id.clone());
        headers.push(HeaderName::CSeq, CSeq { number: self.cseq, method: Method::Subscribe }.to_string());
        request
    }

    /// The next CSeq number, for a SUBSCRIBE that is sent again with a password.
    pub(super) fn number_again(&mut self) -> u32 {
        match &mut self.dialog {
            Some(dialog) => dialog.next_number(),
            None => {
                self.cseq = self.cseq.saturating_add(1);
                self.cseq
            }
        }
    }

    /// The final response.
    pub fn answered(&mut self, answer: &Answer<Requester>, core: &mut Core) {
        let response = &answer.response;
        if response.status < 200 {
            return;
        }
        let Some((_, sent)) = self.client.take() else { return };
        if self.is_leaving {
            if response.status < 300 {
                self.tell(MailboxNews::Unsubscribed, core);
            }
            return;
        }
        match response.status {
            200..=299 => self.granted(answer, &sent, core),
            423 if self.raise(response, core) => {}
            // RFC 6665 4.1.2.2: the other side knows the dialog no more.
            404 | 405 | 481 | 489 | 501 if self.dialog.is_some() => {
                self.forget_dialog(core);
                self.begin_after(ANEW, core);
            }
            status => {
                let asked = retry_after(&response.headers);
                if status == 503
                    && let Some(flow) = self.flow
                {
                    core.failed_servers.note(Server::of(flow), asked, core.now.mono);
                }
                let words = Outside::from(String::from_utf8_lossy(&response.reason).into_owned());
                let next = self.fail(Failed::Refusal(asked), core);
                self.tell(MailboxNews::Refused { status, words, next }, core);
            }
        }
    }

    fn granted(&mut self, answer: &Answer<Requester>, sent: &Request, core: &mut Core) {
        if self.dialog.is_none() {
            self.dialog = Dialog::uac(sent, &answer.response, &answer.essentials).ok();
        } else if let Some(dialog) = &mut self.dialog {
            dialog.refresh_target(&answer.response.headers);
        }
        let asked = self.raised.unwrap_or(core.config.general.mwi_expiry);
        let granted = seconds(&answer.response.headers, HeaderName::Expires).unwrap_or(asked).min(LONGEST);
        (self.failures, self.raises) = (0, 0);
        self.begin_after(renewal(granted), core);
        if let Some(flow) = self.flow {
            core.failed_servers.forgive(Server::of(flow));
        }
        if !std::mem::replace(&mut self.is_subscribed, true) {
            self.tell(MailboxNews::Subscribed { address: answer.flow.remote, granted }, core);
        }
    }

    /// 423: asks for longer at once, if it may be. False: it is a refusal like others.
    fn raise(&mut self, response: &Response, core: &mut Core) -> bool {
        let least = seconds(&response.headers, HeaderName::MinExpires).filter(|least| *least <= LONGEST);
        let Some(least) = least.filter(|_| self.raises < MAX_RAISES) else { return false };
        (self.raised, self.raises) = (Some(least), self.raises.saturating_add(1));
        self.send(core);
        true
    }

    /// No answer came, or it could not be sent.
    pub fn unanswered(&mut self, why: &str, core: &mut Core) {
        self.client = None;
        if self.is_leaving {
            return;
        }
        if let Some(flow) = self.flow {
            core.failed_servers.note(Server::of(flow), None, core.now.mono);
        }
        let next = self.fail(Failed::Silence, core);
        self.tell(MailboxNews::Unanswered { reason: why.to_owned(), next }, core);
    }

    /// It is subscribed to no more, and tried again after a while; gives when.
    fn fail(&mut self, failed: Failed, core: &mut Core) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.is_subscribed = false;
        self.forget_dialog(core);
        let next = wait(failed, self.failures, core.config.general.register.timeout, &mut core.rng);
        self.begin_after(next, core);
        next
    }

    /// The next SUBSCRIBE begins another dialog.
    fn forget_dialog(&mut self, core: &mut Core) {
        (self.dialog, self.client) = (None, None);
        self.references.push(self.closed());
        (self.call_id, self.tag, self.cseq) = (core.rng.hex(32), core.rng.hex(16), 101);
        self.references.push(self.opened());
    }

    /// A NOTIFY of its dialog (RFC 6665 4.1.3).
    pub fn notified(&mut self, request: &Request, essentials: &Essentials, core: &mut Core) -> Notice {
        let event = request.headers.text(HeaderName::Event).unwrap_or_default().into_owned();
        if event.split(';').next().is_none_or(|name| !name.trim().eq_ignore_ascii_case("message-summary")) {
            return Notice::Refused(489);
        }
        if let Some(dialog) = &mut self.dialog {
            if dialog.remote_cseq.is_some_and(|known| essentials.cseq.number < known) {
                return Notice::Refused(500);
            }
            dialog.remote_cseq = Some(essentials.cseq.number);
            dialog.refresh_target(&request.headers);
        }
        let state = request.headers.text(HeaderName::SubscriptionState).unwrap_or_default().into_owned();
        if state.trim_start().to_ascii_lowercase().starts_with("terminated") {
            self.ended(&state, core);
        }
        match request.body.is_empty() {
            true => Notice::Nothing,
            false => Notice::Counts(self.line.mailbox.clone()),
        }
    }

    /// The other side ended it: begun anew at once or later, as its reason has it (RFC 6665 4.1.3).
    fn ended(&mut self, state: &str, core: &mut Core) {
        if self.is_leaving {
            return;
        }
        let of = |name: &str| {
            state.split(';').find_map(|part| {
                let (key, value) = part.trim().split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let reason = of("reason").unwrap_or_else(|| "no reason".to_owned());
        let asked = of("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let next = match reason.to_ascii_lowercase().as_str() {
            "deactivated" | "timeout" => {
                self.is_subscribed = false;
                self.forget_dialog(core);
                self.begin_after(ANEW, core);
                ANEW
            }
            _ => self.fail(Failed::Refusal(asked), core),
        };
        self.tell(MailboxNews::Ended { reason: reason.into(), next }, core);
    }

    /// What its NOTIFY said.
    pub fn told(&self, (new, old): (u32, u32), core: &mut Core) {
        self.tell(MailboxNews::Told { new, old }, core);
    }

    fn tell(&self, what: MailboxNews, core: &mut Core) {
        let (account, mailbox) = (&self.line.account, self.line.mailbox.clone());
        let (user, host, place) = (account.user.clone(), account.host.clone(), account.place.to_string());
        core.emit(MailboxEvent { user, host, mailbox, place, what });
    }
}
