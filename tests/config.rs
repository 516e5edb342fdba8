//! Configuration files with the expected diagnostics beside them, character for character; and a mutation loop.
//!
//! `NAME.conf` is read as what its name begins with (`sip-`, `rtp-`, `log-`, `ext-`), and `NAME.expected` is what
//! `check` would print. `STROWGER_BLESS=1` writes what is printed now into the `.expected` files, for reading before it
//! is committed.

#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests are not seen as tests

use std::fs;
use std::path::{Path, PathBuf};
use strowger::check;
use strowger::config::diagnostic::{Counts, Diagnostic, render, tidy};
use strowger::config::ini::{self, IncludeRequest, IncludedFile};
use strowger::config::{Config, builtin, logger_conf, rtp_conf, sip_conf};
use strowger::rng::Rng;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config")
}

fn include(request: IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String> {
    let found = fs::read(folder().join(request.pattern)).ok();
    Ok(found.map(|text| IncludedFile { name: request.pattern.into(), text }).into_iter().collect())
}

/// What is said of a file.
fn diagnose(name: &str) -> Vec<Diagnostic> {
    let text = fs::read(folder().join(name)).unwrap();
    let (document, mut diagnostics) = ini::parse(name, &text, &mut include);
    let said = match name.split('-').next().unwrap() {
        "sip" => sip_conf::parse(&document, &Default::default()).1,
        "rtp" => rtp_conf::parse(&document).1,
        "log" => logger_conf::parse(&document).1,
        "ext" => Vec::new(),
        other => panic!("{name}: files beginning with '{other}' are not known"),
    };
    diagnostics.extend(said);
    tidy(&mut diagnostics);
    diagnostics
}

fn print(diagnostics: &[Diagnostic]) -> String {
    let source = |file: &str, line: u32| {
        let text = fs::read_to_string(folder().join(file)).ok()?;
        text.lines().nth(line as usize - 1).map(String::from)
    };
    format!("{}{}\n", render(diagnostics, &source), Counts::of(diagnostics))
}

#[test]
fn diagnostics_are_as_expected() {
    let mut names: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".conf"));
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        let printed = print(&diagnose(&name));
        let file = folder().join(name.replace(".conf", ".expected"));
        if std::env::var_os("STROWGER_BLESS").is_some() {
            fs::write(&file, &printed).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if printed != expected {
            wrong.push(format!("--- {} expected\n{expected}--- printed\n{printed}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A line that warns of nothing else, twice in one place, would be noise.
#[test]
fn a_long_file_loads_with_one_warning_for_each_thing_ignored() {
    let diagnostics = diagnose("sip-long.conf");
    assert!(Counts::of(&diagnostics).is_good());
    let mut lines: Vec<u32> = diagnostics.iter().map(|diagnostic| diagnostic.place.line).collect();
    let all = lines.len();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), all, "two warnings for one line");
    let text = fs::read(folder().join("sip-long.conf")).unwrap();
    let (conf, _) = sip_conf::parse(&ini::parse("sip-long.conf", &text, &mut include).0, &Default::default());
    let names: Vec<&str> = conf.peers.keys().map(String::as_str).collect();
    assert_eq!(names, ["2133", "2134", "2136", "grandstream1", "sip_proxy", "sip_proxy-out", "xlite1"]);
}

/// What cannot work in the long files together: each thing found is so, and was read before it was written down.
#[test]
fn what_is_found_in_the_long_files_is_as_expected() {
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    let (sip, extensions) = (read("sip-long.conf"), read("ext-long.conf"));
    let config = Config::from_texts(&sip, &extensions, "", "").0.unwrap();
    let (plan, _) = strowger::dialplan::parse(&config.extensions, check::REGISTRAR);
    let findings = check::findings(&config, &plan);
    assert!(findings.iter().all(|finding| !finding.code.is_empty()));
    let source = |file: &str, line: u32| {
        let text = if file == "sip.conf" { &sip } else { &extensions };
        text.lines().nth(line as usize - 1).map(String::from)
    };
    let printed = render(&findings, &source);
    let file = folder().join("findings-long.expected");
    if std::env::var_os("STROWGER_BLESS").is_some() {
        fs::write(&file, &printed).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(printed == expected, "--- {} expected\n{expected}--- printed\n{printed}", file.display());
}

#[test]
fn the_configuration_of_the_first_start_loads_without_a_word() {
    let texts = builtin::generate(&std::array::from_fn(|number| format!("k3vw9m2xq8t{number}")));
    let (config, mut diagnostics) = Config::from_texts(&texts.sip, &texts.extensions, "", "");
    let config = config.unwrap();
    let (plan, said) = strowger::dialplan::parse(&config.extensions, check::REGISTRAR);
    diagnostics.extend(said);
    diagnostics.extend(check::findings(&config, &plan));
    assert_eq!(diagnostics, []);
    assert_eq!(config.sip.peers.len(), builtin::EXTENSIONS);
}

/// What stands there as a comment is meant to be taken in.
#[test]
fn the_log_that_the_package_suggests_is_one() {
    let text = include_str!("../conf/install/logger.conf");
    let taken_in = |line: &'static str| match line.strip_prefix(';') {
        Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
        Some(_) | None => format!("{line}\n"),
    };
    for (text, files) in [(text.to_owned(), 0), (text.lines().map(taken_in).collect(), 2)] {
        let (document, mut said) = ini::parse("logger.conf", text.as_bytes(), &mut include);
        let (conf, more) = logger_conf::parse(&document);
        said.extend(more);
        assert_eq!((said, conf.files.len()), (Vec::new(), files));
    }
}

/// No mutation of small files makes the readers panic, and no peer comes out that cannot be used.
#[test]
fn mutated_files_are_survived() {
    let rounds: u64 = std::env::var("STROWGER_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000);
    let mut rng = Rng::from_number(2);
    let mut peers = 0usize;
    for _ in 0..rounds {
        let text = mutant(&mut rng);
        let mut depth = 0;
        let (document, mut diagnostics) = ini::parse("sip.conf", &text, &mut |request: IncludeRequest<'_>| {
            depth += 1;
            let text = request.pattern.as_bytes().to_vec();
            Ok(if depth % 3 == 0 { Vec::new() } else { vec![IncludedFile { name: "x".into(), text }] })
        });
        let (conf, said) = sip_conf::parse(&document, &Default::default());
        diagnostics.extend(said);
        diagnostics.extend(rtp_conf::parse(&document).1);
        diagnostics.extend(logger_conf::parse(&document).1);
        for (name, peer) in &conf.peers {
            assert!(!name.is_empty() && !peer.settings.codecs.entries.is_empty());
            assert!(!peer.settings.context.is_empty() && peer.max_contacts > 0);
        }
        peers += conf.peers.len();
        let printed = render(&diagnostics, &|_, line| {
            let line = text.split(|byte| *byte == b'\n').nth(line as usize - 1)?;
            Some(String::from_utf8_lossy(line).into_owned())
        });
        assert!(!printed.chars().any(|c| c.is_control() && c != '\n'));
    }
    assert!(peers as u64 > rounds / 10, "the mutants are too broken to say much: {peers} peers");
}

const SEED: &str = "[general]\ncontext=a\nudpbindaddr=127.0.0.1:5060\nallow=!all,ulaw:20\nnat=no\nlocalnet=10.0.0.0/8\n\
    [t](!)\ntype=friend\nhost=dynamic\nqualify=200ms\n[p](t)\nsecret=s\\;x ; c\npermit=10.0.0.0/8,!::1\ncallerid=\"A\" <1-2>\n\
    [q](t,p)\nmailbox += 1\n#include x\n;-- b --;\nregexten=1@a&2\nsetvar=A=b\nmd5secret=0123456789abcdef0123456789abcdef\n";

const WORDS: &[&str] = &[
    "[",
    "]",
    "(",
    ")",
    "(+)",
    "(!)",
    "(!,t)",
    "=",
    "=>",
    "+=",
    ";",
    ";--",
    "--;",
    "\\;",
    "\\",
    "\"",
    "<",
    ">",
    "#include y",
    "#tryinclude *",
    "\u{feff}",
    "\r",
    "\n",
    "\t",
    "\0",
    ",",
    "!",
    "/",
    "::",
    "255.255.255.0",
    "99999999999999999999",
    "-1",
    "%",
    "all",
    "no",
    "yes",
    "\u{e4}\u{4e00}",
    "allow",
    "deny",
    "nat",
    "qualfy",
    "externaddr",
    "[general]\n",
    "host=",
];

fn mutant(rng: &mut Rng) -> Vec<u8> {
    let mut text = SEED.as_bytes().to_vec();
    for _ in 0..=rng.below(6) {
        let at = rng.below(text.len() as u64 + 1) as usize;
        let end = (at + rng.below(12) as usize).min(text.len());
        match rng.below(5) {
            0 => drop(text.drain(at..end)),
            1 => {
                let word = WORDS[rng.below(WORDS.len() as u64) as usize];
                drop(text.splice(at..at, word.bytes()));
            }
            2 => {
                let copy = text[at..end].to_vec();
                let to = rng.below(text.len() as u64 + 1) as usize;
                drop(text.splice(to..to, copy));
            }
            3 if at < text.len() => text[at] = rng.below(256) as u8,
            _ => {
                let word = WORDS[rng.below(WORDS.len() as u64) as usize];
                drop(text.splice(at..end, word.bytes()));
            }
        }
    }
    text
}
