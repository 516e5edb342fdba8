//! Session timers (RFC 4028): a call that its other side does not refresh, or does not answer a refresh of, ends by itself.

use super::context::Cx;
use super::event::{Ending, LegEvent};
use super::{Leg, Reoffer, State};
use crate::config::peer::{SessionTimers, Settings};
use crate::pbx::core::LegTimer;
use crate::pbx::core::Requester;
use crate::sip::header::session_expires::{self, SHORTEST};
use crate::sip::header::{HeaderName, Headers, OptionTags, Refresher, SessionExpires};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::ClientId;
use bytes::Bytes;
use std::time::Duration;

/// The tag of RFC 4028 in Supported and Require.
const TIMER: &str = "timer";
/// A refresh that met something else under way is tried again so much later.
const AGAIN: Duration = Duration::from_secs(5);
/// So often in a row; then as if it had been refreshed.
const MOST_AGAIN: u8 = 6;
/// A peer may raise the interval by 422 so often for one request.
const MOST_RAISES: u8 = 2;
/// The longest interval a peer may raise ours to, in seconds: a day.
const LONGEST: u32 = 86_400;

/// What a leg knows of its session timer.
#[derive(Debug, Default)]
pub(super) struct Refresh {
    running: Option<Running>,
    /// The largest Min-SE that a 422 told.
    min_se: u32,
    /// 422s met in a row.
    raises: u8,
    /// Refreshes refused in a row that are tried again soon.
    refusals: u8,
    /// The peer's Allow names UPDATE.
    takes_update: bool,
    /// Our UPDATE that is not answered yet.
    update: Option<ClientId>,
}

#[derive(Debug)]
struct Running {
    seconds: u32,
    /// We refresh; otherwise the peer does.
    ours: bool,
    timer: TimerId,
}

/// What an INVITE, re-INVITE or UPDATE is owed for what it asks of session timers, when it cannot be had: 420 where they are
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
    let too_short = SessionExpires::of(headers).is_some_and(|asked| asked.seconds < settings.session_min_se);
    // RFC 4028 9: who does not say that it knows session timers does not know this answer, either.
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

impl Leg {
    /// Notes whether the peer takes UPDATE, by the Allow of a message of its own.
    pub(super) fn note_allow(&mut self, headers: &Headers) {
        let mut allowed = headers.values(HeaderName::Allow).peekable();
        if allowed.peek().is_some() {
            self.refresh.takes_update = allowed.any(|method| method.eq_ignore_ascii_case(b"UPDATE"));
        }
    }

    /// What our INVITE, re-INVITE or UPDATE says of session timers (RFC 4028 7.1 and 7.4).
    pub(super) fn ask_for_timer(&self, headers: &mut Headers) {
        let settings = &self.peer.settings;
        if settings.session_timers == SessionTimers::Refuse {
            return;
        }
        headers.set(HeaderName::Supported, Bytes::from_static(TIMER.as_bytes()));
        let asked = match (&self.refresh.running, settings.session_timers) {
            (Some(Running { seconds, ours, .. }), _) => {
                Some((*seconds, if *ours { Refresher::Uac } else { Refresher::Uas }))
            }
            (None, SessionTimers::Originate) => Some((settings.session_expires, settings.session_refresher)),
            (None, SessionTimers::Accept | SessionTimers::Refuse) => None,
        };
        let Some((seconds, refresher)) = asked else { return };
        let min_se = self.refresh.min_se.max(settings.session_min_se);
        let asked = SessionExpires { seconds: seconds.max(min_se), refresher: Some(refresher) };
        headers.set(HeaderName::SessionExpires, asked.to_string());
        headers.set(HeaderName::MinSe, min_se.to_string());
    }

