//! One stream: a leg's two sockets, where its peer is, and what it is doing.

use super::digit_listener::DigitListener;
use super::digit_sender::DigitSender;
use super::early::{Early, Waiting};
use super::feeding::Feeding;
use super::media_socket::MediaSocket;
use super::pair::Pair;
use super::player::Playing;
use super::seat::Seated;
use super::silence::{COMFORT_NOISE, SILENT, Silence};
use super::taps::Taps;
use crate::clock::Time;
use crate::pbx::media::{Heard, Remote, StreamCounts, StreamId, StreamKind, StreamReport};
use crate::rtp::continuity::{Continuity, Place};
use crate::rtp::header::{self, Header};
use crate::rtp::reporter::Reporter;
use crate::rtp::rtcp;
use crate::rtp::strict::{Expected, Learner, REMAPPED};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How long first packets wait for the verb that says what to do with them, once the peer's address is known.
const WAIT: Duration = Duration::from_millis(100);

/// The samples a packet of comfort noise stands for: 20 ms.
const KEEPALIVE_STEP: u32 = 160;

/// How long a peer that is followed to where it sends from may be silent before its socket hears everybody again: before
/// another source may be learned.
const QUIET: Duration = Duration::from_secs(1);
const _: () = assert!(QUIET.as_millis() < REMAPPED.as_millis());

/// The side of a recording that a packet from the peer belongs to.
pub(super) const FROM_PEER: usize = 0;
/// The side that one to it belongs to.
const TO_PEER: usize = 1;

/// A leg's media.
pub(super) struct Stream {
    pub id: StreamId,
    pub kind: StreamKind,
    pub port: u16,
    pub rtp: MediaSocket,
    pub rtcp: MediaSocket,
    pub learner: Learner,
    /// How what comes from the peer came.
    pub heard: Heard,
    pub counts: StreamCounts,
    pub mode: Mode,
    /// What goes out to the peer.
    pub line: Continuity,
    /// Bytes of sound sent to the peer.
    pub octets: u64,
    /// The reports that the exchange makes of it itself, where it is the other end.
    pub reporter: Option<Box<Reporter>>,
    /// Whether packets are forwarded. Not before the peer's address is known: until then they are kept, so that a peer
    /// whose first packets overtake its answer loses none.
    pub listening: bool,
    /// Whether something will look at the packets that are kept, when they have waited.
    pub is_awaited: bool,
    early: Early,
    /// When the peer's address became known.
    known: Option<Time>,
    /// What its peer presses, when somebody asked for it.
    pub digits: Option<Box<DigitListener>>,
    /// The digit that its peer is sent; what else there is to be sent is left out meanwhile.
    pub sending: Option<Box<DigitSender>>,
    /// What is recorded of it, and who spies on it; nearly always none: then a packet costs nothing more than the look at it.
    pub taps: Option<Box<Taps>>,
    /// How long nothing has come or gone.
    pub silence: Silence,
    /// When [`Stream::reopen`] will be called, if it will.
    guarded: Option<Time>,
    /// Where the latest packet came from that was dropped for its source.
    pub stranger: Option<SocketAddr>,
    /// RTP packets that the system refused to send, and its latest reason.
    refused: Option<(u64, io::Error)>,
    remote: Option<Remote>,
    rtp_to: Option<SocketAddr>,
    rtcp_to: Option<SocketAddr>,
}

/// At which port of the exchange an RTCP packet came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// At the odd one, which is for it.
    OnRtcp,
    /// At the even one, among the RTP packets.
    OnRtp,
}

/// What a stream does with what it receives.
pub(super) enum Mode {
    /// Nothing: packets are counted only.
    Idle,
    /// Forwards to the stream in another slot; `map` is there when a payload type changes its number on the way.
    Bridged { partner: usize, map: Option<Box<[u8; 128]>> },
    /// Sends back.
    Echo,
    /// Sends a sound; what comes in is counted only.
    Playing(Playing),
    /// What comes in goes to many.
    Feeding(Box<Feeding>),
    /// Gets what comes in to the stream in another slot; what comes in itself is counted only.
    Fed { source: usize },
    /// Takes part in a mix.
    Mixed(Box<Seated>),
}

