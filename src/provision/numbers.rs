//! The numbers that can be dialled from a context, as a keypad sees them: what a device must know to dial at once.

use crate::dialplan::Dialplan;
use crate::dialplan::pattern::{End, Name};
use crate::dialplan::tree::Extension;
use std::collections::BTreeSet;

/// The most numbers of a context that are told to a device: each is compared with each.
pub const MAX_NUMBERS: usize = 500;

/// The keys of a telephone, as a bit each: the ten digits, `*`, `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Keys(u16);

/// The letters of the keys, by their bit.
const LETTERS: [char; 12] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];
/// All ten digits.
const DIGITS: u16 = 0x3ff;

impl Keys {
    /// Those of these bytes that are keys.
    fn of(bytes: &[u8]) -> Keys {
        let bit = |byte: &u8| LETTERS.iter().position(|letter| *letter == char::from(*byte));
        Keys(bytes.iter().filter_map(bit).fold(0, |keys, bit| keys | 1 << bit))
    }

    /// Whether a key is among them.
    pub fn has(self, key: char) -> bool {
        self.letters().any(|letter| letter == key)
    }

    /// Every key, digits first.
    pub fn letters(self) -> impl Iterator<Item = char> {
        LETTERS.into_iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, letter)| letter)
    }

    /// Whether they are the ten digits, and no more.
    pub fn is_any_digit(self) -> bool {
        self.0 == DIGITS
    }

    /// The only one there is.
    pub fn single(self) -> Option<char> {
        if self.0.count_ones() == 1 { self.letters().next() } else { None }
    }

    fn meets(self, other: Keys) -> bool {
        self.0 & other.0 != 0
    }

    fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// How a number ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tail {
    /// With its last key.
    None,
    /// With one key or more of any kind.
    Some,
    /// With nothing or more.
    Any,
}

/// Numbers of one shape: key by key what they may be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    /// Which keys may be pressed, one after the other.
    pub keys: Vec<Keys>,
    /// How they end.
    pub tail: Tail,
    /// Nobody who dials it can have meant a longer number: it may be dialled with its last key.
    pub at_once: bool,
    /// A call to it goes to somebody; else it is told something and ends.
    leads_on: bool,
}

impl Number {
    /// Numbers of this name; none: no telephone can dial it (`s`, `h`, names with letters).
    fn of(name: &Name, leads_on: bool) -> Option<Number> {
        let (positions, end) = name.positions();
        let keys: Vec<Keys> = positions.iter().map(|bytes| Keys::of(bytes)).collect();
        let tail = match end {
            End::Here => Tail::None,
            End::OneOrMore => Tail::Some,
            End::NothingOrMore => Tail::Any,
        };
        let is_dialled = !keys.iter().any(|keys| keys.is_none()) && (!keys.is_empty() || tail != Tail::None);
        is_dialled.then_some(Number { keys, tail, at_once: false, leads_on })
    }

    /// Whether something that both match so far could still become this one, when the other is whole.
    fn may_follow(&self, whole: &Number) -> bool {
        let same = self.keys.iter().zip(&whole.keys).all(|(one, other)| one.meets(*other));
        let is_longer = self.keys.len() > whole.keys.len();
        let is_open = self.tail != Tail::None;
        same && (is_longer || is_open && self.leads_on)
    }

    /// Whether a code that is dialled begins one of these numbers, or one of these numbers begins the code; not by an open
    /// end alone.
    pub fn clashes_with(&self, code: &str) -> bool {
        !self.keys.is_empty() && self.keys.iter().zip(code.chars()).all(|(keys, key)| keys.has(key))
    }
}

/// The numbers that can be dialled in these contexts and what they include, whenever. Sorted, each once.
pub fn of_contexts(plan: &Dialplan, contexts: &BTreeSet<&str>) -> Vec<Number> {
    let mut found = BTreeSet::new();
    for context in contexts.iter().flat_map(|context| plan.walk_all(context)) {
        let dialled = context.extensions.iter().filter(|one| one.priorities.contains_key(&1));
        found.extend(dialled.filter_map(|one| Number::of(&one.name, leads_on(one))).take(MAX_NUMBERS));
    }
    let mut numbers: Vec<Number> = found.into_iter().take(MAX_NUMBERS).collect();
    let at_once: Vec<bool> = numbers
        .iter()
        .map(|one| one.tail == Tail::None && !numbers.iter().any(|other| other != one && other.may_follow(one)))
        .collect();
    numbers.iter_mut().zip(at_once).for_each(|(number, at_once)| number.at_once = at_once);
    joined(numbers)
}

/// What an extension may do that only tells the caller something.
const ENDS: &[&str] = &[
    "answer",
    "background",
    "busy",
    "congestion",
    "hangup",
    "log",
    "noop",
    "playback",
    "playtones",
    "progress",
    "ringing",
    "set",
    "stopplaytones",
    "verbose",
    "wait",
];

