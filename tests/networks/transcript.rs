//! What the pages show of the log is what the programs in these networks say: blocks whose info word is `log` and a name.

use std::path::Path;

/// Every line of this block of a page of docs/ was said, in this order. A line of the page is the level and the sentence; `...`
/// stands for what differs from run to run.
pub fn assert_said(page: &str, name: &str, log: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("```log {name}\n")).unwrap_or_else(|| panic!("{page} has no {name}"));
    let (block, _) = rest.split_once("```").unwrap();
    let mut said = log.lines().filter_map(sentence);
    let mut lines = block.lines().peekable();
    assert!(lines.peek().is_some(), "{page}: {name} is empty");
    for line in lines {
        assert!(
            said.any(|sentence| fits(line, &sentence)),
            "{page}, {name}: never said, or not in this order: {line}\n{log}"
        );
    }
}

/// A line of the log without its time and process; `VERBOSE` is left out.
fn sentence(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("] ")?;
    let (head, text) = rest.split_once(" strowger: ")?;
    let level = head.split('[').next()?;
    Some(if level == "VERBOSE" { text.to_owned() } else { format!("{level} {text}") })
}

fn fits(expected: &str, said: &str) -> bool {
    let mut rest = said;
    for (place, piece) in expected.split("...").enumerate() {
        match rest.find(piece) {
            Some(at) if place > 0 || at == 0 => rest = &rest[at + piece.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || expected.ends_with("...")
}

#[test]
fn fitting_finds_what_differs() {
    assert!(fits("a ... b", "a 1 b") && fits("a", "a") && fits("a...", "ab") && !fits("a", "ab") && !fits("b", "ab"));
    let line = "[2026-11-29T20:57:23.000+0000] NOTICE[7] strowger: it is";
    assert_eq!(sentence(line).as_deref(), Some("NOTICE it is"));
}
