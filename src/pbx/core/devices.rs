//! What devices do: asked by subscriptions, answered by the switch, which knows lines and calls.

use super::Core;
use crate::dialplan::mailbox::Messages;
use crate::event::DeviceState;
use smol_str::SmolStr;

/// A call of a device, as a lamp may tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCall {
    /// The device is called; else it calls.
    pub is_called: bool,
    /// The name of who is at the other end; empty when it is not known, or not to be shown.
    pub name: String,
    /// The number, likewise.
    pub number: String,
    /// The context where the call entered the dialplan.
    pub context: String,
    /// While it rings: what whoever is told of it may call it by, to take it (INVITE with Replaces). Not its dialog's own
    /// Call-ID and tags: by those he could speak within the call, and send its sound elsewhere.
    pub pickup_name: Option<SmolStr>,
}

/// Tells what devices do, and which devices an extension names.
pub trait Devices {
    /// The state of a device.
    fn state(&self, core: &Core, device: &str) -> DeviceState;

    /// The call of a device, when it has one.
    fn call(&self, core: &Core, device: &str) -> Option<DeviceCall>;

    /// How many messages wait in a mailbox; none: nobody has told.
    fn messages(&self, core: &Core, mailbox: &str) -> Option<Messages>;

    /// The devices that the hint of an extension names, variables in it replaced; none: it has no hint. In the
    /// context without a name, `mailbox:` and each mailbox of the line of that name.
    fn hint(&self, core: &Core, context: &str, exten: &str) -> Option<Vec<String>>;
}
