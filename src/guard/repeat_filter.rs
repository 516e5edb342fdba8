//! Whom the owner was told of: a phone with a wrong secret tries for ever, and is named once.

use super::event::{AuthEvent, DenialReason};
use crate::clock::Time;
use crate::datetime;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// After so long it is said again, if it still goes on.
const AGAIN: Duration = Duration::from_secs(3600);
/// More names than this from one source are somebody trying names, and not told one by one.
const MOST_NAMES: usize = 8;
/// Most sources remembered; the one told of longest ago makes room. A source has proved its address, so they are not forged.
const MOST_SOURCES: usize = 1000;

/// Who was refused, by source (of IPv6 the network, since a house has many addresses) and account.
#[derive(Debug, Default)]
pub struct Refusals {
    sources: BTreeMap<IpAddr, Vec<Told>>,
}

/// What was told.
#[derive(Debug)]
struct Told {
    /// Empty: that the source tries one name after another.
    account: String,
    why: Option<DenialReason>,
    /// When it was refused first, and when that was told last.
    first: Time,
    told: Time,
    /// How often it was refused, and how often when it was told last.
    count: u64,
    told_count: u64,
}

impl Refusals {
    /// Somebody was refused who had proved its address. What to tell of it: the hint the first time, again after an hour with
    /// how often it was since, and otherwise nothing. `nearest` finds the account whose name is most like the one asked for; it
    /// is asked only when it will be told, and after the answer was sent, so that nothing on the wire depends on it.
    pub fn hear(
        &mut self,
        note: &AuthEvent,
        source: IpAddr,
        now: Time,
        nearest: impl FnOnce(&str) -> Option<String>,
    ) -> Option<String> {
        let AuthEvent::Refused { why, account, hint, .. } = note else { return None };
        let place = home(source);
        self.make_room(place);
        let names = self.sources.entry(place).or_default();
        let known = names.iter().position(|told| told.account == *account && told.why == Some(*why));
        let is_many = known.is_none() && names.iter().filter(|told| told.why.is_some()).count() >= MOST_NAMES;
        let (account, why) = if is_many { ("", None) } else { (account.as_str(), Some(*why)) };
        let text = || match why {
            None => format!(
                "{source} tries one name after another: further attempts are only counted (`sip show counters`)"
            ),
            Some(DenialReason::InvalidAccountID) => match nearest(account) {
                Some(near) => format!("{hint}; or is it [{near}]?"),
                None => hint.clone(),
            },
            Some(DenialReason::InvalidPassword | DenialReason::FailedACL | DenialReason::ChallengeResponseFailed) => {
                hint.clone()
            }
        };
        match names.iter_mut().find(|told| told.account == account && told.why == why) {
            None => {
                let told = Told { account: account.to_owned(), why, first: now, told: now, count: 1, told_count: 1 };
                names.push(told);
                Some(text())
            }
            Some(told) => {
                told.count = told.count.saturating_add(1);
                if now.since(told.told) < AGAIN {
                    return None;
                }
                let more = told.count.saturating_sub(told.told_count);
                (told.told, told.told_count) = (now, told.count);
                let times = if more == 1 { "once" } else { &format!("{more} times") };
                Some(format!("{} (refused {times} since the last message)", text()))
            }
        }
    }

    /// An account proved to be itself: what to tell when it was refused before. Its next refusal is told at once.
    pub fn admitted(&mut self, account: &str, source: IpAddr, now: Time) -> Option<String> {
        let place = home(source);
        let names = self.sources.get_mut(&place)?;
        let was = names.iter().find(|told| told.account == account)?;
        let text = format!(
            "phone '{account}' at {source} is let in now: it was refused {} in {}",
            if was.count == 1 { "once".to_owned() } else { format!("{} times", was.count) },
            datetime::span(now.since(was.first)),
        );
        names.retain(|told| told.account != account);
        if names.is_empty() {
            self.sources.remove(&place);
        }
        Some(text)
    }

    /// Was nobody refused of late? Then nobody needs to be looked for.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn make_room(&mut self, place: IpAddr) {
        if self.sources.len() < MOST_SOURCES || self.sources.contains_key(&place) {
            return;
        }
        let latest = |names: &[Told]| names.iter().map(|told| told.told).max();
        let oldest = self.sources.iter().min_by_key(|(_, names)| latest(names)).map(|(place, _)| *place);
        if let Some(oldest) = oldest {
            self.sources.remove(&oldest);
        }
    }
}

/// The network of an IPv6 address; an IPv4 address as it is.
fn home(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    fn refused(why: DenialReason, account: &str) -> AuthEvent {
        AuthEvent::Refused { why, account: account.into(), line: String::new(), hint: format!("'{account}': why") }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_wrong_secret_is_told_once_an_hour_and_when_it_is_right() {
        let mut refusals = Refusals::default();
        let home = ip("192.168.1.20");
        let mut hear =
            |seconds| refusals.hear(&refused(DenialReason::InvalidPassword, "a"), home, at(seconds), |_| panic!());
        assert_eq!(hear(0).as_deref(), Some("'a': why"));
        for seconds in 1..100 {
            assert_eq!(hear(seconds * 20), None);
        }
        assert_eq!(hear(3600).as_deref(), Some("'a': why (refused 100 times since the last message)"));
        assert_eq!(hear(3601), None);
        assert_eq!(refusals.admitted("b", home, at(3610)), None);
        assert_eq!(refusals.admitted("a", ip("192.168.1.21"), at(3610)), None, "another phone");
        let told = refusals.admitted("a", home, at(3610));
        assert_eq!(told.as_deref(), Some("phone 'a' at 192.168.1.20 is let in now: it was refused 102 times in 1 h"));
        assert!(refusals.is_empty());
        let again = refusals.hear(&refused(DenialReason::InvalidPassword, "a"), home, at(3611), |_| None);
        assert_eq!(again.as_deref(), Some("'a': why"));
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        let mut refusals = Refusals::default();
        let near = |name: &str| (name == "cleint").then(|| "client".to_owned());
        let mut hear =
            |name| refusals.hear(&refused(DenialReason::InvalidAccountID, name), ip("192.168.1.20"), at(0), near);
        assert_eq!(hear("cleint").as_deref(), Some("'cleint': why; or is it [client]?"));
        assert_eq!(hear("101").as_deref(), Some("'101': why"));
        assert_eq!(refusals.hear(&AuthEvent::Challenged, ip("192.168.1.20"), at(0), near), None);
    }

    #[test]
    fn who_tries_names_is_told_of_once_and_fills_nothing() {
        let mut refusals = Refusals::default();
        let lines: Vec<String> = (100..10_000)
            .filter_map(|name| {
                let note = refused(DenialReason::InvalidAccountID, &name.to_string());
                refusals.hear(&note, ip("203.0.113.9"), at(1), |_| None)
            })
            .collect();
        assert_eq!(lines.len(), MOST_NAMES + 1);
        assert!(lines[MOST_NAMES].starts_with("203.0.113.9 tries one name after another"));
        assert_eq!(refusals.sources[&ip("203.0.113.9")].len(), MOST_NAMES + 1);
        for number in 0..5000u32 {
            let source = IpAddr::V4((0x0a00_0000 + number).into());
            refusals.hear(&refused(DenialReason::InvalidPassword, "a"), source, at(2 + u64::from(number)), |_| None);
        }
        assert_eq!(refusals.sources.len(), MOST_SOURCES);
        assert!(!refusals.sources.contains_key(&ip("203.0.113.9")), "the oldest made room");
        assert_eq!(home(ip("2001:db8::1:2:3:4")), ip("2001:db8::"));
    }
}
