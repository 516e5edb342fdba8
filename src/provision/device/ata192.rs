//! Cisco ATA191 or ATA192: an adapter with two lines, with the firmware for servers other than Cisco's (MPP).

use super::model::{BuiltIn, Family};
use super::sipura;

pub(super) const MODEL: BuiltIn = BuiltIn {
    name: "ata192",
    title: "Cisco ATA191 or ATA192",
    lines: 2,
    family: Family::Sipura,
    push: Some("linksys-check-cfg"),
    longest: sipura::LONGEST,
    number: "ATA192",
    first_names: &["ata192.xml", "ata191.xml", "spaata192.cfg", "spaata191.cfg"],
    files: sipura::FILES,
    note: "the names that a new one asks for are taken from manuals",
};
