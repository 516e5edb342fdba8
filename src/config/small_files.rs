//! What the options of the smaller files have in common: those without effect, and those nobody knows.

use super::diagnostic::{Diagnostic, Place, Severity};
use super::ini::{Document, Entry};
use super::suggest::nearest;
use super::value;

/// An option without effect: its name, the values that ask for what happens anyway, and why it has none.
pub(super) type Ignored = (&'static str, &'static [&'static str], &'static str);

/// What is to be said of an option that is not among `known`: nothing when it asks for what happens anyway, else a
/// warning.
pub(super) fn ignored(entry: &Entry, known: &[&'static str], ignored: &[Ignored]) -> Result<(), Diagnostic> {
    let name = entry.name.to_ascii_lowercase();
    let warning = |say| Diagnostic::warning(entry.place.clone(), say);
    if let Some((_, fits, why)) = ignored.iter().find(|(known, _, _)| *known == name) {
        if value::is_one_of(&entry.value, fits) {
            return Ok(());
        }
        return Err(warning(format!("'{name}' is not supported and is ignored")).hint(*why));
    }
    let known = known.iter().copied().chain(ignored.iter().map(|(known, _, _)| *known));
    let meant = nearest(&name, known).map(|name| format!(" (did you mean '{name}'?)")).unwrap_or_default();
    let hint = "the line is ignored: correct the name, or take it out";
    Err(warning(format!("unknown option '{}'{meant}", entry.name)).hint(hint))
}

/// That a value is none of its option, and the line is ignored.
pub(super) fn bad(entry: &Entry, accepted: &str) -> Diagnostic {
    let say = if entry.value.is_empty() {
        format!("'{}' has no value: the line is ignored", entry.name)
    } else {
        format!("'{}' is not a valid value of '{}': the line is ignored", entry.value, entry.name)
    };
    Diagnostic::warning(entry.place.clone(), say).hint(format!("accepted: {accepted}"))
}

/// That a file with sections has none of those that are read of it.
pub(super) fn without(document: &Document, file: &str, read: &[&str], follows: &str) -> Option<Diagnostic> {
    let place = document.sections.first().map(|section| Place { file: section.place.file.clone(), line: 0 })?;
    if read.iter().any(|name| document.section(name).is_some()) {
        return None;
    }
    let names: Vec<String> = read.iter().map(|name| format!("[{name}]")).collect();
    let say = format!("there is no section {} in this file: {follows}", names.join(" or "));
    Some(Diagnostic::warning(place, say).hint(format!("what {file} says stands in {}", names.join(" and "))))
}

/// What makes other files unusable costs a small file only the lines it is said of: its defaults hold, and the
/// exchange starts.
pub(super) fn spare(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.severity == Severity::Fatal) {
        diagnostic.severity = Severity::Warning;
        diagnostic.message.push_str(": what depends on it is ignored");
    }
}
