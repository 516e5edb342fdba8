//! The options of holding and transferring a line's calls, which `[general]` presets and a peer may change.

use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::peer::Settings;
use crate::config::value;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["mohinterpret", "musicclass", "musiconhold"],
        "a class of musiconhold.conf",
        "none",
        "the music that the device's caller hears while the other side holds the call; line=voice alone is the class default. Never on a call of a line with line=modem or fax, nor while media is direct",
        Effect::Settings(moh_interpret),
    ),
    row(
        &["mohsuggest"],
        "a class of musiconhold.conf",
        "none",
        "the music that those hear whom the device holds; it comes before their 'mohinterpret'",
        Effect::Settings(moh_suggest),
    ),
    row(
        &["allowtransfer"],
        "yes or no",
        "yes",
        "the device may transfer calls (REFER) and take them over (INVITE with Replaces); with line=modem never",
        Effect::Settings(allow_transfer),
    ),
];

fn moh_interpret(settings: &mut Settings, text: &str) -> Result {
    settings.moh_interpret = music_class(text)?;
    Ok(())
}

fn moh_suggest(settings: &mut Settings, text: &str) -> Result {
    settings.moh_suggest = music_class(text)?;
    Ok(())
}

/// Whether there is such a class, musiconhold.conf decides, which is read elsewhere; instead of one that is not there the
/// class default is played.
fn music_class(text: &str) -> std::result::Result<Option<String>, Trouble> {
    if text.len() > 80 {
        return Err(Trouble::Bad);
    }
    Ok(Some(text.to_owned()).filter(|class| !class.is_empty()))
}

fn allow_transfer(settings: &mut Settings, text: &str) -> Result {
    settings.allow_transfer = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}
