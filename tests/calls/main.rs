//! Whole calls: simulated telephones and the switch on a virtual clock and a network that may lose, repeat and reorder.
//! A story reads like a ladder, and ends by asserting that nothing is left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

mod basic;
mod caller_id;
mod cancel;
mod connections;
mod direct;
mod examples;
mod extras;
mod forks;
mod full;
mod lines;
mod matrix;
mod media;
mod mutation;
mod network;
mod options;
mod owed;
mod places;
mod programs;
mod races;
mod records;
mod reload;
mod restart;
mod routes;
mod scripts;
mod sips;
mod stories;
mod strangers;
mod timers;
mod transports;
mod why;
mod world;
