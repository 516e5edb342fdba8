//! The media thread: waits for packets, commands and the next packet of a sound, and sees to each.

use super::digit_sender::Press;
use super::early::Waiting;
use super::inbox::{Order, Wakeup};
use super::player::{PACKET, Playing, Request};
use super::ports::Ports;
use super::pressing;
use super::recorder::Recorder;
use super::relay::{self, Buffer, MAX_PACKET};
use super::rtp_debug::PacketTrace;
use super::settings::MediaSettings;
use super::socket_number::{RTCP, RTP, SOCKETS, UDPTL, WAKEUP};
use super::stream::{Mode, Stream};
use super::taps::Taps;
use crate::clock::Time;
use crate::pbx::media::{MediaCommand, MediaEvent, PayloadMap, Remote, StreamCounts, StreamId, StreamKind};
use crate::pbx::recording::{RecordPlan, Recorded, RecordingId};
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
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

/// Stands in `due` for first packets that have waited long enough; playings count from one.
const LISTEN: u64 = 0;

/// Stands in `due` for a deadline of a silence.
const SILENCE: u64 = u64::MAX;

/// Readinesses taken at once.
const MAX_EVENTS: usize = 256;

/// Owns every stream.
pub(super) struct Worker {
    epoll: OwnedFd,
    wakeup: Arc<Wakeup>,
    /// Where the recorder reports.
    orders: Sender<Order>,
    inbox: Receiver<Order>,
    /// The thread that writes recordings; none before the first.
    recorder: Option<Recorder>,
    events: Box<dyn Fn(MediaEvent) + Send>,
    started: Instant,
    ports: Ports,
    rng: Rng,
    streams: Slab<Stream>,
    slots: BTreeMap<StreamId, usize>,
    /// When the playing (by its turn), the waiting packet or the silence of a stream's slot is due; outdated entries are
    /// skipped.
    due: BinaryHeap<Reverse<(Time, usize, u64)>>,
    turns: u64,
    /// The addresses that streams were bound to: few.
    ours: BTreeSet<IpAddr>,
    /// All addresses of this machine, as far as they are known.
    own: BTreeSet<IpAddr>,
    /// The pairs of ports that peers named, by their even one, and the slots of their streams.
    named: BTreeSet<(u16, usize)>,
    buffer: Box<Buffer>,
    /// Nearly always none: then a packet costs nothing more than the look at it.
    trace: Option<Box<PacketTrace>>,
}

