//! Linksys PAP2T: an adapter with two lines.

use super::model::{BuiltIn, Family};
use super::sipura;

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "pap2t",
    title: "Linksys PAP2T",
    lines: 2,
    family: Family::Sipura,
    push: Some("linksys-check-cfg"),
    longest: sipura::LONGEST,
    number: "PAP2T",
    first_names: &["init.cfg", "spapap2t.cfg", "pap2t.cfg"],
    files: sipura::FILES,
    note: "",
};
