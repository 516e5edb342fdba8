//! What scripts came to, counted, so that nobody takes scripts in which nothing happens for a proof.

use std::collections::BTreeMap;
use std::fmt;

/// What is counted, and in how many scripts it happens once at least.
const EXPECTED: [(&str, u64); 31] = [
    ("answers", 1),
    ("new offers accepted", 4),
    ("new offers refused", 50),
    ("bridges at the end", 10),
    ("direct at the end", 60),
    ("held at the end", 60),
    ("in a fax at the end", 600),
    ("with video at the end", 100),
    ("calls given up", 60),
    ("scripts with a phone that was gone for a while", 60),
    ("calls led by a menu", 1000),
    ("prompts", 10),
    ("recordings", 200),
    ("calls parked", 60),
    ("calls taken that were parked", 100),
    ("calls picked up", 60),
    ("transfers by REFER", 60),
    ("transfers that came back", 400),
    ("calls connected by REFER", 100),
    ("transfers begun by a code", 60),
    ("calls connected by a code", 1500),
    ("calls taken over", 400),
    ("lamps alight at the end", 200),
    ("lamps dark at the end", 40),
    ("lamps that went out", 60),
    ("texts delivered", 10),
    ("texts kept", 500),
    ("texts in calls", 100),
    ("calls out", 60),
    ("calls in", 200),
    ("servers that gave way to the next", 300),
];

/// The one thing that is to be rare: one in some thousands, by what was lost on the way; few scripts may have two.
pub const IN_VAIN: &str = "phones rang in vain";

/// How often each happened.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    pub fn count(&mut self, what: &'static str, times: usize) {
        assert!(what == IN_VAIN || EXPECTED.iter().any(|(name, _)| *name == what), "nobody expects {what}");
        *self.0.entry(what).or_default() += times as u64;
    }

    pub fn add(&mut self, other: &Seen) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// What happens in too few of so many scripts, or in too many.
    pub fn amiss(&self, scripts: u64) -> Vec<String> {
        let rare = EXPECTED.iter().filter(|(what, per)| self.of(what) <= scripts / per);
        let mut all: Vec<String> = rare.map(|(what, _)| format!("too few {what}: {}", self.of(what))).collect();
        if self.of(IN_VAIN) > scripts / 1000 + 3 {
            all.push(format!("too many {IN_VAIN}: {}", self.of(IN_VAIN)));
        }
        all
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = EXPECTED.iter().map(|(what, _)| format!("{} {what}", self.of(what))).collect();
        parts.push(format!("{} {IN_VAIN}", self.of(IN_VAIN)));
        f.write_str(&parts.join(", "))
    }
}
