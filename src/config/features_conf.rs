//! features.conf: the codes that a telephone presses in mid-call, group pickup, and, as older versions have it, parking.

use super::conf_row::{self, ConfRow};
use super::diagnostic::Diagnostic;
use super::ini::{Document, Entry, Section};
use super::parking_conf::{self, DEFAULT_LOT, ParkingLots};
use super::small_files::{self, Ignored};
use super::value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A longer code is none, in digits.
const MAX_CODE: usize = 10;
/// The most features of `[applicationmap]`.
const MAX_APPLICATIONS: usize = 100;

/// What features.conf says of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// `pickupexten`: dialled to take a call that rings in one of the caller's groups; empty: there is none.
    pub pickup_extension: String,
    /// `pickupsound`: played to who has taken a call by it; empty: nothing.
    pub pickup_sound: String,
    /// `courtesytone`: played to both when a code begins or ends a recording; empty: nothing.
    pub courtesy_tone: String,
    /// `recordingfailsound`: played to who pressed a code when nothing is recorded; empty: nothing.
    pub recording_fail_sound: String,
    /// `xfersound`: played to the line that was consulted when it is connected; empty: nothing.
    pub transfer_sound: String,
    /// `xferfailsound`: played to who transfers when that line cannot be had; empty: nothing.
    pub transfer_fail_sound: String,
    /// `atxferdropcall`: hanging up while the line that is to be consulted rings ends the call.
    pub drops_call: bool,
    /// `atxferloopdelay`: how long nobody is called after who transferred did not answer.
    pub callback_delay: Duration,
    /// `atxfercallbackretries`: how often the line and who transferred are called again.
    pub callback_retries: u32,
    /// `pickupfailsound`: played to who found nothing to take; empty: nothing.
    pub pickup_fail_sound: String,
    /// `featuredigittimeout`: how long a code may wait for its next digit.
    pub code_time: Duration,
    /// `transferdigittimeout`: how long the number for a transfer may wait for its next digit.
    pub number_time: Duration,
    /// `atxfernoanswertimeout`: how long the line that is consulted rings.
    pub consult_time: Duration,
    /// `transferannouncesound`: asks for the number.
    pub announce_sound: String,
    /// `transferinvalidsound`: there is no such number.
    pub invalid_sound: String,
    /// The codes of `[featuremap]`, and those of a transfer after consultation.
    pub codes: BTreeMap<Code, String>,
    /// `[applicationmap]`, by name in lower case.
    pub applications: BTreeMap<String, FeatureApplication>,
}

/// What a code does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// `blindxfer`.
    BlindTransfer,
    /// `atxfer`.
    AttendedTransfer,
    /// `disconnect`.
    Disconnect,
    /// `automon`.
    Monitor,
    /// `automixmon`.
    MixMonitor,
    /// `parkcall`.
    Park,
    /// `atxferabort`: while a line is consulted.
    Abort,
    /// `atxfercomplete`: the same.
    Complete,
    /// `atxferswap`: the same.
    Swap,
}

impl Code {
    /// Its option in features.conf, and what `features show` calls it.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Code::BlindTransfer => ("blindxfer", "Blind Transfer"),
            Code::AttendedTransfer => ("atxfer", "Attended Transfer"),
            Code::Disconnect => ("disconnect", "Disconnect Call"),
            Code::Monitor => ("automon", "One Touch Monitor"),
            Code::MixMonitor => ("automixmon", "One Touch MixMonitor"),
            Code::Park => ("parkcall", "Park Call"),
            Code::Abort => ("atxferabort", "Abort Attended Transfer"),
            Code::Complete => ("atxfercomplete", "Complete Attended Transfer"),
            Code::Swap => ("atxferswap", "Swap Attended Transfer"),
        }
    }

    /// Its digits without features.conf.
    pub fn default_digits(self) -> &'static str {
        match self {
            Code::BlindTransfer => "#",
            Code::Disconnect => "*",
            Code::Abort => "*1",
            Code::Complete => "*2",
            Code::Swap => "*4",
            Code::AttendedTransfer | Code::Monitor | Code::MixMonitor | Code::Park => "",
        }
    }

    /// Those of `[featuremap]`, in the order of `features show`.
    pub const MAP: [Code; 6] =
        [Code::BlindTransfer, Code::AttendedTransfer, Code::Monitor, Code::Disconnect, Code::Park, Code::MixMonitor];
    /// Those that count while a line is consulted.
    pub const CONSULTING: [Code; 3] = [Code::Abort, Code::Complete, Code::Swap];
}

