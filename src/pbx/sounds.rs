//! How calls get their sounds: the switch opens no file. It orders sounds by name, whoever may open files finds, reads
//! and converts them, and the reply comes back as an input.

use crate::audio::sound::Sound;
use crate::dialplan::ChannelId;
use std::path::PathBuf;

/// Sounds that a channel wants. Every order gets exactly one [`SoundReply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundOrder {
    /// Whose: comes back in the reply.
    pub channel: ChannelId,
    /// Which order it is, never used again: comes back in the reply.
    pub order: u64,
    /// What is wanted.
    pub wanted: Wanted,
}

/// What a channel wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Sounds by their names, without extension; the reply has as many entries, in this order.
    Names {
        /// The names.
        names: Vec<String>,
        /// The language to look for them in first; empty: the exchange's own.
        language: String,
    },
    /// Every sound file of a folder, sorted by name (music on hold). What cannot be read is left out of the reply, unless
    /// that is all of them. A folder that is not absolute lies where the sounds lie.
    Folder(PathBuf),
}

/// The sounds that were ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundReply {
    /// As in the order.
    pub channel: ChannelId,
    /// As in the order.
    pub order: u64,
    /// Each sound, or why it cannot be played: a whole sentence for the log, which names it and where it was looked for.
    pub sounds: Vec<Result<Sound, String>>,
}

impl SoundOrder {
    /// The reply when none of it can be had, for the same reason.
    pub fn refused(&self, why: &str) -> SoundReply {
        let count = match &self.wanted {
            Wanted::Names { names, .. } => names.len(),
            Wanted::Folder(_) => 1,
        };
        SoundReply { channel: self.channel, order: self.order, sounds: vec![Err(why.to_owned()); count] }
    }
}
