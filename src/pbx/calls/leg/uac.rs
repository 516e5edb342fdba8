//! The UAC of an INVITE: whom we call and as whom, and our INVITE until its final response comes (RFC 3261 13.2, 9.1).

use super::context::{Cx, T1};
use super::event::{LegEvent, Refusal};
use super::session_timer::SessionTimer;
use super::user_agent::UserAgent;
use crate::config::peer::{Peer, SendRpid};
use crate::config::presentation::Presentation;
use crate::pbx::core::servers::retry_after;
use crate::pbx::core::{LegId, LegTimer};
use crate::pbx::uri_text::{contact, escape_user, host, quote};
use crate::sdp::Sdp;
use crate::sip::Uri;
use crate::sip::dialog::routed;
use crate::sip::header::{CSeq, ContactValue, HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::sips::binds_request;
use crate::sip::timer::TimerId;
use crate::sip::transaction::ClientId;
use bytes::Bytes;
use std::time::Duration;

/// How long the exchange's INVITE may go without any response before a qualified peer is given up: a phone on the same
/// network answers in milliseconds. `timerb=` sets another time. The INVITE itself is repeated for 64*T1, lest a phone
/// rings on whose every response was lost until then.
const SILENCE: Duration = Duration::from_secs(6);
/// How long a phone may ring that never let us know (as long as a proxy lets one ring, RFC 3261 16.6 timer C): a response
/// that comes by then is still used to end what it tells of.
const LATE: Duration = Duration::from_secs(180);
/// Maximum number of places tried of one redirection.
const MAX_CONTACTS: usize = 5;

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
    /// The user in From: `fromuser=`, else the caller's number, else the exchange's own name (`callerid=` of
    /// `[general]`).
    pub from_user: &'a str,
    /// The domain in From: `fromdomain=`, else our address.
    pub from_domain: String,
    /// May the peer see who calls?
    pub presentation: Presentation,
    /// Header fields that the dialplan adds.
    pub headers: Vec<(HeaderName, String)>,
    /// Hops it may take at most; `maxforwards=` may allow fewer.
    pub hops: u8,
    /// May silence for six seconds give the peer up (`qualify` says it is there)?
    pub watched: bool,
}

impl Calling<'_> {
    /// The INVITE that calls the peer, with our offer. Sets the Contact of its dialogs.
    pub(super) fn invite(&self, offer: &Sdp, ua: &mut UserAgent, cx: &mut Cx<'_>) -> Request {
        let (from, user) = self.from(&ua.peer);
        let is_marked = ua.settings().user_eq_phone;
        let mark = |uri: &str| if is_marked { with_user_phone(uri) } else { uri.to_owned() };
        let mut request = routed(Method::Invite, &mark(&self.target), &self.route);
        ua.contact = contact(&user, ua.flow, binds_request(&request));
        let tag = cx.core.rng.hex(16);
        let call_id = format!("{}@{}", cx.core.rng.hex(32), host(ua.flow.advertised.ip()));
        let headers = &mut request.headers;
        headers.push(HeaderName::From, Bytes::from(format!("{from};tag={tag}")));
        headers.push(HeaderName::To, Bytes::from(format!("<{}>", mark(&self.to))));
        headers.push(HeaderName::CallId, Bytes::from(call_id));
        headers.push(HeaderName::CSeq, Bytes::from_static(b"102 INVITE"));
        headers.push(HeaderName::Contact, ua.contact.clone());
        if let Some((name, value)) = self.identity(&ua.peer) {
            headers.push(name, value);
        }
        if self.presentation.is_hidden() {
            // RFC 3323 4.2, RFC 3325 9.3: whoever passes it on shall hide it, too.
            headers.push(HeaderName::Privacy, Bytes::from_static(b"id"));
        }
        for (name, value) in &self.headers {
            request.headers.push(name.clone(), value.clone());
        }
        ua.add_common_headers(&mut request, cx);
        let hops = self.hops.min(ua.settings().max_forwards);
        request.headers.set(HeaderName::MaxForwards, hops.to_string());
        request.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
        request.body = offer.to_bytes().into();
        request
    }

    /// From's address, and its user. For a hidden caller it is anonymous (RFC 3323 4.1.1.3) but for what a provider
    /// must find there: `fromuser=`, `fromdomain=`.
    fn from(&self, peer: &Peer) -> (String, String) {
        let marked =
            |address: String| if peer.settings.user_eq_phone { with_user_phone_within(&address) } else { address };
        if self.presentation.is_hidden() {
            let user = peer.from_user.as_deref().unwrap_or("anonymous");
            let domain = peer.from_domain.as_deref().unwrap_or("anonymous.invalid");
            return (marked(address("Anonymous", user, domain)), user.to_owned());
        }
        let from = marked(address(self.from_name.unwrap_or_default(), self.from_user, &self.from_domain));
        (from, self.from_user.to_owned())
    }

    /// Who calls, in the header `sendrpid=` names, whatever From says for the peer's sake (RFC 3325 9.1). A hidden
    /// caller is named only to a peer that is trusted with it (`trust_id_outbound=`, RFC 3325 7).
    fn identity(&self, peer: &Peer) -> Option<(HeaderName, String)> {
        let hidden = self.presentation.is_hidden();
        if self.from_number.is_empty() || (hidden && !peer.settings.trust_id) {
            return None;
        }
        let address = address(self.from_name.unwrap_or_default(), self.from_number, &self.from_domain);
        match peer.settings.send_rpid {
            SendRpid::No => None,
            // Screened it is only when a trusted neighbour vouched for the number.
            SendRpid::Rpid => {
                let privacy = if hidden { "full" } else { "off" };
                let screen = if self.presentation.is_screened() { "yes" } else { "no" };
                let value = format!("{address};party=calling;privacy={privacy};screen={screen}");
                Some((HeaderName::RemotePartyId, value))
            }
            SendRpid::Pai => Some((HeaderName::PAssertedIdentity, address)),
        }
    }
}

