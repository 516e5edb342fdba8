//! The exchange itself: the switch, its channels, legs, calls and bridges.

pub mod media;
