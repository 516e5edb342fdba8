//! Session timers (RFC 4028): a call that its other side does not refresh, or does not answer a refresh of, ends by
//! itself.

use super::context::Cx;
use super::event::Ending;
use super::user_agent::UserAgent;
use crate::config::peer::{LineKind, SessionTimers, Settings};
use crate::pbx::core::{LegId, LegTimer};
use crate::sdp::Sdp;
use crate::sip::header::session_expires::{self, SHORTEST};
use crate::sip::header::{HeaderName, Headers, OptionTags, Refresher, SessionExpires};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{ClientId, ServerId};
use bytes::Bytes;
use std::time::Duration;

/// What our Supported says besides, where the peer may transfer: the tag of RFC 3891.
const REPLACES: &str = "replaces, timer";
/// The tag of RFC 4028 in Supported and Require.
const TIMER: &str = "timer";
/// Time until a refresh is tried again that was refused for the moment.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Maximum number of such tries in a row; then the call counts as refreshed.
const MAX_RETRIES: u8 = 6;
/// Maximum number of 422 responses in a row that raise our interval.
const MAX_RAISES: u8 = 2;
/// The longest interval a peer may raise ours to, in seconds: a day.
const LONGEST: u32 = 86_400;

/// The session timer of a leg.
#[derive(Debug)]
pub(super) struct SessionTimer {
    leg: LegId,
    running: Option<Running>,
    /// The largest Min-SE of a 422.
    min_se: u32,
    /// 422 responses in a row.
    raises: u8,
    /// Refused refreshes in a row.
    retries: u8,
    /// The peer's Allow names UPDATE.
    peer_takes_update: bool,
    /// Our UPDATE that has no response yet.
    update: Option<ClientId>,
}

#[derive(Debug)]
struct Running {
    seconds: u32,
    /// We refresh; otherwise the peer does.
    ours: bool,
    timer: TimerId,
}

/// What is to be done when the timer goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing now; the timer is set again when the call is to be refreshed later.
    Nothing,
    /// The peer did not refresh the call: it is over.
    Expired,
    /// Refresh it by UPDATE, which needs no offer.
    Update,
    /// Refresh it by re-INVITE with the present description: the peer knows no UPDATE.
    ReInvite,
}

/// The response to an INVITE, re-INVITE or UPDATE whose session timer cannot be had: 420 where session timers are
/// switched off and required, 422 for an interval below ours (RFC 4028 9).
pub fn unfit_timer(settings: &Settings, request: &Request) -> Option<Response> {
    let headers = &request.headers;
    if settings.session_timers == SessionTimers::Refuse {
        if !OptionTags::from_headers(headers, HeaderName::Require).contains(TIMER) {
            return None;
        }
        let mut response = Response::for_request(request, 420, None);
        response.headers.push(HeaderName::Unsupported, Bytes::from_static(TIMER.as_bytes()));
        return Some(response);
    }
    let too_short = SessionExpires::of(headers).is_some_and(|wanted| wanted.seconds < settings.session_min_se);
    // RFC 4028 9: a peer that does not name the extension does not know this response, either.
    (too_short && knows_timer(headers)).then(|| {
        let mut response = Response::for_request(request, 422, None);
        response.headers.push(HeaderName::MinSe, settings.session_min_se.to_string());
        response
    })
}

/// Does the sender of a request know session timers?
fn knows_timer(headers: &Headers) -> bool {
    [HeaderName::Supported, HeaderName::Require]
        .into_iter()
        .any(|name| OptionTags::from_headers(headers, name).contains(TIMER))
}

/// The value of Supported for a peer.
fn supported(settings: &Settings) -> Bytes {
    Bytes::from_static(if settings.allow_transfer { REPLACES } else { TIMER }.as_bytes())
}

/// Is the peer a modem? Its call is refreshed by UPDATE or not at all: what a re-INVITE does to its sound nobody knows.
fn is_modem(settings: &Settings) -> bool {
    settings.line == Some(LineKind::Modem)
}

impl SessionTimer {
    /// Not running.
    pub fn new(leg: LegId) -> SessionTimer {
        SessionTimer { leg, running: None, min_se: 0, raises: 0, retries: 0, peer_takes_update: false, update: None }
    }

