//! The file of sins, with the real program: what users of Asterisk's chan_sip complained about, each with what happens here
//! instead. Those of which a call on the virtual clock tells are in `tests/calls/sins.rs`; the page
//! `docs/explain/old-complaints.md` lists both.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;

use exchange::{Exchange, PATIENCE};
use phones::Phones;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const STROWGER: &str = env!("CARGO_BIN_EXE_strowger");
const SECRET: &str = "k3vw9m2xq8tz";
const ANN: &str = "[ann]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\n";
const PLAN: &str = "[default]\nexten => 1,1,Answer()\n same => n,Wait(60)\nexten => 2,1,Dial(SIP/bob,20)\n";

/// A configuration folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let path = std::env::temp_dir().join(format!("strowger-sins-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        Folder(path)
    }

    /// What `strowger check` prints of it.
    fn check(&self) -> String {
        let output = Command::new(STROWGER).arg("check").arg("-C").arg(&self.0).arg("--all").output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// "I wrote `qualfy=yes`, and nothing happens": an unknown option was ignored without a word. Here each is named with its
/// file, its line and the option it is nearest to; a word that `nat=` never had, too.
#[test]
fn a_typo_has_no_effect_and_no_message() {
    let sip = format!("[general]\nalowguest=no\n{ANN}qualfy=yes\nhsot=dynamic\nnat=rport\n");
    let folder = Folder::new("typo", &[("sip.conf", &sip), ("extensions.conf", "[default]\nexten => 1,1,Anser()\n")]);
    let said = folder.check();
    for words in [
        "sip.conf:2: warning: unknown option 'alowguest'",
        "did you mean 'allowguest'?",
        "sip.conf:7: warning: unknown option 'qualfy'",
        "did you mean 'qualify'?",
        "did you mean 'host'?",
        "sip.conf:9: ",
        "extensions.conf:2: ",
        "did you mean 'Answer'?",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let word = said.lines().find(|line| line.starts_with("sip.conf:9: ")).unwrap();
    assert!(word.contains("'rport'"), "{word}");
}

/// "One broken line, and after a restart no telephone works": sip.conf was read whole or not at all, and said one error at a
/// time. Here all errors are said at once, and a start, too, has the last configuration that could be used.
#[test]
fn one_broken_line_takes_every_telephone_away() {
    let accounts = format!("{ANN}[bob]\ntype=friend\nhost=dynamic\nsecret=password\n#include lines/*.conf\n");
    let accounts = accounts.replace(SECRET, "password");
    let cat = "[cat]\ntype=friend\nhost=dynamic\nsecret=password\n";
    let exchange = Exchange::start_as("broken-line", &accounts, PLAN, |command| {
        let folder = PathBuf::from(command.get_args().nth(1).unwrap()).join("lines");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("cat.conf"), cat).unwrap();
    });
    let kept = exchange.folder.join("state/last-good.conf");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600, "it has the secrets");
    // A reload is kept as well.
    exchange.write("extensions.conf", &format!("{PLAN}exten => 3,1,Dial(SIP/cat,20)\n"));
    exchange.told("dialplan reload");

    // Both files are broken, a file is gone, and the exchange starts anew.
    exchange.write_sip(&format!("{accounts}[general\n[dan](nope)\n"));
    exchange.write("extensions.conf", "exten => 1,1,Answer()\n");
    fs::remove_dir_all(exchange.folder.join("lines")).unwrap();
    exchange.told("core restart now");
    exchange.said_times(" is ready.", 2);
    let log = exchange.log();
    for words in ["sip.conf:14: fatal: ", "sip.conf:15: fatal: ", "extensions.conf:1: fatal: "] {
        assert!(log.contains(words), "all at once: {words}: {log}");
    }
    assert!(log.contains("cannot be used as it is: started with the last one that could, of 20"), "{log}");
    let accounts = ["ann", "bob", "cat"].map(str::to_owned);
    let mut phones = Phones::new(exchange.sip, &accounts);
    phones.connect(0, "3", 2);
    phones.hang_up(0);
    phones.until("it is over", |phones| !phones.lines[2].phone.has_call());
    // What is broken is not taken for good meanwhile.
    assert!(exchange.ask("core reload").0);
    exchange.told("core restart now");
    exchange.said_times(" is ready.", 3);
    // Repaired, it is in force.
    exchange.write_sip(ANN);
    exchange.write("extensions.conf", PLAN);
    let text = exchange.told("core reload");
    assert!(text.starts_with("The new configuration is in force: 1 peer"), "{text}");
    assert!(!fs::read_to_string(&kept).unwrap().contains("[cat]"));
}

