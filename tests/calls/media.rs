//! The media ring as the switch sees it: ports, and who is connected to whom. No packets but the ones a test asks
//! about.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;
use strowger::audio::g711::Law;
use strowger::clock::Time;
use strowger::linetest::report::Measured;
use strowger::linetest::{Frame, Measurement, Plan};
use strowger::pbx::media::{
    DigitForm, Heard, Listening, MediaCommand, MediaEvent, PayloadMap, Remote, StreamCounts, StreamId, StreamKind,
    StreamReport, WhileBridged,
};
use strowger::pbx::mixing::{MixId, SpyPlan};
use strowger::pbx::recording::{RecordPlan, Recorded, RecordingEnd, RecordingId};
use strowger::rng::Rng;
use strowger::sim::line::{self, LineFaults};

/// What was measured of which lines.
static MEASURED: Mutex<BTreeMap<String, Measured>> = Mutex::new(BTreeMap::new());

#[derive(Debug)]
pub enum Doing {
    Idle,
    Bridged(StreamId, PayloadMap),
    Echo,
    Playing(u64),
    /// It hears what comes to this stream.
    Fed(StreamId),
    /// It takes part in a mix; how often what it hears is doubled.
    Mixed(i8),
}

pub struct Stream {
    pub rtp: SocketAddr,
    pub kind: StreamKind,
    pub remote: Option<Remote>,
    pub doing: Doing,
    /// When its silence is reported.
    pub limit: Option<Duration>,
    /// How often its peer is sent something when there is nothing to send.
    pub keepalive: Option<Duration>,
    /// Its silence was reported.
    pub reported: bool,
    /// Where its peer's digits are looked for.
    pub listening: Listening,
}

/// See the module.
pub struct MediaStub {
    pub streams: BTreeMap<StreamId, Stream>,
    /// Who is spied on, by which mix.
    pub spied: BTreeMap<(StreamId, MixId), SpyPlan>,
    /// What is recorded.
    pub recordings: Vec<(StreamId, RecordingId, RecordPlan)>,
    /// Recordings that got another name.
    pub renamed: Vec<(RecordingId, String)>,
    /// How many recordings there were.
    pub recorded: u64,
    /// Pairs of ports still to be had.
    pub ports: usize,
    next_port: u16,
    /// What was played, in order: how many bytes each playing had.
    pub played: Vec<usize>,
    /// The tones played, in order: how many bytes each had, and where it began again.
    pub tones: Vec<(usize, Option<usize>)>,
    /// In which codec, by its payload type, and with how many milliseconds in a packet sounds went on.
    pub recoded: Vec<(u8, u8)>,
    reported: BTreeSet<(StreamId, u64)>,
    /// Whose sound never comes: the addresses it would come from.
    pub mute: BTreeSet<SocketAddr>,
    /// From where nothing comes for the time being.
    pub silent: BTreeMap<SocketAddr, Time>,
    /// What is counted of the streams of these addresses.
    pub reports: BTreeMap<SocketAddr, StreamReport>,
    /// How the packets of a peer came, by where it wants its own, told when its ports are closed.
    pub heard: BTreeMap<SocketAddr, Heard>,
    /// What comes back of what the peers at these addresses are sent; where none is named, nothing is wrong and nothing
    /// comes back.
    pub lines: BTreeMap<SocketAddr, LineFaults>,
    /// The digits that peers were sent, with the addresses they went to.
    pub pressed: Vec<(SocketAddr, char, Duration, DigitForm)>,
}

impl MediaStub {
    pub fn new() -> MediaStub {
        MediaStub {
            streams: BTreeMap::new(),
            spied: BTreeMap::new(),
            recordings: Vec::new(),
            renamed: Vec::new(),
            recorded: 0,
            ports: 1000,
            next_port: 10_000,
            played: Vec::new(),
            tones: Vec::new(),
            recoded: Vec::new(),
            reported: BTreeSet::new(),
            mute: BTreeSet::new(),
            silent: BTreeMap::new(),
            reports: BTreeMap::new(),
            heard: BTreeMap::new(),
            lines: BTreeMap::new(),
            pressed: Vec::new(),
        }
    }

