//! Pairs of ports that are ready before they are asked for: opened and set up by a thread of its own, so that the one that
//! forwards does not. While calls are under way only: the first ones disturb nobody, and an exchange without calls holds no
//! ports.

use super::pair::{self, Pair};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Sender, channel};

/// Pairs at one address that are ready or being opened: for the two lines of two calls that begin together.
const PAIRS: usize = 4;

/// Pairs at all addresses.
const ALL: usize = 8;

/// The discard port: a socket in stock is connected to it at its own address, so that nobody fills its buffer before its time.
const NOWHERE: u16 = 9;

/// A pair to be opened.
struct Job {
    local: IpAddr,
    port: u16,
    dscp: Option<u8>,
}

/// A pair that was opened, or could not be.
pub(super) struct Opened {
    local: IpAddr,
    pub port: u16,
    dscp: Option<u8>,
    pair: io::Result<Pair>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Stock {
    jobs: Option<Sender<Job>>,
    ready: Vec<(IpAddr, Pair)>,
    ordered: usize,
}

impl Stock {
    /// Starts the thread, which reports each pair and ends when nobody takes that any more. Without a thread there is no stock.
    pub fn open(&mut self, report: impl Fn(Opened) -> bool + Send + 'static) {
        let (jobs, inbox) = channel::<Job>();
        let work = move || {
            for Job { local, port, dscp } in inbox {
                let mut pair = pair::bind(local, port, dscp);
                for socket in pair.iter_mut().flat_map(|pair| [&mut pair.rtp, &mut pair.rtcp]) {
                    socket.connect(SocketAddr::new(local, NOWHERE));
                }
                if !report(Opened { local, port, dscp, pair }) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("media-ports".to_owned()).spawn(work);
        self.jobs = thread.is_ok().then_some(jobs);
    }

    /// Whether another pair is wanted at `local`.
    pub fn wants(&self, local: IpAddr) -> bool {
        let ready = self.ready.iter().filter(|(at, _)| *at == local).count();
        let has_room = self.ready.len().saturating_add(self.ordered) < ALL;
        self.jobs.is_some() && has_room && ready.saturating_add(self.ordered) < PAIRS
    }

    /// Has a pair opened. False: there is nobody to do it.
    pub fn order(&mut self, local: IpAddr, port: u16, dscp: Option<u8>) -> bool {
        let is_taken = self.jobs.as_ref().is_some_and(|jobs| jobs.send(Job { local, port, dscp }).is_ok());
        self.ordered = self.ordered.saturating_add(usize::from(is_taken));
        is_taken
    }

    /// A pair was opened; `is_wanted`: calls are under way, and its port is one that new calls may have; `current` is the code point
    /// they have. Returns the port if it is free again.
    pub fn keep(&mut self, opened: Opened, is_wanted: bool, current: Option<u8>) -> Option<u16> {
        self.ordered = self.ordered.saturating_sub(1);
        let Opened { local, port, dscp, pair } = opened;
        match pair.ok().filter(|_| is_wanted && dscp == current) {
            Some(pair) => self.ready.push((local, pair)),
            None => return Some(port),
        }
        None
    }

    /// A pair at `local`, if one is ready: it hears everybody from now on.
    pub fn take(&mut self, local: IpAddr) -> Option<Pair> {
        let place = self.ready.iter().position(|(at, _)| *at == local)?;
        let (_, mut pair) = self.ready.swap_remove(place);
        pair.rtp.disconnect();
        pair.rtcp.disconnect();
        Some(pair)
    }

    /// Closes what is ready; the ports that are free with it.
    pub fn close(&mut self) -> Vec<u16> {
        self.ready.drain(..).map(|(_, pair)| pair.port).collect()
    }
}
