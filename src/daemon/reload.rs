//! Reload: the configuration is read anew from where it came, on a thread of its own, because reading files may block; the
//! switch gets what came of it, or nothing when it cannot be used.

use super::clock::wall;
use super::core_thread::Order;
use super::signalling::Renewed;
use super::{Sink, certificates, resolver};
use crate::check::everything;
use crate::config::Config;
use crate::config::diagnostic::{Counts, Diagnostic, Severity, render};
use crate::config::finding::TLS_UNUSABLE;
use crate::config::load::{self, Loaded};
use crate::dialplan::Dialplan;
use crate::observe::command::Output;
use crate::observe::control_api::Reload;
use crate::pbx::effect::{Level, Line};
use crate::pbx::switch::{Listening, SwitchSettings};
use crate::sip::digest::nonce::NonceKey;
use crate::wording::plural;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Where a reload reads, and whom it tells.
pub struct Reloading {
    /// What [`load::load`] is given: the directory, or an asterisk.conf.
    pub place: PathBuf,
    /// Called with every configuration that was put in force, for what lies outside of the exchange (the log's verbosity).
    pub applied: Box<dyn Fn(&Config) + Send>,
}

/// Most reloads waiting for the one under way.
pub(super) const QUEUE: usize = 16;

/// Most warnings the log names after a reload; all are counted there.
const MOST_NAMED: usize = 10;

/// One reload that somebody wants.
pub(super) struct Wanted {
    pub(super) what: Reload,
    /// The console that waits for the outcome.
    pub(super) reply: Option<oneshot::Sender<Output>>,
}

/// A configuration on its way to the owner of the switch.
pub(super) struct Renewal {
    pub(super) settings: SwitchSettings,
    pub(super) rtp: (u16, u16),
    pub(super) dscp: Option<u8>,
    pub(super) signalling: Renewed,
    /// The names to be looked up, and how often each.
    pub(super) wanted: BTreeMap<String, Duration>,
    /// Takes what the switch said of the change.
    pub(super) done: Sender<Vec<Line>>,
}

/// What an exchange keeps from its start to its end, whatever a reload reads.
#[derive(PartialEq, Eq)]
struct Fixed {
    bind: SocketAddr,
    tcp: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    tos_sip: u8,
    socket: Option<PathBuf>,
    folder: Option<PathBuf>,
    log: Option<PathBuf>,
}

/// See the module.
pub(super) struct Reloader {
    reloading: Reloading,
    fixed: Fixed,
    orders: SyncSender<Order>,
    sink: Sink,
    key: NonceKey,
    listening: Listening,
    sounds: BTreeMap<String, Arc<[i16]>>,
}

/// A configuration that can be put in force, and everything said of it.
struct Read {
    config: Config,
    plan: Dialplan,
}

impl Reloader {
    /// A reloader for an exchange that was started with this configuration.
    pub(super) fn new(
        reloading: Reloading,
        config: &Config,
        orders: SyncSender<Order>,
        sink: Sink,
        key: NonceKey,
        listening: Listening,
        sounds: BTreeMap<String, Arc<[i16]>>,
    ) -> Reloader {
        Reloader { reloading, fixed: Fixed::of(config), orders, sink, key, listening, sounds }
    }

    /// Reloads whenever somebody wants it, one after the other, until nobody can want it any more.
    pub(super) fn run(self, wanted: &Receiver<Wanted>) {
        while let Ok(wanted) = wanted.recv() {
            let output = self.reload(&wanted.what);
            if let Some(reply) = wanted.reply {
                // A console that left does not hear the answer.
                let _ = reply.send(output);
            }
        }
    }

    fn reload(&self, what: &Reload) -> Output {
        self.say(Level::Verbose(1), "Reloading SIP".to_owned());
        let loaded = load::load(&self.reloading.place);
        let (read, diagnostics) = complete(&loaded);
        for diagnostic in diagnostics.iter().filter(|one| one.severity >= Severity::Error) {
            self.say(Level::Error, diagnostic.in_one_line());
        }
        // What cannot work is named; of what is merely ignored, how much.
        for diagnostic in diagnostics.iter().filter(|one| is_named(one)).take(MOST_NAMED) {
            self.say(Level::Warning, diagnostic.in_one_line());
        }
        let Some(read) = read else {
            let why = "The configuration was not reloaded: the previous one stays in force".to_owned();
            let report = render(&diagnostics, &|file, line| loaded.source_line(file, line));
            let text = format!("{report}{why}.\n");
            self.say(Level::Error, why);
            return Output::failed(text);
        };
        let Some(said) = self.put_in_force(&read) else {
            return Output::failed("The exchange is stopping.\n".to_owned());
        };
        (self.reloading.applied)(&read.config);
        let mut text = head(what);
        let errors: Vec<Diagnostic> =
            diagnostics.iter().filter(|one| one.severity >= Severity::Error).cloned().collect();
        text.push_str(&render(&errors, &|file, line| loaded.source_line(file, line)));
        let mut notes: Vec<String> = said.into_iter().map(|line| line.text).collect();
        notes.extend(self.reminders(&read.config, &Counts::of(&diagnostics)));
        for note in notes {
            text.push_str(&note);
            text.push_str(".\n");
        }
        Output { text: crate::observe::escape::lines(&text), ..Output::default() }
    }

