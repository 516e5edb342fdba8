//! Sound as samples: 16-bit linear, 8,000 a second, one channel; and the G.711 bytes they travel as.

pub mod dtmf;
pub mod g711;
pub mod recording;
pub mod resample;
pub mod sound;
pub mod tone;
pub mod tone_list;
pub mod wav;
pub mod zones;

/// Samples a second of everything in this room.
pub const RATE: u32 = 8_000;

/// The longest sound that is read from a file.
pub const LONGEST: std::time::Duration = std::time::Duration::from_secs(30 * 60);

/// Why a sound file cannot be played; `Display` says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is not what its name says, or broken: why.
    Broken(String),
    /// It is of a format that is not read: which.
    Unsupported(String),
    /// It is as long as [`LONGEST`], or longer.
    Long,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Broken(why) => write!(f, "it is not readable ({why}); record or convert it again"),
            Refused::Unsupported(found) => {
                write!(f, "{found} is not read; convert it: sox FILE -r 8000 -c 1 -b 16 NAME.wav")
            }
            Refused::Long => write!(f, "it is longer than {} minutes; cut it", LONGEST.as_secs() / 60),
        }
    }
}

impl std::error::Error for Refused {}
