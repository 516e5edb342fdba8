//! What sentences that people read are made with: numbers with their nouns, texts from outside, and what a misspelt name
//! may have meant.

pub mod json;
mod nearest;
pub mod xml;

pub use nearest::{KnownNames, nearest};
use std::fmt::{self, Display, Write as _};

/// A text from outside (a number as it was dialled, a display name, the words of a response, a URI) as it came. It can
/// only be printed as [`outside()`] has it, so that no sentence can forget to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Outside(String);

impl Outside {
    /// The text as it came, for whoever compares it and does not print it.
    pub fn as_received(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Outside {
    fn from(text: T) -> Outside {
        Outside(text.into())
    }
}

impl Display for Outside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&outside(&self.0))
    }
}

/// A text from outside as a sentence may have it, percent-encoded where it could be taken for words of the exchange: quotes
/// (a sentence's own quotes end where the sentence says so), a colon at its end or before a blank (log watchers look for
/// a message behind a colon), and whatever controls a terminal or begins a line. Done twice, it is as done once.
pub fn outside(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_words = letter == ':' && letters.peek().is_none_or(|next| next.is_whitespace() || is_harmful(*next));
        if !ends_words && !matches!(letter, '\'' | '"') && !is_harmful(letter) {
            shown.push(letter);
            continue;
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a String cannot fail.
            let _ = write!(shown, "%{byte:02X}");
        }
    }
    shown
}

/// Does it control a terminal, end a line, turn the direction of writing, or stand there unseen?
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// ` Did you mean 'x'?` for the nearest of the known names; empty when none is near. Of a word of one or two letters
/// too little is left to guess from.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = if word.chars().count() > 2 { nearest(word, known) } else { None };
    near.map(|name| format!(" Did you mean '{name}'?")).unwrap_or_default()
}

/// `1 peer`, `2 peers`, `3 priorities`: a number and what it counts, which is given in the singular.
pub fn plural<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    if count == N::from(1) {
        return format!("{count} {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        Some(_) | None => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outside, outside, plural};

    #[test]
    fn a_text_from_outside_ends_neither_quotes_nor_lines_nor_words_before_a_colon() {
        for (came, shown) in [
            ("201", "201"),
            ("Zoë 日本 (front desk)", "Zoë 日本 (front desk)"),
            ("sip:204@192.0.2.5:5060;transport=tcp", "sip:204@192.0.2.5:5060;transport=tcp"),
            ("x' rejected", "x%27 rejected"),
            ("a\"b", "a%22b"),
            ("8x: 192.0.2.66 failed", "8x%3A 192.0.2.66 failed"),
            ("8x:\u{a0}y", "8x%3A\u{a0}y"),
            ("8x:", "8x%3A"),
            ("8x:\ny:\u{feff} z", "8x%3A%0Ay%3A%EF%BB%BF z"),
            ("\r\n\u{1b}[2J\u{8}\u{85}\u{2028}\u{202e}", "%0D%0A%1B[2J%08%C2%85%E2%80%A8%E2%80%AE"),
        ] {
            assert_eq!(outside(came), shown);
            assert_eq!(outside(shown), shown, "twice is as once");
            assert_eq!(
                (format!("{}", Outside::from(came)), Outside::from(came).as_received()),
                (shown.to_owned(), came)
            );
        }
    }

    #[test]
    fn one_of_a_thing_stands_in_the_singular() {
        assert_eq!([0_u64, 1, 2].map(|count| plural(count, "peer")), ["0 peers", "1 peer", "2 peers"]);
        assert_eq!(
            (plural(1_usize, "priority"), plural(3_usize, "priority")),
            ("1 priority".into(), "3 priorities".into())
        );
        assert_eq!(plural(2_usize, "day"), "2 days");
    }
}
