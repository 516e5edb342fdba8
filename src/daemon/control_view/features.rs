//! Codes in mid-call, and calls that wait in lots.

use crate::clock::Now;
use crate::config::features_conf::{Code, Features};
use crate::observe::feature_rows::{FeatureRows, LotRow, ParkedRow};
use crate::pbx::switch::Switch;

/// What features.conf and res_parking.conf have, and who waits.
pub(super) fn rows(switch: &Switch, now: Now) -> FeatureRows {
    let settings = switch.config();
    let (features, usual) = (&settings.features, Features::default());
    let pickup = ("Pickup", usual.pickup_extension.clone(), features.pickup_extension.clone());
    let codes = Code::MAP.into_iter().map(|code| {
        let (_, name) = code.names();
        (name, code.default_digits().to_owned(), features.code(code).to_owned())
    });
    let applications = features.applications.iter().map(|(name, one)| (name.clone(), one.digits.clone()));
    let lots = settings.parking.iter().map(|(name, lot)| LotRow {
        name: name.to_owned(),
        extension: lot.extension.clone(),
        context: lot.context.clone(),
        places: lot.places,
        time_s: lot.time.as_secs(),
        comes_back_to_parker: lot.comes_back_to_parker,
        comeback_context: lot.comeback_context.clone(),
        comeback_time_s: lot.comeback_time.as_secs(),
        music: lot.music.clone(),
        calls: calls(switch, name, now),
    });
    FeatureRows {
        codes: std::iter::once(pickup).chain(codes).collect(),
        applications: applications.collect(),
        lots: lots.collect(),
    }
}

fn calls(switch: &Switch, lot: &str, now: Now) -> Vec<ParkedRow> {
    let waiting = switch.channels().filter(|report| report.channel.waits_in_lot());
    let here = waiting.filter_map(|report| Some((report.channel, report.channel.parked.as_deref()?)));
    let here = here.filter(|(_, parked)| parked.lot == lot);
    let mut calls: Vec<ParkedRow> = here
        .map(|(channel, parked)| ParkedRow {
            slot: parked.slot,
            channel: channel.name.clone(),
            parker: parked.parker.clone(),
            left_s: parked.time.saturating_sub(now.mono.since(parked.since)).as_secs(),
        })
        .collect();
    calls.sort_by_key(|call| call.slot);
    calls
}
