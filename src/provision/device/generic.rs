//! A telephone, an adapter or a softphone that no files are made for: what to type into it.

use super::model::{BuiltIn, BuiltInFile, Family};
use crate::config::device_line::MAX_LINES;
use crate::provision::template::Format;

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "generic",
    title: "any other telephone",
    lines: MAX_LINES,
    family: Family::Other,
    push: None,
    longest: usize::MAX,
    number: "",
    first_names: &[],
    files: &[BuiltInFile {
        names: &[],
        format: Format::Text,
        what: "what to type into it",
        template: include_str!("templates/generic.txt"),
    }],
    note: "",
};
