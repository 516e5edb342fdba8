//! A script's line in words.

/// The longest line that is read for words, in words.
const MAX_WORDS: usize = 128;

/// The words of a line: blanks part them, quotes keep them together, `\` takes the next letter as it is. `None`: too many.
pub(super) fn words(line: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' | '\t' if !quoted => all.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(letters.next()),
            _ => word.get_or_insert_default().push(letter),
        }
        if all.len() > MAX_WORDS {
            return None;
        }
    }
    all.extend(word);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes() {
        let read = |line| words(line).unwrap();
        assert_eq!(read("STREAM FILE  beep \"\""), ["STREAM", "FILE", "beep", ""]);
        assert_eq!(read("VERBOSE \"a \\\"b\\\" c\" 3"), ["VERBOSE", "a \"b\" c", "3"]);
        assert_eq!(read("SET VARIABLE X a\\ b"), ["SET", "VARIABLE", "X", "a b"]);
        assert!(read("  ").is_empty() && words(&"a ".repeat(200)).is_none());
    }
}
