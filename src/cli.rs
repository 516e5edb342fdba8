//! The command line.

mod asterisk;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

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
    #[arg(short = 'r', short_alias = 'R', long = "console")]
    pub console: bool,

    /// Run one console command, print the result, exit (usually as -rx)
    #[arg(short = 'x', long = "execute", value_name = "COMMAND")]
    pub execute: Option<String>,

    /// Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)
    #[arg(short = 'c', global = true)]
    pub foreground_console: bool,

    /// Run the exchange in the foreground; it always does
    #[arg(short = 'f', global = true)]
    pub foreground: bool,

    /// Let the system write a core dump if the exchange crashes
    #[arg(short = 'g', global = true)]
    pub core_dump: bool,

    /// What else Asterisk's command line has.
    #[command(flatten)]
    others: asterisk::Others,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf,
    /// else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)
    #[arg(short = 'C', long = "config", value_name = "PATH", global = true)]
    pub config: Option<PathBuf>,

    /// Path of the control socket (default: derived from the configuration directory)
    #[arg(short_alias = 's', long, value_name = "PATH", global = true)]
    pub socket: Option<PathBuf>,

    /// Increase verbosity (repeatable)
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count, global = true)]
    pub verbose: u8,

    /// No colours at a console
    #[arg(short = 'n', long = "no-color", global = true)]
    pub no_color: bool,
}

/// The configuration directory, named without `-C`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Folder {
    /// The configuration directory, as with -C
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the exchange in the foreground (the default)
    Run(Folder),
    /// Run a call between two simulated phones, without any hardware
    Demo,
    /// Check the configuration and report every problem
    Check {
        /// Which configuration.
        #[command(flatten)]
        folder: Folder,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Report each problem, also of a kind of which there are many
        #[arg(long)]
        all: bool,
    },
    /// Check this machine for what would keep calls from working, with advice
    Doctor {
        /// Which configuration.
        #[command(flatten)]
        folder: Folder,
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
        /// Which exchange.
        #[command(flatten)]
        folder: Folder,
        /// Run one console command, print the result, exit
        #[arg(short = 'x', long = "execute", value_name = "COMMAND")]
        execute: Option<String>,
    },
    /// Have the running exchange read its configuration again (core reload)
    Reload(Folder),
    /// Show whether the exchange runs, since when, and how many calls and peers it has
    Status(Folder),
    /// List the peers of the running exchange (sip show peers)
    Peers(Folder),
    /// List the latest calls, with why each ended; reads what is kept, whether the exchange runs or not
    Calls {
        /// How many
        #[arg(short = 'N', long, value_name = "NUMBER", default_value_t = 20)]
        number: u32,
        /// Also how the sound of each line came, and what to do for a modem
        #[arg(long)]
        quality: bool,
        /// Print the calls, with the quality of their lines, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw the sound of a call: delay, losses, and where jitter buffers of fixed length slip
    Quality {
        /// The call, by its unique id or a channel (default: the latest that was measured)
        #[arg(value_name = "CALL")]
        call: Option<String>,
        /// Print the picture as SVG
        #[arg(long)]
        svg: bool,
    },
    /// Show which sounds there are, measure one, or convert a recording
    #[command(subcommand)]
    Sounds(SoundsTask),
    /// Set up telephones and adapters: show their files, add one, have one fetch its files anew
    #[command(subcommand)]
    Provision(ProvisionTask),
    /// Make the picture for the screen of a Cisco 7940 or 7960 from a PNG, JPEG or BMP file, and show it
    Logo {
        /// The picture
        #[arg(value_name = "IN")]
        input: PathBuf,
        /// The new file
        #[arg(value_name = "OUT", default_value = "logo.bmp")]
        output: PathBuf,
    },
}

/// What to do with sounds.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum SoundsTask {
    /// List the folders where sounds are looked for, and the sounds in them
    List {
        /// Only the names with this in them
        #[arg(value_name = "PATTERN")]
        pattern: Option<String>,
        /// Only the names that begin with this language
        #[arg(long)]
        language: Option<String>,
    },
    /// Show what is played for a name: the file, its format, length and level
    Play {
        /// The name, as the dialplan has it
        name: String,
        /// The language of the call
        #[arg(long, default_value = "")]
        language: String,
        /// Write what a telephone line carries of it into this WAV file
        #[arg(long, value_name = "FILE.wav")]
        to: Option<PathBuf>,
    },
    /// Convert a recording for a telephone line: to 8 kHz, as the ending of OUT says (.ulaw, .alaw, .wav, .sln)
    Convert {
        /// The recording
        #[arg(value_name = "IN")]
        input: PathBuf,
        /// The new file
        #[arg(value_name = "OUT")]
        output: PathBuf,
    },
}