/// Our INVITE, until its final response.
#[derive(Debug)]
pub(super) struct Invitation {
    leg: LegId,
    client: ClientId,
    phase: Phase,
    /// Why it is cancelled, in the words of RFC 3326.
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// We wait for the answer. `silence`: the timer of a watched peer that sends no response at all.
    Outgoing { provisional_seen: bool, silence: Option<TimerId> },
    /// We gave up; the final response is still to come (RFC 3261 9.1).
    Abandoned { cancelled: bool, give_up: TimerId },
}

impl Invitation {
    /// Sends the INVITE. `watched`: a peer that is silent is soon given up.
    pub fn send(
        mut request: Request,
        watched: bool,
        ua: &UserAgent,
        session_timer: &SessionTimer,
        cx: &mut Cx<'_>,
    ) -> Invitation {
        let settings = ua.settings();
        session_timer.write_request(settings, &mut request.headers);
        let client = ua.call(request, settings.timer_b, LATE, cx);
        let is_impatient = watched && settings.timer_b.is_none();
        let silence = is_impatient.then(|| cx.timer(ua.leg, LegTimer::Silence, SILENCE));
        Invitation { leg: ua.leg, client, phase: Phase::Outgoing { provisional_seen: false, silence }, reason: None }
    }

    /// Is this our INVITE's transaction?
    pub fn is(&self, id: ClientId) -> bool {
        self.client == id
    }

    /// Do we still want it to be answered?
    pub fn is_wanted(&self) -> bool {
        matches!(self.phase, Phase::Outgoing { .. })
    }

    /// Has the peer sent no response at all to an INVITE that we still want to be answered?
    pub fn has_no_response(&self) -> bool {
        matches!(self.phase, Phase::Outgoing { provisional_seen: false, .. })
    }

    /// A provisional response: the peer is there, and a CANCEL may be sent (RFC 3261 9.1).
    pub fn on_provisional(&mut self, cx: &mut Cx<'_>) {
        match self.phase {
            Phase::Outgoing { silence, .. } => {
                cancel_timer(silence, cx);
                self.phase = Phase::Outgoing { provisional_seen: true, silence: None };
            }
            Phase::Abandoned { cancelled: false, give_up } => {
                cx.core.timers.cancel(give_up);
                self.cancel(cx);
            }
            Phase::Abandoned { cancelled: true, .. } => {}
        }
    }

    /// It is sent again, since it was asked for a password: the peer is there, and nothing came yet that could be cancelled.
    pub fn again(&mut self, cx: &mut Cx<'_>) {
        if let Phase::Outgoing { silence, .. } = self.phase {
            cancel_timer(silence, cx);
            self.phase = Phase::Outgoing { provisional_seen: false, silence: None };
        }
    }

    /// The call is not wanted any more; `reason`: why, for its CANCEL.
    pub fn abandon(&mut self, reason: Option<String>, cx: &mut Cx<'_>) {
        self.reason = reason;
        let Phase::Outgoing { provisional_seen, silence } = self.phase else { return };
        cancel_timer(silence, cx);
        // RFC 3261 9.1: no CANCEL before a provisional response. The INVITE is still repeated, which brings one.
        if provisional_seen {
            self.cancel(cx);
        } else {
            self.wait_for_final(false, cx);
        }
    }

    /// The peer was silent too long and is given up (408 in effect). False when it was not silent.
    pub fn on_silence(&mut self, cx: &mut Cx<'_>) -> bool {
        let is_silent = self.has_no_response();
        if is_silent {
            // A late 2xx must still find the leg, which acknowledges and ends it.
            self.wait_for_final(false, cx);
        }
        is_silent
    }

