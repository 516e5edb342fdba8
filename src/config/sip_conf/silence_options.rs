//! The options on RTP that does not come, and on RTP that is not sent.

use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::value;
use std::time::Duration;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["rtptimeout"],
        SECONDS,
        "0",
        "end an answered call from whose line no RTP has come for so long; not while it is on hold, not with direct media, never with a 'line=modem'",
        Effect::Settings(|settings, text| set(&mut settings.rtp_timeout, text)),
    ),
    row(
        &["rtpholdtimeout"],
        SECONDS,
        "0",
        "the same while the call is on hold",
        Effect::Settings(|settings, text| set(&mut settings.rtp_hold_timeout, text)),
    ),
    row(
        &["rtpkeepalive"],
        SECONDS,
        "0",
        "send the line a comfort noise packet when it was sent no RTP for so long; never on a call with a 'line=modem'",
        Effect::Settings(|settings, text| set(&mut settings.rtp_keepalive, text)),
    ),
];

const SECONDS: &str = "seconds; 0 is off";

fn set(field: &mut Option<Duration>, text: &str) -> Result<(), Trouble> {
    *field = value::seconds_or_off(text).ok_or(Trouble::Bad)?;
    Ok(())
}
