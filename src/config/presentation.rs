//! Whether a caller's number may be shown, and whether it was verified: `callingpres=`, `CALLERID(pres)`,
//! `CALLERPRES()`.

/// The presentation and screening indicators of Q.931 4.5.10, octet 3a.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Presentation(u8);

/// Number, name in dialplans, and name on the console.
const TABLE: &[(u8, &str, &str)] = &[
    (0, "allowed_not_screened", "Presentation Allowed, Not Screened"),
    (1, "allowed_passed_screen", "Presentation Allowed, Passed Screen"),
    (2, "allowed_failed_screen", "Presentation Allowed, Failed Screen"),
    (3, "allowed", "Presentation Allowed, Network Number"),
    (32, "prohib_not_screened", "Presentation Prohibited, Not Screened"),
    (33, "prohib_passed_screen", "Presentation Prohibited, Passed Screen"),
    (34, "prohib_failed_screen", "Presentation Prohibited, Failed Screen"),
    (35, "prohib", "Presentation Prohibited, Network Number"),
    (67, "unavailable", "Number Unavailable"),
];

impl Presentation {
    /// May be shown; the number comes from the device, unverified.
    pub const ALLOWED: Presentation = Presentation(0);
    /// May be shown; a trusted neighbour vouches for it.
    pub const VOUCHED: Presentation = Presentation(1);
    /// The caller does not want it shown.
    pub const HIDDEN: Presentation = Presentation(32);

    /// By name in any case, or by number; none for what is neither.
    pub fn parse(text: &str) -> Option<Presentation> {
        let text = text.trim();
        let number = text.parse::<u8>().ok();
        let row = TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(text) || number == Some(row.0))?;
        Some(Presentation(row.0))
    }

    /// Its name in dialplans.
    pub fn name(self) -> &'static str {
        self.row().map_or("unavailable", |row| row.1)
    }

    /// Its name on the console.
    pub fn words(self) -> &'static str {
        self.row().map_or("Number Unavailable", |row| row.2)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether the number is hidden, or not known.
    pub fn is_hidden(self) -> bool {
        self.0 >= Presentation::HIDDEN.0
    }

    /// Whether the number was verified.
    pub fn is_screened(self) -> bool {
        matches!(self.0 & 3, 1 | 3) && self.0 < 64
    }

    /// The same, not to be shown.
    pub fn hidden(self) -> Presentation {
        if self.is_hidden() { self } else { Presentation(self.0 | Presentation::HIDDEN.0) }
    }

    fn row(self) -> Option<&'static (u8, &'static str, &'static str)> {
        TABLE.iter().find(|row| row.0 == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_the_same_thing() {
        for (number, name, words) in TABLE {
            let by_name = Presentation::parse(&name.to_uppercase()).unwrap();
            assert_eq!(Presentation::parse(&number.to_string()), Some(by_name));
            assert_eq!((by_name.number(), by_name.name(), by_name.words()), (*number, *name, *words));
            assert_eq!(by_name.is_hidden(), *number >= 32);
            assert_eq!(by_name.is_screened(), name.contains("passed") || matches!(number, 3 | 35));
        }
        assert_eq!(Presentation::parse("secret"), None);
        assert_eq!(Presentation::parse("4"), None);
        assert_eq!(Presentation::VOUCHED.hidden().name(), "prohib_passed_screen");
    }
}
