//! The media of one call: what this side wants, and what both sides agreed on.

use super::agreement::Agreement;
use super::behaviour::Behaviour;
use super::change::Change;
use super::event::PhoneEvent;
use super::negotiator::Negotiator;
use super::user_agent::UserAgent;
use crate::sdp::Sdp;
use std::net::SocketAddr;

/// The media of one call.
pub(super) struct CallMedia {
    pub negotiator: Negotiator,
    pub agreement: Agreement,
}

impl CallMedia {
    /// Of a call that begins: nothing is agreed.
    pub fn new(ua: &mut UserAgent) -> CallMedia {
        let negotiator = Negotiator::new(&ua.identity.config, &ua.behaviour, &mut ua.rng);
        CallMedia { negotiator, agreement: Agreement::default() }
    }

    /// A new offer.
    pub fn offer(&mut self) -> Option<Sdp> {
        self.negotiator.offer(self.agreement.local.as_ref())
    }

    /// The offer that makes this change; `None` when no offer is to be made.
    pub fn offer_change(&mut self, change: Change) -> Option<Sdp> {
        self.negotiator.offer_change(change, self.agreement.local.as_ref())
    }

    /// The answer to an offer; `None` when there is no codec in common.
    pub fn answer(&mut self, offer: &Sdp, behaviour: &Behaviour) -> Option<Sdp> {
        self.negotiator.answer(offer, behaviour, self.agreement.has_voice())
    }

    /// Where RTP is to be sent now; `None` while either side does not want this side to send.
    pub fn target(&self) -> Option<SocketAddr> {
        self.agreement.remote_rtp().filter(|_| self.negotiator.preferences.direction.sends())
    }

    /// Something was agreed: reports where RTP is to be sent.
    pub fn report(&self, ua: &mut UserAgent) {
        ua.report(match self.target() {
            Some(address) => PhoneEvent::MediaAt(address),
            None => PhoneEvent::OnHold,
        });
    }
}
