//! The digits of a telephone: which of them end a sound, or a wait.

/// Every digit there is.
pub const ALL: &str = "0123456789*#ABCD";

/// A set of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digits(u16);

impl Digits {
    /// No digit.
    pub const NONE: Digits = Digits(0);
    /// Every digit.
    pub const ANY: Digits = Digits(u16::MAX);

    /// The digits in a text; whatever else is in it counts for nothing.
    pub fn of(text: &str) -> Digits {
        text.chars().filter_map(place).fold(Digits::NONE, |set, bit| Digits(set.0 | 1 << bit))
    }

    /// Is this digit one of them?
    pub fn contains(self, digit: char) -> bool {
        place(digit).is_some_and(|bit| self.0 & 1 << bit != 0)
    }

    /// Is there none?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The digit as it is written, `a` to `d` as capitals; `None` when it is no digit of a telephone.
pub fn digit(letter: char) -> Option<char> {
    place(letter).map(|_| letter.to_ascii_uppercase())
}

fn place(digit: char) -> Option<usize> {
    ALL.find(digit.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_digits_it_was_given() {
        let set = Digits::of("12#x a");
        assert!("12#aA".chars().all(|letter| set.contains(letter)));
        assert!(!"03*bxé".chars().any(|letter| set.contains(letter)));
        assert!(ALL.chars().all(|letter| Digits::ANY.contains(letter)) && !Digits::ANY.contains('f'));
        assert!(Digits::of("").is_empty() && !set.is_empty());
        assert_eq!((digit('d'), digit('f'), digit('*')), (Some('D'), None, Some('*')));
    }
}
