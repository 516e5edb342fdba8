//! Time conditions: `times,weekdays,monthdays,months[,zone]`, as includes, `IFTIME` and `GotoIfTime` have them.

use crate::clock::Wall;
use crate::datetime::zones::{TimeZone, Zones};
use crate::wording::outside;

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// When something holds: every part must.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timing {
    /// Minutes of the day, both ends included; empty: always.
    times: Vec<(u32, u32)>,
    weekdays: Vec<(u32, u32)>,
    monthdays: Vec<(u32, u32)>,
    months: Vec<(u32, u32)>,
    /// A part was given of which nothing could be read: it never holds.
    never: bool,
    /// Whose clocks and calendars count.
    zone: TimeZone,
}

impl Timing {
    /// Reads `times,weekdays,monthdays,months[,zone]`: see `parse`.
    pub fn read(text: &str, zones: &Zones) -> (Timing, Vec<String>) {
        // A zone written in POSIX's way has commas of its own, and stands last.
        let parts: Vec<&str> = text.splitn(5, [',', '|']).collect();
        Timing::parse(&parts, zones)
    }

    /// Reads up to five parts, and says of each element that makes no sense what it is; such an element is skipped. The
    /// fifth names a time zone; without one, and with one that is unknown, the machine's counts.
    pub fn parse(parts: &[&str], zones: &Zones) -> (Timing, Vec<String>) {
        let mut timing = Timing::default();
        let mut odd = Vec::new();
        let mut part = |number: usize, what: &str, read: fn(&str) -> Option<u32>| {
            let text = parts.get(number).map_or("*", |part| part.trim());
            let (ranges, some) = ranges(text, what, read, &mut odd);
            timing.never |= some && ranges.is_empty();
            ranges
        };
        let times = part(0, "time", minute);
        let weekdays = part(1, "weekday", |text| named(&WEEKDAYS, text));
        let monthdays = part(2, "day of the month", |text| text.parse().ok().filter(|day| (1..=31).contains(day)));
        let months = part(3, "month", |text| named(&MONTHS, text));
        let zone = match zones.find(parts.get(4).copied().unwrap_or_default()) {
            Ok(zone) => zone,
            Err(why) => {
                odd.push(format!("{why}; the machine's counts"));
                zones.local().clone()
            }
        };
        (Timing { times, weekdays, monthdays, months, zone, ..timing }, odd)
    }

    /// Whether it holds at any time.
    pub fn is_always(&self) -> bool {
        let parts = [&self.times, &self.weekdays, &self.monthdays, &self.months];
        !self.never && parts.iter().all(|part| part.is_empty())
    }

    /// Whether it holds at that moment.
    pub fn holds(&self, at: Wall) -> bool {
        if self.never || self.is_always() {
            return !self.never;
        }
        let now = self.zone.civil(at);
        within(&self.times, now.hour * 60 + now.minute)
            && within(&self.weekdays, now.weekday)
            && within(&self.monthdays, now.day)
            && within(&self.months, now.month.saturating_sub(1))
    }
}

/// The elements of a part, and whether it restricts at all.
fn ranges(text: &str, what: &str, read: fn(&str) -> Option<u32>, odd: &mut Vec<String>) -> (Vec<(u32, u32)>, bool) {
    if text.is_empty() || text == "*" {
        return (Vec::new(), false);
    }
    let mut found = Vec::new();
    for element in text.split('&') {
        let (first, last) = element.split_once('-').unwrap_or((element, element));
        match (read(first.trim()), read(last.trim())) {
            (Some(first), Some(last)) => found.push((first, last)),
            _ => odd.push(format!("'{}' is no {what}; it is left out", outside(element.trim()))),
        }
    }
    (found, true)
}

/// A range may wrap: 22:00-06:00, fri-mon.
fn within(ranges: &[(u32, u32)], value: u32) -> bool {
    ranges.is_empty()
        || ranges.iter().any(|(first, last)| {
            if first <= last { (*first..=*last).contains(&value) } else { value >= *first || value <= *last }
        })
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| hour * 60 + minute)
}

fn named(names: &[&str], text: &str) -> Option<u32> {
    let text = text.to_ascii_lowercase();
    (0u32..).zip(names).find(|(_, name)| text == **name).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Friday 2024-03-15 14:30:00 UTC.
    const FRIDAY: Wall = Wall(1_710_513_000_000);

    fn holds(parts: &[&str]) -> bool {
        let (timing, odd) = Timing::parse(parts, &Zones::default());
        assert!(odd.is_empty(), "{odd:?}");
        timing.holds(FRIDAY)
    }

    #[test]
    fn every_part_must_hold() {
        assert!(holds(&["9:00-17:00", "mon-fri", "*", "*"]));
        assert!(!holds(&["9:00-17:00", "sat&sun", "*", "*"]));
        assert!(holds(&["14:30-14:30", "fri", "15", "mar"]));
        assert!(!holds(&["14:31-20:00"]));
        assert!(holds(&[]));
    }

    #[test]
    fn ranges_wrap_and_combine() {
        assert!(holds(&["22:00-15:00"]));
        assert!(!holds(&["22:00-06:00"]));
        assert!(holds(&["*", "thu-mon", "28-16", "nov-apr"]));
        assert!(holds(&["08:00-09:00&14:00-15:00"]));
    }

    #[test]
    fn nonsense_is_named_and_never_opens_the_door() {
        let (timing, odd) = Timing::parse(&["25:00-26:00", "someday"], &Zones::default());
        assert_eq!(odd.len(), 2);
        assert!(!timing.holds(FRIDAY));
    }
    #[test]
    fn a_zone_has_its_own_night() {
        let zone = "EST5EDT,M3.2.0,M11.1.0";
        let holds = |hours: &str, at| {
            let (timing, odd) = Timing::parse(&[hours, "*", "*", "*", zone], &Zones::default());
            assert!(odd.is_empty(), "{odd:?}");
            timing.holds(at)
        };
        // 14:30 in London is 10:30 in New York, for that fortnight of March.
        assert!(holds("10:30-10:30", FRIDAY) && !holds("14:30-14:30", FRIDAY));
        // The same hour of UTC two weeks before, in winter: 9:30.
        assert!(holds("09:30-09:30", Wall(FRIDAY.0 - 14 * 86_400_000)));
        let (timing, odd) = Timing::parse(&["14:30-14:30", "*", "*", "*", "Utopia"], &Zones::default());
        assert!(odd[0].starts_with("there is no time zone 'Utopia'") && timing.holds(FRIDAY), "{odd:?}");
        assert!(Timing::parse(&[], &Zones::default()).0.is_always() && !timing.is_always());
    }
}
