//! What the commands share that show calls that were kept.

use super::{doctor, init};
use crate::cli::Common;
use crate::config::load;
use crate::observe::{escape, socket_path};
use crate::store::history::KeptCall;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Where the exchange with this configuration keeps its state.
pub(super) fn folder(common: &Common) -> PathBuf {
    let config = init::existing(common).and_then(|place| load::load(&place).config).unwrap_or_default();
    doctor::state_folder(&config, &socket_path::identity(common.config.as_deref()))
}

pub(super) fn print(text: &str) -> ExitCode {
    // A closed pipe (`| head`) is not an error.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

pub(super) fn failed(why: &str) -> ExitCode {
    eprintln!("strowger: {why}");
    ExitCode::FAILURE
}

/// A call as a row.
pub(super) fn line(call: &KeptCall) -> String {
    let talked = format!("{}:{:02}", call.billed_s / 60, call.billed_s % 60);
    format!(
        "{:<19}  {:<12} {:<12} {talked:>7}  {:<10} {} ({})\n",
        call.start,
        shown(&call.source),
        shown(&call.destination),
        call.disposition,
        escape::line(&call.reason),
        call.unique_id
    )
}

fn shown(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { escape::line(text) }
}
