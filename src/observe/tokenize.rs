//! A console line, cut into words: blanks separate, quotes group, a backslash takes the next character as it is.

/// A line in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// The words, without their quotes and backslashes.
    pub list: Vec<String>,
    /// The last word is still being typed: nothing but the line's end follows it.
    pub is_open: bool,
}

/// Cuts a line into words. A quote that is not closed groups up to the end.
pub fn split(line: &str) -> Words {
    let mut words = Words::default();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' => {
                let taken = word.get_or_insert_default();
                taken.extend(chars.next());
            }
            blank if blank.is_whitespace() && !quoted => words.list.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.is_open = word.is_some();
    words.list.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(line: &str) -> Vec<String> {
        split(line).list
    }

    #[test]
    fn blanks_separate_quotes_group_backslashes_escape() {
        assert_eq!(cut("  sip \t show peers "), ["sip", "show", "peers"]);
        assert_eq!(cut(r#"a "b c" d"e f"g"#), ["a", "b c", "de fg"]);
        assert_eq!(cut(r#"a\ b \"c \\"#), ["a b", "\"c", "\\"]);
        assert_eq!(cut(r#"a "" b"#), ["a", "", "b"]);
        assert_eq!(cut(r#"a "open end"#), ["a", "open end"]);
        assert_eq!(cut("a\\"), ["a"]);
        assert!(cut(" ").is_empty());
    }

    #[test]
    fn the_last_word_is_open_until_a_blank_follows() {
        assert!(split("sip sh").is_open);
        assert!(!split("sip show ").is_open);
        assert!(!split("").is_open);
    }
}
