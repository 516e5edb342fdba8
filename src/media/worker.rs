//! The media thread: waits for packets, commands and the next packet of a sound, and sees to each.

use super::digit_sender::Press;
use super::early::Waiting;
use super::inbox::{Inbox, Order, Orders, Wakeup};
use super::mixer::{self, Mixes};
use super::player::{PACKET, Playing, Request};
use super::ports::Ports;
use super::pressing;
use super::priority::Keeper;
use super::reader::{Arrival, Reader};
use super::recorder::Recorder;
use super::relay;
use super::reporting;
use super::rtp_debug::PacketTrace;
use super::settings::MediaSettings;
use super::socket_number::{RTCP, RTP, SOCKETS, UDPTL, WAKEUP};
use super::stream::{Mode, Stream};
use crate::clock::Time;
use crate::pbx::media::{MediaEvent, PayloadMap, Remote, StreamCounts, StreamId, StreamKind};
use crate::rng::Rng;
use crate::rtp::continuity::Place;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use slab::Slab;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

/// Stands in `due` for first packets that have waited long enough; playings count from one.
const LISTEN: u64 = 0;

/// Stands in `due` for a deadline of a silence.
const SILENCE: u64 = u64::MAX;

/// Stands in `due` for a look at a connected socket.
const REOPEN: u64 = u64::MAX - 1;

/// Stands in `due` for a report of the exchange's own (RTCP).
const REPORT: u64 = u64::MAX - 2;

/// Readinesses taken at once.
const MAX_EVENTS: usize = 256;

/// Streams from which on ports are opened before they are asked for: two calls.
pub(super) const SEVERAL: usize = 4;

/// Packets of its own that the thread sends before it looks again for those that are to be relayed: a packet that comes while many
/// sounds are due at one instant waits for so many of them.
const PORTION: usize = 2;

/// Owns every stream.
pub(super) struct Worker {
    pub(super) epoll: OwnedFd,
    pub(super) wakeup: Arc<Wakeup>,
    /// Where the recorder reports.
    pub(super) orders: Orders,
    pub(super) inbox: Inbox,
    /// The thread that writes recordings; none before the first.
    pub(super) recorder: Option<Recorder>,
    pub(super) events: Box<dyn Fn(MediaEvent) + Send>,
    pub(super) started: Instant,
    pub(super) ports: Ports,
    pub(super) rng: Rng,
    pub(super) streams: Slab<Stream>,
    pub(super) slots: BTreeMap<StreamId, usize>,
    /// When the playing (by its turn), the waiting packet or the silence of a stream's slot is due; outdated entries are
    /// skipped.
    pub(super) due: BinaryHeap<Reverse<(Time, usize, u64)>>,
    pub(super) turns: u64,
    /// The addresses that streams were bound to: few.
    pub(super) ours: BTreeSet<IpAddr>,
    /// All addresses of this machine, as far as they are known.
    pub(super) own: BTreeSet<IpAddr>,
    /// The pairs of ports that peers named, by their even one, and the slots of their streams.
    pub(super) named: BTreeSet<(u16, usize)>,
    pub(super) reader: Reader,
    /// Nearly always none: then a packet costs nothing more than the look at it.
    pub(super) trace: Option<Box<PacketTrace>>,
    pub(super) mixes: Mixes,
    priority: Keeper,
}

