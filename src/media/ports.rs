//! The port range: pairs of an even RTP port and the odd RTCP port above it, given out in turn.

use super::pair::{self, Pair};
use super::stock::{Opened, Stock};
use crate::rng::Rng;
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Pairs held by other programs that are tried before giving up: each try is two system calls on the thread that also
/// forwards.
const MAX_TRIES: usize = 64;

/// Pairs that are passed over after one that another program holds, in a range with many: such a program (another
/// exchange, a conference server) has taken its own one after the other, and more of them than are tried here.
const STRIDE: usize = 61;

/// Free pairs without which none is opened before it is asked for: in a small range each may be wanted at another address.
const PLENTY: usize = 32;

/// Gives out pairs of ports, round and round, so that a port just given back rests longest.
pub(super) struct Ports {
    range: RangeInclusive<u16>,
    first: u16,
    pairs: usize,
    next: usize,
    taken: BTreeSet<u16>,
    dscp: Option<u8>,
    stock: Stock,
}

impl Ports {
    /// Fails when the range holds no pair.
    pub fn new(range: RangeInclusive<u16>, dscp: Option<u8>, rng: &mut Rng) -> io::Result<Ports> {
        let (start, end) = (u32::from(*range.start()), u32::from(*range.end()));
        let first = start + start % 2;
        let pairs = (end + 1).saturating_sub(first) / 2;
        let (Ok(first), Ok(pairs)) = (u16::try_from(first), usize::try_from(pairs)) else {
            return Err(no_pair(&range));
        };
        // Port 0 is no port.
        if pairs == 0 || first == 0 {
            return Err(no_pair(&range));
        }
        let next = usize::try_from(rng.below(pairs as u64)).unwrap_or(0);
        Ok(Ports { range, first, pairs, next, taken: BTreeSet::new(), dscp, stock: Stock::default() })
    }

    /// Gives out pairs of another range from now on; a range without a pair is not taken over.
    pub fn change(&mut self, range: RangeInclusive<u16>, dscp: Option<u8>, rng: &mut Rng) {
        if (&range, dscp) == (&self.range, self.dscp) {
            return;
        }
        if let Ok(new) = Ports::new(range, dscp, rng) {
            self.close_stock();
            let (taken, stock) = (std::mem::take(&mut self.taken), std::mem::take(&mut self.stock));
            *self = Ports { taken, stock, ..new };
        }
    }

    /// Opens pairs before they are asked for, from now on, on a thread of its own, which reports what it has opened as long as
    /// `report` says that somebody takes it.
    pub fn open_stock(&mut self, report: impl Fn(Opened) -> bool + Send + 'static) {
        self.stock.open(report);
    }

    /// Has some pairs opened at `local`, where more of them will be asked for.
    pub fn stock_up(&mut self, local: IpAddr) {
        while self.stock.wants(local) && self.pairs.saturating_sub(self.taken.len()) > PLENTY {
            let free = (0..self.pairs).find_map(|_| Some(self.walk()).filter(|port| !self.taken.contains(port)));
            let Some(port) = free else { return };
            if !self.stock.order(local, port, self.dscp) {
                return;
            }
            self.taken.insert(port);
        }
    }

    /// A pair was opened; `is_wanted`: calls are under way.
    pub fn stock(&mut self, opened: Opened, is_wanted: bool) {
        let is_ours = self.range.contains(&opened.port) && self.range.contains(&opened.port.saturating_add(1));
        if let Some(port) = self.stock.keep(opened, is_wanted && is_ours, self.dscp) {
            self.taken.remove(&port);
        }
    }

    /// No pair is kept ready any more. Says whether some were.
    pub fn close_stock(&mut self) -> bool {
        let free = self.stock.close();
        self.taken.retain(|port| !free.contains(port));
        !free.is_empty()
    }

    /// The next free pair at `local`: one that is ready, or one that is opened now; the error says why none could be, and what
    /// to do.
    pub fn take(&mut self, local: IpAddr) -> Result<Pair, String> {
        if let Some(pair) = self.stock.take(local) {
            return Ok(pair);
        }
        match self.open(local) {
            Err(_) if self.close_stock() => self.open(local),
            opened => opened,
        }
    }