    /// Is none to be had for this peer, as far as is known? A modem that takes no UPDATE has none.
    fn is_declined(&self, settings: &Settings) -> bool {
        is_modem(settings) && !self.peer_takes_update
    }

    /// Notes whether the peer takes UPDATE, by the Allow of a message of its own.
    fn note_allow(&mut self, headers: &Headers) {
        let mut allowed = headers.values(HeaderName::Allow).peekable();
        if allowed.peek().is_some() {
            self.peer_takes_update = allowed.any(|method| method.eq_ignore_ascii_case(b"UPDATE"));
        }
    }

    /// What our INVITE, re-INVITE or UPDATE says of session timers (RFC 4028 7.1 and 7.4).
    pub fn write_request(&self, settings: &Settings, headers: &mut Headers) {
        // RFC 4028 8.1: who is not told that we know session timers cannot have us refresh.
        if settings.session_timers == SessionTimers::Refuse || self.is_declined(settings) {
            return;
        }
        headers.set(HeaderName::Supported, supported(settings));
        let wanted = match (&self.running, settings.session_timers) {
            (Some(Running { seconds, ours, .. }), _) => {
                Some((*seconds, if *ours { Refresher::Uac } else { Refresher::Uas }))
            }
            (None, SessionTimers::Originate) => Some((settings.session_expires, settings.session_refresher)),
            (None, SessionTimers::Accept | SessionTimers::Refuse) => None,
        };
        let Some((seconds, refresher)) = wanted else { return };
        let min_se = self.min_se.max(settings.session_min_se);
        let wanted = SessionExpires { seconds: seconds.max(min_se), refresher: Some(refresher) };
        headers.set(HeaderName::SessionExpires, wanted.to_string());
        headers.set(HeaderName::MinSe, min_se.to_string());
    }

    /// The peer's 2xx to our INVITE, re-INVITE or UPDATE says what holds from now on (RFC 4028 7.2).
    pub fn on_success(&mut self, settings: &Settings, headers: &Headers, cx: &mut Cx<'_>) {
        self.note_allow(headers);
        (self.raises, self.retries) = (0, 0);
        let granted = SessionExpires::of(headers);
        // The peer may still refresh a call of its own accord.
        let refreshes_itself = granted.as_ref().is_some_and(|it| it.refresher == Some(Refresher::Uas));
        if self.is_declined(settings) && !refreshes_itself {
            return self.stop(cx);
        }
        let ours = self.running.as_ref().filter(|running| running.ours).map(|running| running.seconds);
        // A 2xx without Session-Expires leaves it to us (RFC 4028 7.2): the peer may know no session timers, but we
        // notice when it is gone.
        let alone = match settings.session_timers {
            SessionTimers::Originate => Some(settings.session_expires.max(self.min_se)),
            SessionTimers::Accept => ours,
            SessionTimers::Refuse => return self.stop(cx),
        };
        match (granted, alone) {
            (Some(granted), _) => self.start(granted.seconds, granted.refresher != Some(Refresher::Uas), cx),
            (None, Some(seconds)) => self.start(seconds, true, cx),
            (None, None) => self.stop(cx),
        }
    }

