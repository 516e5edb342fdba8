//! Makes text from the network harmless for a terminal.

use crate::wording::is_harmful;

/// One line without anything that controls a terminal: control characters (line ends included) and the marks that
/// reverse the direction of writing become `?`.
pub fn line(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { '?' } else { c }).collect()
}

/// As [`line()`], but line ends and tabs stay: for a whole reply.
pub fn lines(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) && c != '\n' && c != '\t' { '?' } else { c }).collect()
}

/// `Yes` or `No`.
pub fn yes_no(value: bool) -> &'static str {
    if value { "Yes" } else { "No" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_made_harmless() {
        assert_eq!(line("a\x1b[2J\r\nb\u{9b}31m\u{202e}c\0"), "a?[2J??b?31m?c?");
        assert_eq!(lines("a\x1b[2J\r\n\tb"), "a?[2J?\n\tb");
        assert_eq!(line("Zoë 日本"), "Zoë 日本");
    }
}
