//! Cisco 7940 with SIP firmware (P0S3-8-12-00): two lines.

use super::cisco;
use super::model::{BuiltIn, Family};

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "cisco-7940",
    title: "Cisco 7940",
    lines: 2,
    family: Family::Cisco79xx,
    push: Some("cisco-check-cfg"),
    longest: cisco::LONGEST,
    number: "7940",
    first_names: &[],
    files: cisco::FILES,
    note: "",
};
