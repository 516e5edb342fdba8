//! The manual pages and the completions are made from the command line's definition, and kept beside the source so that
//! the program need not carry the makers. `STROWGER_BLESS=1 cargo test --test generated_files` makes them anew.

#![allow(clippy::unwrap_used)] // A test's helpers may fail the test.

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use std::fs;
use std::path::{Path, PathBuf};
use strowger::cli::Cli;

/// What clap does not know of, in the language of man(7).
const TAIL: &str = r#".SH "EXIT STATUS"
.TP
0
It was done. The exchange was stopped; \fBcheck\fR found nothing worse than a warning; \fBdoctor\fR found nothing to do.
.TP
1
Something was in the way, or \fBdoctor\fR found something to do.
.TP
2
The command line was not understood.
.TP
78
The configuration cannot be used as it is.
.SH FILES
.TP
.I /etc/strowger
The configuration: sip.conf, extensions.conf, rtp.conf, strowger.toml. Used when it has a sip.conf.
.TP
.I /var/lib/strowger
What outlives a restart; the first configuration is made in its folder conf when there is none in /etc/strowger.
.TP
.I /run/strowger
The control socket, for the exchange's user and root alone.
.SH ENVIRONMENT
.TP
.BR STATE_DIRECTORY ", " RUNTIME_DIRECTORY
Set by systemd for the service: where the state and the control socket are.
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC
Set by systemd: who is told that the exchange is ready and still answers.
"#;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Fails, and says what to do, when the file is not what the definition makes of it.
fn keep(path: &Path, made: &[u8]) {
    if std::env::var_os("STROWGER_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, made).unwrap();
    }
    let kept = fs::read(path).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the command line's definition makes: STROWGER_BLESS=1 cargo test --test generated_files",
        path.display()
    );
}

fn page(command: &Command, name: &str) -> Vec<u8> {
    // Definitions hold names that live as long as the program.
    let shown: &'static str = name.to_owned().leak();
    let man = Man::new(command.clone().name(shown).bin_name(name.replace('-', " ")))
        .title(name.to_uppercase())
        // A date would change with every day it is made on; an empty one is swallowed.
        .date(" ")
        .source(concat!("strowger ", env!("CARGO_PKG_VERSION")))
        .manual("strowger");
    let mut out = Vec::new();
    man.render(&mut out).unwrap();
    out
}

#[test]
fn manual_pages() {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut names = vec!["strowger.1".to_owned()];
    let mut main = page(&command, "strowger");
    main.extend(TAIL.as_bytes());
    keep(&folder("docs/man/strowger.1"), &main);
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("strowger-{}", sub.get_name());
        keep(&folder("docs/man").join(format!("{name}.1")), &page(sub, &name));
        names.push(format!("{name}.1"));
    }
    // A command that was taken away takes its page along.
    let mut kept: Vec<String> = fs::read_dir(folder("docs/man"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    names.sort();
    assert_eq!(kept, names);
}

#[test]
fn completions() {
    for (shell, name) in [(Shell::Bash, "strowger.bash"), (Shell::Zsh, "_strowger"), (Shell::Fish, "strowger.fish")] {
        let mut out = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "strowger", &mut out);
        keep(&folder("conf/completions").join(name), &out);
    }
}
