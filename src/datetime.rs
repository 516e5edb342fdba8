//! The wall clock as people, headers and `STRFTIME` write it: in UTC, or in a time zone that is told.

pub mod zones;

use crate::clock::Wall;
use std::time::Duration;

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// The months' names, January first.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment in the Gregorian calendar, in UTC or in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999.
    pub millisecond: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 1 to 366.
    pub yearday: u32,
}

/// A time zone at some moment: how far its clocks are ahead, and what it is called then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of Greenwich; negative in the west.
    pub east_s: i32,
    /// The abbreviation: `CET`, `EDT`.
    pub name: String,
}

/// Looks up the time zone of the machine at a moment.
pub type ZoneAt = fn(Wall) -> Zone;

impl Zone {
    /// Universal time.
    pub fn utc() -> Zone {
        Zone { east_s: 0, name: "UTC".to_owned() }
    }

    /// `+0100`, as ISO 8601 and `%z` have it.
    fn offset(&self) -> String {
        let minutes = self.east_s.unsigned_abs() / 60;
        format!("{}{:02}{:02}", if self.east_s < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    }

    /// The moment that reads in UTC as this one does here.
    fn shifted(&self, at: Wall) -> Wall {
        Wall(at.0.saturating_add(i64::from(self.east_s) * 1000))
    }
}

impl Civil {
    /// The moment as the clocks and calendars of a zone have it.
    pub fn in_zone(at: Wall, zone: &Zone) -> Civil {
        Civil::from_wall(zone.shifted(at))
    }

    /// The moment in UTC.
    pub fn from_wall(at: Wall) -> Civil {
        let days = at.0.div_euclid(86_400_000);
        let in_day = at.0.rem_euclid(86_400_000);
        let (year, month, day) = date(days);
        let first = days_before(year);
        let small = |value: i64| u32::try_from(value).unwrap_or(0);
        Civil {
            year,
            month,
            day,
            hour: small(in_day / 3_600_000),
            minute: small(in_day / 60_000 % 60),
            second: small(in_day / 1000 % 60),
            millisecond: small(in_day % 1000),
            weekday: small((days + 4).rem_euclid(7)),
            yearday: small(days - first + 1),
        }
    }
}

/// A `Date` header (RFC 3261 20.17): `Sat, 21 Nov 2026 06:08:54 GMT`.
pub fn header_date(at: Wall) -> String {
    let now = Civil::from_wall(at);
    let weekday = WEEKDAYS.get(now.weekday as usize).and_then(|name| name.get(..3)).unwrap_or_default();
    let month = MONTHS.get((now.month as usize).saturating_sub(1)).and_then(|name| name.get(..3)).unwrap_or_default();
    let Civil { year, day, hour, minute, second, .. } = now;
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// ISO 8601 with milliseconds, as security events carry it: `2026-11-21T06:08:54.123+0000`.
pub fn iso(at: Wall) -> String {
    iso_in(at, &Zone::utc())
}

/// As a sentence names a moment: `2026-11-21 06:08:54 UTC`.
pub fn moment(at: Wall) -> String {
    strftime(at, "%F %T UTC")
}

/// How long something took, in its two largest units: `20 s`, `2 min 5 s`, `3 h 1 min`, `2 d 4 h`.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (large, small, per) = match seconds {
        0..60 => return format!("{seconds} s"),
        60..3_600 => ("min", "s", (60, 1)),
        3_600..86_400 => ("h", "min", (3_600, 60)),
        86_400.. => ("d", "h", (86_400, 3_600)),
    };
    match seconds % per.0 / per.1 {
        0 => format!("{} {large}", seconds / per.0),
        rest => format!("{} {large} {rest} {small}", seconds / per.0),
    }
}

/// The same with the clock of a time zone: `2026-11-21T07:08:54.123+0100`.
pub fn iso_in(at: Wall, zone: &Zone) -> String {
    strftime_in(at, zone, ISO)
}

/// The format of [`iso`].
pub const ISO: &str = "%FT%T.%3q%z";

/// `format` with its `%` letters filled in, as strftime(3) has them, and `%q` for milliseconds (`%1q` to `%9q`: that
/// many digits of the fraction). An unknown letter stays. In UTC.
pub fn strftime(at: Wall, format: &str) -> String {
    strftime_in(at, &Zone::utc(), format)
}

/// As [`strftime`], with the clock of a time zone.
pub fn strftime_in(at: Wall, zone: &Zone, format: &str) -> String {
    let now = Civil::in_zone(at, zone);
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some(digits @ '1'..='9') if letters.as_str().starts_with('q') => {
                letters.next();
                let fraction = format!("{:03}000000", now.millisecond);
                text.extend(fraction.chars().take(digits.to_digit(10).unwrap_or(3) as usize));
            }
            Some(code) => text.push_str(&field(&now, at, zone, code).unwrap_or_else(|| format!("%{code}"))),
            None => text.push('%'),
        }
    }
    text
}

