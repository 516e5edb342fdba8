//! NAPTR and SRV records in the order in which they are used.

use crate::rng::Rng;
use crate::sip::flow::Transport;

/// A NAPTR record (RFC 3403), as far as SIP uses it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Naptr {
    /// Those of the lowest order that fits are used, and no others.
    pub order: u16,
    /// The lower comes first among them.
    pub preference: u16,
    /// `s`: what it names has SRV records.
    pub flags: String,
    /// The service, such as `SIP+D2U`.
    pub service: String,
    /// The name that is asked next; empty: a regular expression stands there instead.
    pub replacement: String,
}

impl Naptr {
    /// The transport of its service (RFC 3263 4.1), when it leads to SRV records.
    fn transport(&self) -> Option<Transport> {
        let known = [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp), ("SIPS+D2T", Transport::Tls)];
        let found = known.into_iter().find(|(service, _)| service.eq_ignore_ascii_case(&self.service));
        let leads_to_srv = self.flags.eq_ignore_ascii_case("s") && !self.replacement.is_empty();
        found.filter(|_| leads_to_srv).map(|(_, transport)| transport)
    }
}

/// An SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Srv {
    /// The lowest is used first.
    pub priority: u16,
    /// The share of its priority's requests that it gets.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; empty (`.`): the service is decidedly not there.
    pub target: String,
}

/// Where SRV records are to be asked for, and of which transport: of the NAPTR records for a transport that may be used,
/// those of the lowest order, the preferred first (RFC 3263 4.1, RFC 3403 4.1).
pub(super) fn by_preference(mut records: Vec<Naptr>, transports: &[Transport]) -> Vec<(Transport, String)> {
    records.sort();
    let usable = records.into_iter().filter_map(|record| {
        let transport = record.transport().filter(|transport| transports.contains(transport))?;
        Some((record.order, transport, record.replacement))
    });
    let usable: Vec<(u16, Transport, String)> = usable.collect();
    let lowest = usable.first().map(|(order, _, _)| *order);
    let chosen = usable.into_iter().filter(|(order, _, _)| Some(*order) == lowest);
    chosen.map(|(_, transport, name)| (transport, name)).collect()
}

/// SRV records in the order in which they are tried: by priority, and within one at random by their weights (RFC 2782,
/// "Usage rules"). Records in another order, with a source that repeats itself, come in the same order.
pub(super) fn by_weight(mut records: Vec<Srv>, rng: &mut Rng) -> Vec<Srv> {
    // Weight 0 stands first within a priority: it is chosen by a draw of 0 alone.
    records.sort();
    records.dedup();
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let alike = records.iter().take_while(|record| record.priority == priority);
        let total: u64 = alike.clone().map(|record| u64::from(record.weight)).sum();
        let draw = rng.below(total.saturating_add(1));
        let chosen = alike
            .scan(0u64, |sum, record| {
                *sum = sum.saturating_add(u64::from(record.weight));
                Some(*sum)
            })
            .position(|sum| sum >= draw)
            .unwrap_or_default();
        ordered.push(records.remove(chosen));
    }
    ordered.into_iter().filter(|record| !record.target.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5060, target: target.into() }
    }

    fn naptr(order: u16, preference: u16, service: &str, replacement: &str) -> Naptr {
        let (service, replacement) = (service.into(), replacement.into());
        Naptr { order, preference, flags: "s".into(), service, replacement }
    }

    /// How often of 10,000 each is tried first.
    fn firsts(records: &[Srv]) -> std::collections::BTreeMap<String, u32> {
        let mut rng = Rng::from_number(7);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..10_000 {
            let ordered = by_weight(records.to_vec(), &mut rng);
            *counts.entry(ordered[0].target.clone()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn a_lower_priority_comes_first_whatever_the_weights() {
        let records = vec![srv(20, 65535, "backup"), srv(10, 0, "one"), srv(10, 0, "two")];
        for seed in 0..50 {
            let ordered = by_weight(records.clone(), &mut Rng::from_number(seed));
            assert_eq!(ordered[2].target, "backup");
        }
    }

    #[test]
    fn weights_share_the_requests_of_one_priority() {
        let counts = firsts(&[srv(1, 60, "a"), srv(1, 30, "b"), srv(1, 10, "c"), srv(2, 99, "d")]);
        let near = |name: &str, share: u32| counts[name].abs_diff(share) < 300;
        assert!(near("a", 6000) && near("b", 3000) && near("c", 1000), "{counts:?}");
        assert!(!counts.contains_key("d"));
        let zero = firsts(&[srv(1, 99, "a"), srv(1, 0, "z")]);
        assert!((50..=150).contains(&zero["z"]), "weight 0: a very small chance: {zero:?}");
    }

    #[test]
    fn the_same_records_in_another_order_give_the_same_order() {
        let mut records = vec![srv(1, 5, "a"), srv(1, 5, "b"), srv(1, 5, "c"), srv(1, 5, "a")];
        let one = by_weight(records.clone(), &mut Rng::from_number(3));
        records.reverse();
        assert_eq!(one, by_weight(records, &mut Rng::from_number(3)));
        assert_eq!(one.len(), 3, "what stands there twice is one server");
    }

    #[test]
    fn a_dot_says_that_the_service_is_not_there() {
        assert!(by_weight(vec![srv(0, 0, "")], &mut Rng::from_number(1)).is_empty());
    }

    #[test]
    fn of_naptr_records_only_the_lowest_order_that_fits_is_used() {
        use Transport::{Tcp, Tls, Udp};
        let records = vec![
            naptr(90, 50, "SIP+D2T", "_sip._tcp.p.example"),
            naptr(100, 10, "SIP+D2U", "_sip._udp.p.example"),
            naptr(90, 20, "sips+d2t", "_sips._tcp.p.example"),
            naptr(10, 1, "E2U+sip", "x.example"),
            Naptr { flags: "u".into(), ..naptr(1, 1, "SIP+D2U", "x.example") },
            naptr(1, 1, "SIP+D2U", ""),
        ];
        let names = |transports: &[Transport]| by_preference(records.clone(), transports);
        let (tls, tcp) = ((Tls, "_sips._tcp.p.example".to_owned()), (Tcp, "_sip._tcp.p.example".to_owned()));
        assert_eq!(names(&[Udp, Tcp, Tls]), [tls, tcp]);
        assert_eq!(names(&[Udp]), [(Udp, "_sip._udp.p.example".to_owned())]);
        assert!(by_preference(Vec::new(), &[Udp]).is_empty());
    }
}