impl Worker {
    pub fn new(
        settings: MediaSettings,
        events: Box<dyn Fn(MediaEvent) + Send>,
        orders: Orders,
        wakeup: Arc<Wakeup>,
        priority: Keeper,
    ) -> io::Result<Worker> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &wakeup.eventfd, epoll::EventData::new_u64(WAKEUP), epoll::EventFlags::IN)?;
        let mut rng = Rng::from_seed(settings.seed);
        Ok(Worker {
            epoll,
            wakeup,
            inbox: Inbox::of(&orders),
            orders,
            events,
            started: Instant::now(),
            ports: Ports::new(settings.ports, settings.dscp, &mut rng)?,
            rng,
            streams: Slab::new(),
            slots: BTreeMap::new(),
            due: BinaryHeap::new(),
            turns: 0,
            ours: BTreeSet::new(),
            own: BTreeSet::new(),
            named: BTreeSet::new(),
            reader: Reader::default(),
            trace: None,
            recorder: None,
            mixes: Mixes::default(),
            priority,
        })
    }

    /// Works until it is ordered to stop. Says when it begins.
    pub fn run(mut self, begun: &SyncSender<()>) {
        let mut ready = Vec::with_capacity(MAX_EVENTS);
        // Before the thread goes first: the other one is not to.
        let (orders, wakeup) = (self.orders.clone(), Arc::clone(&self.wakeup));
        self.ports.open_stock(move |opened| {
            let is_taken = orders.put(Order::Opened(Box::new(opened)));
            wakeup.signal();
            is_taken
        });
        self.priority.begin(self.now());
        let _ = begun.send(());
        loop {
            let timeout = self.timeout();
            ready.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut ready), timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                // Only a broken descriptor table gets here; without epoll there is nothing left to do.
                Err(_) => return,
            }
            let now = self.now();
            let started = self.started;
            self.reader.begin(now, || Time::from_start(started.elapsed()));
            // Orders first: a packet may be waiting for the very address an order brings. When an order has put another
            // stream into a slot, its socket is read in vain, no more.
            let is_woken = ready.iter().any(|event| event.data.u64() == WAKEUP);
            if is_woken && !self.orders() {
                return;
            }
            for event in ready.iter().filter(|event| event.data.u64() != WAKEUP) {
                self.packet(event.data.u64(), now);
            }
            self.play(now);
            if self.mixes.due().is_some_and(|due| due <= now) {
                self.mix(now);
            }
            self.priority.look(now);
        }
    }

    /// Has the mixes take their turns.
    fn mix(&mut self, now: Time) {
        let Worker { mixes, streams, rng, trace, .. } = self;
        mixes.turn(streams, now, || fresh_place(rng), trace.as_deref_mut());
    }

    pub(super) fn now(&self) -> Time {
        Time::from_start(self.started.elapsed())
    }

    /// The time until the next packet of a sound.
    fn timeout(&self) -> Option<Timespec> {
        let due = self.due.peek().map(|Reverse((due, ..))| *due);
        let due = due.into_iter().chain(self.mixes.due()).min()?;
        Timespec::try_from(due.since(self.now())).ok()
    }

    fn packet(&mut self, number: u64, now: Time) {
        let Ok(slot) = usize::try_from(number / SOCKETS) else { return };
        if let Some(stream) = self.streams.get_mut(slot).filter(|stream| !stream.listening) {
            relay::early(stream, now, &mut self.reader);
            self.listen(now, slot);
            return;
        }
        let event = match number % SOCKETS {
            RTP => relay::rtp(&mut self.streams, slot, now, &mut self.reader, self.trace.as_deref_mut()),
            UDPTL => relay::datagram(&mut self.streams, slot, now, &mut self.reader),
            _ => {
                relay::rtcp(&mut self.streams, slot, now, &mut self.reader);
                None
            }
        };
        if let Some(event) = event {
            (self.events)(event);
        }
        self.report_digits(slot);
        let Some(stream) = self.streams.get_mut(slot) else { return };
        if let Some(reopen) = stream.settle() {
            self.due.push(Reverse((reopen, slot, REOPEN)));
        }
        if stream.silence.take_broken() {
            (self.events)(MediaEvent::Heard { stream: stream.id });
            self.arm_silence(slot);
        }
    }

    fn report_digits(&mut self, slot: usize) {
        let Some(stream) = self.streams.get_mut(slot).filter(|stream| stream.digits.is_some()) else { return };
        while let Some(digit) = stream.take_digit() {
            (self.events)(MediaEvent::Digit { stream: stream.id, digit });
        }
    }

    pub(super) fn send_digit(&mut self, id: StreamId, press: Press) {
        let (now, fresh) = (self.now(), self.fresh_place());
        let Some(slot) = self.slots.get(&id).copied() else { return };
        let Some(stream) = self.streams.get_mut(slot) else { return };
        self.turns = self.turns.saturating_add(1);
        if let Some(due) = pressing::press(stream, now, press, self.turns, fresh) {
            self.due.push(Reverse((due, slot, self.turns)));
            self.play(now);
        }
    }

    /// Where a stream begins whose first packet is one of ours.
    fn fresh_place(&mut self) -> Place {
        fresh_place(&mut self.rng)
    }

    pub(super) fn watch(&mut self, id: StreamId, limit: Option<Duration>, keepalive: Option<Duration>) {
        let now = self.now();
        let Some(slot) = self.slots.get(&id).copied() else { return };
        if let Some(stream) = self.streams.get_mut(slot) {
            stream.silence.watch(now, limit, keepalive);
            self.arm_silence(slot);
        }
    }

    fn arm_silence(&mut self, slot: usize) {
        let deadline = self.streams.get_mut(slot).and_then(|stream| stream.silence.arm());
        self.due.extend(deadline.map(|deadline| Reverse((deadline, slot, SILENCE))));
    }

    /// A stream may have been silent for so long that something is to be done.
    fn silent(&mut self, now: Time, slot: usize, deadline: Time) {
        let fresh = self.fresh_place();
        let Some(stream) = self.streams.get_mut(slot) else { return };
        let due = stream.silence.due(now, deadline);
        if due.keepalive {
            stream.keep_alive(now, fresh);
        }
        if let Some(lasting) = due.silent {
            (self.events)(MediaEvent::Silent { stream: stream.id, lasting });
        }
        self.arm_silence(slot);
    }

    /// Sends what is due of all sounds, but no more than a [`PORTION`]: then it is looked whether packets have come meanwhile,
    /// which go first. The rest is due still, and the next wait ends at once.
    fn play(&mut self, now: Time) {
        for _ in 0..PORTION {
            let Some(Reverse((due, slot, turn))) = self.due.peek().copied().filter(|Reverse((due, ..))| *due <= now)
            else {
                return;
            };
            self.due.pop();
            if turn == LISTEN {
                if let Some(stream) = self.streams.get_mut(slot) {
                    stream.is_awaited = false;
                }
                self.listen(now, slot);
                continue;
            }
            if turn == SILENCE {
                self.silent(now, slot, due);
                continue;
            }
            let Some(stream) = self.streams.get_mut(slot) else { continue };
            if turn == REOPEN {
                self.due.extend(stream.reopen(now, due).map(|next| Reverse((next, slot, REOPEN))));
                continue;
            }
            if turn == REPORT {
                let next = reporting::due(stream, now, due, &mut self.rng);
                self.due.extend(next.map(|next| Reverse((next, slot, REPORT))));
                continue;
            }
            if stream.sending.as_ref().is_some_and(|sending| sending.turn == turn) {
                if let Some(due) = pressing::send_due(stream, now, self.trace.as_deref_mut()) {
                    self.due.push(Reverse((due, slot, turn)));
                }
                continue;
            }
            let Mode::Playing(playing) = &mut stream.mode else { continue };
            if playing.turn != turn {
                continue;
            }
            debug_assert!(due <= playing.due());
            let mut packet = [0; PACKET];
            let (play, step) = (playing.play, playing.step());
            let Some((place, bytes)) = playing.next(now, &mut packet) else {
                stream.mode = Mode::Idle;
                (self.events)(MediaEvent::Played { stream: stream.id, play });
                continue;
            };
            self.due.push(Reverse((playing.due(), slot, turn)));
            if stream.sending.is_some() {
                continue;
            }
            let sent = stream.deliver_own(now, place, step, bytes);
            if let Some((trace, to)) = self.trace.as_deref_mut().zip(sent) {
                trace.sent(now, to, bytes);
            }
        }
    }

    pub(super) fn stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.streams.get_mut(*self.slots.get(&id)?)
    }

    pub(super) fn reserve(&mut self, id: StreamId, local: IpAddr, kind: StreamKind) {
        let bound = match self.stream(id) {
            // Reserved already: the same address again.
            Some(stream) => stream.rtp.local_addr().map_err(|error| error.to_string()),
            None => self.open(id, local, kind),
        };
        if self.streams.len() >= SEVERAL {
            self.ports.stock_up(local);
        }
        (self.events)(match bound {
            Ok(rtp) => MediaEvent::Reserved { stream: id, rtp },
            Err(why) => MediaEvent::NoPorts { stream: id, why },
        });
    }

    fn open(&mut self, id: StreamId, local: IpAddr, kind: StreamKind) -> Result<SocketAddr, String> {
        let pair = self.ports.take(local)?;
        let port = pair.port;
        let entry = self.streams.vacant_entry();
        // Read from the beginning, so that nobody fills the socket before the peer's address is known.
        match epoll::add(&self.epoll, &pair.rtp, number(entry.key(), socket_of(kind)), epoll::EventFlags::IN) {
            Ok(()) => {
                self.slots.insert(id, entry.key());
                entry.insert(Stream::new(id, kind, pair));
                self.ours.insert(local);
                self.lose_those_at(port);
                Ok(SocketAddr::new(local, port))
            }
            Err(error) => {
                self.ports.give_back(port);
                Err(format!("cannot watch the media port {port}: {error}"))
            }
        }
    }

    /// An address of our own is not sent to: the packet would come back to us, between two such streams for ever.
    pub(super) fn fit(&mut self, id: StreamId, mut remote: Remote) -> Remote {
        let Some(slot) = self.slots.get(&id).copied() else { return remote };
        self.forget_named(slot);
        let is_far = |at: &SocketAddr| !(self.is_ours(at.ip()) && self.ports.is_taken(at.port()));
        remote.rtp = remote.rtp.filter(is_far);
        remote.rtcp = remote.rtcp.filter(is_far);
        self.named.extend([remote.rtp, remote.rtcp].into_iter().flatten().map(|at| (pair_of(at), slot)));
        remote
    }

    /// Is it an address of this machine?
    fn is_ours(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.ours.contains(&ip) || self.own.contains(&ip)
    }

    fn forget_named(&mut self, slot: usize) {
        for at in self.streams.get(slot).into_iter().flat_map(Stream::addresses) {
            self.named.remove(&(pair_of(at), slot));
        }
    }

    /// The pair at `port` is ours from now on: a stream whose peer named it before is not sent to any more.
    fn lose_those_at(&mut self, port: u16) {
        let slots: Vec<usize> = self.named.range((port, 0)..=(port, usize::MAX)).map(|(_, slot)| *slot).collect();
        for slot in slots {
            let is_ours = |at: SocketAddr| self.is_ours(at.ip()) && pair_of(at) == port;
            if self.streams.get(slot).is_some_and(|stream| stream.addresses().any(is_ours)) {
                self.forget_named(slot);
                if let Some(stream) = self.streams.get_mut(slot) {
                    stream.lose_remote();
                }
            }
        }
    }

    pub(super) fn begin_listening(&mut self, now: Time, id: StreamId) {
        if let Some(slot) = self.slots.get(&id) {
            self.listen(now, *slot);
        }
    }

    /// Forwards what the stream's sockets get from now on, and what was kept until now, if the time for that has come.
    fn listen(&mut self, now: Time, slot: usize) {
        let Some(stream) = self.streams.get_mut(slot) else { return };
        if !stream.may_listen(now) {
            if let Some(patience) = stream.patience().filter(|patience| *patience > now && !stream.is_awaited) {
                stream.is_awaited = true;
                self.due.push(Reverse((patience, slot, LISTEN)));
            }
            return;
        }
        let (kept, kind) = (stream.listen(now), stream.kind);
        let first = reporting::begin(stream, now, &mut self.rng);
        self.due.extend(first.map(|first| Reverse((first, slot, REPORT))));
        if kind == StreamKind::Rtp {
            // Many calls end before they come here, and RTCP can wait: it is not watched before. Should the system have
            // no memory for it, the call goes on without reports.
            let _ = epoll::add(&self.epoll, &stream.rtcp, number(slot, RTCP), epoll::EventFlags::IN);
        }
        for Waiting { source, at, mut packet } in kept {
            let event = match kind {
                StreamKind::Rtp => {
                    let trace = self.trace.as_deref_mut();
                    let arrival = Arrival { source, at: None, dropped: None };
                    relay::rtp_packet(&mut self.streams, slot, at, (arrival, &mut packet), trace)
                }
                StreamKind::Udptl => relay::udptl_datagram(&mut self.streams, slot, at, (source, &packet)),
            };
            if let Some(event) = event {
                (self.events)(event);
            }
        }
        self.report_digits(slot);
    }

    pub(super) fn bridge(&mut self, a: StreamId, a_to_b: &PayloadMap, b: StreamId, b_to_a: &PayloadMap) {
        self.rest(a);
        self.rest(b);
        let now = self.now();
        let (Some(slot_a), Some(slot_b)) = (self.slots.get(&a).copied(), self.slots.get(&b).copied()) else { return };
        if slot_a == slot_b {
            return;
        }
        if let Some(stream) = self.streams.get_mut(slot_a) {
            stream.mode = Mode::Bridged { partner: slot_b, map: table(a_to_b) };
            stream.taps.iter().for_each(|taps| taps.bridged(now, true));
        }
        if let Some(stream) = self.streams.get_mut(slot_b) {
            stream.mode = Mode::Bridged { partner: slot_a, map: table(b_to_a) };
            stream.taps.iter().for_each(|taps| taps.bridged(now, true));
        }
    }

    /// Ends whatever the stream does; a partner ends too, a sound is reported.
    pub(super) fn rest(&mut self, id: StreamId) {
        let now = self.now();
        let Some(stream) = self.stream(id) else { return };
        match std::mem::replace(&mut stream.mode, Mode::Idle) {
            Mode::Idle | Mode::Echo => {}
            Mode::Bridged { partner, .. } => {
                stream.taps.iter().for_each(|taps| taps.bridged(now, false));
                if let Some(partner) = self.streams.get_mut(partner) {
                    partner.taps.iter().for_each(|taps| taps.bridged(now, false));
                    partner.mode = Mode::Idle;
                }
            }
            Mode::Playing(playing) => (self.events)(MediaEvent::Played { stream: id, play: playing.play }),
            other @ (Mode::Feeding(_) | Mode::Fed { .. } | Mode::Mixed(_)) => self.part(id, other),
        }
    }

    pub(super) fn begin(&mut self, now: Time, id: StreamId, request: Request) {
        let fresh = self.fresh_place();
        let Some((slot, stream)) =
            self.slots.get(&id).and_then(|slot| self.streams.get_mut(*slot).map(|stream| (*slot, stream)))
        else {
            // There is no such stream, but whoever waits for the end of the sound must not wait for ever.
            (self.events)(MediaEvent::Played { stream: id, play: request.play });
            return;
        };
        let place = stream.line.begin(now, request.step(), fresh);
        self.turns = self.turns.saturating_add(1);
        stream.mode = Mode::Playing(Playing::new(now, self.turns, request, place));
        self.due.push(Reverse((now, slot, self.turns)));
        self.play(now);
    }

    pub(super) fn release(&mut self, id: StreamId) {
        let now = self.now();
        if let Some(stream) = self.stream(id) {
            reporting::end(stream, now);
        }
        self.rest(id);
        let taps = self.stream(id).and_then(|stream| stream.taps.as_mut());
        taps.into_iter().for_each(|taps| taps.close(now, None));
        let (mut counts, mut heard) = (StreamCounts::default(), None);
        let slot = self.slots.remove(&id);
        if let Some(slot) = slot {
            self.forget_named(slot);
            mixer::released(&mut self.streams, slot);
        }
        if let Some(slot) = slot
            && let Some(stream) = self.streams.try_remove(slot)
        {
            let port = stream.port;
            // The sockets close, and with that leave epoll, before the ports may be given to another.
            (counts, heard) = stream.total();
            self.ports.give_back(port);
            if self.streams.len() < SEVERAL {
                self.ports.close_stock();
            }
        }
        (self.events)(MediaEvent::Released { stream: id, counts, heard });
    }
}

