//! What a language has to know to be spoken.

use crate::datetime::Civil;

/// Names of sounds, in the order in which they are played.
pub type Words = Vec<String>;

/// The gender of what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gender {
    /// Nothing is counted, or it does not matter.
    #[default]
    None,
    /// `m`.
    Masculine,
    /// `f`.
    Feminine,
    /// `c`.
    Common,
    /// `n`.
    Neuter,
}

impl Gender {
    /// The gender a letter stands for; `None` when it stands for none.
    pub fn of(text: &str) -> Option<Gender> {
        match text.trim().chars().next().map(|letter| letter.to_ascii_lowercase()) {
            None => Some(Gender::None),
            Some('m') => Some(Gender::Masculine),
            Some('f') => Some(Gender::Feminine),
            Some('c') => Some(Gender::Common),
            Some('n') => Some(Gender::Neuter),
            Some(_) => None,
        }
    }
}

/// A moment as clocks and calendars show it where the listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The date and the time.
    pub at: Civil,
    /// How many days before today it is; negative for days to come.
    pub days_ago: i64,
}

/// A language.
pub struct Language {
    /// Its code, in lower case: `en`.
    pub code: &'static str,
    /// The largest number it can say.
    pub largest: i64,
    /// A number from 0 to `largest`.
    pub number: fn(i64, Gender) -> Words,
    /// The ordinal of a number from 0 to `largest`.
    pub ordinal: fn(i64, Gender) -> Words,
    /// What a letter of a date's format stands for at that moment; `None`: it is no letter of one.
    pub part: fn(char, &Day) -> Option<Words>,
    /// The format of a date that has none.
    pub format: fn(&Day) -> &'static str,
    /// An amount of money of so many cents, from 0 on.
    pub money: fn(i64, i64) -> Words,
    /// What comes behind the name of the sound of a noun when so many of it are counted: `s`.
    pub plural: fn(i64) -> &'static str,
}

impl Language {
    /// A number, with its sign; `None` when it is too large.
    pub fn number(&self, number: i64, gender: Gender) -> Option<Words> {
        self.signed(number, gender, self.number)
    }

    /// An ordinal, with its sign; `None` when it is too large.
    pub fn ordinal(&self, number: i64, gender: Gender) -> Option<Words> {
        self.signed(number, gender, self.ordinal)
    }

    /// An amount of money, with its sign; `None` when it is too large.
    pub fn money(&self, cents: i64) -> Option<Words> {
        let magnitude = cents.checked_abs().filter(|magnitude| magnitude / 100 <= self.largest)?;
        let mut words = if cents < 0 { digits("minus") } else { Words::new() };
        words.extend((self.money)(magnitude / 100, magnitude % 100));
        Some(words)
    }

    fn signed(&self, number: i64, gender: Gender, say: fn(i64, Gender) -> Words) -> Option<Words> {
        let magnitude = number.checked_abs().filter(|magnitude| *magnitude <= self.largest)?;
        let mut words = if number < 0 { digits("minus") } else { Words::new() };
        words.extend(say(magnitude, gender));
        Some(words)
    }
}

/// One sound of the folder `digits`.
pub(super) fn digits(name: impl std::fmt::Display) -> Words {
    vec![format!("digits/{name}")]
}
