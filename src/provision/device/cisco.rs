//! What Cisco's 7940 and 7960 have in common.

use super::model::BuiltInFile;
use crate::provision::template::Format;

/// The files of each telephone. It asks for them in this order.
pub(super) const FILES: &[BuiltInFile] = &[
    BuiltInFile {
        names: &["SEP{MAC}.cnf.xml"],
        format: Format::Xml,
        what: "which firmware it runs",
        template: include_str!("templates/cisco-sep.cnf.xml"),
    },
    BuiltInFile {
        names: &["dialplan-{MAC}.xml"],
        format: Format::Xml,
        what: "its dial plan",
        template: include_str!("templates/cisco-dialplan.xml"),
    },
    BuiltInFile {
        names: &["SIP{MAC}.cnf"],
        format: Format::Text,
        what: "its configuration",
        template: include_str!("templates/cisco-sip.cnf"),
    },
];

/// The longest name and password (Cisco's administrator guide).
pub(super) const LONGEST: usize = 31;
