//! Explanations, wrapped at the width of the terminal they are read at. Tables and what scripts read stay as they are.

use std::io;

/// The width where it is not known: a pipe, a file.
const USUAL: usize = 80;
/// A terminal narrower than this is not what it says.
const LEAST: usize = 20;
/// The commands that explain something.
const EXPLAIN: [&str; 4] = ["core show application ", "core show function ", "show application ", "show function "];

/// The output of a command as this terminal shows it.
pub(in crate::commands) fn fit(command: &str, output: String) -> String {
    let words = command.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    if !EXPLAIN.iter().any(|start| words.starts_with(start)) {
        return output;
    }
    let known = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
    wrapped(&output, known.filter(|width| *width >= LEAST).unwrap_or(USUAL))
}

/// Breaks lines that are too long at their blanks; what has none stays in one piece.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if line.chars().count() <= width {
            out += line;
            out.push('\n');
            continue;
        }
        let mut column = 0usize;
        for word in line.split(' ') {
            let length = word.chars().count();
            if column > 0 && column.saturating_add(1).saturating_add(length) > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column = column.saturating_add(1);
            }
            out += word;
            column = column.saturating_add(length);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_at_blanks_and_nothing_is_lost() {
        assert_eq!(wrapped("a bb ccc\n\n  [x]\n", 80), "a bb ccc\n\n  [x]\n");
        assert_eq!(wrapped("one two three four\n", 9), "one two\nthree\nfour\n");
        assert_eq!(wrapped("longerthanthat no\n", 9), "longerthanthat\nno\n");
        let words = "word ".repeat(100);
        let all = wrapped(words.trim(), 33);
        assert!(all.lines().all(|line| line.len() <= 33) && all.split_whitespace().count() == 100, "{all}");
    }

    #[test]
    fn tables_are_left_alone() {
        let wide = format!("{}\n", "x ".repeat(100));
        assert_eq!(fit("sip show peers", wide.clone()), wide);
        assert_ne!(fit(" Core  show Application dial", wide.clone()), wide);
    }
}
