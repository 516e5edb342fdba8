//! Questions to the DNS: by the servers of `/etc/resolv.conf`, with `/etc/hosts`; what they do not know of addresses is
//! asked of the system's own resolver, which may know other ways (mDNS, say).

use crate::daemon::sink::Sink;
use crate::event::LogLine;
use crate::names::lookup::{Answer, Found, Question};
use crate::names::{Naptr, Srv};
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long an address of the system's own resolver is used, which names no time.
const UNSAID: Duration = Duration::from_secs(300);
/// What is read when a resolver is made.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];

/// Answers questions of the DNS.
pub(super) trait Dns: Send + Sync + 'static {
    /// Asks; takes as long as it takes.
    fn ask(&self, question: &Question) -> impl Future<Output = Answer> + Send;
}

/// Which addresses can be reached from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Families {
    /// IPv4.
    pub(super) v4: bool,
    /// IPv6.
    pub(super) v6: bool,
}

impl Families {
    /// Those of a socket bound there.
    pub(super) fn of_socket(bound: IpAddr) -> Families {
        // A socket bound to all of IPv6 takes IPv4, too.
        Families { v4: bound.is_ipv4() || bound.is_unspecified(), v6: bound.is_ipv6() }
    }

    /// Those addresses that can be reached, IPv4 first.
    pub(super) fn reachable(self, mut ips: Vec<IpAddr>) -> Vec<IpAddr> {
        ips.retain(|ip| if ip.is_ipv4() { self.v4 } else { self.v6 });
        ips.sort_by_key(|ip| !ip.is_ipv4());
        ips
    }
}

/// When each of [`FILES`] was changed last.
type Stamps = [Option<(SystemTime, u64)>; 2];

/// The DNS as this machine is configured to ask it.
pub(super) struct SystemDns {
    families: Families,
    sink: Sink,
    current: Mutex<Option<(Stamps, Option<TokioResolver>)>>,
}

impl SystemDns {
    /// Nothing is read yet.
    pub(super) fn new(families: Families, sink: Sink) -> SystemDns {
        SystemDns { families, sink, current: Mutex::new(None) }
    }

    /// The resolver, made anew when a file that it is made of has changed; none: the system's own is all there is.
    fn resolver(&self) -> Option<TokioResolver> {
        let stamps = FILES.map(|file| stamp(Path::new(file)));
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, resolver)) = current.as_ref().filter(|(made_of, _)| *made_of == stamps) {
            return resolver.clone();
        }
        let made = TokioResolver::builder_tokio().and_then(|mut builder| {
            // Names are asked for when their time is up: what is kept would only be older.
            builder.options_mut().cache_size = 0;
            builder.build()
        });
        let resolver = made.map_err(|error| {
            let text = format!(
                "/etc/resolv.conf names no server that can be asked ({error}): host names of sip.conf lead to addresses as the \
                 system finds them, without NAPTR and SRV"
            );
            (self.sink)(&LogLine::warning(text));
        });
        *current = Some((stamps, resolver.clone().ok()));
        resolver.ok()
    }

    async fn addresses(&self, name: &str) -> Answer {
        let mut failure = None;
        if let Some(resolver) = self.resolver() {
            let (mut ips, mut ttl) = (Vec::new(), None);
            for (kind, wanted) in [(RecordType::A, self.families.v4), (RecordType::AAAA, self.families.v6)] {
                if !wanted {
                    continue;
                }
                match resolver.lookup(name, kind).await {
                    Ok(found) => {
                        ttl = [ttl, life(found.answers())].into_iter().flatten().min();
                        ips.extend(found.answers().iter().filter_map(|record| match &record.data {
                            RData::A(a) => Some(IpAddr::V4(a.0)),
                            RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
                            _ => None,
                        }));
                    }
                    Err(error) if error.is_no_records_found() => {}
                    Err(error) => failure = Some(why(&error)),
                }
            }
            if !ips.is_empty() {
                return Answer { found: Found::Addresses(self.families.reachable(ips)), ttl };
            }
        }
        let asked = name.to_owned();
        let found = tokio::task::spawn_blocking(move || {
            (asked.as_str(), 0).to_socket_addrs().map(|all| all.map(|address| address.ip()).collect::<Vec<IpAddr>>())
        });
        let found = match found.await {
            Ok(Ok(ips)) if ips.is_empty() => Found::Nothing,
            Ok(Ok(ips)) => match self.families.reachable(ips) {
                ips if ips.is_empty() => {
                    Found::Failed("only of a kind (IPv4, IPv6) that udpbindaddr= of sip.conf leaves out".into())
                }
                ips => Found::Addresses(ips),
            },
            Ok(Err(error)) => Found::Failed(failure.unwrap_or_else(|| error.to_string())),
            Err(error) => Found::Failed(error.to_string()),
        };
        Answer { found, ttl: Some(UNSAID) }
    }

    async fn records(&self, name: &str, kind: RecordType) -> Result<Vec<Record>, Answer> {
        let nothing = |found| Answer { found, ttl: None };
        let resolver = self.resolver().ok_or_else(|| nothing(Found::Nothing))?;
        match resolver.lookup(as_domain(name), kind).await {
            Ok(found) => Ok(found.answers().to_vec()),
            Err(error) if error.is_no_records_found() => Err(nothing(Found::Nothing)),
            Err(error) => Err(nothing(Found::Failed(why(&error)))),
        }
    }
}

