//! Who asked for what: kept for the console, told as events, and bounded. And the window in which files with passwords are given
//! to whoever asks.

use crate::event::ProvisionEvent;
use crate::event::provision::{BrokenOff, FileOutcome};
use crate::observe::provision_rows::{AskerRow, PhoneControl, ProvisionRows, TransferRow};
use crate::provision::tftp::{Drop as DropReason, Drops};
use crate::provision::{Mac, Via};
use crate::services::Publish;
use crate::source_key::SourceKey;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Requests kept that are over.
const MAX_OVER: usize = 200;
/// Telephones kept.
const MAX_ASKERS: usize = 1024;
/// Of these, of one /64 of IPv6 whose hardware addresses are not known: somebody may send from each of its addresses.
const MAX_ASKERS_OF_ONE: usize = 32;
/// Requests of one address (or /64) that are told a minute: a telephone that boots asks for ten or so.
const MAX_TOLD: u32 = 120;
const MINUTE: Duration = Duration::from_secs(60);
/// Counted for requests beyond [`MAX_TOLD`].
const NOT_TOLD: &str = "answered and not logged: more than 120 requests of one address a minute";

/// What the console sees.
#[derive(Default)]
pub struct Board(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    services: BTreeMap<&'static str, String>,
    folder: String,
    open_until: Option<Instant>,
    last_number: u64,
    under_way: BTreeMap<u64, Row>,
    over: VecDeque<Row>,
    askers: BTreeMap<Who, Asker>,
    told: BTreeMap<SourceKey, (Instant, u32)>,
    drops: Drops,
    other_drops: BTreeMap<&'static str, u64>,
}

/// A telephone: by its hardware address where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Device(Mac),
    Address(IpAddr),
}

struct Asker {
    address: IpAddr,
    user_agent: String,
    asked: u64,
    got: u64,
    at: Instant,
    last: String,
    secrets_at: Option<Instant>,
}

struct Row {
    asked: Asked,
    at: Instant,
    bytes: u64,
    state: &'static str,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) mac: Option<Mac>,
    pub(super) address: IpAddr,
    pub(super) via: Via,
    pub(super) user_agent: Option<String>,
    pub(super) file: String,
}

/// A request that is being answered. It is to be told how it ended; dropped without that, it has fallen silent.
pub struct Entry {
    board: Arc<Board>,
    publish: Publish,
    number: u64,
    asked: Asked,
    began: Instant,
    is_over: bool,
}

impl Entry {
    pub(super) fn new(board: Arc<Board>, publish: Publish, asked: Asked) -> Entry {
        let number = board.begin(&asked);
        Entry { board, publish, number, asked, began: Instant::now(), is_over: false }
    }

    /// So many bytes have arrived.
    pub fn progress(&self, bytes: u64) {
        if let Some(row) = self.board.inner().under_way.get_mut(&self.number) {
            row.bytes = bytes;
        }
    }

    /// How long ago it was asked for.
    pub fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// This came of it.
    pub fn end(mut self, outcome: FileOutcome) {
        self.over(outcome);
    }

    fn over(&mut self, outcome: FileOutcome) {
        self.is_over = true;
        let Asked { mac, address, via, user_agent, file } = self.asked.clone();
        if !self.board.ended(self.number, &self.asked, &outcome) {
            return;
        }
        let via = match via {
            Via::Tftp => "TFTP",
            Via::Http => "HTTP",
        };
        let (mac, user_agent) = (mac.map(|mac| mac.to_string()), user_agent.map(Into::into));
        (self.publish)(ProvisionEvent { mac, address, via, user_agent, file: file.into(), outcome }.into());
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !self.is_over {
            let bytes = self.board.inner().under_way.get(&self.number).map_or(0, |row| row.bytes);
            self.over(FileOutcome::Broken { bytes, reason: BrokenOff::Silent });
        }
    }
}

impl Board {
    /// A service says where it is, or why it is not.
    pub fn set_service(&self, name: &'static str, text: Option<String>) {
        let mut inner = self.inner();
        match text {
            Some(text) => drop(inner.services.insert(name, text)),
            None => drop(inner.services.remove(name)),
        }
    }

    /// The folder of the user's own files.
    pub fn set_folder(&self, folder: String) {
        self.inner().folder = folder;
    }

    /// Gives files with passwords to whoever asks, for so long; none: to their devices only.
    pub fn open(&self, time: Option<Duration>) {
        self.inner().open_until = time.and_then(|time| Instant::now().checked_add(time));
    }

    /// Are files with passwords given to whoever asks?
    pub fn is_open(&self) -> bool {
        self.inner().open_for().is_some()
    }

    /// So many datagrams or requests were dropped.
    pub fn dropped(&self, why: DropReason, count: u64) {
        self.inner().drops.add(why, count);
    }

    /// The same for another reason.
    pub fn dropped_otherwise(&self, why: &'static str) {
        self.inner().count(why);
    }

    /// Everything, for the console.
    pub fn rows(&self) -> ProvisionRows {
        let inner = self.inner();
        let mut devices: Vec<AskerRow> = inner.askers.iter().map(|(who, asker)| asker.row(*who)).collect();
        devices.sort_by_key(|row| row.ago);
        let under_way = inner.under_way.values().rev();
        let drops = inner.drops.iter().map(|(why, count)| (why.to_string(), count));
        ProvisionRows {
            services: inner.services.values().cloned().collect(),
            folder: inner.folder.clone(),
            open_for: inner.open_for(),
            devices,
            transfers: under_way.chain(inner.over.iter().rev()).map(Row::row).collect(),
            drops: drops.chain(inner.other_drops.iter().map(|(why, count)| ((*why).to_owned(), *count))).collect(),
        }
    }