fn leads_on(extension: &Extension) -> bool {
    let ends = |application: &str| ENDS.iter().any(|known| known.eq_ignore_ascii_case(application));
    !extension.priorities.values().all(|priority| ends(&priority.application))
}

/// The same numbers in fewer rows: rows that differ in one place alone become one.
fn joined(mut numbers: Vec<Number>) -> Vec<Number> {
    let mut at = 0;
    while at < numbers.len() {
        let (_, rest) = numbers.split_at(at);
        let Some((one, others)) = rest.split_first() else { break };
        let mate = others.iter().position(|other| differing_place(one, other).is_some());
        let Some(mate) = mate.map(|offset| at.saturating_add(1).saturating_add(offset)) else {
            at = at.saturating_add(1);
            continue;
        };
        let other = numbers.remove(mate);
        if let Some(one) = numbers.get_mut(at)
            && let Some(place) = differing_place(one, &other)
            && let (Some(keys), Some(more)) = (one.keys.get_mut(place), other.keys.get(place))
        {
            keys.0 |= more.0;
        }
        // What was joined may now be like one before it.
        at = 0;
    }
    numbers
}

fn differing_place(one: &Number, other: &Number) -> Option<usize> {
    let alike = one.keys.len() == other.keys.len()
        && (one.tail, one.at_once, one.leads_on) == (other.tail, other.at_once, other.leads_on);
    let mut places = one.keys.iter().zip(&other.keys).enumerate().filter(|(_, (a, b))| a != b).map(|(place, _)| place);
    let place = places.next().filter(|_| alike)?;
    places.next().is_none().then_some(place)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::Config;

    /// The numbers of a dialplan whose `[default]` has these lines.
    pub(crate) fn numbers(lines: &str) -> Vec<Number> {
        let text = format!("[default]\n{lines}\n");
        let config = Config::from_texts("", &text, "", "").0.unwrap();
        let plan = crate::dialplan::parse_in(&config.extensions, "test", &config.zones).0;
        of_contexts(&plan, &BTreeSet::from(["default"]))
    }

    fn shown(number: &Number) -> String {
        let mut text = String::new();
        for keys in &number.keys {
            let letters: String = keys.letters().collect();
            text += &if letters.len() == 1 { letters } else { format!("[{letters}]") };
        }
        text += match number.tail {
            Tail::None => "",
            Tail::Some => ".",
            Tail::Any => "!",
        };
        text + if number.at_once { " at once" } else { "" }
    }

    fn all(lines: &str) -> Vec<String> {
        numbers(lines).iter().map(shown).collect()
    }

    #[test]
    fn numbers_are_those_of_the_dialplan() {
        assert_eq!(
            all("exten => 101,1,Dial(SIP/a)\nexten => _2X,1,Dial(SIP/b)"),
            ["101 at once", "2[0123456789] at once"]
        );
        assert_eq!(
            all("exten => s,1,Answer()\nexten => h,1,NoOp()\nexten => office,1,Answer()\nexten => 5,2,Answer()"),
            [""; 0]
        );
        assert_eq!(all("exten => *60,1,Answer()\nexten => #1,1,Answer()"), ["*60 at once", "#1 at once"]);
        assert_eq!(all("include => b\n[b]\nexten => 7,1,Answer()"), ["7 at once"]);
    }

    #[test]
    fn a_number_that_may_go_on_is_not_dialled_at_once() {
        let dial = "1,Dial(SIP/x/${EXTEN})";
        assert_eq!(all(&format!("exten => _1XX,{dial}\nexten => _1XXX,{dial}")).len(), 2);
        let longer = all(&format!("exten => 11,{dial}\nexten => 112,{dial}"));
        assert_eq!(longer, ["11", "112 at once"]);
        // An outside line that any number may lead to.
        assert_eq!(all(&format!("exten => 881,{dial}\nexten => _X.,{dial}")), ["881", "[0123456789]."]);
        // One that only says that there is no such number.
        let told = all(&format!("exten => 881,{dial}\nexten => _X.,1,Playback(ss-noservice)\nexten => _X.,2,Hangup()"));
        assert_eq!(told, ["881 at once", "[0123456789]."]);
        // A prefix that the number does not have.
        assert_eq!(all(&format!("exten => 881,{dial}\nexten => _9.,{dial}")), ["881 at once", "9."]);
    }

    #[test]
    fn rows_are_joined() {
        let rows: String = (101..=110).map(|n| format!("exten => {n},1,Dial(SIP/{n})\n")).collect();
        assert_eq!(all(&rows), ["10[123456789] at once", "110 at once"]);
    }

    #[test]
    fn a_code_clashes_with_numbers_that_begin_as_it_does() {
        let numbers = numbers(
            "exten => *68,1,Answer()\nexten => _*7X,1,Answer()\nexten => _X.,1,Answer()\nexten => _.,1,Answer()",
        );
        let clashes = |code: &str| numbers.iter().any(|number| number.clashes_with(code));
        assert!(clashes("*68") && clashes("*70") && !clashes("*69") && !clashes("#99"));
    }
}
