//! Measures a line: what is sent, and what is found in what comes back.
//!
//! A [`Measurement`] takes the packets of one part of a test, both those that are sent and those that come, and
//! says at the end what it found. It is fed, and reckons, on whichever thread has the time for it: what it keeps has a
//! bound ([`MAX_KEPT`]), and nothing in it waits.

mod decibel;
mod echo;
mod figures;
mod fourier;
mod json;
mod level;
mod line;
mod measurement;
mod noise;
mod packets;
mod part;
pub mod report;
mod response;
pub mod signal;
mod steadiness;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

pub use decibel::Decibel;
pub use json::json;
pub use line::MAX_KEPT;
pub use measurement::{Frame, Measurement, Plan};
pub use part::Part;
pub use signal::LONGEST;
pub use text::{lines, summary};
pub use verdict::{Finding, Grade, Verdict, verdict};
