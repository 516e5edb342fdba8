//! Time zones by name, with their daylight saving. The data of the machine's zoneinfo is handed in; nothing is read here.

use super::{Civil, Zone, strftime_in};
use crate::clock::Wall;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most zones that are kept: zoneinfo has about 600.
pub const MAX_ZONES: usize = 2_000;

/// A time zone with all of its rules: `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

impl Default for TimeZone {
    fn default() -> TimeZone {
        TimeZone::utc()
    }
}

impl TimeZone {
    /// Universal time.
    pub fn utc() -> TimeZone {
        TimeZone(jiff::tz::TimeZone::UTC)
    }

    /// The zone of a file of zoneinfo (RFC 9636); none when it makes no sense.
    pub fn from_zoneinfo(name: &str, data: &[u8]) -> Option<TimeZone> {
        jiff::tz::TimeZone::tzif(name, data).ok().map(TimeZone)
    }

    /// The zone that somebody has found already, such as the machine's; universal time when nobody knows which it is.
    pub fn from_jiff(zone: jiff::tz::TimeZone) -> TimeZone {
        if zone.is_unknown() { TimeZone::utc() } else { TimeZone(zone) }
    }

    /// How far its clocks are ahead at a moment, and what it is called then.
    pub fn at(&self, moment: Wall) -> Zone {
        match Timestamp::from_millisecond(moment.0) {
            Ok(moment) => {
                let info = self.0.to_offset_info(moment);
                Zone { east_s: info.offset().seconds(), name: info.abbreviation().to_owned() }
            }
            Err(_) => Zone::utc(),
        }
    }

    /// What its clocks and its calendar say at a moment.
    pub fn civil(&self, moment: Wall) -> Civil {
        Civil::in_zone(moment, &self.at(moment))
    }

    /// A moment, formatted as [`strftime_in`] does it, with the clock of this zone.
    pub fn format(&self, moment: Wall, format: &str) -> String {
        strftime_in(moment, &self.at(moment), format)
    }
}

/// The time zones that the machine knows, and its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zones {
    local: TimeZone,
    /// Files of zoneinfo by the name of their zone. They are read when a zone is asked for: most never are.
    named: BTreeMap<String, Arc<[u8]>>,
}

impl Zones {
    /// Only that zone, as the machine's own.
    pub fn new(local: TimeZone) -> Zones {
        Zones { local, named: BTreeMap::new() }
    }

    /// Takes in a file of zoneinfo; what is no such file, and more than [`MAX_ZONES`], is left out.
    pub fn insert(&mut self, name: &str, data: Arc<[u8]>) {
        if data.starts_with(b"TZif") && self.named.len() < MAX_ZONES {
            self.named.insert(name.to_owned(), data);
        }
    }

    /// Makes another zone the one of times that name none.
    pub fn set_local(&mut self, local: TimeZone) {
        self.local = local;
    }

    /// The zone of times that name none: the machine's.
    pub fn local(&self) -> &TimeZone {
        &self.local
    }

    /// The zone of that name; the local one for an empty name.
    ///
    /// # Errors
    /// There is none of that name: a sentence for the log, with the nearest name.
    pub fn find(&self, name: &str) -> Result<TimeZone, String> {
        let name = name.trim();
        if name.is_empty() {
            return Ok(self.local.clone());
        }
        let same = || self.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some((known, data)) = self.named.get_key_value(name).or_else(same)
            && let Some(zone) = TimeZone::from_zoneinfo(known, data)
        {
            return Ok(zone);
        }
        // `CET-1CEST,M3.5.0,M10.5.0/3`, as POSIX writes a zone's rules.
        if name.contains(|letter: char| letter.is_ascii_digit())
            && let Ok(zone) = jiff::tz::TimeZone::posix(name)
        {
            return Ok(TimeZone(zone));
        }
        if ["UTC", "GMT"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(TimeZone::utc());
        }
        Err(self.unknown(name))
    }

