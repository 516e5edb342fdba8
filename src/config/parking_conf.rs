//! res_parking.conf, and the older place of the same options in features.conf: lots in which calls wait until somebody
//! takes them back.

use super::conf_row::{self, ConfRow};
use super::diagnostic::{Diagnostic, Place};
use super::ini::{Document, Entry, Section};
use super::small_files::{self, Ignored};
use super::value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The file.
pub const RES_PARKING_CONF: &str = "res_parking.conf";
/// The lot where none is named.
pub const DEFAULT_LOT: &str = "default";
/// The most lots.
const MAX_LOTS: usize = 100;
/// The most places of one lot, so that a slip (701-70000) makes no such dialplan.
pub const MAX_PLACES: u32 = 1_000;

/// A lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkingLot {
    /// `parkext`: dialled to park; empty: there is none.
    pub extension: String,
    /// `parkpos`: the places, the first and the last.
    pub places: (u32, u32),
    /// `context`: where the extensions of the lot are made.
    pub context: String,
    /// `parkingtime`: how long a call waits before it comes back.
    pub time: Duration,
    /// `findslot=next`: the place behind the one that was given last, rather than the lowest.
    pub takes_next: bool,
    /// `comebacktoorigin`: back to who parked it; otherwise to `comebackcontext`.
    pub comes_back_to_parker: bool,
    /// `comebackdialtime`: how long who parked it rings.
    pub comeback_time: Duration,
    /// `comebackcontext`.
    pub comeback_context: String,
    /// `parkedmusicclass`: what the waiting call hears; empty: as music on hold chooses.
    pub music: String,
    /// `courtesytone`: played when the call is taken back; empty: nothing.
    pub tone: String,
    /// `parkinghints`: whether each place has a hint.
    pub hints: bool,
}

impl Default for ParkingLot {
    fn default() -> ParkingLot {
        ParkingLot {
            extension: "700".to_owned(),
            places: (701, 720),
            context: "parkedcalls".to_owned(),
            time: Duration::from_secs(45),
            takes_next: false,
            comes_back_to_parker: true,
            comeback_time: Duration::from_secs(30),
            comeback_context: "parkedcallstimeout".to_owned(),
            music: String::new(),
            tone: String::new(),
            hints: true,
        }
    }
}

/// All lots, by name in lower case. There is always one of the name `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkingLots {
    lots: BTreeMap<String, ParkingLot>,
    /// The files name a lot, or one of its options: its extensions are made whatever names them.
    pub is_configured: bool,
}

impl Default for ParkingLots {
    fn default() -> ParkingLots {
        let lots = BTreeMap::from([(DEFAULT_LOT.to_owned(), ParkingLot::default())]);
        ParkingLots { lots, is_configured: false }
    }
}

impl ParkingLots {
    /// The lot of that name; of an empty one, the default lot.
    pub fn get(&self, name: &str) -> Option<(&str, &ParkingLot)> {
        let name = name.trim().to_ascii_lowercase();
        let name = if name.is_empty() { DEFAULT_LOT } else { name.as_str() };
        self.lots.get_key_value(name).map(|(name, lot)| (name.as_str(), lot))
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ParkingLot)> {
        self.lots.iter().map(|(name, lot)| (name.as_str(), lot))
    }

    /// The lot whose places are made in this context, the one with that place if it is a place's extension.
    pub fn of_extension(&self, exten: &str, context: &str) -> Option<(&str, u32)> {
        let place: u32 = exten.parse().ok()?;
        self.iter().find_map(|(name, lot)| {
            let is_its = lot.context == context && (lot.places.0..=lot.places.1).contains(&place);
            is_its.then_some((name, place))
        })
    }
}

