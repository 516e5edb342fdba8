//! What the pages show is what the program does: configuration loads, console transcripts are run, the story is the
//! demonstration's.
//!
//! Fenced blocks by their info word: `ini` (first line `; sip.conf` and the like) and `toml` are loaded; `console` is
//! run, its `$ strowger -C conf/examples/NAME -rx ...` lines against an exchange with a copy of that example, or
//! `check -C old` with the page's own blocks above it; `demo` must occur in what `strowger demo` prints. In what is expected, `...` at the end
//! of a line stands for its rest, and alone for any lines.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use strowger::config::{Config, ini, logger_conf};
use strowger::dialplan;

const STROWGER: &str = env!("CARGO_BIN_EXE_strowger");

/// A fenced block of a page.
struct Block {
    page: String,
    line: usize,
    kind: String,
    text: String,
}

impl Block {
    fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }

    /// The configuration file it shows.
    fn file(&self) -> Option<&str> {
        let comment = match self.kind.as_str() {
            "ini" => "; ",
            "toml" => "# ",
            _ => return None,
        };
        let first = self.text.lines().next()?;
        Some(first.strip_prefix(comment).unwrap_or_else(|| panic!("{}: the first line names no file", self.place())))
    }
}

#[test]
fn configuration_loads_without_a_word() {
    let blocks = blocks();
    // What a `check` is shown with is meant to be wrong: the transcript says how.
    let checked = |block: &Block| blocks.iter().any(|other| other.page == block.page && other.text.contains("-C old"));
    let mut seen = 0;
    for block in blocks.iter().filter(|block| !checked(block)) {
        let Some(file) = block.file() else { continue };
        let text = |name: &str| if name == file { block.text.as_str() } else { "" };
        let known = ["sip.conf", "extensions.conf", "rtp.conf", "logger.conf", "features.conf", "res_parking.conf"];
        assert!(
            known.contains(&file) || ["strowger.toml", "sip_notify.conf"].contains(&file),
            "{}: {file}",
            block.place()
        );
        let named = known.iter().chain(&["strowger.toml", "sip_notify.conf"]).map(|name| (*name, text(name)));
        let (config, mut said) = Config::from_named(&named.collect::<Vec<_>>());
        let (logger, read) = ini::parse("logger.conf", text("logger.conf").as_bytes(), &mut ini::no_includes);
        said.extend(read.into_iter().chain(logger_conf::parse(&logger).1));
        said.extend(config.iter().flat_map(|config| dialplan::parse(&config.extensions, "pbx_config").1));
        assert!(said.is_empty(), "{}: {said:?}", block.place());
        seen += 1;
    }
    assert!(seen >= 6, "only {seen} blocks of configuration were found");
}

#[test]
fn console_transcripts_are_what_the_program_prints() {
    let blocks = blocks();
    let mut examples = BTreeMap::new();
    let mut seen = 0;
    for (number, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind == "console") {
        for (command, expected) in transcript(&block.text) {
            let asked = command.strip_prefix("strowger -C conf/examples/").and_then(|rest| rest.split_once(" -rx "));
            let printed = if let Some((example, line)) = asked {
                let exchange = examples.entry(example.to_owned()).or_insert_with(|| Exchange::start(example));
                exchange.ask(line.trim_matches('"'))
            } else if command == "strowger check -C old" {
                check(blocks[..number].iter().filter(|before| before.page == block.page))
            } else {
                panic!("{}: no way to run '{command}'", block.place());
            };
            if let Err(why) = compare(&expected, &printed) {
                panic!("{}: {why}\n$ {command}\n{printed}", block.place());
            }
            seen += 1;
        }
    }
    assert!(seen >= 4, "only {seen} commands were found");
}

#[test]
fn the_story_is_the_demonstrations() {
    let output = Command::new(STROWGER).arg("demo").output().unwrap();
    let story = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{story}");
    let mut seen = 0;
    for block in blocks().iter().filter(|block| block.kind == "demo") {
        // When a line answers its first OPTIONS depends on the machine: such a line may stand anywhere.
        let (anywhere, ordered): (Vec<&str>, Vec<&str>) =
            block.text.lines().partition(|line| line.starts_with("NOTICE"));
        let mut rest = story.lines();
        for line in ordered.into_iter().filter(|line| *line != "...") {
            let found = rest.any(|told| fits(line, told));
            assert!(found, "{}: not in the demonstration, or not in this order: {line}\n{story}", block.place());
        }
        for line in anywhere {
            assert!(story.lines().any(|told| fits(line, told)), "{}: not in the demonstration: {line}", block.place());
        }
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} pieces of the story were found");
}

