//! The exchange itself: the switch, its channels, legs, calls and bridges.

pub mod alarm;
pub mod bridge;
pub mod cause;
pub mod channel;
pub mod dial;
pub mod effect;
pub mod extra;
pub mod identity;
pub mod leg;
pub mod media;
pub mod record;
pub mod switch;
pub mod why;
