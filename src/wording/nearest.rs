//! The nearest known name to a misspelt one.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// The known name that takes the fewest changes to reach (a letter more, less, another, or two swapped), when they are
/// few for the length of the word; the first of equals. The known names are ASCII.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(MAX_WORD).map(|c| c.to_ascii_lowercase()).collect();
    let allowed = allowed_changes(word.len());
    let letters = letters_of(word.iter().copied());
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        if name.len().abs_diff(word.len()) > allowed || !may_be_near(letters, letters_of(name.chars()), allowed) {
            continue;
        }
        let other: Vec<char> = name.chars().map(|c| c.to_ascii_lowercase()).collect();
        let changes = distance(&word, &other);
        if changes <= allowed && best.is_none_or(|(fewest, _)| changes < fewest) {
            best = Some((changes, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Known names of which the nearest to many words is asked. A single change is looked up; to find more of them, no more
/// names are looked at than the allowance says, however many names and words there are: then nothing is near any more.
pub struct KnownNames<'a> {
    names: Vec<&'a str>,
    /// By length: the letters, and the place in `names`.
    by_length: BTreeMap<usize, Vec<(u64, usize)>>,
    /// Each name, whole and without any one of its letters: two that are one change apart share one of these.
    shortened: OnceCell<BTreeMap<String, Vec<usize>>>,
    asked: RefCell<BTreeMap<String, Option<&'a str>>>,
    left: Cell<usize>,
    looked: Cell<usize>,
}

impl<'a> KnownNames<'a> {
    /// These names; `allowance`: how many of them may be looked at in all, each as often as it is.
    pub fn new(names: impl IntoIterator<Item = &'a str>, allowance: usize) -> KnownNames<'a> {
        let names: Vec<&str> = names.into_iter().collect();
        let mut by_length: BTreeMap<usize, Vec<(u64, usize)>> = BTreeMap::new();
        for (number, name) in names.iter().enumerate() {
            by_length.entry(name.len()).or_default().push((letters_of(name.chars()), number));
        }
        KnownNames {
            names,
            by_length,
            shortened: OnceCell::new(),
            asked: RefCell::default(),
            left: Cell::new(allowance),
            looked: Cell::new(0),
        }
    }

    /// As [`nearest`].
    pub fn nearest(&self, word: &str) -> Option<&'a str> {
        if let Some(known) = self.asked.borrow().get(word) {
            return *known;
        }
        let short: String = word.chars().take(MAX_WORD).collect();
        let found = self.one_change_away(&short).or_else(|| self.look(&short));
        self.asked.borrow_mut().insert(word.to_owned(), found);
        found
    }

    /// How many names were looked at so far.
    pub fn looked(&self) -> usize {
        self.looked.get()
    }

    fn one_change_away(&self, word: &str) -> Option<&'a str> {
        let shortened = self.shortened.get_or_init(|| {
            let mut all: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (number, name) in self.names.iter().enumerate().filter(|(_, name)| name.len() <= MAX_WORD + 1) {
                for key in shortened(name) {
                    all.entry(key).or_default().push(number);
                }
            }
            all
        });
        let mut alike: Vec<usize> = shortened_all(word, shortened);
        self.spend(alike.len())?;
        alike.sort_unstable();
        alike.dedup();
        let lower: Vec<char> = word.to_ascii_lowercase().chars().collect();
        let changes = |name: &&str| distance(&lower, &name.to_ascii_lowercase().chars().collect::<Vec<_>>());
        let near = alike.into_iter().filter_map(|number| self.names.get(number).copied());
        near.map(|name| (changes(&name), name))
            .filter(|(changes, _)| *changes <= 1)
            .min_by_key(|(c, _)| *c)
            .map(|(_, n)| n)
    }

    /// Among those of about its length.
    fn look(&self, word: &str) -> Option<&'a str> {
        let length = word.chars().count();
        let allowed = allowed_changes(length);
        if allowed == 1 {
            return None;
        }
        let near = || self.by_length.range(length.saturating_sub(allowed)..=length.saturating_add(allowed));
        self.spend(near().map(|(_, names)| names.len()).sum())?;
        let letters = letters_of(word.chars());
        let mut alike: Vec<usize> = near()
            .flat_map(|(_, names)| names)
            .filter(|(theirs, _)| may_be_near(letters, *theirs, allowed))
            .map(|(_, number)| *number)
            .collect();
        alike.sort_unstable();
        nearest(word, alike.into_iter().filter_map(|number| self.names.get(number).copied()))
    }

    /// Takes so much of the allowance; `None` when that is not left.
    fn spend(&self, count: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(count)?);
        self.looked.set(self.looked.get().saturating_add(count));
        Some(())
    }
}

