//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// A telephone exchange for the home: SIP lines, ATAs and dial-up modems, with Asterisk's configuration files.
///
/// Without a command it runs the exchange in the foreground.
#[derive(Debug, Parser)]
#[command(name = "strowger", version)]
pub struct Cli {
    /// What all commands share.
    #[command(flatten)]
    pub common: Common,

    /// Open a console on the running exchange
    #[arg(short = 'r', long = "console")]
    pub console: bool,

    /// Run one console command, print the result, exit (usually as -rx)
    #[arg(short = 'x', long = "execute", value_name = "COMMAND")]
    pub execute: Option<String>,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// The configuration directory, or the path of an asterisk.conf
    #[arg(short = 'C', long = "config", value_name = "PATH", global = true)]
    pub config: Option<PathBuf>,

    /// Path of the control socket (default: derived from the configuration directory)
    #[arg(long, value_name = "PATH", global = true)]
    pub socket: Option<PathBuf>,

    /// Increase verbosity (repeatable)
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the exchange in the foreground (the default)
    Run,
    /// Run a call between two simulated phones, without any hardware
    Demo,
    /// Check the configuration and report every problem
    Check {
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Report each problem, also of a kind of which there are many
        #[arg(long)]
        all: bool,
    },
    /// Check this machine for what would keep calls from working, with advice
    Doctor {
        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// Create a first configuration, with new secrets, in a directory that has none
    Init {
        /// The directory (default: /etc/strowger)
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Open a console on the running exchange (as -r)
    Console {
        /// Run one console command, print the result, exit
        #[arg(short = 'x', long = "execute", value_name = "COMMAND")]
        execute: Option<String>,
    },
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people: the line, a caret, a hint
    Text,
    /// One JSON document for programs
    Json,
}

/// What the command line asks for, its spellings resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Run the exchange.
    Run,
    /// Show a simulated call.
    Demo,
    /// Check the configuration, and print what is found so.
    Check {
        /// As text or as JSON.
        format: Format,
        /// Every problem, not each kind of them once.
        each: bool,
    },
    /// Look at the machine; as JSON or as text.
    Doctor {
        /// As JSON.
        json: bool,
    },
    /// Write a first configuration into this directory, or the usual one.
    Init(Option<PathBuf>),
    /// Connect to the running exchange; with a command, carry out only that.
    Console(Option<String>),
}

impl Cli {
    /// What is asked for: `-r` and `-x` are the console, as with Asterisk; nothing at all is `run`.
    pub fn task(&self) -> Task {
        match &self.command {
            Some(Command::Console { execute }) => Task::Console(execute.clone().or_else(|| self.execute.clone())),
            Some(Command::Run) => Task::Run,
            Some(Command::Demo) => Task::Demo,
            Some(Command::Check { format, all }) => Task::Check { format: *format, each: *all },
            Some(Command::Doctor { json }) => Task::Doctor { json: *json },
            Some(Command::Init { folder }) => Task::Init(folder.clone()),
            None if self.console || self.execute.is_some() => Task::Console(self.execute.clone()),
            None => Task::Run,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(arguments: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once(&"strowger").chain(arguments)).unwrap()
    }

    fn task(arguments: &[&str]) -> Task {
        parse(arguments).task()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_spellings_scripts_use_are_understood() {
        let channels = Task::Console(Some("core show channels".to_owned()));
        assert_eq!(task(&["-rx", "core show channels"]), channels);
        assert_eq!(task(&["-r", "-x", "core show channels"]), channels);
        assert_eq!(task(&["-x", "core show channels"]), channels);
        assert_eq!(task(&["-C", "/etc/asterisk", "-rvvx", "core show channels"]), channels);
        assert_eq!(task(&["console", "-x", "core show channels"]), channels);
        assert_eq!(task(&["-r"]), Task::Console(None));
        assert_eq!(task(&["console"]), Task::Console(None));
        assert_eq!(task(&[]), Task::Run);
        assert_eq!(task(&["-vvv"]), Task::Run);
        assert_eq!(task(&["demo"]), Task::Demo);
        assert_eq!(task(&["check", "-C", "x"]), Task::Check { format: Format::Text, each: false });
        assert_eq!(task(&["check", "--all"]), Task::Check { format: Format::Text, each: true });
        assert_eq!(task(&["check", "--format", "json"]), Task::Check { format: Format::Json, each: false });
        assert_eq!(task(&["doctor", "--json"]), Task::Doctor { json: true });
        assert_eq!(task(&["init"]), Task::Init(None));
        assert_eq!(task(&["init", "x"]), Task::Init(Some(PathBuf::from("x"))));
    }

    #[test]
    fn common_options_stand_before_or_after_the_command() {
        assert_eq!(parse(&["-rvvvv"]).common.verbose, 4);
        for arguments in [["-C", "x", "run"], ["run", "-C", "x"]] {
            assert_eq!(parse(&arguments).common.config, Some(PathBuf::from("x")));
        }
        assert_eq!(parse(&["console", "--socket", "s"]).common.socket, Some(PathBuf::from("s")));
    }

    #[test]
    fn several_words_after_x_need_quotes() {
        assert!(Cli::try_parse_from(["strowger", "-rx", "core", "show", "channels"]).is_err());
    }
}