    fn unknown(&self, name: &str) -> String {
        let shown = crate::wording::outside(name);
        if self.named.is_empty() {
            return format!("there is no time zone '{shown}': this machine has no zoneinfo (apt-get install tzdata)");
        }
        let names = || self.named.keys().map(String::as_str);
        // A city alone names its zone: Berlin, New York.
        let city = name.replace(' ', "_");
        let by_city =
            names().find(|known| known.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city)));
        match by_city.or_else(|| crate::wording::nearest(name, names())) {
            Some(near) => format!("there is no time zone '{shown}'; did you mean '{near}'?"),
            None => format!("there is no time zone '{shown}'; write it as Europe/Berlin"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of Central Europe as zoneinfo has them since 1996, in a file of its second version.
    fn zones() -> Zones {
        let mut zones = Zones::default();
        zones.insert("Europe/Berlin", zoneinfo("CET-1CEST,M3.5.0,M10.5.0/3"));
        zones.insert("America/New_York", zoneinfo("EST5EDT,M3.2.0,M11.1.0"));
        zones
    }

    fn zoneinfo(rules: &str) -> Arc<[u8]> {
        let mut file = Vec::new();
        for _ in 0..2 {
            file.extend(b"TZif2");
            file.extend([0; 15]);
            for count in [0u32, 0, 0, 0, 1, 4] {
                file.extend(count.to_be_bytes());
            }
            file.extend([0, 0, 0, 0, 0, 0]);
            file.extend(b"LMT\0");
        }
        file.extend(format!("\n{rules}\n").bytes());
        file.into()
    }

    #[test]
    fn daylight_saving_is_kept() {
        let zones = zones();
        let berlin = zones.find("Europe/Berlin").unwrap();
        // The last Sunday of March 2026, 02:00 becomes 03:00; the last of October, 03:00 becomes 02:00.
        for (moment, shown) in [
            (1_774_745_999_000, "2026-03-29 01:59:59 CET +0100"),
            (1_774_746_000_000, "2026-03-29 03:00:00 CEST +0200"),
            (1_792_889_999_000, "2026-10-25 02:59:59 CEST +0200"),
            (1_792_890_000_000, "2026-10-25 02:00:00 CET +0100"),
        ] {
            assert_eq!(berlin.format(Wall(moment), "%F %T %Z %z"), shown);
        }
        assert_eq!(berlin.civil(Wall(1_774_746_000_000)).hour, 3);
        let rules = zones.find("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(rules.at(Wall(1_774_746_000_000)).name, "CEST");
        assert!(!berlin.format(Wall(i64::MAX), "%c").is_empty() && !berlin.format(Wall(i64::MIN), "%c").is_empty());
    }

    #[test]
    fn names_are_found_without_case_and_the_nearest_is_named() {
        let zones = zones();
        assert_eq!(zones.find(""), Ok(TimeZone::utc()));
        assert_eq!(zones.find("UTC"), Ok(TimeZone::utc()));
        assert!(zones.find(" europe/berlin ").is_ok());
        let near = |name: &str| zones.find(name).unwrap_err();
        assert_eq!(near("Europe/Berln"), "there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?");
        assert_eq!(near("New York"), "there is no time zone 'New York'; did you mean 'America/New_York'?");
        assert_eq!(near("Mars"), "there is no time zone 'Mars'; write it as Europe/Berlin");
        assert!(Zones::default().find("Europe/Berlin").unwrap_err().contains("apt-get install tzdata"));
    }

    #[test]
    fn what_is_no_zoneinfo_is_left_out() {
        let mut zones = Zones::default();
        zones.insert("Broken", Arc::from(&b"TZif2 and no more"[..]));
        zones.insert("Text", Arc::from(&b"hello"[..]));
        assert!(zones.find("Broken").is_err() && zones.find("Text").is_err());
        assert!(!zones.named.contains_key("Text"));
    }
}
