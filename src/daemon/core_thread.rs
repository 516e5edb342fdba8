//! The core thread, the one that owns the switch: takes events in order, executes effects, sleeps until the next
//! deadline.

use super::clock::Clock;
use super::control_view::{Later, View};
use super::event_bus::EventBus;
use super::log::Log;
use super::media_reports::MediaReports;
use super::order::{Order, ReloadRequest, Renewal};
use super::receiving::Receiving;
use super::sentence;
use super::signalling::{Signalling, routes};
use super::sink::Sink;
use super::sounds::SoundDesk;
use super::threads::ThreadGuard;
use crate::clock::{Now, Time};
use crate::event::{Level, LineEvent};
use crate::guard::admission::Admission;
use crate::media::Media;
use crate::names::Names;
use crate::net::known::KnownAddresses;
use crate::net::local_address;
use crate::net::udp::NOT_SENT_TO_STRANGER;
use crate::observe::command::{self, Output};
use crate::observe::control::Request as ConsoleRequest;
use crate::pbx::effect::{Effects, Input};
use crate::pbx::switch::{Stopping, Switch, SwitchSettings};
use crate::programs::Programs;
use crate::rng::Rng;
use crate::services::phone_files::Board;
use crate::sip::Flow;
use crate::sip::flow::{OpensFor, Transport};
use crate::sip::transaction::Transmit;
use crate::store::{Found, Store};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

/// The longest sleep without a deadline.
const NAP: Duration = Duration::from_secs(3600);
/// `core stop now` and SIGTERM: BYEs are repeated this long at most before the exchange ends all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// Owns the switch and executes its effects.
pub(super) struct CoreThread {
    pub(super) guard: ThreadGuard,
    pub(super) clock: Clock,
    pub(super) inbox: Receiver<Order>,
    /// What the media thread reports.
    pub(super) reports: Arc<MediaReports>,
    pub(super) signalling: Signalling,
    pub(super) media: Arc<Media>,
    /// Runs programs for calls.
    pub(super) programs: Arc<Programs>,
    pub(super) sounds: SoundDesk,
    /// Who fetches files.
    pub(super) phones: Arc<Board>,
    /// Where lines go that are no events.
    pub(super) sink: Sink,
    pub(super) events: EventBus,
    pub(super) receiving: Receiving,
    /// First and last RTP port, for the console.
    pub(super) rtp: (u16, u16),
    /// Where the configuration was read from, absolute.
    pub(super) directory: Option<PathBuf>,
    /// None: the log goes where `sink` has it, and takes no orders.
    pub(super) log: Option<Log>,
    /// None: the configuration came from no files.
    pub(super) reloads: Option<SyncSender<ReloadRequest>>,
    /// Set when the program is to start again after the stop.
    pub(super) restart: Arc<AtomicBool>,
}

/// Orders taken in one turn: all that wait in the inbox, at most so many.
const MAX_BATCH: usize = 256;
/// Reports of the media thread taken before each order, so that neither waits for many of the other.
const REPORTS: usize = 4;

/// Gives the switch what was stored, and says how many registrations came back. Known is then what is in force: a line
/// that has registered since is where it says, not where it was.
fn restore(switch: &mut Switch, known: &KnownAddresses, found: Found, now: Now) -> usize {
    switch.database().load(found.values);
    let restored = switch.restore(now, found.bindings, found.subscriptions);
    known.learn(&switch.everything());
    restored
}

/// Does it go by the socket for those who proved nothing, where it takes no room from anything else? All that they cause
/// does, but an INVITE of ours: that goes to where a line registered, and its call is to fail at once when it cannot be
/// sent.
fn goes_beside(transmit: &Transmit) -> bool {
    let to_stranger = transmit.flow.transport == Transport::Udp && transmit.flow.opens_for != OpensFor::Peer;
    to_stranger && !transmit.bytes.starts_with(b"INVITE ")
}

/// What came of a turn's orders.
#[derive(Default)]
struct Turn {
    effects: Vec<Effects>,
    /// Replies to consoles, sent once what they ordered is stored.
    replies: Vec<(ConsoleRequest, Output)>,
}