impl Stream {
    pub fn new(id: StreamId, kind: StreamKind, pair: Pair) -> Stream {
        Stream {
            id,
            kind,
            port: pair.port,
            rtp: pair.rtp,
            rtcp: pair.rtcp,
            learner: Learner::new(Expected::default()),
            heard: Heard::default(),
            counts: StreamCounts::default(),
            mode: Mode::Idle,
            line: Continuity::default(),
            octets: 0,
            reporter: None,
            listening: false,
            is_awaited: false,
            early: Early::default(),
            known: None,
            digits: None,
            sending: None,
            taps: None,
            silence: Silence::default(),
            guarded: None,
            stranger: None,
            refused: None,
            remote: None,
            rtp_to: None,
            rtcp_to: None,
        }
    }

    /// Sets where the peer is, from a new offer or answer.
    pub fn set_remote(&mut self, now: Time, remote: Remote) {
        let (before, rtcp_to) = (self.remote, self.rtcp_to);
        self.rtp.disconnect();
        self.learner.reset(
            now,
            Expected {
                rtp: remote.rtp,
                rtcp: remote.rtcp,
                signalling: remote.signalling,
                strictness: remote.strictness,
                symmetric: remote.symmetric,
            },
        );
        self.remote = Some(remote);
        self.known = remote.rtp.map(|_| self.known.unwrap_or(now));
        self.rtcp_to = remote.rtcp;
        // A repeated offer of a peer behind NAT repeats its private address: what was learned still holds.
        if remote.symmetric && before == Some(remote) {
            self.rtcp_to = rtcp_to;
        }
        self.follow();
    }

    /// A packet came before the peer's address is known, or what to do with it.
    pub fn keep(&mut self, now: Time, source: SocketAddr, packet: &[u8]) {
        let expected = self.remote.and_then(|remote| remote.signalling);
        self.early.put(now, expected, source, packet);
    }

    /// Whether forwarding may begin: the peer's address is known, and what to do with the packets too. The verb may come
    /// a moment after the address; without one, the first packets wait for it no longer than `WAIT`.
    pub fn may_listen(&self, now: Time) -> bool {
        let waited = self.known.is_some_and(|known| now.since(known) >= WAIT);
        self.known.is_some() && !self.listening && (waited || !matches!(self.mode, Mode::Idle))
    }

    /// Until when packets that came wait for a verb.
    pub fn patience(&self) -> Option<Time> {
        let is_waiting = !self.listening && !self.early.is_empty();
        self.known.filter(|_| is_waiting).map(|known| known + WAIT)
    }

    /// Begins to forward. What was kept and is not too old; the rest is dropped and counted.
    pub fn listen(&mut self, now: Time) -> Vec<Waiting> {
        self.listening = true;
        let kept = self.early.take(now);
        self.count_dropped();
        kept
    }

    /// What was counted until now, and how RTP came, if any did.
    pub fn total(mut self) -> (StreamCounts, Option<Box<Heard>>) {
        self.early.take(Time::from_start(Duration::MAX));
        self.count_dropped();
        let counts = StreamCounts { lost: self.heard.stats.lost(), ..self.counts };
        let came = self.heard.stats.received() > 0;
        (counts, came.then(|| Box::new(self.heard)))
    }

    fn count_dropped(&mut self) {
        let hosts = self.remote.map(|remote| [remote.rtp.map(|rtp| rtp.ip()), remote.signalling]);
        let dropped = self.early.dropped(|source| hosts.is_some_and(|hosts| hosts.contains(&Some(source.ip()))));
        self.counts.early = self.counts.early.saturating_add(dropped.of_peer);
        self.counts.strangers = self.counts.strangers.saturating_add(dropped.of_strangers);
    }

    /// What it counted until now, and how its packets came.
    pub fn look(&self) -> (StreamCounts, Box<Heard>) {
        let counts = StreamCounts { lost: self.heard.stats.lost(), ..self.counts };
        (counts, Box::new(self.heard.clone()))
    }

    /// What is known of it now.
    pub fn report(&self) -> StreamReport {
        StreamReport {
            counts: StreamCounts { lost: self.heard.stats.lost(), ..self.counts },
            source: self.learner.source(),
            stranger: self.stranger,
            refused: self.refused.as_ref().map(|(number, error)| (*number, error.to_string())),
        }
    }

