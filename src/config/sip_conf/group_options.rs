//! The options of a peer that say in which groups its calls may be taken, and where they are parked.

use super::option::{Effect, OptionRow, Trouble, row};

type Result = std::result::Result<(), Trouble>;

const NUMBERS: &str = "numbers from 0 to 63 and ranges of them: 1,3-5";
const NAMES: &str = "names, with commas between";

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["callgroup"],
        NUMBERS,
        "none",
        "the groups in which its ringing may be answered by other lines: by those with one of them as pickupgroup",
        Effect::Peer(|draft, text| read(draft.peer.groups.calls.set_numbers(text))),
    ),
    row(
        &["pickupgroup"],
        NUMBERS,
        "none",
        "the groups whose calls it may take, by pickupexten of features.conf (*8) or Pickup()",
        Effect::Peer(|draft, text| read(draft.peer.groups.pickups.set_numbers(text))),
    ),
    row(
        &["namedcallgroup"],
        NAMES,
        "none",
        "as callgroup, by name",
        Effect::Peer(|draft, text| read(draft.peer.groups.calls.set_names(text))),
    ),
    row(
        &["namedpickupgroup"],
        NAMES,
        "none",
        "as pickupgroup, by name",
        Effect::Peer(|draft, text| read(draft.peer.groups.pickups.set_names(text))),
    ),
    row(
        &["parkinglot"],
        "the name of a lot",
        "default",
        "the lot of res_parking.conf in which its calls are parked where none is named",
        Effect::Settings(|settings, text| {
            text.clone_into(&mut settings.parking_lot);
            Ok(())
        }),
    ),
];

fn read(set: Option<()>) -> Result {
    set.ok_or(Trouble::Bad)
}