    fn open(&mut self, local: IpAddr) -> Result<Pair, String> {
        let mut foreign = 0usize;
        for _ in 0..self.pairs {
            let port = self.walk();
            if self.taken.contains(&port) {
                continue;
            }
            match pair::bind(local, port, self.dscp) {
                Ok(pair) => {
                    self.taken.insert(port);
                    return Ok(pair);
                }
                Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
                    foreign += 1;
                    if foreign >= MAX_TRIES {
                        break;
                    }
                    if self.pairs > 4 * STRIDE {
                        self.next = (self.next + STRIDE) % self.pairs;
                    }
                }
                Err(error) => return Err(open_error(local, &error)),
            }
        }
        Err(format!(
            "no free pair of media ports in {}-{} at {local}: {} pairs carry calls, {foreign} tried are held by other programs; \
             widen rtpstart/rtpend in rtp.conf",
            self.range.start(),
            self.range.end(),
            self.taken.len()
        ))
    }

    /// Is this port one of a pair given out?
    pub fn is_taken(&self, port: u16) -> bool {
        self.taken.contains(&(port & !1))
    }

    /// Takes a pair back; its sockets are closed already.
    pub fn give_back(&mut self, port: u16) {
        self.taken.remove(&port);
    }

    fn walk(&mut self) -> u16 {
        // The offset is below 32,768 pairs, and the last pair ends inside the range.
        let offset = u16::try_from(self.next * 2).unwrap_or(0);
        self.next = (self.next + 1) % self.pairs;
        self.first.saturating_add(offset)
    }
}

fn no_pair(range: &RangeInclusive<u16>) -> io::Error {
    let (start, end) = (range.start(), range.end());
    io::Error::new(
        ErrorKind::InvalidInput,
        format!(
            "the media ports {start}-{end} hold no pair of an even port and the next; set rtpstart and rtpend in rtp.conf, such as 10000 and 20000"
        ),
    )
}

