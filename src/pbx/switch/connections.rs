//! What the network tells of the ways to telephones: a message that could not be sent, a connection that is closed.

use super::Switch;
use crate::clock::Now;
use crate::config::peer::{Names, Peer};
use crate::guard::admission::Admission;
use crate::pbx::core::Requester;
use crate::pbx::effect::Effects;
use crate::pbx::leg::Cx;
use crate::sip::Flow;
use crate::sip::message::{Request, Response};
use crate::sip::transaction::ServerId;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

impl Switch {
    /// A message could not be sent. Over UDP an INVITE that nobody answered yet fails, what else waits for an answer from there learns it
    /// by its timers; over a connection nothing is sent again, so it ends now (RFC 3261 17.1.4).
    pub(super) fn send_failed(&mut self, flow: Flow, why: &str) {
        self.drop_counted("system refused to send");
        self.poll_failed_over(flow);
        if flow.transport.is_reliable() {
            self.fail_requests(flow, why);
        }
        let mut waiting = false;
        for leg in self.legs.values_mut() {
            waiting |= leg.unsendable(flow, why, &mut Cx { core: &mut self.core, index: &mut self.index });
        }
        // A call that fails of it says so itself.
        if !waiting {
            self.core.out.warning(format!("Nothing can be sent to {} over {}: {why}", flow.remote, flow.transport));
        }
    }

    /// A connection is closed: what waits for an answer on it ends, and who registered over it is asked after, if anybody is.
    pub(super) fn connection_closed(&mut self, flow: Flow, why: &str) {
        self.poll_failed_over(flow);
        self.fail_requests(flow, why);
        let Some(connection) = flow.connection else { return };
        for leg in self.legs.values_mut().filter(|leg| leg.flow.connection == Some(connection)) {
            leg.lose_connection();
        }
        let lost = self.location.lose_connection(connection);
        let what = format!("The {} connection with {} is closed ({why})", flow.transport, flow.remote);
        if lost.is_empty() {
            self.core.out.verbose(4, what.clone());
        }
        for (name, called_at) in lost {
            let then = called_at.map_or_else(|| "out of reach".to_owned(), |at| format!("called at {at}"));
            self.core.out.notice(format!("{what}: '{name}' is {then} until it registers again"));
            self.watch(&name);
        }
        self.arm_location();
    }

    fn fail_requests(&mut self, flow: Flow, why: &str) {
        for (id, requester) in self.core.tx.transport_failed(self.core.now.mono, flow) {
            match requester {
                Requester::Leg(leg) => {
                    if let Some(leg) = self.legs.get_mut(&leg).filter(|leg| leg.awaits(id)) {
                        leg.transport_failed(id, why, &mut Cx { core: &mut self.core, index: &mut self.index });
                    }
                }
                // `poll_failed_over` told the watch.
                Requester::Qualify { .. } => {}
            }
        }
    }

    /// `transport=` of the peer leaves out what it came over.
    pub(super) fn refuse_transport(&mut self, id: ServerId, request: &Request, peer: &Peer, came: Flow) {
        let text = format!(
            "'{}' at {} came over {}, which transport= of [{}] ({}) leaves out",
            peer.name, came.remote, came.transport, peer.name, peer.place
        );
        self.core.out.notice(text);
        self.reply(id, Response::for_request(request, 403, None));
    }

    /// A line that registered over a connection is spoken to over that one, whatever became of the one its calls began on.
    pub(super) fn bring_calls_along(&mut self, peer: &Peer, came: Flow) {
        if came.connection.is_none() {
            return;
        }
        let orphans = self.legs.values_mut().filter(|leg| leg.flow.connection.is_none() && leg.peer.name == peer.name);
        for leg in orphans {
            leg.follow_connection(came);
        }
    }

    /// Names lead elsewhere now, or for the first time: peers with `host=NAME` are found there, and told our address by it.
    pub fn names_changed(
        &mut self,
        now: Now,
        admission: Arc<Admission>,
        with_remote: BTreeMap<IpAddr, IpAddr>,
    ) -> Effects {
        self.core.now = now;
        let old: Arc<Names> = self.settings.admission.names().clone();
        let new = admission.names().clone();
        self.core.routing.admission = admission.clone();
        self.settings.admission = admission;
        self.settings.local_towards = with_remote;
        let peers = self.settings.peers.clone();
        for peer in peers.values() {
            let (before, after) = (peer.host.address(&old), peer.host.address(&new));
            if before == after {
                continue;
            }
            if let Some(address) = after {
                self.core.out.verbose(3, format!("'{}' is at {address} now", peer.name));
                self.watch(&peer.name);
                self.keep_alive(&peer.name);
            }
        }
        self.take_effects()
    }
}