/// One feature of `[applicationmap]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureApplication {
    /// Its code.
    pub digits: String,
    /// It runs on the channel of the other side, rather than of the one that pressed it.
    pub on_peer: bool,
    /// Who may press it: the caller.
    pub by_caller: bool,
    /// The same: the called line.
    pub by_callee: bool,
    /// The application.
    pub application: String,
    /// Its arguments.
    pub arguments: String,
}

impl Default for Features {
    fn default() -> Features {
        let all = Code::MAP.into_iter().chain(Code::CONSULTING);
        Features {
            pickup_extension: "*8".to_owned(),
            pickup_sound: String::new(),
            courtesy_tone: String::new(),
            recording_fail_sound: String::new(),
            transfer_sound: String::new(),
            transfer_fail_sound: String::new(),
            drops_call: false,
            callback_delay: Duration::from_secs(10),
            callback_retries: 2,
            pickup_fail_sound: String::new(),
            code_time: Duration::from_millis(1000),
            number_time: Duration::from_secs(3),
            consult_time: Duration::from_secs(15),
            announce_sound: "pbx-transfer".to_owned(),
            invalid_sound: "pbx-invalid".to_owned(),
            codes: all.map(|code| (code, code.default_digits().to_owned())).collect(),
            applications: BTreeMap::new(),
        }
    }
}

impl Features {
    /// The digits of a code; empty: it has none.
    pub fn code(&self, code: Code) -> &str {
        self.codes.get(&code).map_or("", String::as_str)
    }
}

macro_rules! text {
    ($name:literal, $values:literal, $default:literal, $help:literal, $field:ident) => {
        ConfRow {
            name: $name,
            values: $values,
            default: $default,
            help: $help,
            set: |features, text| {
                text.clone_into(&mut features.$field);
                Some(())
            },
        }
    };
}

macro_rules! code {
    ($name:literal, $default:literal, $help:literal, $code:ident) => {
        ConfRow {
            name: $name,
            values: "digits, * and #, at most ten; nothing: no code",
            default: $default,
            help: $help,
            set: |features, text| {
                let digits = Some(text).filter(|text| is_code(text))?;
                features.codes.insert(Code::$code, digits.to_owned());
                Some(())
            },
        }
    };
}

