//! The options of what calls to a peer may cost. They are ours.

use super::builder::GeneralDraft;
use super::option::{Effect, OptionRow, Trouble, guard, row};
use crate::config::limits::EmergencyNumbers;
use crate::config::value;

type Result = std::result::Result<(), Trouble>;

const STARTS: &str = "what numbers begin with, with commas between: 0900,00; digits, +, * and #";

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["emergency_numbers"],
        "numbers with commas between, or none",
        "000,110,112,113,115,118,119,144,911,999",
        "no call-limit, max_outgoing, max_minutes, allow_numbers or forbid_numbers holds a call to one of them back; a number is meant as it \
         is called at the peer, and as a line dials it (not an option of Asterisk's)",
        Effect::General(emergency),
    ),
    guard(
        &["max_outgoing"],
        "a number, 0 for no limit",
        "0",
        "calls that the exchange places to it at once; one more finds CONGESTION (not an option of Asterisk's)",
        Effect::Peer(|draft, text| count(text, &mut draft.peer.limits.max_outgoing)),
    ),
    guard(
        &["max_minutes"],
        "a number, 0 for no limit",
        "0",
        "minutes of answered calls to it a day, of the machine's own time zone; then calls find CONGESTION, and those that are connected go \
         on. Counted over a restart (not an option of Asterisk's)",
        Effect::Peer(|draft, text| count(text, &mut draft.peer.limits.max_minutes)),
    ),
    guard(
        &["allow_numbers"],
        STARTS,
        "any number",
        "numbers that may be called at it, by their beginnings; may be repeated. The longest beginning that fits decides, 'forbid_numbers' \
         when both are as long. Any other finds CHANUNAVAIL (not an option of Asterisk's)",
        Effect::Peer(|draft, text| starts(text, &mut draft.peer.limits.allowed)),
    ),
    guard(
        &["forbid_numbers"],
        STARTS,
        "none",
        "numbers that may not be called at it, by their beginnings; may be repeated (not an option of Asterisk's)",
        Effect::Peer(|draft, text| starts(text, &mut draft.peer.limits.forbidden)),
    ),
];

fn count(text: &str, limit: &mut Option<u32>) -> Result {
    let number: u32 = value::number(text).ok_or(Trouble::Bad)?;
    *limit = Some(number).filter(|number| *number > 0);
    Ok(())
}

/// A line that cannot be read must not leave open what it would close: the peer is left out.
fn starts(text: &str, list: &mut Vec<String>) -> Result {
    let read = numbers(text)?;
    if read.is_empty() {
        return Err(Trouble::Bad);
    }
    list.extend(read);
    Ok(())
}

fn numbers(text: &str) -> std::result::Result<Vec<String>, Trouble> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#'));
    words.map(|word| if is_number(word) { Ok(word.to_owned()) } else { Err(Trouble::Word(word.to_owned())) }).collect()
}

fn emergency(draft: &mut GeneralDraft, text: &str) -> Result {
    let none = text.eq_ignore_ascii_case("none");
    draft.general.emergency = EmergencyNumbers::new(if none { Vec::new() } else { numbers(text)? });
    Ok(())
}
