//! The state of a device, as hints and lamps show it.

/// What a lamp shows of a device; several devices of one hint have one state together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceState {
    /// Nothing is known of it: a `Custom:` device that was never given a state.
    Unknown,
    /// It is there, and nothing happens on it.
    Idle,
    /// It has a call.
    InUse,
    /// It has as many calls as it may have, or as `busylevel=` says.
    Busy,
    /// There is no such device.
    Invalid,
    /// It is not registered, or does not answer.
    Unavailable,
    /// It rings.
    Ringing,
    /// It has a call, and another one rings.
    InUseRinging,
    /// It holds its call.
    OnHold,
}

impl DeviceState {
    /// Every state, as `DEVICE_STATE()` and the database name it, and as the console shows a hint of it.
    const NAMES: [(DeviceState, &'static str, &'static str); 9] = [
        (DeviceState::Unknown, "UNKNOWN", "Idle"),
        (DeviceState::Idle, "NOT_INUSE", "Idle"),
        (DeviceState::InUse, "INUSE", "InUse"),
        (DeviceState::Busy, "BUSY", "Busy"),
        (DeviceState::Invalid, "INVALID", "Unavailable"),
        (DeviceState::Unavailable, "UNAVAILABLE", "Unavailable"),
        (DeviceState::Ringing, "RINGING", "Ringing"),
        (DeviceState::InUseRinging, "RINGINUSE", "InUse&Ringing"),
        (DeviceState::OnHold, "ONHOLD", "Hold"),
    ];

    /// The names of all states, as `DEVICE_STATE()` has them.
    pub fn words() -> impl Iterator<Item = &'static str> {
        DeviceState::NAMES.iter().map(|(_, word, _)| *word)
    }

    /// The name of the state, as `DEVICE_STATE()` has it.
    pub fn word(self) -> &'static str {
        DeviceState::NAMES.iter().find(|(state, ..)| *state == self).map_or("UNKNOWN", |(_, word, _)| word)
    }

    /// The state of that name, in any case.
    pub fn from_word(word: &str) -> Option<DeviceState> {
        DeviceState::NAMES.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(word)).map(|(state, ..)| *state)
    }

    /// As the console shows an extension whose devices are in this state together.
    pub fn shown(self) -> &'static str {
        DeviceState::NAMES.iter().find(|(state, ..)| *state == self).map_or("Idle", |(.., shown)| shown)
    }

    /// As an extension has it (`EXTENSION_STATE()`, lamps): of what nothing is known is not in use, and what is not
    /// there is not available.
    pub fn of_extension(self) -> DeviceState {
        match self {
            DeviceState::Unknown => DeviceState::Idle,
            DeviceState::Invalid => DeviceState::Unavailable,
            DeviceState::Idle
            | DeviceState::InUse
            | DeviceState::Busy
            | DeviceState::Unavailable
            | DeviceState::Ringing
            | DeviceState::InUseRinging
            | DeviceState::OnHold => self,
        }
    }

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

    /// Several devices as one, as Asterisk combines them: the state that says most; and one that rings while another is
    /// used makes both.
    pub fn combined(states: impl IntoIterator<Item = DeviceState>) -> DeviceState {
        let (mut in_use, mut ringing, mut most) = (false, false, DeviceState::Invalid);
        for state in states {
            in_use |= matches!(state, DeviceState::InUse | DeviceState::Busy | DeviceState::OnHold);
            ringing |= state == DeviceState::Ringing;
            if state.weight() > most.weight() {
                most = state;
            }
        }
        if in_use && ringing { DeviceState::InUseRinging } else { most }
    }

    /// How much a state says beside others of one hint.
    fn weight(self) -> u8 {
        match self {
            DeviceState::Invalid => 0,
            DeviceState::Unknown => 1,
            DeviceState::Unavailable => 2,
            DeviceState::Idle => 3,
            DeviceState::OnHold => 4,
            DeviceState::Ringing => 5,
            DeviceState::InUse => 6,
            DeviceState::Busy => 7,
            DeviceState::InUseRinging => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceState::{Busy, Idle, InUse, InUseRinging, Invalid, OnHold, Ringing, Unavailable, Unknown};
    use super::*;

    #[test]
    fn several_devices_have_one_state() {
        for (all, one) in [
            (vec![], Invalid),
            (vec![Unavailable, Unavailable], Unavailable),
            (vec![Unavailable, Idle], Idle),
            (vec![Invalid, Unknown], Unknown),
            (vec![Ringing, Idle], Ringing),
            (vec![InUseRinging, Unavailable], InUseRinging),
            (vec![Idle, InUse], InUse),
            (vec![Unavailable, Ringing], Ringing),
            (vec![InUse, Ringing], InUseRinging),
            (vec![OnHold, Ringing], InUseRinging),
            (vec![Busy, Ringing], InUseRinging),
            (vec![OnHold, InUse, Idle], InUse),
            (vec![OnHold, Idle], OnHold),
            (vec![Busy, InUse], Busy),
            (vec![InUseRinging, Idle], InUseRinging),
        ] {
            assert_eq!(DeviceState::combined(all.clone()), one, "{all:?}");
        }
    }

    #[test]
    fn every_state_is_read_as_it_is_written() {
        for word in DeviceState::words() {
            assert_eq!(DeviceState::from_word(&word.to_lowercase()).map(DeviceState::word), Some(word));
        }
        assert_eq!(DeviceState::from_word("x"), None);
        assert_eq!((Unknown.of_extension(), Invalid.of_extension(), Busy.of_extension()), (Idle, Unavailable, Busy));
    }
}
