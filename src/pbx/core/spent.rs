//! How long the calls to each line were that has minutes to spend a day. What changes is kept in the key/value database,
//! where it outlives a restart, and where its owner sees it and may take it back.

use std::collections::{BTreeMap, BTreeSet};

/// Its family in the database: `/TrunkSeconds/NAME` is the day and the seconds of it.
const FAMILY: &str = "/TrunkSeconds/";

/// Seconds of calls by line, each of one day.
#[derive(Debug, Default)]
pub struct Spent {
    lines: BTreeMap<String, (String, u64)>,
    changed: BTreeSet<String>,
}

impl Spent {
    /// How long they were on that day.
    pub fn on(&self, line: &str, day: &str) -> u64 {
        self.lines.get(line).filter(|(of, _)| of == day).map_or(0, |(_, seconds)| *seconds)
    }

    /// A call was so long on that day; what is known of another day is not needed any more.
    pub fn add(&mut self, line: &str, day: &str, seconds: u64) {
        let seconds = self.on(line, day).saturating_add(seconds);
        self.lines.insert(line.to_owned(), (day.to_owned(), seconds));
        self.changed.insert(line.to_owned());
    }

    /// What is to be kept of it: names and values of the database.
    pub fn take_changes(&mut self) -> Vec<(String, String)> {
        let changed = std::mem::take(&mut self.changed);
        let values = changed.iter().filter_map(|line| Some((line, self.lines.get(line)?)));
        values.map(|(line, (day, seconds))| (format!("{FAMILY}{line}"), format!("{day} {seconds}"))).collect()
    }

    /// An entry of the database is this now, by whomever: one of another family says nothing here.
    pub fn note(&mut self, path: &str, value: Option<&str>) {
        let Some(line) = path.strip_prefix(FAMILY) else { return };
        let read = value.and_then(|value| value.split_once(' '));
        match read.and_then(|(day, seconds)| Some((day, seconds.trim().parse().ok()?))) {
            Some((day, seconds)) => drop(self.lines.insert(line.to_owned(), (day.to_owned(), seconds))),
            None => drop(self.lines.remove(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_counted_kept_and_taken_back() {
        let mut spent = Spent::default();
        spent.add("one", "2026-11-29", 50);
        spent.add("one", "2026-11-29", 20);
        assert_eq!(
            (spent.on("one", "2026-11-29"), spent.on("one", "2026-11-30"), spent.on("two", "2026-11-29")),
            (70, 0, 0)
        );
        assert_eq!(spent.take_changes(), [("/TrunkSeconds/one".to_owned(), "2026-11-29 70".to_owned())]);
        assert!(spent.take_changes().is_empty());
        let mut later = Spent::default();
        later.note("/TrunkSeconds/one", Some("2026-11-29 70"));
        later.note("/other/one", None);
        assert_eq!(later.on("one", "2026-11-29"), 70);
        later.add("one", "2026-11-30", 5);
        assert_eq!((later.on("one", "2026-11-29"), later.on("one", "2026-11-30")), (0, 5));
        later.note("/TrunkSeconds/one", None);
        assert_eq!(later.on("one", "2026-11-30"), 0);
        for nonsense in ["", "x", "2026-11-29 x", "2026-11-29 -1"] {
            later.note("/TrunkSeconds/one", Some(nonsense));
            assert_eq!(later.on("one", "2026-11-29"), 0, "{nonsense}");
        }
    }
}
