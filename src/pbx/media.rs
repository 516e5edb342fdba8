//! The verbs by which the switch steers media, and what the media thread reports back. Media never passes
//! through the switch.

pub use super::mixing::G711;
use super::mixing::{FeedPlan, MixId, Seat, SpyPlan};
use super::recording::{RecordPlan, Recorded, RecordingId};
use crate::audio::g711::Law;
use crate::clock::Time;
use crate::rtp::arrivals::Arrivals;
use crate::rtp::course::CourseRing;
use crate::rtp::far_end::FarEnd;
use crate::rtp::header::Header;
use crate::rtp::irregular::Irregular;
use crate::rtp::stalls::Stalls;
use crate::rtp::stats::Stats;
use crate::rtp::strict::Strictness;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// One medium of a leg: an RTP and an RTCP socket of the exchange, and the peer at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// What the media thread is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaCommand {
    /// Bind an even port and the odd one above it at `local`; answered by `Reserved` or `NoPorts`.
    Reserve {
        /// The stream to be.
        stream: StreamId,
        /// The local address to bind.
        local: IpAddr,
        /// What it will carry.
        kind: StreamKind,
    },
    /// What the peer's SDP says: where to send, and from where to expect packets. Given again after every new offer or
    /// answer.
    Remote {
        /// The stream.
        stream: StreamId,
        /// Where its peer is.
        remote: Remote,
    },
    /// Watch for silence, from now on by these times.
    Watch {
        /// The stream.
        stream: StreamId,
        /// Report with `Silent` when no packet, RTCP included, has come from the peer for so long; `None`: do not.
        limit: Option<Duration>,
        /// Send the peer a packet of comfort noise when it was sent no RTP for so long; `None`: do not.
        keepalive: Option<Duration>,
    },
    /// Relay between two streams, both ways, packet for packet.
    Bridge {
        /// One stream.
        a: StreamId,
        /// The other.
        b: StreamId,
        /// Payload types of packets from `a` as `b` numbers them.
        a_to_b: PayloadMap,
        /// Payload types of packets from `b` as `a` numbers them.
        b_to_a: PayloadMap,
    },
    /// Send every accepted RTP packet back where it came from; RTCP is not echoed.
    Echo {
        /// The stream.
        stream: StreamId,
    },
    /// Send G.711 sound, a packet every `ptime`; answered by `Played` when it ends or is stopped by another verb.
    Play {
        /// The stream.
        stream: StreamId,
        /// Which playing this is, named again in `Played`.
        play: u64,
        /// The sounds, one after the other without a gap, already in the stream's codec, 8,000 bytes a second.
        sounds: Vec<Arc<[u8]>>,
        /// How many bytes of them to leave out at the beginning.
        skip: usize,
        /// Begin again at the end (a tone that goes on until another verb, music).
        repeat: bool,
        /// The payload type the peer knows the codec by.
        payload_type: u8,
        /// Milliseconds of sound in a packet.
        ptime_ms: u8,
    },
    /// Send a tone in G.711 until another verb; answered by `Played` when one comes, or the tone ends by itself.
    Tone {
        /// The stream.
        stream: StreamId,
        /// Which playing this is, named again in `Played`.
        play: u64,
        /// The tone, already in the stream's codec, 8,000 bytes a second.
        sound: Arc<[u8]>,
        /// Where in it the tone begins again when it came to its end; none: it ends.
        again: Option<usize>,
        /// The payload type the peer knows the codec by.
        payload_type: u8,
        /// Milliseconds of sound in a packet.
        ptime_ms: u8,
    },
    /// What is being played goes on in another codec, as its peer agreed to one meanwhile; nothing when nothing is.
    Recode {
        /// The stream.
        stream: StreamId,
        /// What the sounds are in.
        from: Law,
        /// What the peer is sent from now on.
        to: G711,
        /// Milliseconds of sound in a packet.
        ptime_ms: u8,
    },
    /// Report the digits that the peer presses, from now on, whatever else the stream does.
    Listen {
        /// The stream.
        stream: StreamId,
        /// Where to look for them.
        listening: Listening,
    },
    /// Send the peer a digit. What the stream sends otherwise is left out meanwhile; of several digits one follows the
    /// other.
    SendDigit {
        /// The stream.
        stream: StreamId,
        /// Which: one of `0` to `9`, `*`, `#`, `A` to `D`, or [`FLASH`].
        digit: char,
        /// How long it is pressed.
        duration: Duration,
        /// As what it goes.
        form: DigitForm,
    },
    /// Write what goes over a stream to files, beside whatever it does, until `StopRecording` or `Release`; answered by
    /// `Recorded` when it ends.
    Record {
        /// The stream.
        stream: StreamId,
        /// Which recording this is, named again in `Recorded`.
        recording: RecordingId,
        /// What, and where to.
        plan: Box<RecordPlan>,
    },
    /// Leave what comes out of a recording from now on, or no more.
    PauseRecording {
        /// The stream.
        stream: StreamId,
        /// Which recording.
        recording: RecordingId,
        /// Leave it out?
        paused: bool,
    },
    /// Name the files of a recording anew: `base`, with `-in` or `-out` for one direction alone, and the ending that each
    /// had.
    RenameRecording {
        /// The stream.
        stream: StreamId,
        /// Which recording.
        recording: RecordingId,
        /// The path without that.
        base: String,
    },
    /// End a recording.
    StopRecording {
        /// The stream.
        stream: StreamId,
        /// Which recording.
        recording: RecordingId,
    },
    /// Send a stream's peer what the peer of another one says, from now on, until another verb for either. That one may
    /// have many such listeners; it hears nothing of them.
    Feed {
        /// The stream that listens.
        stream: StreamId,
        /// The one it listens to.
        source: StreamId,
        /// How.
        plan: Box<FeedPlan>,
    },
    /// Let a stream take part in a mix until another verb; one that does already gets this seat in it.
    Mix {
        /// The stream.
        stream: StreamId,
        /// The mix: it is there as long as somebody takes part.
        mix: MixId,
        /// How.
        seat: Box<Seat>,
    },
    /// Give a mix copies of what goes over a stream, beside whatever it does, until `StopSpying` or `Release`; one that
    /// gives it some already follows this plan.
    Spy {
        /// The stream.
        stream: StreamId,
        /// The mix.
        mix: MixId,
        /// How.
        plan: Box<SpyPlan>,
    },
    /// No more of that.
    StopSpying {
        /// The stream.
        stream: StreamId,
        /// The mix.
        mix: MixId,
    },
    /// Stop playing, echoing or relaying; a bridged stream's partner stops too. The ports stay.
    Idle {
        /// The stream.
        stream: StreamId,
    },
    /// Say what was counted until now; answered by `Counted`.
    Count {
        /// The stream.
        stream: StreamId,
    },
    /// Close the ports; answered by `Released` with what was counted.
    Release {
        /// The stream.
        stream: StreamId,
    },
}

