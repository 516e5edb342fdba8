//! The thread that writes recordings, and that measures lines. The media thread gives it copies of packets and never
//! waits for it.

use super::inbox::{Order, Orders, Wakeup};
use super::priority;
use super::sound_file::SoundFile;
use super::track::Track;
use crate::clock::Time;
use crate::linetest::{self, Measurement};
use crate::pbx::media::{MediaEvent, StreamId};
use crate::pbx::recording::{RecordPlan, Recorded, RecordingEnd, RecordingId, Sides};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Packets that may wait for the writer: 40 seconds of both directions of one call, or a second of 40.
const MAX_WAITING: usize = 4_096;
/// How long packets are waited for before what came is written: longer than they are late.
const HOLD: Duration = Duration::from_millis(600);
/// How long it sleeps when there is nothing to write.
const NAP: Duration = Duration::from_secs(3_600);
/// How often what came is written.
const TURN: Duration = Duration::from_millis(100);
/// Turns between two updates of the files' headers: a second.
const UPDATE: u64 = 10;
/// The mean of the samples of 20 ms below which they are silence, as Asterisk has it.
const SILENCE: u64 = 256;
/// Samples that are judged at once: 20 ms.
const JUDGED: usize = 160;

/// A packet's sound.
pub(super) struct Frame {
    pub recording: RecordingId,
    /// 0: from the peer, 1: to it.
    pub side: usize,
    pub at: Time,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub payload_type: u8,
    pub payload: Box<[u8]>,
}

enum Job {
    Open { stream: StreamId, recording: RecordingId, plan: Box<RecordPlan>, at: Time, paused: bool },
    Frame(Frame),
    Pause { recording: RecordingId, at: Time, paused: bool },
    Rename { recording: RecordingId, base: String },
    Close { recording: RecordingId, at: Time, dropped: u64 },
}

/// The way to the thread.
#[derive(Clone)]
pub(super) struct RecorderQueue {
    jobs: Sender<Job>,
    /// Packets that wait; orders are as many as the commands.
    waiting: Arc<AtomicUsize>,
}

impl RecorderQueue {
    /// Gives a packet; false: too many wait, and it is dropped.
    pub(super) fn put(&self, frame: Frame) -> bool {
        if self.waiting.load(Ordering::Relaxed) >= MAX_WAITING {
            return false;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.jobs.send(Job::Frame(frame)).is_ok()
    }

    pub(super) fn open(
        &self,
        stream: StreamId,
        (recording, plan): (RecordingId, Box<RecordPlan>),
        at: Time,
        paused: bool,
    ) {
        // The thread ends only after the one that calls this.
        let _ = self.jobs.send(Job::Open { stream, recording, plan, at, paused });
    }

    pub(super) fn pause(&self, recording: RecordingId, at: Time, paused: bool) {
        let _ = self.jobs.send(Job::Pause { recording, at, paused });
    }

    pub(super) fn rename(&self, recording: RecordingId, base: &str) {
        let _ = self.jobs.send(Job::Rename { recording, base: base.to_owned() });
    }

    pub(super) fn close(&self, recording: RecordingId, at: Time, dropped: u64) {
        let _ = self.jobs.send(Job::Close { recording, at, dropped });
    }
}

/// The thread, as long as the media thread has it.
pub(super) struct Recorder {
    queue: Option<RecorderQueue>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the thread. `started`: the media thread's beginning of time.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(started: Instant, orders: Orders, wakeup: Arc<Wakeup>) -> io::Result<Recorder> {
        let (jobs, inbox) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let queue = RecorderQueue { jobs, waiting: waiting.clone() };
        let writer = Writer { started, inbox, waiting, orders, wakeup, recordings: BTreeMap::new(), turns: 0 };
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            // Writing may wait for a disk: nobody is to wait for that.
            priority::be_ordinary();
            writer.run()
        })?;
        Ok(Recorder { queue: Some(queue), thread: Some(thread) })
    }

    pub(super) fn queue(&self) -> Option<RecorderQueue> {
        self.queue.clone()
    }

    /// Writes what it has, and ends. Every other way to it must be gone.
    pub(super) fn stop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

struct Writer {
    started: Instant,
    inbox: Receiver<Job>,
    waiting: Arc<AtomicUsize>,
    orders: Orders,
    wakeup: Arc<Wakeup>,
    recordings: BTreeMap<RecordingId, Recording>,
    turns: u64,
}

