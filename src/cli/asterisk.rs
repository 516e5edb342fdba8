//! Options that only Asterisk's command line has: understood, so that an old script or unit is told what to change.

use clap::{ArgAction, Args};
use rustix::process::{getegid, geteuid};

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
    /// What was given, is not had and is not missed: the exchange does what was asked for without it, so that the unit of
    /// Asterisk (`-mqf`, `-fp`) starts it. Those that change nothing a user of the exchange could notice (keys, timing,
    /// colours for light and dark terminals) are taken without a word.
    pub(super) fn notices(&self) -> impl Iterator<Item = String> {
        const STDERR: &str =
            "what is printed is the log; [log] verbose in strowger.toml sets how much, and '2>/dev/null' hides it";
        let taken = [
            (self.debug > 0, "-d", "there are no debug levels: -v shows more, and 'sip set debug on' the messages"),
            (self.quiet, "-q", STDERR),
            (self.mute, "-m", STDERR),
            (self.priority, "-p", "no real-time priority is used"),
            (self.timestamps, "-T", "the files of logger.conf carry the time of each line, and so does the journal"),
            (self.temporary, "-t", "there are no recordings that could be made elsewhere"),
        ];
        let given = taken.into_iter().filter(|(is_given, ..)| *is_given);
        given.map(|(_, option, why)| format!("{option} changes nothing: {why}"))
    }

    /// The first of them that was given and is not had, with what to do instead: without it, the exchange would do other
    /// than was asked for.
    pub(super) fn refusal(&self) -> Result<(), String> {
        let account = "it changes no user: start it as that one (User= in the unit, or sudo -u)";
        let group = "it changes no group: start it in that one (Group= in the unit, or sudo -g)";
        let refused = [
            (self.fork, "-F", "it never leaves the foreground; a service manager (systemd) or '&' does that"),
            (other(&self.user, "/etc/passwd", geteuid().as_raw()), "-U", account),
            (other(&self.group, "/etc/group", getegid().as_raw()), "-G", group),
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

/// Whether a user or group was named that is not the one this process runs as, by name or number.
fn other(named: &Option<String>, table: &str, own: u32) -> bool {
    let Some(named) = named else { return false };
    let table = std::fs::read_to_string(table).unwrap_or_default();
    named.parse() != Ok(own) && !is_called(&table, named, own)
}

/// Whether the number has this name in a table like /etc/passwd: `name:password:number:...` in each line.
fn is_called(table: &str, name: &str, number: u32) -> bool {
    table.lines().any(|line| {
        let mut fields = line.split(':');
        fields.next() == Some(name) && fields.nth(1).and_then(|field| field.parse().ok()) == Some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::{Others, geteuid, is_called};
    use clap::Parser as _;

    fn said(arguments: &[&str]) -> Result<(), String> {
        Cli::try_parse_from(std::iter::once(&"strowger").chain(arguments)).unwrap().resolve().map(|_| ())
    }

    #[test]
    fn each_is_taken_or_refused_with_what_to_do() {
        for (arguments, words) in [
            (&["-F"][..], "-F is not here: it never leaves the foreground"),
            (&["-f", "-U", "nobody-of-this-name"], "-U is not here: it changes no user"),
            (&["-G", "nobody-of-this-name"], "-G is not here"),
            (&["-M", "10"], "-M is not here"),
            (&["-X"], "#exec is never run"),
        ] {
            let refused = said(arguments).unwrap_err();
            assert!(refused.contains(words), "{arguments:?}: {refused}");
        }
        let own = geteuid().as_raw().to_string();
        for arguments in [&["-iIBWf"][..], &["-vvvdddc"], &["-rd"], &["-mqf"], &["-gfp"], &["-rT"], &["-U", &own]] {
            assert_eq!(said(arguments), Ok(()), "{arguments:?}");
        }
    }

    #[test]
    fn what_changes_nothing_is_said_for_each() {
        let others = Others { debug: 3, quiet: true, mute: true, priority: true, ..Others::default() };
        let said: Vec<String> = others.notices().collect();
        assert!(
            said.iter().zip(["-d ", "-q ", "-m ", "-p "]).all(|(line, option)| line.starts_with(option)),
            "{said:?}"
        );
        assert_eq!(said.len(), 4);
        assert_eq!(Others { dark: true, keys: true, ..Others::default() }.notices().count(), 0);
    }

    #[test]
    fn a_user_is_known_by_name_and_number() {
        let table = "root:x:0:0::/root:/bin/sh\nasterisk:x:112:115::/:/bin/false\n";
        assert!(is_called(table, "asterisk", 112));
        assert!(!is_called(table, "asterisk", 0));
        assert!(!is_called(table, "root", 112));
        assert!(!is_called("", "root", 0));
    }
}
