//! A stream that feeds others: who they are.

use crate::audio::g711::Law;
use crate::pbx::media::G711;

/// The streams that one feeds.
#[derive(Debug, Default)]
pub(super) struct Feeding {
    /// What its packets are in.
    pub laws: Vec<(u8, Law)>,
    /// The slots of the listeners, and what each is sent.
    pub to: Vec<(usize, G711)>,
    /// Where a packet is made for each.
    pub scratch: Vec<u8>,
}