/// The digit that stands for a hook flash, where one can be sent.
pub const FLASH: char = '!';

/// Where to look for the digits of a stream's peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listening {
    /// The payload type of telephone events (RFC 4733), as this peer was told it.
    pub events: Option<u8>,
    /// In its sound, too, when this is G.711 under this payload type. Never while the stream is bridged.
    pub inband: Option<G711>,
    /// What becomes of telephone events while the stream is bridged.
    pub bridged: WhileBridged,
}

/// What becomes of telephone events while a stream is bridged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhileBridged {
    /// They pass, and nobody looks at them.
    #[default]
    Pass,
    /// They pass, and are reported.
    Report,
    /// They are reported and do not pass: the other side is sent its digits in another form.
    Take,
    /// There are none: the digits are in the sound, which passes, and are reported.
    Listen,
}

/// As what a digit is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigitForm {
    /// A telephone event (RFC 4733) under this payload type.
    Event(u8),
    /// Its tones, in the sound.
    Tone {
        /// The codec.
        codec: G711,
        /// Milliseconds of sound in a packet.
        ptime_ms: u8,
    },
}

/// What a stream's packets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// RTP, with RTCP one port above: sound, video, text.
    Rtp,
    /// UDPTL, fax as data: any datagram at all, on the even port alone; nothing in it is read or changed.
    Udptl,
}

/// The far end of a stream, as its SDP and its signalling describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// Where RTP is to be sent; `None` while the peer holds the call or gave no address.
    pub rtp: Option<SocketAddr>,
    /// Where RTCP is to be sent; `None`: nowhere.
    pub rtcp: Option<SocketAddr>,
    /// The address the peer's signalling comes from: another host whose ports may be learned, when the peer is behind
    /// NAT.
    pub signalling: Option<IpAddr>,
    /// Send to where accepted packets come from (`nat=comedia`).
    pub symmetric: bool,
    /// How far other sources than the SDP's are trusted (`strictrtp=`).
    pub strictness: Strictness,
}

impl Remote {
    /// A far end of which nothing is known yet.
    pub fn unknown(strictness: Strictness) -> Remote {
        Remote { rtp: None, rtcp: None, signalling: None, symmetric: false, strictness }
    }
}

/// Which payload type a packet of one leg has on the other. Identity unless told otherwise.
#[derive(Clone, PartialEq, Eq)]
pub struct PayloadMap(pub [u8; 128]);

