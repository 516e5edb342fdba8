//! What a lamp shows: the state of an extension's devices together, as far as the configuration lets it be told.

use crate::config::lamps::{LampOptions, NotifyCid, NotifyRinging};
use crate::dialplan::mailbox::Messages;
use crate::event::DeviceState;
use crate::pbx::core::{Core, DeviceCall, Devices};

/// What a lamp shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lamp {
    /// The state of the devices together.
    pub state: DeviceState,
    /// The call that the state is about, when there is one: the devices are called, or call.
    pub is_called: Option<bool>,
    /// Its other end and its dialog, as far as `notifycid` has them told.
    pub call: Option<DeviceCall>,
    /// How many messages wait, when it is about mailboxes and anybody has told.
    pub messages: Option<Messages>,
}

/// What stands before a mailbox among devices.
pub const MAILBOX: &str = "mailbox:";

impl Lamp {
    /// What the lamp of these devices shows now.
    pub fn of(devices: &[String], table: &dyn Devices, core: &Core) -> Lamp {
        let mailboxes = devices.iter().filter_map(|device| device.strip_prefix(MAILBOX));
        let known = mailboxes.filter_map(|mailbox| table.messages(core, mailbox));
        let messages = known.reduce(|one, other| Messages {
            new: one.new.saturating_add(other.new),
            old: one.old.saturating_add(other.old),
        });
        let options = &core.config.general.lamps;
        let states: Vec<DeviceState> = devices.iter().map(|device| shown(table.state(core, device), options)).collect();
        let state = shown(DeviceState::combined(states.iter().copied()).of_extension(), options);
        let wanted = |one: &DeviceState| match state {
            DeviceState::Ringing | DeviceState::InUseRinging => rings(*one),
            DeviceState::InUse | DeviceState::Busy | DeviceState::OnHold => is_used(*one),
            DeviceState::Unknown | DeviceState::Idle | DeviceState::Invalid | DeviceState::Unavailable => false,
        };
        let found = states.iter().zip(devices).find(|(one, _)| wanted(one));
        let call = found.and_then(|(_, device)| table.call(core, device));
        let is_called = call.as_ref().map(|call| call.is_called);
        let call = call.filter(|call| options.cid != NotifyCid::No && rings(state) && call.is_called);
        Lamp { state, is_called, call, messages }
    }

    /// The call, for who watches in this context.
    pub fn call_for(&self, context: &str, core: &Core) -> Option<&DeviceCall> {
        let is_told = |call: &&DeviceCall| match core.config.general.lamps.cid {
            NotifyCid::No => false,
            NotifyCid::Yes => call.context == context,
            NotifyCid::IgnoreContext => true,
        };
        self.call.as_ref().filter(is_told)
    }
}

/// Does somebody ring?
pub fn rings(state: DeviceState) -> bool {
    matches!(state, DeviceState::Ringing | DeviceState::InUseRinging)
}

/// Is there a call that is answered, or being made?
fn is_used(state: DeviceState) -> bool {
    matches!(state, DeviceState::InUse | DeviceState::InUseRinging | DeviceState::Busy | DeviceState::OnHold)
}

/// A state as `notifyringing` has it told.
fn shown(state: DeviceState, options: &LampOptions) -> DeviceState {
    match (options.ringing, state) {
        (NotifyRinging::No, DeviceState::Ringing) => DeviceState::Idle,
        (NotifyRinging::No | NotifyRinging::NotInUse, DeviceState::InUseRinging) => DeviceState::InUse,
        (_, state) => state,
    }
}
