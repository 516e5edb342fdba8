//! Devices already reported for bad credentials: a phone with a wrong secret tries for ever, and is reported once.

use crate::clock::Time;
use crate::event::security::{Denial, DenialReason, SecurityEvent};
use crate::source_key::SourceKey;
use std::collections::BTreeMap;
use std::net::IpAddr;
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
    sources: BTreeMap<SourceKey, Vec<RefusedAccount>>,
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
    /// Records a refusal, and returns what to report: the refusal the first time, again after an hour with the number
    /// of refusals since, otherwise nothing. `nearest` finds the account whose name is most like the one asked for; it
    /// is called only for what is reported, and after the response was sent, so that nothing on the wire depends on it.
    pub fn record(
        &mut self,
        denial: &Denial,
        source: IpAddr,
        now: Time,
        nearest: impl FnOnce(&str) -> Option<String>,
    ) -> Option<SecurityEvent> {
        let (account, why) = (&denial.account, denial.cause.reason());
        let place = SourceKey::of(source);
        self.make_room(place);
        let names = self.sources.entry(place).or_default();
        let known = names.iter().position(|name| name.account == *account && name.why == Some(why));
        let is_many = known.is_none() && names.iter().filter(|name| name.why.is_some()).count() >= MAX_NAMES;
        let (account, why) = if is_many { ("", None) } else { (account.as_str(), Some(why)) };
        let report = |repeated| match why {
            None => SecurityEvent::NamesTried { source, repeated },
            Some(DenialReason::InvalidAccountID) => {
                SecurityEvent::DenialReported { denial: denial.clone(), nearest: nearest(account), repeated }
            }
            Some(DenialReason::InvalidPassword | DenialReason::FailedACL | DenialReason::ChallengeResponseFailed) => {
                SecurityEvent::DenialReported { denial: denial.clone(), nearest: None, repeated }
            }
        };
        match names.iter_mut().find(|name| name.account == account && name.why == why) {
            None => {
                let account = account.to_owned();
                names.push(RefusedAccount { account, why, first: now, reported: now, count: 1, reported_count: 1 });
                Some(report(None))
            }
            Some(name) => {
                name.count = name.count.saturating_add(1);
                if now.since(name.reported) < AGAIN {
                    return None;
                }
                let more = name.count.saturating_sub(name.reported_count);
                (name.reported, name.reported_count) = (now, name.count);
                Some(report(Some(more)))
            }
        }
    }

    /// An account was authenticated: what to report when it was refused before. Its next refusal is reported at once.
    pub fn admitted(&mut self, account: &str, source: IpAddr, now: Time) -> Option<SecurityEvent> {
        let place = SourceKey::of(source);
        let names = self.sources.get_mut(&place)?;
        let was = names.iter().find(|name| name.account == account)?;
        let (denied, since) = (was.count, now.since(was.first));
        names.retain(|name| name.account != account);
        if names.is_empty() {
            self.sources.remove(&place);
        }
        Some(SecurityEvent::Admitted { account: account.to_owned(), source, denied, since })
    }

    /// Whether no refusal is remembered.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn make_room(&mut self, place: SourceKey) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::daemon::sentence;
    use crate::event::security::DenialCause;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    fn refused(cause: DenialCause, account: &str) -> Denial {
        Denial {
            cause,
            account: account.to_owned(),
            id: String::new(),
            source: "192.168.1.20:5060".parse().unwrap(),
            transport: "UDP".to_owned(),
            at: Wall(0),
        }
    }

    fn wrong_secret(account: &str) -> Denial {
        refused(DenialCause::WrongSecret { section: "sip.conf:12".to_owned() }, account)
    }

    /// What the log says of it.
    fn text(event: Option<SecurityEvent>) -> Option<String> {
        event.map(|event| sentence::lines(&event.into()).remove(0).text)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_wrong_secret_is_reported_once_an_hour_and_when_it_is_right() {
        let mut refusals = Refusals::default();
        let home = ip("192.168.1.20");
        let mut record = |seconds| text(refusals.record(&wrong_secret("a"), home, at(seconds), |_| panic!()));
        let once = record(0).unwrap();
        assert!(once.starts_with("phone 'a' at 192.168.1.20: wrong secret"), "{once}");
        for seconds in 1..100 {
            assert_eq!(record(seconds * 20), None);
        }
        assert_eq!(record(3600), Some(format!("{once} (refused 100 times since the last message)")));
        assert_eq!(record(3601), None);
        assert_eq!(refusals.admitted("b", home, at(3610)), None);
        assert_eq!(refusals.admitted("a", ip("192.168.1.21"), at(3610)), None, "another phone");
        let logged = text(refusals.admitted("a", home, at(3610)));
        assert_eq!(logged.as_deref(), Some("phone 'a' at 192.168.1.20 is let in now: it was refused 102 times in 1 h"));
        assert!(refusals.is_empty());
        let again = refusals.record(&wrong_secret("a"), home, at(3611), |_| None);
        assert_eq!(text(again), Some(once));
    }

    #[test]
    fn an_unknown_name_is_reported_with_the_nearest() {
        let mut refusals = Refusals::default();
        let near = |name: &str| (name == "cleint").then(|| "client".to_owned());
        let mut record = |name| {
            text(refusals.record(&refused(DenialCause::UnknownAccount, name), ip("192.168.1.20"), at(0), near)).unwrap()
        };
        let (near, far) = (record("cleint"), record("101"));
        assert!(near.contains("'cleint'") && near.ends_with("; or is it [client]?"), "{near}");
        assert!(far.contains("'101'") && far.ends_with("add [101] there"), "{far}");
    }

    #[test]
    fn a_scan_for_names_is_reported_once_and_fills_nothing() {
        let mut refusals = Refusals::default();
        let lines: Vec<String> = (100..10_000)
            .filter_map(|name| {
                let denial = refused(DenialCause::UnknownAccount, &name.to_string());
                text(refusals.record(&denial, ip("203.0.113.9"), at(1), |_| None))
            })
            .collect();
        assert_eq!(lines.len(), MAX_NAMES + 1);
        assert!(lines[MAX_NAMES].starts_with("203.0.113.9 tries one name after another"));
        assert_eq!(refusals.sources[&ip("203.0.113.9").into()].len(), MAX_NAMES + 1);
        for number in 0..5000u32 {
            let source = IpAddr::V4((0x0a00_0000 + number).into());
            refusals.record(&wrong_secret("a"), source, at(2 + u64::from(number)), |_| None);
        }
        assert_eq!(refusals.sources.len(), MAX_SOURCES);
        assert!(!refusals.sources.contains_key(&ip("203.0.113.9").into()), "the oldest made room");
    }
}
