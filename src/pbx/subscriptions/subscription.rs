//! One subscription (RFC 6665 4.2): its dialog, how long it lasts, and its NOTIFYs, one at a time and in order. While one
//! is under way the states in between are folded: the next tells the latest.

use super::dialog_info::{self, Document};
use super::lamp::Lamp;
use super::package::{Format, Package};
use super::pidf;
use super::watched::Place;
use super::{message_summary, waiting};
use crate::config::peer::Peer;
use crate::event::DeviceState;
use crate::pbx::core::{Core, Requester, SubscriptionId, SubscriptionTimer, Timer, add_request_headers};
use crate::pbx::uri_text::{contact, host, uri_address};
use crate::sip::Flow;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Transport;
use crate::sip::header::HeaderName;
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use crate::sip::transaction::{Account, ClientId, Sending};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How a subscriber is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The flow its messages come by.
    pub flow: Flow,
    /// It is reached at where it sends from rather than where its Contact says it is.
    pub behind_nat: bool,
}

/// What the next NOTIFY is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// What changed.
    Change,
    /// Everything: a subscription began or was refreshed, and must be told the state whether it changed or not
    /// (RFC 6665 4.2.1.2).
    Everything,
}

/// One subscription.
pub struct Subscription {
    /// Its number.
    pub id: SubscriptionId,
    /// Whose it is.
    pub peer: Arc<Peer>,
    /// What is watched: context and extension.
    pub place: Place,
    /// Which of its states.
    pub package: Package,
    /// How they are told.
    pub format: Format,
    /// `id` of its Event header, repeated in each NOTIFY (RFC 6665 8.2.1).
    pub event_id: Option<String>,
    /// Its dialog.
    pub dialog: Dialog,
    /// How the subscriber is reached.
    pub reached: Arrival,
    /// When it ends.
    pub expires: crate::clock::Time,
    /// The version of the latest document.
    pub version: u32,
    /// Why it ends, once it does: the reason of its last NOTIFY (RFC 6665 4.1.3).
    pub ending: Option<&'static str>,
    /// The NOTIFY under way, which says terminated when the flag is set.
    in_flight: Option<(ClientId, bool)>,
    wanted: Wanted,
    told: Option<Lamp>,
    /// The number that no NOTIFY has reached, as it was stored.
    reserved: u32,
    /// NOTIFYs in a row that were refused for a while, or could not be sent.
    failures: u32,
    expiry: Option<TimerId>,
    retry: Option<TimerId>,
}

impl Subscription {
    /// A new subscription, of which nothing was told.
    pub fn new(
        (id, peer): (SubscriptionId, Arc<Peer>),
        place: Place,
        (package, format): (Package, Format),
        event_id: Option<String>,
        (dialog, reached): (Dialog, Arrival),
    ) -> Subscription {
        Subscription {
            id,
            peer,
            place,
            package,
            format,
            event_id,
            dialog,
            reached,
            expires: crate::clock::Time::ZERO,
            version: 0,
            ending: None,
            in_flight: None,
            wanted: Wanted::Nothing,
            told: None,
            reserved: 0,
            failures: 0,
            expiry: None,
            retry: None,
        }
    }

    /// The user of our Contact: what is watched, or who tells of messages.
    fn user(&self) -> &str {
        match self.package {
            Package::Dialog | Package::Presence => &self.place.1,
            Package::MessageSummary => &self.peer.settings.vm_exten,
        }
    }

    /// Our Contact.
    pub fn contact(&self) -> Bytes {
        contact(self.user(), self.reached.flow, self.dialog.secure)
    }

    /// It lasts so long from now on.
    pub fn last(&mut self, time: Duration, core: &mut Core) {
        self.expires = core.now.mono + time;
        let timer = core.set_timer(time, Timer::Subscription(self.id, SubscriptionTimer::Expired));
        if let Some(old) = self.expiry.replace(timer) {
            core.timers.cancel(old);
        }
    }

