//! `strowger -rx "COMMAND"` and `strowger -r`: the client of the control socket.

mod client;
mod connection;
mod discovery;
mod exchange;
mod history;
mod printer;
pub(super) mod prose;
pub(super) mod step;
mod terminal;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Common;
use crate::observe::command::CONFIGURATION;
use crate::observe::socket_path::{self, Surroundings};
use client::{Client, Failure};
use connection::{Connection, Loss};
use printer::{Printer, print};
use step::{Step, carry_out, is_farewell, is_stop};

/// How much of the story a console tells when nobody says otherwise (`-v`).
const USUAL_VERBOSITY: u8 = 3;
/// Carries out one command, or reads them from the standard input until its end. Ends with 0 when the exchange
/// answered, whatever it answered (as `asterisk -rx` does), and 1 when it could not be reached.
pub fn run(common: &Common, execute: Option<&str>) -> ExitCode {
    let done = places(common).and_then(|places| match execute {
        Some(line) => once(&places, line),
        None if io::stdin().is_terminal() && io::stdout().is_terminal() => {
            terminal::talk(&places, verbosity(common.verbose.max(USUAL_VERBOSITY)), !common.no_color)
        }
        None => read(&places, Some(common.verbose).filter(|verbose| *verbose > 0).map(verbosity)),
    });
    ended(done.map(|()| true))
}

/// `strowger reload`: as `core reload`. Unlike `-rx` it ends with 1 when nothing was reloaded.
pub fn reload(common: &Common) -> ExitCode {
    ended(told(common, "core reload"))
}

/// `strowger peers`: as `sip show peers`.
pub fn peers(common: &Common) -> ExitCode {
    ended(told(common, "sip show peers"))
}

/// `strowger status`: which exchange runs, since when, with how many calls and peers.
pub fn status(common: &Common) -> ExitCode {
    let ask = |client: &mut Client, line: &str| client.ask(line).map(|reply| reply.text);
    let done = places(common).and_then(|places| {
        let mut client = Client::connect(&places)?;
        let version = ask(&mut client, "core show version")?;
        let pid = client.pid().map(|pid| format!(", pid {pid}")).unwrap_or_default();
        let settings = ask(&mut client, "core show settings")?;
        let directory = settings.lines().find(|line| line.trim_start().starts_with(CONFIGURATION));
        print(&format!("{}{pid}\n", version.trim_end()));
        print(&directory.map(|line| format!("{}\n", line.trim_start())).unwrap_or_default());
        print(&ask(&mut client, "core show calls uptime")?);
        let peers = ask(&mut client, "sip show peers")?;
        print(&peers.lines().last().map(|line| format!("{line}\n")).unwrap_or_default());
        Ok(true)
    });
    ended(done)
}

/// Has one command carried out, and prints what it says; whether it was.
fn told(common: &Common, line: &str) -> Result<bool, Failure> {
    let reply = Client::connect(&places(common)?)?.ask(line)?;
    print(&reply.text);
    Ok(!reply.failed)
}

fn ended(done: Result<bool, Failure>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Where the exchange is that the command line means: its socket, or where the one with that configuration would have
/// it. When there is none and nothing was named, the one that runs; when its directory was named, the one that says it
/// has that.
fn places(common: &Common) -> Result<Vec<PathBuf>, Failure> {
    if let Some(path) = &common.socket {
        return Ok(vec![path.clone()]);
    }
    let config = socket_path::identity(common.config.as_deref());
    let configured = configured_socket(&config);
    let places = socket_path::console_places(&Surroundings::of_this_process(), &config, configured.as_deref());
    let looked = match Client::connect(&places) {
        Err(Failure::NotRunning(looked)) => looked,
        // The one that is there; or what keeps this user from it, which is said when it is tried again.
        Ok(_) | Err(_) => return Ok(places),
    };
    let (mut found, forbidden) = discovery::look();
    if common.config.is_some() {
        found.retain(|one| one.directory.as_deref() == Some(config.as_path()));
    }
    match (found.as_slice(), forbidden) {
        ([one], _) => Ok(vec![one.socket.clone()]),
        ([], _) if common.config.is_some() => Err(match discovery::look().0 {
            none if none.is_empty() => Failure::NotRunning(looked),
            others => Failure::Others(looked, others),
        }),
        ([], Some(forbidden)) => Err(forbidden),
        ([], None) => Err(Failure::NotRunning(looked)),
        _ => Err(Failure::Several(found)),
    }
}

fn once(places: &[PathBuf], line: &str) -> Result<(), Failure> {
    let mut client = Client::connect(places)?;
    if is_farewell(line) {
        return Ok(());
    }
    match client.ask(line) {
        Ok(answer) => print(&prose::fit(line, answer.text)),
        // The exchange may be gone before its answer is out: that is what was asked for.
        Err(Failure::Disconnected) if is_stop(line) => {}
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Commands from a pipe or a file: no prompt, and the log only if `-v` asks for it.
fn read(places: &[PathBuf], verbosity: Option<String>) -> Result<(), Failure> {
    let printer = Printer::new(false, |line| print(&line)).map_err(Failure::Io)?;
    let (connection, _) = Connection::open(places, verbosity, Loss::End, printer)?;
    for line in io::stdin().lock().lines() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                eprintln!("cannot read the next command: {error}");
                break;
            }
        };
        match carry_out(&connection, &line)? {
            Step::Next => {}
            Step::End => break,
        }
    }
    Ok(())
}

/// The line that sets a console's verbosity; other consoles keep theirs.
fn verbosity(level: u8) -> String {
    format!("core set verbose atleast {level} silent")
}

/// `[control] socket` of `strowger.toml`. Whatever else is wrong with that file is not the console's affair.
fn configured_socket(config: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(config.join("strowger.toml")).ok()?;
    let table: toml::Table = text.parse().ok()?;
    let socket = table.get("control")?.get("socket")?.as_str()?;
    Some(config.join(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_of_a_broken_or_silent_configuration_is_the_usual_one() {
        let folder = std::env::temp_dir().join(format!("strowger-console-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("strowger.toml");
        for text in ["", "[control]", "[control]\nsocket = 7", "control = 1", "[[["] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(configured_socket(&folder), None, "{text}");
        }
        std::fs::write(&file, "[future]\nx = 1\n[control]\nsocket = \"my.ctl\"\n").unwrap();
        assert_eq!(configured_socket(&folder), Some(folder.join("my.ctl")));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(configured_socket(&folder), None);
    }
}