    /// Ends recordings.
    pub fn end_recordings(
        &mut self,
        is_meant: impl Fn(&(StreamId, RecordingId, RecordPlan)) -> bool,
        end: &RecordingEnd,
    ) -> Vec<(Duration, MediaEvent)> {
        let (ended, rest): (Vec<_>, Vec<_>) = self.recordings.drain(..).partition(is_meant);
        self.recordings = rest;
        let events = ended.into_iter().map(|(stream, recording, plan)| {
            let files = plan.files.iter().map(|file| file.path.replace("%d", "0")).collect();
            let recorded = Box::new(Recorded::of(&plan, end.clone(), files));
            (Duration::from_millis(1), MediaEvent::Recorded { stream, recording, recorded })
        });
        events.collect()
    }

    /// Is anybody played anything?
    pub fn is_playing(&self) -> bool {
        self.streams.values().any(|stream| matches!(stream.doing, Doing::Playing(_)))
    }

    /// Executes a command; each report comes so much later.
    pub fn execute(&mut self, command: MediaCommand) -> Vec<(Duration, MediaEvent)> {
        let soon = Duration::from_millis(1);
        match command {
            MediaCommand::Reserve { stream, local, kind } => vec![(soon, self.reserve(stream, local, kind))],
            MediaCommand::Remote { stream, mut remote } => {
                // Nothing is sent to a port of our own.
                let is_far = |at: &SocketAddr| self.streams.values().all(|stream| !is_in_pair(stream.rtp, *at));
                remote.rtp = remote.rtp.filter(is_far);
                remote.rtcp = remote.rtcp.filter(is_far);
                if let Some(found) = self.streams.get_mut(&stream) {
                    found.remote = Some(remote);
                }
                self.silence(stream)
            }
            MediaCommand::Watch { stream, limit, keepalive } => {
                if let Some(found) = self.streams.get_mut(&stream) {
                    (found.limit, found.keepalive) = (limit, keepalive);
                }
                self.silence(stream)
            }
            MediaCommand::Bridge { a, b, a_to_b, b_to_a } => {
                let mut events = self.turn(a, Doing::Bridged(b, a_to_b));
                events.extend(self.turn(b, Doing::Bridged(a, b_to_a)));
                events
            }
            MediaCommand::Echo { stream } => self.turn(stream, Doing::Echo),
            MediaCommand::Play { stream, play, sounds, skip, repeat, payload_type, .. } => {
                let length = sounds.iter().map(|sound| sound.len()).sum::<usize>().saturating_sub(skip);
                self.played.push(length);
                let mut events = self.turn(stream, Doing::Playing(play));
                events.extend(self.measure(stream, &sounds.concat(), payload_type, repeat));
                if !repeat {
                    let length = Duration::from_micros(length as u64 * 125);
                    events.push((length, MediaEvent::Played { stream, play }));
                }
                events
            }
            MediaCommand::Tone { stream, play, sound, again, .. } => {
                self.played.push(sound.len());
                self.tones.push((sound.len(), again));
                let mut events = self.turn(stream, Doing::Playing(play));
                if again.is_none() {
                    let length = Duration::from_micros(sound.len() as u64 * 125);
                    events.push((length, MediaEvent::Played { stream, play }));
                }
                events
            }
            MediaCommand::Recode { to, ptime_ms, .. } => {
                self.recoded.push((to.payload_type, ptime_ms));
                Vec::new()
            }
            MediaCommand::Listen { stream, listening } => {
                if let Some(found) = self.streams.get_mut(&stream) {
                    found.listening = listening;
                }
                Vec::new()
            }
            MediaCommand::SendDigit { stream, digit, duration, form } => {
                let remote = self.streams.get(&stream).and_then(|found| found.remote?.rtp);
                self.pressed.extend(remote.map(|to| (to, digit, duration, form)));
                Vec::new()
            }
            MediaCommand::Record { stream, recording, plan } => {
                self.recordings.push((stream, recording, *plan));
                self.recorded += 1;
                Vec::new()
            }
            MediaCommand::PauseRecording { .. } => Vec::new(),
            MediaCommand::RenameRecording { recording, base, .. } => {
                self.renamed.push((recording, base));
                Vec::new()
            }
            MediaCommand::StopRecording { recording, .. } => {
                self.end_recordings(|(_, id, _)| *id == recording, &RecordingEnd::Stopped)
            }
            MediaCommand::Feed { stream, source, .. } => {
                let mut events = self.turn(stream, Doing::Fed(source));
                if !matches!(self.streams[&source].doing, Doing::Idle) {
                    events.extend(self.turn(source, Doing::Idle));
                }
                events
            }
            MediaCommand::Mix { stream, seat, .. } => self.turn(stream, Doing::Mixed(seat.gain)),
            MediaCommand::Spy { stream, mix, plan } => {
                self.spied.insert((stream, mix), *plan);
                Vec::new()
            }
            MediaCommand::StopSpying { stream, mix } => {
                self.spied.remove(&(stream, mix));
                Vec::new()
            }
            MediaCommand::Idle { stream } => {
                for listener in self.streams.values_mut() {
                    if matches!(listener.doing, Doing::Fed(source) if source == stream) {
                        listener.doing = Doing::Idle;
                    }
                }
                self.turn(stream, Doing::Idle)
            }
            MediaCommand::Count { stream } => {
                let report = self.report(stream).map(Box::new);
                report.into_iter().map(|report| (soon, MediaEvent::Counted { stream, report })).collect()
            }
            MediaCommand::Release { stream } => self.release(stream),
        }
    }

