//! What lamps show: `DEVICE_STATE`, `EXTENSION_STATE`, `HINT`.

use crate::dialplan::database;
use crate::dialplan::function::Function;
use crate::dialplan::hint;
use crate::dialplan::scope::Scope;
use crate::event::DeviceState;
use crate::wording::outside;

pub(super) static DEVICE_STATE: Function = Function {
    name: "DEVICE_STATE",
    synopsis: "The state of a device, SIP/name, Local/exten@context or Custom:name: NOT_INUSE, INUSE, BUSY, RINGING, RINGINUSE, ONHOLD, \
               UNAVAILABLE, INVALID, UNKNOWN. That of Custom:name can be assigned, and outlives a restart",
    syntax: "DEVICE_STATE(device)",
    read: Some(|scope, device| Ok(state_of(scope, device).word().to_owned())),
    write: Some(set_state),
};

pub(super) static EXTENSION_STATE: Function = Function {
    name: "EXTENSION_STATE",
    synopsis: "The state of the devices that an extension's hint names together; UNKNOWN without a hint",
    syntax: "EXTENSION_STATE(extension[@context])",
    read: Some(extension_state),
    write: None,
};

pub(super) static HINT: Function = Function {
    name: "HINT",
    synopsis: "The devices that an extension's hint names",
    syntax: "HINT(extension[@context])",
    read: Some(|scope, args| Ok(devices(scope, args).unwrap_or_default())),
    write: None,
};

fn state_of(scope: &Scope<'_>, device: &str) -> DeviceState {
    let (device, environment) = (device.trim(), scope.environment);
    hint::custom_state(environment.database(), device).unwrap_or_else(|| environment.device_state(device))
}

fn set_state(scope: &mut Scope<'_>, device: &str, value: &str) -> Result<(), String> {
    let Some(name) = hint::custom(device.trim()) else {
        return Err(format!("DEVICE_STATE: only Custom:name can be assigned, not '{}'", outside(device)));
    };
    let Some(state) = DeviceState::from_word(value.trim()) else {
        let known: Vec<&str> = DeviceState::words().collect();
        return Err(format!("DEVICE_STATE: '{}' is no state: write one of {}", outside(value), known.join(", ")));
    };
    scope.environment.database().put(&database::path(hint::CUSTOM, name), state.word())
}

/// The devices that the hint of `exten[@context]` names, variables in it replaced.
fn devices(scope: &Scope<'_>, args: &str) -> Option<String> {
    let place = args.split(',').next().unwrap_or_default().trim();
    let (exten, context) = place.split_once('@').unwrap_or((place, &scope.state.position.context));
    hint::devices(scope.environment, (context, exten), scope.expand)
}

fn extension_state(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let Some(devices) = devices(scope, args) else { return Ok("UNKNOWN".to_owned()) };
    let states = hint::names(&devices).map(|device| state_of(scope, device));
    Ok(DeviceState::combined(states).of_extension().word().to_owned())
}
