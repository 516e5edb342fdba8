//! acl.conf: address lists with names, for `acl=`, `contactacl=` and `directmediaacl=`.

use super::acl::{Acl, Rule};
use super::diagnostic::Diagnostic;
use super::ini::{Document, Entry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The lists by name. One with an error is `None`: who names it is left out, for a list without one of its lines would
/// let in whom it keeps out.
pub type Lists = BTreeMap<String, Option<Arc<[Rule]>>>;

/// Reads the lists of a document; what is wrong is all said. `[general]` is no list.
pub fn parse(document: &Document) -> (Lists, Vec<Diagnostic>) {
    let mut drafts: BTreeMap<&str, (Acl, bool)> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for section in document.sections.iter().filter(|section| !section.name.eq_ignore_ascii_case("general")) {
        let (acl, is_good) = drafts.entry(&section.name).or_insert_with(|| (Acl::default(), true));
        for entry in &section.entries {
            match apply(acl, &section.name, entry) {
                Ok(said) => diagnostics.extend(said),
                Err(diagnostic) => {
                    diagnostics.push(diagnostic);
                    *is_good = false;
                }
            }
        }
    }
    let lists = drafts.into_iter().map(|(name, (acl, is_good))| (name.to_owned(), is_good.then(|| acl.rules.into())));
    (lists.collect(), diagnostics)
}

/// Adds a line to a list: what is to be said of it, or why the list cannot be used.
fn apply(acl: &mut Acl, list: &str, entry: &Entry) -> Result<Option<Diagnostic>, Diagnostic> {
    const HINT: &str = "write networks such as 192.168.0.0/16, with commas between";
    let error = |say: String, hint: &str| {
        let say = format!("{say}: the list '{list}' cannot be used, and peers that name it are left out");
        Diagnostic::error(entry.place.clone(), say).hint(hint)
    };
    let permit = match entry.name.to_ascii_lowercase().as_str() {
        "permit" => true,
        "deny" => false,
        _ => return Err(error(format!("'{}' is not a list entry", entry.name), "write 'permit' and 'deny' lines")),
    };
    if entry.value.is_empty() {
        let say = format!("'{}' has no value: the line is ignored", entry.name);
        return Ok(Some(Diagnostic::warning(entry.place.clone(), say).hint(HINT)));
    }
    let left_out = acl.add(permit, &entry.value).map_err(|word| error(format!("'{word}' is not a network"), HINT))?;
    let say = format!("'{}' is not a network, and permits nobody", left_out.join("', '"));
    Ok((!left_out.is_empty()).then(|| Diagnostic::warning(entry.place.clone(), say).hint(HINT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini;

    #[test]
    fn a_line_that_would_only_permit_spoils_no_list() {
        let text = "[home]\ndeny=0.0.0.0/0\npermit=192.168.0.0/16, nowhere\npermit=\ndeny=\n";
        let (document, none) = ini::parse("acl.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let (lists, said) = parse(&document);
        let said: Vec<String> = said.iter().map(|d| format!("{} {} {}", d.place, d.severity, d.message)).collect();
        assert_eq!(
            said,
            [
                "acl.conf:3 warning 'nowhere' is not a network, and permits nobody",
                "acl.conf:4 warning 'permit' has no value: the line is ignored",
                "acl.conf:5 warning 'deny' has no value: the line is ignored",
            ]
        );
        let mut acl = Acl::default();
        acl.add_named("home", &lists).unwrap();
        assert!(acl.allows("192.168.1.1".parse().unwrap()) && !acl.allows("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn lists_are_read_and_a_broken_one_is_not_used() {
        let text = "[general]\nx=1\n[mask](!)\ndeny=0.0.0.0/0\n[home](mask)\npermit=192.168.0.0/16\n[bad]\ndeny=300.0.0.0/8\n\
                    permit=10.0.0.0/8\n[typo]\nallow=10.0.0.0/8\n[home](+)\ndeny=192.168.9.0/24\n";
        let (document, none) = ini::parse("acl.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let (lists, said) = parse(&document);
        let said: Vec<String> = said.iter().map(|d| format!("{} {}", d.place, d.message)).collect();
        let follows = |list| format!("the list '{list}' cannot be used, and peers that name it are left out");
        assert_eq!(
            said,
            [
                format!("acl.conf:8 '300.0.0.0/8' is not a network: {}", follows("bad")),
                format!("acl.conf:11 'allow' is not a list entry: {}", follows("typo")),
            ]
        );
        let mut acl = Acl::default();
        acl.add_named("home", &lists).unwrap();
        let allows = |address: &str| acl.allows(address.parse().unwrap());
        assert!(allows("192.168.1.1") && !allows("192.168.9.1") && !allows("10.0.0.1"));
        assert!(lists["bad"].is_none() && lists["typo"].is_none());
        assert_eq!(lists.len(), 3, "a template is no list, and neither is [general]");
    }
}