impl CoreThread {
    /// Runs until the switch was ordered to stop and has.
    pub(super) fn run(mut self, settings: SwitchSettings, rng: Rng, store: Option<(Store, Found)>) {
        let mut switch = Switch::new(self.clock.now(), settings, rng);
        let mut store = store.map(|(store, found)| {
            self.take_back(&mut switch, found);
            store
        });
        let mut deadline: Option<Time> = None;
        let mut refused: Vec<Input> = Vec::new();
        loop {
            let mut turn = Turn::default();
            let is_idle = refused.is_empty() && self.reports.is_empty();
            let nap = if is_idle { self.sleep(&switch, store.as_ref()) } else { Duration::ZERO };
            match self.inbox.recv_timeout(nap) {
                Ok(order) => self.take(&mut switch, order, &mut turn),
                Err(RecvTimeoutError::Timeout) => turn.effects.push(switch.handle(self.clock.now(), Input::Tick)),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            for input in std::mem::take(&mut refused) {
                turn.effects.push(switch.handle(self.clock.now(), input));
            }
            for _ in 0..MAX_BATCH {
                self.take_reports(&mut switch, &mut turn);
                let Ok(order) = self.inbox.try_recv() else { break };
                self.take(&mut switch, order, &mut turn);
            }
            self.keep(&mut switch, store.as_mut(), &mut turn);
            for effects in turn.effects {
                self.execute(effects, &mut refused);
            }
            for (request, output) in turn.replies {
                // The console may have left.
                let _ = request.reply.send(output);
            }
            if switch.stopping() == Some(Stopping::Now) {
                let now = self.clock.now().mono;
                if now >= *deadline.get_or_insert(now + PATIENCE) {
                    break;
                }
            }
            if switch.is_stopped() {
                break;
            }
        }
        drop(self.guard);
        // Whoever waits for room in the inbox need not wait for the disk.
        drop(self.inbox);
        if let Some(store) = store {
            store.close();
        }
    }

    fn take(&mut self, switch: &mut Switch, order: Order, turn: &mut Turn) {
        match order {
            Order::Reports => self.take_reports(switch, turn),
            Order::Addresses(own) => {
                switch.addresses_changed(own);
                let admission = self.receiving.auth_table.admission();
                turn.effects.push(self.reroute(switch, admission));
            }
            Order::Input(input) => turn.effects.push(switch.handle(self.clock.now(), *input)),
            Order::Console(request) => self.console(switch, request, turn),
            Order::Originate(request) => turn.effects.push(switch.originate(self.clock.now(), *request)),
            Order::Stop(how) => turn.effects.push(self.stop(switch, how)),
            Order::Names(names) => turn.effects.push(self.rename(switch, &names)),
            Order::Outside(outside) => turn.effects.push(self.move_outside(switch, outside)),
            Order::Renew(renewal) => turn.effects.push(self.renew(switch, *renewal)),
        }
    }

    fn take_reports(&self, switch: &mut Switch, turn: &mut Turn) {
        for report in std::iter::from_fn(|| self.reports.take()).take(REPORTS) {
            turn.effects.push(switch.handle(self.clock.now(), Input::Media(report)));
        }
    }

    /// Stores what a turn changed before any of it is sent: a registration that was answered with 200 is never lost.
    fn keep(&self, switch: &mut Switch, store: Option<&mut Store>, turn: &mut Turn) {
        let hearing = &self.receiving.hearing;
        hearing.known.learn(turn.effects.iter().flat_map(|effects| &effects.store));
        let orders = turn.effects.iter_mut().flat_map(|effects| std::mem::take(&mut effects.store)).collect();
        let Some(store) = store else { return };
        if let Some(found) = store.write(self.clock.now(), orders, || switch.everything()) {
            self.take_back(switch, found);
        }
    }

    /// Gives the switch what was stored before a restart.
    fn take_back(&self, switch: &mut Switch, mut found: Found) {
        for restored in &mut found.bindings {
            // The machine may have another address than before.
            let binding = &mut restored.binding;
            let (flow, bound) = (binding.flow, self.signalling.listening.of(binding.flow.transport));
            let ip = match bound.ip() {
                ip if ip.is_unspecified() => local_address::look_up(flow.remote.ip()).unwrap_or(flow.local.ip()),
                ip => ip,
            };
            let local = SocketAddr::new(ip, bound.port());
            let advertised =
                self.receiving.auth_table.admission().advertised_address(flow.transport, local, flow.remote.ip());
            binding.flow = Flow { local, advertised, ..flow };
        }
        let restored = restore(switch, &self.receiving.hearing.known, found, self.clock.now());
        if restored > 0 {
            self.events.publish(&LineEvent::Restored { registrations: restored }.into());
        }
    }

    fn sleep(&self, switch: &Switch, store: Option<&Store>) -> Duration {
        let now = self.clock.now().mono;
        let next = [switch.next_deadline(), store.and_then(Store::next_deadline)];
        let next = next.into_iter().flatten().min().map_or(NAP, |at| at.since(now));
        if switch.stopping().is_some() { next.min(Duration::from_millis(100)) } else { next }
    }

    fn execute(&self, effects: Effects, refused: &mut Vec<Input>) {
        self.receiving.hearing.expected.apply(effects.references, Instant::now());
        for command in effects.media {
            self.media.send(command);
        }
        for order in effects.outside {
            self.programs.send(order);
        }
        refused.extend(effects.sounds.into_iter().filter_map(|order| self.sounds.order(order)).map(Input::Sounds));
        for transmit in effects.transmit {
            self.receiving.trace.message(false, transmit.flow, &transmit.bytes);
            if goes_beside(&transmit) {
                if self.signalling.send_to_stranger(transmit.flow, transmit.bytes).is_err() {
                    self.receiving.counters.add(NOT_SENT_TO_STRANGER);
                }
                continue;
            }
            if let Err(why) = self.signalling.send(transmit.flow, transmit.bytes) {
                refused.push(Input::SendFailed { flow: transmit.flow, why });
            }
        }
        effects.events.iter().for_each(|event| self.events.publish(event));
        self.signalling.let_in(&effects.proven, &effects.guests);
    }

    fn stop(&self, switch: &mut Switch, how: Stopping) -> Effects {
        // Whoever stops the exchange from outside wants it stopped, whatever a console asked for before.
        self.restart.store(false, Ordering::Relaxed);
        switch.stop(self.clock.now(), how)
    }

    fn renew(&mut self, switch: &mut Switch, renewal: Renewal) -> Effects {
        let Renewal { mut settings, rtp, done } = renewal;
        let names = self.receiving.auth_table.admission().names().clone();
        settings.local_towards = routes(&settings.peers, &settings.general, &names);
        settings.admission = Arc::new(settings.admission.with_names(names));
        self.receiving.auth_table.renew(settings.admission.clone());
        self.rtp = rtp;
        let effects = switch.reload(self.clock.now(), settings);
        let lines = effects.events.iter().flat_map(sentence::lines);
        let notes = lines.filter(|line| !matches!(line.level, Level::Verbose(_))).collect();
        // The reload thread waits for them.
        let _ = done.send(notes);
        effects
    }

    /// Names lead elsewhere; the address outside is not among what the DNS says.
    fn rename(&self, switch: &mut Switch, names: &Names) -> Effects {
        self.signalling.set_names(names);
        let outside = self.receiving.auth_table.admission().names().outside();
        self.readdress(switch, names.with_outside(outside))
    }

    fn move_outside(&self, switch: &mut Switch, outside: Option<SocketAddr>) -> Effects {
        let names = self.receiving.auth_table.admission().names().with_outside(outside);
        self.readdress(switch, names)
    }

    fn readdress(&self, switch: &mut Switch, names: Names) -> Effects {
        let admission = Arc::new(self.receiving.auth_table.admission().with_names(Arc::new(names)));
        self.receiving.auth_table.renew(admission.clone());
        self.reroute(switch, admission)
    }

    /// Our addresses towards peers and registrars may be others now.
    fn reroute(&self, switch: &mut Switch, admission: Arc<Admission>) -> Effects {
        let config = switch.config();
        let local_towards = routes(&config.peers, &config.general, admission.names());
        switch.names_changed(self.clock.now(), admission, local_towards)
    }

    fn reload(&self, request: ReloadRequest) {
        let unserved = match &self.reloads {
            None => Some((request, "The configuration does not come from files: there is nothing to reload.\n")),
            Some(reloads) => match reloads.try_send(request) {
                Ok(()) => None,
                Err(TrySendError::Full(request) | TrySendError::Disconnected(request)) => {
                    Some((request, "Previous SIP reload not yet done: try again a little later.\n"))
                }
            },
        };
        if let Some((request, why)) = unserved
            && let Some(reply) = request.reply
        {
            let _ = reply.send(Output::failed(why.to_owned()));
        }
    }

    fn console(&self, switch: &mut Switch, request: ConsoleRequest, turn: &mut Turn) {
        let mut later = None;
        let mut view = View {
            switch,
            now: self.clock.now(),
            counters: &self.receiving.counters,
            trace: &self.receiving.trace,
            rtp: self.rtp,
            directory: self.directory.as_deref(),
            signalling: &self.signalling,
            effects: &mut turn.effects,
            restart: &self.restart,
            media: &self.media,
            sink: &self.sink,
            phones: &self.phones,
            later: &mut later,
        };
        let output = command::serve(&request.line, &mut view);
        match later {
            Some(Later::Reload(what)) => self.reload(ReloadRequest { what, reply: Some(request.reply) }),
            Some(Later::Log(what)) => match &self.log {
                Some(log) => log.order(what, request.reply),
                None => turn.replies.push((request, Output::failed("No log files are configured.\n".to_owned()))),
            },
            None => turn.replies.push((request, output)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::config::Config;
    use crate::daemon::switch_settings::SettingsBase;
    use crate::dialplan::Dialplan;
    use crate::registrar::location::{Binding, Restored};
    use crate::registrar::next_hop::Listening;
    use crate::sip::digest::nonce::NonceKey;
    use bytes::Bytes;

    /// What a store kept of a line that was at this address.
    fn found(source: &str) -> Found {
        let source = source.parse().unwrap();
        let binding = Binding {
            contact: crate::sip::uri::Uri::parse(b"sip:a@192.0.2.7").unwrap(),
            params: Default::default(),
            q: 1000,
            source,
            flow: Flow { opens_for: OpensFor::Peer, ..Flow::udp("192.0.2.1:5060".parse().unwrap(), source) },
            granted: Duration::from_secs(3600),
            expires: Time::ZERO,
            expires_wall: Wall(0),
            call_id: "call".into(),
            cseq: 1,
            path: Vec::new(),
            user_agent: None,
        };
        let left = Some(Duration::from_secs(600));
        Found { bindings: vec![Restored { peer: "a".into(), binding, left }], ..Found::default() }
    }

    /// A store that was away comes back with what it had: the line has registered from elsewhere meanwhile.
    #[test]
    fn a_line_that_registered_since_is_known_where_it_is() {
        let config = Config::from_texts("[a]\ntype=friend\nhost=dynamic\nsecret=password\n", "", "", "").0.unwrap();
        let base = SettingsBase {
            key: NonceKey::new([0; 32], 1),
            listening: Listening::udp("192.0.2.1:5060".parse().unwrap()),
            recordings: None,
            process: Default::default(),
        };
        let now = Now::default();
        let mut switch = Switch::new(now, base.with(&config, Dialplan::new()), Rng::from_number(1));
        let (known, here, was) = (KnownAddresses::default(), "192.0.2.7:5060", "192.0.2.8:5060");
        assert_eq!(restore(&mut switch, &known, found(here), now), 1);
        assert_eq!(restore(&mut switch, &known, found(was), now), 0);
        assert!(known.has_peer("a", here.parse().unwrap()) && !known.has(was.parse().unwrap()));
    }

    #[test]
    fn what_those_who_proved_nothing_cause_goes_beside() {
        let udp = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.66:5060".parse().unwrap());
        let stranger = Flow { opens_for: OpensFor::Stranger(udp.remote.ip()), ..udp };
        let peer = Flow { opens_for: OpensFor::Peer, ..udp };
        let tcp = Flow { transport: Transport::Tcp, ..stranger };
        for (flow, text, is_beside) in [
            (stranger, "SIP/2.0 404 Not Found\r\n", true),
            (stranger, "SIP/2.0 200 OK\r\n", true),
            (stranger, "BYE sip:a@192.0.2.66 SIP/2.0\r\n", true),
            (udp, "SIP/2.0 481 Call/Transaction Does Not Exist\r\n", true),
            (stranger, "INVITE sip:a@192.0.2.66 SIP/2.0\r\n", false),
            (tcp, "SIP/2.0 404 Not Found\r\n", false),
            (peer, "SIP/2.0 200 OK\r\n", false),
        ] {
            let transmit = Transmit { flow, bytes: Bytes::from_static(text.as_bytes()) };
            assert_eq!(goes_beside(&transmit), is_beside, "{flow:?} {text}");
        }
    }
}
