//! `strowger doctor`: looks at the machine for what keeps calls from working, and says what to do about it.

mod certificates;
mod finding;
mod folder;
mod machine;
mod network;
mod proc;
mod process;
mod scripts;
mod secret;
mod streams;

use super::{check, init, sounds};
use crate::cli::Common;
use crate::config::Config;
use crate::config::diagnostic::Counts;
use crate::config::load;
use crate::daemon::clock::wall;
use crate::observe::socket_path;
use finding::Finding;
use folder::User;
pub(super) use folder::state_folder;
use network::Sockets;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Prints what it found, a line each or as JSON. 0 when there is nothing to do, 1 when there is. Takes about a second.
pub fn run(common: &Common, json: bool) -> ExitCode {
    let findings = findings(common);
    let text = if json { finding::json(&findings) } else { finding::text(&findings) };
    // A closed pipe (`| head`) is not an error.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if findings.iter().any(Finding::is_todo) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn findings(common: &Common) -> Vec<Finding> {
    let (config, place, mut findings) = configuration(common);
    let processes = process::all();
    let sockets = Sockets::look(&processes);
    findings.push(network::port(&config, &sockets));
    findings.extend(streams::ports(&config, sockets.exchange(config.sip.general.bind).is_some()));
    findings.push(network::media_ports(&config, &sockets));
    findings.extend(network::ephemeral(&config));
    findings.extend(network::addresses(&config));
    findings.push(network::programs(&processes));
    findings.push(machine::clock(wall()));
    let before = network::udp_counts();
    findings.push(machine::jitter(machine::beats()));
    findings.push(network::drops(before, network::udp_counts(), &config, &sockets));
    let state = folder::state_folder(&config, &socket_path::identity(common.config.as_deref()));
    let user = User::of(&state);
    findings.extend(place.iter().flat_map(|place| folder::configuration(place, user)));
    findings.extend(folder::state(&state, user));
    findings.push(folder::recordings(&config, &state, user));
    findings.push(folder::disk(&state));
    findings.push(machine::descriptors(&config, sockets.exchange(config.sip.general.bind)));
    findings.push(machine::real_time(sockets.exchange(config.sip.general.bind)));
    findings.extend(scripts::scripts(&config));
    findings.extend(secret::secrets(&config));
    findings.push(voice(&config, common));
    findings
}

/// Which voice speaks.
fn voice(config: &Config, common: &Common) -> Finding {
    let places = sounds::of_config(config, common);
    let install = || format!("for a human voice: {}", sounds::HUMAN_VOICE);
    match crate::sounds::find(&places, "vm-goodbye", "") {
        Ok(found) if found.path.starts_with(crate::sounds::DEBIAN) => {
            Finding::fine("sounds", format!("prompts are spoken by the human voice in {}", crate::sounds::DEBIAN))
        }
        Ok(found) => {
            let folder = found.path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
            Finding::note("sounds", format!("prompts come from {folder}; {}", install()))
        }
        Err(_) => Finding::note("sounds", format!("no voice is installed: prompts are missing; {}", install())),
    }
}

/// The configuration that would be run, where it is, and what is to be said of it. One that cannot be used is replaced
/// by the default, so that the rest can be looked at.
fn configuration(common: &Common) -> (Config, Option<PathBuf>, Vec<Finding>) {
    let Some(place) = init::existing(common) else {
        let what = "there is none yet: the first start makes ten telephones with secrets of their own";
        return (Config::default(), None, vec![Finding::note("config", what)]);
    };
    let loaded = load::load(&place);
    let counts = Counts::of(&check::findings(&loaded));
    let shown = place.display();
    let errors = counts.fatals + counts.errors;
    let advice = format!("strowger check -C {shown} shows each with its line");
    let said = match (&loaded.config, errors, counts.warnings) {
        (None, ..) => Finding::todo("config", format!("{shown} cannot be used as it is"), advice),
        (Some(_), 0, 0) => Finding::fine("config", format!("{shown} loads without errors or warnings")),
        (Some(_), 0, warnings) => Finding::note("config", format!("{shown} loads (warnings: {warnings}); {advice}")),
        (Some(_), errors, _) => Finding::todo("config", format!("{shown} loads in part (errors: {errors})"), advice),
    };
    let mut findings = vec![said];
    findings.extend(certificates::certificates(&loaded, wall()));
    (loaded.config.unwrap_or_default(), Some(loaded.directory), findings)
}
