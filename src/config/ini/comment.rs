//! Takes comments out of lines: `; to the end`, `;-- nested blocks --;`, and `\;` for a semicolon that stays.

/// Deeper nested blocks count as this depth.
const MAX_DEPTH: usize = 128;

/// Whether the reader stands inside a block comment, and where each open block began.
#[derive(Debug, Default)]
pub(super) struct Comments {
    open: Vec<u32>,
}

impl Comments {
    /// What of a line is no comment, with `\;` turned into `;`. Blanks are left as they are.
    pub(super) fn strip(&mut self, line: &str, number: u32) -> String {
        let mut kept = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(at) = rest.find(';') {
            let (before, from) = (rest.get(..at).unwrap_or(""), rest.get(at..).unwrap_or(""));
            let after = from.get(1..).unwrap_or("");
            let is_inside = !self.open.is_empty();
            if let Some(text) = before.strip_suffix('\\') {
                if !is_inside {
                    kept.push_str(text);
                    kept.push(';');
                }
                rest = after;
            } else if from.starts_with(";--") && !from.starts_with(";---") {
                if !is_inside {
                    kept.push_str(before);
                }
                if self.open.len() < MAX_DEPTH {
                    self.open.push(number);
                }
                rest = from.get(3..).unwrap_or("");
            } else if is_inside {
                if before.ends_with("--") {
                    self.open.pop();
                }
                rest = after;
            } else {
                kept.push_str(before);
                return kept;
            }
        }
        if self.open.is_empty() {
            kept.push_str(rest);
        }
        kept
    }

    /// The line where a block comment began that is still open.
    pub(super) fn unterminated(&self) -> Option<u32> {
        self.open.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(lines: &[&str]) -> Vec<String> {
        let mut comments = Comments::default();
        (1..).zip(lines).map(|(number, line)| comments.strip(line, number)).collect()
    }

    #[test]
    fn a_semicolon_ends_the_line_unless_escaped() {
        assert_eq!(
            strip(&["a = b ; c", r#"d = "q" \; x ; c"#, ";--- not a block", "e"]),
            ["a = b ", r#"d = "q" ; x "#, "", "e"]
        );
    }

    #[test]
    fn blocks_nest_and_text_behind_them_counts() {
        assert_eq!(
            strip(&["a;-- x --;b", ";-- 1", "c ;-- 2 --; d", r"\; --; e ;-- f --; g", "h --; i"]),
            ["ab", "", "", " e  g", "h --"]
        );
    }

    #[test]
    fn an_open_block_is_known() {
        let mut comments = Comments::default();
        comments.strip("a", 1);
        comments.strip(";-- b", 2);
        comments.strip(";-- c --;", 3);
        assert_eq!(comments.unterminated(), Some(2));
    }
}