/// The options of `[general]` that are in effect.
pub static GENERAL: &[ConfRow<Features>] = &[
    ConfRow {
        name: "pickupexten",
        values: "digits, * and #; nothing: there is none",
        default: "*8",
        help: "dialled to take a call that rings at a line of the caller's pickupgroup or namedpickupgroup; an extension of the dialplan comes first",
        set: |features, text| {
            let digits = Some(text).filter(|text| is_code(text))?;
            digits.clone_into(&mut features.pickup_extension);
            Some(())
        },
    },
    text!("pickupsound", "a sound", "none", "played to who has taken a call by pickupexten", pickup_sound),
    text!("pickupfailsound", "a sound", "none", "played to who found no call to take", pickup_fail_sound),
    text!(
        "courtesytone",
        "a sound",
        "none",
        "played to both when a code begins or ends a recording; it is that of the default lot, too",
        courtesy_tone
    ),
    text!(
        "recordingfailsound",
        "a sound",
        "none",
        "played to who pressed the code when nothing can be recorded",
        recording_fail_sound
    ),
    ConfRow {
        name: "featuredigittimeout",
        values: "milliseconds, 1 to 60000",
        default: "1000",
        help: "how long a code waits for its next digit; then what was pressed goes to the other side",
        set: |features, text| {
            features.code_time = value::millis(text).filter(|time| (1..=60_000).contains(&time.as_millis()))?;
            Some(())
        },
    },
    ConfRow {
        name: "transferdigittimeout",
        values: "seconds, 1 to 60",
        default: "3",
        help: "how long the number for a transfer waits for its next digit",
        set: |features, text| {
            features.number_time = value::seconds(text).filter(|time| (1..=60).contains(&time.as_secs()))?;
            Some(())
        },
    },
    ConfRow {
        name: "atxfernoanswertimeout",
        values: "seconds, 1 to 3600",
        default: "15",
        help: "how long a line rings that is called before an attended transfer; then the call is back",
        set: |features, text| {
            features.consult_time = value::seconds(text).filter(|time| (1..=3600).contains(&time.as_secs()))?;
            Some(())
        },
    },
    text!("transferannouncesound", "a sound", "pbx-transfer", "asks for the number of a transfer", announce_sound),
    text!(
        "transferinvalidsound",
        "a sound",
        "pbx-invalid",
        "there is no such number; then the call is back",
        invalid_sound
    ),
    text!(
        "xfersound",
        "a sound",
        "none (Asterisk: beep)",
        "played to the line that was consulted when it is connected with the other one",
        transfer_sound
    ),
    text!(
        "xferfailsound",
        "a sound",
        "none (Asterisk: beeperr)",
        "played to who transfers when the line that was to be consulted cannot be had; then the call is back",
        transfer_fail_sound
    ),
    ConfRow {
        name: "atxferdropcall",
        values: "yes, no",
        default: "no",
        help: "whether hanging up while the line that is to be consulted rings ends the call; with no, that line is called for the one who waits, and then who transferred is called back",
        set: |features, text| {
            features.drops_call = value::boolean(text)?;
            Some(())
        },
    },
    ConfRow {
        name: "atxferloopdelay",
        values: "seconds, 0 to 3600",
        default: "10",
        help: "how long nobody is called when neither has answered; then both are called again",
        set: |features, text| {
            features.callback_delay = value::seconds(text).filter(|time| time.as_secs() <= 3600)?;
            Some(())
        },
    },
    ConfRow {
        name: "atxfercallbackretries",
        values: "0 to 20",
        default: "2",
        help: "how often both are called again when neither answered; then the call ends",
        set: |features, text| {
            features.callback_retries = value::number(text).filter(|count| *count <= 20)?;
            Some(())
        },
    },
    code!("atxferabort", "*1", "while a line is consulted: hangs it up; the call is back", Abort),
    code!(
        "atxfercomplete",
        "*2",
        "while a line is consulted: connects it with the other one, as hanging up does",
        Complete
    ),
    code!("atxferswap", "*4", "while a line is consulted: it waits, and the other one is talked to; and back", Swap),
];

/// The codes of `[featuremap]` that are in effect.
pub static FEATURE_MAP: &[ConfRow<Features>] = &[
    code!("blindxfer", "#", "Dial option t, T: asks for a number, and transfers the other side there", BlindTransfer),
    code!(
        "atxfer",
        "none",
        "Dial option t, T: asks for a number, and calls it; hanging up transfers",
        AttendedTransfer
    ),
    code!("disconnect", "*", "Dial option h, H: ends the call", Disconnect),
    code!("parkcall", "none", "Dial option k, K: parks the other side", Park),
    code!("automon", "none", "Dial option w, W: begins and ends a recording (Monitor)", Monitor),
    code!("automixmon", "none", "Dial option x, X: begins and ends a recording (MixMonitor)", MixMonitor),
];

/// Options of `[general]` that are not read.
const IGNORED: &[Ignored] = &[
    ("transferdialattempts", &["3", "1", ""], "a number that is not there is asked for once"),
    ("transferretrysound", &[""], "a number that is not there is asked for once"),
    ("atxferthreeway", &["", "*3"], "three lines cannot be joined: each hears one other"),
];

/// What is not read of `[general]` and `[featuremap]`: the option, and why or what instead.
pub fn not_read() -> impl Iterator<Item = (&'static str, &'static str)> {
    IGNORED.iter().map(|(name, _, why)| (*name, *why))
}

