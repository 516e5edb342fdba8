//! The files that are the same for every device of a make.

use super::model::Family;
use crate::provision::template::Format;

/// A file of the exchange's.
pub struct SharedFile {
    /// Its name.
    pub name: &'static str,
    /// Whose devices ask for it.
    pub family: Family,
    /// What it is, for people.
    pub what: &'static str,
    /// How values are written in it.
    pub format: Format,
    /// The template it is made of.
    pub template: &'static str,
}

/// What a new adapter is given that asks by its model's name, and is not known by its address: where its own file is.
pub const FIRST_PROFILE: &str = include_str!("templates/sipura-first.xml");

/// Ring tones for Cisco's 7940 and 7960: what the telephone shows, and the file. `sounds/ring/make.py` makes them.
pub const RINGS: &[(&str, &str, &[u8])] = &[
    ("British bell", "british.raw", include_bytes!("../../../sounds/ring/british.raw")),
    ("American bell", "american.raw", include_bytes!("../../../sounds/ring/american.raw")),
    ("German bell", "german.raw", include_bytes!("../../../sounds/ring/german.raw")),
    ("French bell", "french.raw", include_bytes!("../../../sounds/ring/french.raw")),
];

const fn cisco(name: &'static str, what: &'static str, format: Format, template: &'static str) -> SharedFile {
    SharedFile { name, family: Family::Cisco79xx, what, format, template }
}

/// Every one of them but the ring tones.
pub const FILES: &[SharedFile] = &[
    cisco("OS79XX.TXT", "which firmware telephones run", Format::Text, include_str!("templates/cisco-os79xx.txt")),
    cisco(
        "XMLDefault.cnf.xml",
        "which firmware telephones run",
        Format::Xml,
        include_str!("templates/cisco-xmldefault.cnf.xml"),
    ),
    cisco(
        "SIPDefault.cnf",
        "what all telephones are told",
        Format::Text,
        include_str!("templates/cisco-sipdefault.cnf"),
    ),
    cisco("dialplan.xml", "the dial plan", Format::Xml, include_str!("templates/cisco-dialplan.xml")),
    cisco("syncinfo.xml", "whether to restart", Format::Xml, include_str!("templates/cisco-syncinfo.xml")),
];

/// The list of ring tones, `RINGLIST.DAT`: a label, a tab, a file's name.
pub fn ring_list() -> String {
    RINGS.iter().map(|(label, file, _)| format!("{label}\t{file}\n")).collect()
}
