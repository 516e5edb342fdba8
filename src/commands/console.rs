//! `strowger -rx "COMMAND"` and `strowger -r`: the client of the control socket.

mod client;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Common;
use crate::observe::place::{self, Surroundings};
use client::{Client, Failure};

/// Carries out one command, or reads them from the standard input until its end. Ends with 0 when the exchange
/// answered, whatever it answered (as `asterisk -rx` does), and 1 when it could not be reached.
pub fn run(common: &Common, execute: Option<&str>) -> ExitCode {
    let places = match &common.socket {
        Some(path) => vec![path.clone()],
        None => {
            let config = place::identity(common.config.as_deref());
            place::console_places(&Surroundings::of_this_process(), &config, configured_socket(&config).as_deref())
        }
    };
    let done = match execute {
        Some(line) => once(&places, line),
        None => talk(&places),
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
        Ok(text) => print(&text),
        // The exchange may be gone before its answer is out: that is what was asked for.
        Err(Failure::Disconnected) if is_stop(line) => {}
        Err(failure) => return Err(failure),
    }
    Ok(())
}

fn talk(places: &[PathBuf]) -> Result<(), Failure> {
    let mut client = Client::connect(places)?;
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if is_terminal {
        print(&format!(
            "Connected to {}, pid {}. 'help' lists the commands; 'exit' ends this console only.\n",
            client.ask("core show version")?.trim_end(),
            client.pid().map_or("unknown".to_owned(), |pid| pid.to_string())
        ));
    }
    let mut input = io::stdin().lock();
    loop {
        if is_terminal {
            print("strowger*CLI> ");
        }
        let mut line = String::new();
        match input.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                eprintln!("cannot read the next command: {error}");
                break;
            }
        }
        if is_farewell(&line) {
            return Ok(());
        }
        if !line.trim().is_empty() {
            match client.ask(&line) {
                Ok(text) => print(&text),
                Err(Failure::Disconnected) if is_stop(&line) => return Ok(()),
                Err(failure) => return Err(failure),
            }
        }
    }
    if is_terminal {
        print("\n");
    }
    Ok(())
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

/// What nobody reads any more (`| head`) is not an error.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
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
        assert!(is_stop("core stop now") && is_stop("stop gracefully") && !is_stop("sip show peers"));
    }
}
