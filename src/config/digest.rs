//! Many diagnostics in few lines: each kind once for each file, with how many there are and where the first ones stand.

use super::diagnostic::{Diagnostic, Severity, render};
use crate::wording::plural;
use std::collections::BTreeMap;

/// So few are all shown as they are.
const FEW: usize = 10;
/// Lines of a kind whose places are named, beside the first.
const NAMED: usize = 5;

/// The diagnostics of one kind in one file, in order.
struct Group<'a> {
    first: &'a Diagnostic,
    others: Vec<&'a Diagnostic>,
}

/// What tells one kind from another: a finding has a code, and of how a line was read it is the sentence without what
/// is quoted in it.
fn kind(of: &Diagnostic) -> (Severity, &str, &str, String) {
    let shape = if of.code.is_empty() { shape(&of.message) } else { String::new() };
    (of.severity, &of.place.file, of.code, shape)
}

/// The parts of a text between quotation marks, and the others. An apostrophe within a word is no mark.
fn parts(text: &str) -> (Vec<&str>, String) {
    let (mut quoted, mut rest, mut begin) = (Vec::new(), String::new(), None);
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        let after = text.get(at.saturating_add(1)..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
        match begin {
            None if letter == '\'' && !before.is_alphanumeric() => begin = Some(at.saturating_add(1)),
            None => rest.push(letter),
            Some(from) if letter == '\'' && !after.is_alphanumeric() => {
                quoted.extend(text.get(from..at));
                rest.push('\'');
                begin = None;
            }
            Some(_) => {}
        }
        before = letter;
    }
    (quoted, rest)
}

/// A sentence without what is quoted and numbered in it, nor a guess at what was meant.
fn shape(message: &str) -> String {
    let message = message.split(" (did you mean").next().unwrap_or(message);
    parts(message).1.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

fn groups(diagnostics: &[Diagnostic]) -> Vec<Group<'_>> {
    let mut at: BTreeMap<(Severity, &str, &str, String), usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for diagnostic in diagnostics {
        let next = groups.len();
        let index = *at.entry(kind(diagnostic)).or_insert(next);
        match groups.get_mut(index) {
            Some(group) => group.others.push(diagnostic),
            None => groups.push(Group { first: diagnostic, others: Vec::new() }),
        }
    }
    groups
}

impl Group<'_> {
    /// Where the others stand: `27 others: 28 'cos_sip', 41 'relaxdtmf' and 25 more`.
    fn others(&self) -> Option<String> {
        let named = self.others.iter().take(NAMED).map(|one| match parts(&one.message).0.first() {
            Some(word) => format!("{} '{word}'", one.place.line),
            None => one.place.line.to_string(),
        });
        let named: Vec<String> = named.collect();
        let more = match self.others.len().checked_sub(NAMED) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        let count = plural(self.others.len(), "other");
        (!self.others.is_empty()).then(|| format!("{count} in {}: {}{more}", self.first.place.file, named.join(", ")))
    }
}

/// All of them in few lines: few as they are, of many each kind once for each file. `source` as for [`render`].
pub fn digest(diagnostics: &[Diagnostic], source: &dyn Fn(&str, u32) -> Option<String>) -> String {
    if diagnostics.len() <= FEW {
        return render(diagnostics, source);
    }
    let mut text = String::new();
    for group in groups(diagnostics) {
        text.push_str(&render(std::slice::from_ref(group.first), source));
        if let Some(others) = group.others() {
            text.push_str(&format!("  {others}\n"));
        }
    }
    text
}

/// The kinds that are named at the start, the worst first and each in one line, and how many diagnostics are left out.
/// What keeps the exchange from starting is all named.
pub fn at_start(diagnostics: &[Diagnostic]) -> (Vec<(Severity, String)>, usize) {
    let mut groups = groups(diagnostics);
    groups.sort_by_key(|group| std::cmp::Reverse(group.first.severity));
    let (mut lines, mut left_out) = (Vec::new(), 0usize);
    for group in groups {
        let is_fatal = group.first.severity == Severity::Fatal;
        if lines.len() >= FEW && !is_fatal {
            left_out = left_out.saturating_add(group.others.len()).saturating_add(1);
            continue;
        }
        let others = group.others().map(|others| format!(" ({others})")).unwrap_or_default();
        lines.push((group.first.severity, group.first.in_one_line() + &others));
        if is_fatal {
            lines.extend(group.others.iter().map(|one| (one.severity, one.in_one_line())));
        }
    }
    (lines, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostic::Place;

    fn at(file: &str, line: u32) -> Place {
        Place { file: file.into(), line }
    }

    fn many() -> Vec<Diagnostic> {
        let unknown = |n: u32| {
            let guess = if n == 2 { " (did you mean 'qualify'?)" } else { "" };
            Diagnostic::warning(at("sip.conf", n), format!("unknown option 'device's own {n}'{guess}"))
                .hint("take it out")
        };
        let mut all: Vec<Diagnostic> = (1..=46_000).map(unknown).collect();
        all.extend((1..=5).map(|n| Diagnostic::warning(at("more.conf", n), format!("unknown option 'x{n}'"))));
        all.push(Diagnostic::error(at("sip.conf", 9), "section 'x' lacks 'type'"));
        all
    }

    #[test]
    fn each_kind_and_file_has_one_line_with_a_count_and_the_first_places() {
        let text = digest(&many(), &|_, _| None);
        assert_eq!(
            text,
            "sip.conf:1: warning: unknown option 'device's own 1'\n  hint: take it out\n  45999 others in sip.conf: \
             2 'device's own 2', 3 'device's own 3', 4 'device's own 4', 5 'device's own 5', 6 'device's own 6' and 45994 more\n\
             more.conf:1: warning: unknown option 'x1'\n  4 others in more.conf: 2 'x2', 3 'x3', 4 'x4', 5 'x5'\n\
             sip.conf:9: error: section 'x' lacks 'type'\n"
        );
        let few: Vec<Diagnostic> = many().into_iter().take(FEW).collect();
        assert_eq!(digest(&few, &|_, _| None), render(&few, &|_, _| None));
    }

    #[test]
    fn at_the_start_ten_are_named_the_worst_first() {
        let (lines, left_out) = at_start(&many());
        assert_eq!((lines.len(), left_out), (3, 0));
        assert_eq!(lines[0], (Severity::Error, "sip.conf:9: error: section 'x' lacks 'type'".to_owned()));
        assert!(lines[1].1.ends_with("and 45994 more)"), "{lines:?}");
        let kinds: Vec<Diagnostic> = (0..30u8)
            .map(|n| Diagnostic::warning(at("sip.conf", 1), format!("{} is odd", char::from(b'a' + n))))
            .collect();
        assert_eq!((at_start(&kinds).0.len(), at_start(&kinds).1), (10, 20));
        let fatal: Vec<Diagnostic> =
            (0..30).map(|n| Diagnostic::fatal(at("sip.conf", n), format!("'{n}' is odd"))).collect();
        assert_eq!(at_start(&fatal).0.len(), 30, "what keeps it from starting is all said");
    }
}