impl Writer {
    fn run(mut self) {
        let mut next = Instant::now() + TURN;
        loop {
            let is_idle = self.recordings.is_empty();
            let wait = if is_idle { NAP } else { next.saturating_duration_since(Instant::now()) };
            match self.inbox.recv_timeout(wait) {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= next {
                next = Instant::now() + TURN;
                self.turn();
            }
        }
        let now = self.now();
        for recording in std::mem::take(&mut self.recordings).into_values() {
            drop(recording.finish(now, RecordingEnd::Stopped, 0));
        }
    }

    fn now(&self) -> Time {
        Time::from_start(self.started.elapsed())
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Open { stream, recording, plan, at, paused } => match Recording::open(stream, *plan, at, paused) {
                Ok(opened) => drop(self.recordings.insert(recording, opened)),
                Err((plan, why)) => {
                    let recorded = Recorded::failed(&plan, why);
                    self.report(stream, recording, recorded);
                }
            },
            Job::Frame(frame) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                if let Some(recording) = self.recordings.get_mut(&frame.recording) {
                    recording.put(&frame);
                }
            }
            Job::Pause { recording, at, paused } => {
                let Some(found) = self.recordings.get_mut(&recording) else { return };
                if let Some(end) = found.pause(at, paused) {
                    self.finish(recording, at, end, 0);
                }
            }
            Job::Rename { recording, base } => {
                if let Some(recording) = self.recordings.get_mut(&recording) {
                    recording.rename(&base);
                }
            }
            Job::Close { recording, at, dropped } => self.finish(recording, at, RecordingEnd::Stopped, dropped),
        }
    }

    /// Writes what is old enough of all recordings.
    fn turn(&mut self) {
        self.turns = self.turns.saturating_add(1);
        let now = self.now();
        let updates = self.turns.is_multiple_of(UPDATE);
        let ends: Vec<(RecordingId, RecordingEnd)> = self
            .recordings
            .iter_mut()
            .filter_map(|(id, recording)| Some((*id, recording.advance(now, HOLD, updates)?)))
            .collect();
        for (id, end) in ends {
            self.finish(id, now, end, 0);
        }
    }

    fn finish(&mut self, id: RecordingId, at: Time, end: RecordingEnd, dropped: u64) {
        if let Some(recording) = self.recordings.remove(&id) {
            let stream = recording.stream;
            self.report(stream, id, recording.finish(at, end, dropped));
        }
    }

    fn report(&self, stream: StreamId, recording: RecordingId, recorded: Recorded) {
        let event = MediaEvent::Recorded { stream, recording, recorded: Box::new(recorded) };
        // The media thread may have ended.
        self.orders.put(Order::Report(event));
        self.wakeup.signal();
    }
}

/// A recording that is written.
struct Recording {
    stream: StreamId,
    plan: RecordPlan,
    files: Vec<(SoundFile, Sides)>,
    /// When its first sample was heard, if it had not been paused.
    start: Time,
    paused: Option<Time>,
    tracks: [Track; 2],
    /// Samples written.
    written: i64,
    /// Samples for which the peer has been as `until` has it.
    lasting: u64,
    undecoded: u64,
    /// What is measured.
    measurement: Option<Measurement>,
    /// Why a file could not be named anew.
    not_renamed: String,
}

impl Recording {
    fn open(
        stream: StreamId,
        plan: RecordPlan,
        at: Time,
        paused: bool,
    ) -> Result<Recording, (Box<RecordPlan>, String)> {
        let opened: Result<Vec<_>, String> = plan
            .files
            .iter()
            .map(|file| Ok((SoundFile::open(&file.path, file.container, plan.append)?, file.sides)))
            .collect();
        match opened {
            Ok(files) => Ok(Recording {
                stream,
                measurement: plan.measure.map(|measure| Measurement::new(measure, at)),
                plan,
                files,
                start: at,
                paused: paused.then_some(at),
                tracks: Default::default(),
                written: 0,
                lasting: 0,
                undecoded: 0,
                not_renamed: String::new(),
            }),
            Err(why) => Err((Box::new(plan), why)),
        }
    }

