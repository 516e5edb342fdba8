//! English, American: "one hundred one", "March fifteenth, two thousand twenty four".

use super::language::{Day, Gender, Language, Words, digits};

pub(super) static ENGLISH: Language = Language {
    code: "en",
    largest: 999_999_999_999,
    number: |number, _: Gender| number_words(number),
    ordinal: |number, _: Gender| ordinal(number),
    part,
    format: |_| "ABdY 'digits/at' IMp",
    money,
    plural: |number| if number.abs() == 1 { "" } else { "s" },
};

/// What thousands are counted in, from the largest.
const GROUPS: [(i64, &str); 4] =
    [(1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"), (100, "hundred")];

fn number_words(number: i64) -> Words {
    if number < 20 {
        return digits(number);
    }
    let group = GROUPS.iter().find(|(size, _)| number >= *size);
    let (mut words, rest) = match group {
        Some((size, name)) => ([number_words(number / size), digits(name)].concat(), number % size),
        None => (digits(number / 10 * 10), number % 10),
    };
    if rest > 0 {
        words.extend(number_words(rest));
    }
    words
}

/// "Twelve dollars and fifty cents".
fn money(dollars: i64, cents: i64) -> Words {
    let sound = |name: &str| vec![name.to_owned()];
    let mut words = Words::new();
    if dollars > 0 {
        words.extend(number_words(dollars));
        words.extend(sound(if dollars == 1 { "letters/dollar" } else { "dollars" }));
    }
    if cents > 0 && dollars > 0 {
        words.extend(sound("and"));
    }
    if cents > 0 || dollars == 0 {
        words.extend(number_words(cents));
        words.extend(sound(if cents == 1 { "cent" } else { "cents" }));
    }
    words
}

/// As a number, but that its last word is an ordinal.
fn ordinal(number: i64) -> Words {
    let mut words = number_words(number);
    if number == 0 {
        // There is no sound for it.
        return words;
    }
    if let Some(last) = words.last_mut() {
        *last = last.replacen("digits/", "digits/h-", 1);
    }
    words
}

fn part(letter: char, day: &Day) -> Option<Words> {
    let at = &day.at;
    Some(match letter {
        'A' | 'a' => digits(format_args!("day-{}", at.weekday)),
        'B' | 'b' | 'h' => digits(format_args!("mon-{}", at.month.saturating_sub(1))),
        'm' => ordinal(i64::from(at.month)),
        'd' | 'e' => ordinal(i64::from(at.day)),
        'Y' => year(at.year),
        'I' | 'l' => digits(twelve(at.hour)),
        'H' if at.hour < 10 => [digits("oh"), after_oh(at.hour)].concat(),
        'k' if at.hour == 0 => digits("oh"),
        'H' | 'k' => number_words(i64::from(at.hour)),
        'M' if at.minute == 0 => digits("oclock"),
        'N' if at.minute == 0 => digits("hundred"),
        'M' | 'N' => two_digits(at.minute),
        'S' if at.second == 0 => digits(0),
        'S' => two_digits(at.second),
        'P' | 'p' => digits(if at.hour < 12 { "a-m" } else { "p-m" }),
        _ => return None,
    })
}

/// "oh five", "twenty".
fn two_digits(number: u32) -> Words {
    if number < 10 { [digits("oh"), digits(number)].concat() } else { number_words(i64::from(number)) }
}

/// The hour behind "oh"; midnight is "oh oh".
fn after_oh(hour: u32) -> Words {
    if hour == 0 { digits("oh") } else { digits(hour) }
}

fn twelve(hour: u32) -> u32 {
    match hour % 12 {
        0 => 12,
        hour => hour,
    }
}

/// "Nineteen oh five", "nineteen eighty four", "two thousand twenty six".
fn year(year: i64) -> Words {
    let (century, rest) = (year / 100, year % 100);
    match (year, rest) {
        (1100..=1999, 0) => [number_words(century), digits("hundred")].concat(),
        (1100..=1999, 1..=9) => [number_words(century), digits("oh"), digits(rest)].concat(),
        (1100..=1999, _) => [number_words(century), number_words(rest)].concat(),
        _ => number_words(year.max(0)),
    }
}
