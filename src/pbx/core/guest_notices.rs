//! Refused calls of guests (`allowguest=yes`) in the log: some of each source, and then how many more there were. A stranger fills
//! no log by calling.

use crate::clock::Time;
use crate::source_key::SourceKey;
use crate::wording::plural;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Refused calls of one source that are logged within a period.
const MAX_TOLD: u64 = 5;
/// Sources that are told apart within a period: a stranger's address may be forged, and another one each time.
const MAX_SOURCES: usize = 100;
/// A period, from the first refused call of a source.
const PERIOD: Duration = Duration::from_secs(600);

/// The refused calls of guests, by source.
#[derive(Debug, Default)]
pub struct GuestNotices {
    sources: BTreeMap<SourceKey, Refused>,
    /// Refused calls of sources for which there was no room.
    others: u64,
}

/// Those of one source.
#[derive(Debug)]
struct Refused {
    since: Time,
    count: u64,
}

impl GuestNotices {
    /// A guest's call is refused. Says whether that is to be logged, and what is to be logged before it: how many were not, of
    /// the sources whose period is over.
    pub fn refused(&mut self, source: IpAddr, now: Time) -> (bool, Vec<String>) {
        let mut more = Vec::new();
        let of = |count: u64, place: &str| {
            format!("{} of guests at {place} were refused and not logged", plural(count, "more call"))
        };
        self.sources.retain(|key, refused| {
            let is_over = now.since(refused.since) >= PERIOD;
            if is_over && refused.count > MAX_TOLD {
                more.push(of(refused.count.saturating_sub(MAX_TOLD), &key.to_string()));
            }
            !is_over
        });
        let key = SourceKey::of(source);
        if !self.sources.contains_key(&key) && self.sources.len() >= MAX_SOURCES {
            self.others = self.others.saturating_add(1);
            return (false, more);
        }
        if self.others > 0 && self.sources.len() < MAX_SOURCES {
            more.push(of(std::mem::take(&mut self.others), "other addresses"));
        }
        let refused = self.sources.entry(key).or_insert(Refused { since: now, count: 0 });
        refused.count = refused.count.saturating_add(1);
        (refused.count <= MAX_TOLD, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn some_of_each_source_are_logged_and_later_how_many_more_there_were() {
        let mut notices = GuestNotices::default();
        let [one, two] = ["192.0.2.7", "192.0.2.8"].map(|text| text.parse().unwrap());
        let told = (0..9).filter(|number| notices.refused(one, at(*number)).0).count();
        assert_eq!(told, 5);
        assert_eq!(notices.refused(two, at(10)), (true, Vec::new()));
        let more = "4 more calls of guests at 192.0.2.7 were refused and not logged".to_owned();
        assert_eq!(notices.refused(two, at(600)), (true, vec![more]), "its period is over");
        assert_eq!(notices.refused(one, at(601)), (true, Vec::new()), "and another one begins");
    }

    #[test]
    fn forged_addresses_fill_nothing() {
        let mut notices = GuestNotices::default();
        let all = (0..10_000u32).map(|number| std::net::Ipv4Addr::from(0x0a00_0000 + number).into());
        assert_eq!(all.filter(|source| notices.refused(*source, at(1)).0).count(), MAX_SOURCES);
        assert_eq!(notices.sources.len(), MAX_SOURCES);
        let (is_told, more) = notices.refused("192.0.2.7".parse().unwrap(), at(602));
        assert_eq!(
            (is_told, more),
            (true, vec!["9900 more calls of guests at other addresses were refused and not logged".into()])
        );
    }
}
