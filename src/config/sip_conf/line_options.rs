//! The options that say what a line carries, and what is done when it is not heard, or sent nothing.

use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::peer::{LineKind, Settings};
use crate::config::value;
use std::time::Duration;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["line"],
        "modem, voice, fax; empty: not said",
        "not said, which is treated as data",
        "what its calls carry: from a call with a modem all is kept away that disturbs it, also what is asked for elsewhere (docs/explain/clean-line.md; not an option of Asterisk's)",
        Effect::Settings(line),
    ),
    row(
        &["rtptimeout"],
        SECONDS,
        "0",
        "end an answered call from whose line no RTP has come for so long; not while it is on hold, not with direct media, never with a 'line=modem'",
        Effect::Settings(|settings, text| time(&mut settings.rtp_timeout, text)),
    ),
    row(
        &["rtpholdtimeout"],
        SECONDS,
        "0",
        "the same while the call is on hold",
        Effect::Settings(|settings, text| time(&mut settings.rtp_hold_timeout, text)),
    ),
    row(
        &["rtpkeepalive"],
        SECONDS,
        "0",
        "send the line a comfort noise packet when it was sent no RTP for so long; never on a call with a 'line=modem'",
        Effect::Settings(|settings, text| time(&mut settings.rtp_keepalive, text)),
    ),
];

const SECONDS: &str = "seconds; 0 is off";

fn time(field: &mut Option<Duration>, text: &str) -> Result {
    *field = value::seconds_or_off(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn line(settings: &mut Settings, text: &str) -> Result {
    settings.line = match text {
        "" => None,
        word => Some(LineKind::from_word(word).ok_or(Trouble::Bad)?),
    };
    Ok(())
}
