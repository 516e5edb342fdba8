//! Text letter by letter. The names of the sounds are the same in every language.

use super::language::Words;

/// Whose case is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// Nobody's.
    #[default]
    None,
    /// Of all letters.
    All,
    /// Of capitals.
    Upper,
    /// Of small letters.
    Lower,
}

impl Case {
    /// The case a letter of `SayAlphaCase` stands for.
    pub fn of(text: &str) -> Option<Case> {
        match text.trim().chars().next().map(|letter| letter.to_ascii_lowercase()) {
            Some('a') => Some(Case::All),
            Some('u') => Some(Case::Upper),
            Some('l') => Some(Case::Lower),
            Some('n') => Some(Case::None),
            _ => None,
        }
    }
}

/// The digits of a text, with `*`, `#` and `-`; whatever else is in it is left out.
pub fn digits(text: &str) -> Words {
    text.chars().filter_map(digit).collect()
}

fn digit(letter: char) -> Option<String> {
    Some(match letter {
        '0'..='9' => format!("digits/{letter}"),
        '*' => "digits/star".to_owned(),
        '#' => "digits/pound".to_owned(),
        '-' => "digits/minus".to_owned(),
        _ => return None,
    })
}

/// A text letter by letter.
pub fn spelled(text: &str, case: Case) -> Words {
    let mut words = Words::new();
    for letter in text.chars() {
        let is_said = match case {
            Case::None => false,
            Case::All => letter.is_ascii_alphabetic(),
            Case::Upper => letter.is_ascii_uppercase(),
            Case::Lower => letter.is_ascii_lowercase(),
        };
        if is_said {
            words.push(if letter.is_ascii_uppercase() { "uppercase" } else { "lowercase" }.to_owned());
        }
        words.extend(character(letter));
    }
    words
}

/// A text by a spelling alphabet: alpha, bravo, charlie.
pub fn phonetic(text: &str) -> Words {
    let word = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' => Some(format!("phonetic/{}_p", letter.to_ascii_lowercase())),
        '9' => Some("phonetic/9_p".to_owned()),
        other => character(other),
    };
    text.chars().filter_map(word).collect()
}

/// The sound of a character; `None`: it has none.
fn character(letter: char) -> Option<String> {
    let name = match letter {
        'a'..='z' | 'A'..='Z' => return Some(format!("letters/{}", letter.to_ascii_lowercase())),
        '0'..='9' | '*' | '#' => return digit(letter),
        ' ' => "space",
        // As the sound's file is called.
        '!' => "exclaimation-point",
        '@' => "at",
        '$' => "dollar",
        '-' => "dash",
        '.' => "dot",
        '=' => "equals",
        '+' => "plus",
        '/' => "slash",
        '"' | '%' | '&' | '\'' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '?' | '[' | '\\' | ']' | '^' | '_' | '`'
        | '{' | '|' | '}' | '~' => return Some(format!("letters/ascii{}", u32::from(letter))),
        _ => return None,
    };
    Some(format!("letters/{name}"))
}
