//! Files of PINs that the dialplan names: `Authenticate(/path)` and `DISA(/path)`. They are read when the configuration is.

use super::diagnostic::Place;
use super::ini::Document;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Maximum number of such files.
pub const MAX_FILES: usize = 100;

/// The text of each file by its path.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PinFiles(BTreeMap<String, Arc<str>>);

/// What they hold is secret.
impl std::fmt::Debug for PinFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl PinFiles {
    /// Takes in a file.
    pub fn insert(&mut self, path: &str, text: &str) {
        if self.0.len() < MAX_FILES {
            self.0.insert(path.to_owned(), text.into());
        }
    }

    /// The text of a file.
    pub fn get(&self, path: &str) -> Option<&Arc<str>> {
        self.0.get(path)
    }
}

/// The files that a dialplan names, and where. A path that a variable decides is none.
pub fn named(extensions: &Document) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    for entry in extensions.sections.iter().flat_map(|section| &section.entries) {
        let lower = entry.value.to_ascii_lowercase();
        for application in ["authenticate(", "disa("] {
            let Some(at) = lower.find(application).and_then(|at| at.checked_add(application.len())) else { continue };
            let args = entry.value.get(at..).unwrap_or_default();
            let args = args.split(')').next().unwrap_or_default();
            let mut args = args.split(',');
            let path = args.next().unwrap_or_default().trim();
            // With `d` it is a family of the database.
            let is_database = application.starts_with('a') && args.next().unwrap_or_default().contains('d');
            if path.starts_with('/') && !path.contains("${") && !is_database {
                found.push((path.to_owned(), entry.place.clone()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini::{self, no_includes};

    #[test]
    fn the_files_that_a_dialplan_names() {
        let text = "[a]\nexten => 1,1,Authenticate(/etc/pins)\nexten => 2,1,authenticate(/pins,d)\nexten => 3,1,DISA(/etc/disa,in)\n\
            exten => 4,1,ExecIf($[1]?Authenticate(/etc/hashes,ma,4))\nexten => 5,1,Authenticate(1234)\nexten => 6,1,DISA(/x/${A})\n";
        let (document, _) = ini::parse("extensions.conf", text.as_bytes(), &mut no_includes);
        let found = named(&document);
        let found: Vec<_> = found.iter().map(|(path, place)| (path.as_str(), place.line)).collect();
        assert_eq!(found, [("/etc/pins", 2), ("/etc/disa", 4), ("/etc/hashes", 5)]);
        let mut files = PinFiles::default();
        files.insert("/etc/pins", "1234");
        assert_eq!(format!("{files:?}"), "{\"/etc/pins\"}", "it shows no PIN");
    }
}
