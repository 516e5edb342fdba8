//! Signals by which a line is measured, as applications ask for them.

use super::digits::Digits;
use crate::audio::sound::Sound;
use crate::linetest::Plan;
use crate::linetest::report::Measured;

/// A signal to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSignal {
    /// One turn of it. It is repeated without a gap, unless what is measured needs it only once.
    pub sound: Sound,
    /// Digits that end it.
    pub stop_on: Digits,
    /// What is measured of what comes, and for how long; none: nothing, and it does not end by itself.
    pub measure: Option<Plan>,
}

/// How a signal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalReply {
    /// By this digit.
    Digit(char),
    /// All was measured.
    Measured(Box<Measured>),
    /// It could not be sent: why, for the log.
    Failed(String),
}
