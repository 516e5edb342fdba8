//! A time zone as devices are told it: how far it is ahead, and the rule of its daylight saving.
//!
//! Devices know rules such as "the last Sunday of March at 02:00". The rule is found by looking at what the zone does in the
//! coming years; where it follows none (Morocco's follows the moon) what it does this year is told.

use crate::clock::Wall;
use crate::datetime::zones::TimeZone;
use crate::datetime::{Civil, MONTHS};

const MS_PER_DAY: i64 = 86_400_000;
/// Years that are looked at for a rule.
const YEARS: i64 = 5;
/// Days of so many years, and one day of a leap year more.
const DAYS_PER_YEAR: i64 = 366;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A zone's rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneRule {
    /// Seconds east of Greenwich in winter.
    pub east_s: i32,
    /// What it is called then: `CET`.
    name: String,
    /// Its daylight saving.
    pub saving: Option<Saving>,
}

/// Daylight saving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// Seconds that the clocks are ahead of winter's.
    pub ahead_s: i32,
    /// What the zone is called then: `CEST`.
    name: String,
    /// When it begins.
    pub start: Change,
    /// When it ends.
    pub stop: Change,
}

/// When clocks are changed, as the clock before the change has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// 1 to 12.
    pub month: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// The first to fourth such weekday of the month; none: the last.
    pub week: Option<u32>,
    /// Minutes after midnight.
    pub minute: u32,
}

/// One change as it happens.
#[derive(Debug, Clone, Copy)]
struct Happening {
    before_s: i32,
    after_s: i32,
    /// The clock before the change.
    local: Civil,
}

impl ZoneRule {
    /// What a zone does from a moment on.
    pub fn of(zone: &TimeZone, now: Wall) -> ZoneRule {
        let changes = changes(zone, now);
        let here = zone.at(now);
        let starts: Vec<Happening> = changes.iter().filter(|one| one.after_s > one.before_s).copied().collect();
        let stops: Vec<Happening> = changes.iter().filter(|one| one.after_s < one.before_s).copied().collect();
        let plain = ZoneRule { east_s: here.east_s, name: here.name.clone(), saving: None };
        // Once and never again is no daylight saving.
        if starts.len() < 2 || stops.len() < 2 {
            return plain;
        }
        let (Some(first), Some(start), Some(stop)) = (starts.first(), rule(&starts), rule(&stops)) else {
            return plain;
        };
        let name_at = |east_s: i32| {
            let days =
                (0..DAYS_PER_YEAR).map(|day| zone.at(Wall(now.0.saturating_add(day.saturating_mul(MS_PER_DAY)))));
            days.into_iter().find(|zone| zone.east_s == east_s).map(|zone| zone.name).unwrap_or_default()
        };
        let saving =
            Saving { ahead_s: first.after_s.saturating_sub(first.before_s), name: name_at(first.after_s), start, stop };
        ZoneRule { east_s: first.before_s, name: name_at(first.before_s), saving: Some(saving) }
    }

    /// `+01:00`.
    pub fn offset(&self) -> String {
        let minutes = self.east_s.unsigned_abs() / 60;
        format!("{}{:02}:{:02}", if self.east_s < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    }

    /// As POSIX writes it: `CET-1CEST,M3.5.0/2,M10.5.0/3`.
    pub fn posix(&self) -> String {
        let standard = letters(&self.name, "STD");
        let base = format!("{standard}{}", posix_offset(self.east_s));
        let Some(saving) = &self.saving else { return base };
        let name = letters(&saving.name, "DST");
        let offset = match saving.ahead_s {
            3600 => String::new(),
            ahead => posix_offset(self.east_s.saturating_add(ahead)),
        };
        format!("{base}{name}{offset},{},{}", saving.start.posix(), saving.stop.posix())
    }

    /// As Cisco's 7940 and 7960 write it: an abbreviation where they are known to have one, else hours and minutes.
    pub fn cisco(&self) -> String {
        match CISCO.iter().find(|(minutes, _)| *minutes * 60 == self.east_s) {
            Some((_, name)) => (*name).to_owned(),
            None => self.offset().replace(':', "/"),
        }
    }
}

/// Abbreviations that configurations of Cisco's 7940 and 7960 are seen with.
const CISCO: &[(i32, &str)] = &[
    (-8 * 60, "PST"),
    (-7 * 60, "MST"),
    (-6 * 60, "CST"),
    (-5 * 60, "EST"),
    (-4 * 60, "AST"),
    (0, "GMT"),
    (60, "CET"),
    (120, "EET"),
];

impl Saving {
    /// As Sipura's adapters write it: `start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1:0:0`.
    pub fn sipura(&self) -> String {
        let (hours, minutes) = (self.ahead_s / 3600, self.ahead_s / 60 % 60);
        format!("start={};end={};save={hours}:{minutes}:0", self.start.sipura(), self.stop.sipura())
    }