    /// The peer's 2xx to our INVITE, re-INVITE or UPDATE says what holds from now on (RFC 4028 7.2).
    pub(super) fn timer_answered(&mut self, headers: &Headers, cx: &mut Cx<'_>) {
        self.note_allow(headers);
        (self.refresh.raises, self.refresh.refusals) = (0, 0);
        let settings = &self.peer.settings;
        let refreshed = self.refresh.running.as_ref().filter(|running| running.ours).map(|running| running.seconds);
        // An answer without it leaves it to us (RFC 4028 7.2): the peer may know no session timers, but we notice when it is gone.
        let alone = match settings.session_timers {
            SessionTimers::Originate => Some(settings.session_expires.max(self.refresh.min_se)),
            SessionTimers::Accept => refreshed,
            SessionTimers::Refuse => return self.stop_timer(cx),
        };
        match (SessionExpires::of(headers), alone) {
            (Some(told), _) => self.start_timer(told.seconds, told.refresher != Some(Refresher::Uas), cx),
            (None, Some(seconds)) => self.start_timer(seconds, true, cx),
            (None, None) => self.stop_timer(cx),
        }
    }

    /// Our 2xx to the peer's INVITE, re-INVITE or UPDATE: what it asked for is granted, or we ask ourselves (RFC 4028 9).
    pub(super) fn answer_timer(&mut self, asked: &Headers, response: &mut Response, cx: &mut Cx<'_>) {
        self.note_allow(asked);
        let settings = &self.peer.settings;
        if settings.session_timers == SessionTimers::Refuse {
            return self.stop_timer(cx);
        }
        response.headers.set(HeaderName::Supported, Bytes::from_static(TIMER.as_bytes()));
        let knows = knows_timer(asked);
        let wanted = SessionExpires::of(asked);
        let seconds = match (wanted, settings.session_timers) {
            (Some(wanted), _) => wanted.seconds.clamp(SHORTEST, LONGEST),
            (None, SessionTimers::Originate) => {
                // RFC 4028 9: never below what the peer says is its least.
                settings.session_expires.max(session_expires::min_se(asked).unwrap_or(0).min(LONGEST))
            }
            (None, SessionTimers::Accept | SessionTimers::Refuse) => return self.stop_timer(cx),
        };
        // RFC 4028 9, table 2: who does not know session timers cannot be made to refresh.
        let refresher = match wanted.and_then(|wanted| wanted.refresher) {
            _ if !knows => Refresher::Uas,
            Some(refresher) => refresher,
            None => settings.session_refresher,
        };
        let granted = SessionExpires { seconds, refresher: Some(refresher) };
        response.headers.set(HeaderName::SessionExpires, granted.to_string());
        if refresher == Refresher::Uac {
            response.headers.push(HeaderName::Require, Bytes::from_static(TIMER.as_bytes()));
        }
        self.start_timer(seconds, refresher == Refresher::Uas, cx);
    }

    fn start_timer(&mut self, seconds: u32, ours: bool, cx: &mut Cx<'_>) {
        self.stop_timer(cx);
        let seconds = seconds.max(SHORTEST);
        // RFC 4028 7.2 and 10: half of it for who refreshes; who waits gives up a third of it before its end, 32 s at most.
        let wait = if ours { seconds / 2 } else { seconds.saturating_sub((seconds / 3).min(32)) };
        let timer = cx.timer(self.id, LegTimer::SessionTimer, Duration::from_secs(wait.into()));
        self.refresh.running = Some(Running { seconds, ours, timer });
    }

    pub(super) fn stop_timer(&mut self, cx: &mut Cx<'_>) {
        if let Some(running) = self.refresh.running.take() {
            cx.core.timers.cancel(running.timer);
        }
    }

    /// Nothing more is waited for: the leg ends.
    pub(super) fn end_refresh(&mut self, cx: &mut Cx<'_>) {
        self.stop_timer(cx);
        self.refresh.update = None;
    }

