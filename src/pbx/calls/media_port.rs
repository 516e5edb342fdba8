//! The ports of a channel for media beside voice. They are bound only when both lines of a call want such a medium.

use crate::event::LineQuality;
use crate::pbx::media::{StreamId, StreamKind};
use crate::sdp::MediaKind;
use std::net::SocketAddr;
use std::time::Duration;

/// The ports for one medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaPort {
    /// For which medium.
    pub kind: MediaKind,
    /// Its ports in the media thread.
    pub stream: StreamId,
    /// What has become of them.
    pub state: PortState,
}

/// Whether ports are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortState {
    /// They are being bound.
    Requested,
    /// They are bound: our address as the peer sees it.
    Bound(SocketAddr),
    /// None were left: this offer goes on without the medium.
    Missing,
}

impl MediaPort {
    /// Our address as the peer sees it, once it is bound.
    pub fn bound(&self) -> Option<SocketAddr> {
        match self.state {
            PortState::Bound(address) => Some(address),
            PortState::Requested | PortState::Missing => None,
        }
    }
}

/// Which ports of a channel were bound, or could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ports {
    /// Those for voice.
    Voice,
    /// Those for a medium beside it.
    Secondary,
}

/// What is known of a stream when its ports are closed, for what is said of it then.
pub(super) struct Released {
    pub(super) channel: String,
    /// Which medium, when it is not voice.
    pub(super) medium: Option<&'static str>,
    pub(super) line: String,
    /// From where sound was to come, and in how long a time; none: from nowhere, past the exchange, or hardly long
    /// enough.
    pub(super) expected: Option<(SocketAddr, Duration)>,
    /// The stream it was relayed with last.
    pub(super) with: Option<StreamId>,
    /// What is told of its sound besides how it came; none for a medium beside voice.
    pub(super) about: Option<Box<LineQuality>>,
}

/// What a medium's packets are.
pub fn stream_kind(kind: MediaKind) -> StreamKind {
    match kind {
        MediaKind::Video | MediaKind::Text => StreamKind::Rtp,
        MediaKind::Image => StreamKind::Udptl,
    }
}
