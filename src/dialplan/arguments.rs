//! Splitting of arguments and option letters, and the readers of single arguments.

use std::time::Duration;

/// Arguments after splitting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split(pub Vec<String>);

impl Split {
    /// The argument at that place, from 0; empty when it is missing. Leading blanks are kept.
    pub fn get(&self, place: usize) -> &str {
        self.0.get(place).map_or("", String::as_str)
    }

    /// The same without blanks around it.
    pub fn trimmed(&self, place: usize) -> &str {
        self.get(place).trim()
    }
}

/// Splits at `,` outside `( )`, `[ ]`, `{ }` and quotes; removes double quotes and the `\` that escapes the next
/// letter. Empty arguments are kept; an empty text has none.
pub fn split(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    pieces(text, ',', usize::MAX).iter().map(|piece| unquote(piece)).collect()
}

/// At most `most` pieces of the text between `separator`s outside brackets and quotes; quotes and escapes stay.
pub fn pieces(text: &str, separator: char, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut piece = String::new();
    let (mut depth, mut quoted) = (0usize, false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                piece.push(letter);
                piece.extend(letters.next());
                continue;
            }
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth = depth.saturating_add(1),
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ if letter == separator && depth == 0 && !quoted && found.len().saturating_add(1) < most => {
                found.push(std::mem::take(&mut piece));
                continue;
            }
            _ => {}
        }
        piece.push(letter);
    }
    found.push(piece);
    found
}

/// Removes double quotes, and the `\` before an escaped letter.
pub fn unquote(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.extend(letters.next()),
            '"' => {}
            other => plain.push(other),
        }
    }
    plain
}

/// `cond?yes:no` in its three parts, as `GotoIf`, `ExecIf` and `IF` have them.
pub fn condition(text: &str) -> (bool, String, String) {
    let mut halves = pieces(text, '?', 2).into_iter();
    let holds = is_true(&halves.next().unwrap_or_default());
    let mut branches = pieces(&halves.next().unwrap_or_default(), ':', 2).into_iter();
    (holds, branches.next().unwrap_or_default(), branches.next().unwrap_or_default())
}

/// Whether a condition holds: empty is false; what begins with an integer holds when that is not 0; other text holds.
pub fn is_true(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    match leading_integer(text) {
        Some(digits) => digits.bytes().any(|digit| digit != b'0'),
        None => true,
    }
}

/// The digits of an integer at the beginning, after blanks and a sign.
fn leading_integer(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).filter(|digits| !digits.is_empty())
}

/// Seconds with a fraction, as `Wait` and `Dial` take them: blanks before are skipped, what follows the number is
/// ignored. `None` when no number stands there, or a negative one.
pub fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let number: f64 = text.get(..end)?.parse().ok()?;
    Duration::try_from_secs_f64(number.min(f64::from(u32::MAX))).ok()
}

/// Option letters, each with its argument in parentheses.
pub fn options(text: &str) -> Vec<(char, Option<String>)> {
    let mut found: Vec<(char, Option<String>)> = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '(' {
            if !letter.is_whitespace() {
                found.push((letter, None));
            }
            continue;
        }
        let mut argument = String::new();
        let mut depth = 1usize;
        for inside in letters.by_ref() {
            match inside {
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
            argument.push(inside);
        }
        if let Some(last) = found.last_mut() {
            last.1 = Some(argument);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_split_outside_brackets_and_quotes() {
        assert_eq!(split("SIP/x, 20,tr"), ["SIP/x", " 20", "tr"]);
        assert_eq!(split("a(b,c),[d,e],{f,g},\"h,i\""), ["a(b,c)", "[d,e]", "{f,g}", "h,i"]);
        assert_eq!(split("a\\,b,,"), ["a,b", "", ""]);
        assert_eq!(split("a)b,c"), ["a)b", "c"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn conditions_are_true_as_measured() {
        for (text, holds) in
            [("", false), ("0", false), ("0.5", false), ("no", true), ("-1", true), (" 00", false), ("+2x", true)]
        {
            assert_eq!(is_true(text), holds, "{text}");
        }
        assert_eq!(condition("1?a,1:b,2"), (true, "a,1".to_owned(), "b,2".to_owned()));
        assert_eq!(condition("0?a"), (false, "a".to_owned(), String::new()));
        assert_eq!(condition("x?:b"), (true, String::new(), "b".to_owned()));
    }

    #[test]
    fn seconds_are_read_leniently() {
        assert_eq!(seconds(" 20"), Some(Duration::from_secs(20)));
        assert_eq!(seconds("0.5s"), Some(Duration::from_millis(500)));
        assert_eq!(seconds(""), None);
        assert_eq!(seconds("-3"), None);
        assert_eq!(seconds("99999999999999999999"), Some(Duration::from_secs(u64::from(u32::MAX))));
    }

    #[test]
    fn options_are_letters_with_arguments() {
        let read = options("tg(a(b))M");
        assert_eq!(read, [('t', None), ('g', Some("a(b)".to_owned())), ('M', None)]);
        assert!(options("(x)").is_empty());
    }
}