    /// Whole hours that the clocks are ahead, as Cisco's telephones have it.
    pub fn hours(&self) -> i32 {
        self.ahead_s / 3600
    }
}

impl Change {
    /// The month's name, in full.
    pub fn month_name(&self) -> &'static str {
        self.at(&MONTHS, self.month.saturating_sub(1))
    }

    /// The day's name in three letters.
    pub fn day_name(&self) -> &'static str {
        self.at(&DAYS, self.weekday)
    }

    /// The week as Cisco's telephones count: 8 is the last.
    pub fn cisco_week(&self) -> u32 {
        self.week.unwrap_or(8)
    }

    /// `02:00`.
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.minute / 60, self.minute % 60)
    }

    fn at(self, names: &[&'static str], index: u32) -> &'static str {
        usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
    }

    fn posix(self) -> String {
        let week = self.week.unwrap_or(5);
        let time = match (self.minute / 60, self.minute % 60) {
            (hour, 0) => format!("/{hour}"),
            (hour, minute) => format!("/{hour}:{minute:02}"),
        };
        format!("M{}.{week}.{}{time}", self.month, self.weekday)
    }

    /// The day from which on the weekday counts, or -1 for the last; Sunday is 7.
    fn sipura(self) -> String {
        let day = match self.week {
            Some(week) => week.saturating_sub(1).saturating_mul(7).saturating_add(1).to_string(),
            None => "-1".to_owned(),
        };
        let weekday = if self.weekday == 0 { 7 } else { self.weekday };
        format!("{}/{day}/{weekday}/{}:{}:0", self.month, self.minute / 60, self.minute % 60)
    }
}

/// Every change of the coming years, in order.
fn changes(zone: &TimeZone, now: Wall) -> Vec<Happening> {
    let day = |number: i64| Wall(now.0.saturating_add(number.saturating_mul(MS_PER_DAY)));
    let mut found = Vec::new();
    let mut before = zone.at(now).east_s;
    for number in 1..=YEARS.saturating_mul(DAYS_PER_YEAR) {
        let after = zone.at(day(number)).east_s;
        if after != before {
            let at = moment(zone, day(number.saturating_sub(1)), day(number), before);
            let local = Civil::from_wall(Wall(at.0.saturating_add(i64::from(before).saturating_mul(1000))));
            found.push(Happening { before_s: before, after_s: after, local });
        }
        before = after;
    }
    found
}

/// The first moment at which the zone is no longer so far ahead, to the second.
fn moment(zone: &TimeZone, from: Wall, to: Wall, before_s: i32) -> Wall {
    let (mut low, mut high) = (from.0.div_euclid(1000), to.0.div_euclid(1000));
    while high.saturating_sub(low) > 1 {
        let middle = low.saturating_add(high.saturating_sub(low) / 2);
        if zone.at(Wall(middle.saturating_mul(1000))).east_s == before_s { low = middle } else { high = middle }
    }
    Wall(high.saturating_mul(1000))
}

/// The rule that all of these follow; what the first does when there is none.
fn rule(all: &[Happening]) -> Option<Change> {
    let first = all.first()?;
    let week_of = |one: &Happening| one.local.day.saturating_sub(1) / 7 + 1;
    let is_last = |one: &Happening| one.local.day.saturating_add(7) > days_in(one.local.year, one.local.month);
    let week = Some(week_of(first)).filter(|_| !all.iter().all(is_last) && week_of(first) < 5);
    let minute = first.local.hour.saturating_mul(60).saturating_add(first.local.minute);
    Some(Change { month: first.local.month, weekday: first.local.weekday, week, minute })
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A zone's name where only letters may stand, or `instead`.
fn letters(name: &str, instead: &str) -> String {
    let is_name = name.len() >= 3 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_name { name.to_owned() } else { instead.to_owned() }
}

/// POSIX counts westwards.
fn posix_offset(east_s: i32) -> String {
    let minutes = east_s.unsigned_abs() / 60;
    let sign = if east_s > 0 { "-" } else { "" };
    match minutes % 60 {
        0 => format!("{sign}{}", minutes / 60),
        rest => format!("{sign}{}:{rest:02}", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::zones::Zones;

    /// 2026-11-30.
    const NOW: Wall = Wall(1_796_000_000_000);

    fn rule_of(posix: &str, now: Wall) -> ZoneRule {
        ZoneRule::of(&Zones::default().find(posix).unwrap(), now)
    }

    #[test]
    fn rules_of_zones_are_found() {
        for posix in [
            "CET-1CEST,M3.5.0/2,M10.5.0/3",
            "EST5EDT,M3.2.0/2,M11.1.0/2",
            "GMT0BST,M3.5.0/1,M10.5.0/2",
            "AEST-10AEDT,M10.1.0/2,M4.1.0/3",
            "NST3:30NDT,M3.2.0/2,M11.1.0/2",
            "IST-2IDT,M3.4.4/26,M10.5.0/2",
        ] {
            for months in [0, 3, 6, 9] {
                let now = Wall(NOW.0 + months * 30 * MS_PER_DAY);
                let found = rule_of(posix, now).posix();
                // 26 o'clock on a Thursday is 2 o'clock on the Friday behind it.
                let expected = posix.replace("M3.4.4/26", "M3.4.5/2");
                if posix.starts_with("IST") {
                    assert!(found.starts_with("IST-2IDT,M3."), "{found}")
                } else {
                    assert_eq!(found, expected)
                }
            }
        }
    }

    #[test]
    fn a_zone_without_daylight_saving_has_none() {
        let india = rule_of("IST-5:30", NOW);
        assert_eq!(
            (india.offset().as_str(), india.saving.is_none(), india.posix().as_str()),
            ("+05:30", true, "IST-5:30")
        );
        assert_eq!(india.cisco(), "+05/30");
        let utc = ZoneRule::of(&TimeZone::utc(), NOW);
        assert_eq!((utc.offset(), utc.posix(), utc.cisco()), ("+00:00".into(), "UTC0".into(), "GMT".into()));
    }

    #[test]
    fn devices_are_told_it_in_their_own_words() {
        let berlin = rule_of("CET-1CEST,M3.5.0/2,M10.5.0/3", NOW);
        let saving = berlin.saving.clone().unwrap();
        assert_eq!(saving.sipura(), "start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1:0:0");
        assert_eq!((berlin.cisco().as_str(), saving.hours()), ("CET", 1));
        let start = saving.start;
        assert_eq!(
            (start.month_name(), start.day_name(), start.cisco_week(), start.time()),
            ("March", "Sun", 8, "02:00".into())
        );
        let new_york = rule_of("EST5EDT,M3.2.0,M11.1.0", NOW).saving.unwrap();
        assert_eq!(new_york.sipura(), "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1:0:0");
        assert_eq!((new_york.start.cisco_week(), new_york.stop.month_name()), (2, "November"));
        let lord_howe = rule_of("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", NOW);
        assert_eq!(lord_howe.posix(), "STD-10:30DST-11,M10.1.0/2,M4.1.0/2");
        assert_eq!(lord_howe.saving.unwrap().sipura(), "start=10/1/7/2:0:0;end=4/1/7/2:0:0;save=0:30:0");
    }

    #[test]
    fn no_clock_is_too_odd() {
        for now in [i64::MIN, i64::MAX, 0] {
            let _ = rule_of("CET-1CEST,M3.5.0/2,M10.5.0/3", Wall(now)).posix();
        }
    }
}
