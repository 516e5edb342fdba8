//! Devices already reported for bad credentials: a phone with a wrong secret tries for ever, and is reported once.

use super::event::{AuthEvent, DenialReason};
use crate::clock::Time;
use crate::datetime;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// After so long a refusal that still goes on is reported again.
const AGAIN: Duration = Duration::from_secs(3600);
/// Maximum number of account names from one source that are reported one by one: more are a scan for names.
const MAX_NAMES: usize = 8;
/// Maximum number of sources remembered; the one reported longest ago is forgotten first. The sources are not forged:
/// each has proved its address.
const MAX_SOURCES: usize = 1000;

/// The refusals, by source (of IPv6 the network, since one site has many addresses) and account.
#[derive(Debug, Default)]
pub struct Refusals {
    sources: BTreeMap<IpAddr, Vec<RefusedAccount>>,
}

/// The refusals of one account from one source.
#[derive(Debug)]
struct RefusedAccount {
    /// Empty for a source that tries one name after another.
    account: String,
    why: Option<DenialReason>,
    /// When it was refused first, and when that was last reported.
    first: Time,
    reported: Time,
    /// How often it was refused, and how often when it was last reported.
    count: u64,
    reported_count: u64,
}

impl Refusals {
    /// Records a refusal, and returns the text to log: the hint the first time, again after an hour with the number of
    /// refusals since, otherwise nothing. `nearest` finds the account whose name is most like the one asked for; it is
    /// called only for a text that is logged, and after the response was sent, so that nothing on the wire depends on
    /// it.
    pub fn record(
        &mut self,
        note: &AuthEvent,
        source: IpAddr,
        now: Time,
        nearest: impl FnOnce(&str) -> Option<String>,
    ) -> Option<String> {
        let AuthEvent::Refused { why, account, hint, .. } = note else { return None };
        let place = network_of(source);
        self.make_room(place);
        let names = self.sources.entry(place).or_default();
        let known = names.iter().position(|name| name.account == *account && name.why == Some(*why));
        let is_many = known.is_none() && names.iter().filter(|name| name.why.is_some()).count() >= MAX_NAMES;
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
        match names.iter_mut().find(|name| name.account == account && name.why == why) {
            None => {
                let account = account.to_owned();
                names.push(RefusedAccount { account, why, first: now, reported: now, count: 1, reported_count: 1 });
                Some(text())
            }
            Some(name) => {
                name.count = name.count.saturating_add(1);
                if now.since(name.reported) < AGAIN {
                    return None;
                }
                let more = name.count.saturating_sub(name.reported_count);
                (name.reported, name.reported_count) = (now, name.count);
                let times = if more == 1 { "once" } else { &format!("{more} times") };
                Some(format!("{} (refused {times} since the last message)", text()))
            }
        }
    }

    /// An account was authenticated: the text to log when it was refused before. Its next refusal is reported at once.
    pub fn admitted(&mut self, account: &str, source: IpAddr, now: Time) -> Option<String> {
        let place = network_of(source);
        let names = self.sources.get_mut(&place)?;
        let was = names.iter().find(|name| name.account == account)?;
        let text = format!(
            "phone '{account}' at {source} is let in now: it was refused {} in {}",
            if was.count == 1 { "once".to_owned() } else { format!("{} times", was.count) },
            datetime::span(now.since(was.first)),
        );
        names.retain(|name| name.account != account);
        if names.is_empty() {
            self.sources.remove(&place);
        }
        Some(text)
    }

    /// Whether no refusal is remembered.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn make_room(&mut self, place: IpAddr) {
        if self.sources.len() < MAX_SOURCES || self.sources.contains_key(&place) {
            return;
        }
        let latest = |names: &[RefusedAccount]| names.iter().map(|name| name.reported).max();
        let oldest = self.sources.iter().min_by_key(|(_, names)| latest(names)).map(|(place, _)| *place);
        if let Some(oldest) = oldest {
            self.sources.remove(&oldest);
        }
    }
}

/// The network of an IPv6 address; an IPv4 address as it is.
fn network_of(source: IpAddr) -> IpAddr {
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
    fn a_wrong_secret_is_reported_once_an_hour_and_when_it_is_right() {
        let mut refusals = Refusals::default();
        let home = ip("192.168.1.20");
        let mut record =
            |seconds| refusals.record(&refused(DenialReason::InvalidPassword, "a"), home, at(seconds), |_| panic!());
        assert_eq!(record(0).as_deref(), Some("'a': why"));
        for seconds in 1..100 {
            assert_eq!(record(seconds * 20), None);
        }
        assert_eq!(record(3600).as_deref(), Some("'a': why (refused 100 times since the last message)"));
        assert_eq!(record(3601), None);
        assert_eq!(refusals.admitted("b", home, at(3610)), None);
        assert_eq!(refusals.admitted("a", ip("192.168.1.21"), at(3610)), None, "another phone");
        let logged = refusals.admitted("a", home, at(3610));
        assert_eq!(logged.as_deref(), Some("phone 'a' at 192.168.1.20 is let in now: it was refused 102 times in 1 h"));
        assert!(refusals.is_empty());
        let again = refusals.record(&refused(DenialReason::InvalidPassword, "a"), home, at(3611), |_| None);
        assert_eq!(again.as_deref(), Some("'a': why"));
    }

    #[test]
    fn an_unknown_name_is_reported_with_the_nearest() {
        let mut refusals = Refusals::default();
        let near = |name: &str| (name == "cleint").then(|| "client".to_owned());
        let mut record =
            |name| refusals.record(&refused(DenialReason::InvalidAccountID, name), ip("192.168.1.20"), at(0), near);
        assert_eq!(record("cleint").as_deref(), Some("'cleint': why; or is it [client]?"));
        assert_eq!(record("101").as_deref(), Some("'101': why"));
        assert_eq!(refusals.record(&AuthEvent::Challenged, ip("192.168.1.20"), at(0), near), None);
    }

    #[test]
    fn a_scan_for_names_is_reported_once_and_fills_nothing() {
        let mut refusals = Refusals::default();
        let lines: Vec<String> = (100..10_000)
            .filter_map(|name| {
                let note = refused(DenialReason::InvalidAccountID, &name.to_string());
                refusals.record(&note, ip("203.0.113.9"), at(1), |_| None)
            })
            .collect();
        assert_eq!(lines.len(), MAX_NAMES + 1);
        assert!(lines[MAX_NAMES].starts_with("203.0.113.9 tries one name after another"));
        assert_eq!(refusals.sources[&ip("203.0.113.9")].len(), MAX_NAMES + 1);
        for number in 0..5000u32 {
            let source = IpAddr::V4((0x0a00_0000 + number).into());
            refusals.record(&refused(DenialReason::InvalidPassword, "a"), source, at(2 + u64::from(number)), |_| None);
        }
        assert_eq!(refusals.sources.len(), MAX_SOURCES);
        assert!(!refusals.sources.contains_key(&ip("203.0.113.9")), "the oldest made room");
        assert_eq!(network_of(ip("2001:db8::1:2:3:4")), ip("2001:db8::"));
    }
}
