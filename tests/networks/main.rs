//! The real program in networks of its own, made of namespaces: behind routers that translate addresses, between other
//! exchanges, beside name servers that change, over wires that lose. The telephones are simulated, on real sockets.
//!
//! Needs root, `ip` and `nft`. A story that cannot be told here is skipped by name, unless
//! `STROWGER_INTEROP_REQUIRED` is set. `STROWGER_LONG=1` makes a hundred calls of twenty, a number above 1 so many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "../support/exchange.rs"]
mod exchange;
#[path = "../support/phones.rs"]
mod phones;
#[path = "../support/skip.rs"]
mod skip;

mod by_name;
mod house_behind;
mod loss;
mod phones_behind;
mod place;
mod provisioning;
mod restart;
mod three;
mod transcript;
