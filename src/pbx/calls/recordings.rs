//! Recordings: begun by programs, told when they end.

use crate::event::{Level, LogLine};
use crate::pbx::core::Core;
use crate::pbx::recording::{Recorded, RecordingEnd};

/// A recording has ended: what is to be said of it.
pub(super) fn ended(recorded: &Recorded, core: &mut Core) {
    let Recorded { end, files, length, dropped, undecoded, moved, channel, command } = recorded;
    let said = |level, text: String| LogLine { level, text: format!("{channel}: {text}") };
    if let RecordingEnd::Failed(why) = end {
        core.emit(said(Level::Warning, format!("the recording is over, the call goes on: {why}")));
    } else if !files.is_empty() {
        let text = format!("recorded {} s in {}", length.as_secs(), files.join(", "));
        core.emit(said(Level::Verbose(3), text));
    }
    if *dropped > 0 {
        core.emit(said(
            Level::Warning,
            format!("{dropped} packets are missing in the recording: the disk is too slow"),
        ));
    }
    if *undecoded > 0 {
        let text = format!("{undecoded} packets are silence in the recording: only ulaw and alaw are recorded");
        core.emit(said(Level::Warning, text));
    }
    if *moved > 0 {
        let text =
            format!("the recording was put right {moved} times: a telephone's clock differs from this machine's");
        core.emit(said(Level::Verbose(4), text));
    }
    if !command.is_empty() {
        core.emit(said(Level::Warning, format!("'{command}' is not run after the recording: that is not there yet")));
    }
}