fn fresh_place(rng: &mut Rng) -> Place {
    let bits = rng.bits();
    Place { ssrc: (bits >> 32) as u32, sequence: bits as u16, timestamp: rng.bits() as u32 }
}

/// The table a packet's payload type is looked up in; none when every number stays.
fn table(map: &PayloadMap) -> Option<Box<[u8; 128]>> {
    (*map != PayloadMap::identity()).then(|| Box::new(map.0))
}

/// The even port of the pair an address is in.
fn pair_of(at: SocketAddr) -> u16 {
    at.port() & !1
}

/// What epoll is to report when a socket of a stream has a packet.
fn number(slot: usize, socket: u64) -> epoll::EventData {
    epoll::EventData::new_u64(slot as u64 * SOCKETS + socket)
}

/// What the even port of a stream is read as.
fn socket_of(kind: StreamKind) -> u64 {
    match kind {
        StreamKind::Rtp => RTP,
        StreamKind::Udptl => UDPTL,
    }
}

impl Drop for Worker {
    /// What is recorded is written to its end.
    fn drop(&mut self) {
        let now = self.now();
        for (_, stream) in &mut self.streams {
            stream.taps.iter_mut().for_each(|taps| taps.close(now, None));
            stream.taps = None;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.stop();
        }
    }
}
