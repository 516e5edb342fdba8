//! What a stream that is recorded gives to the recorder: a copy of each packet that is accepted, and of each that is
//! sent. A stream without has none of this.

use super::recorder::{Frame, RecorderQueue};
use crate::clock::Time;
use crate::pbx::recording::RecordingId;
use crate::rtp::header::Header;

/// The recordings of one stream.
pub(super) struct Taps {
    queue: RecorderQueue,
    recordings: Vec<Tap>,
}

struct Tap {
    recording: RecordingId,
    only_bridged: bool,
    paused: bool,
    dropped: u64,
}

impl Taps {
    pub(super) fn new(queue: RecorderQueue) -> Taps {
        Taps { queue, recordings: Vec::new() }
    }

    pub(super) fn add(&mut self, recording: RecordingId, only_bridged: bool) {
        self.recordings.push(Tap { recording, only_bridged, paused: false, dropped: 0 });
    }

    /// Is none left?
    pub(super) fn is_empty(&self) -> bool {
        self.recordings.is_empty()
    }

    /// Copies a packet, from the peer or to it.
    pub(super) fn copy(&mut self, at: Time, side: usize, packet: &[u8], is_bridged: bool) {
        let Ok(header) = Header::read(packet) else { return };
        let Some(payload) = payload(&header, packet) else { return };
        for tap in self.recordings.iter_mut().filter(|tap| !tap.paused && (is_bridged || !tap.only_bridged)) {
            let Header { ssrc, timestamp, payload_type, .. } = header;
            let frame =
                Frame { recording: tap.recording, side, at, ssrc, timestamp, payload_type, payload: payload.into() };
            if !self.queue.put(frame) {
                tap.dropped = tap.dropped.saturating_add(1);
            }
        }
    }

    /// The stream came into a bridge, or out of it.
    pub(super) fn bridged(&self, at: Time, is_bridged: bool) {
        for tap in self.recordings.iter().filter(|tap| tap.only_bridged && !tap.paused) {
            self.queue.pause(tap.recording, at, !is_bridged);
        }
    }

    /// Leaves out what comes, or no more.
    pub(super) fn pause(&mut self, recording: RecordingId, at: Time, paused: bool, is_bridged: bool) {
        for tap in self.recordings.iter_mut().filter(|tap| tap.recording == recording) {
            tap.paused = paused;
            self.queue.pause(recording, at, paused || (tap.only_bridged && !is_bridged));
        }
    }

    /// Ends one recording, or all.
    pub(super) fn close(&mut self, at: Time, recording: Option<RecordingId>) {
        let is_meant = |tap: &Tap| recording.is_none_or(|recording| recording == tap.recording);
        for tap in self.recordings.iter().filter(|tap| is_meant(tap)) {
            self.queue.close(tap.recording, at, tap.dropped);
        }
        self.recordings.retain(|tap| !is_meant(tap));
    }

    /// The recorder says that it has ended.
    pub(super) fn forget(&mut self, recording: RecordingId) {
        self.recordings.retain(|tap| tap.recording != recording);
    }
}

/// What a packet carries, without padding (RFC 3550 5.1).
fn payload<'a>(header: &Header, packet: &'a [u8]) -> Option<&'a [u8]> {
    let payload = packet.get(header.length..)?;
    let is_padded = packet.first()? & 0x20 != 0;
    let padding = if is_padded { usize::from(*payload.last()?) } else { 0 };
    payload.get(..payload.len().checked_sub(padding)?).filter(|payload| !payload.is_empty())
}
