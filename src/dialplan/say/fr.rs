//! French: "vendredi quinze mars deux mille vingt-quatre, quatorze heures trente".

use super::language::{Day, Language, Words, digits};

pub(super) static FRENCH: Language = Language {
    code: "fr",
    largest: 999_999_999,
    number: |value, _| number(value),
    ordinal: |value, _| ordinal(value),
    part,
    format: |_| "AdBY 'digits/at' kM",
    money,
    plural: |number| if number.abs() < 2 { "" } else { "s" },
};

fn number(value: i64) -> Words {
    let (millions, thousands, rest) = (value / 1_000_000, value / 1_000 % 1_000, value % 1_000);
    let mut words = Words::new();
    if millions > 0 {
        words.extend(below_thousand(millions));
        words.extend(digits("million"));
    }
    if thousands > 0 {
        // "mille", and not "un mille".
        if thousands > 1 {
            words.extend(below_thousand(thousands));
        }
        words.extend(digits("thousand"));
    }
    if rest > 0 || words.is_empty() {
        words.extend(below_thousand(rest));
    }
    words
}

fn below_thousand(value: i64) -> Words {
    match value {
        0..100 => below_hundred(value),
        _ => {
            let (hundreds, rest) = (value / 100, value % 100);
            let mut words = if hundreds > 1 { digits(hundreds) } else { Words::new() };
            words.extend(digits("hundred"));
            if rest > 0 {
                words.extend(below_hundred(rest));
            }
            words
        }
    }
}

fn below_hundred(value: i64) -> Words {
    let (tens, rest) = (value / 10 * 10, value % 10);
    match (value, rest) {
        (0..=20, _) | (_, 0) => digits(value),
        // "soixante et onze", "soixante-douze"; "quatre-vingt-onze".
        (71, _) => [digits(60), digits("et"), digits(11)].concat(),
        (72..=79, _) => [digits(60), digits(value - 60)].concat(),
        (81..=99, _) => [digits(80), digits(value - 80)].concat(),
        (_, 1) => [digits(tens), digits("et"), digits(1)].concat(),
        _ => [digits(tens), digits(rest)].concat(),
    }
}

/// There are sounds for the first twenty ordinals and the tens; "unième", which the others need, there is not.
fn ordinal(value: i64) -> Words {
    match value {
        1..=20 | 30 | 40 | 50 | 60 | 70 | 80 | 90 => digits(format_args!("h-{value}")),
        _ => number(value),
    }
}

/// "Douze dollars et cinquante": the voices have no word for cents.
fn money(dollars: i64, cents: i64) -> Words {
    let mut words = [number(dollars), digits("dollars")].concat();
    if cents > 0 {
        words.extend([digits("et"), number(cents)].concat());
    }
    words
}

fn part(letter: char, day: &Day) -> Option<Words> {
    let at = &day.at;
    let counted = |value: u32| number(i64::from(value));
    Some(match letter {
        'A' | 'a' => digits(format_args!("day-{}", at.weekday)),
        'B' | 'b' | 'h' => digits(format_args!("mon-{}", at.month.saturating_sub(1))),
        'm' => counted(at.month),
        'd' | 'e' if at.day == 1 => digits("h-1"),
        'd' | 'e' => counted(at.day),
        'Y' => number(at.year.max(0)),
        // The sound "oclock" says "heures".
        'I' | 'l' => {
            let hour = match at.hour % 12 {
                0 => 12,
                hour => hour,
            };
            [counted(hour), digits("oclock")].concat()
        }
        'H' | 'k' => [counted(at.hour), digits("oclock")].concat(),
        'M' | 'N' if at.minute == 0 => Words::new(),
        'M' | 'N' => counted(at.minute),
        'S' => counted(at.second),
        'P' | 'p' => digits(if at.hour < 12 { "a-m" } else { "p-m" }),
        _ => return None,
    })
}
