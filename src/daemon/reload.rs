//! Reload: the configuration is read anew from where it came, on a thread of its own, because reading files may block.
//! When it can be used, the switch and the services take it over; else the one before stays in force, whole.

use super::certificates;
use super::clock::wall;
use super::order::{Order, ReloadRequest, Renewal};
use super::service::Services;
use super::sink::Sink;
use super::switch_settings::SettingsBase;
use crate::check::everything;
use crate::config::Config;
use crate::config::diagnostic::{Counts, Diagnostic, Severity};
use crate::config::digest;
use crate::config::finding::TLS_UNUSABLE;
use crate::config::load::{self, LastGood, Loaded};
use crate::dialplan::Dialplan;
use crate::event::{Level, LogLine};
use crate::observe::command::Output;
use crate::observe::control_api::Reload;
use crate::store::kept_file;
use crate::wording::plural;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Reloads that may wait for the one under way.
pub(super) const MAX_WAITING: usize = 16;

/// What an exchange keeps from its start to its end, whatever a reload reads.
#[derive(PartialEq, Eq)]
pub(super) struct Fixed {
    bind: SocketAddr,
    tcp: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    tos_sip: u8,
    socket: Option<PathBuf>,
    folder: Option<PathBuf>,
    log: Option<PathBuf>,
}

/// Reads the configuration anew and puts it in force: in the switch first, then in every service.
pub(super) struct Reloader {
    /// What [`load::load`] is given: the directory, or an asterisk.conf.
    pub(super) place: PathBuf,
    pub(super) fixed: Fixed,
    pub(super) base: SettingsBase,
    pub(super) orders: SyncSender<Order>,
    pub(super) services: Arc<Mutex<Services>>,
    pub(super) sink: Sink,
    /// The folder in which the last configuration that could be used is kept.
    pub(super) state: Option<PathBuf>,
}

/// A configuration that can be put in force.
struct Usable {
    config: Config,
    dialplan: Dialplan,
}

/// The file of the state folder with the last configuration that could be used.
pub const LAST_GOOD: &str = "last-good.conf";

/// Keeps a configuration that can be used.
///
/// # Errors
/// The sentence to log when it cannot be kept.
pub fn keep_last_good(state: &Path, good: &LastGood) -> Result<(), String> {
    let written = kept_file::write(state, LAST_GOOD, &good.to_bytes());
    written.map_err(|error| format!("{}: the configuration is not kept there: {error}", state.display()))
}

impl Reloader {
    /// Serves the requests one after the other, until nobody can send another.
    pub(super) fn run(self, requests: &Receiver<ReloadRequest>) {
        while let Ok(request) = requests.recv() {
            let output = self.reload(&request.what);
            if let Some(reply) = request.reply {
                // The console may have left.
                let _ = reply.send(output);
            }
        }
    }

    fn reload(&self, what: &Reload) -> Output {
        self.say(Level::Verbose(1), "Reloading SIP".to_owned());
        let loaded = load::load(&self.place);
        let (usable, diagnostics) = complete(&loaded);
        // What cannot work is named, each kind once as at the start; of what is merely ignored, how much.
        let named = diagnostics.iter().filter(|one| one.severity >= Severity::Error || is_named(one));
        for (severity, line) in digest::at_start(&named.cloned().collect::<Vec<_>>()).0 {
            self.say(if severity >= Severity::Error { Level::Error } else { Level::Warning }, line);
        }
        let Some(usable) = usable else {
            let why = "The configuration was not reloaded: the previous one stays in force".to_owned();
            let report = digest::digest(&diagnostics, &|file, line| loaded.source_line(file, line));
            let text = format!("{report}{why}.\n");
            self.say(Level::Error, why);
            return Output::failed(text);
        };
        let Some(said) = self.put_in_force(&usable) else {
            return Output::failed("The exchange is stopping.\n".to_owned());
        };
        self.keep(&loaded);
        let mut text = head(what);
        let errors: Vec<Diagnostic> =
            diagnostics.iter().filter(|one| one.severity >= Severity::Error).cloned().collect();
        text.push_str(&digest::digest(&errors, &|file, line| loaded.source_line(file, line)));
        let mut notes: Vec<String> = said.into_iter().map(|line| line.text).collect();
        notes.extend(self.reminders(&usable.config, &Counts::of(&diagnostics)));
        for note in notes {
            text.push_str(&note);
            text.push_str(".\n");
        }
        Output { text: crate::observe::escape::lines(&text), ..Output::default() }
    }

    /// What the administrator should know beyond the change itself; logged too.
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
                self.place.display()
            );
            self.say(Level::Notice, text.clone());
            reminders.push(text);
        }
        reminders
    }

    /// Puts the configuration in force and gives what the switch said of it. `None`: the exchange has ended.
    fn put_in_force(&self, new: &Usable) -> Option<Vec<LogLine>> {
        let config = &new.config;
        let (done, notes) = channel();
        let renewal = Renewal {
            settings: self.base.with(config, new.dialplan.clone()),
            rtp: (config.rtp.port_first, config.rtp.port_last),
            done,
        };
        self.orders.send(Order::Renew(Box::new(renewal))).ok()?;
        let notes = notes.recv().ok()?;
        self.services.lock().unwrap_or_else(PoisonError::into_inner).renew(config);
        Some(notes)
    }

    /// The next start has this one, whatever becomes of the files.
    fn keep(&self, loaded: &Loaded) {
        let kept = self.state.as_deref().zip(loaded.kept()).map(|(state, good)| keep_last_good(state, &good));
        if let Some(Err(text)) = kept {
            self.say(Level::Warning, text);
        }
    }

    fn say(&self, level: Level, text: String) {
        (self.sink)(&LogLine { level, text });
    }
}

impl Fixed {
    /// What this configuration says of it.
    pub(super) fn of(config: &Config) -> Fixed {
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

/// What was read, if it can be used, and every diagnostic, the dialplan's too.
fn complete(loaded: &Loaded) -> (Option<Usable>, Vec<Diagnostic>) {
    let (dialplan, mut diagnostics) = everything(loaded);
    // Files that cannot be used are said when they are not put in force.
    let found = certificates::findings(loaded, wall());
    diagnostics.extend(found.into_iter().filter(|one| one.code != TLS_UNUSABLE.code));
    let read = loaded.config.clone().zip(dialplan).map(|(config, dialplan)| Usable { config, dialplan });
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