/// "Anybody on the machine sees the passwords": `sip show users` printed them, and so did the debug log. Here no command
/// does, nor the log of a telephone that registers.
#[test]
fn the_console_and_the_log_show_secrets() {
    let accounts = format!(
        "{ANN}remotesecret=r3m0tes3cr3t\nauth=me:a9th5ecret@realm\n[bob]\ntype=friend\nhost=dynamic\nsecret=password\n"
    ) + "[trunk]\ntype=peer\nhost=127.0.0.9\nsecret=tr9nks3cr3t\n";
    let exchange = Exchange::start("secrets", &accounts, PLAN);
    exchange.told("sip set debug on");
    exchange.told("core set verbose 5");
    let _bob = Phones::new(exchange.sip, &["bob".to_owned()]);
    let commands = [
        "sip show users",
        "sip show peers",
        "sip show peer ann",
        "sip show peer trunk",
        "sip show settings",
        "sip show registry",
        "sip show objects",
        "core show settings",
        "sip show user ann",
        "database show",
    ];
    let mut shown = String::new();
    for command in commands {
        shown += &exchange.ask(command).1;
    }
    assert!(shown.contains("ann") && shown.contains("Set>"), "{shown}");
    shown += &exchange.log();
    assert!(shown.contains("REGISTER sip:"), "the debug log is on");
    for secret in [SECRET, "r3m0tes3cr3t", "a9th5ecret", "tr9nks3cr3t"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

/// "The server stops answering SIP, and only a restart helps": locks, and a reload that waited for one. Here one thread owns
/// the calls, files are read on another, and the service manager's watchdog is fed by the first. (What becomes of a thread
/// that ends: `tests/endurance.rs`; the watchdog: `tests/service.rs`.)
#[test]
fn the_server_hangs() {
    let exchange = Exchange::start(
        "hangs",
        &format!("{ANN}[bob]\ntype=friend\nhost=dynamic\nsecret=password\n").replace(SECRET, "password"),
        PLAN,
    );
    let mut phones = Phones::new(exchange.sip, &["ann", "bob"].map(str::to_owned));
    std::thread::scope(|scope| {
        let orders: Vec<_> = ["core reload", "sip reload", "core show channels", "sip show peers"]
            .into_iter()
            .map(|line| {
                let exchange = &exchange;
                scope.spawn(move || (0..10).map(|_| exchange.ask(line).1.len()).sum::<usize>())
            })
            .collect();
        let end = Instant::now() + PATIENCE;
        while orders.iter().any(|order| !order.is_finished()) {
            assert!(Instant::now() < end, "a console waits without end");
            phones.connect(0, "2", 1);
            phones.hang_up(0);
            phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
        }
        for order in orders {
            assert!(order.join().unwrap() > 0);
        }
    });
}

/// "Who calls at my cost?": guests were let in by default, and nobody said so. The start says what lets strangers in, and
/// which secrets everybody tries.
#[test]
fn nobody_says_that_the_door_is_open() {
    let sip = "[general]\nallowguest=yes\ncontext=default\n[1000]\ntype=friend\nhost=dynamic\nsecret=1000\n[open]\ntype=friend\nhost=dynamic\n\
        [trunk]\ntype=peer\nhost=192.0.2.9\n";
    let plan = "[default]\nexten => _X.,1,Dial(SIP/${EXTEN}@trunk)\n";
    let said = Folder::new("door", &[("sip.conf", sip), ("extensions.conf", plan)]).check();
    for words in ["allowguest", "'1000' has its own name as its secret", "'open'"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// "260 module files, more than 100 sample configurations, dozens of libraries": here one program, which needs three
/// libraries of the system, and a first configuration of two files.
#[test]
fn a_big_install() {
    let folder = Folder::new("big", &[]);
    let made = folder.0.join("conf");
    assert!(Command::new(STROWGER).arg("init").arg(&made).output().unwrap().status.success());
    let mut files: Vec<_> = fs::read_dir(&made).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["extensions.conf", "sip.conf"]);
    let exchange = Exchange::start("big", ANN, PLAN);
    let maps = fs::read_to_string(format!("/proc/{}/maps", exchange.process())).unwrap();
    let names = maps.lines().filter_map(|line| line.rsplit('/').next()).filter(|name| name.contains(".so"));
    let libraries: std::collections::BTreeSet<&str> = names.map(|name| name.split(".so").next().unwrap()).collect();
    let known = [
        "ld-linux-x86-64",
        "ld-linux-aarch64",
        "ld-linux-armhf",
        "libc",
        "libm",
        "libgcc_s",
        "libnss_files",
        "libnss_dns",
        "libresolv",
    ];
    assert!(libraries.iter().all(|name| known.contains(name)), "{libraries:?}");
}

/// "About 20 errors on a minimal configuration": modules that declined to load. Here a configuration without fault starts
/// without a warning.
#[test]
fn a_start_says_twenty_errors() {
    let exchange = Exchange::start("quiet", ANN, PLAN.split("exten => 2").next().unwrap());
    let log = exchange.log();
    let loud = ["WARNING", "ERROR", "warning", "error", "fatal"];
    assert!(!loud.iter().any(|word| log.contains(word)), "{log}");
    assert!(log.lines().count() < 10, "{log}");
}

/// "`No such command` is all one is told": a command that is cut short or mistyped is answered with the one it was most
/// likely meant to be.
#[test]
fn the_console_helps_nobody() {
    let exchange = Exchange::start("helps", ANN, PLAN);
    for (typed, meant) in [
        ("sip sh peers", "sip show peers"),
        ("sip show pears", "sip show peers"),
        ("core shw channels", "core show channels"),
        ("dialplan relaod", "dialplan reload"),
    ] {
        let (failed, text) = exchange.ask(typed);
        assert!(failed && text.contains(&format!("Did you mean '{meant}'?")), "{typed}: {text}");
    }
}

/// "Times of the log are in whatever the locale has": here ISO 8601 with milliseconds and the zone, or as `dateformat=`
/// has it.
#[test]
fn times_of_the_log_depend_on_the_locale() {
    let first_time = |locale: &str, conf: &str| {
        let exchange = Exchange::start_as("times", ANN, PLAN, |command| {
            command.env("LC_ALL", locale).env("TZ", "UTC");
            let folder = PathBuf::from(command.get_args().nth(1).unwrap());
            fs::write(folder.join("logger.conf"), format!("{conf}[logfiles]\nall => notice,warning,error,verbose\n"))
                .unwrap();
        });
        let path = exchange.folder.join("state/all");
        let end = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(&path).unwrap_or_default();
            if let Some((time, _)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
                return time.to_owned();
            }
            assert!(Instant::now() < end, "nothing is logged");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let is_like = |text: &str, like: &str| {
        let same = |(a, b): (char, char)| if b == '0' { a.is_ascii_digit() } else { a == b };
        text.len() == like.len() && text.chars().zip(like.chars()).all(same)
    };
    for locale in ["C", "de_DE.UTF-8"] {
        let time = first_time(locale, "");
        assert!(is_like(&time, "0000-00-00T00:00:00.000+0000"), "{time}");
    }
    let time = first_time("C", "[general]\ndateformat=%d.%m. %H:%M\n");
    assert!(is_like(&time, "00.00. 00:00"), "{time}");
}

/// The page names every test of both files, and no other.
#[test]
fn the_page_lists_every_complaint() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let page = text("docs/explain/old-complaints.md");
    let mut tests = Vec::new();
    for file in ["tests/sins.rs", "tests/calls/sins.rs"] {
        let source = text(file);
        let named = source.split("#[test]\n").skip(1).filter_map(|part| part.trim_start().strip_prefix("fn "));
        tests.extend(named.filter_map(|part| part.split('(').next()).map(str::to_owned));
    }
    assert!(tests.len() > 18, "{tests:?}");
    for test in tests.iter().filter(|test| *test != "the_page_lists_every_complaint") {
        assert!(page.contains(&format!("`{test}`")), "{test} is not in the page");
    }
    for name in page.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 2) {
        assert!(tests.iter().any(|test| test == name), "{name} is no test");
    }
}
