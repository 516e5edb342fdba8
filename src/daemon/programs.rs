//! Programs that run for calls, as a service.

use super::order::{Console, Order};
use super::resolver::DnsLocator;
use super::service::Service;
use super::spool_place;
use super::threads::ThreadGuard;
use crate::config::{Config, Source, TOML};
use crate::pbx::effect::Input;
use crate::programs::{Allowed, Programs, Settings};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Where Asterisk has its scripts.
const USUAL_FOLDER: &str = "/var/lib/asterisk/agi-bin";

/// The thread that runs programs.
pub(super) struct ProgramService {
    programs: Arc<Programs>,
    /// The state folder.
    state: Option<PathBuf>,
    /// Finds hosts that a `Dial` names.
    locator: DnsLocator,
    /// What the thread is started with, until it is.
    prepared: Option<(SyncSender<Order>, ThreadGuard)>,
}

impl ProgramService {
    /// Prepares the thread.
    pub(super) fn new(
        config: &Config,
        state: Option<PathBuf>,
        locator: DnsLocator,
        orders: SyncSender<Order>,
        guard: ThreadGuard,
    ) -> ProgramService {
        let programs = Arc::new(Programs::new(settings(config, state.as_deref(), &locator)));
        ProgramService { programs, state, locator, prepared: Some((orders, guard)) }
    }

    /// Where orders are sent.
    pub(super) fn programs(&self) -> Arc<Programs> {
        self.programs.clone()
    }
}

impl Service for ProgramService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        let Some((orders, guard)) = self.prepared.take() else { return Ok(()) };
        self.programs.start(move |report| {
            // The thread owns this closure, and with it the guard, as long as it runs.
            let _guard = &guard;
            // When the switch has ended, nobody waits for it.
            let _ = orders.send(Order::Input(Box::new(Input::Outside(report))));
        })
    }

    fn renew(&mut self, config: &Config) {
        self.programs.set(settings(config, self.state.as_deref(), &self.locator));
    }

    fn stop(&mut self) {
        self.programs.stop();
    }
}

fn settings(config: &Config, state: Option<&Path>, locator: &DnsLocator) -> Settings {
    let conf = &config.toml.programs;
    let folder = match &config.source {
        Source::Texts => None,
        Source::Directory(folder) => Some(std::path::absolute(folder).unwrap_or_else(|_| folder.clone())),
    };
    let own = folder.as_ref().map(|folder| folder.join("agi-bin"));
    let file = folder.as_ref().map_or(TOML.to_owned(), |folder| folder.join(TOML).display().to_string());
    Settings {
        allowed: Allowed { system: conf.system, agi: conf.agi, speech: conf.speech, curl: conf.curl },
        file,
        script_folders: conf.agi_folder.iter().cloned().chain(own).chain([PathBuf::from(USUAL_FOLDER)]).collect(),
        folder,
        files: state.map(|state| state.join("files")),
        recordings: spool_place::recordings(config, state),
        locator: Some(Arc::new(locator.with(&config.sip))),
        ..Settings::default()
    }
}
