//! An expression's tokens.

/// One token. A quoted text keeps its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(String),
    Operator(&'static str),
}

/// Longer ones first.
const OPERATORS: &[&str] = &[
    "||", "&&", "==", "=~", "~~", "!=", "<=", ">=", "::", "|", "&", "=", "<", ">", "+", "-", "*", "/", "%", "!", "?",
    ":", "(", ")", ",",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = if first == '"' {
            let quoted = rest.strip_prefix('"').and_then(|behind| behind.find('"'));
            let end = quoted.ok_or_else(|| "a quote is opened and never closed".to_owned())?.saturating_add(2);
            found.push(Token::Text(rest.get(..end).unwrap_or(rest).to_owned()));
            end
        } else if let Some(operator) = operator(rest) {
            found.push(Token::Operator(operator));
            operator.len()
        } else {
            let end = rest
                .char_indices()
                .find(|(at, letter)| ends_text(*letter, rest.get(*at..).unwrap_or_default()))
                .map_or(rest.len(), |(at, _)| at)
                .max(first.len_utf8());
            found.push(Token::Text(rest.get(..end).unwrap_or(rest).to_owned()));
            end
        };
        rest = rest.get(taken..).unwrap_or_default().trim_start();
    }
    Ok(found)
}

fn ends_text(letter: char, rest: &str) -> bool {
    letter.is_whitespace() || letter == '"' || operator(rest).is_some()
}

fn operator(rest: &str) -> Option<&'static str> {
    OPERATORS.iter().find(|operator| rest.starts_with(**operator)).copied()
}
