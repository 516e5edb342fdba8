//! The numbers of the dialplan as devices are told them, so that they dial without waiting where nobody can have meant a
//! longer number.

use super::numbers::{Keys, Number, Tail};
use super::values::Entry;

/// Seconds that are waited for another key of a number that may go on.
pub const WAIT_S: u8 = 3;
/// Seconds that are waited for another key of a number that the dialplan does not have.
const WAIT_UNKNOWN_S: u8 = 5;
/// The longest `Dial_Plan` of a Sipura: the manual has its type as a text of at most 2047 letters.
const MAX_SIPURA: usize = 2047;
/// The most `TEMPLATE` rows of a Cisco's `dialplan.xml`.
const MAX_TEMPLATES: usize = 400;
/// The most numbers that one row of the dialplan becomes where a device knows no choice of keys.
const MAX_SPELLED: usize = 32;

/// The `Dial_Plan` of a Sipura, Linksys or Cisco adapter. `S0` stands behind numbers that are whole and no others: they are
/// dialled with the last key; the others after the short timer, or with `#`.
pub fn sipura(numbers: &[Number]) -> String {
    let mut sequences: Vec<String> = numbers.iter().map(sipura_sequence).collect();
    if !numbers.iter().any(|number| number.keys.is_empty()) {
        sequences.push("[x*][x*].".to_owned());
    }
    let whole = format!("({})", sequences.join("|"));
    if whole.len() <= MAX_SIPURA { whole } else { "([x*][x*].)".to_owned() }
}

fn sipura_sequence(number: &Number) -> String {
    let mut text: String = number.keys.iter().map(|keys| set(*keys, "x")).collect();
    text += match number.tail {
        Tail::None if number.at_once => "S0",
        Tail::None => "",
        // "." repeats what stands before it no times or more often.
        Tail::Some => "[x*][x*].",
        Tail::Any => "[x*].",
    };
    text
}

/// The dial plan of a Grandstream adapter: `{ 1xx | 9x+ }`.
pub fn grandstream(numbers: &[Number]) -> String {
    let mut sequences: Vec<String> = Vec::new();
    for number in numbers {
        let text: String = number.keys.iter().map(|keys| set(*keys, "x")).collect();
        match number.tail {
            Tail::None => sequences.push(text),
            Tail::Some => sequences.push(text + "x+"),
            Tail::Any => {
                sequences.extend([format!("{text}x+"), text].into_iter().filter(|text| !text.is_empty()));
            }
        }
    }
    // Whatever else is dialled is told by the exchange that it is wrong.
    sequences.extend(["x+", "*x+", "*xx*x+"].map(String::from));
    let mut seen = std::collections::BTreeSet::new();
    sequences.retain(|text| seen.insert(text.clone()));
    format!("{{ {} }}", sequences.join(" | "))
}

/// The rows of a Cisco's `dialplan.xml`, each with its `match` and `timeout`. There `.` is any key, `*` one or more, and
/// keys to choose from are not known: such numbers are spelled out. The number that is whole and has the most keys of its
/// own wins.
pub fn cisco(numbers: &[Number]) -> Vec<Entry> {
    let mut rows: Vec<(String, u8)> = Vec::new();
    for number in numbers {
        let (tails, wait): (&[&str], u8) = match number.tail {
            Tail::None if number.at_once => (&[""], 0),
            Tail::None => (&[""], WAIT_S),
            Tail::Some => (&["*"], WAIT_S),
            Tail::Any => (&["", "*"], WAIT_S),
        };
        let (spelled, wait) = match spelled(&number.keys) {
            Some(spelled) => (spelled, wait),
            // Any key in place of some would dial too early: wait.
            None => (vec![number.keys.iter().map(|keys| keys.single().map_or('.', |key| key)).collect()], WAIT_S),
        };
        for text in spelled {
            rows.extend(tails.iter().map(|tail| (format!("{text}{tail}"), wait)));
        }
    }
    rows.retain(|(text, _)| !text.is_empty() && text != "*");
    rows.truncate(MAX_TEMPLATES);
    rows.push(("*".to_owned(), WAIT_UNKNOWN_S));
    rows.into_iter()
        .map(|(text, wait)| Entry::default().text("match", text).text("timeout", wait.to_string()))
        .collect()
}

/// Every way to spell the numbers, with `.` for any digit; none: too many.
fn spelled(keys: &[Keys]) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    for keys in keys {
        let choices: Vec<String> = if keys.is_any_digit() {
            vec![".".into()]
        } else {
            keys.letters().map(|key| if key == '*' { "\\*".into() } else { key.to_string() }).collect()
        };
        if all.len().saturating_mul(choices.len()) > MAX_SPELLED {
            return None;
        }
        all = all.iter().flat_map(|text| choices.iter().map(move |choice| format!("{text}{choice}"))).collect();
    }
    Some(all)
}

