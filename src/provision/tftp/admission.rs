//! Who may have a transfer more, and what was dropped: bounds for one address and for all.

use crate::source_key::SourceKey;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Transfers at a time of one address (or /64 of IPv6): a telephone has one, an installation behind a router some more.
pub const MAX_OF_ONE: usize = 16;
/// Of these, such as have acknowledged nothing yet. Each may be a request whose sender is forged, and be answered with three
/// packets in seven seconds.
pub const MAX_UNPROVEN_OF_ONE: usize = 8;
/// Transfers at a time in all, where the system lets the program open enough files: each has a socket of its own.
pub const MAX_IN_ALL: usize = 512;

/// Why a datagram is not answered, or a request not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drop {
    /// It is no packet of TFTP.
    Malformed,
    /// A packet that belongs to no transfer came to the port for requests.
    NoRequest,
    /// It wants to write.
    Write,
    /// Its sender is of no network that is served.
    Network,
    /// Its sender has [`MAX_OF_ONE`] transfers.
    ManyOfOne,
    /// Its sender has [`MAX_UNPROVEN_OF_ONE`] that acknowledged nothing.
    ManyUnproven,
    /// There are as many as there may be in all.
    ManyInAll,
    /// The system had no socket for it.
    NoSocket,
    /// The request came again while it was being answered.
    Repeated,
    /// A packet came to a transfer and was of no use to it.
    Ignored,
}

impl fmt::Display for Drop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Drop::Malformed => "no packet of TFTP",
            Drop::NoRequest => "no request",
            Drop::Write => "wanted to write",
            Drop::Network => "from a network that is not served",
            Drop::ManyOfOne => "too many transfers of one address",
            Drop::ManyUnproven => "too many of one address that acknowledged nothing",
            Drop::ManyInAll => "too many transfers in all",
            Drop::NoSocket => "no socket for it",
            Drop::Repeated => "a request that was repeated",
            Drop::Ignored => "of no use to its transfer",
        })
    }
}

/// How many were dropped for each reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drops(BTreeMap<Drop, u64>);

impl Drops {
    /// One more.
    pub fn count(&mut self, why: Drop) {
        self.add(why, 1);
    }

    /// So many more.
    pub fn add(&mut self, why: Drop, more: u64) {
        if more > 0 {
            let count = self.0.entry(why).or_default();
            *count = count.saturating_add(more);
        }
    }

    /// The reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Drop, u64)> + '_ {
        self.0.iter().map(|(why, count)| (*why, *count))
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct OfOne {
    all: usize,
    proven: usize,
}

/// The transfers there are, by address.
#[derive(Debug)]
pub struct Admission {
    by_source: BTreeMap<SourceKey, OfOne>,
    all: usize,
    most: usize,
}

impl Admission {
    /// At most so many in all.
    pub fn new(most: usize) -> Admission {
        Admission { by_source: BTreeMap::new(), all: 0, most }
    }

    /// Takes one more transfer of this address.
    ///
    /// # Errors
    /// There are as many as there may be.
    pub fn enter(&mut self, address: IpAddr) -> Result<(), Drop> {
        if self.all >= self.most {
            return Err(Drop::ManyInAll);
        }
        let of_one = self.by_source.get(&SourceKey::of(address)).copied().unwrap_or_default();
        if of_one.all >= MAX_OF_ONE {
            return Err(Drop::ManyOfOne);
        }
        if of_one.all.saturating_sub(of_one.proven) >= MAX_UNPROVEN_OF_ONE {
            return Err(Drop::ManyUnproven);
        }
        self.all = self.all.saturating_add(1);
        self.by_source.insert(SourceKey::of(address), OfOne { all: of_one.all.saturating_add(1), ..of_one });
        Ok(())
    }

    /// One of its transfers was acknowledged for the first time.
    pub fn proven(&mut self, address: IpAddr) {
        if let Some(of_one) = self.by_source.get_mut(&SourceKey::of(address)) {
            of_one.proven = of_one.proven.saturating_add(1).min(of_one.all);
        }
    }

    /// One of its transfers has ended, which was acknowledged or was not.
    pub fn leave(&mut self, address: IpAddr, proven: bool) {
        let key = SourceKey::of(address);
        let Some(of_one) = self.by_source.get_mut(&key) else { return };
        self.all = self.all.saturating_sub(1);
        of_one.all = of_one.all.saturating_sub(1);
        of_one.proven = of_one.proven.saturating_sub(usize::from(proven)).min(of_one.all);
        if of_one.all == 0 {
            self.by_source.remove(&key);
        }
    }

    /// How many transfers there are.
    pub fn len(&self) -> usize {
        self.all
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.all == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_so_many_and_fewer_that_proved_nothing() {
        let mut admission = Admission::new(MAX_IN_ALL);
        let one = of("192.0.2.1");
        for _ in 0..MAX_UNPROVEN_OF_ONE {
            assert_eq!(admission.enter(one), Ok(()));
        }
        assert_eq!(admission.enter(one), Err(Drop::ManyUnproven));
        assert_eq!(admission.enter(of("192.0.2.2")), Ok(()));
        for _ in 0..MAX_OF_ONE - MAX_UNPROVEN_OF_ONE {
            admission.proven(one);
            assert_eq!(admission.enter(one), Ok(()));
        }
        admission.proven(one);
        assert_eq!(admission.enter(one), Err(Drop::ManyOfOne));
        admission.leave(one, true);
        assert_eq!(admission.enter(one), Ok(()));
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_all_together_have_a_bound() {
        let mut admission = Admission::new(MAX_IN_ALL);
        for number in 0..MAX_UNPROVEN_OF_ONE {
            assert_eq!(admission.enter(of(&format!("2001:db8::{number:x}"))), Ok(()));
        }
        assert_eq!(admission.enter(of("2001:db8::ffff")), Err(Drop::ManyUnproven));
        let others = MAX_IN_ALL - MAX_UNPROVEN_OF_ONE;
        for number in 0..others {
            let address = format!("10.0.{}.{}", number / 250, number % 250);
            assert_eq!(admission.enter(of(&address)), Ok(()));
        }
        assert_eq!((admission.enter(of("10.9.0.1")), admission.len()), (Err(Drop::ManyInAll), MAX_IN_ALL));
        for number in 0..others {
            admission.leave(of(&format!("10.0.{}.{}", number / 250, number % 250)), false);
        }
        for _ in 0..MAX_UNPROVEN_OF_ONE {
            admission.leave(of("2001:db8::1"), false);
        }
        admission.leave(of("2001:db8::1"), false);
        assert!(admission.is_empty() && admission.by_source.is_empty());
    }
}
