//! The state of a device, as hints and lamps show it.

/// What a lamp shows of a device; several devices of one hint have one state together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceState {
    /// It is there, and nothing happens on it.
    Idle,
    /// It has a call.
    InUse,
    /// It rings.
    Ringing,
    /// It has a call, and another one rings.
    InUseRinging,
    /// It is not registered, not reachable, or not configured.
    Unavailable,
}

impl DeviceState {
    /// The state of a device with calls in progress, calls that ring, and a way to it.
    pub fn of(in_use: bool, ringing: bool, reachable: bool) -> DeviceState {
        match (in_use, ringing) {
            (true, true) => DeviceState::InUseRinging,
            (true, false) => DeviceState::InUse,
            (false, true) => DeviceState::Ringing,
            (false, false) if reachable => DeviceState::Idle,
            (false, false) => DeviceState::Unavailable,
        }
    }

    /// Several devices as one: any that is used or rings makes it so, and one that is there makes it idle.
    pub fn combined(states: impl IntoIterator<Item = DeviceState>) -> DeviceState {
        let (mut in_use, mut ringing, mut reachable) = (false, false, false);
        for state in states {
            in_use |= matches!(state, DeviceState::InUse | DeviceState::InUseRinging);
            ringing |= matches!(state, DeviceState::Ringing | DeviceState::InUseRinging);
            reachable |= state != DeviceState::Unavailable;
        }
        DeviceState::of(in_use, ringing, reachable)
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceState::{Idle, InUse, InUseRinging, Ringing, Unavailable};
    use super::*;

    #[test]
    fn several_devices_have_one_state() {
        for (all, one) in [
            (vec![], Unavailable),
            (vec![Unavailable, Unavailable], Unavailable),
            (vec![Unavailable, Idle], Idle),
            (vec![Ringing, Idle], Ringing),
            (vec![InUseRinging, Unavailable], InUseRinging),
            (vec![Idle, InUse], InUse),
            (vec![Unavailable, Ringing], Ringing),
            (vec![InUse, Ringing], InUseRinging),
            (vec![InUseRinging, Idle], InUseRinging),
        ] {
            assert_eq!(DeviceState::combined(all.clone()), one, "{all:?}");
        }
    }
}
