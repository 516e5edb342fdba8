//! A bridge: the channels that talk to each other, those held, and the media path between the two that talk.

use super::channel::BridgeId;
use super::media_path::{MediaPath, Role};
use crate::dialplan::ChannelId;
use std::collections::BTreeMap;

/// Channels joined. It outlives each of them, and each may be replaced by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Its id: never used again.
    pub id: BridgeId,
    /// The channels that talk, in the order they came: the first has the role of the caller.
    pub parties: Vec<ChannelId>,
    /// Channels on hold.
    pub held: Vec<ChannelId>,
    /// The media path of the two that talk.
    pub path: MediaPath,
}

impl Bridge {
    /// Two channels joined.
    pub fn new(id: BridgeId, caller: ChannelId, callee: ChannelId, path: MediaPath) -> Bridge {
        Bridge { id, parties: vec![caller, callee], held: Vec::new(), path }
    }

    /// The two that talk; none while there are fewer.
    pub fn talking(&self) -> Option<(ChannelId, ChannelId)> {
        Some((*self.parties.first()?, *self.parties.get(1)?))
    }

    /// The channel in a role.
    pub fn channel(&self, role: Role) -> Option<ChannelId> {
        match role {
            Role::Caller => self.parties.first().copied(),
            Role::Callee => self.parties.get(1).copied(),
        }
    }

    /// The role of a channel that talks.
    pub fn role(&self, channel: ChannelId) -> Option<Role> {
        [Role::Caller, Role::Callee].into_iter().find(|role| self.channel(*role) == Some(channel))
    }

    /// Every channel that belongs to it.
    pub fn members(&self) -> impl Iterator<Item = ChannelId> + '_ {
        self.parties.iter().chain(&self.held).copied()
    }

    /// A channel that talks is held; says whether it talked.
    pub fn hold(&mut self, channel: ChannelId) -> bool {
        let talked = self.parties.contains(&channel);
        if talked {
            self.parties.retain(|party| *party != channel);
            self.held.push(channel);
        }
        talked
    }

    /// A held channel talks again, unless two do.
    pub fn resume(&mut self, channel: ChannelId) -> bool {
        let may = self.held.contains(&channel) && self.parties.len() < 2;
        if may {
            self.held.retain(|held| *held != channel);
            self.parties.push(channel);
        }
        may
    }

    /// Another channel comes in; it talks when there is room, and is held otherwise. Says whether it talks.
    pub fn join(&mut self, channel: ChannelId) -> bool {
        let is_new = self.members().all(|member| member != channel);
        let has_room = self.parties.len() < 2;
        match (is_new, has_room) {
            (true, true) => self.parties.push(channel),
            (true, false) => self.held.push(channel),
            (false, _) => {}
        }
        is_new && has_room
    }

    /// A channel leaves.
    pub fn leave(&mut self, channel: ChannelId) {
        self.parties.retain(|party| *party != channel);
        self.held.retain(|held| *held != channel);
    }
}

/// All bridges.
#[derive(Debug, Default)]
pub struct Bridges(BTreeMap<BridgeId, Bridge>);

impl Bridges {
    /// A bridge.
    pub fn get(&self, id: BridgeId) -> Option<&Bridge> {
        self.0.get(&id)
    }

    /// A bridge, to be changed.
    pub fn get_mut(&mut self, id: BridgeId) -> Option<&mut Bridge> {
        self.0.get_mut(&id)
    }

    /// Adds a bridge.
    pub fn insert(&mut self, bridge: Bridge) {
        self.0.insert(bridge.id, bridge);
    }

    /// A bridge is over.
    pub fn remove(&mut self, id: BridgeId) -> Option<Bridge> {
        self.0.remove(&id)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Bridge> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ChannelId = ChannelId(1);
    const B: ChannelId = ChannelId(2);
    const C: ChannelId = ChannelId(3);

    fn bridge() -> Bridge {
        Bridge::new(BridgeId(9), A, B, MediaPath::new(false, 0))
    }

    #[test]
    fn a_third_party_is_held_until_one_of_the_two_is() {
        let mut bridge = bridge();
        bridge.join(C);
        assert_eq!((bridge.talking(), bridge.held.as_slice()), (Some((A, B)), &[C][..]));
        assert!(!bridge.resume(C), "two talk");
        assert!(bridge.hold(B) && !bridge.hold(B));
        assert_eq!(bridge.talking(), None);
        assert!(bridge.resume(C));
        assert_eq!((bridge.talking(), bridge.held.as_slice()), (Some((A, C)), &[B][..]));
    }

    #[test]
    fn two_called_lines_stay_joined_when_the_caller_leaves() {
        let mut bridge = bridge();
        bridge.join(C);
        bridge.leave(A);
        assert!(bridge.resume(C));
        assert_eq!((bridge.role(B), bridge.role(C), bridge.role(A)), (Some(Role::Caller), Some(Role::Callee), None));
        bridge.join(C);
        assert_eq!(bridge.members().collect::<Vec<_>>(), [B, C], "nobody is in it twice");
    }
}
