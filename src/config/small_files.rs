//! What the options of the smaller files have in common: those without effect, and those nobody knows.

use super::diagnostic::Diagnostic;
use super::ini::Entry;
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
