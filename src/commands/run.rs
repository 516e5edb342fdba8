//! `strowger`: runs the exchange in the foreground, and prints where it listens, what it runs with and what to do next.

use super::check::{self, UNUSABLE};
use super::init;
use super::keyboard::{self, Keyboard, Verbosity};
use super::last_good;
use super::places::places;
use super::restart::Program;
use crate::cli::{Common, Foreground};
use crate::config::Config;
use crate::config::diagnostic::{Severity, render};
use crate::config::digest;
use crate::config::load::{self, Loaded};
use crate::daemon::control_socket::ControlService;
use crate::daemon::log::{self, Log};
use crate::daemon::service::Service;
use crate::daemon::{self, Console, Plan, Running, Thread, systemd};
use crate::event::Level;
use crate::observe::control;
use crate::observe::log_stream::LogStream;
use crate::observe::socket_path::{self, Surroundings};
use crate::pbx::switch::Stopping;
use crate::store::{self, Places};
use crate::wording::plural;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How serving ended.
#[derive(Clone, Copy)]
enum End {
    Stopped,
    Restart,
}

/// Runs until it is stopped. Exit code 0 after a stop, 78 when the configuration cannot be used, 1 after another
/// failure.
pub fn run(common: &Common, foreground: Foreground) -> ExitCode {
    if foreground.core_dump {
        allow_core_dump();
    }
    // Before the program's file may be replaced: a restart runs the new one.
    let program = Program::of_this_process();
    let (place, fresh) = match init::configuration(common) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("strowger: {error}");
            return ExitCode::FAILURE;
        }
    };
    let loaded = load::load(&place);
    let (findings, mut lines) = report(&loaded, &place);
    let (loaded, instead) = last_good::or_last_good(loaded, common, &place);
    let Some(config) = &loaded.config else {
        eprintln!("strowger: not started: the configuration of {} cannot be used as it is", place.display());
        return ExitCode::from(UNUSABLE);
    };
    if let Some(text) = &instead {
        eprintln!("strowger: {text}");
        lines.push((Severity::Fatal, text.clone()));
    }
    let places = places(common, config.toml.state.folder.as_deref(), config.toml.log.folder.as_deref());
    let (least, live) = (common.verbose, LogStream::default());
    let log_folder = log_folder(&places);
    let settings: LogSettings = Box::new(move |config| log_settings(config, &log_folder, least));
    let verbosity = Verbosity::new(settings(config));
    let log = match Log::start(settings(config), live.clone(), reread(place.clone())) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("strowger: not started: no thread for the log: {error}");
            return ExitCode::FAILURE;
        }
    };
    log::install_tracing(log.clone());
    lines.into_iter().for_each(|(severity, line)| log.keep(level(severity), line));
    let started = socket_path(common, &loaded).and_then(|control| {
        let services: Vec<Box<dyn Service>> = vec![
            Box::new(LogService { log: log.clone(), settings, verbosity: verbosity.clone() }),
            Box::new(ControlService::new(control.clone(), live.clone())),
        ];
        let plan = Plan {
            config: config.clone(),
            sink: log::sink(log.clone(), live),
            log: Some(log.clone()),
            reload: Some(place),
            places,
            services,
            activated: program.activation().sockets(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(text)?;
        let (running, _) = daemon::start(plan).map_err(text)?;
        Ok((runtime, running, control))
    });
    let (runtime, running, control) = match started {
        Ok(started) => started,
        Err(error) => {
            announce(&log, Level::Error, &format!("not started: {error}"));
            log.flush();
            return ExitCode::FAILURE;
        }
    };
    if instead.is_none() {
        let trouble = last_good::keep(&loaded, running.state.as_deref()).err();
        trouble.into_iter().for_each(|text| announce(&log, Level::Warning, &text));
    }
    let attended = keyboard::is_attended(foreground.console);
    let greeting = Greeting { common, loaded: &loaded, control: &control, fresh, findings, attended };
    if attended {
        let keyboard = Keyboard { console: running.console(), log: log.clone(), verbosity };
        if let Err(error) = keyboard.start() {
            announce(&log, Level::Warning, &format!("commands typed here are not taken: no thread for them: {error}"));
        }
    }
    let served = runtime.block_on(serve(running, &log, &greeting));
    drop(runtime);
    finish(&served, &log, program)
}

/// Ends the program, or starts it again.
fn finish(served: &Result<End, String>, log: &Log, program: Program) -> ExitCode {
    if let Err(error) = served {
        announce(log, Level::Error, error);
    }
    log.flush();
    match served {
        Ok(End::Stopped) => ExitCode::SUCCESS,
        Ok(End::Restart) => {
            eprintln!("strowger: not started again: {}", program.execute());
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// What a configuration says of the log.
type LogSettings = Box<dyn Fn(&Config) -> log::Settings + Send>;

/// The log's share in a reload. It runs before the exchange does and ends after it, so that it has every line of both.
struct LogService {
    log: Log,
    settings: LogSettings,
    verbosity: Verbosity,
}

impl Service for LogService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        Ok(())
    }

    fn renew(&mut self, config: &Config) {
        self.log.renew(self.verbosity.renew((self.settings)(config)));
    }

    fn stop(&mut self) {}
}

/// Lifts the limit of core dumps, as far as this user may.
fn allow_core_dump() {
    let limit = getrlimit(Resource::Core);
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: limit.maximum, ..limit }) {
        eprintln!("strowger: a crash will leave no core dump (-g): {error}");
    }
}