    /// What is measured of a stream that is sent this: told when the recorder would.
    fn measure(&self, id: StreamId, sound: &[u8], payload_type: u8, repeat: bool) -> Option<(Duration, MediaEvent)> {
        let is_its = |(stream, _, plan): &&(StreamId, RecordingId, RecordPlan)| *stream == id && plan.measure.is_some();
        let (_, recording, plan) = self.recordings.iter().find(is_its)?;
        let (measure, law) = (plan.measure?, Law::of_payload_type(payload_type)?);
        let source = self.streams.get(&id)?.remote?.rtp?;
        let faults = self.lines.get(&source).cloned().unwrap_or_default();
        // The same line is measured by many stories: once is enough.
        let key = format!("{measure:?} {faults:?} {payload_type} {}", sound.len());
        let known = MEASURED.lock().unwrap().get(&key).cloned();
        let measured = known.unwrap_or_else(|| {
            let measured = measured(measure, (sound, payload_type, repeat), law, &faults);
            MEASURED.lock().unwrap().insert(key, measured.clone());
            measured
        });
        let recorded = Box::new(Recorded {
            measured: Some(Box::new(measured)),
            ..Recorded::of(plan, RecordingEnd::Max, Vec::new())
        });
        let late = measure.lasting + Duration::from_millis(600);
        Some((late, MediaEvent::Recorded { stream: id, recording: *recording, recorded }))
    }

    fn reserve(&mut self, stream: StreamId, local: IpAddr, kind: StreamKind) -> MediaEvent {
        if self.ports == 0 {
            return MediaEvent::NoPorts { stream, why: "all are in use".into() };
        }
        self.ports -= 1;
        let rtp = SocketAddr::new(local, self.next_port);
        self.next_port = if self.next_port >= 19_998 { 10_000 } else { self.next_port + 2 };
        let known = self.streams.insert(
            stream,
            Stream {
                rtp,
                kind,
                remote: None,
                doing: Doing::Idle,
                limit: None,
                keepalive: None,
                reported: false,
                listening: Listening::default(),
            },
        );
        assert!(known.is_none(), "{stream:?} is reserved twice");
        MediaEvent::Reserved { stream, rtp }
    }

    /// The stream on which a digit of a phone at this address is heard: as an event, or in its sound.
    pub fn hears_digits_of(&self, source: SocketAddr, in_sound: bool) -> Option<StreamId> {
        let is_of = |stream: &Stream| stream.remote.is_some_and(|remote| remote.rtp == Some(source));
        let (id, stream) = self.streams.iter().find(|(_, stream)| is_of(stream))?;
        let listening = stream.listening;
        let is_bridged = matches!(stream.doing, Doing::Bridged(..));
        let heard = if in_sound {
            listening.inband.is_some() && (!is_bridged || listening.bridged == WhileBridged::Listen)
        } else {
            let passes = [WhileBridged::Pass, WhileBridged::Listen].contains(&listening.bridged);
            listening.events.is_some() && (!is_bridged || !passes)
        };
        heard.then_some(*id)
    }

