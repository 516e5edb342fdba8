//! Whole calls: simulated telephones and the switch on a virtual clock and a network that may lose, repeat and reorder.
//! A story reads like a ladder, and ends by asserting that nothing is left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

mod absorb;
mod basic;
mod caller_id;
mod callers;
mod cancel;
mod capacity;
mod connections;
mod dial_letters;
mod digits;
mod direct;
mod diverted;
mod early_media;
mod examples;
mod exchanges;
mod extras;
mod forks;
mod forwarded;
mod forwarding;
mod info;
mod local;
mod log_lines;
mod matrix;
mod media;
mod media_destinations;
mod menus;

mod moving;
mod music;
mod mutation;
mod network;
mod offers;
mod options;
mod originate;
mod others;
mod outside;
mod playback;
mod programs;
mod races;
mod recordings;
mod records;
mod registrations;
mod reload;
mod remapped;
mod restart;
mod rfc_duties;
mod routes;
mod scripts;
mod servers;
mod sips;
mod snippets;
mod sound;
mod sound_stub;
mod stories;
mod switched_off;
mod testbed;
mod timers;
mod tones;
mod transports;
mod trunks;
mod unauthenticated;
mod vanished;
mod why;
