//! What was found.

use super::decibel::Decibel;
pub use super::packets::Packets;
use super::part::Part;
use crate::clock::Wall;
use std::time::Duration;

/// A test of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The channel of the line.
    pub channel: String,
    /// When it began.
    pub at: Wall,
    /// The far end was asked to send everything back.
    pub is_loop: bool,
    /// What each part found, in the order in which they were measured.
    pub parts: Vec<Measured>,
}

impl Report {
    /// What a part found, when it was measured.
    pub fn found(&self, part: Part) -> Option<&Found> {
        self.parts.iter().find(|measured| measured.part == part).map(|measured| &measured.found)
    }

    /// What came back of noise.
    pub fn echoes(&self) -> Option<&Echoes> {
        if let Some(Found::Echoes(echoes)) = self.found(Part::Echo) { Some(echoes) } else { None }
    }

    /// What came while nothing was sent.
    pub fn noise(&self) -> Option<Noise> {
        if let Some(Found::Noise(noise)) = self.found(Part::Noise) { Some(*noise) } else { None }
    }

    /// What came by itself.
    pub fn level(&self) -> Option<Level> {
        if let Some(Found::Level(level)) = self.found(Part::Level) { Some(*level) } else { None }
    }

    /// What came back of many tones.
    pub fn response(&self) -> Option<&Response> {
        if let Some(Found::Response(response)) = self.found(Part::Response) { Some(response) } else { None }
    }

    /// How steady tones came back.
    pub fn steadiness(&self) -> Option<&Steadiness> {
        if let Some(Found::Steadiness(steadiness)) = self.found(Part::Steadiness) { Some(steadiness) } else { None }
    }

    /// Packets that came, and that were lost, in all parts.
    pub fn came_and_lost(&self) -> (u64, u64) {
        let add = |(came, lost): (u64, u64), packets: &Packets| {
            (came.saturating_add(packets.received), lost.saturating_add(packets.lost))
        };
        self.parts.iter().map(|measured| &measured.packets).fold((0, 0), add)
    }
}

/// What one part of a test found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Which part.
    pub part: Part,
    /// What it found.
    pub found: Found,
    /// How the packets came meanwhile.
    pub packets: Packets,
}

/// See [`Measured`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Of [`Part::Noise`].
    Noise(Noise),
    /// Of [`Part::Level`].
    Level(Level),
    /// Of [`Part::Echo`].
    Echoes(Echoes),
    /// Of [`Part::Response`].
    Response(Response),
    /// Of [`Part::Steadiness`].
    Steadiness(Steadiness),
    /// It could not be measured.
    Unmeasured(Unmeasured),
}

/// Why something could not be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmeasured {
    /// No packet came.
    NoPackets,
    /// Only packets of another codec than G.711.
    OtherCodec,
    /// Nothing came back of what was sent, or too little to be told from what came beside it.
    NothingBack,
    /// Too little came.
    TooShort,
}

impl Unmeasured {
    /// In plain words.
    pub fn text(self) -> &'static str {
        match self {
            Unmeasured::NoPackets => "no packet came",
            Unmeasured::OtherCodec => "what came is no ulaw and no alaw",
            Unmeasured::NothingBack => "nothing came back",
            Unmeasured::TooShort => "too little came",
        }
    }
}

/// What came while nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise {
    /// The usual level in 20 ms, in dBm0, of all frequencies alike.
    pub level: Decibel,
    /// The loudest 20 ms.
    pub peak: Decibel,
    /// The mains is in it, with this frequency in Hz.
    pub hum: Option<u16>,
}

/// What came by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// How loud it was when it was, in dBm0.
    pub level: Decibel,
    /// When it was a tone: its frequency, in tenths of Hz.
    pub tone: Option<u32>,
}

/// An echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo {
    /// How long after it was sent it came: the whole way there and back.
    pub delay: Duration,
    /// Its level against what was sent.
    pub level: Decibel,
}

/// What came back of noise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echoes {
    /// The loudest first; none: there is no echo louder than `floor`.
    pub echoes: Vec<Echo>,
    /// What an echo has to be louder than to be found, against what was sent.
    pub floor: Decibel,
    /// The level of the loudest in the first third of a second. When it is much louder than later, it is cancelled.
    pub at_first: Option<Echo>,
    /// How many of a thousand samples came back as they were sent; none where what came back is weaker.
    pub same_per_mille: Option<u16>,
}

impl Echoes {
    /// The loudest.
    pub fn loudest(&self) -> Option<Echo> {
        self.echoes.first().copied()
    }

    /// Was there an echo that went away while it was listened to?
    pub fn fades(&self) -> bool {
        let now = self.loudest().map_or(self.floor, |echo| echo.level);
        self.at_first.is_some_and(|first| first.level.above(now) >= Decibel::whole(8))
    }
}

/// What came back of many tones, and of a loud one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Each frequency in Hz with what came back of it against what was sent.
    pub points: Vec<(u16, Decibel)>,
    /// What came back of the tones against all that came beside them.
    pub clearness: Decibel,
    /// By how much a tone of 0 dBm0 came back weaker than softer ones did; none where it was not found.
    pub compression: Option<Decibel>,
    /// Its second and third harmonic against it.
    pub harmonics: Option<Decibel>,
}

impl Response {
    /// What came back of this frequency.
    pub fn at(&self, hertz: u16) -> Option<Decibel> {
        self.points.iter().find(|(known, _)| *known == hertz).map(|(_, level)| *level)
    }

    /// The loudest and the softest of these frequencies, against 1,004 Hz; none where one of them did not come back.
    pub fn spread(&self, from: u16, to: u16) -> Option<(Decibel, Decibel)> {
        let middle = self.at(1_004)?;
        let wanted = super::signal::RESPONSE_TONES.into_iter().filter(|hertz| (from..=to).contains(hertz));
        let levels: Option<Vec<Decibel>> = wanted.map(|hertz| Some(self.at(hertz)?.above(middle))).collect();
        let levels = levels?;
        Some((levels.iter().copied().max()?, levels.iter().copied().min()?))
    }
}

/// A slip: the sound went on earlier or later than it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slip {
    /// When, since the tones were first followed.
    pub at: Duration,
    /// So many samples were left out; below zero: came twice or were put in.
    pub samples: i32,
}

/// How steady tones came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steadiness {
    /// For how long they were followed.
    pub followed: Duration,
    /// Their level against what was sent.
    pub level: Option<Decibel>,
    /// The first 32 of the slips.
    pub slips: Vec<Slip>,
    /// How many there were.
    pub slip_count: u64,
    /// How often there was nothing for 5 ms or more, though packets came.
    pub drop_outs: u64,
    /// The longest of them.
    pub longest_drop_out: Duration,
    /// How often the phase jumped as no slip does.
    pub phase_hits: u64,
    /// How often the level changed by 2 dB or more.
    pub level_changes: u64,
    /// How often something else was heard over the tones.
    pub noise_hits: u64,
}

impl Steadiness {
    /// Did nothing happen?
    pub fn is_steady(&self) -> bool {
        (self.slip_count, self.drop_outs, self.phase_hits, self.level_changes) == (0, 0, 0, 0)
    }
}