fn open_error(local: IpAddr, error: &io::Error) -> String {
    let advice = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => {
            "; each stream takes two sockets: raise the limit of open files (LimitNOFILE= in the unit file, ulimit -n)"
        }
        Some(rustix::io::Errno::ADDRNOTAVAIL) => "; it is not an address of this machine",
        _ => "",
    };
    format!("cannot open media ports at {local}: {error}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_range_without_a_pair_is_refused() {
        let mut rng = Rng::from_number(1);
        for range in [0..=1, 10_001..=10_002, 10_000..=10_000, 65_535..=65_535, RangeInclusive::new(20_000, 10_000)] {
            let error = Ports::new(range.clone(), None, &mut rng).err().unwrap();
            assert!(error.to_string().contains("rtpstart"), "{range:?}");
        }
        assert!(Ports::new(65_534..=65_535, None, &mut rng).is_ok());
    }

    #[test]
    fn the_walk_goes_round_over_even_ports_only() {
        let mut ports = Ports::new(10_001..=10_007, None, &mut Rng::from_number(1)).unwrap();
        let mut seen: Vec<u16> = (0..6).map(|_| ports.walk()).collect();
        assert_eq!(seen[..3], seen[3..]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [10_002, 10_004, 10_006]);
    }

    #[test]
    fn a_pair_held_by_another_program_is_passed_over_and_an_exhausted_range_says_so() {
        let mut ports = Ports::new(24_100..=24_105, Some(46), &mut Rng::from_number(1)).unwrap();
        let foreign = UdpSocket::bind((LOCAL, 24_103)).unwrap();
        let pairs = [ports.take(LOCAL).unwrap(), ports.take(LOCAL).unwrap()];
        let mut taken = pairs.each_ref().map(|pair| pair.port);
        taken.sort_unstable();
        assert_eq!(taken, [24_100, 24_104]);
        let why = ports.take(LOCAL).err().unwrap();
        assert_eq!(
            why,
            "no free pair of media ports in 24100-24105 at 127.0.0.1: 2 pairs carry calls, 1 tried are held by other programs; \
             widen rtpstart/rtpend in rtp.conf"
        );
        drop((foreign, pairs));
        ports.give_back(24_104);
        let again = ports.take(LOCAL).unwrap().port;
        assert!([24_102, 24_104].contains(&again));
    }

    /// A second exchange on the machine has a hundred calls, whose ports begin where ours would.
    #[test]
    fn more_pairs_of_another_program_than_are_tried_leave_the_rest_of_the_range() {
        let mut ports = Ports::new(24_200..=25_999, None, &mut Rng::from_number(1)).unwrap();
        ports.next = 0;
        let foreign: Vec<_> = (0..200).filter_map(|n| UdpSocket::bind((LOCAL, 24_200 + n)).ok()).collect();
        assert!(foreign.len() > 2 * MAX_TRIES);
        assert!(ports.take(LOCAL).is_ok_and(|pair| pair.port >= 24_400));
    }

    #[test]
    fn another_range_is_for_new_pairs_and_one_without_a_pair_for_none() {
        let mut rng = Rng::from_number(1);
        let mut ports = Ports::new(24_120..=24_123, None, &mut rng).unwrap();
        let local = "127.0.0.1".parse().unwrap();
        let old = ports.take(local).unwrap();
        ports.change(24_130..=24_131, Some(46), &mut rng);
        let new = ports.take(local).unwrap();
        assert_eq!(new.port, 24_130);
        ports.change(24_131..=24_131, None, &mut rng);
        assert_eq!(ports.dscp, Some(46), "what cannot be used changes nothing");
        assert!(ports.take(local).is_err());
        ports.change(24_120..=24_123, None, &mut rng);
        assert_ne!(ports.take(local).unwrap().port, old.port, "it is taken still");
        ports.give_back(new.port);
    }

    #[test]
    fn pairs_are_ready_before_they_are_asked_for_and_hear_nobody_until_then() {
        let (say, said) = channel();
        let mut ports = Ports::new(24_300..=24_499, None, &mut Rng::from_number(1)).unwrap();
        ports.open_stock(move |opened| say.send(opened).is_ok());
        ports.stock_up(LOCAL);
        for _ in 0..4 {
            ports.stock(said.recv_timeout(Duration::from_secs(10)).unwrap(), true);
        }
        ports.stock_up(LOCAL);
        assert!(said.recv_timeout(Duration::from_millis(50)).is_err(), "four are enough");
        let stranger = UdpSocket::bind((LOCAL, 0)).unwrap();
        let spray = |word: &[u8]| (24_300..24_500u16).for_each(|port| drop(stranger.send_to(word, (LOCAL, port))));
        spray(b"before");
        std::thread::sleep(Duration::from_millis(20));
        let mut pair = ports.take(LOCAL).unwrap();
        spray(b"after");
        let mut buffer = [0; 16];
        let heard = (0..500).find_map(|_| {
            std::thread::sleep(Duration::from_millis(1));
            pair.rtp.receive(&mut buffer)
        });
        assert_eq!(heard, Some((5, stranger.local_addr().unwrap())));
        assert!(buffer.starts_with(b"after") && ports.is_taken(pair.port));
        // One that comes when it is not wanted any more, and those that wait then, leave their ports free.
        ports.stock_up(LOCAL);
        ports.stock(said.recv_timeout(Duration::from_secs(10)).unwrap(), false);
        assert!(ports.close_stock() && !ports.close_stock());
        assert_eq!(ports.taken.iter().collect::<Vec<_>>(), [&pair.port]);
    }

    #[test]
    fn a_small_range_has_no_pair_to_keep_ready() {
        let (say, said) = channel();
        let mut ports = Ports::new(24_500..=24_539, None, &mut Rng::from_number(1)).unwrap();
        ports.open_stock(move |opened| say.send(opened).is_ok());
        ports.stock_up(LOCAL);
        assert!(said.recv_timeout(Duration::from_millis(50)).is_err() && ports.taken.is_empty());
    }

    #[test]
    fn an_address_that_is_not_ours_is_named_in_the_error() {
        let mut ports = Ports::new(24_110..=24_119, None, &mut Rng::from_number(1)).unwrap();
        let why = ports.take("192.0.2.1".parse().unwrap()).err().unwrap();
        assert!(why.ends_with("it is not an address of this machine"), "{why}");
    }
}
