//! The command line around an exchange that was started without any configuration, and around several: `check`, `init`,
//! `doctor`, `-rx` and the shortcuts find what the start finds. Each story has a network of its own, where port 5060 is
//! free and no other exchange is to be seen.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "support/skip.rs"]
mod skip;

use skip::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Begins every story: a folder of its own, and words for what it does again and again.
const HEAD: &str = r#"
ready() { for n in $(seq 400); do "$S" "$@" -rx 'core waitfullybooted' >/dev/null 2>&1 && return; sleep 0.05; done; echo "not ready: $*"; cat *.log; exit 1; }
say() { echo "== $*"; "$@" 2>&1; echo "-> $?"; }
P=
trap 'test -z "$P" || kill $P 2>/dev/null; wait' EXIT
cd "$T"
"#;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a script in a network of its own. None when that is not possible here, or when this machine has a
/// configuration of its own.
fn story(name: &str, script: &str) -> Option<String> {
    let folder = Folder(std::env::temp_dir().join(format!("strowger-start-{}-{name}", std::process::id())));
    let _ = fs::remove_dir_all(&folder.0);
    fs::create_dir_all(&folder.0).unwrap();
    if Path::new("/etc/strowger").exists() || Path::new("/etc/asterisk").exists() {
        skip(name, "this machine has a configuration of its own");
        return None;
    }
    let network = |more: &[&str]| -> Output {
        let mut command = Command::new("unshare");
        command.args(more).args(["sh", "-c", &format!("{HEAD}{script}")]);
        command.env("S", env!("CARGO_BIN_EXE_strowger")).env("T", &folder.0);
        command.env("STATE_DIRECTORY", folder.0.join("state")).env("RUNTIME_DIRECTORY", folder.0.join("run"));
        command.env("HOME", &folder.0).env_remove("XDG_STATE_HOME").env_remove("XDG_RUNTIME_DIR");
        command.env_remove("SUDO_UID").stdin(std::process::Stdio::null());
        command.output().unwrap()
    };
    let is_possible =
        |more: &[&str]| Command::new("unshare").args(more).arg("true").output().is_ok_and(|out| out.status.success());
    let way: &[&str] = match (is_possible(&["-n"]), is_possible(&["-rn"])) {
        (true, _) => &["-n"],
        (false, true) => &["-rn"],
        (false, false) => {
            skip(name, "no network of its own is to be had");
            return None;
        }
    };
    let out = network(way);
    let text = String::from_utf8_lossy(&out.stdout).replace(&folder.0.display().to_string(), "T");
    assert!(out.status.success(), "{text}\n{}", String::from_utf8_lossy(&out.stderr));
    Some(text.replace(env!("CARGO_BIN_EXE_strowger"), "strowger"))
}

/// What a command printed, and `-> ` its exit status.
fn of<'a>(text: &'a str, command: &str) -> &'a str {
    let start = text.find(&format!("== {command}\n")).unwrap_or_else(|| panic!("no {command} in {text}"));
    let rest = &text[start..];
    let end = rest[3..].find("\n== ").map_or(rest.len(), |at| at + 4);
    rest[..end].split_once('\n').unwrap().1
}

