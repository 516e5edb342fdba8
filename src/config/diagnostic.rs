//! What is wrong with a configuration: what, where and what to do next.

use super::suggest::nearest;
use crate::wording::plural;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a value stands: file and line, so that everything said of it can name the place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the user knows it (`sip.conf`, or a path for an included file).
    pub file: Arc<str>,
    /// The line, from 1; 0 when the file as a whole is meant.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 { write!(f, "{}", self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Loaded all the same, and ignored: an unknown option, a feature the exchange lacks.
    Warning,
    /// The peer or line is left out; the rest loads.
    Error,
    /// The whole file is unusable: the exchange does not start, a reload keeps the old configuration.
    Fatal,
}

/// One problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its severity.
    pub severity: Severity,
    /// Which of [`super::finding::TABLE`] it is; empty: it says how a line was read.
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do next, when there is something to say.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Something that is ignored.
    pub fn warning(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, code: "", place, message: message.into(), hint: None }
    }

    /// Something that leaves out a peer or a line.
    pub fn error(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, code: "", place, message: message.into(), hint: None }
    }

    /// Something that makes the whole file unusable.
    pub fn fatal(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Fatal, code: "", place, message: message.into(), hint: None }
    }

    /// The same with what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// All of it in one line, for a log.
    pub fn in_one_line(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{self}; {hint}"),
            None => self.to_string(),
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Fatal => "fatal",
        })
    }
}

impl std::fmt::Display for Diagnostic {
    /// `sip.conf:12: error: what is wrong`, on one line, fit for a terminal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = format!("{}: {}: {}", self.place, self.severity, self.message);
        f.write_str(&printable(&line))
    }
}

/// How many diagnostics of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// `Severity::Warning`.
    pub warnings: usize,
    /// `Severity::Error`.
    pub errors: usize,
    /// `Severity::Fatal`.
    pub fatals: usize,
}

impl Counts {
    /// Counts them.
    pub fn of(diagnostics: &[Diagnostic]) -> Counts {
        let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        Counts { warnings: count(Severity::Warning), errors: count(Severity::Error), fatals: count(Severity::Fatal) }
    }

    /// Whether there is nothing worse than a warning: `check` exits 0 then.
    pub fn is_good(&self) -> bool {
        self.errors == 0 && self.fatals == 0
    }
}

impl std::fmt::Display for Counts {
    /// `1 fatal error, 2 errors, 3 warnings`, or `no errors`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = [(self.fatals, "fatal error"), (self.errors, "error"), (self.warnings, "warning")];
        let said = words.iter().filter(|(count, _)| *count > 0);
        let said: Vec<String> = said.map(|(count, word)| plural(*count, word)).collect();
        if said.is_empty() { f.write_str("no errors") } else { f.write_str(&said.join(", ")) }
    }
}

/// Puts diagnostics in the order of file and line, each once: a line of a template speaks for every section that takes
/// it over. Those of one line stay in the order they were found.
pub fn tidy(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| a.place.cmp(&b.place));
    let mut seen: BTreeSet<(Place, String)> = BTreeSet::new();
    diagnostics.retain(|diagnostic| seen.insert((diagnostic.place.clone(), diagnostic.message.clone())));
}

/// Prints diagnostics in order, each with its source line, a caret under the word that is meant, and the hint.
/// `source` finds a line (from 1) of a file; without it the line is left out. Secrets in it are covered.
pub fn render(diagnostics: &[Diagnostic], source: &dyn Fn(&str, u32) -> Option<String>) -> String {
    let mut sorted = diagnostics.to_vec();
    tidy(&mut sorted);
    let mut text = String::new();
    for diagnostic in &sorted {
        text.push_str(&format!("{diagnostic}\n"));
        if let Some(line) = source_of(diagnostic, source) {
            let shown = shown(&line);
            if !shown.is_empty() {
                let (blanks, carets) = focus(&shown, &printable(&diagnostic.message));
                text.push_str(&format!("    {shown}\n    {}{}\n", " ".repeat(blanks), "^".repeat(carets)));
            }
        }
        if let Some(hint) = &diagnostic.hint {
            text.push_str(&format!("  hint: {}\n", printable(hint)));
        }
    }
    text
}

/// Where in its line a diagnostic points: the place of the caret in characters from 1; 0 when there is no line.
pub fn column(diagnostic: &Diagnostic, source: &dyn Fn(&str, u32) -> Option<String>) -> usize {
    let Some(line) = source_of(diagnostic, source) else { return 0 };
    let indent = line.chars().take_while(|c| c.is_whitespace()).count();
    let (blanks, _) = focus(&shown(&line), &printable(&diagnostic.message));
    indent.saturating_add(blanks).saturating_add(1)
}

fn source_of(diagnostic: &Diagnostic, source: &dyn Fn(&str, u32) -> Option<String>) -> Option<String> {
    let Place { file, line } = &diagnostic.place;
    if *line == 0 { None } else { source(file, *line) }
}

