//! The nearest known name to a misspelt one.

/// The known name that takes the fewest changes to reach (a letter more, less, another, or two swapped), when they are
/// few for the length of the word; the first of equals. The known names are ASCII.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(MAX_WORD).map(|c| c.to_ascii_lowercase()).collect();
    let allowed = (word.len() / 3).clamp(1, MAX_CHANGES);
    let letters = letters_of(word.iter().copied());
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        // A change adds or takes away one letter, or puts one in another's place: two at most that only one word has.
        let alien = (letters ^ letters_of(name.chars())).count_ones();
        if name.len().abs_diff(word.len()) > allowed || usize::try_from(alien).unwrap_or(usize::MAX) > 2 * allowed {
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
}
