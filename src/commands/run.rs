//! `strowger`: runs the exchange in the foreground, and says what it listens on, what it took and what to do next.

use super::check::{self, UNUSABLE};
use super::first;
use crate::cli::Common;
use crate::config::load::{self, Loaded};
use crate::daemon::{self, Plan, Running, log, service};
use crate::observe::control::{self, ControlSocket, Limits};
use crate::observe::place::{self, Surroundings};
use crate::pbx::switch::Stopping;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Runs until told to stop. 0 after a stop, 78 when the configuration cannot be used, 1 when something else is in the way.
pub fn run(common: &Common) -> ExitCode {
    let (place, fresh) = match first::configuration(common) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("strowger: {error}");
            return ExitCode::FAILURE;
        }
    };
    let loaded = load::load(&place);
    let (report, counts) = check::report(&loaded);
    eprint!("{report}");
    let Some(config) = &loaded.config else {
        eprintln!("strowger: not started: the configuration of {} cannot be used as it is", place.display());
        return ExitCode::from(UNUSABLE);
    };
    let verbose = config.toml.log.verbose.max(common.verbose);
    log::to_stderr();
    let plan = Plan { config: config.clone(), sounds: BTreeMap::new(), sink: log::sink(verbose) };
    let running = match daemon::start(plan) {
        Ok((running, _)) => running,
        Err(error) => {
            eprintln!("strowger: not started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("strowger: not started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(serve(common, &loaded, running, fresh, counts.warnings + counts.errors));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strowger: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers consoles and signals until the switch has stopped.
async fn serve(
    common: &Common,
    loaded: &Loaded,
    running: Running,
    fresh: bool,
    complaints: usize,
) -> Result<(), String> {
    let socket = open_socket(common, loaded).await?;
    let control = socket.path().to_owned();
    let (ask, mut asked) = mpsc::channel::<control::Request>(64);
    let consoles = tokio::spawn(socket.serve(ask, Limits::default()));
    greet(common, loaded, &running, &control, fresh, complaints);
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let console = running.console();
    service::ready(running.console(), &format!("listens on {} (SIP over UDP)", running.sip))
        .map_err(|error| format!("no thread for the watchdog: {error}"))?;
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while !running.is_over() {
        tokio::select! {
            Some(request) = asked.recv() => { console.ask(request); }
            _ = terminate.recv() => running.stop(Stopping::Now),
            _ = interrupt.recv() => running.stop(Stopping::Now),
            _ = look.tick() => {}
        }
    }
    service::stopping();
    running.join();
    drop(asked);
    // Answers under way are delivered, the socket's file is taken away.
    let _ = consoles.await;
    eprintln!("strowger: stopped.");
    Ok(())
}

async fn open_socket(common: &Common, loaded: &Loaded) -> Result<ControlSocket, String> {
    let configured = loaded.config.as_ref().and_then(|config| config.toml.control.socket.clone());
    let path = match common.socket.clone().or(configured) {
        Some(path) => path,
        None => {
            let identity = place::identity(common.config.as_deref());
            control::choose(&place::exchange_places(&Surroundings::of_this_process(), &identity, None))?
        }
    };
    ControlSocket::open(&path).await.map_err(|error| error.to_string())
}

fn greet(common: &Common, loaded: &Loaded, running: &Running, control: &Path, fresh: bool, complaints: usize) {
    let Some(config) = &loaded.config else { return };
    let place = loaded.directory.display();
    eprintln!("strowger {} is ready.", env!("CARGO_PKG_VERSION"));
    eprintln!(
        "  listens on     {} (SIP over UDP), RTP ports {}-{}",
        running.sip, config.rtp.port_first, config.rtp.port_last
    );
    eprintln!("  configuration  {place}: {} peers", config.sip.peers.len());
    // A console finds the exchange by the same words it was started with.
    let same = common.config.as_ref().map(|given| format!("-C {} ", given.display())).unwrap_or_default();
    eprintln!("  console        strowger {same}-rx \"sip show peers\"   ({})", control.display());
    if complaints > 0 {
        let them = if complaints == 1 { "one warning or error" } else { "warnings or errors" };
        eprintln!("  to look at     {them} above; strowger check -C {place} shows everything again");
    }
    if fresh {
        let path = loaded.directory.join("sip.conf");
        eprintln!(
            "  next           point a phone at this machine: user 101, and the secret of [101] in {}",
            path.display()
        );
        eprintln!("                 then dial *43 (echo) or another phone, 102 to 110");
    } else {
        eprintln!("  next           let your lines register; each is told here as it comes");
    }
}
