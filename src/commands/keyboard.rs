//! The standard input of an exchange in the foreground: each line is a console command, as at `strowger -r`.

use super::console::prose::fit;
use super::console::step::{is_farewell, shell};
use crate::daemon::Console;
use crate::daemon::log::{Log, Settings};
use crate::observe::command::SetVerbose;
use crate::observe::control::Request;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often it is asked again for what is not there yet, and whether the terminal is ours again.
const AGAIN: Duration = Duration::from_millis(200);

/// The log's settings in force, of which `core set verbose` changes one.
#[derive(Clone)]
pub(super) struct Verbosity(Arc<Mutex<InForce>>);

struct InForce {
    settings: Settings,
    /// What was typed; a reload keeps it.
    chosen: Option<u8>,
}

impl Verbosity {
    pub(super) fn new(settings: Settings) -> Verbosity {
        Verbosity(Arc::new(Mutex::new(InForce { settings, chosen: None })))
    }

    /// The settings of a new configuration, with the verbosity that was typed.
    pub(super) fn renew(&self, settings: Settings) -> Settings {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.settings = settings;
        now.settings.verbose = now.chosen.unwrap_or(now.settings.verbose);
        now.settings.clone()
    }

    /// The settings with another verbosity, and the line that says so.
    fn set(&self, wish: SetVerbose) -> (Settings, String) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was = now.settings.verbose;
        let level = if wish.at_least { wish.level.max(was) } else { wish.level };
        now.chosen = Some(level);
        now.settings.verbose = level;
        let text = match level {
            _ if wish.silent => String::new(),
            level if level == was => format!("Console verbose is still {level}.\n"),
            level => format!("Console verbose was {was} and is now {level}.\n"),
        };
        (now.settings.clone(), text)
    }
}

/// What a line needs to be carried out.
pub(super) struct Keyboard {
    pub(super) console: Console,
    pub(super) log: Log,
    pub(super) verbosity: Verbosity,
}

/// Whether the exchange takes commands from its standard input: it was asked to (`-c`), or somebody sits there.
pub(super) fn is_attended(asked: bool) -> bool {
    asked || io::stdin().is_terminal()
}

impl Keyboard {
    /// Reads commands on a thread of its own, until the input or the exchange ends. The end of the input ends nothing
    /// else.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(super) fn start(self) -> io::Result<()> {
        std::thread::Builder::new().name("keyboard".into()).spawn(move || self.run()).map(drop)
    }

    fn run(&self) {
        let is_terminal = io::stdin().is_terminal();
        let mut line = Vec::new();
        loop {
            if is_terminal {
                wait_for_our_turn();
            }
            line.clear();
            match io::stdin().lock().read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            }
            if !self.carry_out(String::from_utf8_lossy(&line).trim()) {
                return;
            }
        }
        if is_terminal {
            say("The input has ended; the exchange goes on. Ctrl-C, or strowger -rx \"core stop now\", stops it.\n");
        }
    }

    /// False when the exchange has ended.
    fn carry_out(&self, line: &str) -> bool {
        if line.is_empty() {
            return true;
        }
        if let Some(command) = line.strip_prefix('!') {
            shell(command);
            return true;
        }
        if is_farewell(line) {
            return self.leave(line);
        }
        self.ask(line).is_some_and(|text| {
            say(&fit(line, text));
            true
        })
    }

    /// `exit` leaves the program, which is the exchange: nobody's call is ended by a habit.
    fn leave(&self, line: &str) -> bool {
        let Some(calls) = self.ask("core show calls") else { return false };
        if calls.starts_with("0 ") {
            return self.ask("core stop now").is_some_and(|text| {
                say(&text);
                true
            });
        }
        let first = calls.lines().next().unwrap_or_default();
        say(&format!(
            "'{line}' would end the exchange, and with it: {first}. 'core stop now' does that; 'core stop gracefully' \
             waits for the end of the calls.\n"
        ));
        true
    }

    /// The output of a command; `None` when the exchange has ended.
    fn ask(&self, line: &str) -> Option<String> {
        loop {
            let (reply, answer) = oneshot::channel();
            if !self.console.ask(Request { line: line.to_owned(), reply }) {
                return None;
            }
            let output = answer.blocking_recv().ok()?;
            if output.not_yet {
                std::thread::sleep(AGAIN);
                continue;
            }
            let Some(wish) = output.verbose else { return Some(output.text) };
            let (settings, text) = self.verbosity.set(wish);
            self.log.renew(settings);
            return Some(output.text + &text);
        }
    }
}

/// Waits until something was typed, and for this program: one in the background (`&`, Ctrl-Z and `bg`) that reads from
/// its terminal is stopped by the system.
fn wait_for_our_turn() {
    let stdin = io::stdin();
    loop {
        if poll(&mut [PollFd::new(&stdin, PollFlags::IN)], None).is_err() {
            std::thread::sleep(AGAIN);
        }
        // Without a controlling terminal there is nobody it could belong to instead.
        if rustix::termios::tcgetpgrp(&stdin).map_or(true, |group| group == rustix::process::getpgrp()) {
            return;
        }
        std::thread::sleep(AGAIN);
    }
}

/// A terminal that is gone is no error.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_outlives_a_reload() {
        let settings = |verbose| Settings { verbose, ..Settings::default() };
        let verbosity = Verbosity::new(settings(3));
        assert_eq!(verbosity.renew(settings(2)).verbose, 2);
        let wish = SetVerbose { level: 4, at_least: false, silent: false };
        let (now, text) = verbosity.set(wish);
        assert_eq!((now.verbose, text.as_str()), (4, "Console verbose was 2 and is now 4.\n"));
        assert_eq!(verbosity.renew(settings(1)).verbose, 4);
        let (now, text) = verbosity.set(SetVerbose { level: 1, at_least: true, ..wish });
        assert_eq!((now.verbose, text.as_str()), (4, "Console verbose is still 4.\n"));
        assert_eq!(verbosity.set(SetVerbose { level: 0, silent: true, ..wish }).1, "");
    }
}
