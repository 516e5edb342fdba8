//! The exchange itself: the switch, its channels, legs, calls and bridges.

pub mod bridge;
pub mod call_timer;
pub mod cause;
pub mod cdr;
pub mod channel;
pub mod core;
pub mod dial;
pub mod effect;
pub mod failure;
pub mod identity;
pub mod leg;
pub mod media;
pub mod media_port;
pub mod switch;
