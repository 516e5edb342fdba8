//! Programs and devices that talk to the exchange beside SIP: one folder for each. They know events, snapshots and
//! commands, and no telephone call.
//!
//! `phone_files` is what telephones may fetch and who gets it; `tftp` and `phone_http` are the two ways to fetch it.

mod descriptors;
pub mod phone_files;
pub mod phone_http;
pub mod tftp;

use crate::event::Event;
use std::sync::Arc;

/// Tells whoever wants to know what happened.
pub type Publish = Arc<dyn Fn(Event) + Send + Sync>;
