//! strowger: a telephone exchange for the home.
//!
//! A pure core that takes bytes and time and returns effects, and a thin ring of I/O around it.
//! `docs/develop/house.md` says which room may know which.

pub mod audio;
pub mod check;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod daemon;
pub mod datetime;
pub mod dialplan;
pub mod event;
pub mod guard;
pub mod linetest;
pub mod media;
pub mod names;
pub mod net;
pub mod observe;
pub mod pbx;
pub mod programs;
pub mod provision;
pub mod registrar;
pub mod rng;
pub mod rtp;
pub mod sdp;
pub mod services;
pub mod sim;
pub mod sip;
pub mod sounds;
pub mod source_key;
pub mod store;
pub mod stun;
pub mod wording;