    /// Names its files anew. One that cannot be keeps the name it has, and goes on.
    fn rename(&mut self, base: &str) {
        for (file, sides) in &mut self.files {
            let direction = match sides {
                Sides::Both => "",
                Sides::FromPeer => "-in",
                Sides::ToPeer => "-out",
            };
            let ending = file.path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, it)| it);
            if let Err(why) = file.rename(&format!("{base}{direction}.{ending}")) {
                self.not_renamed = why;
            }
        }
    }

    /// Samples from the begin until then.
    fn position(&self, at: Time) -> i64 {
        i64::try_from(at.since(self.start).as_micros() / 125).unwrap_or(i64::MAX)
    }

    fn put(&mut self, frame: &Frame) {
        if self.paused.is_some() || frame.at < self.start {
            return;
        }
        let law = self.plan.laws.iter().find(|(payload_type, _)| *payload_type == frame.payload_type);
        if let Some(measurement) = &mut self.measurement {
            let Frame { at, ssrc, sequence, timestamp, payload_type, ref payload, .. } = *frame;
            let (is_sent, law) = (frame.side != 0, law.map(|(_, law)| *law));
            return measurement.put(&linetest::Frame {
                is_sent,
                at,
                ssrc,
                sequence,
                timestamp,
                payload_type,
                law,
                payload,
            });
        }
        let Some((_, law)) = law else {
            // Telephone events and comfort noise are no sound that is missing.
            let is_sound = frame.payload.len() > 8;
            self.undecoded = self.undecoded.saturating_add(u64::from(is_sound));
            return;
        };
        let arrival = self.position(frame.at);
        let samples = frame.payload.iter().map(|byte| law.decode(*byte));
        if let Some(track) = self.tracks.get_mut(frame.side) {
            track.put(frame.ssrc, frame.timestamp, arrival, samples);
        }
    }

    /// Begins a pause, or ends it. What is left out is left out of the file.
    fn pause(&mut self, at: Time, paused: bool) -> Option<RecordingEnd> {
        match (self.paused, paused) {
            (None, true) => {
                let end = self.advance(at, Duration::ZERO, false);
                self.paused = Some(at);
                end
            }
            (Some(since), false) => {
                self.start = self.start + at.since(since);
                self.paused = None;
                self.tracks.iter_mut().for_each(Track::restart);
                None
            }
            _ => None,
        }
    }

    /// Writes all that is older than `hold`; says why it is over when it is.
    fn advance(&mut self, now: Time, hold: Duration, updates: bool) -> Option<RecordingEnd> {
        if self.paused.is_some() {
            return None;
        }
        let hold = i64::try_from(hold.as_millis()).unwrap_or(i64::MAX).saturating_mul(8);
        let mut until = self.position(now).saturating_sub(hold);
        let max = self.plan.max.map(|max| i64::try_from(max.as_millis()).unwrap_or(i64::MAX).saturating_mul(8));
        let is_full = max.is_some_and(|max| until >= max);
        until = max.map_or(until, |max| until.min(max));
        let number = usize::try_from(until.saturating_sub(self.written)).unwrap_or(0);
        let [from, to] = &mut self.tracks;
        let (from, to) = (from.take(number), to.take(number));
        self.written = self.written.saturating_add(i64::try_from(number).unwrap_or(0));
        if let Err(error) = self.write(&from, &to, updates) {
            return Some(RecordingEnd::Failed(error));
        }
        if self.hears(&from) {
            return Some(RecordingEnd::Until);
        }
        is_full.then_some(RecordingEnd::Max)
    }

    fn write(&mut self, from: &[i16], to: &[i16], updates: bool) -> Result<(), String> {
        let [louder_from, louder_to] = self.plan.gains;
        for (file, sides) in &mut self.files {
            let mixed: Vec<i16> = from
                .iter()
                .zip(to)
                .map(|(from, to)| {
                    let (from, to) = (gained(*from, louder_from), gained(*to, louder_to));
                    match sides {
                        Sides::Both => from.saturating_add(to),
                        Sides::FromPeer => from,
                        Sides::ToPeer => to,
                    }
                })
                .collect();
            let written = file.write(&mixed).and_then(|()| if updates { file.update() } else { Ok(()) });
            written.map_err(|error| format!("{}: {error}", file.path))?;
        }
        Ok(())
    }

    /// Has the peer been silent, or heard, for as long as it takes?
    fn hears(&mut self, from: &[i16]) -> bool {
        let Some(until) = self.plan.until else { return false };
        let wanted = u64::try_from(until.lasting.as_millis()).unwrap_or(u64::MAX).saturating_mul(8);
        for part in from.chunks(JUDGED) {
            let sum: u64 = part.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
            let length = u64::try_from(part.len()).unwrap_or(1).max(1);
            let is_noise = sum / length >= SILENCE;
            self.lasting = if is_noise == until.noise { self.lasting.saturating_add(length) } else { 0 };
            if self.lasting >= wanted.max(1) {
                return true;
            }
        }
        false
    }

    /// Writes the rest and gives the files their lengths.
    fn finish(mut self, at: Time, end: RecordingEnd, dropped: u64) -> Recorded {
        let mut end = end;
        if end == RecordingEnd::Stopped
            && let Some(other) = self.advance(at, Duration::ZERO, false)
        {
            end = other;
        }
        for (file, _) in &mut self.files {
            if let Err(error) = file.update()
                && !matches!(end, RecordingEnd::Failed(_))
            {
                end = RecordingEnd::Failed(format!("{}: {error}", file.path));
            }
        }
        let moved = self.tracks.iter().map(|track| track.moved).sum();
        let files = self.files.iter().map(|(file, _)| file.path.clone()).collect();
        let length = Duration::from_micros(u64::try_from(self.written).unwrap_or(0).saturating_mul(125));
        let not_renamed = self.not_renamed;
        let measured = self.measurement.map(|measurement| Box::new(measurement.finish()));
        Recorded {
            length,
            dropped,
            undecoded: self.undecoded,
            moved,
            measured,
            not_renamed,
            ..Recorded::of(&self.plan, end, files)
        }
    }
}

/// A sample doubled or halved so often.
fn gained(sample: i16, times: i8) -> i16 {
    let factor = 1i32 << times.unsigned_abs().min(8);
    let louder = if times >= 0 { i32::from(sample).saturating_mul(factor) } else { i32::from(sample) / factor };
    i16::try_from(louder).unwrap_or(if louder < 0 { i16::MIN } else { i16::MAX })
}
