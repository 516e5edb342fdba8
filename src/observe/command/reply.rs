//! What a command's function returns, and what of it goes to the console.

/// What goes to the console that asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Whole lines, without anything that controls a terminal. May be empty.
    pub text: String,
    /// The command does not exist, was wrongly used, or could not be carried out.
    pub failed: bool,
    /// There is no output yet: run the same line again a little later (`core waitfullybooted`).
    pub not_yet: bool,
    /// The console changes its verbosity; a line that says so follows the text.
    pub verbose: Option<SetVerbose>,
}

/// How much of the log a console shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetVerbose {
    /// The verbosity; 0: only what was asked for by name.
    pub level: u8,
    /// Never lower it.
    pub at_least: bool,
    /// Without a line that says so.
    pub silent: bool,
}

/// What a command's function returns.
pub(super) enum Reply {
    /// Carried out; this is its output.
    Done(String),
    /// Not carried out, for this reason.
    Failed(String),
    /// Wrongly used.
    Usage,
    /// How to use these commands (`core show help`): only the table knows.
    Help(Vec<String>),
    /// No output yet: ask again a little later.
    NotYet,
    /// Change the verbosity of this console.
    Verbose(SetVerbose),
}

impl Output {
    /// Says why a line was not carried out.
    pub fn failed(text: String) -> Output {
        Output { text, failed: true, ..Output::default() }
    }
}