    /// What it did before ends; a bridge ends for both.
    fn turn(&mut self, stream: StreamId, doing: Doing) -> Vec<(Duration, MediaEvent)> {
        let Some(found) = self.streams.get_mut(&stream) else { return Vec::new() };
        let before = std::mem::replace(&mut found.doing, doing);
        match before {
            Doing::Playing(play) => vec![(Duration::from_millis(1), MediaEvent::Played { stream, play })],
            Doing::Bridged(other, _) => {
                let now_with = match &self.streams[&stream].doing {
                    Doing::Bridged(now, _) => Some(*now),
                    _ => None,
                };
                if now_with != Some(other)
                    && let Some(partner) = self.streams.get_mut(&other)
                    && matches!(partner.doing, Doing::Bridged(of, _) if of == stream)
                {
                    partner.doing = Doing::Idle;
                }
                Vec::new()
            }
            Doing::Idle | Doing::Echo | Doing::Fed(_) | Doing::Mixed(..) => Vec::new(),
        }
    }

    fn release(&mut self, stream: StreamId) -> Vec<(Duration, MediaEvent)> {
        let mut events = self.turn(stream, Doing::Idle);
        self.spied.retain(|(of, _), _| *of != stream);
        events.extend(self.end_recordings(|(of, ..)| *of == stream, &RecordingEnd::Stopped));
        // A stream without ports is released as well: what was refused is not there.
        let released = self.streams.remove(&stream);
        self.ports += usize::from(released.is_some());
        let source = released.and_then(|stream| stream.remote).and_then(|remote| remote.rtp);
        let heard = source.and_then(|source| self.heard.get(&source)).cloned().map(Box::new);
        let counts = match source {
            Some(source) if self.mute.contains(&source) => StreamCounts { strangers: 7, ..StreamCounts::default() },
            Some(_) => StreamCounts { received: 50, sent: 50, ..StreamCounts::default() },
            None => StreamCounts::default(),
        };
        events.push((Duration::from_millis(1), MediaEvent::Released { stream, counts, heard }));
        events
    }

    /// What a stream has counted: all is well, unless a test says otherwise.
    fn report(&self, stream: StreamId) -> Option<StreamReport> {
        let source = self.streams.get(&stream)?.remote.and_then(|remote| remote.rtp);
        let said = source.and_then(|source| self.reports.get(&source));
        let counts = StreamCounts { received: 50, sent: 50, ..StreamCounts::default() };
        Some(said.cloned().unwrap_or(StreamReport { counts, source, ..StreamReport::default() }))
    }

    /// A sound ended, or was cut off; false when that was reported before.
    pub fn ended(&mut self, stream: StreamId, play: u64) -> bool {
        if let Some(found) = self.streams.get_mut(&stream)
            && matches!(found.doing, Doing::Playing(now) if now == play)
        {
            found.doing = Doing::Idle;
        }
        self.reported.insert((stream, play))
    }

    /// The report of a stream's silence, as late as it is due, if it is silent now.
    fn silence(&self, stream: StreamId) -> Vec<(Duration, MediaEvent)> {
        let limit = self.streams.get(&stream).and_then(|found| found.limit).filter(|_| self.is_silent(stream));
        limit.into_iter().map(|lasting| (lasting, MediaEvent::Silent { stream, lasting })).collect()
    }

    /// Does nothing come from a stream's peer?
    pub fn is_silent(&self, stream: StreamId) -> bool {
        let Some(found) = self.streams.get(&stream) else { return false };
        let source = found.remote.and_then(|remote| remote.rtp);
        source.is_none_or(|source| self.silent.contains_key(&source))
    }

    /// Its silence is reported, unless it was before or something came meanwhile.
    pub fn reports_silence(&mut self, now: Time, stream: StreamId, lasting: Duration) -> bool {
        let source = self.streams.get(&stream).and_then(|found| found.remote?.rtp);
        let since = source.and_then(|source| self.silent.get(&source).copied());
        let is_silent = self.is_silent(stream) && since.is_none_or(|since| now.since(since) >= lasting);
        let Some(found) = self.streams.get_mut(&stream) else { return false };
        is_silent && !std::mem::replace(&mut found.reported, is_silent)
    }

