//! Event packages (RFC 6665 7.2): which there are, and in which form each tells its state.

use crate::sip::header::{HeaderName, Headers};

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    /// The calls of an extension's devices (RFC 4235): lamps.
    Dialog,
}

/// The form of a state: a type of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// RFC 4235.
    DialogInfo,
}

/// Every package by its name, each with its forms, the usual one first.
const PACKAGES: &[(&str, Package, &[Format])] = &[("dialog", Package::Dialog, &[Format::DialogInfo])];

/// Every form by its type of content.
const FORMATS: &[(&str, Format)] = &[("application/dialog-info+xml", Format::DialogInfo)];

/// The value of `Allow-Events` (RFC 6665 8.2.2).
pub fn allow_events() -> String {
    PACKAGES.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
}

impl Package {
    /// The package of that name, as an Event header has it: case matters (RFC 6665 8.4).
    pub fn from_name(name: &str) -> Option<Package> {
        PACKAGES.iter().find(|(known, ..)| *known == name).map(|(_, package, _)| *package)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        PACKAGES.iter().find(|(_, package, _)| *package == self).map_or("", |(name, ..)| name)
    }

    fn formats(self) -> &'static [Format] {
        PACKAGES.iter().find(|(_, package, _)| *package == self).map_or(&[], |(.., formats)| formats)
    }

    /// The form that a subscriber accepts (RFC 3261 20.1); none when it accepts none of ours.
    pub fn choose(self, headers: &Headers) -> Option<Format> {
        let accepted: Vec<String> = headers.values(HeaderName::Accept).map(|value| media_type(&value)).collect();
        let is_accepted = |format: &Format| {
            let name = format.name();
            let (kind, _) = name.split_once('/').unwrap_or_default();
            accepted.iter().any(|one| one == name || one == "*/*" || one.strip_suffix("/*") == Some(kind))
        };
        // No Accept at all means the usual form; an empty one means none, and no telephone means that.
        if accepted.iter().all(String::is_empty) {
            return self.formats().first().copied();
        }
        self.formats().iter().copied().find(is_accepted)
    }
}

impl Format {
    /// Its type of content.
    pub fn name(self) -> &'static str {
        FORMATS.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// The form of that type of content.
    pub fn from_name(name: &str) -> Option<Format> {
        FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// A type of content without its parameters, in lower case.
fn media_type(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(values: &[&str]) -> Headers {
        let mut headers = Headers::new();
        values.iter().for_each(|value| headers.push(HeaderName::Accept, (*value).to_owned()));
        headers
    }

    #[test]
    fn the_form_is_one_that_is_accepted() {
        let choose = |values: &[&str]| Package::Dialog.choose(&accepting(values));
        for values in
            [&[][..], &["application/dialog-info+xml"], &["text/plain, APPLICATION/dialog-info+xml;q=0.1"], &["*/*"]]
        {
            assert_eq!(choose(values), Some(Format::DialogInfo), "{values:?}");
        }
        assert_eq!(choose(&["application/*"]), Some(Format::DialogInfo));
        assert_eq!(choose(&["text/plain"]), None);
    }

    #[test]
    fn every_package_and_form_is_read_as_it_is_written() {
        for (name, package, formats) in PACKAGES {
            assert_eq!((Package::from_name(name), package.name()), (Some(*package), *name));
            assert!(formats.iter().all(|format| Format::from_name(format.name()) == Some(*format)));
        }
        assert_eq!(Package::from_name("Dialog"), None, "RFC 6665 8.4: event names are case-sensitive");
    }
}