    /// Our 2xx to the peer's INVITE, re-INVITE or UPDATE, with these headers: the session timer it asks for is granted,
    /// or we ask for one ourselves (RFC 4028 9).
    pub fn grant(&mut self, settings: &Settings, request: &Headers, response: &mut Response, cx: &mut Cx<'_>) {
        self.note_allow(request);
        let wanted = SessionExpires::of(request);
        let is_required = OptionTags::from_headers(request, HeaderName::Require).contains(TIMER) && wanted.is_some();
        if settings.session_timers == SessionTimers::Refuse || (self.is_declined(settings) && !is_required) {
            return self.stop(cx);
        }
        response.headers.set(HeaderName::Supported, supported(settings));
        let least = session_expires::min_se(request).unwrap_or(0).min(LONGEST).max(settings.session_min_se);
        let ours = settings.session_expires.max(least).max(SHORTEST);
        let seconds = match (wanted, settings.session_timers) {
            // RFC 4028 9: it may be lowered, but not below the peer's Min-SE, and never raised.
            (Some(wanted), _) => wanted.seconds.clamp(SHORTEST, LONGEST).min(ours),
            (None, SessionTimers::Originate) => ours,
            (None, SessionTimers::Accept | SessionTimers::Refuse) => return self.stop(cx),
        };
        // RFC 4028 9, table 2: a peer that does not know session timers cannot be made to refresh.
        let refresher = match wanted.and_then(|wanted| wanted.refresher) {
            _ if self.is_declined(settings) => Refresher::Uac,
            _ if !knows_timer(request) => Refresher::Uas,
            None if is_modem(settings) => Refresher::Uas,
            Some(refresher) => refresher,
            None => settings.session_refresher,
        };
        let granted = SessionExpires { seconds, refresher: Some(refresher) };
        response.headers.set(HeaderName::SessionExpires, granted.to_string());
        // RFC 4028 9: must when the peer refreshes, and should when it is to notice that we do not.
        if refresher == Refresher::Uac || knows_timer(request) {
            response.headers.push(HeaderName::Require, Bytes::from_static(TIMER.as_bytes()));
        }
        self.start(seconds, refresher == Refresher::Uas, cx);
    }

    /// Our 200 to the peer's INVITE, re-INVITE or UPDATE of this transaction. It starts or refreshes the session timer
    /// of a call that is up. `None` when the transaction is gone.
    pub fn accept(
        &mut self,
        server: ServerId,
        body: Option<Sdp>,
        is_up: bool,
        ua: &UserAgent,
        cx: &mut Cx<'_>,
    ) -> Option<Response> {
        let request = cx.core.tx.server_request(server)?;
        let headers = request.headers.clone();
        let mut response = ua.response(request, 200, body);
        if is_up {
            self.grant(ua.settings(), &headers, &mut response, cx);
        }
        Some(response)
    }

    fn start(&mut self, seconds: u32, ours: bool, cx: &mut Cx<'_>) {
        self.stop(cx);
        let seconds = seconds.max(SHORTEST);
        // RFC 4028 7.2 and 10: the side that refreshes does it after half of the interval; the other gives up a third
        // of it before its end, 32 s at most.
        let wait = if ours { seconds / 2 } else { seconds.saturating_sub((seconds / 3).min(32)) };
        let timer = cx.timer(self.leg, LegTimer::SessionTimer, Duration::from_secs(wait.into()));
        self.running = Some(Running { seconds, ours, timer });
    }

    fn stop(&mut self, cx: &mut Cx<'_>) {
        if let Some(running) = self.running.take() {
            cx.core.timers.cancel(running.timer);
        }
    }

    /// The leg ends: nothing more is waited for.
    pub fn end(&mut self, cx: &mut Cx<'_>) {
        self.stop(cx);
        self.update = None;
    }

    /// The timer went off: it is ours to refresh, or the peer never did. `is_idle`: no offer is open on the leg.
    pub fn on_timer(&mut self, settings: &Settings, is_idle: bool, cx: &mut Cx<'_>) -> Due {
        match &self.running {
            None => Due::Nothing,
            Some(running) if !running.ours => Due::Expired,
            Some(_) if !is_idle || self.update.is_some() => {
                self.retry_after(RETRY_AFTER, cx);
                Due::Nothing
            }
            Some(_) if self.peer_takes_update => Due::Update,
            // It said that it takes UPDATE, and then did not.
            Some(_) if is_modem(settings) => {
                self.stop(cx);
                Due::Nothing
            }
            Some(_) => Due::ReInvite,
        }
    }

    fn retry_after(&mut self, wait: Duration, cx: &mut Cx<'_>) {
        if let Some(running) = &mut self.running {
            cx.core.timers.cancel(running.timer);
            running.timer = cx.timer(self.leg, LegTimer::SessionTimer, wait);
        }
    }

    /// RFC 4028 7.4: refreshes the call by UPDATE, without an offer.
    pub fn send_update(&mut self, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        let Some(mut request) = ua.target_refresh(Method::Update, cx) else { return };
        self.write_request(ua.settings(), &mut request.headers);
        self.update = Some(ua.send(request, cx));
    }