/// A word in lower case, whole and without any one of its letters.
fn shortened(word: &str) -> BTreeSet<String> {
    let letters: Vec<char> = word.to_ascii_lowercase().chars().collect();
    let without =
        |at: usize| letters.iter().enumerate().filter(move |(place, _)| *place != at).map(|(_, letter)| letter);
    (0..=letters.len()).map(|at| without(at).collect()).collect()
}

fn shortened_all(word: &str, all: &BTreeMap<String, Vec<usize>>) -> Vec<usize> {
    shortened(word).iter().filter_map(|key| all.get(key)).flatten().copied().collect()
}

/// How many changes a word of this length may have suffered.
fn allowed_changes(length: usize) -> usize {
    (length / 3).clamp(1, MAX_CHANGES)
}

/// A change adds or takes away one letter, or puts one in another's place: two at most that only one word has.
fn may_be_near(one: u64, other: u64, allowed: usize) -> bool {
    usize::try_from((one ^ other).count_ones()).unwrap_or(usize::MAX) <= 2 * allowed
}

/// Longer words than any name are cut: the time this takes grows with their length.
const MAX_WORD: usize = 64;

/// More changes than this make another word.
const MAX_CHANGES: usize = 3;

/// The set of a word's letters, a bit each, some sharing one.
fn letters_of(word: impl Iterator<Item = char>) -> u64 {
    word.fold(0, |set, letter| set | 1u64.wrapping_shl(u32::from(letter.to_ascii_lowercase())))
}

/// Optimal string alignment distance, a row of the table at a time.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (i, x) in (1usize..).zip(a) {
        let mut row = Vec::with_capacity(above.len());
        row.push(i);
        let (mut left, mut last_b) = (i, None);
        for ((j, y), pair) in b.iter().enumerate().zip(above.windows(2)) {
            let &[diagonal, up] = pair else { continue };
            let mut fewest = (up.min(left) + 1).min(diagonal + usize::from(x != y));
            if last_a == Some(y)
                && last_b == Some(x)
                && let Some(swapped) = j.checked_sub(1).and_then(|j| before.get(j))
            {
                fewest = fewest.min(swapped + 1);
            }
            row.push(fewest);
            left = fewest;
            last_b = Some(y);
        }
        before = std::mem::replace(&mut above, row);
        last_a = Some(x);
    }
    above.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_changes() {
        let count = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(count("qualfy", "qualify"), 1);
        assert_eq!(count("qulaify", "qualify"), 1);
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("abc", ""), 3);
        assert_eq!(count("kitten", "sitting"), 3);
        assert_eq!(count("same", "same"), 0);
    }

    #[test]
    fn finds_only_what_is_near() {
        let known = ["qualify", "qualifyfreq", "secret", "nat"];
        assert_eq!(nearest("Qualfy", known), Some("qualify"));
        assert_eq!(nearest("sercet", known), Some("secret"));
        assert_eq!(nearest("nta", known), Some("nat"));
        assert_eq!(nearest("silencesuppression", known), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn many_names_answer_as_one_by_one_until_the_allowance_is_spent() {
        let names: Vec<String> = (0..500).map(|number| format!("room-{number}")).chain(["qualify".into()]).collect();
        let names = || names.iter().map(String::as_str);
        let known = KnownNames::new(names(), 100_000);
        for word in ["room-77", "room77", "rom-499", "Qualfy", "roof-12", "nothing-like-it", "", "x"] {
            assert_eq!(known.nearest(word), nearest(word, names()), "{word}");
        }
        let looked = known.looked();
        assert!(looked > 0 && looked < 8 * 501, "{looked}");
        assert_eq!((known.nearest("rom-499"), known.looked()), (Some("room-499"), looked), "asked before");
        // When all is spent, one change is still known.
        let few = KnownNames::new(names(), 700);
        assert_eq!(few.nearest("xroom-1x"), nearest("xroom-1x", names()));
        assert_eq!(few.nearest("yroom-2y"), None, "there is no more to spend");
        assert_eq!(few.nearest("roomm-3"), Some("room-3"));
        assert!(few.looked() <= 700);
    }

    /// The index and the plain search are of one mind, whatever is asked.
    #[test]
    fn the_index_answers_as_the_plain_search() {
        let mut rng = crate::rng::Rng::from_number(7);
        let mut word = |most: u64| -> String {
            let length = 1 + rng.below(most);
            (0..length).map(|_| char::from(b'a' + u8::try_from(rng.below(4)).unwrap())).collect()
        };
        let names: Vec<String> = (0..200).map(|_| word(9)).collect();
        let known = KnownNames::new(names.iter().map(String::as_str), usize::MAX);
        for _ in 0..2_000 {
            let asked = word(10);
            assert_eq!(known.nearest(&asked), nearest(&asked, names.iter().map(String::as_str)), "{asked}");
        }
    }
}