/// Obeys signals until the switch has stopped.
async fn serve(mut running: Running, log: &Log, greeting: &Greeting<'_>) -> Result<End, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("the system lets no signal be received: {error}"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    greet(greeting, &running);
    log.keep(
        Level::Notice,
        format!("strowger {} is ready, and listens on {}", env!("CARGO_PKG_VERSION"), running.listening.udp),
    );
    let mut ending = false;
    systemd::ready(running.console(), &format!("listens on {}", running.listening))
        .map_err(|error| format!("no thread for the watchdog: {error}"))?;
    loop {
        tokio::select! {
            _ = hang_up.recv() => if !running.reload() {
                announce(log, Level::Warning, "not reloaded: too many reloads wait for the one under way");
            },
            () = either(&mut terminate, &mut interrupt) => {
                if ending {
                    announce(log, Level::Notice, "stopped at once, without waiting for the responses to BYE.");
                    return Ok(End::Stopped);
                }
                ending = true;
                running.stop(Stopping::Now);
            }
            ended = running.ended() => match ended {
                Thread::Switch => break,
                Thread::Receiver | Thread::Connections | Thread::Media | Thread::Programs => {
                    let what = format!("the {ended} has failed: every call is ended, and the exchange with them");
                    announce(log, Level::Error, &what);
                    running.stop(Stopping::Now);
                }
            },
        }
    }
    let end = if running.wants_restart() { End::Restart } else { End::Stopped };
    match end {
        End::Stopped => systemd::stopping(),
        // The service manager would kill a process that reports its end and then continues.
        End::Restart => {}
    }
    let ended = running.join();
    if ended.is_ok() {
        announce(
            log,
            Level::Notice,
            match end {
                End::Stopped => "stopped.",
                End::Restart => "stopped; starting again.",
            },
        );
    }
    ended.map(|()| end)
}

/// Says what is wrong with the configuration, as `check` does when it is little, else ten kinds at most; gives how
/// much it is, and the lines for the log.
fn report(loaded: &Loaded, place: &Path) -> (usize, Vec<(Severity, String)>) {
    let found = check::findings(loaded);
    let (mut lines, left_out) = digest::at_start(&found);
    if lines.len() == found.len() {
        eprint!("{}", render(&found, &|file, line| loaded.source_line(file, line)));
        return (found.len(), lines);
    }
    let all = format!("strowger check -C {} --all", place.display());
    let more = match left_out {
        0 => format!("{}: '{all}' shows each", plural(found.len(), "finding")),
        _ => format!("{}, {left_out} of other kinds: '{all}' shows each", plural(found.len(), "finding")),
    };
    lines.push((Severity::Warning, more));
    for (_, line) in &lines {
        eprintln!("{line}");
    }
    (found.len(), lines)
}

