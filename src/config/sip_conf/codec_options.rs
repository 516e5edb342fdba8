//! `allow` and `disallow`: which codecs, in which order.

use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::peer::Settings;
use crate::config::value::{self, is_one_of, words};
use crate::sdp::codec::Codec;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["allow"],
        CODECS,
        "ulaw,alaw,gsm",
        "codecs, the preferred one first",
        Effect::Settings(|s, text| codecs(s, true, text)),
    ),
    row(
        &["disallow"],
        CODECS,
        "none",
        "codecs to take off the list, usually 'all' before 'allow'",
        Effect::Settings(|s, text| codecs(s, false, text)),
    ),
];

const CODECS: &str = "ulaw, alaw, gsm, g722, g726, g729, g723, ilbc, slin or all, with commas between, ':20' behind one for its packet time, '!' before one meant the other way round";

/// Codecs Asterisk knows and this exchange does not carry.
const NOT_CARRIED: &[&str] = &[
    "adpcm", "codec2", "g719", "g726aal2", "jpeg", "lpc10", "none", "opus", "png", "silk", "silk8", "silk12", "silk16",
    "silk24", "siren14", "siren7", "slin12", "slin16", "slin24", "slin32", "slin44", "slin48", "slin96", "slin192",
    "speex", "speex16", "speex32", "testlaw",
];

/// Those of other media than voice, which the devices agree on among themselves: `videosupport` and `textsupport` let
/// them.
const NOT_VOICE: &[&str] = &["h261", "h263", "h263p", "h264", "h265", "mpeg4", "red", "t140", "t140red", "vp8", "vp9"];

/// `allow=` (`permit`) and `disallow=`: edits the list as the words say, in their order.
fn codecs(settings: &mut Settings, permit: bool, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    let mut list = settings.codecs.entries.clone();
    let (mut not_carried, mut left_out) = (Vec::new(), Vec::new());
    for word in words(text) {
        let (bare, permit) = match word.strip_prefix('!') {
            Some(bare) => (bare.trim(), !permit),
            None => (word, permit),
        };
        // A packet time that is none costs its own line nothing but that.
        let (name, ptime) = match bare.split_once(':') {
            Some((name, text)) => (
                name,
                packet_time(text).or_else(|| {
                    left_out.push(bare.to_owned());
                    None
                }),
            ),
            None => (bare, None),
        };
        if name.eq_ignore_ascii_case("all") {
            list.clear();
            if permit {
                list.extend(Codec::all().map(|codec| (codec, ptime)));
            }
        } else if let Some(codec) = Codec::from_name(name) {
            if !permit {
                list.retain(|(allowed, _)| *allowed != codec);
            } else if let Some(allowed) = list.iter_mut().find(|(allowed, _)| *allowed == codec) {
                allowed.1 = ptime.or(allowed.1);
            } else {
                list.push((codec, ptime));
            }
        } else if is_one_of(name, NOT_VOICE) {
            // Nothing to do: whatever the devices offer passes.
        } else if !is_one_of(name, NOT_CARRIED) {
            left_out.push(bare.to_owned());
        } else if permit {
            not_carried.push(name);
        }
    }
    settings.codecs.entries = list;
    left_out.dedup();
    Trouble::skipped(left_out)?;
    if not_carried.is_empty() {
        return Ok(());
    }
    let say = format!("'{}' cannot be carried: ignored", not_carried.join("', '"));
    Err(Trouble::remark(say, "the rest of the line is in effect"))
}

/// Milliseconds of sound per packet: what Asterisk offers for the codecs of 10 ms frames, and iLBC's 30.
fn packet_time(text: &str) -> Option<u8> {
    value::number(text).and_then(|ms| u8::try_from(ms).ok()).filter(|ms| (10..=150).contains(ms) && ms % 10 == 0)
}