    fn begin(&self, asked: &Asked) -> u64 {
        let mut inner = self.inner();
        inner.last_number = inner.last_number.wrapping_add(1);
        let number = inner.last_number;
        let row = Row { asked: asked.clone(), at: Instant::now(), bytes: 0, state: "sending" };
        inner.under_way.insert(number, row);
        inner.asks(asked);
        number
    }

    /// A request is over; is it to be told?
    fn ended(&self, number: u64, asked: &Asked, outcome: &FileOutcome) -> bool {
        let mut inner = self.inner();
        let inner = &mut *inner;
        if let Some(mut row) = inner.under_way.remove(&number) {
            row.state = state(outcome);
            if let FileOutcome::Given(given) = outcome {
                row.bytes = given.bytes;
            }
            if inner.over.len() >= MAX_OVER {
                inner.over.pop_front();
            }
            inner.over.push_back(row);
        }
        if let (FileOutcome::Given(given), Some(asker)) = (outcome, inner.askers.get_mut(&Who::of(asked))) {
            asker.got = asker.got.saturating_add(1);
            if given.has_secret {
                asker.secrets_at = Some(Instant::now());
            }
        }
        let is_told = inner.may_tell(asked.address);
        if !is_told {
            inner.count(NOT_TOLD);
        }
        is_told
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PhoneControl for Board {
    fn rows(&self) -> ProvisionRows {
        Board::rows(self)
    }

    fn open(&self, time: Option<Duration>) {
        Board::open(self, time);
    }
}

impl Who {
    fn of(asked: &Asked) -> Who {
        asked.mac.map_or(Who::Address(asked.address), Who::Device)
    }

    /// The source that it is counted with; none: a neighbour whose hardware address is known.
    fn source(self) -> Option<SourceKey> {
        match self {
            Who::Device(_) => None,
            Who::Address(address) => Some(SourceKey::of(address)),
        }
    }
}

impl Inner {
    fn open_for(&self) -> Option<Duration> {
        self.open_until.and_then(|until| until.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    fn count(&mut self, why: &'static str) {
        let count = self.other_drops.entry(why).or_default();
        *count = count.saturating_add(1);
    }

    fn asks(&mut self, asked: &Asked) {
        let who = Who::of(asked);
        if !self.askers.contains_key(&who) {
            self.make_room(who);
        }
        let now = Instant::now();
        let asker = self.askers.entry(who).or_insert_with(|| Asker {
            address: asked.address,
            user_agent: String::new(),
            asked: 0,
            got: 0,
            at: now,
            last: String::new(),
            secrets_at: None,
        });
        (asker.address, asker.at) = (asked.address, now);
        asker.asked = asker.asked.saturating_add(1);
        asker.last.clone_from(&asked.file);
        if let Some(agent) = &asked.user_agent {
            asker.user_agent.clone_from(agent);
        }
    }

    /// For one telephone more: the one not heard for longest goes, of the same source when that has its share.
    fn make_room(&mut self, who: Who) {
        let source = who.source();
        let is_same = |other: &Who| source.is_some() && other.source() == source;
        let has_share = self.askers.keys().filter(|other| is_same(other)).count() >= MAX_ASKERS_OF_ONE;
        if has_share || self.askers.len() >= MAX_ASKERS {
            let of_it = self.askers.iter().filter(|(other, _)| !has_share || is_same(other));
            let oldest = of_it.min_by_key(|(_, asker)| asker.at).map(|(who, _)| *who);
            oldest.map(|oldest| self.askers.remove(&oldest));
        }
    }

    fn may_tell(&mut self, address: IpAddr) -> bool {
        let now = Instant::now();
        if self.told.len() >= MAX_ASKERS {
            self.told.retain(|_, (since, _)| since.elapsed() < MINUTE);
            if self.told.len() >= MAX_ASKERS {
                self.told.clear();
            }
        }
        let (since, count) = self.told.entry(SourceKey::of(address)).or_insert((now, 0));
        if since.elapsed() >= MINUTE {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MAX_TOLD
    }
}

impl Asker {
    fn row(&self, who: Who) -> AskerRow {
        AskerRow {
            mac: match who {
                Who::Device(mac) => mac.to_string(),
                Who::Address(_) => String::new(),
            },
            address: self.address,
            user_agent: self.user_agent.clone(),
            asked: self.asked,
            got: self.got,
            ago: self.at.elapsed(),
            last: self.last.clone(),
            secrets_ago: self.secrets_at.map(|at| at.elapsed()),
        }
    }
}

impl Row {
    fn row(&self) -> TransferRow {
        let Asked { mac, address, via, file, .. } = &self.asked;
        TransferRow {
            mac: mac.map(|mac| mac.to_string()).unwrap_or_default(),
            address: *address,
            via: match via {
                Via::Tftp => "TFTP",
                Via::Http => "HTTP",
            },
            file: file.clone(),
            ago: self.at.elapsed(),
            bytes: self.bytes,
            state: self.state,
        }
    }
}

fn state(outcome: &FileOutcome) -> &'static str {
    match outcome {
        FileOutcome::Given(_) => "given",
        FileOutcome::Broken { reason: BrokenOff::Ended(_), .. } => "ended by it",
        FileOutcome::Broken { .. } => "broken off",
        FileOutcome::Missing { .. } => "not there",
        FileOutcome::Withheld { .. } => "withheld",
        FileOutcome::Refused(_) => "refused",
    }
}
