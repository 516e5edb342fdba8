//! Extension names: literal or pattern, what they match, and which of two comes first.

use std::cmp::Ordering;

/// Letters one position of a pattern accepts, as bits by byte value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Set([u128; 2]);

impl Set {
    fn range(first: u8, last: u8) -> Set {
        let mut set = Set::default();
        for byte in first..=last {
            set.insert(byte);
        }
        set
    }

    fn insert(&mut self, byte: u8) {
        let [low, high] = &mut self.0;
        if byte < 128 { *low |= 1 << byte } else { *high |= 1 << (byte & 127) }
    }

    fn contains(self, byte: u8) -> bool {
        let [low, high] = self.0;
        if byte < 128 { low >> byte & 1 == 1 } else { high >> (byte & 127) & 1 == 1 }
    }

    fn is_within(self, other: Set) -> bool {
        let ([low, high], [other_low, other_high]) = (self.0, other.0);
        low & !other_low == 0 && high & !other_high == 0
    }

    fn len(self) -> u32 {
        let [low, high] = self.0;
        low.count_ones() + high.count_ones()
    }

    /// Smaller sets first, then the one whose smallest member that the other lacks is lower.
    fn order(self, other: Set) -> Ordering {
        self.len().cmp(&other.len()).then_with(|| {
            let ([low, high], [other_low, other_high]) = (self.0, other.0);
            lowest_difference(low, other_low).then_with(|| lowest_difference(high, other_high))
        })
    }
}

fn lowest_difference(one: u128, two: u128) -> Ordering {
    let lowest = (one ^ two).trailing_zeros();
    match lowest {
        128.. => Ordering::Equal,
        bit if one >> bit & 1 == 1 => Ordering::Less,
        _ => Ordering::Greater,
    }
}

/// One position of a pattern. Positions sort sets first, then `.`, then `!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    One(Set),
    /// `.`: one or more of anything.
    Some,
    /// `!`: nothing or more of anything; no further digits are waited for.
    Any,
}

/// What a name does with a dialled number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It matches.
    Yes,
    /// It does not, but may when more digits follow.
    MoreDigits,
    /// It does not.
    No,
}

/// Whether further digits could lead to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Longer {
    /// They could.
    Yes,
    /// It matches already, and `!` says that no further digits are waited for, whatever else they could lead to.
    Ends,
    /// They could not.
    No,
}

/// How a name ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// With its last letter.
    Here,
    /// `.`: with one or more of anything.
    OneOrMore,
    /// `!`: with nothing or more of anything.
    NothingOrMore,
}

/// The name of an extension, or the condition on a caller's number. Its order is the order in which a context is
/// searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    shown: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Literal(Vec<u8>),
    Pattern(Vec<Element>),
}

impl Name {
    /// Reads a name, with what is odd about it in plain words. Blanks are removed and `-` is decoration, outside
    /// `[...]`.
    pub fn parse(text: &str) -> (Name, Option<String>) {
        let shown: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let (kind, odd) = match shown.strip_prefix('_') {
            Some(pattern) => {
                let (elements, odd) = read_pattern(pattern.as_bytes());
                (Kind::Pattern(elements), odd)
            }
            None => (Kind::Literal(digits(&shown)), None),
        };
        (Name { shown, kind }, odd)
    }

    /// The name as written, without blanks.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether this is a pattern that also catches `h`, `i`, `t` and the like (`_.`, `_!`).
    pub fn matches_everything(&self) -> bool {
        match &self.kind {
            Kind::Literal(_) => false,
            Kind::Pattern(elements) => matches!(elements.first(), Some(Element::Some | Element::Any)),
        }
    }

    /// Whether this is a pattern with an open end: `.` or `!`.
    pub fn is_open(&self) -> bool {
        match &self.kind {
            Kind::Literal(_) => false,
            Kind::Pattern(elements) => matches!(elements.last(), Some(Element::Some | Element::Any)),
        }
    }

