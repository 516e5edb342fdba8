//! `strowger -rx "COMMAND"` and `strowger -r`: the client of the control socket.

mod client;
mod connection;
mod history;
mod printer;
mod step;
mod terminal;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Common;
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
    let places = match &common.socket {
        Some(path) => vec![path.clone()],
        None => {
            let config = socket_path::identity(common.config.as_deref());
            socket_path::console_places(
                &Surroundings::of_this_process(),
                &config,
                configured_socket(&config).as_deref(),
            )
        }
    };
    let done = match execute {
        Some(line) => once(&places, line),
        None if io::stdin().is_terminal() && io::stdout().is_terminal() => {
            terminal::talk(&places, verbosity(common.verbose.max(USUAL_VERBOSITY)))
        }
        None => read(&places, Some(common.verbose).filter(|verbose| *verbose > 0).map(verbosity)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn once(places: &[PathBuf], line: &str) -> Result<(), Failure> {
    let mut client = Client::connect(places)?;
    if is_farewell(line) {
        return Ok(());
    }
    match client.ask(line) {
        Ok(answer) => print(&answer.text),
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
