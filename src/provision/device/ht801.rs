//! Grandstream HT801: an adapter with one line. It takes pulse dialling, so a rotary telephone can dial.

use super::model::{BuiltIn, BuiltInFile, Family};
use crate::provision::template::Format;

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "ht801",
    title: "Grandstream HT801",
    lines: 1,
    family: Family::Grandstream,
    push: Some("grandstream-check-cfg"),
    longest: 64,
    number: "HT801",
    first_names: &[],
    files: &[BuiltInFile {
        names: &["cfg{mac}.xml"],
        format: Format::Xml,
        what: "its configuration",
        template: include_str!("templates/grandstream.xml"),
    }],
    note: "",
};
