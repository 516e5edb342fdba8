//! What the doctor found: one line each, what is so and what to do about it.

use crate::wording::json::quoted;
use std::fmt::Write as _;

/// How a finding is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Fine,
    /// Worth knowing; nothing to do.
    Note,
    /// Something to do.
    Todo,
}

impl State {
    /// In the JSON and, padded, at the beginning of a line.
    fn word(self) -> &'static str {
        match self {
            State::Fine => "ok",
            State::Note => "note",
            State::Todo => "todo",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// What was looked at: a short word, the same in every release.
    pub(super) check: &'static str,
    pub(super) state: State,
    /// What is so.
    pub(super) what: String,
    /// What to do; empty when there is nothing to do.
    pub(super) advice: String,
}

impl Finding {
    pub(super) fn fine(check: &'static str, what: impl Into<String>) -> Finding {
        Finding { check, state: State::Fine, what: what.into(), advice: String::new() }
    }

    pub(super) fn note(check: &'static str, what: impl Into<String>) -> Finding {
        Finding { check, state: State::Note, what: what.into(), advice: String::new() }
    }

    pub(super) fn todo(check: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { check, state: State::Todo, what: what.into(), advice: advice.into() }
    }

    pub(super) fn is_todo(&self) -> bool {
        self.state == State::Todo
    }
}

/// One line for each, then how many ask for something to be done.
pub(super) fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    for Finding { check, state, what, advice } in findings {
        let word = state.word();
        let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
        let _ = writeln!(out, "{word:<5} {check:<12} {}", one_line(&format!("{what}{advice}")));
    }
    let todo = findings.iter().filter(|finding| finding.is_todo()).count();
    let _ = match todo {
        0 => writeln!(out, "\nNothing to do."),
        1 => writeln!(out, "\nOne thing to do."),
        many => writeln!(out, "\n{many} things to do."),
    };
    out
}

/// The same as one JSON object (RFC 8259): `{"findings":[{"check","state","what","advice"}],"todo":N}`.
pub(super) fn json(findings: &[Finding]) -> String {
    let rows = findings.iter().map(|Finding { check, state, what, advice }| {
        let state = state.word();
        format!(
            "{{\"check\":{},\"state\":{},\"what\":{},\"advice\":{}}}",
            quoted(check),
            quoted(state),
            quoted(what),
            quoted(advice)
        )
    });
    let rows: Vec<String> = rows.collect();
    let todo = findings.iter().filter(|finding| finding.is_todo()).count();
    format!("{{\"findings\":[\n{}\n],\"todo\":{todo}}}\n", rows.join(",\n"))
}

/// The name of a program or a file must not control the terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_so_and_what_to_do() {
        let findings = [
            Finding::fine("clock", "it is 2030-01-01"),
            Finding::todo("port", "port 5060 (UDP) is taken by 'a\u{1b}[2Jb' (pid 7)", "end it"),
        ];
        assert_eq!(
            text(&findings),
            "ok    clock        it is 2030-01-01\n\
             todo  port         port 5060 (UDP) is taken by 'a?[2Jb' (pid 7); end it\n\nOne thing to do.\n"
        );
        assert!(text(&findings[..1]).ends_with("\nNothing to do.\n"));
    }

    #[test]
    fn json_is_escaped() {
        let findings = [Finding::note("x", "a \"b\" \\ \u{1b}\n")];
        assert_eq!(
            json(&findings),
            "{\"findings\":[\n{\"check\":\"x\",\"state\":\"note\",\"what\":\"a \\\"b\\\" \\\\ \\u001b\\u000a\",\"advice\":\"\"}\n],\"todo\":0}\n"
        );
    }
}