    /// Sends to the learned source when the peer is to be followed (`nat=comedia`), else to the SDP's address.
    pub fn follow(&mut self) {
        let Some(remote) = self.remote else { return };
        let learned = self.learner.source().filter(|_| remote.symmetric && remote.rtp.is_some());
        self.rtp_to = learned.or(remote.rtp);
    }

    /// A packet was accepted. As soon as no other source can be, the system drops what comes from others. Returns when to call
    /// [`Stream::reopen`], if it is to be.
    pub fn settle(&mut self) -> Option<Time> {
        if self.rtp.is_connected() {
            return None;
        }
        self.rtp.connect(self.learner.only_source()?);
        let last = self.learner.silent_since().filter(|_| self.rtp.is_connected() && self.guarded.is_none())?;
        self.guarded = Some(last + QUIET);
        self.guarded
    }

    /// Everybody is heard again if the peer, whom its silence lets come from elsewhere, is silent. Returns when to look again;
    /// a deadline of another stream that had this slot counts for nothing.
    pub fn reopen(&mut self, now: Time, deadline: Time) -> Option<Time> {
        if self.guarded != Some(deadline) {
            return None;
        }
        let last = self.learner.silent_since().filter(|_| self.rtp.is_connected());
        self.guarded = last.map(|last| last + QUIET).filter(|next| *next > now);
        if last.is_some() && self.guarded.is_none() {
            self.rtp.disconnect();
        }
        self.guarded
    }

    /// An RTCP packet was accepted from `source`: that is where a followed peer receives RTCP.
    pub fn follow_rtcp(&mut self, source: SocketAddr) {
        if self.remote.is_some_and(|remote| remote.symmetric && remote.rtp.is_some()) {
            self.rtcp_to = Some(source);
        }
    }

    /// Sends an RTP packet of `source` to the peer, renumbered only if another source's packets went out before.
    /// Returns where it went.
    pub fn deliver(&mut self, now: Time, source: StreamId, packet: &mut [u8], header: &Header) -> Option<SocketAddr> {
        let Some(to) = self.rtp_to else {
            self.counts.undelivered = self.counts.undelivered.saturating_add(1);
            return None;
        };
        self.send(now, source, to, packet, header)
    }

    /// Sends a datagram to the peer as it is.
    pub fn deliver_datagram(&mut self, datagram: &[u8]) {
        match self.rtp_to {
            Some(to) => {
                let sent = self.rtp.send(datagram, to);
                self.count(sent);
            }
            None => self.counts.undelivered = self.counts.undelivered.saturating_add(1),
        }
    }

    /// Forgets where the peer is: it names a port of the exchange's own.
    pub fn lose_remote(&mut self) {
        self.rtp.disconnect();
        self.remote = self.remote.map(|remote| Remote { rtp: None, rtcp: None, ..remote });
        (self.rtp_to, self.rtcp_to) = (None, None);
    }