    /// Whether this pattern with an open end matches all that the other name matches.
    pub fn covers(&self, other: &Name) -> bool {
        let (Kind::Pattern(mine), true) = (&self.kind, self.is_open()) else { return false };
        let theirs = match &other.kind {
            Kind::Literal(letters) => return match_pattern(mine, letters) == Match::Yes,
            Kind::Pattern(elements) => elements,
        };
        let mut theirs = theirs.iter();
        for element in mine {
            match (element, theirs.next()) {
                (Element::One(set), Some(Element::One(other))) if other.is_within(*set) => {}
                (Element::One(_), _) => return false,
                (Element::Some, next) => return matches!(next, Some(Element::One(_) | Element::Some)),
                (Element::Any, _) => return true,
            }
        }
        false
    }

    /// The literal's letters; `None` for a pattern.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Literal(letters) => Some(letters),
            Kind::Pattern(_) => None,
        }
    }

    /// What it accepts letter by letter, and how it ends; of a number that is written out, its letters.
    pub(crate) fn positions(&self) -> (Vec<Vec<u8>>, End) {
        let elements = match &self.kind {
            Kind::Literal(letters) => return (letters.iter().map(|letter| vec![*letter]).collect(), End::Here),
            Kind::Pattern(elements) => elements,
        };
        let mut positions = Vec::new();
        for element in elements {
            match element {
                Element::One(set) => positions.push((0..=u8::MAX).filter(|byte| set.contains(*byte)).collect()),
                Element::Some => return (positions, End::OneOrMore),
                Element::Any => return (positions, End::NothingOrMore),
            }
        }
        (positions, End::Here)
    }

    /// What the name does with a dialled number, given without `-` (see `digits`).
    pub fn matches(&self, dialled: &[u8]) -> Match {
        match &self.kind {
            Kind::Literal(letters) if letters == dialled => Match::Yes,
            Kind::Literal(letters) if letters.starts_with(dialled) => Match::MoreDigits,
            Kind::Literal(_) => Match::No,
            Kind::Pattern(elements) => match_pattern(elements, dialled),
        }
    }

    /// Whether more digits than these could lead to this name.
    pub fn longer(&self, dialled: &[u8]) -> Longer {
        let elements = match &self.kind {
            Kind::Literal(letters) if letters.len() > dialled.len() && letters.starts_with(dialled) => {
                return Longer::Yes;
            }
            Kind::Literal(_) => return Longer::No,
            Kind::Pattern(elements) => elements,
        };
        let mut left = dialled.iter();
        for element in elements {
            match (element, left.next()) {
                (Element::One(set), Some(byte)) if set.contains(*byte) => {}
                (Element::One(_), Some(_)) => return Longer::No,
                (Element::Any, _) => return Longer::Ends,
                (Element::Some, _) | (Element::One(_), None) => return Longer::Yes,
            }
        }
        Longer::No
    }

    /// The same name for the dialplan, even when written otherwise (`9-1-1` and `911`, `_x` and `_X`).
    pub fn is_same(&self, other: &Name) -> bool {
        self.kind == other.kind
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        match (&self.kind, &other.kind) {
            (Kind::Literal(one), Kind::Literal(two)) => one.cmp(two),
            (Kind::Literal(_), Kind::Pattern(_)) => Ordering::Less,
            (Kind::Pattern(_), Kind::Literal(_)) => Ordering::Greater,
            (Kind::Pattern(one), Kind::Pattern(two)) => order_patterns(one, two),
        }
        .then_with(|| self.shown.cmp(&other.shown))
    }
}

/// A dialled number as names are compared with it: `-` left out.
pub fn digits(dialled: &str) -> Vec<u8> {
    dialled.bytes().filter(|byte| *byte != b'-').collect()
}