/// The options of a lot.
pub static LOT: &[ConfRow<ParkingLot>] = &[
    ConfRow {
        name: "parkext",
        values: "an extension, or nothing",
        default: "700",
        help: "dialled, or transferred to, in order to park a call in this lot",
        set: |lot, text| {
            text.clone_into(&mut lot.extension);
            Some(())
        },
    },
    ConfRow {
        name: "parkpos",
        values: "the first and the last place, 701-720; at most 1000 places",
        default: "701-720",
        help: "the places, each an extension that takes the call back",
        set: |lot, text| {
            let (first, last) = text.split_once('-')?;
            let (first, last) = (value::number(first.trim())?, value::number(last.trim())?);
            lot.places = Some((first, last)).filter(|_| last.checked_sub(first).is_some_and(|gap| gap < MAX_PLACES))?;
            Some(())
        },
    },
    ConfRow {
        name: "context",
        values: "the name of a context",
        default: "parkedcalls",
        help: "where the exchange makes these extensions: include it where lines may use them",
        set: |lot, text| {
            lot.context = Some(text).filter(|text| !text.is_empty())?.to_owned();
            Some(())
        },
    },
    ConfRow {
        name: "parkinghints",
        values: "yes, no",
        default: "yes (Asterisk: no)",
        help: "whether each place has a hint (park:701@parkedcalls), so that a lamp shows whether it is taken",
        set: |lot, text| {
            lot.hints = value::boolean(text)?;
            Some(())
        },
    },
    ConfRow {
        name: "parkingtime",
        values: "seconds, 1 to 86400",
        default: "45",
        help: "how long a call waits before it comes back",
        set: |lot, text| {
            lot.time = at_most_a_day(text)?;
            Some(())
        },
    },
    ConfRow {
        name: "findslot",
        values: "first, next",
        default: "first",
        help: "which place a call gets: the lowest that is free, or the next behind the one given last",
        set: |lot, text| {
            lot.takes_next = match text.to_ascii_lowercase().as_str() {
                "next" => true,
                "first" => false,
                _ => return None,
            };
            Some(())
        },
    },
    ConfRow {
        name: "comebacktoorigin",
        values: "yes, no",
        default: "yes",
        help: "a call that waited too long calls the line that parked it; with no, or when that does not answer, it goes on in comebackcontext",
        set: |lot, text| {
            lot.comes_back_to_parker = value::boolean(text)?;
            Some(())
        },
    },
    ConfRow {
        name: "comebackdialtime",
        values: "seconds, 1 to 86400",
        default: "30",
        help: "how long that line rings",
        set: |lot, text| {
            lot.comeback_time = at_most_a_day(text)?;
            Some(())
        },
    },
    ConfRow {
        name: "comebackcontext",
        values: "the name of a context",
        default: "parkedcallstimeout",
        help: "where the call goes on: at the extension of the line that parked it with _ for / (SIP_desk), else at s; PARKINGSLOT, PARKINGLOT, PARKER and PARKER_FLAT tell the rest",
        set: |lot, text| {
            lot.comeback_context = Some(text).filter(|text| !text.is_empty())?.to_owned();
            Some(())
        },
    },
    ConfRow {
        name: "parkedmusicclass",
        values: "a class of musiconhold.conf",
        default: "default",
        help: "the music that a waiting call hears; a line with line=modem hears none",
        set: |lot, text| {
            text.clone_into(&mut lot.music);
            Some(())
        },
    },
    ConfRow {
        name: "courtesytone",
        values: "a sound",
        default: "none",
        help: "played to who takes the call, before the two are connected",
        set: |lot, text| {
            text.clone_into(&mut lot.tone);
            Some(())
        },
    },
];

/// Options of a lot that Asterisk has and that are not read.
pub(super) const IGNORED: &[Ignored] = &[
    (
        "parkedcalltransfers",
        &["no", ""],
        "a call that is taken back cannot be transferred by digits: use the telephone's key",
    ),
    (
        "parkedcallreparking",
        &["no", ""],
        "a call that is taken back cannot be parked by digits again: transfer it to parkext",
    ),
    ("parkedcallhangup", &["no", ""], "a call that is taken back is hung up by hanging up"),
    ("parkedcallrecording", &["no", ""], "a call that is taken back cannot be recorded by digits"),
    ("parkedplay", &["caller", ""], "the courtesy tone is played to who takes the call"),
    ("parkext_exclusive", &["yes", ""], "parkext parks in its own lot in any case"),
    ("parkeddynamic", &["no", ""], "lots are made by the file alone"),
    ("adsipark", &["no", ""], "there are no ADSI telephones"),
];

