//! Hints: which devices an extension stands for (`exten => 100,hint,SIP/a&SIP/b`).

use super::database::{self, Database};
use super::environment::Environment;
use super::scope::Scope;
use super::state::State;
use super::{CallerId, Position};
use crate::event::DeviceState;

/// The family of the database that has the states of `Custom:` devices, as in Asterisk.
pub const CUSTOM: &str = "CustomDevstate";

/// The devices that the hint of an extension names, `SIP/a&SIP/b`: variables in it are replaced, `${EXTEN}` by the
/// extension that is asked for, so that a pattern's hint serves each. None: the extension has no hint.
pub(super) fn devices(
    environment: &dyn Environment,
    (context, exten): (&str, &str),
    expand: fn(&str, &mut Scope<'_>) -> String,
) -> Option<String> {
    let found = environment.dialplan().hint(context, exten, environment.now().wall)?;
    let text = &found.priority.application;
    if !text.contains('$') {
        return Some(text.clone());
    }
    let position = Position { context: context.to_owned(), exten: exten.to_owned(), priority: 1 };
    let mut state = State::new("", position, CallerId::default());
    Some(expand(text, &mut Scope { state: &mut state, environment, expand, journal: None }))
}

/// The devices of a hint one by one; what stands behind a comma (`CustomPresence:`) is none.
pub fn names(devices: &str) -> impl Iterator<Item = &str> {
    let devices = devices.split(',').next().unwrap_or_default();
    devices.split('&').map(str::trim).filter(|device| !device.is_empty())
}

/// The state of a `Custom:` device, unknown until it was given one; none: it is no such device.
pub fn custom_state(database: &Database, device: &str) -> Option<DeviceState> {
    let stored = database.get(&database::path(CUSTOM, custom(device)?));
    Some(stored.and_then(|word| DeviceState::from_word(&word)).unwrap_or(DeviceState::Unknown))
}

/// The name of a `Custom:` device.
pub fn custom(device: &str) -> Option<&str> {
    let (kind, name) = device.split_once(':')?;
    (kind.eq_ignore_ascii_case("Custom") && !name.is_empty()).then_some(name)
}