    fn cancel(&mut self, cx: &mut Cx<'_>) {
        let reason = self.reason.as_deref();
        cx.core.tx.cancel(cx.core.now.mono, self.client, reason, &mut cx.core.out.transmit);
        self.wait_for_final(true, cx);
    }

    /// RFC 3261 9.1: no final response came for 64*T1 after the CANCEL, or no response at all to an INVITE that nobody
    /// wants: it is not sent any more.
    pub fn give_up(&self, cx: &mut Cx<'_>) {
        cx.core.tx.give_up(cx.core.now.mono, self.client);
    }

    /// RFC 3261 9.1: the INVITE counts as cancelled when no final response comes for 64*T1.
    fn wait_for_final(&mut self, cancelled: bool, cx: &mut Cx<'_>) {
        let give_up = cx.timer(self.leg, LegTimer::CancelGiveUp, T1 * 64);
        self.phase = Phase::Abandoned { cancelled, give_up };
    }

    /// Its final response came.
    pub fn stop(&self, cx: &mut Cx<'_>) {
        match self.phase {
            Phase::Outgoing { silence, .. } => cancel_timer(silence, cx),
            Phase::Abandoned { give_up, .. } => cancel_timer(Some(give_up), cx),
        }
    }

    /// The leg is over, whatever becomes of the INVITE.
    pub fn end(&self, cx: &mut Cx<'_>) {
        self.stop(cx);
        if self.is_wanted() {
            // Its final response may never come: the peer sent BYE before, say.
            cx.core.tx.abandon(cx.core.now.mono, self.client);
        }
    }
}

fn cancel_timer(timer: Option<TimerId>, cx: &mut Cx<'_>) {
    if let Some(timer) = timer {
        cx.core.timers.cancel(timer);
    }
}

/// RFC 4028 7.3: the same INVITE with the next number, to be sent after a 422. `None` when its CSeq cannot be read.
pub(super) fn next_attempt(mut request: Request) -> Option<Request> {
    let cseq = request.headers.get(HeaderName::CSeq).and_then(|cseq| CSeq::parse(cseq).ok())?;
    let cseq = CSeq { number: cseq.number.saturating_add(1), method: Method::Invite };
    // It comes back as it was sent; the next one gets a Via of its own.
    request.headers.remove(HeaderName::Via);
    request.headers.set(HeaderName::CSeq, cseq.to_string());
    Some(request)
}

/// The final response says that our call will not be answered, or where to call instead.
pub(super) fn refusal(response: &Response) -> LegEvent {
    let reason = String::from_utf8_lossy(&response.reason).into_owned();
    match response.status {
        status @ 300..400 => LegEvent::Redirected(status, reason, redirection_targets(&response.headers)),
        503 => LegEvent::Failed(Refusal::Unavailable(reason, retry_after(&response.headers))),
        status => LegEvent::Failed(Refusal::Status(status, reason)),
    }
}

/// The places a 3xx names (RFC 3261 8.1.3.4), the preferred first.
fn redirection_targets(headers: &Headers) -> Vec<Uri> {
    let values = headers.values(HeaderName::Contact).filter_map(|value| ContactValue::parse(&value).ok());
    let mut named: Vec<(u16, Uri)> = values
        .filter_map(|value| Some((value.q(), value.address()?.uri.clone())))
        .filter(|(_, uri)| {
            uri.sip().is_some() || matches!(uri, Uri::Other(scheme, _) if scheme.eq_ignore_ascii_case("tel"))
        })
        .take(MAX_CONTACTS)
        .collect();
    named.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    named.into_iter().map(|(_, uri)| uri).collect()
}

/// A name-addr (RFC 3261 25.1): the name only when there is one.
fn address(name: &str, user: &str, domain: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("{} ", quote(name)) };
    format!("{name}<sip:{}@{domain}>", escape_user(user))
}

/// A `sip:` URI whose user is a number says so (RFC 3261 19.1.1, `usereqphone=`); any other stays.
fn with_user_phone(uri: &str) -> String {
    match Uri::parse(uri.as_bytes()) {
        Ok(Uri::Sip(mut sip)) if sip.user_text().is_some_and(|user| is_number(&user)) => {
            sip.params.set("user", Some("phone"));
            Uri::Sip(sip).to_string()
        }
        Ok(Uri::Sip(_) | Uri::Other(..)) | Err(_) => uri.to_owned(),
    }
}

