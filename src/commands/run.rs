//! `strowger`: runs the exchange in the foreground, and says what it listens on, what it took and what to do next.

use super::check::{self, UNUSABLE};
use crate::cli::Common;
use crate::config::builtin::{self, EXTENSIONS};
use crate::config::load::{self, Loaded};
use crate::daemon::{self, Plan, Running, log};
use crate::observe::control::{self, ControlSocket, Limits};
use crate::observe::live::Live;
use crate::observe::place::{self, Surroundings};
use crate::pbx::switch::Stopping;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Runs until told to stop. 0 after a stop, 78 when the configuration cannot be used, 1 when something else is in the way.
pub fn run(common: &Common) -> ExitCode {
    let (place, fresh) = match configuration(common) {
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
        eprintln!("strowger: not started: {} cannot be used as it is", loaded.directory.display());
        return ExitCode::from(UNUSABLE);
    };
    let verbose = config.toml.log.verbose.max(common.verbose);
    log::to_stderr();
    let live = Live::default();
    let sink = log::with_consoles(log::sink(verbose), live.clone());
    let plan = Plan { config: config.clone(), sounds: BTreeMap::new(), sink };
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
    let served = runtime.block_on(serve(common, &loaded, running, live, (fresh, counts.warnings + counts.errors)));
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
    live: Live,
    (fresh, complaints): (bool, usize),
) -> Result<(), String> {
    let socket = open_socket(common, loaded).await?;
    let control = socket.path().to_owned();
    let (ask, mut asked) = mpsc::channel::<control::Request>(64);
    let consoles = tokio::spawn(socket.serve(ask, live, Limits::default()));
    greet(loaded, &running, &control, fresh, complaints);
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let console = running.console();
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while !running.is_over() {
        tokio::select! {
            Some(request) = asked.recv() => { console.ask(request); }
            _ = terminate.recv() => running.stop(Stopping::Now),
            _ = interrupt.recv() => running.stop(Stopping::Now),
            _ = look.tick() => {}
        }
    }
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

fn greet(loaded: &Loaded, running: &Running, control: &Path, fresh: bool, complaints: usize) {
    let Some(config) = &loaded.config else { return };
    let place = loaded.directory.display();
    eprintln!("strowger {} is ready.", env!("CARGO_PKG_VERSION"));
    eprintln!(
        "  listens on     {} (SIP over UDP), RTP ports {}-{}",
        running.sip, config.rtp.port_first, config.rtp.port_last
    );
    eprintln!("  configuration  {place}: {} peers", config.sip.peers.len());
    eprintln!("  console        strowger -C {place} -rx \"sip show peers\"   ({})", control.display());
    if complaints > 0 {
        eprintln!("  to look at     {complaints} warnings or errors above; strowger check -C {place} shows them again");
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

/// Which configuration to run: the one given; else /etc/strowger; else the one made at the first start. Says whether it was made just now.
fn configuration(common: &Common) -> Result<(PathBuf, bool), String> {
    if let Some(place) = &common.config {
        return Ok((place.clone(), false));
    }
    let usual = PathBuf::from(place::DEFAULT_CONFIG);
    if usual.join("sip.conf").exists() {
        return Ok((usual, false));
    }
    if Path::new("/etc/asterisk/sip.conf").exists() {
        eprintln!(
            "strowger: there is a configuration of Asterisk: strowger -C /etc/asterisk runs it (strowger check -C /etc/asterisk looks first)."
        );
    }
    let folders = Surroundings::of_this_process().state_folders();
    for folder in &folders {
        let place = folder.join("conf");
        if place.join("sip.conf").exists() {
            return Ok((place, false));
        }
    }
    let mut failures = Vec::new();
    for folder in &folders {
        let place = folder.join("conf");
        match write_first(&place) {
            Ok(secrets) => {
                show_first(&place, &secrets);
                return Ok((place, true));
            }
            Err(error) => failures.push(format!("{}: {error}", place.display())),
        }
    }
    Err(format!("no configuration given (-C DIR), and none could be made: {}", failures.join("; ")))
}

/// Writes the first configuration with fresh secrets, readable by its owner alone.
fn write_first(place: &Path) -> std::io::Result<[String; EXTENSIONS]> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(place)?;
    let mut secrets = std::array::from_fn(|_| String::new());
    for secret in &mut secrets {
        *secret = fresh_secret()?;
    }
    let texts = builtin::generate(&secrets);
    for (name, text) in [("sip.conf", &texts.sip), ("extensions.conf", &texts.extensions)] {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(place.join(name))?;
        file.write_all(text.as_bytes())?;
    }
    Ok(secrets)
}

/// Twelve characters that are told apart on paper and typed on any phone: 60 bits.
fn fresh_secret() -> std::io::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31))).map(|letter| char::from(*letter)).collect())
}

fn show_first(place: &Path, secrets: &[String; EXTENSIONS]) {
    eprintln!(
        "strowger: first start: ten extensions made in {} (shown once; sip.conf there keeps them):",
        place.display()
    );
    for (number, secret) in (101..).zip(secrets) {
        eprintln!("  user {number}   secret {secret}");
    }
}