    /// Where requests go from now on (RFC 3261 8.1.2): the nearest proxy, else the Contact. Who is behind NAT stays where
    /// its messages come from.
    pub fn follow(&mut self, arrival: Arrival, core: &Core) {
        self.reached = arrival;
        if !arrival.behind_nat || !self.dialog.route_set.is_empty() {
            let next = core.routing.follow(&self.dialog.next_hop(), arrival.flow, &self.peer.settings);
            if !self.dialog.secure || next.transport == Transport::Tls {
                self.reached.flow = next;
            }
        }
    }

    /// Requests go by another flow from now on, the NOTIFY under way, too. Says whether that is news.
    pub fn move_to(&mut self, to: Flow, core: &mut Core) -> bool {
        let from = self.reached.flow;
        if to.transport != from.transport || (to.is_same_flow(from) && to.connection == from.connection) {
            return false;
        }
        self.reached.flow = Flow { server: from.server, ..to };
        let id = self.id;
        let is_ours = |requester: &Requester| matches!(requester, Requester::Subscription(other) if *other == id);
        core.tx.redirect(is_ours, from, self.reached.flow);
        true
    }

    /// The connection is closed: requests go over a new one, to the Contact (RFC 3261 18.1.1), if one can be had.
    pub fn lose_connection(&mut self) {
        let target = uri_address(&self.dialog.remote_target);
        let flow = self.reached.flow;
        let remote = target.filter(|target| target.ip() == flow.remote.ip()).unwrap_or(flow.remote);
        self.reached.flow = Flow { connection: None, remote, ..flow };
    }

    /// The state that it was told last.
    pub fn told(&self) -> Option<DeviceState> {
        self.told.as_ref().map(|lamp| lamp.state)
    }

    /// The number that no NOTIFY has reached yet, to be stored.
    pub fn reserved(&self) -> u32 {
        self.reserved
    }

    /// It is about to be stored: its NOTIFYs have so many numbers from now on.
    pub fn reserve(&mut self, step: u32) {
        self.reserved = self.dialog.local_cseq.saturating_add(step);
    }

    /// Have its NOTIFYs reached the number that was stored?
    pub fn is_used_up(&self) -> bool {
        self.dialog.local_cseq >= self.reserved
    }

    /// It was taken over from a time before a restart: it is told everything anew, after this time.
    pub fn resume(&mut self, after: Duration, core: &mut Core) {
        self.want(Wanted::Everything);
        self.retry = Some(core.set_timer(after, Timer::Subscription(self.id, SubscriptionTimer::Retry)));
    }

    /// Is the NOTIFY of this transaction under way?
    pub fn awaits(&self, client: ClientId) -> bool {
        self.in_flight.is_some_and(|(id, _)| id == client)
    }

    /// Something is to be told, as soon as the NOTIFY under way is answered.
    pub fn want(&mut self, wanted: Wanted) {
        self.wanted = self.wanted.max(wanted);
    }

    /// It ends, and is told so.
    pub fn end(&mut self, reason: &'static str) {
        self.ending = self.ending.or(Some(reason));
        self.want(Wanted::Everything);
    }

