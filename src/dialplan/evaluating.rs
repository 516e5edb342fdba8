//! Texts that an application has evaluated while it runs: what stands in them may have to be asked outside first.

use super::chore::{Chore, ChoreReply};
use super::handle::ChannelHandle;
use super::journal::Journal;
use super::request::Interrupted;

/// Replaces every name in a text.
///
/// # Errors
/// The channel was redirected.
pub(super) async fn evaluate(channel: &mut ChannelHandle, text: &str) -> Result<String, Interrupted> {
    let mut journal = Journal::default();
    loop {
        match channel.chore(Chore::Evaluate(text.to_owned(), journal)).await {
            ChoreReply::Value(value) => return Ok(value),
            ChoreReply::Waits(request, before) => {
                journal = before;
                journal.put_answer(channel.outside(*request).await?);
            }
            ChoreReply::Decided(_) | ChoreReply::Done | ChoreReply::Failed => return Ok(String::new()),
        }
    }
}

/// Milliseconds of the exchange's clock.
pub(super) async fn clock(channel: &mut ChannelHandle) -> u64 {
    match channel.chore(Chore::Clock).await {
        ChoreReply::Value(text) => text.parse().unwrap_or(0),
        ChoreReply::Decided(_) | ChoreReply::Done | ChoreReply::Failed | ChoreReply::Waits(..) => 0,
    }
}

/// Where a recording of that name goes: as it stands when it is written in full, else below the folder of recordings.
pub(super) async fn recording_path(channel: &mut ChannelHandle, name: &str) -> String {
    match channel.chore(Chore::RecordingFolder).await {
        ChoreReply::Value(folder) if !name.starts_with('/') => format!("{folder}/{name}"),
        _ => name.to_owned(),
    }
}
