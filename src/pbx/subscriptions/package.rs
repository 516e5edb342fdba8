//! Event packages (RFC 6665 7.2): which there are, and in which form each tells its state.

use super::message_summary::CONTENT_TYPE;
use crate::sip::header::{HeaderName, Headers};

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    /// The calls of an extension's devices (RFC 4235): lamps.
    Dialog,
    /// Whether an extension can be called, and what it is doing (RFC 3856).
    Presence,
    /// How many messages wait for a line (RFC 3842).
    MessageSummary,
}

/// The form of a state: a type of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// RFC 4235.
    DialogInfo,
    /// RFC 3863.
    Pidf,
    /// What was before that.
    Xpidf,
    /// RFC 3842.
    MessageSummary,
}

/// Every package by its name, each with its forms, the usual one first.
const PACKAGES: &[(&str, Package, &[Format])] = &[
    ("dialog", Package::Dialog, &[Format::DialogInfo]),
    ("presence", Package::Presence, &[Format::Pidf, Format::Xpidf]),
    ("message-summary", Package::MessageSummary, &[Format::MessageSummary]),
];

/// Every form by its type of content.
const FORMATS: &[(&str, Format)] = &[
    ("application/dialog-info+xml", Format::DialogInfo),
    ("application/pidf+xml", Format::Pidf),
    ("application/xpidf+xml", Format::Xpidf),
    (CONTENT_TYPE, Format::MessageSummary),
];

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

    /// The form that a subscriber accepts (RFC 3261 20.1); none when it accepts none of ours. Old Polycom telephones name
    /// both forms of presence and read the older one alone: chan_sip gives every Polycom that, and so do we.
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
        let agent = headers.text(HeaderName::UserAgent).unwrap_or_default();
        if agent.contains("Polycom") && is_accepted(&Format::Xpidf) && self.formats().contains(&Format::Xpidf) {
            return Some(Format::Xpidf);
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
        let presence = |values: &[&str]| Package::Presence.choose(&accepting(values));
        assert_eq!(presence(&[]), Some(Format::Pidf));
        assert_eq!(presence(&["application/xpidf+xml"]), Some(Format::Xpidf));
        let both = ["application/xpidf+xml, application/pidf+xml"];
        assert_eq!(presence(&both), Some(Format::Pidf));
        let mut polycom = accepting(&both);
        polycom.push(HeaderName::UserAgent, "PolycomSoundPointIP-SPIP_330-UA/3.1.0");
        assert_eq!(Package::Presence.choose(&polycom), Some(Format::Xpidf));
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
