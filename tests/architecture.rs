//! Keeps the house as `docs/develop/house.md` draws it: which room may know which, what a pure room may not name, how
//! long a file or a function may grow, how much of a program one type may be, and that files do not stand in circles.
//! It reads the source; a rule that no test keeps leaks.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

use std::path::{Path as FilePath, PathBuf};

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/exceptions.rs"]
mod exceptions;
#[path = "architecture/modules.rs"]
mod modules;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/types.rs"]
mod types;

use exceptions::{EXCEPTIONS, Excess, Rule, judged};
use modules::{Modules, from_root, module_path};
use source::{Source, functions, paths};

/// Lines of a file, without its tests.
const LONGEST_FILE: usize = 600;
/// Lines of a function.
const LONGEST_FUNCTION: usize = 80;
/// Files that may say `unsafe`.
const UNSAFE_ALLOWED: [&str; 0] = [];
/// The one pure file that opens files.
const MAY_OPEN_FILES: &str = "config/load.rs";

/// One row of the house: a room, whether it is pure, and the rooms it may know besides itself.
struct Room {
    name: &'static str,
    pure: bool,
    knows: &'static [&'static str],
}

const fn pure(name: &'static str, knows: &'static [&'static str]) -> Room {
    Room { name, pure: true, knows }
}

const fn ring(name: &'static str, knows: &'static [&'static str]) -> Room {
    Room { name, pure: false, knows }
}

/// Every room there may be. A new one gets a row here and a line in `docs/develop/house.md`.
const ROOMS: &[Room] = &[
    pure("clock", &[]),
    pure("rng", &[]),
    pure("datetime", &["clock", "wording"]),
    pure("event", &["clock", "wording", "linetest"]),
    pure("wording", &[]),
    pure("source_key", &[]),
    pure("stun", &["rng"]),
    pure("sip", &["clock", "rng"]),
    pure("names", &["rng", "sip"]),
    pure("sdp", &["clock", "rng"]),
    pure("rtp", &["clock", "rng", "event"]),
    pure("audio", &["clock", "rng"]),
    pure("linetest", &["clock", "datetime", "wording", "audio"]),
    pure("config", &["clock", "rng", "datetime", "wording", "sip", "names", "sdp", "rtp", "audio"]),
    pure("guard", &["source_key", "clock", "rng", "datetime", "event", "sip", "names", "config"]),
    pure("registrar", &["clock", "rng", "datetime", "event", "sip", "names", "config", "guard"]),
    pure("dialplan", &["clock", "rng", "datetime", "event", "wording", "config", "audio", "linetest"]),
    pure("check", &["clock", "config", "dialplan", "provision"]),
    pure("provision", &["source_key", "clock", "rng", "datetime", "wording", "sdp", "config", "dialplan", "audio"]),
    pure(
        "pbx",
        &[
            "source_key",
            "clock",
            "rng",
            "datetime",
            "event",
            "wording",
            "names",
            "sip",
            "sdp",
            "rtp",
            "audio",
            "linetest",
            "config",
            "guard",
            "registrar",
            "dialplan",
        ],
    ),
    pure("sim", &["clock", "rng", "datetime", "sip", "sdp", "rtp", "audio", "config", "pbx"]),
    ring("net", &["source_key", "stun", "clock", "rng", "sip", "guard", "config", "pbx"]),
    ring("sounds", &["clock", "wording", "audio", "config", "dialplan", "pbx"]),
    ring("media", &["source_key", "clock", "rng", "rtp", "audio", "linetest", "pbx"]),
    ring("programs", &["wording", "dialplan", "pbx", "audio", "net"]),
    ring("store", &["clock", "rng", "datetime", "event", "wording", "sip", "config", "dialplan", "registrar", "pbx"]),
    // The outside sees snapshots and commands, which observe itself defines, and nothing behind them.
    ring("observe", &["clock", "rng", "datetime", "event", "wording"]),
    // What others talk to: no call, no telephone's SIP.
    ring("services", &["observe", "provision", "event", "wording", "source_key", "clock", "rng"]),
    ring("cli", &[]),
    ring(
        "daemon",
        &[
            "stun",
            "clock",
            "rng",
            "datetime",
            "event",
            "wording",
            "names",
            "sip",
            "sdp",
            "rtp",
            "audio",
            "linetest",
            "config",
            "guard",
            "registrar",
            "dialplan",
            "check",
            "provision",
            "pbx",
            "net",
            "media",
            "sounds",
            "store",
            "programs",
            "observe",
            "services",
            "sim",
        ],
    ),
    ring(
        "commands",
        &[
            "clock",
            "rng",
            "datetime",
            "event",
            "wording",
            "sip",
            "sdp",
            "rtp",
            "audio",
            "config",
            "guard",
            "registrar",
            "dialplan",
            "check",
            "provision",
            "pbx",
            "net",
            "media",
            "sounds",
            "store",
            "programs",
            "observe",
            "services",
            "sim",
            "cli",
            "daemon",
        ],
    ),
    ring("main", &["cli", "commands"]),
    ring("lib", &[]),
];

/// Within `pbx`: which part may not know which. The switch routes between lines and calls, which never name each other,
/// and both stand on the core.
const WALLS: &[(&str, &str)] = &[
    ("lines", "calls"),
    ("calls", "lines"),
    ("lines", "switch"),
    ("calls", "switch"),
    ("core", "lines"),
    ("core", "calls"),
    ("core", "switch"),
    ("core", "subscriptions"),
    ("subscriptions", "calls"),
    ("subscriptions", "lines"),
    ("subscriptions", "switch"),
    ("calls", "subscriptions"),
    ("lines", "subscriptions"),
];

/// What a pure room may not name, as the beginning of a path, and what to do instead.
const FORBIDDEN_PATHS: &[(&str, &str)] = &[
    ("tokio", "return an effect and let the daemon carry it out"),
    ("socket2", "return an effect and let the ring carry it out"),
    ("rustix", "leave system calls to the ring"),
    ("std::fs", "take the bytes as an argument; only config/load.rs opens files"),
    ("std::thread", "leave threads to the ring"),
    ("std::process", "leave processes to the ring"),
    ("std::env", "take what the surroundings say as an argument"),
    ("std::os", "leave the system to the ring"),
    ("std::io::stdin", "take the bytes as an argument"),
    ("std::io::stdout", "return what is to be said"),
    ("std::io::stderr", "return what is to be said"),
    ("rand", "take `&mut crate::rng::Rng`"),
    ("getrandom", "take `&mut crate::rng::Rng`"),
    ("dashmap", "one owner holds the state; use a BTreeMap"),
];

/// What a pure room may not name anywhere in a path.
const FORBIDDEN_NAMES: &[(&str, &str)] = &[
    ("Instant", "take `crate::clock::Time`"),
    ("SystemTime", "take `crate::clock::Wall`"),
    ("UdpSocket", "return an effect"),
    ("UdpSocketExt", "return an effect"),
    ("TcpStream", "return an effect"),
    ("TcpListener", "return an effect"),
    ("UnixStream", "return an effect"),
    ("UnixListener", "return an effect"),
    ("UnixDatagram", "return an effect"),
    ("ToSocketAddrs", "names are not resolved in the core"),
    ("OsRng", "take `&mut crate::rng::Rng`"),
    ("SysRng", "take `&mut crate::rng::Rng`"),
    ("ThreadRng", "take `&mut crate::rng::Rng`"),
    ("thread_rng", "take `&mut crate::rng::Rng`"),
    ("RandomState", "use a BTreeMap"),
    ("HashMap", "its default hasher seeds itself: use a BTreeMap"),
    ("HashSet", "its default hasher seeds itself: use a BTreeSet"),
    ("Mutex", "one owner holds the state"),
    ("RwLock", "one owner holds the state"),
    ("println", "return what is to be said"),
    ("eprintln", "return what is to be said"),
];

#[test]
fn the_house_stands_as_it_is_drawn() {
    let mut wrong = Vec::new();
    let files = source_files();
    assert!(files.len() > 50, "only {} source files found: is the test looking in the right place?", files.len());
    let mut excesses = Vec::new();
    for source in &files {
        wrong.extend(faults(source));
        excesses.extend(too_long(source));
    }
    let modules = Modules::of(&files);
    excesses.extend(types::excesses(&modules));
    excesses.extend(circles::excesses(&modules));
    wrong.extend(judged(&excesses, EXCEPTIONS));
    assert!(wrong.is_empty(), "{} faults:\n{}\n", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_room_of_the_library_has_a_row() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(declared.len() > 10, "src/lib.rs declares its rooms as `pub mod NAME;`");
    for name in declared {
        assert!(room(name).is_some(), "room `{name}` has no row in tests/architecture.rs");
    }
}

/// Each rule, broken on purpose: a rule that finds nothing keeps nothing.
#[test]
fn each_rule_finds_what_breaks_it() {
    let cases: &[(&str, &str, &str)] = &[
        ("sip/uri.rs", "use crate::sdp::Audio;", "`sip` may not know `sdp`"),
        ("sip/uri.rs", "fn f() { crate::pbx::ring() }", "`sip` may not know `pbx`"),
        ("sip/header/via.rs", "use super::super::super::guard::Verdict;", "`sip` may not know `guard`"),
        ("dialplan/program.rs", "use crate::{clock::Time, sip::message};", "`dialplan` may not know `sip`"),
        ("sdp/line.rs", "use crate::pbx;", "`sdp` may not know `pbx`"),
        ("observe/snapshot.rs", "use crate::pbx::Switch;", "`observe` may not know `pbx`"),
        ("net/udp.rs", "use crate::daemon::run;", "`net` may not know `daemon`"),
        ("daemon/mod.rs", "use crate::commands::run;", "`daemon` may not know `commands`"),
        ("pbx/lines/mod.rs", "use crate::pbx::calls::Calls;", "`pbx::lines` may not know `pbx::calls`"),
        ("pbx/calls/leg/uac.rs", "use super::super::super::lines::Lines;", "`pbx::calls` may not know `pbx::lines`"),
        ("pbx/core.rs", "fn f() { crate::pbx::calls::f() }", "`pbx::core` may not know `pbx::calls`"),
        ("cellar/mod.rs", "fn f() {}", "room `cellar` has no row"),
        ("pbx/switch.rs", "use tokio::net;", "names `tokio`"),
        ("pbx/switch.rs", "use std::{fs, fmt};", "names `std::fs`"),
        ("config/ini.rs", "fn f() { std::fs::read(x); }", "names `std::fs`"),
        ("config/load.rs", "use std::time::Instant;", "names `Instant`"),
        ("rtp/stats.rs", "fn f() { let t = std::time::SystemTime::now(); }", "names `SystemTime`"),
        ("rtp/stats.rs", "use std::sync::Mutex;", "names `Mutex`"),
        ("sim/phone.rs", "use std::net::{IpAddr, UdpSocket};", "names `UdpSocket`"),
        ("guard/ban.rs", "use std::collections::HashMap;", "names `HashMap`"),
        ("audio/tone.rs", "fn f() { std::thread::spawn(g); }", "names `std::thread`"),
        ("dialplan/apps/dial.rs", "use super::echo::run;", "application `dial` names application `echo`"),
        ("dialplan/apps/dial.rs", "use crate::dialplan::apps::echo;", "application `dial` names application `echo`"),
        ("media/worker.rs", "fn f() { unsafe { g() } }", "`unsafe`"),
    ];
    for (name, text, fault) in cases {
        let found = faults(&Source::new(name, text));
        assert!(found.iter().any(|line| line.contains(fault)), "{name}: {text}\nwanted: {fault}\nfound: {found:?}");
    }
    let long = format!("fn f() {{\n{}}}\n", "g();\n".repeat(LONGEST_FUNCTION));
    let below_tests = format!("#[cfg(test)]\nmod tests;\n{long}");
    for text in [long, below_tests] {
        let found = faults(&Source::new("sip/uri.rs", &text));
        assert!(found.iter().any(|line| line.contains("function `f` has 82 lines")), "found: {found:?}");
    }
}

/// Where the declaration of the tests stands changes nothing of the length of a file.
#[test]
fn a_file_that_is_too_long_is_found() {
    let (long, longest) = ("// x\n".repeat(LONGEST_FILE + 1), "// x\n".repeat(LONGEST_FILE));
    let tests = "#[cfg(test)]\nmod tests;\n";
    let inline = "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n";
    let found = |text: &str| too_long(&Source::new("sip/uri.rs", text)).map(|excess| excess.fault);
    for text in [&long, &format!("{tests}{long}"), &format!("{long}{tests}"), &format!("{inline}{long}")] {
        assert!(found(text).is_some_and(|fault| fault.contains("601 lines")), "found: {:?}", found(text));
    }
    for text in [&longest, &format!("{tests}{longest}"), &format!("{longest}{inline}")] {
        assert_eq!(found(text), None);
    }
}

#[test]
fn what_is_allowed_is_not_found_at_fault() {
    let cases: &[(&str, &str)] = &[
        ("sip/uri.rs", "use crate::clock::Time;\nuse super::message::Message;\nuse std::net::IpAddr;"),
        ("sip/uri.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use crate::sdp::x; use std::fs; }"),
        ("config/load.rs", "use std::fs;"),
        ("dialplan/functions/number.rs", "fn rand() {}"),
        ("net/udp.rs", "use std::net::UdpSocket; use crate::pbx::effect;"),
        ("dialplan/apps/dial.rs", "use super::super::app::App; use super::super::handle::ChannelHandle;"),
        ("dialplan/apps/dial/forks.rs", "use super::request;"),
        ("main.rs", "use strowger::cli::Cli; use strowger::commands;"),
    ];
    for (name, text) in cases {
        let found = faults(&Source::new(name, text));
        assert!(found.is_empty(), "{name}: {text}\nfound: {found:?}");
    }
}

/// The file, if it is longer than a file may be.
fn too_long(source: &Source) -> Option<Excess> {
    let Source { name, lines, .. } = source;
    (*lines > LONGEST_FILE).then(|| Excess {
        rule: Rule::Lines,
        what: name.clone(),
        files: Vec::new(),
        measured: *lines,
        fault: format!(
            "src/{name}: {lines} lines without its tests, at most {LONGEST_FILE}: which second purpose has it?"
        ),
    })
}

/// Everything that no row of the exceptions could allow in one file.
fn faults(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let Source { name, program: tokens, .. } = source;
    let module = module_path(name);
    for function in functions(tokens).iter().filter(|function| function.lines > LONGEST_FUNCTION) {
        let (line, name_, lines) = (function.line, &function.name, function.lines);
        wrong.push(format!(
            "src/{name}:{line}: function `{name_}` has {lines} lines, at most {LONGEST_FUNCTION}: split it"
        ));
    }
    for token in tokens.iter().filter(|token| token.text == "unsafe" && !UNSAFE_ALLOWED.contains(&name.as_str())) {
        wrong.push(format!(
            "src/{name}:{}: `unsafe`: use a safe wrapper, or argue for a row in UNSAFE_ALLOWED",
            token.line
        ));
    }
    let Some(home) = room(module.first().map_or("lib", String::as_str)) else {
        wrong.push(format!("src/{name}: room `{}` has no row in tests/architecture.rs", module[0]));
        return wrong;
    };
    for path in paths(tokens) {
        let at = format!("src/{name}:{}", path.line);
        let target = from_root(&module, &path.segments);
        wrong.extend(arrow_fault(home, target.as_deref()).map(|fault| format!("{at}: {fault}")));
        wrong.extend(wall_fault(&module, target.as_deref()).map(|fault| format!("{at}: {fault}")));
        wrong.extend(application_fault(&module, target.as_deref()).map(|fault| format!("{at}: {fault}")));
        if home.pure {
            wrong.extend(purity_fault(name, &path.segments).map(|fault| format!("{at}: {fault}")));
        }
    }
    wrong
}

fn arrow_fault(home: &Room, target: Option<&[String]>) -> Option<String> {
    let there = room(target?.first()?)?;
    let known = there.name == home.name || home.name == "lib" || home.knows.contains(&there.name);
    (!known).then(|| {
        format!("`{}` may not know `{}` (docs/develop/house.md, which way arrows may point)", home.name, there.name)
    })
}

fn wall_fault(module: &[String], target: Option<&[String]>) -> Option<String> {
    let part = |path: &[String]| match path {
        [room, part, ..] if room == "pbx" => Some(part.clone()),
        _ => None,
    };
    let (here, there) = (part(module)?, part(target?)?);
    WALLS.contains(&(here.as_str(), there.as_str())).then(|| {
        format!("`pbx::{here}` may not know `pbx::{there}`: the switch carries between them (docs/develop/house.md)")
    })
}

fn application_fault(module: &[String], target: Option<&[String]>) -> Option<String> {
    let here = application(module)?;
    let there = application(target?)?;
    let is_file = |name: &str| {
        let folder = root().join("src/dialplan/apps");
        folder.join(format!("{name}.rs")).exists() || folder.join(name).exists()
    };
    // What is no file in apps/ is the table or a function of apps.rs. `echo` in the tests below.
    let another = here != there && (is_file(there) || there == "echo");
    another.then(|| format!("application `{here}` names application `{there}`: share by an ask or `Outcome::Exec`"))
}

fn application(module: &[String]) -> Option<&str> {
    match module {
        [room, apps, name, ..] if room == "dialplan" && apps == "apps" => Some(name),
        _ => None,
    }
}

fn purity_fault(name: &str, segments: &[String]) -> Option<String> {
    let written = segments.join("::");
    let begins = |path: &str| written == path || written.strip_prefix(path).is_some_and(|rest| rest.starts_with("::"));
    let may = name == MAY_OPEN_FILES;
    let by_path = FORBIDDEN_PATHS.iter().filter(|(path, _)| !(may && matches!(*path, "std::fs" | "std::os")));
    // A word alone is a name of our own; what follows it makes it a crate.
    let by_path = by_path.filter(|(path, _)| begins(path) && segments.len() > 1);
    let by_name = FORBIDDEN_NAMES.iter().filter(|(word, _)| segments.iter().any(|segment| segment == word));
    let mut all = by_path.chain(by_name);
    all.next().map(|(word, instead)| format!("a pure room names `{word}`: {instead}"))
}

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file below `src` that is not test code, by its path from there.
fn source_files() -> Vec<Source> {
    let top = root().join("src");
    let mut found = Vec::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test_code(&path) {
                let name = path.strip_prefix(&top).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn is_test_code(path: &FilePath) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
}
