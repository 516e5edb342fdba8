//! What every part of the switch works with: both clocks, transactions, timers, the random source, the configuration in
//! force, and the effects to come.

pub mod challenge;
mod devices;
pub mod directory;
mod guest_notices;
mod line_tests;
mod nonces;
mod requester;
pub mod servers;
mod spent;
#[cfg(test)]
pub mod testing;
mod timer;
mod tone_cache;

use nonces::Nonces;

pub use devices::{DeviceCall, Devices};
pub use directory::{Directory, Target};
pub use guest_notices::GuestNotices;
pub use line_tests::LineTests;
pub use requester::{Notice, Requester};
pub use servers::FailedServers;
pub use spent::Spent;
pub use timer::{CallTimer, LegId, LegTimer, LineTimer, SubscriptionId, SubscriptionTimer, Timer};
pub use tone_cache::ToneCache;

use super::effect::Effects;
use super::settings::SwitchSettings;
use super::text_delivery::Delivery;
use crate::clock::{Now, Wall};
use crate::datetime;
use crate::event::Event;
use crate::registrar::next_hop::Routing;
use crate::rng::Rng;
use crate::sip::Flow;
use crate::sip::header::{HeaderName, NameAddr};
use crate::sip::message::{Request, Response};
use crate::sip::method::ALLOW;
use crate::sip::timer::{TimerId, Timers};
use crate::sip::transaction::{Account, ClientId, ClientRequest, Sending, ServerId, TimerValues, Transactions};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Maximum number of server transactions at once; what comes beyond gets no answer and is counted.
const MAX_TRANSACTIONS: usize = 200_000;

/// The core: it carries what lines and calls decide, and knows neither.
pub struct Core {
    /// The time of the event being handled.
    pub now: Now,
    /// When the switch was made.
    pub started: Now,
    /// All transactions.
    pub tx: Transactions<Requester>,
    /// The random source.
    pub rng: Rng,
    /// Every timer of the switch.
    pub timers: Timers<Timer>,
    /// What is to be done.
    pub out: Effects,
    /// The configuration in force.
    pub config: SwitchSettings,
    /// Which flow leads to a URI.
    pub routing: Routing,
    /// The addresses that peers are told for our media ports.
    pub media_addresses: BTreeSet<SocketAddr>,
    /// The servers that failed lately.
    pub failed_servers: FailedServers,
    /// Which refused calls of guests were logged.
    pub guest_notices: GuestNotices,
    /// How long calls to lines were that have minutes to spend.
    pub spent: Spent,
    /// The nonces of challenges to our requests.
    nonces: Nonces,
    /// The tones that were played.
    pub tones: ToneCache,
    /// The latest tests of lines.
    pub line_tests: LineTests,
    /// Text messages that programs want sent.
    pub texts: Vec<Delivery>,
    /// Lines that answer again, since the last time.
    pub returned: Vec<String>,
    last_id: u64,
    drops: BTreeMap<&'static str, u64>,
}

impl Core {
    /// A core in which nothing happens yet.
    pub fn new(now: Now, config: SwitchSettings, mut rng: Rng) -> Core {
        Core {
            now,
            started: now,
            tx: Transactions::new(TimerValues::default(), MAX_TRANSACTIONS, &mut rng),
            rng,
            timers: Timers::new(),
            out: Effects::default(),
            routing: Routing::new(config.listening, config.admission.clone()),
            config,
            media_addresses: BTreeSet::new(),
            failed_servers: FailedServers::default(),
            guest_notices: GuestNotices::default(),
            spent: Spent::default(),
            nonces: Nonces::default(),
            tones: ToneCache::default(),
            line_tests: LineTests::default(),
            texts: Vec::new(),
            returned: Vec::new(),
            last_id: 0,
            drops: BTreeMap::new(),
        }
    }

    /// Puts another configuration in force; gives back the old one.
    pub fn configure(&mut self, config: SwitchSettings) -> SwitchSettings {
        (self.routing.listening, self.routing.admission) = (config.listening, config.admission.clone());
        std::mem::replace(&mut self.config, config)
    }

