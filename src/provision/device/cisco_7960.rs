//! Cisco 7960 with SIP firmware (P0S3-8-12-00): six lines.

use super::cisco;
use super::model::{BuiltIn, Family};

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "cisco-7960",
    title: "Cisco 7960",
    lines: 6,
    family: Family::Cisco79xx,
    push: Some("cisco-check-cfg"),
    longest: cisco::LONGEST,
    number: "7960",
    first_names: &[],
    files: cisco::FILES,
    note: "",
};
