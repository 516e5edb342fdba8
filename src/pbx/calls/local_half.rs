//! The two halves of a call into the dialplan, `Local/201@default-00000000;1` and `;2`: one is called like a line, the
//! other runs the dialplan. What happens to one the other learns as an event, as a call learns of its legs.

use crate::dialplan::ChannelId;
use crate::pbx::failure::Failure;
use std::collections::VecDeque;

/// One half.
#[derive(Debug, Clone)]
pub struct LocalHalf {
    /// The other.
    pub other: ChannelId,
    /// Is it the one that is called (`;1`), or the one that runs the dialplan (`;2`)?
    pub is_called: bool,
    /// Where the call was forwarded to until here: `201@default`.
    pub forwards: Vec<String>,
}

/// A half is over: its Q.850 cause, and why, when that is known.
#[derive(Debug, Clone)]
pub struct HalfEnded {
    /// The Q.850 cause.
    pub cause: u16,
    /// What the dialplan has to say.
    pub failure: Option<Failure>,
}

/// What happened to halves, for the others, and the numbers of their names.
#[derive(Debug, Default)]
pub struct LocalEvents {
    ended: VecDeque<(ChannelId, HalfEnded)>,
    last_serial: u32,
}

impl LocalEvents {
    /// The name of the next pair, without `;1` or `;2`.
    pub fn next_name(&mut self, place: &str) -> String {
        let serial = self.last_serial;
        self.last_serial = self.last_serial.wrapping_add(1);
        format!("Local/{place}-{serial:08x}")
    }

    /// The other half of this channel is over.
    pub fn report(&mut self, channel: ChannelId, ended: HalfEnded) {
        self.ended.push_back((channel, ended));
    }

    /// The next channel whose other half is over.
    pub fn take(&mut self) -> Option<(ChannelId, HalfEnded)> {
        self.ended.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_has_a_name_of_its_own() {
        let mut events = LocalEvents::default();
        let names = [(); 2].map(|()| events.next_name("201@default"));
        assert_eq!(names, ["Local/201@default-00000000", "Local/201@default-00000001"]);
    }
}