    /// Is this our UPDATE?
    pub fn is_update(&self, id: ClientId) -> bool {
        self.update == Some(id)
    }

    /// The response to our UPDATE. Says how the leg ends, when it ends by it.
    pub fn on_update_response(&mut self, response: &Response, ua: &mut UserAgent, cx: &mut Cx<'_>) -> Option<Ending> {
        if response.status < 200 {
            return None;
        }
        self.update = None;
        if (200..300).contains(&response.status) {
            ua.refresh_target(&response.headers, &cx.core.routing);
            self.on_success(ua.settings(), &response.headers, cx);
            return None;
        }
        if response.status == 405 || response.status == 501 {
            self.peer_takes_update = false;
        }
        self.on_refusal(response, cx)
    }

    /// A refresh of ours was refused. Says how the leg ends, when it ends by it.
    pub fn on_refusal(&mut self, response: &Response, cx: &mut Cx<'_>) -> Option<Ending> {
        match response.status {
            // RFC 4028 10 and RFC 3261 12.2.1.2: the peer does not know the call any more.
            408 | 481 => return Some(Ending::Gone),
            422 if self.raise_interval(&response.headers) => self.retry_after(Duration::ZERO, cx),
            405 | 491 | 500 | 501 | 503 if self.retries < MAX_RETRIES => {
                self.retries = self.retries.saturating_add(1);
                self.retry_after(RETRY_AFTER, cx);
            }
            // A peer that refuses is there: as good as refreshed.
            _ => {
                let seconds = self.running.as_ref().map(|running| u64::from(running.seconds / 2));
                self.retry_after(seconds.map_or(RETRY_AFTER, Duration::from_secs), cx);
            }
        }
        None
    }