impl PayloadMap {
    /// Every payload type keeps its number.
    pub fn identity() -> PayloadMap {
        let mut map = [0u8; 128];
        for (number, slot) in (0u8..).zip(map.iter_mut()) {
            *slot = number;
        }
        PayloadMap(map)
    }
}

impl std::fmt::Debug for PayloadMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moved = self.0.iter().enumerate().filter(|(from, to)| *from != usize::from(**to));
        f.debug_map().entries(moved).finish()
    }
}

/// What the media thread reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// The ports are bound: RTP at this address, RTCP one port above.
    Reserved {
        /// The stream.
        stream: StreamId,
        /// The RTP socket's local address.
        rtp: SocketAddr,
    },
    /// No pair of ports could be bound.
    NoPorts {
        /// The stream.
        stream: StreamId,
        /// Why, for the log.
        why: String,
    },
    /// Strict RTP settled on a source (said once per change).
    Learned {
        /// The stream.
        stream: StreamId,
        /// The source.
        source: SocketAddr,
    },
    /// No packet has come from the peer for as long as `Watch` said; said once, until `Heard`.
    Silent {
        /// The stream.
        stream: StreamId,
        /// How long.
        lasting: Duration,
    },
    /// After `Silent`: packets come again.
    Heard {
        /// The stream.
        stream: StreamId,
    },
    /// The peer pressed a digit, of those that `Listen` asks for: said when it begins.
    Digit {
        /// The stream.
        stream: StreamId,
        /// Which: one of `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
    },
    /// A recording has ended.
    Recorded {
        /// The stream.
        stream: StreamId,
        /// Which recording.
        recording: RecordingId,
        /// How.
        recorded: Box<Recorded>,
    },
    /// A sound ended, or was cut off by another verb.
    Played {
        /// The stream.
        stream: StreamId,
        /// Which playing.
        play: u64,
    },
    /// What a stream has counted until now.
    Counted {
        /// The stream.
        stream: StreamId,
        /// All of it.
        report: Box<StreamReport>,
    },
    /// The ports are closed.
    Released {
        /// The stream.
        stream: StreamId,
        /// What was counted.
        counts: StreamCounts,
        /// How its packets came; none when no RTP did.
        heard: Option<Box<Heard>>,
    },
}

/// How the packets of a stream's peer came, and what it says of those it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// By their sequence.
    pub stats: Stats,
    /// By their arrival.
    pub arrivals: Arrivals,
    /// Over the course of the call.
    pub course: CourseRing,
    /// By what does not fit together in them.
    pub irregular: Irregular,
    /// By its own reports.
    pub far_end: FarEnd,
    /// What this machine did to them.
    pub stalls: Stalls,
}

impl Heard {
    /// A packet is read at `now`: when it came to this machine, and how many the system has dropped, as far as it said so.
    pub fn note(&mut self, now: Time, came: Option<Time>, dropped: Option<u64>) {
        if let Some(came) = came {
            self.stalls.read(came, now);
        }
        if let Some(dropped) = dropped {
            self.stalls.dropped(dropped);
        }
    }

    /// An accepted packet of the peer arrived at this moment.
    pub fn record(&mut self, now: Time, header: &Header) {
        self.stats.record(header.ssrc, header.sequence);
        self.arrivals.record(now, header);
        self.course.record(now, header, self.stats.lost());
    }
}

/// What is known of a stream while it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamReport {
    /// What it counted until now.
    pub counts: StreamCounts,
    /// From where its packets are accepted; `None` before the first one.
    pub source: Option<SocketAddr>,
    /// Where the latest packet came from that was dropped for that.
    pub stranger: Option<SocketAddr>,
    /// Packets that the system refused to send, and how it said so the last time.
    pub refused: Option<(u64, String)>,
}

/// What a stream counted from reservation to release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCounts {
    /// RTP packets accepted from the peer.
    pub received: u64,
    /// RTP packets sent to the peer.
    pub sent: u64,
    /// Packets (RTP or RTCP) dropped because their source was not the learned one.
    pub strangers: u64,
    /// Packets of the peer that came more than 200 ms before its address was known, and were dropped.
    pub early: u64,
    /// Packets that are no RTP or RTCP at all.
    pub malformed: u64,
    /// RTP packets missing in the peer's sequence (gaps less late arrivals).
    pub lost: u64,
    /// RTCP packets forwarded to the peer.
    pub rtcp_sent: u64,
    /// Digits that the peer pressed faster than anybody can, and that were not reported.
    pub digits_dropped: u64,
    /// Packets that had nowhere to go: no bridge (counted where they came in), no remote address, a digit that is sent instead,
    /// or the socket refused (where they should have gone out).
    pub undelivered: u64,
}