/// What to do about telephones and adapters that fetch their configuration.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ProvisionTask {
    /// Print every file that is made for a device
    Show {
        /// A peer that is one of its lines, or its hardware address
        device: String,
        /// Print passwords, too
        #[arg(long)]
        secrets: bool,
        /// The exchange's address as the device reaches it (default: that of this machine)
        #[arg(long, value_name = "ADDRESS")]
        address: Option<IpAddr>,
    },
    /// Add a telephone or adapter: asks what is not said, makes passwords, writes its peers
    New(NewDevice),
    /// Have a device fetch its files anew: sends the NOTIFY that its make understands
    Push {
        /// A peer that is one of its lines
        peer: String,
    },
}

/// A device that is added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct NewDevice {
    /// The model, such as pap2t or cisco-7960; generic for a softphone and any other
    #[arg(long)]
    pub device: Option<String>,
    /// The hardware address on its label
    #[arg(long)]
    pub mac: Option<String>,
    /// What is on its lines: 'modem 881', 'voice 201', several with commas between
    #[arg(long = "for", value_name = "LINES")]
    pub lines: Option<String>,
    /// The exchange's address as the device reaches it (default: that of this machine)
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<IpAddr>,
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
    Run(Foreground),
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
    /// Write a first configuration into the directory that is named, or the usual one.
    Init,
    /// Connect to the running exchange; with a command, carry out only that.
    Console(Option<String>),
    /// Have the running exchange read its configuration again.
    Reload,
    /// Show how the running exchange is.
    Status,
    /// List the peers of the running exchange.
    Peers,
    /// List the latest calls.
    Calls {
        /// So many.
        number: u32,
        /// With how the sound of their lines came.
        quality: bool,
        /// As JSON.
        json: bool,
    },
    /// Draw the sound of a call.
    Quality {
        /// Which; none: the latest.
        call: Option<String>,
        /// As SVG.
        svg: bool,
    },
    /// Show or convert sounds.
    Sounds(SoundsTask),
    /// Set up telephones and adapters.
    Provision(ProvisionTask),
    /// Make a logo of a picture: the picture, and the new file.
    Logo(PathBuf, PathBuf),
}

/// How the exchange runs in the foreground.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Foreground {
    /// The standard input is a console, also when it is no terminal.
    pub console: bool,
    /// A crash leaves a core dump.
    pub core_dump: bool,
}

impl Cli {
    /// What is asked for: `-r` and `-x` are the console, as with Asterisk; nothing at all is `run`. A directory that
    /// stands behind a command is that of `-C`.
    ///
    /// # Errors
    /// What does not go together, or what there is not, with what to do instead.
    pub fn resolve(self) -> Result<(Common, Task), String> {
        let Cli { mut common, console, execute, foreground_console, foreground, core_dump, others, command } = self;
        others.refusal()?;
        let runs = matches!(command, None | Some(Command::Run(_))) && !console && execute.is_none();
        for (is_given, option) in [(foreground_console, "-c"), (foreground, "-f"), (core_dump, "-g")] {
            if is_given && !runs {
                return Err(format!("{option} belongs to the start of an exchange; leave it out here"));
            }
        }
        let is_console = matches!(command, None | Some(Command::Console { .. }));
        if !is_console && (console || execute.is_some()) {
            return Err("-r and -x open a console, which is a command of its own; leave one of the two out".to_owned());
        }
        for notice in others.notices() {
            eprintln!("strowger: {notice}");
        }
        let (folder, task) = match command {
            None if runs => (None, Task::Run(Foreground { console: foreground_console, core_dump })),
            None => (None, Task::Console(execute)),
            Some(Command::Run(Folder { folder })) => {
                (folder, Task::Run(Foreground { console: foreground_console, core_dump }))
            }
            Some(Command::Demo) if common.config.is_some() => {
                return Err("demo has a configuration of its own; leave -C out".to_owned());
            }
            Some(Command::Demo) => (None, Task::Demo),
            Some(Command::Check { folder, format, all }) => (folder.folder, Task::Check { format, each: all }),
            Some(Command::Doctor { folder, json }) => (folder.folder, Task::Doctor { json }),
            Some(Command::Init { folder }) => (folder, Task::Init),
            Some(Command::Console { folder, execute: own }) => (folder.folder, Task::Console(own.or(execute))),
            Some(Command::Reload(Folder { folder })) => (folder, Task::Reload),
            Some(Command::Status(Folder { folder })) => (folder, Task::Status),
            Some(Command::Peers(Folder { folder })) => (folder, Task::Peers),
            Some(Command::Calls { number, quality, json }) => (None, Task::Calls { number, quality, json }),
            Some(Command::Quality { call, svg }) => (None, Task::Quality { call, svg }),
            Some(Command::Sounds(task)) => (None, Task::Sounds(task)),
            Some(Command::Provision(task)) => (None, Task::Provision(task)),
            Some(Command::Logo { input, output }) => (None, Task::Logo(input, output)),
        };
        common.config = one_of(common.config, folder)?;
        Ok((common, task))
    }
}

