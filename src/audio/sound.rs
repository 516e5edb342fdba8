//! The sounds that need no file, by the names a dialplan calls them.

use super::RATE;
use super::tone::{self, Meaning};

/// The zone whose tones `tone/busy` without a zone means.
const HOME: &str = "us";

/// The samples of a built-in sound; `None`: there is none of that name (it may be a file).
///
/// `beep`; `silence/1` to `silence/10` (seconds); `tone/milliwatt`; `tone/dial`, `tone/ring`, `tone/busy`,
/// `tone/congestion`, also with a zone: `tone/uk/busy`. Tones are one turn of their cadence, to be repeated.
pub fn find(name: &str) -> Option<Vec<i16>> {
    match name.split_once('/') {
        None if name == "beep" => Some(tone::stretch(&[1_000], 200, -13.0)),
        None => None,
        Some(("silence", seconds)) => silence(seconds),
        Some(("tone", "milliwatt")) => Some(tone::milliwatt()),
        Some(("tone", kind)) => {
            let (zone, kind) = kind.split_once('/').unwrap_or((HOME, kind));
            tone::progress(zone, meaning(kind)?)
        }
        Some(_) => None,
    }
}

fn silence(seconds: &str) -> Option<Vec<i16>> {
    let seconds = (1..=10u32).find(|known| known.to_string() == seconds)?;
    let samples = usize::try_from(seconds.saturating_mul(RATE)).ok()?;
    Some(vec![0; samples])
}

fn meaning(kind: &str) -> Option<Meaning> {
    match kind {
        "dial" => Some(Meaning::Dial),
        "ring" => Some(Meaning::Ring),
        "busy" => Some(Meaning::Busy),
        "congestion" => Some(Meaning::Congestion),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_names_that_are_known() {
        assert_eq!(find("beep").unwrap().len(), 1_600);
        assert_eq!(find("silence/1").unwrap(), vec![0; 8_000]);
        assert_eq!(find("silence/10").unwrap().len(), 80_000);
        assert_eq!(find("tone/busy").unwrap(), find("tone/us/busy").unwrap());
        assert_ne!(find("tone/busy").unwrap(), find("tone/uk/busy").unwrap());
        assert_eq!(find("tone/milliwatt").unwrap().len(), 8_000);
    }

    #[test]
    fn the_names_that_are_not() {
        for name in
            ["", "beeep", "silence/0", "silence/11", "silence/01", "silence", "tone/", "tone/mars/busy", "a/b/c"]
        {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
