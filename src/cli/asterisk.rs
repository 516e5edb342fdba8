//! Options that only Asterisk's command line has: understood, so that an old script or unit is told what to change.

use clap::{ArgAction, Args};

/// What of Asterisk's command line has no counterpart here, or another one.
#[derive(Debug, Default, Args)]
pub(super) struct Others {
    /// Debug levels.
    #[arg(short = 'd', action = ArgAction::Count, hide = true)]
    pub(super) debug: u8,
    #[arg(short = 'F', hide = true)]
    fork: bool,
    #[arg(short = 'U', hide = true, value_name = "USER")]
    user: Option<String>,
    #[arg(short = 'G', hide = true, value_name = "GROUP")]
    group: Option<String>,
    #[arg(short = 'p', hide = true)]
    priority: bool,
    #[arg(short = 'q', hide = true)]
    quiet: bool,
    #[arg(short = 'm', hide = true)]
    mute: bool,
    #[arg(short = 'T', hide = true)]
    timestamps: bool,
    #[arg(short = 'i', hide = true)]
    keys: bool,
    #[arg(short = 'I', hide = true)]
    internal_timing: bool,
    #[arg(short = 't', hide = true)]
    temporary: bool,
    #[arg(short = 'X', hide = true)]
    execute_includes: bool,
    #[arg(short = 'B', hide = true)]
    dark: bool,
    #[arg(short = 'W', hide = true)]
    light: bool,
    #[arg(short = 'L', hide = true, value_name = "LOAD")]
    load: Option<String>,
    #[arg(short = 'M', hide = true, value_name = "CALLS")]
    calls: Option<String>,
    #[arg(short = 'e', hide = true, value_name = "MEMORY")]
    memory: Option<String>,
}

impl Others {
    /// The first of them that was given and is not had, with what to do instead. Those that change nothing a user of
    /// the exchange could notice (keys, timing, colours for light and dark terminals) are taken.
    pub(super) fn refusal(&self) -> Result<(), String> {
        const STDERR: &str =
            "what is printed is the log; [log] verbose in strowger.toml sets how much, and '2>/dev/null' hides it";
        let account = "it changes no user: start it as that one (User= in the unit, or sudo -u)";
        let refused = [
            (self.fork, "-F", "it never leaves the foreground; a service manager (systemd) or '&' does that"),
            (self.user.is_some(), "-U", account),
            (self.group.is_some(), "-G", "it changes no group: start it in that one (Group= in the unit, or sudo -g)"),
            (self.priority, "-p", "it uses no real-time priority; leave it out"),
            (self.quiet, "-q", STDERR),
            (self.mute, "-m", STDERR),
            (self.timestamps, "-T", "the files of logger.conf carry the time of each line, and so does the journal"),
            (self.temporary, "-t", "there are no recordings that could be made elsewhere; leave it out"),
            (self.execute_includes, "-X", "#exec is never run from a configuration file; write its output into a file"),
            (self.load.is_some(), "-L", "there is no limit by load; call-limit= in sip.conf limits a line's calls"),
            (
                self.calls.is_some(),
                "-M",
                "the limit of channels is fixed; call-limit= in sip.conf limits a line's calls",
            ),
            (self.memory.is_some(), "-e", "there is no limit by free memory; MemoryMax= in the unit sets one"),
        ];
        match refused.iter().find(|(is_given, ..)| *is_given) {
            Some((_, option, why)) => Err(format!("Asterisk's {option} is not here: {why}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use clap::Parser as _;

    fn said(arguments: &[&str]) -> Result<(), String> {
        Cli::try_parse_from(std::iter::once(&"strowger").chain(arguments)).unwrap().resolve().map(|_| ())
    }

    #[test]
    fn each_is_taken_or_refused_with_what_to_do() {
        for (arguments, words) in [
            (&["-F"][..], "-F is not here: it never leaves the foreground"),
            (&["-f", "-U", "asterisk"], "-U is not here: it changes no user"),
            (&["-G", "asterisk"], "-G is not here"),
            (&["-mqf"], "-q is not here: what is printed is the log"),
            (&["-pf"], "-p is not here"),
            (&["-rT"], "-T is not here"),
            (&["-M", "10"], "-M is not here"),
            (&["-X"], "#exec is never run"),
        ] {
            let refused = said(arguments).unwrap_err();
            assert!(refused.contains(words), "{arguments:?}: {refused}");
        }
        for arguments in [&["-iIBWf"][..], &["-vvvdddc"], &["-rd"]] {
            assert_eq!(said(arguments), Ok(()), "{arguments:?}");
        }
    }
}