    /// A number that was never given before.
    pub fn fresh_id(&mut self) -> u64 {
        self.last_id = self.last_id.saturating_add(1);
        self.last_id
    }

    /// Says what happened.
    pub fn emit(&mut self, event: impl Into<Event>) {
        self.out.events.push(event.into());
    }

    /// Sets a timer.
    pub fn set_timer(&mut self, after: Duration, timer: Timer) -> TimerId {
        self.timers.set(self.now.mono + after, timer)
    }

    /// Counts something dropped, by its reason.
    pub fn count_drop(&mut self, reason: &'static str) {
        let count = self.drops.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// Every drop with its reason.
    pub fn drops(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.drops.iter().map(|(reason, count)| (*reason, *count))
    }

    /// When it was, so long ago: reckoned back from now, for the wall clock may have been set since.
    pub fn moment_ago(&self, ago: Duration) -> String {
        let ms = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        datetime::moment(Wall(self.now.wall.0.saturating_sub(ms)))
    }

    /// The address that media ports are bound at for a leg with this flow; none: for one that has no leg.
    pub fn media_bind_address(&self, flow: Option<Flow>) -> IpAddr {
        let local = flow.map_or_else(|| self.config.listening.udp.ip(), |flow| flow.local.ip());
        let wanted = self.config.general.rtp_bind.filter(|ip| !ip.is_unspecified());
        wanted.filter(|ip| ip.is_ipv4() == local.is_ipv4()).unwrap_or(local)
    }

    /// RFC 3261 8.2.6.2: every response but 100 carries a To tag.
    pub fn tag(&mut self, response: &mut Response) {
        let Some(to) = response.headers.get(HeaderName::To) else { return };
        let tagged = NameAddr::parse(to).is_ok_and(|to| to.tag().is_some());
        if !tagged {
            let mut value = to.to_vec();
            value.extend_from_slice(format!(";tag={}", self.rng.hex(16)).as_bytes());
            response.headers.set(HeaderName::To, value);
        }
    }

    /// Sends a request of ours, any but ACK and CANCEL. `account`: whose credentials answer when it is asked for a password
    /// (401, 407); then it is sent again by itself, under the same name ([`challenge`]).
    pub fn request(
        &mut self,
        mut request: Request,
        flow: Flow,
        how: Sending,
        requester: Requester,
        account: Account,
    ) -> ClientId {
        if account != Account::Nobody {
            let call = request.headers.get(HeaderName::CallId).map(|id| String::from_utf8_lossy(id).into_owned());
            self.nonces.write(&call.unwrap_or_default(), &mut request, flow.remote.ip(), &mut self.rng);
        }
        let request = ClientRequest { request, flow, how, requester, account };
        self.tx.request(self.now.mono, request, &mut self.rng, &mut self.out.transmit)
    }

    /// Answers a request, with what every response of ours carries.
    pub fn respond(&mut self, id: ServerId, mut response: Response) {
        if response.status > 100 {
            self.tag(&mut response);
        }
        add_response_headers(&mut response, &self.config.product);
        self.tx.respond(self.now.mono, id, response, &mut self.out.transmit);
    }
}

/// Adds what every response of ours carries.
pub fn add_response_headers(response: &mut Response, product: &str) {
    if !product.is_empty() && response.headers.get(HeaderName::Server).is_none() {
        response.headers.push(HeaderName::Server, Bytes::from(product.to_owned()));
    }
    if response.headers.get(HeaderName::Allow).is_none() {
        response.headers.push(HeaderName::Allow, Bytes::from_static(ALLOW.as_bytes()));
    }
}

/// Adds what every request of ours carries.
pub fn add_request_headers(request: &mut Request, product: &str) {
    if !product.is_empty() {
        request.headers.push(HeaderName::UserAgent, Bytes::from(product.to_owned()));
    }
    request.headers.push(HeaderName::Allow, Bytes::from_static(ALLOW.as_bytes()));
}