impl Worker {
    pub fn new(
        settings: MediaSettings,
        events: Box<dyn Fn(MediaEvent) + Send>,
        (orders, inbox): (Sender<Order>, Receiver<Order>),
        wakeup: Arc<Wakeup>,
    ) -> io::Result<Worker> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &wakeup.eventfd, epoll::EventData::new_u64(WAKEUP), epoll::EventFlags::IN)?;
        let mut rng = Rng::from_seed(settings.seed);
        Ok(Worker {
            epoll,
            wakeup,
            orders,
            inbox,
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
            buffer: Box::new([0; MAX_PACKET + 1]),
            trace: None,
            recorder: None,
        })
    }

    /// Works until it is ordered to stop.
    pub fn run(mut self) {
        let mut ready = Vec::with_capacity(MAX_EVENTS);
        loop {
            let timeout = self.timeout();
            ready.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut ready), timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                // Only a broken descriptor table gets here; without epoll there is nothing left to do.
                Err(_) => return,
            }
            let now = self.now();
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
        }
    }

    fn now(&self) -> Time {
        Time::from_start(self.started.elapsed())
    }

    /// The time until the next packet of a sound.
    fn timeout(&self) -> Option<Timespec> {
        let Reverse((due, ..)) = self.due.peek()?;
        Timespec::try_from(due.since(self.now())).ok()
    }

    fn packet(&mut self, number: u64, now: Time) {
        let Ok(slot) = usize::try_from(number / SOCKETS) else { return };
        if let Some(stream) = self.streams.get_mut(slot).filter(|stream| !stream.listening) {
            relay::early(stream, now, &mut self.buffer);
            self.listen(now, slot);
            return;
        }
        let event = match number % SOCKETS {
            RTP => relay::rtp(&mut self.streams, slot, now, &mut self.buffer, self.trace.as_deref_mut()),
            UDPTL => relay::datagram(&mut self.streams, slot, now, &mut self.buffer),
            _ => {
                relay::rtcp(&mut self.streams, slot, now, &mut self.buffer);
                None
            }
        };
        if let Some(event) = event {
            (self.events)(event);
        }
        self.report_digits(slot);
        if let Some(stream) = self.streams.get_mut(slot)
            && stream.silence.take_broken()
        {
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

    fn send_digit(&mut self, id: StreamId, press: Press) {
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
        let bits = self.rng.bits();
        Place { ssrc: (bits >> 32) as u32, sequence: bits as u16, timestamp: self.rng.bits() as u32 }
    }

    fn watch(&mut self, id: StreamId, limit: Option<Duration>, keepalive: Option<Duration>) {
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

    /// Sends what is due of all sounds.
    fn play(&mut self, now: Time) {
        let mut packet = [0; PACKET];
        while let Some(Reverse((due, slot, turn))) = self.due.peek().copied().filter(|Reverse((due, ..))| *due <= now) {
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

    /// Carries out what is in the inbox; false: stop.
    fn orders(&mut self) -> bool {
        self.wakeup.clear();
        loop {
            match self.inbox.try_recv() {
                Ok(Order::Command(command)) => self.command(*command),
                Ok(Order::Report(event)) => self.pass_on(event),
                Ok(Order::Trace(trace)) => self.trace = trace,
                Ok(Order::Addresses(own)) => self.own = own,
                Ok(Order::Look(id, answer)) => drop(answer.try_send(self.stream(id).map(|stream| stream.look()))),
                Ok(Order::Ports(range, dscp)) => self.ports.change(range, dscp, &mut self.rng),
                Err(TryRecvError::Empty) => return true,
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn command(&mut self, command: MediaCommand) {
        let now = self.now();
        match command {
            MediaCommand::Reserve { stream, local, kind } => self.reserve(stream, local, kind),
            MediaCommand::Remote { stream, remote } => {
                let remote = self.fit(stream, remote);
                if let Some(found) = self.stream(stream) {
                    found.set_remote(now, remote);
                    self.begin_listening(now, stream);
                }
            }
            MediaCommand::Watch { stream, limit, keepalive } => self.watch(stream, limit, keepalive),
            MediaCommand::Bridge { a, b, a_to_b, b_to_a } => {
                self.bridge(a, &a_to_b, b, &b_to_a);
                self.begin_listening(now, a);
                self.begin_listening(now, b);
            }
            MediaCommand::Echo { stream } => {
                self.rest(stream);
                if let Some(found) = self.stream(stream) {
                    found.mode = Mode::Echo;
                    self.begin_listening(now, stream);
                }
            }
            MediaCommand::Play { stream, play, sounds, skip, repeat, payload_type, ptime_ms } => {
                self.rest(stream);
                self.begin(now, stream, Request { play, sounds, skip, repeat, again: 0, payload_type, ptime_ms });
                self.begin_listening(now, stream);
            }
            MediaCommand::Tone { stream, play, sound, again, payload_type, ptime_ms } => {
                self.rest(stream);
                self.begin(now, stream, Request::tone(play, &sound, again, (payload_type, ptime_ms)));
                self.begin_listening(now, stream);
            }
            MediaCommand::Recode { stream, from, to, ptime_ms } => {
                if let Some(Mode::Playing(playing)) = self.stream(stream).map(|found| &mut found.mode) {
                    playing.recode(from, to, ptime_ms);
                }
            }
            MediaCommand::Listen { stream, listening } => {
                if let Some(found) = self.stream(stream) {
                    found.digits.get_or_insert_default().listen(listening);
                }
            }
            MediaCommand::SendDigit { stream, digit, duration, form } => {
                self.send_digit(stream, Press { digit, duration, form });
            }
            MediaCommand::Record { stream, recording, plan } => self.record(now, stream, recording, plan),
            MediaCommand::PauseRecording { stream, recording, paused } => {
                if let Some(found) = self.stream(stream) {
                    let is_bridged = matches!(found.mode, Mode::Bridged { .. });
                    found.taps.iter_mut().for_each(|taps| taps.pause(recording, now, paused, is_bridged));
                }
            }
            MediaCommand::StopRecording { stream, recording } => {
                let taps = self.stream(stream).and_then(|found| found.taps.as_mut());
                taps.into_iter().for_each(|taps| taps.close(now, Some(recording)));
            }
            MediaCommand::Idle { stream } => self.rest(stream),
            MediaCommand::Count { stream } => {
                if let Some(report) = self.stream(stream).map(|stream| Box::new(stream.report())) {
                    (self.events)(MediaEvent::Counted { stream, report });
                }
            }
            MediaCommand::Release { stream } => self.release(stream),
        }
    }

    fn record(&mut self, now: Time, id: StreamId, recording: RecordingId, plan: Box<RecordPlan>) {
        if self.recorder.is_none() {
            self.recorder = Recorder::start(self.started, self.orders.clone(), Arc::clone(&self.wakeup)).ok();
        }
        let queue = self.recorder.as_ref().and_then(Recorder::queue);
        let Some((stream, queue)) = self.stream(id).zip(queue) else {
            let recorded = Recorded::failed(&plan, "the media thread cannot record it".to_owned());
            return (self.events)(MediaEvent::Recorded { stream: id, recording, recorded: Box::new(recorded) });
        };
        let only_bridged = plan.only_bridged;
        let paused = only_bridged && !matches!(stream.mode, Mode::Bridged { .. });
        queue.open(id, (recording, plan), now, paused);
        stream.taps.get_or_insert_with(|| Box::new(Taps::new(queue))).add(recording, only_bridged);
    }

    /// What the recorder reports is the end of a recording.
    fn pass_on(&mut self, event: MediaEvent) {
        if let MediaEvent::Recorded { stream, recording, .. } = &event
            && let Some(stream) = self.stream(*stream)
            && let Some(taps) = &mut stream.taps
        {
            taps.forget(*recording);
            if taps.is_empty() {
                stream.taps = None;
            }
        }
        (self.events)(event);
    }

    fn stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.streams.get_mut(*self.slots.get(&id)?)
    }

    fn reserve(&mut self, id: StreamId, local: IpAddr, kind: StreamKind) {
        let bound = match self.stream(id) {
            // Reserved already: the same address again.
            Some(stream) => stream.rtp.local_addr().map_err(|error| error.to_string()),
            None => self.open(id, local, kind),
        };
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
    fn fit(&mut self, id: StreamId, mut remote: Remote) -> Remote {
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

    fn begin_listening(&mut self, now: Time, id: StreamId) {
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
        if kind == StreamKind::Rtp {
            // Many calls end before they come here, and RTCP can wait: it is not watched before. Should the system have
            // no memory for it, the call goes on without reports.
            let _ = epoll::add(&self.epoll, &stream.rtcp, number(slot, RTCP), epoll::EventFlags::IN);
        }
        for Waiting { source, at, mut packet } in kept {
            let event = match kind {
                StreamKind::Rtp => {
                    let trace = self.trace.as_deref_mut();
                    relay::rtp_packet(&mut self.streams, slot, at, (source, &mut packet), trace)
                }
                StreamKind::Udptl => relay::udptl_datagram(&mut self.streams, slot, at, (source, &packet)),
            };
            if let Some(event) = event {
                (self.events)(event);
            }
        }
        self.report_digits(slot);
    }

    fn bridge(&mut self, a: StreamId, a_to_b: &PayloadMap, b: StreamId, b_to_a: &PayloadMap) {
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
    fn rest(&mut self, id: StreamId) {
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
        }
    }

    fn begin(&mut self, now: Time, id: StreamId, request: Request) {
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

    fn release(&mut self, id: StreamId) {
        self.rest(id);
        let now = self.now();
        let taps = self.stream(id).and_then(|stream| stream.taps.as_mut());
        taps.into_iter().for_each(|taps| taps.close(now, None));
        let (mut counts, mut heard) = (StreamCounts::default(), None);
        let slot = self.slots.remove(&id);
        if let Some(slot) = slot {
            self.forget_named(slot);
        }
        if let Some(slot) = slot
            && let Some(stream) = self.streams.try_remove(slot)
        {
            let port = stream.port;
            // The sockets close, and with that leave epoll, before the ports may be given to another.
            (counts, heard) = stream.total();
            self.ports.give_back(port);
        }
        (self.events)(MediaEvent::Released { stream: id, counts, heard });
    }
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
