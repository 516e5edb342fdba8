//! How the sound of a line came, told when its ports are closed or somebody asks.

use crate::clock::Wall;
use std::time::Duration;

/// Of one line, in the direction from it to the exchange, and what it said itself of the other one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamQuality {
    /// Packets that came.
    pub received: u64,
    /// Packets missing, less those that came late.
    pub lost: u64,
    /// How many gaps those were.
    pub bursts: u64,
    /// The most that were missing in a row.
    pub longest_burst: u64,
    /// Packets that came after one that was sent later.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that this machine dropped, since they were not read in time: the network has brought them.
    pub lost_here: u64,
    /// The longest time a packet waited in this machine to be read.
    pub longest_stall: Duration,
    /// How often packets waited there for 10 ms or longer.
    pub stalls: u32,
    /// Interarrival jitter at the end (RFC 3550 6.4.1).
    pub jitter: Duration,
    /// The greatest it ever was.
    pub worst_jitter: Duration,
    /// The longest wait for a packet while none was missing.
    pub longest_gap: Duration,
    /// How long after the first packet that was.
    pub longest_gap_at: Duration,
    /// How many of those waits were longer than a jitter buffer of the usual length has sound for.
    pub gaps: u32,
    /// The usual length of a packet, in milliseconds; none: fewer than two came in a row.
    pub packet_ms: Option<u32>,
    /// Packets of several lengths came.
    pub is_mixed: bool,
    /// How often the line left out silence.
    pub pauses: u32,
    /// How much it left out.
    pub paused: Duration,
    /// How often its stream went on under another SSRC.
    pub ssrc_changes: u32,
    /// Packets by payload type, the first type first.
    pub kinds: Vec<(u8, u32)>,
    /// Packets of yet other payload types.
    pub other_kinds: u32,
    /// What does not fit together in its packets.
    pub irregular: Irregularities,
    /// How fast its clock runs against that of this machine, when that can be told.
    pub clock: Option<ClockSpeed>,
    /// What it reported of the sound it was sent (RTCP); none when it reported nothing.
    pub far_end: Option<FarEndReport>,
}

/// How the sound of a line came in one call: told and kept when its ports are closed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineQuality {
    /// Its channel.
    pub channel: String,
    /// `seconds.number` of that.
    pub unique_id: String,
    /// That of the channel whose record the call has: its own, or that of the caller whose `Dial` called it.
    pub call: String,
    /// The line.
    pub line: String,
    /// The channel that its sound was relayed with last; empty: none.
    pub with: String,
    /// When its ports were closed.
    pub ended: Wall,
    /// Packets that it was sent.
    pub sent: u64,
    /// What it sent.
    pub stream: StreamQuality,
    /// What its payload types mean, of those that it sent and that were agreed on.
    pub names: Vec<(u8, String)>,
    /// Who began a re-INVITE on its leg.
    pub reinvites: Reinvites,
    /// How its packets came over the course of the call.
    pub course: Course,
}

/// Re-INVITEs on the leg of a line (UPDATEs with a description, too).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reinvites {
    /// Sent by the line.
    pub from_line: u32,
    /// How long after the answer its last one came.
    pub last: Option<Duration>,
    /// Sent by the exchange.
    pub ours: u32,
}

/// How packets came over the course of a call, stretch by stretch, from the first packet on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Course {
    /// How long a stretch lasts; the last one may be shorter.
    pub width: Duration,
    /// The stretches.
    pub points: Vec<CoursePoint>,
}

/// A stretch of time in the course of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoursePoint {
    /// In microseconds, how much later than the first packet the fastest and the slowest came than their timestamps say; none:
    /// none came.
    pub delay: Option<(i32, i32)>,
    /// Packets that were missing.
    pub lost: u16,
    /// How often the line's timestamps began anew.
    pub restarts: u16,
}

/// What does not fit together in the packets of a line: its device does so, or one between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Irregularities {
    /// How often its sequence numbers began anew.
    pub restarts: u32,
    /// How often the timestamp went on by another number than there was sound in the packet, and no time had passed.
    pub misfits: u32,
    /// How often a packet in mid-sound bore the mark of a beginning.
    pub marks: u32,
    /// How often a packet was of another length than the one before it.
    pub lengths: u32,
    /// How much too late the latest of those came that came after a later one.
    pub latest: Duration,
    /// How often its packets came later by a packet's length from one moment on, though none was missing: sound was left out,
    /// and the rest numbered anew.
    pub left_out: u32,
    /// How often they came earlier by a packet's length: sound came twice.
    pub repeated: u32,
}

/// How fast a clock runs against another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockSpeed {
    /// Parts in a million by which it is fast; below zero: slow.
    pub ppm: f64,
    /// The true value lies within this much of it, 99 times of 100.
    pub plus_minus: f64,
    /// How long was measured.
    pub measured: Duration,
}

impl LineQuality {
    /// What a payload type means; empty: it was not agreed on.
    pub fn name_of(&self, payload_type: u8) -> &str {
        self.names.iter().find(|(number, _)| *number == payload_type).map_or("", |(_, name)| name)
    }
}

impl ClockSpeed {
    /// The speed of this clock against another that was measured against the same clock of ours: ours falls out.
    pub fn against(&self, other: &ClockSpeed) -> ClockSpeed {
        ClockSpeed {
            ppm: self.ppm - other.ppm,
            plus_minus: self.plus_minus.hypot(other.plus_minus),
            measured: self.measured.min(other.measured),
        }
    }

    /// Whether the two clocks are told apart: zero lies outside of what may be true.
    pub fn is_certain(&self) -> bool {
        self.ppm.abs() > self.plus_minus
    }

    /// How often a jitter buffer of fixed length has to leave out or repeat a packet of this length; none while the two
    /// clocks are not told apart.
    pub fn slips_every(&self, packet: Duration) -> Option<Duration> {
        let seconds = packet.as_secs_f64() / (self.ppm.abs() * 1e-6);
        (self.is_certain() && seconds < 1e9).then(|| Duration::from_secs_f64(seconds))
    }
}

/// What a line reported by RTCP of the sound it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FarEndReport {
    /// Reports that came.
    pub reports: u32,
    /// Packets it missed; below zero: it got some twice.
    pub lost: i32,
    /// The greatest share that it missed between two reports, in per cent.
    pub worst_percent: u8,
    /// Its latest interarrival jitter.
    pub jitter: Duration,
    /// The latest way to it and back, when it could be measured.
    pub round_trip: Option<Duration>,
    /// The longest.
    pub longest_round_trip: Option<Duration>,
}

/// The clocks of two lines that talked, against each other: the clock of this machine falls out.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoClocks {
    /// The channel of the line whose clock is compared.
    pub channel: String,
    /// The channel of the one it is compared with.
    pub other: String,
    /// How fast the first runs against the second.
    pub speed: ClockSpeed,
    /// The length of the first one's packets.
    pub packet: Duration,
}
