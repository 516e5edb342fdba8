//! The table of sip.conf's options, and what is found in it by name.

use super::option::OptionRow;
use super::{
    codec_options, device_options, general_options, group_options, ignored_options, lamp_options, limit_options,
    line_options, obsolete_options, peer_options, settings_options, transfer_options, transport_options, trunk_options,
};
use crate::config::suggest::nearest;

/// Every option, those in effect first.
pub fn table() -> impl Iterator<Item = &'static OptionRow> {
    general_options::ROWS
        .iter()
        .chain(transport_options::ROWS)
        .chain(settings_options::ROWS)
        .chain(transfer_options::ROWS)
        .chain(codec_options::ROWS)
        .chain(line_options::ROWS)
        .chain(device_options::ROWS)
        .chain(limit_options::ROWS)
        .chain(lamp_options::ROWS)
        .chain(peer_options::ROWS)
        .chain(trunk_options::ROWS)
        .chain(group_options::ROWS)
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
