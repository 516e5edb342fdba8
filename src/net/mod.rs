//! Sockets for signalling: receive, decide what can be decided without state, send.

pub mod bell;
pub mod edge;
pub mod limit;
pub mod route;
pub mod stream;
pub mod udp;
