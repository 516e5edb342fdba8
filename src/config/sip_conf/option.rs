//! One option of sip.conf: its names, where it stands, what it accepts, and what becomes of it.

use super::builder::{GeneralDraft, PeerDraft};
use crate::config::finding::Finding;
use crate::config::peer::Settings;
use crate::config::value;

/// One option: a row of the table.
pub struct OptionRow {
    /// Its names: the one to use first, then those it also goes by.
    pub names: &'static [&'static str],
    /// What it accepts, for people; empty when nothing is read of it.
    pub values: &'static str,
    /// What holds when it is absent, for people.
    pub default: &'static str,
    /// What it does, for people.
    pub help: &'static str,
    /// Where it may stand.
    pub scope: Scope,
    /// What becomes of it.
    pub effect: Effect,
    /// A value that cannot be read must not be ignored: the line closes something.
    pub guards: bool,
}

/// Where an option may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In `[general]`.
    General,
    /// In a peer.
    Peer,
    /// In both; `[general]` presets the peers.
    Both,
}

/// What becomes of an option.
pub enum Effect {
    /// Sets something of the exchange.
    General(fn(&mut GeneralDraft, &str) -> Result<(), Trouble>),
    /// Sets something that `[general]` presets and a peer may change.
    Settings(fn(&mut Settings, &str) -> Result<(), Trouble>),
    /// Sets something of a peer.
    Peer(fn(&mut PeerDraft, &str) -> Result<(), Trouble>),
    /// Accepted without effect, and nothing is said; the reason stands in `help`.
    Accepted,
    /// Not supported: ignored with a warning that says what instead (`help`), unless the value asks for what happens
    /// anyway.
    Unsupported(&'static [&'static str]),
    /// Not supported, and ignoring it would open what it closes: an error, unless the value asks for what happens
    /// anyway.
    Refused(&'static [&'static str]),
}

/// Why a value was not taken as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is not a value of the option: the line is ignored. The row's `values` say what is one.
    Bad,
    /// The same of this word of its list.
    Word(String),
    /// The line is ignored for a reason of its own.
    Ignored(Sentence),
    /// These words of its list are ignored, and the others are in effect.
    Skipped(Vec<String>),
    /// The value is in effect, but something must be said.
    Remark(Sentence),
    /// The same, and it is one of the findings.
    Finding(&'static Finding, Sentence),
    /// Ignoring it would open what it closes, or send in the clear what was to be encrypted: the peer is left out, and
    /// the whole file when it is said of the exchange.
    Closed(Sentence),
}

/// What is wrong, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Sentence {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Sentence {
        Sentence { message: message.into(), hint: hint.into() }
    }
}

impl Trouble {
    /// The value is in effect, but something must be said.
    pub(super) fn remark(message: impl Into<String>, hint: impl Into<String>) -> Trouble {
        Trouble::Remark(Sentence::new(message, hint))
    }

    /// The value is in effect, and it is a finding.
    pub(super) fn finding(finding: &'static Finding, message: impl Into<String>) -> Trouble {
        Trouble::Finding(finding, Sentence::new(message, finding.advice))
    }

    /// The line is ignored for a reason of its own.
    pub(super) fn ignored(message: impl Into<String>, hint: impl Into<String>) -> Trouble {
        Trouble::Ignored(Sentence::new(message, hint))
    }

    /// To go on without the line would open what it closes.
    pub(super) fn closed(message: impl Into<String>, hint: impl Into<String>) -> Trouble {
        Trouble::Closed(Sentence::new(message, hint))
    }

    /// What is said of words that were left out of a list, if there were any.
    pub(super) fn skipped(words: Vec<String>) -> Result<(), Trouble> {
        if words.is_empty() { Ok(()) } else { Err(Trouble::Skipped(words)) }
    }
}

impl OptionRow {
    /// Whether it may stand in `[general]` (`in_general`) or in a peer.
    pub fn is_valid(&self, in_general: bool) -> bool {
        match self.scope {
            Scope::Both => true,
            Scope::General => in_general,
            Scope::Peer => !in_general,
        }
    }

    /// Whether this is one of its names, in any case.
    pub fn is_named(&self, name: &str) -> bool {
        value::is_one_of(name, self.names)
    }
}

/// A row that takes effect.
pub(super) const fn row(
    names: &'static [&'static str],
    values: &'static str,
    default: &'static str,
    help: &'static str,
    effect: Effect,
) -> OptionRow {
    let scope = match effect {
        Effect::General(_) => Scope::General,
        Effect::Peer(_) => Scope::Peer,
        Effect::Settings(_) | Effect::Accepted | Effect::Unsupported(_) | Effect::Refused(_) => Scope::Both,
    };
    OptionRow { names, values, default, help, scope, effect, guards: false }
}

/// The same of a row whose line closes something: see [`OptionRow::guards`].
pub(super) const fn guard(
    names: &'static [&'static str],
    values: &'static str,
    default: &'static str,
    help: &'static str,
    effect: Effect,
) -> OptionRow {
    OptionRow { guards: true, ..row(names, values, default, help, effect) }
}
