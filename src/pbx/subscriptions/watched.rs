//! Which extensions are watched, by whom, and which devices they stand for: from a device that changed it is two steps
//! to the subscriptions that are told, however many others there are.

use super::lamp::Lamp;
use crate::pbx::core::{Core, Devices, SubscriptionId};
use smol_str::{SmolStr, StrExt, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// An extension that is watched: its context and its name.
pub type Place = (SmolStr, SmolStr);

/// One watched extension.
#[derive(Debug)]
struct Watch {
    devices: Vec<String>,
    lamp: Lamp,
    watchers: BTreeSet<SubscriptionId>,
}

/// All watched extensions.
#[derive(Debug, Default)]
pub struct Watched {
    places: BTreeMap<Place, Watch>,
    devices: BTreeMap<SmolStr, BTreeSet<Place>>,
}

impl Watched {
    /// A subscription begins to watch an extension, whose hint names these devices.
    pub fn add(&mut self, id: SubscriptionId, place: &Place, devices: Vec<String>, table: &dyn Devices, core: &Core) {
        if let Some(watch) = self.places.get_mut(place) {
            watch.watchers.insert(id);
            return;
        }
        for device in &devices {
            self.devices.entry(key(device)).or_default().insert(place.clone());
        }
        let lamp = Lamp::of(&devices, table, core);
        self.places.insert(place.clone(), Watch { devices, lamp, watchers: [id].into() });
    }

    /// It watches no more.
    pub fn remove(&mut self, id: SubscriptionId, place: &Place) {
        let Some(watch) = self.places.get_mut(place) else { return };
        watch.watchers.remove(&id);
        if watch.watchers.is_empty() {
            self.forget(place);
        }
    }

    fn forget(&mut self, place: &Place) {
        let Some(watch) = self.places.remove(place) else { return };
        for device in watch.devices.iter().map(|device| key(device)) {
            if let Some(places) = self.devices.get_mut(&device) {
                places.remove(place);
                if places.is_empty() {
                    self.devices.remove(&device);
                }
            }
        }
    }

    /// What the lamp of an extension shows.
    pub fn lamp(&self, place: &Place) -> Option<&Lamp> {
        self.places.get(place).map(|watch| &watch.lamp)
    }

    /// Every extension that is watched: its context and its name.
    pub fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        self.places.keys().map(|(context, exten)| (context.as_str(), exten.as_str()))
    }

    /// How many watch an extension.
    pub fn watchers(&self, place: &Place) -> usize {
        self.places.get(place).map_or(0, |watch| watch.watchers.len())
    }

    /// A device changed: the subscriptions whose lamp shows something else now.
    pub fn device_changed(&mut self, device: &str, table: &dyn Devices, core: &Core) -> BTreeSet<SubscriptionId> {
        let places = self.devices.get(&key(device)).cloned().unwrap_or_default();
        let mut concerned = BTreeSet::new();
        for place in places {
            let Some(watch) = self.places.get_mut(&place) else { continue };
            let lamp = Lamp::of(&watch.devices, table, core);
            if lamp != watch.lamp {
                watch.lamp = lamp;
                concerned.extend(&watch.watchers);
            }
        }
        concerned
    }

    /// After a new configuration: who watches an extension that has no hint any more, and whose lamp shows something
    /// else now.
    pub fn reload(&mut self, table: &dyn Devices, core: &Core) -> (BTreeSet<SubscriptionId>, BTreeSet<SubscriptionId>) {
        let (mut gone, mut changed) = (BTreeSet::new(), BTreeSet::new());
        let old = std::mem::take(self);
        for (place, watch) in old.places {
            let Some(devices) = table.hint(core, &place.0, &place.1) else {
                gone.extend(watch.watchers);
                continue;
            };
            for id in &watch.watchers {
                self.add(*id, &place, devices.clone(), table, core);
            }
            if self.lamp(&place) != Some(&watch.lamp) {
                changed.extend(watch.watchers);
            }
        }
        (gone, changed)
    }
}

/// A device's name: what stands before its `/` or `:` is the same in any case.
fn key(device: &str) -> SmolStr {
    match device.find(['/', ':']) {
        Some(end) => {
            let (kind, name) = device.split_at(end);
            format_smolstr!("{}{name}", kind.to_ascii_lowercase_smolstr())
        }
        None => device.into(),
    }
}