/// The directory that was named, by `-C` or behind the command.
fn one_of(option: Option<PathBuf>, argument: Option<PathBuf>) -> Result<Option<PathBuf>, String> {
    let same = |one: &Path, other: &Path| one.components().eq(other.components());
    match (option, argument) {
        (Some(option), Some(argument)) if !same(&option, &argument) => {
            Err(format!("two directories are named, {} and {}; name one", option.display(), argument.display()))
        }
        (option, argument) => Ok(argument.or(option)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(arguments: &[&str]) -> Result<(Common, Task), String> {
        Cli::try_parse_from(std::iter::once(&"strowger").chain(arguments)).unwrap().resolve()
    }

    fn task(arguments: &[&str]) -> Task {
        parse(arguments).unwrap().1
    }

    fn common(arguments: &[&str]) -> Common {
        parse(arguments).unwrap().0
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
        assert_eq!(task(&["-Rx", "core show channels"]), channels);
        assert_eq!(task(&["-C", "/etc/asterisk", "-rvvx", "core show channels"]), channels);
        assert_eq!(task(&["console", "-x", "core show channels"]), channels);
        assert_eq!(task(&["-r"]), Task::Console(None));
        assert_eq!(task(&["console"]), Task::Console(None));
        assert_eq!(task(&["demo"]), Task::Demo);
        assert_eq!(task(&["check", "-C", "x"]), Task::Check { format: Format::Text, each: false });
        assert_eq!(task(&["check", "--all"]), Task::Check { format: Format::Text, each: true });
        assert_eq!(task(&["check", "--format", "json"]), Task::Check { format: Format::Json, each: false });
        assert_eq!(task(&["doctor", "--json"]), Task::Doctor { json: true });
        assert_eq!(task(&["calls", "--json"]), Task::Calls { number: 20, quality: false, json: true });
        assert_eq!(task(&["calls", "-N", "3", "--quality"]), Task::Calls { number: 3, quality: true, json: false });
        let picture = Task::Quality { call: Some("SIP/a-00000001".to_owned()), svg: true };
        assert_eq!(task(&["quality", "SIP/a-00000001", "--svg"]), picture);
        assert_eq!(task(&["init"]), Task::Init);
        assert_eq!((task(&["reload"]), task(&["status"]), task(&["peers"])), (Task::Reload, Task::Status, Task::Peers));
    }

    #[test]
    fn the_exchange_starts_as_asterisk_does() {
        let (plain, console) = (Foreground::default(), Foreground { console: true, core_dump: false });
        for arguments in [&[][..], &["-vvv"], &["-f"], &["run"], &["-vf"], &["-f", "run"], &["run", "-f"]] {
            assert_eq!(task(arguments), Task::Run(plain), "{arguments:?}");
        }
        for arguments in [&["-c"][..], &["-vvvc"], &["-cvvv"], &["-cf"], &["-c", "run"], &["-cn"]] {
            assert_eq!(task(arguments), Task::Run(console), "{arguments:?}");
        }
        assert_eq!(task(&["-vvvgc"]), Task::Run(Foreground { console: true, core_dump: true }));
        assert_eq!((common(&["-vvvc"]).verbose, common(&["-cvvvv"]).verbose), (3, 4));
        let given = common(&["-fC", "/etc/asterisk/asterisk.conf", "-s", "/run/x.ctl"]);
        assert_eq!(given.config, Some(PathBuf::from("/etc/asterisk/asterisk.conf")));
        assert_eq!(given.socket, Some(PathBuf::from("/run/x.ctl")));
    }

    #[test]
    fn common_options_stand_before_or_after_the_command() {
        assert_eq!(common(&["-rvvvv"]).verbose, 4);
        assert_eq!(common(&["-vvvvr"]).verbose, 4);
        for name in ["run", "check", "doctor", "init", "console", "reload", "status", "peers"] {
            for arguments in [&["-C", "x", name][..], &[name, "-C", "x"], &[name, "x"], &["-C", "x/", name, "x"]] {
                assert_eq!(common(arguments).config, Some(PathBuf::from("x")), "{arguments:?}");
            }
            let refused = parse(&["-C", "x", name, "y"]).unwrap_err();
            assert_eq!(refused, "two directories are named, x and y; name one", "{name}");
            assert_eq!(common(&[name]).config, None);
        }
        assert_eq!(common(&["console", "--socket", "s"]).socket, Some(PathBuf::from("s")));
        assert!(common(&["-rn"]).no_color);
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_words() {
        for arguments in [&["-c", "check"][..], &["-rc"], &["-f", "status"], &["-g", "demo"], &["-cx", "help"]] {
            assert!(parse(arguments).unwrap_err().contains("belongs to the start"), "{arguments:?}");
        }
        for arguments in [&["-r", "check"][..], &["-x", "help", "reload"]] {
            assert!(parse(arguments).unwrap_err().contains("a command of its own"), "{arguments:?}");
        }
        for arguments in [["demo", "-C", "x"], ["-C", "x", "demo"]] {
            assert_eq!(parse(&arguments).unwrap_err(), "demo has a configuration of its own; leave -C out");
        }
        assert!(Cli::try_parse_from(["strowger", "demo", "x"]).is_err());
    }

    #[test]
    fn several_words_after_x_need_quotes() {
        assert!(Cli::try_parse_from(["strowger", "-rx", "core", "show", "channels"]).is_err());
    }
}
