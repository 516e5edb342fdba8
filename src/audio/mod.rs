//! Sound as samples: 16-bit linear, 8,000 a second, one channel; and the G.711 bytes they travel as.

pub mod dtmf;
pub mod g711;
pub mod sound;
pub mod tone;
pub mod tone_list;
pub mod wav;
pub mod zones;

/// Samples a second of everything in this room.
pub const RATE: u32 = 8_000;