    /// The timer went off: it is ours to refresh, or the peer never did.
    pub(super) fn refresh_due(&mut self, cx: &mut Cx<'_>) {
        let Some(running) = &self.refresh.running else { return };
        if !running.ours {
            self.send_in_dialog(Method::Bye, cx);
            self.end(cx);
            return self.tell(LegEvent::Ended(Ending::Expired), cx);
        }
        if !self.is_idle() || self.refresh.update.is_some() {
            return self.refresh_after(AGAIN, cx);
        }
        match self.agreement.local.clone() {
            Some(offer) if !self.refresh.takes_update => {
                self.renegotiate(offer, cx);
                if let Reoffer::Sent { refresh, .. } = &mut self.reoffer {
                    *refresh = true;
                }
            }
            Some(_) | None => self.send_update(cx),
        }
    }

    fn refresh_after(&mut self, wait: Duration, cx: &mut Cx<'_>) {
        if let Some(running) = &mut self.refresh.running {
            cx.core.timers.cancel(running.timer);
            running.timer = cx.timer(self.id, LegTimer::SessionTimer, wait);
        }
    }

    fn send_update(&mut self, cx: &mut Cx<'_>) {
        let Some(dialog) = &mut self.dialog else { return };
        let mut request = dialog.request(Method::Update);
        request.headers.push(HeaderName::Contact, self.contact.clone());
        self.dress(&mut request, cx);
        self.ask_for_timer(&mut request.headers);
        let how = self.sending(None);
        let client = cx.core.request(request, self.flow, how, Requester::Leg(self.id));
        self.refresh.update = Some(client);
    }

    pub(super) fn is_update(&self, id: ClientId) -> bool {
        self.refresh.update == Some(id)
    }

    /// The answer to our UPDATE.
    pub(super) fn update_answered(&mut self, response: &Response, cx: &mut Cx<'_>) {
        if response.status < 200 {
            return;
        }
        self.refresh.update = None;
        if (200..300).contains(&response.status) {
            self.refresh_target(&response.headers, cx);
            return self.timer_answered(&response.headers, cx);
        }
        if response.status == 405 || response.status == 501 {
            self.refresh.takes_update = false;
        }
        self.refresh_refused(response, cx);
    }

    /// A refresh of ours was refused.
    pub(super) fn refresh_refused(&mut self, response: &Response, cx: &mut Cx<'_>) {
        let half =
            self.refresh.running.as_ref().map_or(AGAIN, |running| Duration::from_secs((running.seconds / 2).into()));
        match response.status {
            // RFC 4028 10 and RFC 3261 12.2.1.2: the peer has the call no more.
            408 | 481 => self.lost(cx),
            422 if self.raise_interval(&response.headers) => self.refresh_after(Duration::ZERO, cx),
            405 | 491 | 500 | 501 | 503 if self.refresh.refusals < MOST_AGAIN => {
                self.refresh.refusals = self.refresh.refusals.saturating_add(1);
                self.refresh_after(AGAIN, cx);
            }
            // Whoever refuses is there.
            _ => self.refresh_after(half, cx),
        }
    }

    /// RFC 4028 7.3: a 422 says how long an interval must be at least; false when it does not, or too often.
    pub(super) fn raise_interval(&mut self, headers: &Headers) -> bool {
        let wanted = session_expires::min_se(headers).filter(|least| (SHORTEST..=LONGEST).contains(least));
        let Some(wanted) = wanted.filter(|_| self.refresh.raises < MOST_RAISES) else { return false };
        self.refresh.raises = self.refresh.raises.saturating_add(1);
        self.refresh.min_se = self.refresh.min_se.max(wanted);
        true
    }

    /// The peer has the call no more: BYE, should it be only that it does not answer.
    pub(super) fn lost(&mut self, cx: &mut Cx<'_>) {
        if self.state != State::Ended {
            self.send_in_dialog(Method::Bye, cx);
            self.end(cx);
            self.tell(LegEvent::Ended(Ending::Gone), cx);
        }
    }
}
