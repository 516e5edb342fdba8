//! What a program says of the record of its call: `CDR()=`, `NoCDR`, `ResetCDR`.

use crate::clock::{Now, Time};
use std::collections::BTreeMap;

/// The most fields of one's own.
pub const MAX_FIELDS: usize = 100;

/// The most records of one call (`ForkCDR`).
pub const MAX_RECORDS: usize = 16;

/// What a record is for, in the words of Asterisk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AmaFlags {
    /// It is not to be counted.
    Omit,
    /// For bills.
    Billing,
    /// To know of it.
    #[default]
    Documentation,
}

impl AmaFlags {
    /// The word in the record.
    pub fn name(self) -> &'static str {
        match self {
            AmaFlags::Omit => "OMIT",
            AmaFlags::Billing => "BILLING",
            AmaFlags::Documentation => "DOCUMENTATION",
        }
    }

    /// Reads the word, or its number.
    pub fn parse(text: &str) -> Option<AmaFlags> {
        match text.trim().to_ascii_lowercase().as_str() {
            "omit" | "1" => Some(AmaFlags::Omit),
            "billing" | "2" => Some(AmaFlags::Billing),
            "default" | "documentation" | "3" => Some(AmaFlags::Documentation),
            _ => None,
        }
    }
}

/// What a program said of the record of its call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordNotes {
    /// `accountcode`, when it is another than the peer's.
    pub account: Option<String>,
    /// `amaflags`.
    pub ama_flags: AmaFlags,
    /// `userfield`.
    pub user_field: String,
    /// `peeraccount`.
    pub peer_account: String,
    /// Fields of one's own: only the dialplan reads them.
    pub fields: BTreeMap<String, String>,
    /// There is to be no record.
    pub disabled: bool,
    /// It begins at another moment than the call.
    pub begun_again: Option<Now>,
    /// Its answer counts from another moment than the call's, when that is answered by then.
    pub answered_again: Option<Now>,
    /// The call's records before this one (`ForkCDR`), the first one first.
    pub earlier: Vec<Earlier>,
}

/// A record that another one was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// What was said of it; it has no earlier ones itself.
    pub notes: RecordNotes,
    /// When it ended, if it did before the call.
    pub ended: Option<Time>,
}
