//! Linksys SPA2102: an adapter with two lines and a router.

use super::model::{BuiltIn, Family};
use super::sipura;

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "spa2102",
    title: "Linksys SPA2102",
    lines: 2,
    family: Family::Sipura,
    push: Some("linksys-check-cfg"),
    longest: sipura::LONGEST,
    number: "SPA2102",
    first_names: &["spa2102.cfg"],
    files: sipura::FILES,
    note: "",
};
