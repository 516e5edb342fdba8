//! Cisco SPA112 or SPA122: an adapter with two lines.

use super::model::{BuiltIn, Family};
use super::sipura;

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "spa112",
    title: "Cisco SPA112 or SPA122",
    lines: 2,
    family: Family::Sipura,
    push: Some("linksys-check-cfg"),
    longest: sipura::LONGEST,
    number: "SPA112",
    first_names: &["spa112.cfg", "spa122.cfg"],
    files: sipura::FILES,
    note: "",
};
