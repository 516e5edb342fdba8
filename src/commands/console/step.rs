//! What one line typed at a console does: in the console, in a shell, or in the exchange.

use std::process::Command;
use std::time::Duration;

use super::client::{Failure, Reply};
use super::connection::Connection;
use super::printer::print;
use super::prose::fit;

/// How long an exchange takes to end at most, with a little to spare.
const ENDING: Duration = Duration::from_secs(10);

/// What follows a line.
pub(super) enum Step {
    /// The next line.
    Next,
    /// The console ends.
    End,
}

/// Does what a line says: here, or by the exchange.
pub(super) fn carry_out(connection: &Connection, line: &str) -> Result<Step, Failure> {
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
    connection.expect_farewell(is_stop);
    let answer = match connection.ask(line) {
        // The exchange may be gone before its answer is out: that is what was asked for.
        Err(Failure::Disconnected) if is_stop => return Ok(Step::End),
        answer => answer,
    };
    let is_gracefully = line.to_ascii_lowercase().ends_with("gracefully");
    if !is_stop || (is_gracefully && connection.reconnects()) || answer.as_ref().is_ok_and(|answer| answer.failed) {
        connection.expect_farewell(false);
    }
    let answer = answer?;
    let Reply { failed, text } = answer;
    print(&fit(line, text));
    if is_verbosity(line) && !failed {
        connection.remember_verbosity(line);
    }
    if is_stop && !is_gracefully && !failed {
        connection.wait_for_the_end(ENDING);
        return Ok(Step::End);
    }
    Ok(Step::Next)
}

/// `!COMMAND` is the user's own, and runs as the user; `!` alone is a shell.
pub(in crate::commands) fn shell(command: &str) {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    let mut run = Command::new(&shell);
    if !command.trim().is_empty() {
        run.arg("-c").arg(command);
    }
    if let Err(error) = run.status() {
        eprintln!("cannot run {}: {error}; SHELL names the shell to use", shell.display());
    }
}

/// The words that end the console, and not the exchange.
pub(in crate::commands) fn is_farewell(line: &str) -> bool {
    let line = line.trim();
    line.eq_ignore_ascii_case("quit") || line.eq_ignore_ascii_case("exit")
}

/// Whether it tells the exchange to stop or restart.
pub(super) fn is_stop(line: &str) -> bool {
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
    fn leaving_is_not_stopping() {
        assert!(is_farewell(" exit \n") && is_farewell("QUIT") && !is_farewell("core stop now"));
        assert!(is_verbosity("core set Verbose 5") && is_verbosity("set verbose 0") && !is_verbosity("set debug 1"));
        assert!(is_stop("core stop now") && is_stop("stop gracefully") && !is_stop("sip show peers"));
    }
}
