//! sip_notify.conf: what `sip notify` sends to restart a telephone, or to have it read its configuration anew. The types of
//! common families are built in; a section of the same name takes the place of one.

use super::diagnostic::Diagnostic;
use super::ini::Document;
use std::collections::BTreeMap;

/// The most types.
const MAX_TYPES: usize = 500;
/// The most lines of one type.
const MAX_LINES: usize = 50;

/// What one type sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotifyType {
    /// Header fields: name and value. `Event` is among them.
    pub headers: Vec<(String, String)>,
    /// The body, line by line.
    pub content: Vec<String>,
}

/// All types, by name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyTypes(BTreeMap<String, NotifyType>);

/// The types that are built in: the name, its `Event`, and what the device does (the devices' manuals; Asterisk's sample has
/// most of the names).
pub const BUILT_IN: &[(&str, &str, &str)] = &[
    ("cisco-check-cfg", "check-sync", "Cisco 7940/7960: restarts when the SYNC of syncinfo.xml is another"),
    ("grandstream-check-cfg", "check-sync", "Grandstream: asks for its configuration, restarts when it must"),
    ("grandstream-reboot", "check-sync;reboot=true", "Grandstream: restarts"),
    ("linksys-cold-restart", "reboot_now", "Linksys, Sipura: restarts, and drops its calls"),
    ("linksys-warm-restart", "restart_now", "Linksys, Sipura: restarts its telephony, and drops its calls"),
    ("linksys-check-cfg", "resync", "Linksys, Sipura: reads its configuration when it is idle"),
    ("polycom-check-cfg", "check-sync", "Polycom: reads its configuration, restarts when it changed"),
    ("sipura-check-cfg", "resync", "the same as linksys-check-cfg"),
    ("sipura-get-report", "report", "Linksys, Sipura: sends its report where its configuration says"),
    ("snom-check-cfg", "check-sync;reboot=false", "Snom: reads its configuration"),
    ("snom-reboot", "check-sync;reboot=true", "Snom: restarts"),
    ("yealink-check-cfg", "check-sync;reboot=false", "Yealink: reads its configuration"),
    ("yealink-reboot", "check-sync;reboot=true", "Yealink: restarts"),
];

/// Header fields that the exchange writes itself: a line with one is ignored.
const OWN: &[&str] =
    &["via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "content-length", "route", "record-route"];

impl Default for NotifyTypes {
    fn default() -> NotifyTypes {
        let built_in = BUILT_IN.iter().map(|(name, event, _)| {
            let headers = vec![("Event".to_owned(), (*event).to_owned())];
            ((*name).to_owned(), NotifyType { headers, content: Vec::new() })
        });
        NotifyTypes(built_in.collect())
    }
}

impl NotifyTypes {
    /// The type of that name.
    pub fn get(&self, name: &str) -> Option<&NotifyType> {
        self.0.get(&name.to_ascii_lowercase())
    }

    /// Their names, sorted.
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Reads the types of a document.
pub fn parse(document: &Document) -> (NotifyTypes, Vec<Diagnostic>) {
    let (mut types, mut said) = (NotifyTypes::default(), Vec::new());
    for section in &document.sections {
        if types.0.len() >= MAX_TYPES {
            let say = format!("[{}] is one type too many: it is left out", section.name);
            said.push(Diagnostic::warning(section.place.clone(), say).hint(format!("there may be {MAX_TYPES}")));
            continue;
        }
        let mut one = NotifyType::default();
        for entry in section.entries.iter().take(MAX_LINES) {
            // As Asterisk's file has it: a semicolon that is no comment is written `\;`.
            let value = entry.value.replace("\\;", ";");
            let is_plain = !entry.name.is_empty()
                && entry.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !value.chars().any(char::is_control);
            match entry.name.to_ascii_lowercase().as_str() {
                "content" => one.content.push(value),
                "content-length" => {}
                own if OWN.contains(&own) => {
                    let say = format!("'{}' is written by the exchange: the line is ignored", entry.name);
                    said.push(Diagnostic::warning(entry.place.clone(), say).hint("take it out"));
                }
                _ if is_plain => one.headers.push((entry.name.clone(), value)),
                _ => {
                    let say = format!("'{}' is no header field: the line is ignored", entry.name);
                    let hint = "a type has lines such as Event=check-sync, and Content=... for its body";
                    said.push(Diagnostic::warning(entry.place.clone(), say).hint(hint));
                }
            }
        }
        if one.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("event")) {
            types.0.insert(section.name.to_ascii_lowercase(), one);
        } else {
            let say = format!("[{}] has no 'Event': it is left out", section.name);
            said.push(Diagnostic::warning(section.place.clone(), say).hint("write Event=, such as Event=check-sync"));
        }
    }
    (types, said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini;

    fn read(text: &str) -> (NotifyTypes, Vec<String>) {
        let (document, _) = ini::parse("sip_notify.conf", text.as_bytes(), &mut ini::no_includes);
        let (types, said) = parse(&document);
        (types, said.into_iter().map(|one| one.message).collect())
    }

    #[test]
    fn a_section_is_a_type_and_takes_the_place_of_one_built_in() {
        let text = "[Snom-Reboot]\nEvent=>check-sync\\;reboot=true\\;x\nContent-Length=>0\n[mine]\nEvent=x\nX-A=b\nContent=1\nContent=2\n";
        let (types, said) = read(text);
        assert_eq!(said, Vec::<String>::new());
        let event = |text: &str| ("Event".to_owned(), text.to_owned());
        assert_eq!(types.get("snom-reboot").unwrap().headers, [event("check-sync;reboot=true;x")]);
        let mine = types.get("MINE").unwrap();
        assert_eq!(mine.headers, [event("x"), ("X-A".to_owned(), "b".to_owned())]);
        assert_eq!(mine.content, ["1", "2"]);
        assert_eq!(types.names().len(), BUILT_IN.len() + 1);
    }

    #[test]
    fn what_cannot_be_sent_is_said() {
        let (types, said) = read("[a]\nContent=x\n[b]\nEvent=x\nVia=SIP/2.0\nBad name=y\n");
        assert!(types.get("a").is_none() && types.get("b").is_some());
        assert_eq!(said.len(), 3, "{said:?}");
    }
}