fn field(now: &Civil, at: Wall, zone: &Zone, code: char) -> Option<String> {
    let weekday = WEEKDAYS.get(now.weekday as usize).copied().unwrap_or_default();
    let month = MONTHS.get((now.month as usize).saturating_sub(1)).copied().unwrap_or_default();
    let short = |name: &str| name.get(..3).unwrap_or(name).to_owned();
    let hour12 = if now.hour.is_multiple_of(12) { 12 } else { now.hour % 12 };
    Some(match code {
        'Y' => now.year.to_string(),
        'y' => format!("{:02}", now.year.rem_euclid(100)),
        'C' => format!("{:02}", now.year.div_euclid(100)),
        'm' => format!("{:02}", now.month),
        'd' => format!("{:02}", now.day),
        'e' => format!("{:2}", now.day),
        'j' => format!("{:03}", now.yearday),
        'H' => format!("{:02}", now.hour),
        'k' => format!("{:2}", now.hour),
        'I' => format!("{hour12:02}"),
        'l' => format!("{hour12:2}"),
        'M' => format!("{:02}", now.minute),
        'S' => format!("{:02}", now.second),
        'q' => format!("{:03}", now.millisecond),
        'p' => if now.hour < 12 { "AM" } else { "PM" }.to_owned(),
        'P' => if now.hour < 12 { "am" } else { "pm" }.to_owned(),
        'A' => weekday.to_owned(),
        'a' => short(weekday),
        'B' => month.to_owned(),
        'b' | 'h' => short(month),
        'w' => now.weekday.to_string(),
        'u' => if now.weekday == 0 { 7 } else { now.weekday }.to_string(),
        's' => at.0.div_euclid(1000).to_string(),
        'T' => format!("{:02}:{:02}:{:02}", now.hour, now.minute, now.second),
        'R' => format!("{:02}:{:02}", now.hour, now.minute),
        'F' => format!("{}-{:02}-{:02}", now.year, now.month, now.day),
        'D' | 'x' => format!("{:02}/{:02}/{:02}", now.month, now.day, now.year.rem_euclid(100)),
        'X' => format!("{:02}:{:02}:{:02}", now.hour, now.minute, now.second),
        'c' => format!(
            "{} {} {:2} {:02}:{:02}:{:02} {}",
            short(weekday),
            short(month),
            now.day,
            now.hour,
            now.minute,
            now.second,
            now.year
        ),
        'Z' => zone.name.clone(),
        'z' => zone.offset(),
        'n' => "\n".to_owned(),
        't' => "\t".to_owned(),
        '%' => "%".to_owned(),
        _ => return None,
    })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to the first of January of `year`.
fn days_before(year: i64) -> i64 {
    let past = year - 1;
    let leaps = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    past * 365 + leaps - 719_162
}

fn date(days: i64) -> (i64, u32, u32) {
    // The calendar repeats itself every 400 years; within them the estimate is at most two years short.
    let mut year = 1970 + days.div_euclid(146_097) * 400 + days.rem_euclid(146_097) / 366;
    while days_before(year + 1) <= days {
        year += 1;
    }
    let mut left = days - days_before(year) + 1;
    for (number, length) in (1u32..).zip([31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30])
    {
        if left <= length {
            return (year, number, u32::try_from(left).unwrap_or(1));
        }
        left -= length;
    }
    (year, 12, u32::try_from(left).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_two_units() {
        let told = |seconds| span(Duration::from_secs(seconds));
        assert_eq!([told(0), told(59), told(60)], ["0 s", "59 s", "1 min"]);
        assert_eq!([told(125), told(3600), told(3675)], ["2 min 5 s", "1 h", "1 h 1 min"]);
        assert_eq!([told(86_400), told(187_000)], ["1 d", "2 d 3 h"]);
        assert_eq!(moment(Wall(0)), "1970-01-01 00:00:00 UTC");
    }

    #[test]
    fn known_moments_read_right() {
        let vectors = [
            (0, "1970-01-01 00:00:00 Thursday 001"),
            (951_782_399_000, "2000-02-28 23:59:59 Monday 059"),
            (951_782_400_000, "2000-02-29 00:00:00 Tuesday 060"),
            (1_710_513_000_000, "2024-03-15 14:30:00 Friday 075"),
            (4_107_542_400_000, "2100-03-01 00:00:00 Monday 060"),
            (1_735_689_599_000, "2024-12-31 23:59:59 Tuesday 366"),
            (-1_000, "1969-12-31 23:59:59 Wednesday 365"),
        ];
        for (at, shown) in vectors {
            assert_eq!(strftime(Wall(at), "%F %T %A %j"), shown);
        }
    }

    #[test]
    fn letters_are_filled_in() {
        assert_eq!(strftime(Wall(1_710_513_000_123), "%d.%m.%y %I%p %3q %% %Q %"), "15.03.24 02PM 123 % %Q %");
    }

    #[test]
    fn a_zone_has_its_own_clock() {
        let india = Zone { east_s: 19_800, name: "IST".to_owned() };
        let new_york = Zone { east_s: -18_000, name: "EST".to_owned() };
        let at = Wall(1_735_689_599_007);
        assert_eq!(iso_in(at, &india), "2025-01-01T05:29:59.007+0530");
        assert_eq!(strftime_in(at, &new_york, "%c %Z %1q %6q %s"), "Tue Dec 31 18:59:59 2024 EST 0 007000 1735689599");
        assert!(!iso_in(Wall(i64::MAX), &india).is_empty() && !iso_in(Wall(i64::MIN), &new_york).is_empty());
    }

    #[test]
    fn any_moment_has_a_date() {
        for at in [i64::MIN, i64::MAX, -62_135_596_800_000] {
            let civil = Civil::from_wall(Wall(at));
            assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day), "{civil:?}");
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(header_date(Wall(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(header_date(Wall(1_289_685_000_123)), "Sat, 13 Nov 2010 21:50:00 GMT");
        assert_eq!(header_date(Wall(951_827_696_000)), "Tue, 29 Feb 2000 12:34:56 GMT");
        assert_eq!(iso(Wall(1_709_251_199_999)), "2024-02-29T23:59:59.999+0000");
        assert_eq!(iso(Wall(-1)), "1969-12-31T23:59:59.999+0000");
    }

    #[test]
    fn no_clock_is_too_odd() {
        for wall in [i64::MIN, i64::MAX] {
            assert!(!iso(Wall(wall)).is_empty() && !header_date(Wall(wall)).is_empty());
        }
    }
}
