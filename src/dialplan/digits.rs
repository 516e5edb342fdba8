//! The digits of a telephone: which of them end a sound, or a wait.

use std::time::Duration;

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

/// Digits to be dialled one after the other, with pauses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DigitRow {
    /// In order.
    pub digits: Vec<DialedDigit>,
    /// How long each is pressed.
    pub pressed: Duration,
    /// The pause behind each.
    pub gap: Duration,
}

/// One of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialedDigit {
    /// A digit.
    Press(char),
    /// A hook flash.
    Flash,
    /// A pause.
    Pause(Duration),
}

/// How long a digit is pressed, and the pause behind it, unless something else is asked for.
pub const PRESSED: Duration = Duration::from_millis(100);
/// See [`PRESSED`].
pub const GAP: Duration = Duration::from_millis(250);

/// The most that one row has.
const MAX_ROW: usize = 256;

impl DigitRow {
    /// Reads digits, `f` for a hook flash, `w` for half a second and `W` for a second of pause. Gives what else was in
    /// the text, too, and what was too much: that is not sent.
    pub fn parse(text: &str) -> (DigitRow, String) {
        let (mut digits, mut left) = (Vec::new(), String::new());
        for letter in text.chars() {
            let read = match letter {
                'w' => Some(DialedDigit::Pause(Duration::from_millis(500))),
                'W' => Some(DialedDigit::Pause(Duration::from_secs(1))),
                'f' | 'F' => Some(DialedDigit::Flash),
                _ => digit(letter).map(DialedDigit::Press),
            };
            match read.filter(|_| digits.len() < MAX_ROW) {
                Some(read) => digits.push(read),
                None if letter.is_whitespace() => {}
                None => left.push(letter),
            }
        }
        (DigitRow { digits, pressed: PRESSED, gap: GAP }, left)
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

    #[test]
    fn a_row_has_digits_flashes_and_pauses() {
        let (row, left) = DigitRow::parse("1wW f#dx-");
        let pause = |ms| DialedDigit::Pause(Duration::from_millis(ms));
        let press = DialedDigit::Press;
        assert_eq!(row.digits, [press('1'), pause(500), pause(1_000), DialedDigit::Flash, press('#'), press('D')]);
        assert_eq!((left.as_str(), row.pressed, row.gap), ("x-", PRESSED, GAP));
        let (row, left) = DigitRow::parse(&"5".repeat(300));
        assert_eq!((row.digits.len(), left.len()), (256, 44));
    }
}
