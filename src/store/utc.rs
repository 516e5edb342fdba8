//! Moments as `calls.db` has them.

use crate::clock::Wall;
use crate::datetime;

/// `2026-11-21 06:08:54`, in UTC.
pub(super) fn moment(at: Wall) -> String {
    let iso = datetime::iso(at);
    iso.split('.').next().unwrap_or(&iso).replacen('T', " ", 1)
}
