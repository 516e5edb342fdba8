//! A 2xx to an INVITE, sent again until its ACK comes (RFC 3261 13.3.1.4).

use super::user_agent::{Timer, UserAgent};
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::Response;
use crate::sip::timer::TimerId;
use crate::sip::transaction::ServerId;
use std::time::Duration;

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

/// A 2xx that waits for its ACK.
pub(super) struct OkRetransmission {
    server: ServerId,
    response: Response,
    cseq: u32,
    interval: Duration,
    again: TimerId,
    abandon: TimerId,
    /// Whether the 2xx made the offer, so that the ACK brings the answer.
    made_offer: bool,
}

impl OkRetransmission {
    /// Sends the 2xx for the first time.
    pub fn start(ua: &mut UserAgent, server: ServerId, response: Response, made_offer: bool) -> OkRetransmission {
        let cseq = response.headers.get(HeaderName::CSeq).and_then(|cseq| CSeq::parse(cseq).ok());
        let cseq = cseq.map_or(0, |cseq| cseq.number);
        ua.respond(server, response.clone());
        let again = ua.set_timer(T1, Timer::RetransmitOk);
        let abandon = ua.set_timer(T1 * 64, Timer::AbandonOk);
        OkRetransmission { server, response, cseq, interval: T1, again, abandon, made_offer }
    }

    /// RFC 3261 13.3.1.4: the interval starts at T1 and doubles up to T2.
    pub fn retransmit(&mut self, ua: &mut UserAgent) {
        self.interval = (self.interval * 2).min(T2);
        self.again = ua.set_timer(self.interval, Timer::RetransmitOk);
        ua.respond(self.server, self.response.clone());
    }

    /// RFC 3261 13.2.2.4: the ACK has the sequence number of the INVITE.
    pub fn is_acknowledged_by(&self, cseq: u32) -> bool {
        self.cseq == cseq
    }

    /// Stops sending it: the ACK came, or the call is over. True when an ACK brings the answer.
    pub fn stop(self, ua: &mut UserAgent) -> bool {
        ua.cancel_timer(Some(self.again));
        ua.cancel_timer(Some(self.abandon));
        self.made_offer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::phone::test_support::{START, invite, sdp, statuses, user_agent};

    #[test]
    fn a_2xx_is_sent_at_growing_intervals_until_it_is_stopped() {
        let mut ua = user_agent();
        let received = invite(&mut ua, Some(&sdp(0)));
        let response = ua.invite_response(received.server, 200, "x", None).unwrap();
        let mut ok = OkRetransmission::start(&mut ua, received.server, response, false);
        assert_eq!(statuses(&mut ua), [200]);
        assert!(ok.is_acknowledged_by(1) && !ok.is_acknowledged_by(2));
        let mut sent = Vec::new();
        loop {
            ua.now = ua.next_deadline().unwrap();
            match ua.expired_timer().unwrap() {
                Timer::RetransmitOk => ok.retransmit(&mut ua),
                Timer::AbandonOk => break,
                other => panic!("{other:?}"),
            }
            sent.extend(statuses(&mut ua).iter().map(|_| ua.now.since(START).as_millis()));
        }
        assert_eq!(sent, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        assert_eq!(ua.now.since(START), Duration::from_secs(32));
        assert!(!ok.stop(&mut ua), "it made no offer");
        ua.now = ua.now + Duration::from_secs(100);
        assert_eq!(ua.expired_timer(), None);
    }
}
