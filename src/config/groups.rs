//! `callgroup=`, `pickupgroup=` and their named kin: who may take whose calls.

use std::collections::BTreeSet;

/// The highest number of a group.
const HIGHEST: u32 = 63;
/// The most groups with names that one line is in.
const MAX_NAMES: usize = 100;

/// The groups of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineGroups {
    /// `callgroup`, `namedcallgroup`: in which its calls may be taken by others.
    pub calls: Groups,
    /// `pickupgroup`, `namedpickupgroup`: of which it may take calls.
    pub pickups: Groups,
}

/// Groups: by number, and by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    /// A bit for each number.
    numbers: u64,
    /// Names, in lower case.
    names: BTreeSet<String>,
}

impl Groups {
    /// Takes the groups by number from `1,3-5`, instead of those it has; `None`: a word is no number from 0 to 63.
    pub fn set_numbers(&mut self, text: &str) -> Option<()> {
        let mut numbers = 0u64;
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            if first > last || last > HIGHEST {
                return None;
            }
            numbers |= (first..=last).fold(0, |all, number| all | 1u64.wrapping_shl(number));
        }
        self.numbers = numbers;
        Some(())
    }

    /// The same of groups by name.
    pub fn set_names(&mut self, text: &str) -> Option<()> {
        let words = text.split(',').map(|word| word.trim().to_ascii_lowercase()).filter(|word| !word.is_empty());
        let names: BTreeSet<String> = words.collect();
        self.names = Some(names).filter(|names| names.len() <= MAX_NAMES)?;
        Some(())
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.numbers == 0 && self.names.is_empty()
    }

    /// Is any group in both?
    pub fn meet(&self, other: &Groups) -> bool {
        self.numbers & other.numbers != 0 || self.names.iter().any(|name| other.names.contains(name))
    }

    /// The numbers as the console shows them, `1, 3-5`.
    pub fn numbers(&self) -> String {
        let has = |number: u32| self.numbers & 1u64.wrapping_shl(number) != 0;
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for number in (0..=HIGHEST).filter(|number| has(*number)) {
            match runs.last_mut() {
                Some((_, last)) if last.saturating_add(1) == number => *last = number,
                _ => runs.push((number, number)),
            }
        }
        let words = runs.iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// The names, with commas between.
    pub fn names(&self) -> String {
        self.names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        let mut groups = Groups::default();
        assert!(groups.is_empty());
        assert_eq!(groups.set_numbers("1, 3-5,63"), Some(()));
        assert_eq!(groups.set_names("Office, cellar"), Some(()));
        assert_eq!((groups.numbers().as_str(), groups.names().as_str()), ("1, 3-5, 63", "cellar, office"));
        for wrong in ["64", "5-3", "a", "1-", "-1"] {
            assert_eq!(groups.clone().set_numbers(wrong), None, "{wrong}");
        }
        let mut other = Groups::default();
        assert!(!groups.meet(&other) && !other.meet(&groups));
        other.set_numbers("2,4").unwrap();
        assert!(groups.meet(&other));
        other.set_numbers("2").unwrap();
        assert!(!groups.meet(&other));
        other.set_names("OFFICE").unwrap();
        assert!(groups.meet(&other));
        other.set_numbers("").unwrap();
        other.set_names("").unwrap();
        assert!(other.is_empty());
    }
}
