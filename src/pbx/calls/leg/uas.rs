//! The UAS of an INVITE: what a caller's INVITE brings, and our 2xx until its ACK comes (RFC 3261 13.3).

use super::context::{Cx, T1, T2};
use crate::pbx::core::{LegId, LegTimer};
use crate::sdp::Sdp;
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::timer::TimerId;
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;
use std::time::Duration;

/// A caller's INVITE.
pub struct IncomingInvite<'a> {
    /// Its transaction.
    pub server: ServerId,
    /// The request itself.
    pub request: &'a Request,
    /// The header fields that were read of it already.
    pub essentials: &'a Essentials,
    /// Its offer; `None` when it asks for ours.
    pub offer: Option<Sdp>,
}

/// A 2xx to an INVITE, sent again until its ACK comes (RFC 3261 13.3.1.4).
#[derive(Debug)]
pub(super) struct PendingOk {
    leg: LegId,
    server: ServerId,
    response: Response,
    cseq: u32,
    interval: Duration,
    retransmission: TimerId,
    give_up: TimerId,
    we_offered: bool,
    is_brief: bool,
}

/// How long the 2xx to somebody who proved no address waits for its ACK, and is repeated: somebody else may get it.
const BRIEFLY: Duration = Duration::from_secs(4);

impl PendingOk {
    /// Sends it for the first time. `we_offered`: it carries our offer, and the ACK brings the answer.
    pub fn send(leg: LegId, server: ServerId, response: Response, we_offered: bool, cx: &mut Cx<'_>) -> PendingOk {
        // RFC 3261 13.2.2.4: the ACK has the number of its INVITE, whatever the peer sent since.
        let cseq = response.headers.get(HeaderName::CSeq).and_then(|cseq| CSeq::parse(cseq).ok());
        let cseq = cseq.map_or(0, |cseq| cseq.number);
        cx.core.respond(server, response.clone());
        let retransmission = cx.timer(leg, LegTimer::Ok, T1);
        let give_up = cx.timer(leg, LegTimer::OkGiveUp, T1 * 64);
        cx.index.servers.insert(server, leg);
        PendingOk { leg, server, response, cseq, interval: T1, retransmission, give_up, we_offered, is_brief: false }
    }

    /// It is not waited for as long as for one who proved where he is.
    pub fn be_brief(&mut self, cx: &mut Cx<'_>) {
        self.is_brief = true;
        cx.core.timers.cancel(self.give_up);
        self.give_up = cx.timer(self.leg, LegTimer::OkGiveUp, BRIEFLY);
    }

    /// Is it for somebody who proved no address?
    pub fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// RFC 3261 13.3.1.4: the interval starts at T1 and doubles up to T2.
    pub fn retransmit(&mut self, cx: &mut Cx<'_>) {
        self.interval = (self.interval * 2).min(T2);
        self.retransmission = cx.timer(self.leg, LegTimer::Ok, self.interval);
        cx.core.respond(self.server, self.response.clone());
    }

    /// The transaction of its INVITE.
    pub fn server(&self) -> ServerId {
        self.server
    }

    /// The number of its INVITE, which the ACK has, too.
    pub fn cseq(&self) -> u32 {
        self.cseq
    }

    /// Does it carry our offer, so that the ACK brings the answer?
    pub fn we_offered(&self) -> bool {
        self.we_offered
    }

    /// It is acknowledged, or nobody waits for its ACK any more.
    pub fn stop(self, cx: &mut Cx<'_>) {
        cx.index.servers.remove(&self.server);
        cx.core.timers.cancel(self.retransmission);
        cx.core.timers.cancel(self.give_up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pbx::calls::leg::context::{LegIndex, testing};

    #[test]
    fn a_2xx_is_sent_again_after_t1_doubled_up_to_t2_until_it_is_stopped() {
        let (mut core, mut index) = (testing::core(), LegIndex::default());
        let (server, request) = testing::receive_invite(&mut core);
        let mut cx = Cx { core: &mut core, index: &mut index };
        let response = Response::for_request(&request, 200, Some("ours"));
        let mut ok = PendingOk::send(LegId(1), server, response, true, &mut cx);
        assert_eq!((ok.cseq(), ok.we_offered()), (7, true));
        assert_eq!(cx.index.servers.get(&server), Some(&LegId(1)), "its ACK finds the leg");
        let mut waits = Vec::new();
        for sent in 1..=5 {
            assert_eq!(cx.core.out.transmit.len(), sent);
            let (wait, timer) = testing::next_timer(cx.core);
            assert_eq!(timer, LegTimer::Ok);
            waits.push(wait.as_millis());
            ok.retransmit(&mut cx);
        }
        assert_eq!(waits, [500, 1000, 2000, 4000, 4000]);
        ok.stop(&mut cx);
        assert!(core.timers.is_empty() && index.servers.is_empty(), "neither a timer nor an entry is left");
    }
}
