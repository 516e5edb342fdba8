//! `reload` in all its spellings, and `core restart`.

use super::core::have_ended;
use super::reply::Reply;
use crate::observe::control_api::{ControlApi, Reload, Stop, Then};
use crate::observe::escape;
use crate::wording::plural;

/// The modules of Asterisk whose files we read.
const MODULES: &[&str] = &["chan_sip", "pbx_config", "res_rtp_asterisk"];

pub(super) fn everything(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    ask(arguments, Reload::All, exchange)
}

pub(super) fn sip(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    ask(arguments, Reload::Sip, exchange)
}

pub(super) fn dialplan(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    ask(arguments, Reload::Dialplan, exchange)
}

pub(super) fn module(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [name] = arguments else { return ask(arguments, Reload::All, exchange) };
    let stem = name.strip_suffix(".so").unwrap_or(name);
    if !MODULES.iter().any(|module| stem.eq_ignore_ascii_case(module)) {
        let name = escape::line(name);
        return Reply::Failed(format!("There is no module '{name}' here: 'reload' reads everything again.\n"));
    }
    ask(&[], Reload::Module(name.clone()), exchange)
}

fn ask(arguments: &[String], what: Reload, exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    exchange.reload(what);
    // The outcome answers the line.
    Reply::Done(String::new())
}

pub(super) fn restart_now(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let calls = exchange.counts().calls;
    exchange.stop(Stop::Now, Then::Restart);
    Reply::Done(match calls {
        0 => "Restarting.\n".to_owned(),
        calls => format!("Restarting; {} will be ended.\n", plural(calls, "call")),
    })
}

pub(super) fn restart_gracefully(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let calls = exchange.counts().calls;
    exchange.stop(Stop::Gracefully, Then::Restart);
    Reply::Done(match calls {
        0 => "Restarting.\n".to_owned(),
        calls => format!("Restarting when {}; no new ones are taken.\n", have_ended(calls)),
    })
}