/// The same for the URI between the angle brackets that an address ends with.
fn with_user_phone_within(address: &str) -> String {
    let inside = address.rsplit_once('<').and_then(|(before, rest)| Some((before, rest.strip_suffix('>')?)));
    inside.map_or_else(|| address.to_owned(), |(before, uri)| format!("{before}<{}>", with_user_phone(uri)))
}

/// Digits, behind a `+` if it is a global number.
fn is_number(user: &str) -> bool {
    let digits = user.strip_prefix('+').unwrap_or(user);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::peer::Settings;
    use crate::pbx::calls::leg::context::LegIndex;
    use crate::pbx::calls::leg::context::testing::{self, LEG, core, next_timer, receive_response, sent, user_agent};
    use crate::pbx::core::Core;

    fn invite(watched: bool, timer_b: Option<Duration>, core: &mut Core, index: &mut LegIndex) -> Invitation {
        let (ua, _) = user_agent(Settings { timer_b, ..Settings::default() }, core);
        let mut cx = Cx { core, index };
        let mut request = routed(Method::Invite, "sip:peer@192.0.2.2", &[]);
        for (name, value) in [
            (HeaderName::From, "<sip:us@192.0.2.1>;tag=ours"),
            (HeaderName::To, "<sip:peer@192.0.2.2>"),
            (HeaderName::CallId, "ours"),
            (HeaderName::CSeq, "102 INVITE"),
        ] {
            request.headers.push(name, value);
        }
        Invitation::send(request, watched, &ua, &SessionTimer::new(LEG), &mut cx)
    }

    #[test]
    fn a_user_that_is_a_number_is_marked_and_any_other_is_not() {
        for (uri, marked) in [
            ("sip:110@192.0.2.2:5060", "sip:110@192.0.2.2:5060;user=phone"),
            ("sip:+4930@a;transport=tcp", "sip:+4930@a;transport=tcp;user=phone"),
            ("sip:1@a;user=ip", "sip:1@a;user=phone"),
            ("sip:isp@a", "sip:isp@a"),
            ("sip:+@a", "sip:+@a"),
            ("sip:a", "sip:a"),
            ("tel:110", "tel:110"),
        ] {
            assert_eq!(with_user_phone(uri), marked);
        }
        assert_eq!(with_user_phone_within("\"<1>\" <sip:1@a>"), "\"<1>\" <sip:1@a;user=phone>");
    }

    #[test]
    fn an_abandoned_invite_is_cancelled_as_soon_as_a_provisional_response_comes() {
        let (mut core, mut index) = (core(), LegIndex::default());
        let mut invitation = invite(false, None, &mut core, &mut index);
        assert_eq!(sent(&mut core), ["INVITE sip:peer@192.0.2.2 SIP/2.0"]);
        invitation.abandon(None, &mut Cx { core: &mut core, index: &mut index });
        assert!(sent(&mut core).is_empty() && !invitation.is_wanted());
        receive_response(180, invitation.client, &mut core);
        invitation.on_provisional(&mut Cx { core: &mut core, index: &mut index });
        assert_eq!(sent(&mut core), ["CANCEL sip:peer@192.0.2.2 SIP/2.0"]);
        assert_eq!(next_timer(&mut core), (T1 * 64, LegTimer::CancelGiveUp));
        invitation.end(&mut Cx { core: &mut core, index: &mut index });
        assert!(core.timers.is_empty());
    }

    #[test]
    fn a_silent_peer_is_given_up_early_when_it_is_watched_and_one_that_responds_is_not() {
        let (mut core, mut index) = (testing::core(), LegIndex::default());
        let mut silent = invite(true, None, &mut core, &mut index);
        assert_eq!(next_timer(&mut core), (SILENCE, LegTimer::Silence));
        let mut cx = Cx { core: &mut core, index: &mut index };
        assert!(silent.on_silence(&mut cx) && !silent.is_wanted());
        let (mut core, mut index) = (testing::core(), LegIndex::default());
        let mut present = invite(true, None, &mut core, &mut index);
        let mut cx = Cx { core: &mut core, index: &mut index };
        present.on_provisional(&mut cx);
        assert!(!present.on_silence(&mut cx) && present.is_wanted() && cx.core.timers.is_empty());
        let ten = Duration::from_secs(10);
        for (watched, timer_b, wait) in [(false, None, T1 * 64), (true, Some(ten), ten), (false, Some(ten), ten)] {
            let (mut core, mut index) = (testing::core(), LegIndex::default());
            invite(watched, timer_b, &mut core, &mut index);
            assert!(core.timers.is_empty(), "timer B itself is its patience");
            let (now, just) = (core.now.mono, Duration::from_millis(1));
            assert!(core.tx.expire(now + (wait - just), &mut core.out.transmit).is_empty());
            assert_eq!(core.tx.expire(now + wait, &mut core.out.transmit).len(), 1);
        }
    }
}
