//! Telephones played by libraries for Python, after the scripts in `clients/`. Which Python has them is
//! `STROWGER_PYTHON`'s to say; `tests/run.sh` makes one.

use std::process::{Command, Stdio};

use crate::exchange::Exchange;
use crate::telephone::{Line, Way, program};

fn interpreter() -> String {
    std::env::var("STROWGER_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Why a library cannot be used here, if so.
pub fn missing(library: &str) -> Option<String> {
    let mut command = Command::new(interpreter());
    command.args(["-c", &format!("import {library}")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let there = command.status().is_ok_and(|status| status.success());
    (!there).then(|| format!("{library} for Python: not installed"))
}

fn script(exchange: &Exchange, name: &str) -> Command {
    let mut command = program(exchange, &interpreter());
    command.arg(format!("{}/tests/interop/clients/{name}", env!("CARGO_MANIFEST_DIR")));
    command
}

pub fn pjsua2(exchange: &Exchange, line: &Line<'_>, tone: u16) -> Command {
    let mut command = script(exchange, "pjsua2_phone.py");
    let transport = if line.way == Way::Sips { "sips" } else { line.way.protocol() };
    command.args([line.user, line.secret, &line.server, line.way.address(), transport, &tone.to_string()]);
    command.arg(line.folder.join("heard.wav")).arg(&line.authority);
    command
}

pub fn pyvoip(exchange: &Exchange, line: &Line<'_>, tone: u16) -> Command {
    let (host, port) = line.server.rsplit_once(':').unwrap_or((&line.server, "5060"));
    let mut command = script(exchange, "pyvoip_phone.py");
    command.args([line.user, line.secret, host, port, line.way.address(), &line.port.to_string(), &tone.to_string()]);
    command.arg(line.folder.join("heard.wav"));
    command
}
