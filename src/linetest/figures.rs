//! Figures as sentences have them.

use std::time::Duration;

/// A time in milliseconds, with a tenth.
pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// A share in per cent.
pub(super) fn percent(part: u64, all: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / all.max(1) as f64)
}
