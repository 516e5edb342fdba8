//! `parking show`.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape::line;
use crate::observe::feature_rows::LotRow;

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let lots = exchange.features().lots;
    let chosen: Vec<&LotRow> = match arguments {
        [] => lots.iter().collect(),
        [name] => lots.iter().filter(|lot| lot.name.eq_ignore_ascii_case(name)).collect(),
        [_, _, ..] => return Reply::Usage,
    };
    if let ([], [name]) = (chosen.as_slice(), arguments) {
        return Reply::Failed(format!("Could not find parking lot: '{}'\n", line(name)));
    }
    Reply::Done(chosen.into_iter().map(lot).collect::<Vec<_>>().join("\n"))
}

fn lot(lot: &LotRow) -> String {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let unused = if lot.comes_back_to_parker { " (comebacktoorigin=yes, not used)" } else { "" };
    let rows = [
        ("Parking Extension", line(&lot.extension)),
        ("Parking Context", line(&lot.context)),
        ("Parking Spaces", format!("{}-{}", lot.places.0, lot.places.1)),
        ("Parking Time", format!("{} sec", lot.time_s)),
        ("Comeback to Origin", yes(lot.comes_back_to_parker).to_owned()),
        ("Comeback Context", format!("{}{unused}", line(&lot.comeback_context))),
        ("Comeback Dial Time", format!("{} sec", lot.comeback_time_s)),
        ("MusicOnHold Class", line(&lot.music)),
        ("Enabled", "yes".to_owned()),
        ("Dynamic", "no".to_owned()),
    ];
    let mut text = format!("Parking Lot: {}\n{}\n", line(&lot.name), "-".repeat(80));
    for (name, value) in rows {
        text += &format!("{name:<20}:  {value}\n");
    }
    text += "\nParked Calls\n------------\n";
    if lot.calls.is_empty() {
        text += "(none)\n";
    }
    for call in &lot.calls {
        let left = format!("{} sec left", call.left_s);
        for (name, value) in [
            ("Space", call.slot.to_string()),
            ("Channel", line(&call.channel)),
            ("Parker Dial String", line(&call.parker)),
            ("Parking Time", left),
        ] {
            text += &format!("  {name:<20}:  {value}\n");
        }
    }
    text
}