#[test]
fn after_a_first_start_every_command_finds_what_was_made() {
    let script = r#"
say "$S" check
"$S" >first.log 2>&1 &
P=$!
ready
say cat first.log
say "$S" check
say "$S" check state/conf
say "$S" -rx 'sip show peers like 101'
say "$S" -C state/conf -rx 'core show calls'
say "$S" status
say "$S" reload
say "$S" peers state/conf
say "$S" doctor
say "$S" -rx 'core stop now'
"#;
    let Some(text) = story("first", script) else { return };
    let checks: Vec<&str> = text.match_indices("== strowger check\n").map(|(at, _)| &text[at..]).collect();
    let before = of(checks[0], "strowger check");
    assert!(
        before.contains("/etc/strowger: fatal: there is no such directory") && before.ends_with("-> 78\n"),
        "{before}"
    );
    assert_eq!(of(checks[1], "strowger check"), "T/state/conf: no errors\n10 peers, 1 context\n-> 0\n");
    assert!(of(&text, "strowger check state/conf").starts_with("state/conf: no errors"), "{text}");
    let log = of(&text, "cat first.log");
    assert!(log.contains("  configuration  T/state/conf: 10 peers\n"), "{log}");
    as_the_page_shows(log);
    assert!(of(&text, "strowger -rx sip show peers like 101").contains("\n101 "), "{text}");
    assert_eq!(of(&text, "strowger -C state/conf -rx core show calls"), "0 active calls\n0 calls processed\n-> 0\n");
    let status = of(&text, "strowger status");
    for line in [
        "strowger 0",
        "Configuration directory:     T/state/conf\n",
        "0 active calls\n",
        "System uptime: ",
        "10 sip peers [",
    ] {
        assert!(status.contains(line), "{line}: {status}");
    }
    assert!(status.ends_with("-> 0\n"), "{status}");
    let reload = of(&text, "strowger reload");
    assert!(reload.contains("10 peers") && reload.ends_with("-> 0\n"), "{reload}");
    assert!(of(&text, "strowger peers state/conf").contains("10 sip peers ["), "{text}");
    let doctor = of(&text, "strowger doctor");
    assert!(doctor.contains("T/state/conf loads without errors or warnings"), "{doctor}");
    assert!(doctor.contains("T/state is the exchange's own"), "{doctor}");
}

/// The first start stands in the page as it is printed; there it is at a terminal, and an ordinary user's.
fn as_the_page_shows(log: &str) {
    let page = include_str!("../docs/start/first-call.md");
    let block = page.split("```").find(|block| block.contains("first start: ten extensions")).unwrap();
    let block = block.replace("/home/anna/.local/state/strowger/strowger-", "T/run/strowger-");
    let block = block.replace("/home/anna/.local/state/strowger", "T/state");
    let shown = |line: &str| match line.split_once("   secret ") {
        Some((user, secret)) if secret.len() == 12 => format!("{user} has one"),
        _ => line.to_owned(),
    };
    let mut printed = log.lines().map(shown);
    let mut skips = false;
    for line in block.lines().skip(1).filter(|line| !line.starts_with("  commands ")) {
        if line == "..." {
            skips = true;
            continue;
        }
        let line = shown(line);
        let found = if skips { printed.find(|one| *one == line) } else { printed.next() };
        assert_eq!(found.as_ref(), Some(&line), "{log}");
        skips = false;
    }
    assert_eq!(printed.next().as_deref(), Some("-> 0"), "{log}");
}

#[test]
fn init_makes_what_it_was_told_to_and_says_what_to_type_next() {
    let script = r#"
say "$S" init -C a
say "$S" -C 'b c' init
say "$S" init d
say "$S" check d
say "$S" -C d check
say "$S" check nowhere
say "$S" doctor nowhere
say "$S" -C nowhere
say "$S" init d
ls -d a 'b c' d /etc/strowger 2>/dev/null || true
"#;
    let Some(text) = story("init", script) else { return };
    let next =
        |named: &str| format!("next: strowger -C {named} runs it, strowger -C {named} check looks at it first\n-> 0\n");
    assert!(of(&text, "strowger init -C a").ends_with(&next("a")), "{text}");
    assert!(of(&text, "strowger -C b c init").ends_with(&next("'b c'")), "{text}");
    assert!(
        of(&text, "strowger init d").starts_with("strowger: ten telephones, 101 to 110, made in d/sip.conf"),
        "{text}"
    );
    for command in ["strowger check d", "strowger -C d check"] {
        assert_eq!(of(&text, command), "d: no errors\n10 peers, 1 context\n-> 0\n");
    }
    let check = of(&text, "strowger check nowhere");
    assert!(check.starts_with("nowhere: fatal: there is no such directory\n  hint: "), "{check}");
    assert!(check.ends_with("\nnowhere: 1 fatal error\n-> 78\n"), "{check}");
    assert!(of(&text, "strowger doctor nowhere").contains("nowhere cannot be used as it is"), "{text}");
    assert!(of(&text, "strowger -C nowhere").contains("the configuration of nowhere cannot be used"), "{text}");
    let again = &text[text.rfind("== strowger init d").unwrap()..];
    assert!(again.contains("has a sip.conf already") && again.contains("next: strowger -C d runs it"), "{again}");
    assert!(text.ends_with("\na\nb c\nd\n"), "{text}");
}