impl Dns for SystemDns {
    async fn ask(&self, question: &Question) -> Answer {
        let (name, kind) = match question {
            Question::Addresses(name) => return self.addresses(name).await,
            Question::Naptr(name) => (name, RecordType::NAPTR),
            Question::Srv(name) => (name, RecordType::SRV),
        };
        let records = match self.records(name, kind).await {
            Ok(records) => records,
            Err(answer) => return answer,
        };
        let ttl = life(&records);
        let (mut naptr, mut srv) = (Vec::new(), Vec::new());
        for record in records {
            match record.data {
                RData::NAPTR(it) => naptr.push(Naptr {
                    order: it.order,
                    preference: it.preference,
                    flags: text(&it.flags),
                    service: text(&it.services),
                    replacement: plain(&it.replacement),
                }),
                RData::SRV(it) => {
                    srv.push(Srv { priority: it.priority, weight: it.weight, port: it.port, target: plain(&it.target) })
                }
                _ => {}
            }
        }
        let found = match question {
            Question::Naptr(_) => Found::Naptr(naptr),
            Question::Srv(_) | Question::Addresses(_) => Found::Srv(srv),
        };
        Answer { found, ttl }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// The shortest life of these records.
fn life(records: &[Record]) -> Option<Duration> {
    records.iter().map(|record| Duration::from_secs(u64::from(record.ttl))).min()
}

/// A name of a domain with its services is whole: what `search` would add has no part in it.
fn as_domain(name: &str) -> String {
    if name.trim_end_matches('.').contains('.') && !name.ends_with('.') { format!("{name}.") } else { name.to_owned() }
}

/// A name of a record, without its last dot: empty for the root.
fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn why(error: &NetError) -> String {
    match error {
        NetError::Timeout => "no answer in time".into(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_socket_cannot_reach_is_left_out_and_ipv4_comes_first() {
        let all: Vec<IpAddr> = ["2001:db8::1", "192.0.2.1"].map(|ip| ip.parse().unwrap()).into();
        let of = |bound: &str| Families::of_socket(bound.parse().unwrap()).reachable(all.clone());
        assert_eq!(of("0.0.0.0"), [all[1]]);
        assert_eq!(of("::"), [all[1], all[0]]);
        assert_eq!(of("2001:db8::9"), [all[0]]);
        assert_eq!(of("192.0.2.9"), [all[1]]);
    }

    #[test]
    fn names_with_a_dot_are_whole() {
        assert_eq!(as_domain("_sip._udp.p.example"), "_sip._udp.p.example.");
        assert_eq!(as_domain("box"), "box");
        assert_eq!(plain(&Name::root()), "");
    }
}
