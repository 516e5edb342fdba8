//! The wall clock as people and headers write it, in UTC.

use crate::clock::Wall;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A `Date` header (RFC 3261 20.17): `Sat, 21 Nov 2026 06:08:54 GMT`.
pub fn header_date(at: Wall) -> String {
    let (days, ms) = split(at);
    let (year, month, day) = civil(days);
    let weekday = usize::try_from(days.rem_euclid(7)).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"Thu");
    let name = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"Jan");
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{weekday}, {day:02} {name} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// ISO 8601 with milliseconds, as security events carry it: `2026-11-21T06:08:54.123+0000`.
pub fn iso(at: Wall) -> String {
    let (days, ms) = split(at);
    let (year, month, day) = civil(days);
    let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}+0000")
}

/// Days since 1970, and milliseconds in that day.
fn split(at: Wall) -> (i64, i64) {
    (at.0.div_euclid(86_400_000), at.0.rem_euclid(86_400_000))
}

/// Year, month and day of a day since 1970 in the Gregorian calendar: years begin in March here, so that the leap
/// day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

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