/// Is it a code that a telephone can press?
fn is_code(text: &str) -> bool {
    text.chars().count() <= MAX_CODE && text.chars().all(|digit| digit.is_ascii_digit() || "*#ABCDabcd".contains(digit))
}

/// Reads features.conf; the lots in it come out beside, for res_parking.conf to add to.
pub fn parse(document: &Document) -> (Features, ParkingLots, Vec<Diagnostic>) {
    let (mut features, mut lots, mut said) = (Features::default(), ParkingLots::default(), Vec::new());
    for section in &document.sections {
        let name = section.name.to_ascii_lowercase();
        if name == "general" {
            general(section, &mut features, &mut lots, &mut said);
        } else if name == "featuremap" {
            let read = |entry| conf_row::apply(FEATURE_MAP, &[], &mut features, entry).err();
            said.extend(section.entries.iter().filter_map(read));
        } else if name == "applicationmap" {
            section.entries.iter().for_each(|entry| said.extend(application(&mut features, entry).err()));
        } else if let Some(lot) = name.strip_prefix("parkinglot_") {
            lots.read(lot, section, &section.entries, &mut said);
        } else {
            let say = format!("[{}] is left out: groups of features are not supported", section.name);
            let hint = "name the features themselves in DYNAMIC_FEATURES, with # between";
            said.push(Diagnostic::warning(section.place.clone(), say).hint(hint));
        }
    }
    // Its code leads to parkext.
    lots.is_configured |= !features.code(Code::Park).is_empty();
    (features, lots, said)
}

/// `[general]`: what is no option of its own is one of the default lot, as up to Asterisk 11.
fn general(section: &Section, features: &mut Features, lots: &mut ParkingLots, said: &mut Vec<Diagnostic>) {
    let names = |rows: &[ConfRow<parking_conf::ParkingLot>], entry: &Entry| rows.iter().any(|row| entry.is(row.name));
    let is_of_lot = |entry: &&Entry| {
        names(parking_conf::LOT, entry) || parking_conf::IGNORED.iter().any(|(name, _, _)| entry.is(name))
    };
    let (of_lot, others): (Vec<&Entry>, Vec<&Entry>) = section.entries.iter().partition(is_of_lot);
    let tones = of_lot.iter().copied().filter(|entry| entry.is("courtesytone"));
    let own = others.into_iter().chain(tones);
    said.extend(own.filter_map(|entry| conf_row::apply(GENERAL, IGNORED, features, entry).err()));
    if !of_lot.is_empty() {
        lots.read(DEFAULT_LOT, section, of_lot, said);
    }
}

