//! Numbers with their nouns, and what a misspelt name may have meant, for sentences that people read.

mod nearest;

pub use nearest::nearest;
use std::fmt::Display;

/// ` Did you mean 'x'?` for the nearest of the known names; empty when none is near. Of a word of one or two letters
/// too little is left to guess from.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = if word.chars().count() > 2 { nearest(word, known) } else { None };
    near.map(|name| format!(" Did you mean '{name}'?")).unwrap_or_default()
}

/// `1 peer`, `2 peers`, `3 priorities`: a number and what it counts, which is given in the singular.
pub fn plural<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    if count == N::from(1) {
        return format!("{count} {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count} {stem}ies"),
        Some(_) | None => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn one_of_a_thing_stands_in_the_singular() {
        assert_eq!([0_u64, 1, 2].map(|count| plural(count, "peer")), ["0 peers", "1 peer", "2 peers"]);
        assert_eq!(
            (plural(1_usize, "priority"), plural(3_usize, "priority")),
            ("1 priority".into(), "3 priorities".into())
        );
        assert_eq!(plural(2_usize, "day"), "2 days");
    }
}
