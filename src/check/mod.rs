//! Problems of a configuration without syntax errors: `sip.conf` and the dialplan looked at together.
//!
//! Only what is certain is reported: what a variable decides is not judged, and what may match counts as present. Each
//! kind of finding is a row of [`crate::config::finding::TABLE`].

mod call;
mod callers;
mod chosen;
mod commands;
mod contexts;
mod devices;
mod dial;
mod functions;
mod gaps;
mod goals;
mod jumps;
mod numbers;
mod openings;
mod paging;
mod phrase;
mod secrets;
mod shadow;
mod sounds;
mod survey;
mod texts;
mod trunks;

use crate::config::Config;
use crate::config::diagnostic::{self, Diagnostic};
use crate::config::load::Loaded;
use crate::dialplan::{self, Dialplan};
use survey::Survey;

/// Who the dialplan's entries belong to when they come from the file, as the console shows it.
pub const REGISTRAR: &str = "pbx_config";

/// The dialplan of what was loaded, and all diagnostics of the files, in order. No dialplan: a file cannot be used.
pub fn everything(loaded: &Loaded) -> (Option<Dialplan>, Vec<Diagnostic>) {
    let mut diagnostics = loaded.diagnostics.clone();
    let plan = loaded.config.as_ref().map(|config| {
        let (plan, said) = dialplan::parse_in(&config.extensions, REGISTRAR, &config.zones);
        diagnostics.extend(said);
        diagnostics.extend(findings(config, &plan));
        plan
    });
    diagnostic::tidy(&mut diagnostics);
    (plan, diagnostics)
}

/// The problems of a configuration and its dialplan, in the order of file and line.
pub fn findings(config: &Config, plan: &Dialplan) -> Vec<Diagnostic> {
    let plan = with_registrations(config, plan.clone());
    let mut found = of(&Survey::of(config, &plan));
    diagnostic::tidy(&mut found);
    found
}

/// The sounds that the dialplan names and that are not there; `missing` says why a name is not in a language, in a whole
/// sentence.
pub fn missing_sounds(
    config: &Config,
    plan: &Dialplan,
    missing: &dyn Fn(&str, &str) -> Option<String>,
) -> Vec<Diagnostic> {
    sounds::findings(&Survey::of(config, plan), missing)
}

fn of(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = contexts::findings(survey);
    found.extend(callers::findings(survey));
    found.extend(jumps::findings(survey));
    found.extend(gaps::findings(survey));
    found.extend(shadow::findings(survey));
    found.extend(dial::findings(survey));
    found.extend(paging::findings(survey));
    found.extend(functions::findings(survey));
    found.extend(commands::findings(survey));
    found.extend(openings::findings(survey));
    found.extend(texts::findings(survey));
    found.extend(secrets::findings(survey.config));
    found.extend(trunks::findings(survey));
    found.extend(devices::findings(survey));
    found
}

/// The dialplan as it is while every peer is registered (`regcontext=`, `regexten=`).
fn with_registrations(config: &Config, mut plan: Dialplan) -> Dialplan {
    let contexts = &config.sip.general.reg_contexts;
    for peer in config.sip.peers.values().filter(|_| !contexts.is_empty()) {
        for made in peer.reg_extensions() {
            let named: Vec<&String> = made.context.iter().collect();
            for context in if named.is_empty() { contexts.iter().collect() } else { named } {
                if plan.find(context, &made.extension, 1, None, crate::clock::Wall(0)).is_none() {
                    plan.add_extension(context, &made.extension, 1, "NoOp", &peer.name, "SIP");
                }
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests;