/// A source line as it may be printed.
fn shown(line: &str) -> String {
    printable(&covered(line.trim())).chars().take(MAX_SHOWN).collect()
}

/// Longer source lines are cut, in characters.
const MAX_SHOWN: usize = 160;

/// What stands for a secret in a source line.
const COVER: &str = "<secret>";

/// Masks the value of a line that names a secret, or seems to: a misspelt `secret` counts.
fn covered(line: &str) -> String {
    let end = line.find(['=', '+', ' ', '\t']).unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    let lower = name.to_ascii_lowercase();
    let is_secret = ["register", "mwi", "auth"].contains(&lower.as_str())
        || ["secret", "passw"].iter().any(|word| lower.contains(word))
        || nearest(&lower, ["secret", "md5secret", "remotesecret"]).is_some();
    let value = rest.trim_start_matches(['=', '>', ' ', '\t', '+']);
    if !is_secret || value.is_empty() {
        return line.into();
    }
    format!("{name}{}{COVER}", rest.strip_suffix(value).unwrap_or(""))
}

/// Where in the line the message points, in characters: the first word it quotes that stands there, the value before
/// the name; else all of it.
fn focus(line: &str, message: &str) -> (usize, usize) {
    let quoted = message.split('\'').skip(1).step_by(2).filter(|word| !word.is_empty());
    for word in quoted {
        let places = || line.match_indices(word).map(|(at, _)| at).filter(|at| stands_alone(line, *at, word.len()));
        let is_name = places().next() == Some(0);
        let found = if is_name { Some(0) } else { places().last() };
        if let Some(at) = found {
            let before = line.get(..at).unwrap_or("");
            return (before.chars().count(), word.chars().count());
        }
    }
    let end = line.find(';').filter(|at| *at > 0).unwrap_or(line.len());
    (0, line.get(..end).unwrap_or(line).trim_end().chars().count())
}

/// Whether no letter or digit touches the word: `a` is not meant in `qualify`.
fn stands_alone(line: &str, at: usize, length: usize) -> bool {
    let before = line.get(..at).and_then(|text| text.chars().next_back());
    let after = line.get(at.saturating_add(length)..).and_then(|text| text.chars().next());
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// Without control characters, which could make a terminal do things.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32) -> Place {
        Place { file: "sip.conf".into(), line }
    }

    fn carets(line: &str, message: &str) -> String {
        let (blanks, carets) = focus(line, message);
        line.chars().skip(blanks).take(carets).collect()
    }

    #[test]
    fn a_caret_stands_under_the_word_that_is_meant() {
        assert_eq!(carets("qualfy=yes ; qualfy", "unknown option 'qualfy'"), "qualfy");
        assert_eq!(carets("qualify = a", "'a' is not a valid value of 'qualify'"), "a");
        assert_eq!(carets("yes=yes", "'yes' is no value"), "yes");
        assert_eq!(carets("nothing here ; x", "there is no '=' in this line"), "nothing here");
        assert_eq!(carets("[\u{e4}](nope)", "'nope', which '[\u{e4}]' inherits from"), "nope");
    }

    #[test]
    fn diagnostics_are_printed_in_order_with_source_and_hint() {
        let source = |file: &str, line: u32| (file == "sip.conf" && line == 2).then(|| "\tqualfy=1\r".to_string());
        let list = [
            Diagnostic::fatal(place(9), "late"),
            Diagnostic::warning(place(2), "unknown option 'qualfy'").hint("did you mean 'qualify'?"),
            Diagnostic::error(place(0), "esc\u{1b}ape"),
        ];
        let text = "sip.conf: error: esc\u{fffd}ape\n\
                    sip.conf:2: warning: unknown option 'qualfy'\n    qualfy=1\n    ^^^^^^\n  hint: did you mean 'qualify'?\n\
                    sip.conf:9: fatal: late\n";
        assert_eq!(render(&list, &source), text);
        assert_eq!(list.each_ref().map(|one| column(one, &source)), [0, 2, 0]);
        assert_eq!(Counts::of(&list).to_string(), "1 fatal error, 1 error, 1 warning");
        assert!(!Counts::of(&list).is_good());
        assert_eq!(Counts::default().to_string(), "no errors");
    }

    #[test]
    fn secrets_in_source_lines_are_covered() {
        for line in
            ["secret=hunter2", "sercet = hunter2", "remotesecret=>hunter2", "register => u:hunter2@h", "secret hunter2"]
        {
            let covered = covered(line);
            assert!(covered.contains(COVER) && !covered.contains("hunter2"), "{covered}");
        }
        assert_eq!(covered("qualify=secret"), "qualify=secret");
        assert_eq!(covered("secret"), "secret");
        assert_eq!(covered("registertimeout=20"), "registertimeout=20");
    }
}