#[test]
fn comparing_finds_what_differs() {
    assert_eq!(compare("a\nb ...\n...\nd", "a\nb 17\nc\nc\nd\n"), Ok(()));
    assert_eq!(compare("a  \n...", "a\n"), Ok(()));
    assert!(compare("a\nb", "a\nc").is_err() && compare("a", "a\nb").is_err() && compare("a\nb", "a").is_err());
    assert!(compare("a\n...\nd", "a\nb\n").is_err());
    let asked = transcript("$ one\nx\n$ two\ny\nz\n");
    assert_eq!(asked, [("one".to_owned(), "x\n".to_owned()), ("two".to_owned(), "y\nz\n".to_owned())]);
}

/// Whether a line is as expected; blanks at the end do not count.
fn fits(expected: &str, line: &str) -> bool {
    match expected.strip_suffix("...") {
        Some(beginning) => line.starts_with(beginning),
        None => line.trim_end() == expected.trim_end(),
    }
}

/// Compares what is printed with what is expected, and says what differs first.
fn compare(expected: &str, printed: &str) -> Result<(), String> {
    let mut lines = printed.trim_end().lines().peekable();
    let mut skipping = false;
    for wanted in expected.trim_end().lines() {
        if wanted == "..." {
            skipping = true;
            continue;
        }
        let found = if skipping { lines.find(|line| fits(wanted, line)) } else { lines.next() };
        match found {
            Some(line) if fits(wanted, line) => skipping = false,
            Some(line) => return Err(format!("expected '{wanted}', got '{line}'")),
            None => return Err(format!("expected '{wanted}', got nothing more")),
        }
    }
    match lines.next().filter(|_| !skipping) {
        Some(line) => Err(format!("got '{line}' beyond what is expected")),
        None => Ok(()),
    }
}

/// The commands of a transcript, each with what is expected of it.
fn transcript(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push((command.to_owned(), String::new())),
            (None, Some((_, expected))) => *expected += &format!("{line}\n"),
            (None, None) => panic!("a transcript begins with '$ ', not with: {line}"),
        }
    }
    found
}

/// What `check` says of the files shown so far.
fn check<'a>(blocks: impl Iterator<Item = &'a Block>) -> String {
    let folder = Folder::new();
    for block in blocks {
        if let Some(file) = block.file() {
            // A block's first line is the file's name for the reader, and a comment for the program: lines count from
            // there.
            folder.write(file, &block.text);
        }
    }
    let output = Command::new(STROWGER).arg("check").arg("-C").arg(&folder.0).output().unwrap();
    String::from_utf8(output.stdout).unwrap().replace(&folder.0.display().to_string(), "old")
}

/// An exchange with a copy of an example's configuration on a free port.
struct Exchange {
    folder: Folder,
    child: Child,
}

impl Exchange {
    fn start(example: &str) -> Exchange {
        let folder = Folder::new();
        let example = root().join("conf/examples").join(example);
        for entry in fs::read_dir(&example).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if name.ends_with(".conf") {
                folder.write(&name, &fs::read_to_string(entry.path()).unwrap());
            }
        }
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let sip = fs::read_to_string(example.join("sip.conf")).unwrap().replace("udpbindaddr=0.0.0.0\n", "");
        folder.write("sip.conf", &sip.replace("[general]\n", &format!("[general]\nudpbindaddr=127.0.0.1:{port}\n")));
        let socket = folder.0.join("ctl");
        folder.write(
            "strowger.toml",
            &format!("[control]\nsocket = '{}'\n[state]\nfolder = 'state'\n", socket.display()),
        );
        let mut command = Command::new(STROWGER);
        let child = command.arg("-C").arg(&folder.0).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let exchange = Exchange { folder, child };
        for _ in 0..100 {
            if exchange.run("core waitfullybooted").is_some() {
                return exchange;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the exchange does not start");
    }

    fn ask(&self, line: &str) -> String {
        self.run(line).unwrap_or_else(|| panic!("'{line}' is not answered"))
    }

    fn run(&self, line: &str) -> Option<String> {
        let output = Command::new(STROWGER).arg("-C").arg(&self.folder.0).arg("-rx").arg(line).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of its own, gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("strowger-docs-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Readable by its owner alone, or `check` would have something to say of that.
    fn write(&self, name: &str, text: &str) {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(self.0.join(name)).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Every fenced block of the README and of the pages, in order.
fn blocks() -> Vec<Block> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages.iter().flat_map(|path| blocks_of(path)).collect()
}

fn blocks_of(path: &Path) -> Vec<Block> {
    let page = path.strip_prefix(root()).unwrap().display().to_string();
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (line, text) in (1..).zip(fs::read_to_string(path).unwrap().lines()) {
        match (text.strip_prefix("```"), open.take()) {
            (Some(kind), None) => {
                open = Some(Block { page: page.clone(), line, kind: kind.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some(block)) => found.push(block),
            (None, Some(mut block)) => {
                block.text += &format!("{text}\n");
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page}: a block is not closed");
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
