//! The extensions of several contexts, found by their number, and how much may be compared in all.

use crate::dialplan::pattern::{Match, Name};
use crate::dialplan::tree::{Context, Extension};
use std::cell::Cell;
use std::collections::BTreeMap;

/// The extensions of several contexts.
pub(super) struct Numbers<'a> {
    literals: BTreeMap<&'a [u8], Vec<&'a Extension>>,
    patterns: Vec<&'a Extension>,
    count: usize,
}

impl<'a> Numbers<'a> {
    pub(super) fn of(contexts: &[&'a Context]) -> Numbers<'a> {
        let mut numbers = Numbers { literals: BTreeMap::new(), patterns: Vec::new(), count: 0 };
        for extension in contexts.iter().flat_map(|context| &context.extensions) {
            numbers.count = numbers.count.saturating_add(1);
            match extension.name.literal() {
                Some(letters) => numbers.literals.entry(letters).or_default().push(extension),
                None => numbers.patterns.push(extension),
            }
        }
        numbers
    }

    /// Every extension that a written number matches; none when there is no work left to look by.
    pub(super) fn matching(&self, dialled: &[u8], work: &Work) -> Option<Vec<&'a Extension>> {
        work.spend(self.patterns.len().saturating_add(1))?;
        let literals = self.literals.get(dialled).into_iter().flatten();
        let patterns = self.patterns.iter().filter(|one| one.name.matches(dialled) == Match::Yes);
        Some(literals.chain(patterns).copied().collect())
    }

    /// Every extension that a number may match which this one matches; none when there is no work left to look by.
    pub(super) fn alike(&self, name: &Name, work: &Work) -> Option<Vec<&'a Extension>> {
        if let Some(letters) = name.literal() {
            return self.matching(letters, work);
        }
        work.spend(self.count)?;
        let literals = self.literals.iter().filter(|(letters, _)| name.matches(letters) == Match::Yes);
        Some(literals.flat_map(|(_, same)| same).chain(&self.patterns).copied().collect())
    }
}

/// How much may be compared in all: more for more lines, and never the square of them.
pub(super) struct Work {
    left: Cell<usize>,
    #[cfg(test)]
    spent: Cell<usize>,
}

impl Work {
    /// As much as is enough for every name of a small configuration to be held against every other.
    const BASE: usize = 200_000;
    /// And for each name of a large one to be held against so many.
    const PER_NAME: usize = 64;

    /// What a configuration with so many names may cost.
    pub(super) fn allowance(names: usize) -> usize {
        Work::BASE.saturating_add(names.saturating_mul(Work::PER_NAME))
    }

    pub(super) fn new(names: usize) -> Work {
        Work {
            left: Cell::new(Work::allowance(names)),
            #[cfg(test)]
            spent: Cell::new(0),
        }
    }

    /// Takes so much of it; `None` when that is not left.
    pub(super) fn spend(&self, steps: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(steps)?);
        #[cfg(test)]
        self.spent.set(self.spent.get() + steps);
        Some(())
    }

    #[cfg(test)]
    pub(super) fn spent(&self) -> usize {
        self.spent.get()
    }
}