/// One key as dial plans write it: itself, any digit, or `[2-9*]`.
fn set(keys: Keys, any: &str) -> String {
    if keys.is_any_digit() {
        return any.to_owned();
    }
    if let Some(key) = keys.single() {
        return key.to_string();
    }
    let letters: Vec<char> = keys.letters().collect();
    let mut text = String::from("[");
    let mut rest = letters.as_slice();
    while let Some(first) = rest.first() {
        let row = (1..rest.len()).take_while(|at| follows(rest.get(at.saturating_sub(1)), rest.get(*at))).count();
        match rest.get(row) {
            Some(last) if row >= 2 => {
                text.extend([*first, '-', *last]);
                rest = rest.get(row.saturating_add(1)..).unwrap_or_default();
            }
            _ => {
                text.push(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    text + "]"
}

fn follows(one: Option<&char>, next: Option<&char>) -> bool {
    match (one, next) {
        (Some(one), Some(next)) => next.is_ascii_digit() && u32::from(*next) == u32::from(*one).saturating_add(1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::numbers::tests::numbers;
    use super::super::template::{Format, Passwords, Template};
    use super::super::values::Values;
    use super::*;

    const HOUSE: &str = "exten => 101,1,Dial(SIP/a)\nexten => 102,1,Dial(SIP/b)\nexten => _88[0-4],1,Dial(SIP/c)\nexten => _8[13]X,1,Dial(SIP/d)\n\
        exten => _9.,1,Dial(SIP/out/${EXTEN:1})\nexten => *60,1,Answer()\nexten => 9,1,Answer()\n";

    fn cisco_rows(lines: &str) -> Vec<String> {
        let mut values = Values::default();
        values.list("rows", cisco(&numbers(lines)));
        let template = Template::parse("{{#rows}}\n{{match}} {{timeout}}\n{{/rows}}\n", &|_| true).unwrap();
        let text = template.fill(&values, Format::Text, Passwords::Masked).text;
        text.lines().map(String::from).collect()
    }

    #[test]
    fn s0_stands_behind_numbers_that_are_whole() {
        let plan = sipura(&numbers(HOUSE));
        assert_eq!(plan, "(10[12]S0|8[13]xS0|88[0-4]S0|9|9[x*][x*].|*60S0|[x*][x*].)");
        assert_eq!(sipura(&numbers("exten => _X!,1,Dial(SIP/a)")), "(x[x*].|[x*][x*].)");
        assert_eq!(sipura(&[]), "([x*][x*].)");
        assert_eq!(sipura(&numbers("exten => _.,1,Dial(SIP/a)")), "([x*][x*].)");
    }

    #[test]
    fn a_dial_plan_that_is_too_long_is_the_short_one() {
        // No two of these are of one shape.
        let many: String = (0..90)
            .map(|n: u64| format!("exten => {}{:0w$},1,Dial(SIP/a)\n", 1, n * 7919, w = 10 + (n % 40) as usize))
            .collect();
        assert_eq!(sipura(&numbers(&many)), "([x*][x*].)");
    }

    #[test]
    fn a_grandstream_is_told_its_numbers() {
        let plan = grandstream(&numbers(HOUSE));
        assert_eq!(plan, "{ 10[12] | 8[13]x | 88[0-4] | 9 | 9x+ | *60 | x+ | *x+ | *xx*x+ }");
    }

    #[test]
    fn a_cisco_is_told_numbers_spelled_out() {
        let expected = [
            "101 0", "102 0", "81. 0", "83. 0", "880 0", "881 0", "882 0", "883 0", "884 0", "9 3", "9* 3", "\\*60 0",
            "* 5",
        ];
        assert_eq!(cisco_rows(HOUSE), expected);
        // A choice of eight keys seven times cannot be spelled out: any key, and wait.
        assert_eq!(cisco_rows("exten => _NNNNNNN,1,Dial(SIP/a)"), ["....... 3", "* 5"]);
        assert_eq!(cisco_rows("exten => _NXXXXXX,1,Dial(SIP/a)").len(), 9);
    }

    #[test]
    fn choices_of_keys_are_written_short() {
        let plan = |pattern: &str| sipura(&numbers(&format!("exten => {pattern},1,Dial(SIP/a)")));
        assert_eq!(plan("_[1-35]0"), "([1-35]0S0|[x*][x*].)");
        assert_eq!(plan("_[12*]0"), "([12*]0S0|[x*][x*].)");
        assert_eq!(plan("_Z0"), "([1-9]0S0|[x*][x*].)");
    }
}
