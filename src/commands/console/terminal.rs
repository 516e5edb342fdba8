//! A console for a person: a line to edit, history, completion, and the log above it.

use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::config::Configurer as _;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History as _, MemHistory};
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter as _, Helper};

use super::client::Failure;
use super::connection::{Connection, Loss};
use super::history;
use super::printer::{self, Printer};
use super::step::{Step, carry_out};
use crate::observe::socket_path::Surroundings;
use crate::observe::wire;

const PROMPT: &str = "strowger*CLI> ";

/// Runs until the user leaves, or the input ends. Stays while the exchange is away.
pub(super) fn talk(places: &[PathBuf], verbosity: String, in_colour: bool) -> Result<(), Failure> {
    let config = Config::builder().completion_type(CompletionType::List).build();
    let mut editor: Editor<Words, MemHistory> =
        Editor::with_history(config, MemHistory::new()).map_err(|error| Failure::Io(io_error(error)))?;
    // A terminal that cannot move its cursor gets the log as it comes.
    let printer = match editor.create_external_printer() {
        Ok(mut printer) => Printer::new(in_colour && has_colours(), move |line| drop(printer.print(line))),
        Err(_) => Printer::new(false, |line| printer::print(&line)),
    };
    let (connection, greeting) =
        Connection::open(places, Some(verbosity), Loss::Reconnect, printer.map_err(Failure::Io)?)?;
    printer::print(&format!("Connected to {greeting}. 'help' lists the commands; 'exit' ends this console only.\n"));
    let connection = Rc::new(connection);
    editor.set_helper(Some(Words { connection: Rc::clone(&connection) }));
    let _ = editor.set_max_history_size(history::LENGTH);
    let file = history::file(&Surroundings::of_this_process());
    for line in file.iter().flat_map(|file| history::load(file)) {
        let _ = editor.add_history_entry(line);
    }
    loop {
        let line = match editor.readline(PROMPT) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                printer::print("'exit' or Ctrl-D ends this console.\n");
                continue;
            }
            // The end of the input, or of the terminal.
            Err(ReadlineError::Eof) => return Ok(()),
            Err(ReadlineError::Io(error)) if is_hung_up(&error) => return Ok(()),
            Err(error) => return Err(Failure::Io(io_error(error))),
        };
        let before = editor.history().len();
        let _ = editor.add_history_entry(line.as_str());
        if let Some(file) = file.as_ref().filter(|_| editor.history().len() != before) {
            // A history that cannot be written must not refuse the command.
            let _ = history::add(file, &line);
        }
        match carry_out(&connection, &line) {
            Ok(Step::Next) => {}
            Ok(Step::End) => return Ok(()),
            Err(failure @ (Failure::Away | Failure::LineTooLong | Failure::Silent | Failure::Disconnected)) => {
                // It reconnects by itself; the command is not repeated.
                printer::print(&format!("{failure}\n"));
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Completes the word under the cursor by asking the exchange.
struct Words {
    connection: Rc<Connection>,
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let open = line.get(..position).unwrap_or(line);
        let start = open.rfind(char::is_whitespace).map_or(0, |at| at.saturating_add(1));
        // Without an answer there is nothing to offer; the user sees why at the next command.
        let words = match self.connection.ask(&format!("{}{open}", wire::COMPLETE)) {
            Ok(answer) if !answer.failed => answer.text,
            Ok(_) | Err(_) => String::new(),
        };
        let words: Vec<&str> = words.lines().collect();
        let end = if words.len() == 1 { " " } else { "" };
        let pair = |word: &&str| Pair {
            display: (*word).to_owned(),
            replacement: word.replace('\\', "\\\\").replace(' ', "\\ ").replace('"', "\\\"") + end,
        };
        Ok((start, words.iter().map(pair).collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}

/// NO_COLOR (no-color.org) and terminals that know none.
fn has_colours() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_some_and(|term| term != "dumb" && !term.is_empty())
}

/// The terminal went away: its window was closed, or the line to it broke.
fn is_hung_up(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
        || error.kind() == std::io::ErrorKind::UnexpectedEof
}

fn io_error(error: ReadlineError) -> std::io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => std::io::Error::other(other.to_string()),
    }
}