fn order_patterns(one: &[Element], two: &[Element]) -> Ordering {
    for (a, b) in one.iter().zip(two) {
        let here = match (a, b) {
            (Element::One(a), Element::One(b)) => a.order(*b),
            (a, b) => rank(*a).cmp(&rank(*b)),
        };
        if here != Ordering::Equal {
            return here;
        }
    }
    // The end of a pattern sorts behind everything: the longer one first.
    two.len().cmp(&one.len())
}

fn rank(element: Element) -> u8 {
    match element {
        Element::One(_) => 0,
        Element::Some => 1,
        Element::Any => 2,
    }
}

fn match_pattern(elements: &[Element], dialled: &[u8]) -> Match {
    let mut left = dialled.iter();
    for element in elements {
        match (element, left.next()) {
            (Element::One(set), Some(byte)) if set.contains(*byte) => {}
            (Element::One(_), Some(_)) => return Match::No,
            (Element::Some, Some(_)) | (Element::Any, _) => return Match::Yes,
            (Element::One(_) | Element::Some, None) => return Match::MoreDigits,
        }
    }
    if left.next().is_none() { Match::Yes } else { Match::No }
}

fn read_pattern(text: &[u8]) -> (Vec<Element>, Option<String>) {
    let mut elements = Vec::new();
    let mut odd = None;
    let mut letters = text.iter().copied();
    while let Some(letter) = letters.next() {
        elements.push(Element::One(match letter {
            b'-' => continue,
            b'X' | b'x' => Set::range(b'0', b'9'),
            b'Z' | b'z' => Set::range(b'1', b'9'),
            b'N' | b'n' => Set::range(b'2', b'9'),
            b'[' => {
                let inside: Vec<u8> = letters.by_ref().take_while(|letter| *letter != b']').collect();
                if !text.contains(&b']') || (letters.len() == 0 && text.last() != Some(&b']')) {
                    odd = Some("a set is opened with '[' and never closed with ']'".to_owned());
                }
                let set = read_set(&inside);
                if set.len() == 0 {
                    odd.get_or_insert_with(|| "the empty set '[]' matches nothing".to_owned());
                }
                set
            }
            b'.' | b'!' => {
                elements.push(if letter == b'.' { Element::Some } else { Element::Any });
                if letters.len() > 0 {
                    odd.get_or_insert_with(|| format!("what follows '{}' is ignored", char::from(letter)));
                }
                return (elements, odd);
            }
            other => Set::range(other, other),
        }));
    }
    (elements, odd)
}