#[test]
fn a_console_takes_the_one_that_runs_and_asks_which_of_several() {
    let script = r#"
say "$S" -rx 'core show calls'
for name in a b; do
  "$S" init $name >/dev/null
  sed -i "s/^udpbindaddr=.*/udpbindaddr=0.0.0.0:506$([ $name = a ] && echo 1 || echo 2)/" $name/sip.conf
done
"$S" -C a --socket "$T/elsewhere.ctl" >a.log 2>&1 &
P=$!
ready --socket "$T/elsewhere.ctl"
say "$S" -rx 'core show settings'
say "$S" -C a -rx 'core show calls'
say "$S" -C b -rx 'core show calls'
"$S" -C b >b.log 2>&1 &
P="$P $!"
ready -C b
echo "== both"
"$S" -rx 'core show calls' 2>&1
say "$S" -C b status
say "$S" -rx 'core show calls' --socket "$T/none.ctl"
"#;
    let Some(text) = story("several", script) else { return };
    let none = of(&text, "strowger -rx core show calls");
    assert!(none.contains("no exchange with this configuration runs") && none.ends_with("-> 1\n"), "{none}");
    assert!(of(&text, "strowger -rx core show settings").contains("Configuration directory:     T/a\n"), "{text}");
    assert_eq!(of(&text, "strowger -C a -rx core show calls"), "0 active calls\n0 calls processed\n-> 0\n");
    let other = of(&text, "strowger -C b -rx core show calls");
    assert!(other.contains("What runs is reached with:\n  -C T/a   (pid ") && other.ends_with("-> 1\n"), "{other}");
    let both = of(&text, "both");
    assert!(both.starts_with("2 exchanges run here. Say which one is meant:\n  -C T/"), "{both}");
    assert!(both.contains("  -C T/a   (pid ") && both.contains("  -C T/b   (pid "), "{both}");
    assert!(of(&text, "strowger -C b status").contains("T/b\n"), "{text}");
    assert!(of(&text, "strowger -rx core show calls --socket T/none.ctl").contains("  T/none.ctl\n"), "{text}");
}

/// What another user may do: look at a start of its own, and be told who may use the exchange that runs.
#[test]
fn another_user_sees_its_own_folders_and_who_may_ask() {
    let script = r#"
as="setpriv --reuid=65534 --regid=65534 --clear-groups"
$as true 2>/dev/null || { echo "only root becomes another user"; exit 0; }
"$S" >first.log 2>&1 &
P=$!
ready
mkdir -m 777 own
$as "$S" --version >/dev/null || { echo "nobody may run the program from here"; exit 0; }
export S
echo "== doctor"
env -u STATE_DIRECTORY -u RUNTIME_DIRECTORY XDG_STATE_HOME=$T/own HOME=/nonexistent $as "$S" doctor
echo "== home"
env -u STATE_DIRECTORY -u RUNTIME_DIRECTORY HOME=$T/own $as "$S" doctor
echo "== ask"
env -u STATE_DIRECTORY HOME=$T/own $as "$S" -rx 'core show calls' 2>&1
echo "== found"
env -u STATE_DIRECTORY -u RUNTIME_DIRECTORY HOME=$T/own $as "$S" -rx 'core show calls' 2>&1
true
"#;
    let Some(text) = story("another", script) else { return };
    if !text.contains("== doctor") {
        return skip("another user", text.trim());
    }
    let (own, home) = (of(&text, "doctor"), of(&text, "home"));
    assert!(own.contains("T/own/strowger does not exist yet: the first start makes it"), "{own}");
    assert!(home.contains("T/own/.local/state/strowger does not exist yet"), "{home}");
    let ask = of(&text, "ask");
    assert!(ask.contains("T/run/strowger-b993d99f.ctl") && ask.contains("is open only to root"), "{ask}");
    let found = of(&text, "found");
    assert!(found.contains("T/run/strowger-b993d99f.ctl is open only to root. Try again as such (sudo)."), "{found}");
}
