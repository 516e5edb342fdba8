//! What is said, and that there are sounds for it.

use super::date::date;
use super::*;
use crate::clock::Wall;
use crate::datetime::Civil;
use std::collections::BTreeSet;

/// The words without `digits/` before each.
fn short(words: &Words) -> String {
    words.iter().map(|word| word.strip_prefix("digits/").unwrap_or(word)).collect::<Vec<_>>().join(" ")
}

fn numbers(code: &str, gender: Gender, vectors: &[(i64, &str)]) {
    for (number, expected) in vectors {
        let said = language(code).number(*number, gender).unwrap();
        assert_eq!(short(&said), *expected, "{code} {number}");
    }
}

fn ordinals(code: &str, vectors: &[(i64, &str)]) {
    for (number, expected) in vectors {
        let said = language(code).ordinal(*number, Gender::None).unwrap();
        assert_eq!(short(&said), *expected, "{code} {number}");
    }
}

#[test]
fn numbers_in_english() {
    numbers(
        "en",
        Gender::None,
        &[
            (0, "0"),
            (7, "7"),
            (13, "13"),
            (20, "20"),
            (21, "20 1"),
            (99, "90 9"),
            (100, "1 hundred"),
            (101, "1 hundred 1"),
            (115, "1 hundred 15"),
            (342, "3 hundred 40 2"),
            (1_000, "1 thousand"),
            (1_001, "1 thousand 1"),
            (2_026, "2 thousand 20 6"),
            (12_345, "12 thousand 3 hundred 40 5"),
            (100_000, "1 hundred thousand"),
            (654_321, "6 hundred 50 4 thousand 3 hundred 20 1"),
            (1_000_000, "1 million"),
            (999_999_999, "9 hundred 90 9 million 9 hundred 90 9 thousand 9 hundred 90 9"),
            (2_000_000_001, "2 billion 1"),
            (-5, "minus 5"),
            (-120, "minus 1 hundred 20"),
        ],
    );
    assert_eq!(language("en").number(1_000_000_000_000, Gender::None), None);
    assert_eq!(language("en").number(i64::MIN, Gender::None), None);
}

#[test]
fn ordinals_in_english() {
    ordinals(
        "en",
        &[
            (1, "h-1"),
            (12, "h-12"),
            (20, "h-20"),
            (21, "20 h-1"),
            (30, "h-30"),
            (99, "90 h-9"),
            (100, "1 h-hundred"),
            (101, "1 hundred h-1"),
            (1_000, "1 h-thousand"),
            (1_000_000, "1 h-million"),
            (0, "0"),
        ],
    );
}

#[test]
fn numbers_in_spanish() {
    numbers(
        "es",
        Gender::None,
        &[
            (0, "0"),
            (1, "1"),
            (21, "21"),
            (30, "30"),
            (31, "30 and 1"),
            (99, "90 and 9"),
            (100, "hundred"),
            (101, "100-and 1"),
            (200, "200"),
            (555, "500 50 and 5"),
            (1_000, "thousand"),
            (2_024, "2 thousand 24"),
            (100_000, "hundred thousand"),
            (1_000_000, "1M million"),
            (2_000_001, "2 millions 1"),
            (-3, "minus 3"),
        ],
    );
    numbers("es", Gender::Feminine, &[(1, "1F"), (31, "30 and 1F"), (101, "100-and 1F"), (1_001, "thousand 1F")]);
    numbers("es", Gender::Masculine, &[(1, "1M"), (2, "2")]);
    ordinals("es", &[(1, "h-1"), (20, "h-20"), (31, "h-30 h-1"), (100, "hundred")]);
}

#[test]
fn numbers_in_french() {
    numbers(
        "fr",
        Gender::None,
        &[
            (0, "0"),
            (16, "16"),
            (21, "20 et 1"),
            (22, "20 2"),
            (61, "60 et 1"),
            (70, "70"),
            (71, "60 et 11"),
            (77, "60 17"),
            (80, "80"),
            (81, "80 1"),
            (90, "90"),
            (91, "80 11"),
            (99, "80 19"),
            (100, "hundred"),
            (200, "2 hundred"),
            (301, "3 hundred 1"),
            (1_000, "thousand"),
            (1_999, "thousand 9 hundred 80 19"),
            (2_024, "2 thousand 20 4"),
            (3_000_000, "3 million"),
            (-8, "minus 8"),
        ],
    );
    ordinals("fr", &[(1, "h-1"), (20, "h-20"), (21, "20 et 1"), (80, "h-80")]);
}

/// Friday 2024-03-15 14:30:05 UTC, so many seconds later.
fn day(later: i64, days_ago: i64) -> Day {
    Day { at: Civil::from_wall(Wall((1_710_513_005 + later) * 1000)), days_ago }
}

fn dates(code: &str, day: Day, vectors: &[(&str, &str)]) {
    for (format, expected) in vectors {
        let (said, unknown) = date(language(code), &day, format);
        assert_eq!(short(&said), *expected, "{code} {format}");
        assert!(unknown.is_empty(), "{code} {format}: {unknown:?}");
    }
}