    /// What the owner should know beyond the change itself; said to the log too.
    fn reminders(&self, config: &Config, counts: &Counts) -> Vec<String> {
        let mut reminders = Vec::new();
        for what in self.fixed.differences(&Fixed::of(config)) {
            let text = format!("{what} is changed only by a restart ('core restart gracefully')");
            self.say(Level::Warning, text.clone());
            reminders.push(text);
        }
        if counts.warnings > 0 {
            let text = format!(
                "{}: 'strowger check -C {}' shows details",
                plural(counts.warnings, "warning"),
                self.reloading.place.display()
            );
            self.say(Level::Notice, text.clone());
            reminders.push(text);
        }
        reminders
    }

    /// Hands the configuration to the owner of the switch and waits until it is in force. `None`: the exchange is over.
    fn put_in_force(&self, read: &Read) -> Option<Vec<Line>> {
        let config = &read.config;
        let settings = super::settings(config, read.plan.clone(), &self.key, self.listening, &self.sounds);
        let (done, said) = channel();
        let renewal = Renewal {
            rtp: (config.rtp.port_first, config.rtp.port_last),
            dscp: super::dscp(&settings.general),
            settings,
            signalling: Renewed::read(config, &self.sink),
            wanted: resolver::wanted(&config.sip),
            done,
        };
        self.orders.send(Order::Renew(Box::new(renewal))).ok()?;
        said.recv().ok()
    }

    fn say(&self, level: Level, text: String) {
        (self.sink)(&Line { level, text });
    }
}

impl Fixed {
    fn of(config: &Config) -> Fixed {
        let general = &config.sip.general;
        Fixed {
            bind: general.bind,
            tcp: general.streams.tcp,
            tls: general.streams.tls.as_ref().map(|tls| tls.bind),
            tos_sip: general.tos_sip,
            socket: config.toml.control.socket.clone(),
            folder: config.toml.state.folder.clone(),
            log: config.toml.log.folder.clone(),
        }
    }

    fn differences(&self, new: &Fixed) -> Vec<&'static str> {
        let all = [
            (self.bind != new.bind, "The address and port for SIP (udpbindaddr, bindport in sip.conf)"),
            (self.tcp != new.tcp, "Where TCP is accepted (tcpenable, tcpbindaddr in sip.conf)"),
            (self.tls != new.tls, "Where TLS is accepted (tlsenable, tlsbindaddr in sip.conf)"),
            (self.tos_sip != new.tos_sip, "tos_sip in sip.conf"),
            (self.socket != new.socket, "[control] socket in strowger.toml"),
            (self.folder != new.folder, "[state] folder in strowger.toml"),
            (self.log != new.log, "[log] folder in strowger.toml"),
        ];
        all.into_iter().filter(|(differs, _)| *differs).map(|(_, what)| what).collect()
    }
}

/// What was read, when it can be used, and all that is to be said of it, the dialplan's too.
fn complete(loaded: &Loaded) -> (Option<Read>, Vec<Diagnostic>) {
    let (plan, mut diagnostics) = everything(loaded);
    // Files that cannot be used are said when they are not put in force.
    let found = certificates::findings(loaded, wall());
    diagnostics.extend(found.into_iter().filter(|one| one.code != TLS_UNUSABLE.code));
    let read = loaded.config.clone().zip(plan).map(|(config, plan)| Read { config, plan });
    let is_usable = Counts::of(&diagnostics).fatals == 0;
    (read.filter(|_| is_usable), diagnostics)
}

/// A warning that the log names after a reload.
fn is_named(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Warning && !diagnostic.code.is_empty()
}

/// The words scripts wait for.
fn head(what: &Reload) -> String {
    match what {
        Reload::All | Reload::Sip => String::new(),
        Reload::Dialplan => "Dialplan reloaded.\n".to_owned(),
        Reload::Module(name) => format!("Module '{name}' reloaded successfully.\n"),
    }
}
