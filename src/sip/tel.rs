//! The numbers of `tel:` URIs (RFC 3966).

/// The number to dial: without visual separators and parameters, a global one with its `+`. Of a local number
/// (`;phone-context=`) it is the number as it is dialled there. None when it is no number.
pub(super) fn number(rest: &str) -> Option<String> {
    let written = rest.split(';').next().unwrap_or_default();
    let number: String = written.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_global = digits.len() < number.len();
    let is_digit = |c: char| c.is_ascii_digit() || !is_global && (c.is_ascii_hexdigit() || matches!(c, '*' | '#'));
    (!digits.is_empty() && digits.chars().all(is_digit)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_is_dialled() {
        for (rest, expected) in [
            ("+1-201-555-0123", Some("+12015550123")),
            ("+1(201)555.0123;ext=7", Some("+12015550123")),
            ("7042;phone-context=example.com", Some("7042")),
            ("863-1234;phone-context=+1-914-555", Some("8631234")),
            ("*43", Some("*43")),
            ("#31#5551", Some("#31#5551")),
            ("+", None),
            ("", None),
            (";phone-context=example.com", None),
            ("+12a4", None),
            ("12+34", None),
            ("anna", None),
            ("--", None),
        ] {
            assert_eq!(number(rest).as_deref(), expected, "{rest}");
        }
    }
}