/// `name => digits,self|peer[/caller|callee|both],application[,arguments[,music]]`.
fn application(features: &mut Features, entry: &Entry) -> Result<(), Diagnostic> {
    const ACCEPTED: &str = "digits,self or peer,application: nine => #9,peer,Playback,beep";
    let bad = || small_files::bad(entry, ACCEPTED);
    if features.applications.len() >= MAX_APPLICATIONS {
        let say = format!("'{}' is one feature too many: it is left out", entry.name);
        let hint = format!("there may be {MAX_APPLICATIONS}");
        return Err(Diagnostic::warning(entry.place.clone(), say).hint(hint));
    }
    let mut words = entry.value.splitn(4, ',').map(str::trim);
    let digits = words.next().filter(|digits| !digits.is_empty() && is_code(digits)).ok_or_else(bad)?;
    let (on, by) = words.next().map(|on| on.split_once('/').unwrap_or((on, "both"))).ok_or_else(bad)?;
    let on_peer = match on.to_ascii_lowercase().as_str() {
        "self" | "caller" => false,
        "peer" | "callee" => true,
        _ => return Err(bad()),
    };
    let (by_caller, by_callee) = match by.to_ascii_lowercase().as_str() {
        "caller" => (true, false),
        "callee" => (false, true),
        "both" => (true, true),
        _ => return Err(bad()),
    };
    let application = words.next().filter(|name| !name.is_empty()).ok_or_else(bad)?;
    // `Playback(beep)` is written, too.
    let rest = words.next().unwrap_or_default();
    let (application, arguments) = match application.split_once('(') {
        Some((name, args)) if rest.is_empty() => (name, args.trim_end_matches(')').to_owned()),
        _ => (application, rest.trim_matches('"').to_owned()),
    };
    let feature = FeatureApplication {
        digits: digits.to_owned(),
        on_peer,
        by_caller,
        by_callee,
        application: application.to_owned(),
        arguments,
    };
    features.applications.insert(entry.name.to_ascii_lowercase(), feature);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini;

    fn read(text: &str) -> (Features, ParkingLots, Vec<String>) {
        let (document, none) = ini::parse("features.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let (features, lots, said) = parse(&document);
        (features, lots, said.iter().map(|one| format!("{}: {}", one.place, one.message)).collect())
    }

    #[test]
    fn codes_times_and_the_lots_of_older_files() {
        let (features, lots, said) = read(
            "[general]\nparkext=70\nparkpos=71-79\npickupexten=*7\nfeaturedigittimeout=500\ntransferdigittimeout=5\n\
             atxfernoanswertimeout=20\ntransferannouncesound=beep\natxferabort=*9\nxfersound=beep\n\
             courtesytone=ding\natxferdropcall=yes\natxferloopdelay=3\natxfercallbackretries=1\natxferthreeway=*3\n\
             [featuremap]\nblindxfer => ##\ndisconnect =>\nparkcall=#72\n\
             [applicationmap]\nnine => #9,peer/callee,Playback,beep\nTen => #10,self,SayDigits(12)\n\
             [parkinglot_shop]\nparkpos=801-802\n",
        );
        assert_eq!(said, [""; 0]);
        assert_eq!((lots.get("").unwrap().1.places, lots.get("shop").unwrap().1.places), ((71, 79), (801, 802)));
        assert_eq!((features.pickup_extension.as_str(), features.code(Code::Abort)), ("*7", "*9"));
        assert_eq!((features.code_time.as_millis(), features.number_time.as_secs()), (500, 5));
        assert_eq!((features.consult_time.as_secs(), features.announce_sound.as_str()), (20, "beep"));
        assert_eq!((features.courtesy_tone.as_str(), lots.get("").unwrap().1.tone.as_str()), ("ding", "ding"));
        assert_eq!((features.transfer_sound.as_str(), features.code(Code::Swap)), ("beep", "*4"));
        assert_eq!((features.drops_call, features.callback_retries), (true, 1));
        assert_eq!(features.callback_delay.as_secs(), 3);
        let codes = Code::MAP.map(|code| features.code(code));
        assert_eq!(codes, ["##", "", "", "", "#72", ""]);
        let nine = &features.applications["nine"];
        assert!(nine.on_peer && nine.by_callee && !nine.by_caller);
        assert_eq!((nine.application.as_str(), nine.arguments.as_str()), ("Playback", "beep"));
        let ten = &features.applications["ten"];
        assert!(!ten.on_peer && ten.by_callee && ten.by_caller);
        assert_eq!((ten.application.as_str(), ten.arguments.as_str()), ("SayDigits", "12"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (features, _, said) = read(
            "[general]\nfeaturedigittimeout=0\npickupexten=home\natxferthreeway=#3\npickupextn=*8\n[featuremap]\natxfer=star\n\
             swap=1\n[applicationmap]\na=#9\nb=#9,all,Playback\n[mygroup]\nnine=#8\n",
        );
        assert_eq!(
            said,
            [
                "features.conf:2: '0' is not a valid value of 'featuredigittimeout': the line is ignored",
                "features.conf:3: 'home' is not a valid value of 'pickupexten': the line is ignored",
                "features.conf:4: 'atxferthreeway' is not supported and is ignored",
                "features.conf:5: unknown option 'pickupextn' (did you mean 'pickupexten'?)",
                "features.conf:7: 'star' is not a valid value of 'atxfer': the line is ignored",
                "features.conf:8: unknown option 'swap'",
                "features.conf:10: '#9' is not a valid value of 'a': the line is ignored",
                "features.conf:11: '#9,all,Playback' is not a valid value of 'b': the line is ignored",
                "features.conf:12: [mygroup] is left out: groups of features are not supported",
            ]
        );
        assert_eq!(features, Features::default());
    }
}
