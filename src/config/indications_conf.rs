//! indications.conf, typed: whose country's tones are played, and tones of the user's own.

use super::diagnostic::Diagnostic;
use super::ini::{Document, Entry, Section};
use super::small_files;
use crate::audio::tone_list::ToneList;
use crate::audio::zones::{self, HOME};
use std::collections::BTreeMap;

/// What indications.conf says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indications {
    /// `country`: the zone of lines that say nothing else.
    pub country: String,
    zones: BTreeMap<String, UserZone>,
}

/// A zone as the user has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct UserZone {
    alias: Option<String>,
    tones: BTreeMap<String, String>,
}

impl Default for Indications {
    fn default() -> Indications {
        Indications { country: HOME.to_owned(), zones: BTreeMap::new() }
    }
}

/// Maximum number of zones, and of tones in one.
const MAX_ZONES: usize = 200;

/// How often an alias may lead to another.
const MAX_ALIASES: usize = 4;

impl Indications {
    /// The list of tones that a name means in a zone: the user's own before the exchange's. None: nobody knows it there.
    pub fn tone(&self, zone: &str, name: &str) -> Option<String> {
        let mut zone = zone.trim().to_ascii_lowercase();
        let name = name.trim().to_ascii_lowercase();
        for _ in 0..MAX_ALIASES {
            let Some(user) = self.zones.get(&zone) else { break };
            if let Some(list) = user.tones.get(&name) {
                return Some(list.clone());
            }
            match &user.alias {
                Some(alias) => zone.clone_from(alias),
                None => break,
            }
        }
        zones::find(&zone)?.tone(&name)
    }

    /// Is there such a zone?
    pub fn has(&self, zone: &str) -> bool {
        let zone = zone.trim().to_ascii_lowercase();
        self.zones.contains_key(&zone) || zones::find(&zone).is_some()
    }
}

/// Reads the settings of a document.
pub fn parse(document: &Document) -> (Indications, Vec<Diagnostic>) {
    let mut conf = Indications::default();
    let mut said = Vec::new();
    let is_general = |section: &&Section| section.name.eq_ignore_ascii_case("general");
    for section in document.sections.iter().filter(|section| !is_general(section)) {
        let name = section.name.to_ascii_lowercase();
        if conf.zones.len() >= MAX_ZONES {
            let say = format!("[{name}] is one zone too many: it is left out");
            said.push(Diagnostic::warning(section.place.clone(), say).hint(format!("there may be {MAX_ZONES}")));
            continue;
        }
        let zone = conf.zones.entry(name).or_default();
        section.entries.iter().for_each(|entry| said.extend(tone(zone, entry)));
    }
    let general = document.sections.iter().filter(is_general).flat_map(|section| &section.entries);
    for entry in general.filter(|entry| entry.is("country")) {
        if conf.has(&entry.value) {
            conf.country = entry.value.trim().to_ascii_lowercase();
        } else {
            let known: Vec<&str> = zones::ZONES.iter().map(|zone| zone.name).collect();
            said.push(small_files::bad(entry, &format!("a section of this file, or {}", known.join(", "))));
        }
    }
    (conf, said)
}

fn tone(zone: &mut UserZone, entry: &Entry) -> Option<Diagnostic> {
    let name = entry.name.trim().to_ascii_lowercase();
    match name.as_str() {
        // Ringing as sound is the tone `ring`; the cadence is for analogue lines.
        "description" | "ringcadence" => None,
        "alias" => {
            zone.alias = Some(entry.value.trim().to_ascii_lowercase());
            None
        }
        _ if zone.tones.len() >= MAX_ZONES => None,
        _ => match ToneList::parse(&entry.value) {
            Ok(_) => {
                zone.tones.insert(name, entry.value.clone());
                None
            }
            Err(why) => {
                let say = format!("the tone '{}' is left out: {why}", entry.name);
                let hint = "write frequencies and milliseconds: 'busy = 425/500,0/500'";
                Some(Diagnostic::warning(entry.place.clone(), say).hint(hint))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini;

    fn read(text: &str) -> (Indications, Vec<String>) {
        let (document, none) = ini::parse("indications.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let (conf, said) = parse(&document);
        (conf, said.iter().map(|one| format!("{}: {}", one.place, one.message)).collect())
    }

    #[test]
    fn the_users_tones_come_before_ours() {
        let (conf, said) = read(
            "[general]\ncountry=DE\n[de]\ndescription=Germany\nringcadence=1000,4000\nbusy=400/100,0/100\nmine=!425/50\n\
             [at2]\nalias=at\n",
        );
        assert!(said.is_empty(), "{said:?}");
        assert_eq!(conf.country, "de");
        assert_eq!(conf.tone("de", "Busy").as_deref(), Some("400/100,0/100"));
        assert_eq!(conf.tone("DE", "ring").as_deref(), Some("425/1000,0/4000"));
        assert_eq!(conf.tone("de", "mine").as_deref(), Some("!425/50"));
        assert_eq!(conf.tone("at2", "dial").as_deref(), Some("420"));
        assert!(conf.tone("fr", "mine").is_none() && conf.tone("atlantis", "dial").is_none());
    }

    #[test]
    fn what_is_wrong_is_said_and_the_rest_holds() {
        let (conf, said) = read("[general]\ncountry=atlantis\n[de]\nbusy=loud\nring=\n[loop]\nalias=loop\n");
        assert_eq!(conf.country, "us");
        assert_eq!(
            said,
            [
                "indications.conf:4: the tone 'busy' is left out: 'loud' is no frequency below 4000 Hz",
                "indications.conf:5: the tone 'ring' is left out: there is no tone in it",
                "indications.conf:2: 'atlantis' is not a valid value of 'country': the line is ignored",
            ]
        );
        assert_eq!(conf.tone("de", "busy").as_deref(), Some("425/480,0/480"));
        assert!(conf.tone("loop", "busy").is_none());
        let many: String = (0..300).map(|number| format!("[z{number}]\nbusy=425/1\n")).collect();
        assert_eq!(read(&many).1.len(), 100);
    }
}
