//! The ports of a channel for media beside voice. They are bound only when both lines of a call want such a medium.

use super::media::{StreamId, StreamKind};
use crate::sdp::MediaKind;
use std::net::SocketAddr;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaPort {
    /// For which medium.
    pub extra: MediaKind,
    /// Its ports in the media ring.
    pub stream: StreamId,
    /// What has become of them.
    pub place: Place,
}

/// Whether ports are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// They are being bound.
    Asked,
    /// They are bound: the address the peer is told.
    Bound(SocketAddr),
    /// None were left: this offer goes on without the medium.
    Missing,
}

impl MediaPort {
    /// The address the peer is told, once it is bound.
    pub fn bound(&self) -> Option<SocketAddr> {
        match self.place {
            Place::Bound(address) => Some(address),
            Place::Asked | Place::Missing => None,
        }
    }
}

/// What a medium's packets are.
pub fn kind_of(extra: MediaKind) -> StreamKind {
    match extra {
        MediaKind::Video | MediaKind::Text => StreamKind::Rtp,
        MediaKind::Image => StreamKind::Udptl,
    }
}
