//! The table of sip.conf's options: every name, where it stands, what it accepts, and what becomes of it.

use super::builder::{GeneralDraft, PeerDraft};
use super::{
    codec_options, general_options, ignored_options, line_options, obsolete_options, peer_options, settings_options,
    transport_options,
};
use crate::config::peer::Settings;
use crate::config::suggest::nearest;
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

    fn is_named(&self, name: &str) -> bool {
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

/// Every option, those in effect first.
pub fn table() -> impl Iterator<Item = &'static OptionRow> {
    general_options::ROWS
        .iter()
        .chain(transport_options::ROWS)
        .chain(settings_options::ROWS)
        .chain(codec_options::ROWS)
        .chain(line_options::ROWS)
        .chain(peer_options::ROWS)
        .chain(ignored_options::ROWS)
}

/// What a name turns out to be.
pub enum Lookup {
    /// This option.
    Known(&'static OptionRow),
    /// An option that does not stand here but in `[general]`, or in a peer.
    Misplaced,
    /// An option of older versions, or of a program that writes sip.conf: what to do instead.
    Obsolete(&'static str),
    /// No option; the nearest one when there is one near.
    Unknown(Option<&'static str>),
}

/// Finds the option `name` for `[general]` (`in_general`) or a peer.
pub fn look_up(name: &str, in_general: bool) -> Lookup {
    if let Some(row) = table().find(|row| row.is_valid(in_general) && row.is_named(name)) {
        return Lookup::Known(row);
    }
    if table().any(|row| row.is_named(name)) {
        return Lookup::Misplaced;
    }
    if let Some(instead) = obsolete_options::instead_of(name) {
        return Lookup::Obsolete(instead);
    }
    if let Some((_, meant)) = MISBELIEFS.iter().find(|(written, _)| written.eq_ignore_ascii_case(name)) {
        return Lookup::Unknown(Some(meant));
    }
    let known = table().filter(|row| row.is_valid(in_general)).flat_map(|row| row.names.iter().copied());
    Lookup::Unknown(nearest(name, known))
}

/// Names that guides use for options that are called otherwise, too far away to be found by their letters.
const MISBELIEFS: &[(&str, &str)] = &[
    ("dtmf", "dtmfmode"),
    ("codec", "allow"),
    ("codecs", "allow"),
    ("password", "secret"),
    ("pass", "secret"),
    ("user", "defaultuser"),
    ("address", "host"),
    ("ip", "host"),
    ("bindip", "bindaddr"),
    ("localnetwork", "localnet"),
    ("reinvite", "directmedia"),
    ("maxcalls", "call-limit"),
];
