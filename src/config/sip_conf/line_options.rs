//! The options that say what a line carries.

use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::peer::{LineKind, Settings};

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[row(
    &["line"],
    "modem, voice, fax; empty: not said",
    "not said, which is treated as data",
    "what its calls carry: a call with a modem is never ended for want of sound (not an option of Asterisk's)",
    Effect::Settings(line),
)];

fn line(settings: &mut Settings, text: &str) -> Result {
    settings.line = match text {
        "" => None,
        word => Some(LineKind::from_word(word).ok_or(Trouble::Bad)?),
    };
    Ok(())
}
