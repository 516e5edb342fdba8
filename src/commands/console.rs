//! `strowger -rx "COMMAND"` and `strowger -r`: the client of the control socket.

mod client;
mod connection;
mod history;
mod printer;
mod terminal;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::cli::Common;
use crate::observe::socket_path::{self, Surroundings};
use client::{Client, Failure};
use connection::{Connection, Loss};
use printer::{Printer, print};

/// How much of the story a console tells when nobody says otherwise (`-v`).
const USUAL_VERBOSITY: u8 = 3;
/// How long an exchange takes to end at most, with a little to spare.
const ENDING: Duration = Duration::from_secs(10);

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
    let (link, _) = Connection::open(places, verbosity, Loss::End, printer)?;
    for line in io::stdin().lock().lines() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                eprintln!("cannot read the next command: {error}");
                break;
            }
        };
        match carry_out(&link, &line)? {
            Step::Next => {}
            Step::End => break,
        }
    }
    Ok(())
}

/// What follows a line.
enum Step {
    Next,
    End,
}

/// Does what a line says: here, or by the exchange.
fn carry_out(link: &Connection, line: &str) -> Result<Step, Failure> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Step::Next);
    }
    if is_farewell(line) {
        return Ok(Step::End);
    }
    if let Some(command) = line.strip_prefix('!') {
        shell(command);
        return Ok(Step::Next);
    }
    let is_stop = is_stop(line);
    link.expect_farewell(is_stop);
    let answer = match link.ask(line) {
        // The exchange may be gone before its answer is out: that is what was asked for.
        Err(Failure::Disconnected) if is_stop => return Ok(Step::End),
        answer => answer,
    };
    let is_gracefully = line.to_ascii_lowercase().ends_with("gracefully");
    if !is_stop || (is_gracefully && link.looks_for_it()) || answer.as_ref().is_ok_and(|answer| answer.failed) {
        link.expect_farewell(false);
    }
    let answer = answer?;
    print(&answer.text);
    if is_verbosity(line) && !answer.failed {
        link.remember_verbosity(line);
    }
    if is_stop && !is_gracefully && !answer.failed {
        link.wait_for_the_end(ENDING);
        return Ok(Step::End);
    }
    Ok(Step::Next)
}

/// `!COMMAND` is the user's own, and runs as the user; `!` alone is a shell.
fn shell(command: &str) {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    let mut run = Command::new(&shell);
    if !command.trim().is_empty() {
        run.arg("-c").arg(command);
    }
    if let Err(error) = run.status() {
        eprintln!("cannot run {}: {error}; SHELL names the shell to use", shell.display());
    }
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

/// The words that end the console, and not the exchange.
fn is_farewell(line: &str) -> bool {
    let line = line.trim();
    line.eq_ignore_ascii_case("quit") || line.eq_ignore_ascii_case("exit")
}

fn is_stop(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.find(|word| !word.eq_ignore_ascii_case("core"));
    first.is_some_and(|word| word.eq_ignore_ascii_case("stop") || word.eq_ignore_ascii_case("restart"))
}

fn is_verbosity(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let mut words = line.split_whitespace().skip_while(|word| *word == "core");
    words.next() == Some("set") && words.next() == Some("verbose")
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

    #[test]
    fn leaving_is_not_stopping() {
        assert!(is_farewell(" exit \n") && is_farewell("QUIT") && !is_farewell("core stop now"));
        assert!(is_verbosity("core set Verbose 5") && is_verbosity("set verbose 0") && !is_verbosity("set debug 1"));
        assert!(is_stop("core stop now") && is_stop("stop gracefully") && !is_stop("sip show peers"));
    }
}