fn read_set(inside: &[u8]) -> Set {
    let mut set = Set::default();
    let mut rest = inside;
    loop {
        match rest {
            [first, b'-', last, tail @ ..] => {
                for byte in *first..=*last {
                    set.insert(byte);
                }
                rest = tail;
            }
            [one, tail @ ..] => {
                set.insert(*one);
                rest = tail;
            }
            [] => return set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).0
    }

    fn try_match(pattern: &str, dialled: &str) -> Match {
        name(pattern).matches(&digits(dialled))
    }

    #[test]
    fn a_context_sorts_as_measured() {
        // The order of one context in 20.20.1, as `dialplan show` printed it.
        let measured = [
            "*97", "100", "101", "106", "911", "9-1-2", "abc", "s", "_*9X", "_+X.", "_1XX", "_9N0X", "_9NXX", "_9XXX",
            "_9.", "_9!", "_[1-2]X", "_[13]X", "_[3-5]X", "_[a-c]X", "_ZXX", "_XXX", "_XX", "_X.", "_X!", "_.",
        ];
        for seed in 0..50u64 {
            let mut rng = crate::rng::Rng::from_number(seed);
            let mut names: Vec<Name> = measured.iter().map(|text| name(text)).collect();
            for at in (1..names.len()).rev() {
                let other = usize::try_from(rng.below(at as u64 + 1)).unwrap();
                names.swap(at, other);
            }
            names.sort();
            let sorted: Vec<&str> = names.iter().map(Name::shown).collect();
            assert_eq!(sorted, measured);
        }
    }

    #[test]
    fn patterns_match_as_their_letters_say() {
        assert_eq!(try_match("_NXX", "234"), Match::Yes);
        assert_eq!(try_match("_NXX", "134"), Match::No);
        assert_eq!(try_match("_ZXX", "034"), Match::No);
        assert_eq!(try_match("_nxx", "23"), Match::MoreDigits);
        assert_eq!(try_match("_NXX", "2345"), Match::No);
        assert_eq!(try_match("_[12-5a]", "4"), Match::Yes);
        assert_eq!(try_match("_[12-5a]", "a"), Match::Yes);
        assert_eq!(try_match("_[12-5a]", "6"), Match::No);
        assert_eq!(try_match("_[]", "1"), Match::No);
        assert_eq!(try_match("_9-1X", "9-15"), Match::Yes);
        assert_eq!(try_match("_f[n]-.", "fnord"), Match::Yes);
        assert_eq!(try_match("_stde[x]te[n]-.", "stdexten-SIP"), Match::Yes);
        assert_eq!(try_match("_A", "a"), Match::No);
    }

    #[test]
    fn the_open_ends_differ() {
        assert_eq!(try_match("_X.", "8"), Match::MoreDigits);
        assert_eq!(try_match("_X.", "88567682"), Match::Yes);
        assert_eq!(try_match("_X!", "8"), Match::Yes);
        assert_eq!(try_match("_X!", ""), Match::MoreDigits);
        assert_eq!(try_match("_X.5", "89"), Match::Yes);
    }

    #[test]
    fn an_open_pattern_covers_what_can_only_match_it() {
        let covers = |one: &str, other: &str| name(one).covers(&name(other));
        for (one, other) in [
            ("_X.", "101"),
            ("_X!", "1"),
            ("_X.", "_1XX"),
            ("_9.", "911"),
            ("_9!", "_9"),
            ("_.", "_X!x"),
            ("_X!", "_[1-3]!"),
        ] {
            assert!(covers(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("_X.", "1"),
            ("_X.", "_X!"),
            ("_9.", "_X1"),
            ("_X.", "s"),
            ("_1XX", "101"),
            ("101", "101"),
            ("_XX.", "_X."),
        ] {
            assert!(!covers(one, other), "{one} {other}");
        }
    }

    #[test]
    fn more_digits_are_waited_for_while_they_can_lead_anywhere() {
        let longer = |pattern: &str, dialled: &str| name(pattern).longer(&digits(dialled));
        for (pattern, dialled, expected) in [
            ("1", "1", Longer::No),
            ("12", "1", Longer::Yes),
            ("12", "2", Longer::No),
            ("_1XX", "12", Longer::Yes),
            ("_1XX", "123", Longer::No),
            ("_1X.", "12", Longer::Yes),
            ("_1X.", "1234", Longer::Yes),
            ("_1X!", "1", Longer::Yes),
            ("_1X!", "12", Longer::Ends),
            ("_1X!", "123", Longer::Ends),
            ("_1X!", "2", Longer::No),
        ] {
            assert_eq!(longer(pattern, dialled), expected, "{pattern} {dialled}");
        }
    }

    #[test]
    fn decoration_is_dropped_and_shown() {
        assert_eq!(try_match("555-1234", "5551234"), Match::Yes);
        assert_eq!(name("555 - 1234").shown(), "555-1234");
        assert!(name("9-1-1").is_same(&name("911")));
    }

    #[test]
    fn odd_patterns_say_so() {
        assert!(Name::parse("_[12").1.is_some());
        assert!(Name::parse("_X.12").1.is_some());
        assert!(Name::parse("_[]X").1.is_some());
        assert!(Name::parse("_[12]X.").1.is_none());
        assert!(
            name("_.").matches_everything() && name("_!").matches_everything() && !name("_X.").matches_everything()
        );
    }
}