/// What is not read of a lot: the option, and why or what instead.
pub fn not_read() -> impl Iterator<Item = (&'static str, &'static str)> {
    IGNORED.iter().map(|(name, _, why)| (*name, *why))
}

fn at_most_a_day(text: &str) -> Option<Duration> {
    value::seconds(text).filter(|time| (1..=86_400).contains(&time.as_secs()))
}

/// Reads the lots of res_parking.conf, on top of those that features.conf has.
pub fn parse(document: &Document, lots: &mut ParkingLots) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for section in &document.sections {
        if section.name.eq_ignore_ascii_case("general") {
            let known = |entry: &&Entry| !entry.is("parkeddynamic");
            let entries = section.entries.iter().filter(known);
            said.extend(entries.filter_map(|entry| small_files::ignored(entry, &[], IGNORED).err()));
        } else {
            lots.read(&section.name, section, &section.entries, &mut said);
        }
    }
    said.extend(lots.overlaps(document));
    said
}

impl ParkingLots {
    /// Reads one lot.
    pub(super) fn read<'a>(
        &mut self,
        name: &str,
        section: &Section,
        entries: impl IntoIterator<Item = &'a Entry>,
        said: &mut Vec<Diagnostic>,
    ) {
        let name = name.trim().to_ascii_lowercase();
        if self.lots.len() >= MAX_LOTS && !self.lots.contains_key(&name) {
            let say = format!("[{name}] is one lot too many: it is left out");
            said.push(Diagnostic::warning(section.place.clone(), say).hint(format!("there may be {MAX_LOTS}")));
            return;
        }
        self.is_configured = true;
        // Another lot has an extension and places of its own, or none.
        let fresh = || ParkingLot { extension: String::new(), places: (1, 0), ..ParkingLot::default() };
        let lot = self.lots.entry(name.clone()).or_insert_with(fresh);
        said.extend(entries.into_iter().filter_map(|entry| conf_row::apply(LOT, IGNORED, lot, entry).err()));
        if lot.places.0 > lot.places.1 {
            let say = format!("the lot [{name}] has no places: it is left out");
            said.push(Diagnostic::warning(section.place.clone(), say).hint("write parkpos, such as parkpos=801-810"));
            self.lots.remove(&name);
        }
    }

    /// Adds the lots' extensions to the dialplan, in contexts of their own. What the dialplan itself has there comes
    /// first. Without a file they are made only where the dialplan names their context.
    pub(super) fn add_extensions(&self, dialplan: &mut Document) {
        let names = |context: &str, entry: &Entry| entry.value.contains(context);
        let place = Place { file: RES_PARKING_CONF.into(), line: 0 };
        for (name, lot) in self.iter() {
            let mut lines = dialplan.sections.iter().flat_map(|section| &section.entries);
            if !self.is_configured && !lines.any(|entry| names(&lot.context, entry)) {
                continue;
            }
            let has = |exten: &str| {
                let own = dialplan.sections.iter().filter(|section| section.name == lot.context);
                let mut lines = own.flat_map(|section| &section.entries);
                lines.any(|entry| entry.value.split(',').next().is_some_and(|first| first.trim() == exten))
            };
            let mut entries = Vec::new();
            let mut add = |name: &str, value: String| {
                entries.push(Entry { name: name.to_owned(), value, place: place.clone() });
            };
            if !lot.extension.is_empty() && !has(&lot.extension) {
                add("exten", format!("{},1,Park({name})", lot.extension));
            }
            for number in (lot.places.0..=lot.places.1).filter(|number| !has(&number.to_string())) {
                add("exten", format!("{number},1,ParkedCall({name},{number})"));
                if lot.hints {
                    add("exten", format!("{number},hint,park:{number}@{}", lot.context));
                }
            }
            let section = Section { name: lot.context.clone(), place: place.clone(), entries };
            dialplan.sections.push(section);
        }
    }

    /// Lots whose extensions would be the same.
    fn overlaps(&mut self, document: &Document) -> Vec<Diagnostic> {
        let mut said = Vec::new();
        let names: Vec<String> = self.lots.keys().cloned().collect();
        for (number, name) in names.iter().enumerate() {
            let Some(lot) = self.lots.get(name) else { continue };
            let before = names.iter().take(number).filter_map(|other| Some((other, self.lots.get(other)?)));
            let (first, last) = lot.places;
            let clash = before
                .into_iter()
                .find(|(_, other)| other.context == lot.context && first <= other.places.1 && other.places.0 <= last);
            let Some((other, _)) = clash else { continue };
            let mut sections = document.sections.iter().filter(|section| section.name.eq_ignore_ascii_case(name));
            let place = sections.next_back().or(document.sections.first()).map(|section| section.place.clone());
            let say = format!("the places of [{name}] and [{other}] are the same extensions: [{name}] is left out");
            said.extend(place.map(|place| Diagnostic::warning(place, say).hint("give it another parkpos or context")));
            if name != DEFAULT_LOT {
                self.lots.remove(name);
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini;

    fn read(text: &str) -> (ParkingLots, Vec<String>) {
        let (document, none) = ini::parse("res_parking.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let mut lots = ParkingLots::default();
        let said = parse(&document, &mut lots);
        (lots, said.iter().map(|one| format!("{}: {}", one.place, one.message)).collect())
    }

    #[test]
    fn every_option_of_a_lot() {
        let (lots, said) = read(
            "[general]\nparkeddynamic=no\n[default]\nparkext=70\nparkpos=71-79\ncontext=lot\nparkingtime=10\nfindslot=next\n\
             comebacktoorigin=no\ncomebackdialtime=5\ncomebackcontext=back\nparkedmusicclass=calm\ncourtesytone=beep\n\
             parkedplay=caller\nparkinghints=no\n[Shop]\nparkpos=801-810\n",
        );
        assert_eq!(said, [""; 0]);
        let (_, lot) = lots.get("").unwrap();
        assert_eq!((lot.extension.as_str(), lot.places, lot.context.as_str()), ("70", (71, 79), "lot"));
        assert_eq!((lot.time.as_secs(), lot.comeback_time.as_secs()), (10, 5));
        assert!(lot.takes_next && !lot.comes_back_to_parker && !lot.hints);
        assert_eq!((lot.music.as_str(), lot.tone.as_str()), ("calm", "beep"));
        assert_eq!(lots.get("SHOP").unwrap().1.extension, "");
        assert_eq!(lots.of_extension("805", "parkedcalls"), Some(("shop", 805)));
        assert_eq!(lots.of_extension("75", "lot"), Some(("default", 75)));
        assert_eq!(lots.of_extension("75", "parkedcalls"), None);
        assert!(ParkingLots::default().get("default").is_some() && !ParkingLots::default().is_configured);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (lots, said) = read(
            "[default]\nparkpos=701\nparkpos=701-70000\nparkingtime=0\nfindslot=last\nparkedplay=loud\nparkedcallhangup=both\n\
             parkingtme=5\n[shop]\nparkext=800\n[twin]\nparkpos=720-730\n",
        );
        assert_eq!(
            said,
            [
                "res_parking.conf:2: '701' is not a valid value of 'parkpos': the line is ignored",
                "res_parking.conf:3: '701-70000' is not a valid value of 'parkpos': the line is ignored",
                "res_parking.conf:4: '0' is not a valid value of 'parkingtime': the line is ignored",
                "res_parking.conf:5: 'last' is not a valid value of 'findslot': the line is ignored",
                "res_parking.conf:6: 'parkedplay' is not supported and is ignored",
                "res_parking.conf:7: 'parkedcallhangup' is not supported and is ignored",
                "res_parking.conf:8: unknown option 'parkingtme' (did you mean 'parkingtime'?)",
                "res_parking.conf:9: the lot [shop] has no places: it is left out",
                "res_parking.conf:11: the places of [twin] and [default] are the same extensions: [twin] is left out",
            ]
        );
        assert_eq!(lots.iter().count(), 1);
    }
}
