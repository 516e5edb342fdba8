//! The options that make a peer a line of a telephone whose configuration is made here. They are ours.

use super::builder::PeerDraft;
use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::device_line::MAX_LINES;
use crate::config::mac::Mac;
use crate::config::value;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["mac"],
        "12 hexadecimal digits, also with : - or . between",
        "none: no files are made",
        "the hardware address of the telephone or adapter it is a line of, as its label has it; all peers with the same are lines of one \
         device (not an option of Asterisk's)",
        Effect::Peer(mac),
    ),
    row(
        &["device"],
        "cisco-7960, cisco-7940, pap2t, spa2102, spa112, ata192, ht801, yealink, snom, generic, or a template of your own",
        "none: no files are made",
        "the model of that device: the files it asks for are made of this configuration. It is enough that one of its lines says it (not \
         an option of Asterisk's)",
        Effect::Peer(device),
    ),
    row(
        &["device_line"],
        "a number from 1",
        "the first line that is free",
        "which line of the device it is (not an option of Asterisk's)",
        Effect::Peer(device_line),
    ),
];

fn mac(draft: &mut PeerDraft, text: &str) -> Result {
    note_place(draft);
    draft.peer.device.mac = Some(Mac::parse(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn device(draft: &mut PeerDraft, text: &str) -> Result {
    note_place(draft);
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(Trouble::Bad);
    }
    draft.peer.device.model = Some(text.to_ascii_lowercase());
    Ok(())
}

fn device_line(draft: &mut PeerDraft, text: &str) -> Result {
    note_place(draft);
    let number = value::number(text).and_then(|line| u8::try_from(line).ok());
    draft.peer.device.line = Some(number.filter(|line| (1..=MAX_LINES).contains(line)).ok_or(Trouble::Bad)?);
    Ok(())
}

fn note_place(draft: &mut PeerDraft) {
    draft.peer.device.place.get_or_insert_with(|| draft.at.clone());
}
