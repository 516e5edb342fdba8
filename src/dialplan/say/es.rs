//! Spanish: "ciento uno", "el viernes, quince de marzo de dos mil veinticuatro". Nouns that are counted have a gender.

use super::language::{Day, Gender, Language, Words, digits};

pub(super) static SPANISH: Language = Language {
    code: "es",
    largest: 999_999_999,
    number,
    ordinal,
    part,
    format: |day| {
        // "a la una", "a las dos".
        if day.at.hour % 12 == 1 {
            "'digits/es-el' Ad 'digits/es-de' B 'digits/es-de' Y 'digits/at' IMp"
        } else {
            "'digits/es-el' Ad 'digits/es-de' B 'digits/es-de' Y 'digits/at_s' IMp"
        }
    },
    money,
    plural: |number| if number.abs() == 1 { "" } else { "s" },
};

fn number(number: i64, gender: Gender) -> Words {
    let (millions, thousands, rest) = (number / 1_000_000, number / 1_000 % 1_000, number % 1_000);
    let mut words = Words::new();
    if millions > 0 {
        words.extend(below_thousand(millions, Gender::Masculine));
        words.extend(digits(if millions == 1 { "million" } else { "millions" }));
    }
    if thousands > 0 {
        // "mil", and not "un mil".
        if thousands > 1 {
            words.extend(below_thousand(thousands, Gender::Masculine));
        }
        words.extend(digits("thousand"));
    }
    if rest > 0 || words.is_empty() {
        words.extend(below_thousand(rest, gender));
    }
    words
}

fn below_thousand(number: i64, gender: Gender) -> Words {
    match number {
        1 => match gender {
            Gender::Masculine => digits("1M"),
            Gender::Feminine => digits("1F"),
            Gender::None | Gender::Common | Gender::Neuter => digits(1),
        },
        0 | 2..=30 => digits(number),
        31..=99 => {
            let (tens, rest) = (digits(number / 10 * 10), number % 10);
            if rest == 0 { tens } else { [tens, digits("and"), below_thousand(rest, gender)].concat() }
        }
        // "cien", but "ciento uno".
        100 => digits("hundred"),
        101..=199 => [digits("100-and"), below_thousand(number - 100, gender)].concat(),
        _ => {
            let (hundreds, rest) = (digits(number / 100 * 100), number % 100);
            if rest == 0 { hundreds } else { [hundreds, below_thousand(rest, gender)].concat() }
        }
    }
}

/// Ordinals are said up to a hundred; beyond, people count with cardinals.
fn ordinal(value: i64, gender: Gender) -> Words {
    match value {
        1..=20 => digits(format_args!("h-{value}")),
        21..=99 => {
            let (tens, rest) = (digits(format_args!("h-{}", value / 10 * 10)), value % 10);
            if rest == 0 { tens } else { [tens, digits(format_args!("h-{rest}"))].concat() }
        }
        _ => number(value, gender),
    }
}

/// "Doce dólares y cincuenta": the voices have no word for cents.
fn money(dollars: i64, cents: i64) -> Words {
    let mut words = [number(dollars, Gender::Masculine), digits("dollars")].concat();
    if cents > 0 {
        words.extend([digits("and"), number(cents, Gender::Masculine)].concat());
    }
    words
}

fn part(letter: char, day: &Day) -> Option<Words> {
    let at = &day.at;
    let counted = |value: u32, gender: Gender| number(i64::from(value), gender);
    Some(match letter {
        'A' | 'a' => digits(format_args!("day-{}", at.weekday)),
        'B' | 'b' | 'h' => digits(format_args!("mon-{}", at.month.saturating_sub(1))),
        'm' => ordinal(i64::from(at.month), Gender::Masculine),
        'd' | 'e' if at.day == 1 => digits("h-1"),
        'd' | 'e' => counted(at.day, Gender::None),
        'Y' => number(at.year.max(0), Gender::None),
        'I' | 'l' => match at.hour % 12 {
            0 => digits(12),
            hour => counted(hour, Gender::Feminine),
        },
        'H' | 'k' => counted(at.hour, Gender::Feminine),
        'M' | 'N' if at.minute == 0 => digits("oclock"),
        'M' | 'N' => [digits("and"), counted(at.minute, Gender::None)].concat(),
        'S' => [digits("and"), counted(at.second, Gender::None)].concat(),
        'P' | 'p' => digits(if at.hour < 12 { "a-m" } else { "p-m" }),
        _ => return None,
    })
}
