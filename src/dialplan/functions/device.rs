//! What lamps show: `DEVICE_STATE`, `EXTENSION_STATE`, `HINT`.

use crate::dialplan::database;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::event::DeviceState;
use crate::wording::outside;

pub(super) static DEVICE_STATE: Function = Function {
    name: "DEVICE_STATE",
    synopsis: "The state of a device, SIP/name or Custom:name: NOT_INUSE, INUSE, RINGING, RINGINUSE, UNAVAILABLE, INVALID. \
               That of Custom:name can be assigned, and outlives a restart",
    syntax: "DEVICE_STATE(device)",
    read: Some(|scope, device| Ok(state_of(scope, device.trim()))),
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
    read: Some(|scope, args| Ok(hint(scope, args).unwrap_or_default())),
    write: None,
};

/// The family of the database that holds the states of `Custom:` devices, as in Asterisk.
const FAMILY: &str = "CustomDevstate";
/// The states a `Custom:` device may be given.
const STATES: [&str; 9] =
    ["UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD"];

fn custom(device: &str) -> Option<&str> {
    let (kind, name) = device.split_once(':')?;
    kind.eq_ignore_ascii_case("Custom").then_some(name)
}

fn state_of(scope: &Scope<'_>, device: &str) -> String {
    match custom(device) {
        Some(name) => scope.environment.database().get(&database::path(FAMILY, name)).unwrap_or("UNKNOWN".to_owned()),
        None => scope.environment.device_state(device).map_or("INVALID", word).to_owned(),
    }
}

fn word(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Idle => "NOT_INUSE",
        DeviceState::InUse => "INUSE",
        DeviceState::Ringing => "RINGING",
        DeviceState::InUseRinging => "RINGINUSE",
        DeviceState::Unavailable => "UNAVAILABLE",
    }
}

fn set_state(scope: &mut Scope<'_>, device: &str, value: &str) -> Result<(), String> {
    let Some(name) = custom(device.trim()).filter(|name| !name.is_empty()) else {
        return Err(format!("DEVICE_STATE: only Custom:name can be assigned, not '{}'", outside(device)));
    };
    let value = value.trim().to_ascii_uppercase();
    if !STATES.contains(&value.as_str()) {
        return Err(format!("DEVICE_STATE: '{}' is no state: write one of {}", outside(&value), STATES.join(", ")));
    }
    scope.environment.database().put(&database::path(FAMILY, name), &value)
}

fn hint(scope: &Scope<'_>, args: &str) -> Option<String> {
    let place = args.split(',').next().unwrap_or_default().trim();
    let (exten, context) = place.split_once('@').unwrap_or((place, &scope.state.position.context));
    let dialplan = scope.environment.dialplan();
    dialplan.hint(context, exten, scope.environment.now().wall).map(|found| found.priority.application.clone())
}

/// As [`DeviceState::combined`], with the words that only a `Custom:` device has.
fn extension_state(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let Some(devices) = hint(scope, args) else { return Ok("UNKNOWN".to_owned()) };
    let devices = devices.split(',').next().unwrap_or_default();
    let mut states = Vec::new();
    for device in devices.split('&').map(str::trim) {
        states.push(match state_of(scope, device).as_str() {
            "NOT_INUSE" => DeviceState::Idle,
            "INUSE" | "BUSY" | "ONHOLD" => DeviceState::InUse,
            "RINGING" => DeviceState::Ringing,
            "RINGINUSE" => DeviceState::InUseRinging,
            _ => DeviceState::Unavailable,
        });
    }
    Ok(word(DeviceState::combined(states)).to_owned())
}