#[test]
fn dates_in_english() {
    dates(
        "en",
        day(0, 0),
        &[
            ("", "day-5 mon-2 h-15 2 thousand 20 4 at 2 30 p-m"),
            ("ABdY 'digits/at' IMp", "day-5 mon-2 h-15 2 thousand 20 4 at 2 30 p-m"),
            ("m", "h-3"),
            ("HM", "14 30"),
            ("R", "14 30"),
            ("T", "14 30 oh 5"),
            ("Q", "today"),
            ("q IMp", "2 30 p-m"),
            ("'hello'A 'goodbye'", "hello day-5 goodbye"),
            ("'", ""),
        ],
    );
    dates("en", day(86_400, -1), &[("Q", "tomorrow")]);
    dates("en", day(-86_400, 1), &[("q", "yesterday"), ("ABd", "day-4 mon-2 h-14")]);
    dates("en", day(-2 * 86_400, 2), &[("q", "day-3"), ("Q", "day-3 mon-2 h-13 2 thousand 20 4")]);
    // 00:00:00, 08:00:00, 08:05:00 and 12:00:00.
    let midnight = -(14 * 3600 + 30 * 60 + 5);
    dates("en", day(midnight, 0), &[("IMp", "12 oclock a-m"), ("HN", "oh oh hundred"), ("k", "oh"), ("S", "0")]);
    dates("en", day(midnight + 8 * 3600, 0), &[("IMp", "8 oclock a-m"), ("HN", "oh 8 hundred"), ("kM", "8 oclock")]);
    dates("en", day(midnight + 8 * 3600 + 300, 0), &[("IMp", "8 oh 5 a-m")]);
    dates("en", day(midnight + 12 * 3600, 0), &[("IMp", "12 oclock p-m")]);
    let unknown = date(language("en"), &day(0, 0), "AxB!").1;
    assert_eq!(unknown, ['x', '!']);
}

#[test]
fn years_in_english() {
    for (year, expected) in
        [(1900, "19 hundred"), (1905, "19 oh 5"), (1984, "19 80 4"), (2000, "2 thousand"), (2026, "2 thousand 20 6")]
    {
        let at = Civil { year, ..Civil::from_wall(Wall(0)) };
        dates("en", Day { at, days_ago: 100 }, &[("Y", expected)]);
    }
}

#[test]
fn dates_in_other_languages() {
    dates("es", day(0, 0), &[("", "es-el day-5 15 es-de mon-2 es-de 2 thousand 24 at_s 2 and 30 p-m")]);
    dates("es", day(-3600 - 1800, 0), &[("IMp", "1F oclock p-m"), ("dB", "15 mon-2")]);
    dates("fr", day(0, 0), &[("", "day-5 15 mon-2 2 thousand 20 4 at 14 oclock 30")]);
    dates("fr", day(-1800, 0), &[("kM", "14 oclock")]);
}

#[test]
fn a_language_without_a_table_is_english() {
    for (name, code) in [("en", "en"), ("es_MX", "es"), ("FR-ca", "fr"), ("", "en"), ("tlh", "en"), ("en_GB", "en")] {
        assert_eq!(language(name).code, code, "{name}");
    }
}

#[test]
fn text_is_spelled() {
    let spelled = |text| letters::spelled(text, letters::Case::None).join(" ");
    assert_eq!(
        spelled("aZ 9.@!"),
        "letters/a letters/z letters/space digits/9 letters/dot letters/at letters/exclaimation-point"
    );
    assert_eq!(spelled("~*#é"), "letters/ascii126 digits/star digits/pound");
    let cased = |case| letters::spelled("aB1", case).join(" ");
    assert_eq!(cased(letters::Case::All), "lowercase letters/a uppercase letters/b digits/1");
    assert_eq!(cased(letters::Case::Upper), "letters/a uppercase letters/b digits/1");
    assert_eq!(cased(letters::Case::Lower), "lowercase letters/a letters/b digits/1");
    assert_eq!(
        letters::phonetic("Sip9-8").join(" "),
        "phonetic/s_p phonetic/i_p phonetic/p_p phonetic/9_p letters/dash digits/8"
    );
    assert_eq!(short(&letters::digits("1*#-x")), "1 star pound minus");
}

/// Everything that a language's table can say.
fn everything(language: &Language) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let genders = [Gender::None, Gender::Masculine, Gender::Feminine, Gender::Common, Gender::Neuter];
    let large = [1_000, 1_001, 2_000, 21_021, 100_000, 999_999, 1_000_000, 31_000_031, 999_999_999, -1];
    for number in (0..1_000).chain(large).chain([language.largest]) {
        for gender in genders {
            said.extend(language.number(number, gender).unwrap());
            said.extend(language.ordinal(number, gender).unwrap());
        }
    }
    // Each hour and each day of a leap year.
    for hour in (0..366 * 24).step_by(5) {
        for format in ["", "ABbhdemYIlHkMNSPpRTaQq"] {
            said.extend(date(language, &day(hour * 3661, 9), format).0);
        }
    }
    for days_ago in -1..=1 {
        said.extend(date(language, &day(0, days_ago), "Q").0);
    }
    said
}

#[test]
fn debian_has_a_sound_for_everything_that_is_said() {
    let lists = [
        ("en", include_str!("../../../tests/dialplan/sounds-en.txt")),
        ("es", include_str!("../../../tests/dialplan/sounds-es.txt")),
        ("fr", include_str!("../../../tests/dialplan/sounds-fr.txt")),
    ];
    for (code, list) in lists {
        let there: BTreeSet<&str> = list.split_whitespace().collect();
        let missing: Vec<String> =
            everything(language(code)).into_iter().filter(|name| !there.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{code}: {missing:?}");
    }
    let english: BTreeSet<&str> = lists[0].1.split_whitespace().collect();
    let ascii: String = (' '..='~').collect();
    let mut spelled = letters::spelled(&ascii, letters::Case::All);
    spelled.extend(letters::phonetic(&ascii));
    spelled.extend(letters::digits(&ascii));
    let missing: BTreeSet<String> = spelled.into_iter().filter(|name| !english.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