    /// Where the peer says it is.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.remote.into_iter().flat_map(|remote| [remote.rtp, remote.rtcp]).flatten()
    }

    fn send(
        &mut self,
        now: Time,
        source: StreamId,
        to: SocketAddr,
        packet: &mut [u8],
        header: &Header,
    ) -> Option<SocketAddr> {
        if self.sending.is_some() {
            self.counts.undelivered = self.counts.undelivered.saturating_add(1);
            return None;
        }
        let shift = self.line.carry(now, source.0, header);
        if !shift.is_identity() {
            let place = shift.place(header);
            header::set_place(packet, place.sequence, place.timestamp, place.ssrc);
        }
        self.silence.speak(now);
        let changed = self.tap(now, TO_PEER, packet);
        let sent = self.rtp.send(changed.as_deref().unwrap_or(packet), to);
        self.octets = self.octets.saturating_add(packet.len().saturating_sub(header::FIXED) as u64);
        self.count(sent).then_some(to)
    }

    /// Gives the recorder and spies a copy of a packet, if the stream has any. What is sent instead of it, if somebody
    /// whispers.
    pub fn tap(&mut self, now: Time, side: usize, packet: &[u8]) -> Option<Vec<u8>> {
        self.taps.as_mut()?.copy(now, side, packet, matches!(self.mode, Mode::Bridged { .. }))
    }

    /// Sends a packet of the exchange's own. Returns where it went.
    pub fn deliver_own(&mut self, now: Time, place: Place, step: u32, packet: &[u8]) -> Option<SocketAddr> {
        let Some(to) = self.rtp_to else {
            self.counts.undelivered = self.counts.undelivered.saturating_add(1);
            return None;
        };
        self.line.own(now, place, step);
        self.silence.speak(now);
        let changed = self.tap(now, TO_PEER, packet);
        let sent = self.rtp.send(changed.as_deref().unwrap_or(packet), to);
        self.octets = self.octets.saturating_add(packet.len().saturating_sub(header::FIXED) as u64);
        self.count(sent).then_some(to)
    }

    /// Sends the peer a packet of comfort noise, after what it was sent before, if there is a place to send it to; a
    /// stream that begins with it begins at `fresh`.
    pub fn keep_alive(&mut self, now: Time, fresh: Place) {
        self.silence.speak(now);
        if self.rtp_to.is_none() || self.kind != StreamKind::Rtp {
            return;
        }
        let place = self.line.begin(now, KEEPALIVE_STEP, fresh);
        let Place { sequence, timestamp, ssrc } = place;
        let header =
            Header { marker: false, payload_type: COMFORT_NOISE, sequence, timestamp, ssrc, length: header::FIXED };
        let mut packet = header.write().to_vec();
        packet.push(SILENT);
        self.deliver_own(now, place, KEEPALIVE_STEP, &packet);
    }

    /// Sends an RTCP packet from the other side to the peer, moved as the RTP packets are (RFC 3550 7.2). `from` is
    /// what goes out to the other side: the packet's reports speak of it. One that came where RTP comes goes where RTP
    /// goes.
    pub fn deliver_rtcp(&mut self, now: Time, from: &Continuity, packet: &mut [u8], came: Came) {
        let (own, reported) = (self.line.shifts(), from.shifts());
        // Until the other side sends RTP, the peer knows only the SSRC of the exchange's own packets: a report would be
        // wrong.
        let orphan = own.is_none() && self.line.has_begun();
        let (own, reported) = (own.unwrap_or_default(), reported.unwrap_or_default());
        let moved = !own.are_identity() || !reported.are_identity();
        let length = if moved { rtcp::shift(packet, &own, &reported) } else { Some(packet.len()) };
        let ready = length.and_then(|length| packet.get(..length)).filter(|_| !orphan);
        let (socket, to) = match came {
            Came::OnRtcp => (&mut self.rtcp, self.rtcp_to),
            Came::OnRtp => (&mut self.rtp, self.rtp_to),
        };
        // A peer that gave no address for RTCP misses nothing.
        let Some(to) = to else { return };
        let sent = ready.is_some_and(|packet| {
            self.heard.far_end.pass(now, packet);
            socket.send(packet, to).is_ok()
        });
        let counter = if sent { &mut self.counts.rtcp_sent } else { &mut self.counts.undelivered };
        *counter = counter.saturating_add(1);
    }

    /// Sends the peer a report of the exchange's own, where it expects RTCP: at a port of its own, or at that of RTP
    /// (RFC 5761).
    pub fn deliver_report(&mut self, now: Time, packet: &[u8]) {
        // A peer that gave no address for RTCP misses nothing.
        let Some(to) = self.rtcp_to else { return };
        let socket = if self.rtp_to == Some(to) { &mut self.rtp } else { &mut self.rtcp };
        let sent = socket.send(packet, to).is_ok();
        if sent {
            self.heard.far_end.pass(now, packet);
        }
        let counter = if sent { &mut self.counts.rtcp_sent } else { &mut self.counts.undelivered };
        *counter = counter.saturating_add(1);
    }

    /// The next digit that its peer has pressed and that nobody was told.
    pub fn take_digit(&mut self) -> Option<char> {
        let digits = self.digits.as_mut()?;
        self.counts.digits_dropped = self.counts.digits_dropped.saturating_add(digits.take_dropped());
        digits.take()
    }

    /// Counts a packet that was sent, or could not be; says which.
    fn count(&mut self, sent: io::Result<()>) -> bool {
        let counter = if sent.is_ok() { &mut self.counts.sent } else { &mut self.counts.undelivered };
        *counter = counter.saturating_add(1);
        let Err(error) = sent else { return true };
        let before = self.refused.as_ref().map_or(0, |(number, _)| *number);
        self.refused = Some((before.saturating_add(1), error));
        false
    }
}
