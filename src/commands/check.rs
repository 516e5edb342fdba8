//! `strowger check`: everything there is to say about a configuration, at once.

use crate::cli::Common;
use crate::config::diagnostic::{Counts, render};
use crate::config::load::{self, Loaded};
use crate::dialplan;
use crate::observe::place;
use std::process::ExitCode;

/// What a program ends with whose configuration cannot be used (`EX_CONFIG` of sysexits).
pub const UNUSABLE: u8 = 78;

/// Prints every diagnostic; ends with 0 when nothing is worse than a warning, else with 78.
pub fn run(common: &Common) -> ExitCode {
    let place = match &common.config {
        Some(place) => place.clone(),
        None => place::identity(None),
    };
    let loaded = load::load(&place);
    let (report, counts) = report(&loaded);
    print!("{report}");
    let what = loaded.directory.display();
    println!("{what}: fatal {}, errors {}, warnings {}", counts.fatals, counts.errors, counts.warnings);
    if let Some(config) = &loaded.config {
        let (plan, _) = dialplan::parse(&config.extensions, "pbx_config");
        println!("peers {}, contexts {}", config.sip.peers.len(), plan.contexts().count());
    }
    if counts.fatals + counts.errors > 0 { ExitCode::from(UNUSABLE) } else { ExitCode::SUCCESS }
}

/// All diagnostics as text, the dialplan's among them, and how many there are.
pub fn report(loaded: &Loaded) -> (String, Counts) {
    let mut all = loaded.diagnostics.clone();
    if let Some(config) = &loaded.config {
        all.extend(dialplan::parse(&config.extensions, "pbx_config").1);
    }
    crate::config::diagnostic::tidy(&mut all);
    (render(&all, &|file, line| loaded.source_line(file, line)), Counts::of(&all))
}