/// Logs something of the program itself: on stderr, and in the log files.
fn announce(log: &Log, level: Level, what: &str) {
    eprintln!("strowger: {what}");
    log.keep(level, what.to_owned());
}

fn level(severity: Severity) -> Level {
    match severity {
        Severity::Fatal | Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    }
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// Where the files of logger.conf lie: the folder that is named, else the one of the state.
fn log_folder(places: &Places) -> PathBuf {
    let state = || store::first_usable(&places.state).ok().or_else(|| places.state.first().cloned());
    places.log.clone().or_else(state).unwrap_or_default()
}

fn log_settings(config: &Config, folder: &Path, least: u8) -> log::Settings {
    log::Settings {
        conf: config.logger.clone(),
        folder: folder.to_owned(),
        max_size: u64::from(config.toml.log.max_size_mib) * 1024 * 1024,
        verbose: config.toml.log.verbose.max(least),
    }
}

/// Reads logger.conf for `logger reload`.
fn reread(place: PathBuf) -> log::Reread {
    Box::new(move || {
        let (logger, loaded) = load::load_logger(&place);
        (logger, loaded.report())
    })
}

/// Where the control socket is: where the command line or strowger.toml says, else the first usable of the usual
/// places.
fn socket_path(common: &Common, loaded: &Loaded) -> Result<PathBuf, String> {
    let configured = loaded.config.as_ref().and_then(|config| config.toml.control.socket.as_ref());
    // The console takes a relative path from the configuration directory, too.
    let configured = configured.map(|path| loaded.directory.join(path));
    match common.socket.clone().or(configured) {
        Some(path) => Ok(path),
        None => {
            let identity = socket_path::identity(common.config.as_deref());
            control::choose(&socket_path::exchange_places(&Surroundings::of_this_process(), &identity, None))
        }
    }
}

fn text(error: io::Error) -> String {
    error.to_string()
}

/// What the greeting is made of.
struct Greeting<'a> {
    common: &'a Common,
    loaded: &'a Loaded,
    /// The control socket.
    control: &'a Path,
    /// The configuration was just made.
    fresh: bool,
    /// Warnings and errors about the configuration.
    findings: usize,
    /// Commands are taken from the standard input.
    attended: bool,
}

fn greet(greeting: &Greeting<'_>, running: &Running) {
    let Greeting { common, loaded, control, fresh, findings, attended } = *greeting;
    let Some(config) = &loaded.config else { return };
    let place = loaded.directory.display();
    eprintln!("strowger {} is ready.", env!("CARGO_PKG_VERSION"));
    eprintln!("  listens on     {}, RTP ports {}-{}", running.listening, config.rtp.port_first, config.rtp.port_last);
    eprintln!("  configuration  {place}: {}", plural(config.sip.peers.len(), "peer"));
    // A console finds the exchange by the same words it was started with.
    let same = common.config.as_ref().map(|given| format!("-C {} ", given.display())).unwrap_or_default();
    eprintln!("  console        strowger {same}-rx \"sip show peers\"   ({})", control.display());
    if let Some(state) = &running.state {
        eprintln!("  state          {}", state.display());
    }
    if findings > 0 {
        let them = if findings == 1 { "one warning or error" } else { "warnings or errors" };
        eprintln!("  to look at     {them} above; strowger check -C {place} shows all of them");
    }
    if attended {
        eprintln!("  commands       may be typed here: help lists them, core stop now ends the exchange");
    }
    if fresh {
        let path = loaded.directory.join("sip.conf");
        eprintln!(
            "  next           point a phone at this machine: user 101, and the secret of [101] in {}",
            path.display()
        );
        eprintln!("                 then dial *43 (echo) or another phone, 102 to 110");
    } else {
        eprintln!("  next           waiting for registrations; each is logged here");
    }
}
