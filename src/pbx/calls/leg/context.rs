//! What the methods of a leg work with: the core, and the tables by which a message finds its leg.

use super::event::LegEvent;
use crate::pbx::core::{CallTimer, Core, Timer};
use crate::pbx::core::{LegId, LegTimer};
use crate::sip::Flow;
use crate::sip::dialog::DialogKey;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{Reference, ReferenceChange, ServerId};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// RFC 3261 17.1.1.1: the estimate of the round-trip time.
pub(super) const T1: Duration = Duration::from_millis(500);
/// RFC 3261 17.1.2.2: the longest interval between two retransmissions.
pub(super) const T2: Duration = Duration::from_secs(4);

/// Which leg a message belongs to, and what happened on legs that their calls have not handled yet.
#[derive(Default)]
pub struct LegIndex {
    /// What happened on legs, for their calls to handle afterwards.
    pub events: VecDeque<(LegId, LegEvent)>,
    /// Legs that ended and are to be forgotten.
    pub ended: Vec<LegId>,
    /// Which leg an INVITE server transaction belongs to, until it is refused or its 2xx is acknowledged.
    pub servers: BTreeMap<ServerId, LegId>,
    /// Which leg a dialog belongs to.
    pub dialogs: DialogIndex,
}

/// Which leg a dialog belongs to, and which tags of ours can be named.
#[derive(Default)]
pub struct DialogIndex {
    legs: BTreeMap<DialogKey, LegId>,
    changes: Vec<ReferenceChange>,
}

impl DialogIndex {
    /// A dialog begins.
    pub fn insert(&mut self, key: DialogKey, leg: LegId) {
        let tag = Reference::tag(&key.local_tag);
        if self.legs.insert(key, leg).is_none() {
            self.changes.push(ReferenceChange::Opened(tag));
        }
    }

    /// A dialog is over.
    pub fn remove(&mut self, key: &DialogKey) {
        if self.legs.remove(key).is_some() {
            self.changes.push(ReferenceChange::Closed(Reference::tag(&key.local_tag)));
        }
    }

    /// Whose it is.
    pub fn get(&self, key: &DialogKey) -> Option<LegId> {
        self.legs.get(key).copied()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&DialogKey, &LegId)> {
        self.legs.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.legs.len()
    }

    /// What can be named since this was taken last, and what no more.
    pub fn take_changes(&mut self) -> Vec<ReferenceChange> {
        std::mem::take(&mut self.changes)
    }
}

/// What a method of a leg works with: the core, and the tables that lead to legs.
pub struct Cx<'a> {
    /// Time, transactions, timers, effects.
    pub core: &'a mut Core,
    /// Where the leg enters its dialogs and transactions, and reports what happened.
    pub index: &'a mut LegIndex,
}

impl Cx<'_> {
    pub(super) fn timer(&mut self, leg: LegId, timer: LegTimer, after: Duration) -> TimerId {
        self.core.timers.set(self.core.now.mono + after, Timer::Call(CallTimer::Leg(leg, timer)))
    }
}

/// Where a peer is reached.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The flow its messages come and go by.
    pub flow: Flow,
    /// It is reached at where it sends from rather than where its Contact says it is.
    pub behind_nat: bool,
}

/// What the tests of a leg's parts work with.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::config::diagnostic::Place;
    use crate::config::peer::{Peer, Settings};
    use crate::dialplan::ChannelId;
    use crate::pbx::calls::leg::early_dialogs::Dialogs;
    use crate::pbx::calls::leg::user_agent::UserAgent;
    use crate::sdp::Sdp;
    use crate::sip::dialog::Dialog;
    use crate::sip::header::HeaderName;
    use crate::sip::message::{Message, Request, Response};
    use crate::sip::transaction::{ClientId, Incoming};
    use crate::sip::validate;
    use bytes::Bytes;
    use std::sync::Arc;

    /// The leg that is tested.
    pub const LEG: LegId = LegId(1);

    /// Over it the peer is reached.
    pub fn flow() -> Flow {
        Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap())
    }

    /// A core in which nothing happened yet.
    pub fn core() -> Core {
        crate::pbx::core::testing::core("")
    }

    /// A description of this codec and direction.
    pub fn sdp(format: &str, direction: &str) -> Sdp {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP {format}\r\na={direction}\r\n"
        );
        Sdp::parse(text.as_bytes()).unwrap()
    }

    /// An INVITE of the peer, number 7, comes in: its transaction, and the request.
    pub fn receive_invite(core: &mut Core) -> (ServerId, Request) {
        let text = "INVITE sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1\r\n\
                    From: <sip:peer@192.0.2.2>;tag=theirs\r\nTo: <sip:us@192.0.2.1>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\
                    Max-Forwards: 70\r\nContact: <sip:peer@192.0.2.2>\r\nContent-Length: 0\r\n\r\n";
        let Message::Request(request) = Message::parse(&Bytes::from(text)).unwrap() else { panic!("a request") };
        let essentials = validate::request(&request).unwrap();
        match core.tx.receive_request(core.now.mono, &request, &essentials, flow(), &mut core.out.transmit) {
            Incoming::New(server) => (server, request),
            other => panic!("{other:?}"),
        }
    }

    /// The user agent of a leg whose dialog that INVITE began, and the INVITE's transaction.
    pub fn user_agent(settings: Settings, core: &mut Core) -> (UserAgent, ServerId) {
        let (server, request) = receive_invite(core);
        let dialog = Dialog::uas(&request, &validate::request(&request).unwrap(), "ours").unwrap();
        let peer = Arc::new(Peer::new("peer", Place { file: "sip.conf".into(), line: 1 }, settings));
        let arrival = Arrival { flow: flow(), behind_nat: false };
        let contact = Bytes::from("<sip:us@192.0.2.1:5060>");
        (UserAgent::new(LEG, ChannelId(1), peer, arrival, contact, Dialogs::of_caller(dialog)), server)
    }

    /// The peer's response to a request of ours comes in.
    pub fn receive_response(status: u16, id: ClientId, core: &mut Core) {
        let request = core.tx.request_of(id).unwrap();
        let response = Response::for_request(&request, status, Some("theirs"));
        let essentials = validate::response(&response).unwrap();
        let answer = core.tx.receive_response(core.now.mono, response, essentials, flow(), &mut core.out.transmit);
        assert!(answer.is_some_and(|answer| answer.id == id));
    }

    /// The first lines of what was sent since.
    pub fn sent(core: &mut Core) -> Vec<String> {
        let first = |bytes: Bytes| String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
        core.out.transmit.drain(..).map(|transmit| first(transmit.bytes)).collect()
    }

    /// Lets time pass until the next timer of a leg goes off: how long that took, and which it is.
    pub fn next_timer(core: &mut Core) -> (Duration, LegTimer) {
        let (before, due) = (core.now.mono, core.timers.next().unwrap());
        core.now.mono = due;
        match core.timers.pop(due) {
            Some(Timer::Call(CallTimer::Leg(LEG, timer))) => (due.since(before), timer),
            other => panic!("{other:?}"),
        }
    }

    /// A response with these headers.
    pub fn response(status: u16, headers: &[(HeaderName, &str)]) -> Response {
        let mut response = Response::new(status);
        for (name, value) in headers {
            response.headers.push(name.clone(), (*value).to_owned());
        }
        response
    }
}