    /// Nothing comes from an address from now on, or again.
    pub fn set_silent(&mut self, source: SocketAddr, since: Option<Time>) -> Vec<(Duration, MediaEvent)> {
        let silent = since.is_some();
        let changed = match since {
            Some(since) => self.silent.insert(source, since).is_none(),
            None => self.silent.remove(&source).is_some(),
        };
        let is_from = |stream: &Stream| stream.remote.is_some_and(|remote| remote.rtp == Some(source));
        let concerned: Vec<StreamId> =
            self.streams.iter().filter(|(_, stream)| changed && is_from(stream)).map(|(id, _)| *id).collect();
        let mut events = Vec::new();
        for id in concerned {
            events.extend(self.silence(id));
            let found = self.streams.get_mut(&id).unwrap();
            if !silent && std::mem::take(&mut found.reported) {
                events.push((Duration::from_millis(1), MediaEvent::Heard { stream: id }));
            }
        }
        events
    }

    /// What the stream of the peer at this address does; none when it has none.
    pub fn doing(&self, rtp: &str) -> Option<&Doing> {
        let rtp: SocketAddr = rtp.parse().unwrap();
        let is_its = |stream: &&Stream| stream.remote.is_some_and(|remote| remote.rtp == Some(rtp));
        self.streams.values().find(is_its).map(|stream| &stream.doing)
    }

    /// The stream of the peer at this address.
    pub fn stream_of(&self, rtp: &str) -> Option<StreamId> {
        let rtp: SocketAddr = rtp.parse().unwrap();
        let is_its = |stream: &Stream| stream.remote.is_some_and(|remote| remote.rtp == Some(rtp));
        self.streams.iter().find(|(_, stream)| is_its(stream)).map(|(id, _)| *id)
    }

    /// Where a packet from `source` to `target` goes on to, from where, and with which payload type.
    pub fn forward(&self, source: SocketAddr, target: SocketAddr, payload: u8) -> Option<(SocketAddr, SocketAddr, u8)> {
        let stream = self.streams.values().find(|stream| stream.rtp == target)?;
        let known = stream.remote.as_ref().and_then(|remote| remote.rtp);
        if known != Some(source) {
            return None;
        }
        match &stream.doing {
            Doing::Idle | Doing::Playing(_) | Doing::Fed(_) | Doing::Mixed(..) => None,
            Doing::Echo => Some((target, source, payload)),
            Doing::Bridged(other, map) => {
                let other = self.streams.get(other)?;
                let to = other.remote.as_ref().and_then(|remote| remote.rtp)?;
                Some((other.rtp, to, map.0[usize::from(payload)]))
            }
        }
    }
}

/// What is measured of a line that is sent this.
fn measured(plan: Plan, (sound, payload_type, repeat): (&[u8], u8, bool), law: Law, faults: &LineFaults) -> Measured {
    let length = usize::try_from(plan.lasting.as_millis()).unwrap() * 8;
    let silence = std::iter::repeat_n(law.silence(), length);
    let sent: Vec<u8> = match repeat {
        true => sound.iter().copied().cycle().take(length).collect(),
        false => sound.iter().copied().chain(silence).take(length).collect(),
    };
    let heard: Vec<i16> = sent.iter().map(|byte| law.decode(*byte)).collect();
    let mut measurement = Measurement::new(plan, Time::ZERO);
    for (number, payload) in (0u32..).zip(sent.chunks(160)) {
        measurement.put(&Frame {
            is_sent: true,
            at: Time::from_start(Duration::from_millis(20 * u64::from(number))),
            ssrc: 1,
            sequence: number as u16,
            timestamp: number * 160,
            payload_type,
            law: Some(law),
            payload,
        });
    }
    for packet in line::answer(&heard, faults, &mut Rng::from_number(1)) {
        let line::LinePacket { at, ssrc, sequence, timestamp, payload_type, ref payload } = packet;
        let law = Law::of_payload_type(payload_type);
        measurement.put(&Frame { is_sent: false, at, ssrc, sequence, timestamp, payload_type, law, payload });
    }
    measurement.finish()
}

fn is_in_pair(rtp: SocketAddr, at: SocketAddr) -> bool {
    rtp.ip() == at.ip() && rtp.port() == at.port() & !1
}
