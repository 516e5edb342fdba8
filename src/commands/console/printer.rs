//! Where the log appears at a console: above the line that is being typed, in colours if the terminal has them.
//! Writing never waits; lines that the terminal does not take in time are counted, and their number is shown.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::observe::wire::Kind;

/// Maximum number of lines that wait for the terminal.
const MAX_WAITING: usize = 1024;

/// Prints the log at a console, from a thread of its own.
#[derive(Clone)]
pub(super) struct Printer {
    lines: SyncSender<String>,
    missed: Arc<AtomicU64>,
    colours: bool,
}

impl Printer {
    /// Prints whole lines by `print`, on a thread of its own.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(super) fn new(colours: bool, mut print: impl FnMut(String) + Send + 'static) -> io::Result<Printer> {
        let (lines, waiting) = sync_channel::<String>(MAX_WAITING);
        let missed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&missed);
        std::thread::Builder::new().name("print".into()).spawn(move || {
            for line in waiting {
                print(line);
                let lost = counted.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    print(format!("This terminal did not keep up: {lost} lines of the log are not shown here.\n"));
                }
            }
        })?;
        Ok(Printer { lines, missed, colours })
    }

    /// Shows a line of the log.
    pub(super) fn write(&self, kind: Kind, text: &str) {
        self.put(match colour(kind).filter(|_| self.colours) {
            Some(colour) => format!("\x1b[{colour}m{text}\x1b[0m\n"),
            None => format!("{text}\n"),
        });
    }

    /// Shows a remark of the console's own.
    pub(super) fn remark(&self, text: &str) {
        self.put(if self.colours { format!("\x1b[1m{text}\x1b[0m\n") } else { format!("{text}\n") });
    }

    fn put(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Prints on the standard output. A closed pipe (`| head`) is not an error.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The terminal's number for a colour; verbose lines have none.
fn colour(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Ok | Kind::Failed | Kind::Story => None,
        Kind::Notice => Some(36),
        Kind::Warning => Some(33),
        Kind::Error => Some(31),
        Kind::Security => Some(35),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_terminal_that_stalls_is_told_what_it_missed() {
        let (go, wait) = channel::<()>();
        let (seen, shown) = channel();
        let printer = Printer::new(false, move |line| {
            wait.recv().ok();
            seen.send(line).unwrap();
        })
        .unwrap();
        printer.write(Kind::Story, "first");
        // The printer holds the first line or is about to take it: either way this many do not fit.
        for number in 0..MAX_WAITING + 100 {
            printer.write(Kind::Story, &number.to_string());
        }
        drop(go);
        let mut lines = Vec::new();
        while lines.len() < MAX_WAITING + 2 {
            match shown.recv_timeout(std::time::Duration::from_secs(5)) {
                Ok(line) => lines.push(line),
                Err(_) => break,
            }
        }
        let told = lines.iter().find(|line| line.starts_with("This terminal did not keep up: ")).unwrap();
        let missed: usize = told.split(' ').nth(6).unwrap().parse().unwrap();
        assert!((100..=101).contains(&missed), "{told}");
        assert_eq!(lines[0], "first\n");
    }

    #[test]
    fn only_what_is_wrong_is_coloured_and_only_if_wanted() {
        let shown = |colours| {
            let (seen, shown) = channel();
            let printer = Printer::new(colours, move |line| seen.send(line).unwrap()).unwrap();
            printer.write(Kind::Warning, "w");
            printer.write(Kind::Story, "s");
            [shown.recv().unwrap(), shown.recv().unwrap()]
        };
        assert_eq!(shown(true), ["\x1b[33mw\x1b[0m\n", "s\n"]);
        assert_eq!(shown(false), ["w\n", "s\n"]);
    }
}