    /// RFC 4028 7.3: a 422 names the shortest interval the peer takes. False when it does not, or after too many.
    pub fn raise_interval(&mut self, headers: &Headers) -> bool {
        let least = session_expires::min_se(headers).filter(|least| (SHORTEST..=LONGEST).contains(least));
        let Some(least) = least.filter(|_| self.raises < MAX_RAISES) else { return false };
        self.raises = self.raises.saturating_add(1);
        self.min_se = self.min_se.max(least);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pbx::calls::leg::context::LegIndex;
    use crate::pbx::calls::leg::context::testing::{LEG, core, next_timer, response, sent, user_agent};

    const ACCEPT: SessionTimers = SessionTimers::Accept;

    fn settings(session_timers: SessionTimers) -> Settings {
        Settings { session_timers, session_expires: 1800, session_min_se: 90, ..Settings::default() }
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> Headers {
        response(200, pairs).headers
    }

    #[test]
    fn the_side_that_refreshes_does_it_after_half_and_the_other_gives_up_before_the_end() {
        for (granted, is_idle, wait, due) in [
            ("1800;refresher=uac", true, 900, Due::ReInvite),
            ("1800;refresher=uas", true, 1768, Due::Expired),
            ("90;refresher=uas", true, 60, Due::Expired),
            ("1800;refresher=uac", false, 900, Due::Nothing),
        ] {
            let (mut core, mut index) = (core(), LegIndex::default());
            let mut cx = Cx { core: &mut core, index: &mut index };
            let mut timer = SessionTimer::new(LEG);
            timer.on_success(&settings(ACCEPT), &headers(&[(HeaderName::SessionExpires, granted)]), &mut cx);
            let went_off = next_timer(cx.core);
            assert_eq!(went_off, (Duration::from_secs(wait), LegTimer::SessionTimer), "{granted}");
            assert_eq!(timer.on_timer(&settings(ACCEPT), is_idle, &mut cx), due, "{granted}");
            // What cannot be refreshed now is tried again soon.
            assert_eq!(cx.core.timers.len(), usize::from(due == Due::Nothing), "{granted}");
        }
    }

    #[test]
    fn what_the_peer_asks_for_is_granted_and_one_that_knows_no_timers_is_refreshed_by_us() {
        for (session_timers, wanted, granted, required) in [
            (
                ACCEPT,
                vec![(HeaderName::Supported, "timer"), (HeaderName::SessionExpires, "600;refresher=uac")],
                "600;refresher=uac",
                true,
            ),
            (ACCEPT, vec![(HeaderName::SessionExpires, "600;refresher=uac")], "600;refresher=uas", false),
            (ACCEPT, vec![(HeaderName::Supported, "timer")], "", false),
            // Ours is 1800, the smaller one is granted, but none below the peer's Min-SE.
            (
                ACCEPT,
                vec![(HeaderName::Supported, "timer"), (HeaderName::SessionExpires, "3600;refresher=uac")],
                "1800;refresher=uac",
                true,
            ),
            (
                ACCEPT,
                vec![
                    (HeaderName::Supported, "timer"),
                    (HeaderName::SessionExpires, "3600"),
                    (HeaderName::MinSe, "2400"),
                ],
                "2400;refresher=uas",
                true,
            ),
            (
                ACCEPT,
                vec![(HeaderName::Supported, "timer"), (HeaderName::SessionExpires, "600;refresher=uas")],
                "600;refresher=uas",
                true,
            ),
            (
                ACCEPT,
                vec![(HeaderName::Require, "timer"), (HeaderName::SessionExpires, "600;refresher=uas")],
                "600;refresher=uas",
                true,
            ),
            (
                ACCEPT,
                vec![(HeaderName::SessionExpires, "3600"), (HeaderName::MinSe, "90")],
                "1800;refresher=uas",
                false,
            ),
            (
                SessionTimers::Originate,
                vec![(HeaderName::Supported, "timer"), (HeaderName::MinSe, "2400")],
                "2400;refresher=uas",
                true,
            ),
            (SessionTimers::Originate, vec![], "1800;refresher=uas", false),
            (SessionTimers::Refuse, vec![(HeaderName::SessionExpires, "600")], "", false),
        ] {
            let (mut core, mut index) = (core(), LegIndex::default());
            let mut cx = Cx { core: &mut core, index: &mut index };
            let mut ok = Response::new(200);
            SessionTimer::new(LEG).grant(&settings(session_timers), &headers(&wanted), &mut ok, &mut cx);
            assert_eq!(ok.headers.text(HeaderName::SessionExpires).unwrap_or_default(), granted, "{wanted:?}");
            assert_eq!(ok.headers.get(HeaderName::Require).is_some(), required, "{wanted:?}");
            assert_eq!(core.timers.len(), usize::from(!granted.is_empty()), "{wanted:?}");
        }
    }

    #[test]
    fn a_modem_has_its_timer_by_update_or_none() {
        let modem = |session_timers| Settings { line: Some(LineKind::Modem), ..settings(session_timers) };
        let takes = || (HeaderName::Allow, "INVITE, UPDATE");
        let wants = |refresher| vec![(HeaderName::Supported, "timer"), (HeaderName::SessionExpires, refresher)];
        let requires = vec![(HeaderName::Require, "timer"), (HeaderName::SessionExpires, "600;refresher=uas")];
        for (session_timers, request, granted) in [
            (ACCEPT, wants("600;refresher=uas"), ""),
            (ACCEPT, wants("600"), ""),
            (ACCEPT, [wants("600"), vec![takes()]].concat(), "600;refresher=uas"),
            (ACCEPT, [wants("600;refresher=uac"), vec![takes()]].concat(), "600;refresher=uac"),
            // It has to have one: then it refreshes the call itself.
            (ACCEPT, requires, "600;refresher=uac"),
            (SessionTimers::Originate, vec![], ""),
            (SessionTimers::Originate, vec![takes()], "1800;refresher=uas"),
        ] {
            let (mut core, mut index) = (core(), LegIndex::default());
            let mut cx = Cx { core: &mut core, index: &mut index };
            let mut ok = Response::new(200);
            SessionTimer::new(LEG).grant(&modem(session_timers), &headers(&request), &mut ok, &mut cx);
            assert_eq!(ok.headers.text(HeaderName::SessionExpires).unwrap_or_default(), granted, "{request:?}");
            assert_eq!(core.timers.len(), usize::from(!granted.is_empty()), "{request:?}");
        }
        for (answer, due) in [
            (vec![], None),
            (vec![(HeaderName::SessionExpires, "600;refresher=uac")], None),
            (vec![takes()], Some(Due::Update)),
            (vec![(HeaderName::SessionExpires, "600;refresher=uas")], Some(Due::Expired)),
        ] {
            let (mut core, mut index) = (core(), LegIndex::default());
            let mut cx = Cx { core: &mut core, index: &mut index };
            let mut timer = SessionTimer::new(LEG);
            let mut request = Headers::default();
            timer.write_request(&modem(SessionTimers::Originate), &mut request);
            assert!(request.get(HeaderName::SessionExpires).is_none() && request.get(HeaderName::Supported).is_none());
            timer.on_success(&modem(SessionTimers::Originate), &headers(&answer), &mut cx);
            assert_eq!(cx.core.timers.len(), usize::from(due.is_some()), "{answer:?}");
            if let Some(due) = due {
                next_timer(cx.core);
                assert_eq!(timer.on_timer(&modem(ACCEPT), true, &mut cx), due, "{answer:?}");
            }
        }
        // It said that it takes UPDATE, and then answers 405.
        let (mut core, mut index) = (core(), LegIndex::default());
        let (mut ua, _) = user_agent(modem(ACCEPT), &mut core);
        let mut cx = Cx { core: &mut core, index: &mut index };
        let mut timer = SessionTimer::new(LEG);
        let ok = [(HeaderName::SessionExpires, "1800;refresher=uac"), takes()];
        timer.on_success(&modem(ACCEPT), &headers(&ok), &mut cx);
        timer.send_update(&mut ua, &mut cx);
        timer.on_update_response(&response(405, &[]), &mut ua, &mut cx);
        next_timer(cx.core);
        assert_eq!(timer.on_timer(&modem(ACCEPT), true, &mut cx), Due::Nothing);
        assert_eq!(cx.core.timers.len(), 0);
    }

    #[test]
    fn a_422_raises_the_interval_of_the_next_request_twice_at_most() {
        let mut timer = SessionTimer::new(LEG);
        let [raised, again, third] =
            ["2000", "2400", "3000"].map(|least| timer.raise_interval(&headers(&[(HeaderName::MinSe, least)])));
        assert_eq!((raised, again, third), (true, true, false));
        let mut request = Headers::default();
        timer.write_request(&settings(SessionTimers::Originate), &mut request);
        assert!(request.text(HeaderName::SessionExpires).unwrap().starts_with("2400;"));
        assert_eq!(request.text(HeaderName::MinSe).unwrap(), "2400");
        assert!(!timer.raise_interval(&Headers::default()), "a 422 that names no interval");
    }

    #[test]
    fn a_refused_update_is_tried_again_and_a_481_to_it_ends_the_leg() {
        let (mut core, mut index) = (core(), LegIndex::default());
        let (mut ua, _) = user_agent(settings(ACCEPT), &mut core);
        let mut cx = Cx { core: &mut core, index: &mut index };
        let mut timer = SessionTimer::new(LEG);
        let ok = [(HeaderName::SessionExpires, "1800;refresher=uac"), (HeaderName::Allow, "INVITE, UPDATE")];
        timer.on_success(&settings(ACCEPT), &headers(&ok), &mut cx);
        for (status, ending, wait) in [(503, None, Some(5)), (481, Some(Ending::Gone), None)] {
            next_timer(cx.core);
            assert_eq!(timer.on_timer(&settings(ACCEPT), true, &mut cx), Due::Update);
            timer.send_update(&mut ua, &mut cx);
            assert_eq!(sent(cx.core), ["UPDATE sip:peer@192.0.2.2 SIP/2.0"]);
            let id = timer.update.unwrap();
            assert!(timer.is_update(id));
            assert_eq!(timer.on_update_response(&response(status, &[]), &mut ua, &mut cx), ending, "{status}");
            assert!(!timer.is_update(id));
            let next = cx.core.timers.next().map(|at| at.since(cx.core.now.mono).as_secs());
            assert_eq!(next, wait, "{status}");
        }
    }
}
