//! What calls to a peer may cost: how many at once, how many minutes a day, which numbers. None of it holds an emergency
//! call back.

/// Emergency numbers unless `emergency_numbers=` says others.
const EMERGENCY: &[&str] = &["000", "110", "112", "113", "115", "118", "119", "144", "911", "999"];

/// The limits of calls that the exchange places to a peer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// `max_outgoing` (ours): calls to it at once; none: no limit.
    pub max_outgoing: Option<u32>,
    /// `max_minutes` (ours): minutes of answered calls to it a day; none: no limit.
    pub max_minutes: Option<u32>,
    /// `allow_numbers` (ours): what a number called at it must begin with; empty: anything.
    pub allowed: Vec<String>,
    /// `forbid_numbers` (ours): what it must not begin with.
    pub forbidden: Vec<String>,
}

impl Limits {
    /// May this number be called at it? The longest beginning named decides; one that is named in both is forbidden.
    pub fn permits(&self, number: &str) -> bool {
        let number = digits(number);
        let longest = |list: &[String]| {
            list.iter().filter(|start| number.starts_with(start.as_str())).map(|start| start.len() + 1).max()
        };
        let (allowed, forbidden) = (longest(&self.allowed).unwrap_or(0), longest(&self.forbidden).unwrap_or(0));
        match (allowed, forbidden) {
            (0, 0) => self.allowed.is_empty(),
            (allowed, forbidden) => allowed > forbidden,
        }
    }

    /// Whether it limits anything.
    pub fn is_set(&self) -> bool {
        *self != Limits::default()
    }
}

/// The numbers that are emergency calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyNumbers(Vec<String>);

impl Default for EmergencyNumbers {
    fn default() -> EmergencyNumbers {
        EmergencyNumbers(EMERGENCY.iter().map(|number| (*number).to_owned()).collect())
    }
}

impl EmergencyNumbers {
    /// These.
    pub fn new(numbers: Vec<String>) -> EmergencyNumbers {
        EmergencyNumbers(numbers)
    }

    /// Is it one of them, as a whole?
    pub fn has(&self, number: &str) -> bool {
        let number = digits(number);
        self.0.contains(&number)
    }

    /// All of them.
    pub fn all(&self) -> &[String] {
        &self.0
    }
}

/// A number without what a provider passes over in it (RFC 3966 5.1.1: `0-900` is `0900`, and so is `0+900`).
pub fn digits(number: &str) -> String {
    let number = number.split(';').next().unwrap_or_default();
    let mut digits = String::with_capacity(number.len());
    for letter in number.chars() {
        if letter.is_ascii_digit() || matches!(letter, '*' | '#') || (letter == '+' && digits.is_empty()) {
            digits.push(letter);
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(allowed: &[&str], forbidden: &[&str]) -> Limits {
        let list = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Limits { allowed: list(allowed), forbidden: list(forbidden), ..Limits::default() }
    }

    #[test]
    fn the_longest_beginning_decides() {
        let both = limits(&["0", "090012", "+49"], &["0900", "00", "+4990"]);
        for (number, may) in [
            ("0301234", true),
            ("0900555", false),
            ("0-900 555", false),
            ("(0900)555;ext=1", false),
            ("0+900555", false),
            ("090012345", true),
            ("0044", false),
            ("+4930", true),
            ("+49900", false),
            ("1", false),
            ("", false),
        ] {
            assert_eq!(both.permits(number), may, "{number}");
        }
        assert!(limits(&[], &["0900"]).permits("1") && !limits(&[], &["0900"]).permits("0900"));
        assert!(!limits(&["0900"], &["0900"]).permits("09001"), "named in both");
        assert!(Limits::default().permits("") && !Limits::default().is_set());
    }

    #[test]
    fn an_emergency_number_is_one_as_a_whole() {
        let numbers = EmergencyNumbers::default();
        assert!(numbers.has("112") && numbers.has("1-1-2") && !numbers.has("1120") && !numbers.has("0112"));
        assert!(!EmergencyNumbers::new(vec!["9112".to_owned()]).has("112"));
    }
}