    /// Sends what is to be told, if anything is and nothing is under way.
    pub fn flush(&mut self, lamp: Option<&Lamp>, core: &mut Core) {
        if self.in_flight.is_some() || self.retry.is_some() || self.wanted == Wanted::Nothing {
            return;
        }
        if self.wanted == Wanted::Change && self.told.as_ref() == lamp {
            self.wanted = Wanted::Nothing;
            return;
        }
        let is_full = self.wanted == Wanted::Everything;
        self.wanted = Wanted::Nothing;
        let mut request = self.dialog.request(Method::Notify);
        let headers = &mut request.headers;
        headers.set(HeaderName::MaxForwards, self.peer.settings.max_forwards.to_string());
        headers.push(HeaderName::Contact, self.contact());
        let id = self.event_id.as_ref().map(|id| format!(";id={id}")).unwrap_or_default();
        headers.push(HeaderName::Event, format!("{}{id}", self.package.name()));
        let left = self.expires.since(core.now.mono).as_secs();
        let state = match self.ending {
            Some(reason) => format!("terminated;reason={reason}"),
            None => format!("active;expires={left}"),
        };
        headers.push(HeaderName::SubscriptionState, state);
        add_request_headers(&mut request, &core.config.product);
        if let Some(lamp) = lamp {
            let own = core.config.general.lamps.mime.clone().filter(|_| self.format == Format::MessageSummary);
            let kind = own.unwrap_or_else(|| self.format.name().to_owned());
            request.headers.push(HeaderName::ContentType, kind);
            request.body = Bytes::from(self.body(lamp, is_full, core));
            self.version = self.version.saturating_add(1);
            self.told = Some(lamp.clone());
        }
        let t1 = self.peer.settings.timer_t1;
        let account = Account::Peer(self.peer.name.as_str().into());
        let how = Sending::Tuned { t1, give_up: None, late: Duration::ZERO };
        let client = core.request(request, self.reached.flow, how, Requester::Subscription(self.id), account);
        self.in_flight = Some((client, self.ending.is_some()));
    }

    fn body(&self, lamp: &Lamp, is_full: bool, core: &Core) -> String {
        let entity = crate::sip::dialog::plain(&self.dialog.local.uri).to_string();
        let host = host(self.reached.flow.advertised.ip());
        let document = Document { exten: &self.place.1, entity: &entity, host: &host, version: self.version, is_full };
        match self.format {
            Format::DialogInfo => dialog_info::write(&document, lamp, lamp.call_for(&self.place.0, core)),
            Format::Pidf => pidf::pidf(&self.place.1, &entity, lamp),
            Format::Xpidf => pidf::xpidf(&self.place.1, &entity, lamp),
            Format::MessageSummary => {
                let account = waiting::account(&self.peer, self.reached.flow);
                let messages = lamp.messages.unwrap_or_default();
                message_summary::write(&account, messages, self.peer.settings.buggy_mwi)
            }
        }
    }

    /// Its NOTIFY was taken. Says whether it is over.
    pub fn taken(&mut self) -> bool {
        self.failures = 0;
        self.in_flight.take().is_some_and(|(_, was_last)| was_last)
    }

    /// Its NOTIFY was refused for a while, or could not be sent: everything is told anew after this time. Says how often
    /// that happened in a row.
    pub fn put_off(&mut self, after: Duration, core: &mut Core) -> u32 {
        self.in_flight = None;
        self.told = None;
        self.failures = self.failures.saturating_add(1);
        self.want(Wanted::Everything);
        let timer = core.set_timer(after, Timer::Subscription(self.id, SubscriptionTimer::Retry));
        if let Some(old) = self.retry.replace(timer) {
            core.timers.cancel(old);
        }
        self.failures
    }

    /// How many NOTIFYs in a row were put off.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Its time is over: that timer went off.
    pub fn is_over(&mut self) {
        self.expiry = None;
    }

    /// What was put off is due: that timer went off.
    pub fn retry_is_due(&mut self) {
        self.retry = None;
    }

    /// What was put off may be sent now.
    pub fn retry_now(&mut self, core: &mut Core) {
        if let Some(timer) = self.retry.take() {
            core.timers.cancel(timer);
        }
    }

    /// Lets go of its timers, and of the NOTIFY under way: nobody waits for its answer any more.
    pub fn let_go(&mut self, core: &mut Core) {
        for timer in [self.expiry.take(), self.retry.take()].into_iter().flatten() {
            core.timers.cancel(timer);
        }
        if let Some((client, _)) = self.in_flight.take() {
            core.tx.abandon(core.now.mono, client);
        }
    }

    /// How many timers it has set.
    pub fn timers(&self) -> usize {
        [self.expiry, self.retry].iter().flatten().count()
    }
}
