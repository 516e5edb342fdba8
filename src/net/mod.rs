//! Sockets for signalling: receive, decide what can be decided without state, send.

pub mod expected;
pub mod guesses;
pub mod ingress;
pub mod known;
pub mod local_address;
pub mod rate_limit;
pub mod stream;
pub mod stun_desk;
pub mod udp;
pub mod wakeup;
