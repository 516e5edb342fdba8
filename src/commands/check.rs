//! `strowger check`: reports every problem of a configuration at once.

use super::init;
use super::sounds;
use crate::check::{everything, missing_sounds};
use crate::cli::{Common, Format};
use crate::config::diagnostic::{self, Counts, Diagnostic, column, render};
use crate::config::digest::digest;
use crate::config::load::{self, Loaded};
use crate::daemon::certificates;
use crate::daemon::clock::wall;
use crate::dialplan::Dialplan;
use crate::observe::socket_path;
use crate::wording::json::quoted;
use crate::wording::plural;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a program ends with whose configuration cannot be used (`EX_CONFIG` of sysexits).
pub const UNUSABLE: u8 = 78;

/// Prints the diagnostics, of many each kind once for each file, or with `each` every one; ends with 0 when nothing is
/// worse than a warning, else with 78.
pub fn run(common: &Common, format: Format, each: bool) -> ExitCode {
    let place = init::existing(common).unwrap_or_else(|| PathBuf::from(socket_path::DEFAULT_CONFIG));
    let loaded = load::load(&place);
    let (plan, diagnostics) = all(&loaded);
    let counts = Counts::of(&diagnostics);
    let text = match format {
        Format::Text => text(&loaded, plan.as_ref(), &diagnostics, counts, each),
        Format::Json => json(&loaded, &diagnostics, counts),
    };
    // A closed pipe (`| head`) is not an error.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if counts.is_good() { ExitCode::SUCCESS } else { ExitCode::from(UNUSABLE) }
}

/// All diagnostics, the dialplan's among them.
pub fn findings(loaded: &Loaded) -> Vec<Diagnostic> {
    all(loaded).1
}

/// The same with the dialplan, and what is found of the files that the configuration names.
fn all(loaded: &Loaded) -> (Option<Dialplan>, Vec<Diagnostic>) {
    let (plan, mut said) = everything(loaded);
    said.extend(certificates::findings(loaded, wall()));
    if let (Some(config), Some(plan)) = (&loaded.config, &plan) {
        let places = sounds::of_config(config, &Common::default());
        said.extend(missing_sounds(config, plan, &|name, language| crate::sounds::missing(&places, name, language)));
    }
    diagnostic::tidy(&mut said);
    (plan, said)
}

fn text(loaded: &Loaded, plan: Option<&Dialplan>, diagnostics: &[Diagnostic], counts: Counts, each: bool) -> String {
    let source = |file: &str, line: u32| loaded.source_line(file, line);
    let report = if each { render(diagnostics, &source) } else { digest(diagnostics, &source) };
    let what = loaded.directory.display();
    let mut text = format!("{report}{what}: {counts}\n");
    if !each && report.lines().filter(|line| is_head(line)).count() < diagnostics.len() {
        text += "of each kind the first is shown: 'strowger check --all' shows every one\n";
    }
    if let (Some(config), Some(plan)) = (&loaded.config, plan) {
        let (peers, contexts) = (config.sip.peers.len(), plan.contexts().count());
        text += &format!("{}, {}\n", plural(peers, "peer"), plural(contexts, "context"));
    }
    text
}

/// Whether a line of the report begins a diagnostic; source lines and hints stand further right.
fn is_head(line: &str) -> bool {
    !line.starts_with(' ')
}

/// One object (RFC 8259):
/// `{"directory","diagnostics":[{"severity","code","file","line","column","message","hint"}],"fatals","errors","warnings"}`.
fn json(loaded: &Loaded, diagnostics: &[Diagnostic], counts: Counts) -> String {
    let rows: Vec<String> = diagnostics
        .iter()
        .map(|one| {
            format!(
                "{{\"severity\":{},\"code\":{},\"file\":{},\"line\":{},\"column\":{},\"message\":{},\"hint\":{}}}",
                quoted(&one.severity.to_string()),
                quoted(one.code),
                quoted(&one.place.file),
                one.place.line,
                column(one, &|file, line| loaded.source_line(file, line)),
                quoted(&one.message),
                quoted(one.hint.as_deref().unwrap_or_default())
            )
        })
        .collect();
    format!(
        "{{\"directory\":{},\"diagnostics\":[\n{}\n],\"fatals\":{},\"errors\":{},\"warnings\":{}}}\n",
        quoted(&loaded.directory.display().to_string()),
        rows.join(",\n"),
        counts.fatals,
        counts.errors,
        counts.warnings
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn json_has_every_field_and_no_secret() {
        let folder = std::env::temp_dir().join(format!("strowger-check-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let sip = folder.join("sip.conf");
        fs::write(&sip, "[a]\ntype=friend\nhost=dynamic\nsecret=hunter2\n  qualfy=\"1\"\ndeny=\"x\"\n").unwrap();
        fs::set_permissions(&sip, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(folder.join("extensions.conf"), "[default]\nexten => 1,1,Dial(SIP/b)\n").unwrap();
        let loaded = load::load(&folder);
        let (_, said) = everything(&loaded);
        let text = json(&loaded, &said, Counts::of(&said));
        let place = folder.display();
        let expected = format!(
            "{{\"directory\":\"{place}\",\"diagnostics\":[\n\
             {{\"severity\":\"warning\",\"code\":\"dial-nobody\",\"file\":\"extensions.conf\",\"line\":2,\"column\":23,\
             \"message\":\"Dial names 'b', which is not a peer in sip.conf\",\"hint\":\"it fails at once (CHANUNAVAIL)\"}},\n"
        );
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.contains("\"code\":\"\",\"file\":\"sip.conf\",\"line\":5,\"column\":3,"), "{text}");
        assert!(text.contains("'\\\"x\\\"' is not a valid value of 'deny'"), "{text}");
        assert!(text.ends_with("\n],\"fatals\":0,\"errors\":1,\"warnings\":2}\n"), "{text}");
        assert!(!text.contains("hunter2"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
