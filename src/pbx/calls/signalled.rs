//! A signal by which a line is measured, while it is sent.

use crate::dialplan::Digits;
use crate::pbx::media::{MediaCommand, StreamId};
use crate::pbx::recording::RecordingId;

/// A signal by which a line is measured.
#[derive(Debug)]
pub struct Signalled {
    /// On which stream.
    pub stream: StreamId,
    /// What measures what comes meanwhile.
    pub recording: Option<RecordingId>,
    /// Digits that end it.
    pub stop_on: Digits,
}

impl Signalled {
    /// What ends it.
    pub fn stopping(&self) -> impl Iterator<Item = MediaCommand> {
        let stream = self.stream;
        let stop = self.recording.map(|recording| MediaCommand::StopRecording { stream, recording });
        stop.into_iter().chain([MediaCommand::Idle { stream }])
    }
}
