//! extensions.conf into a dialplan, with everything odd about it said in terms of file and line.

mod entry;
pub mod not_yet_supported;

use super::apps;
use super::pattern::Name;
use super::state::bounded;
use super::substitute::{Source, substitute};
use super::timing::Timing;
use super::tree::{Dialplan, Include, Note, Priority};
use crate::config::diagnostic::{Diagnostic, Place, Severity};
use crate::config::finding;
use crate::config::ini::{Document, Entry, Section};
use crate::config::suggest::nearest;
use crate::datetime::zones::Zones;
use entry::Number;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a line without a dialplan's `n` to count from is told.
const NO_PREVIOUS: &str = "'n' has no priority to count from";

/// Reads extensions.conf. Errors in single lines leave the line out and never stop the rest. `registrar` is who the
/// entries belong to (`pbx_config`). Times are those of UTC.
pub fn parse(doc: &Document, registrar: &str) -> (Dialplan, Vec<Diagnostic>) {
    parse_in(doc, registrar, &Arc::default())
}

/// The same, with the time zones of the machine.
pub fn parse_in(doc: &Document, registrar: &str, zones: &Arc<Zones>) -> (Dialplan, Vec<Diagnostic>) {
    let mut loader = Loader {
        plan: Dialplan { zones: Arc::clone(zones), ..Dialplan::new() },
        registrar: registrar.into(),
        said: Vec::new(),
        globals: BTreeMap::new(),
        place: Place { file: "extensions.conf".into(), line: 0 },
        judged: BTreeSet::new(),
    };
    let mut general_seen = false;
    for section in &doc.sections {
        match section.name.to_ascii_lowercase().as_str() {
            "general" if general_seen => loader.warn(&section.place, "a second [general] is ignored", None),
            "general" => {
                general_seen = true;
                loader.general(section);
            }
            "globals" => loader.globals(section),
            _ => loader.context(section),
        }
    }
    (loader.plan, loader.said)
}

struct Loader {
    plan: Dialplan,
    registrar: Arc<str>,
    said: Vec<Diagnostic>,
    globals: BTreeMap<String, String>,
    /// Where reading stands, for what substitution has to say.
    place: Place,
    /// Contexts and names of extensions of which everything odd about the name was said.
    judged: BTreeSet<(String, String)>,
}

/// What a section's next line may refer to.
#[derive(Default)]
struct Previous {
    exten: Option<(Name, Option<Name>)>,
    priority: Option<Number>,
}

/// Only the global variables: there is no channel yet.
impl Source for Loader {
    fn variable(&mut self, name: &str) -> Option<String> {
        self.globals.get(name).cloned()
    }

    fn function(&mut self, name: &str, _: &str) -> Result<String, String> {
        Err(format!("the function '{name}' has no value while the dialplan is loaded"))
    }

    fn warn(&mut self, text: String) {
        let place = self.place.clone();
        Loader::warn(self, &place, &text, None);
    }
}

impl Loader {
    fn warn(&mut self, place: &Place, message: &str, hint: Option<String>) {
        self.say(Severity::Warning, place, message, hint);
    }

    fn skip(&mut self, place: &Place, message: &str, hint: Option<String>) {
        self.say(Severity::Error, place, &format!("{message}; the line is skipped"), hint);
    }

    fn say(&mut self, severity: Severity, place: &Place, message: &str, hint: Option<String>) {
        self.said.push(Diagnostic { severity, code: "", place: place.clone(), message: message.to_owned(), hint });
    }

    fn substituted(&mut self, text: &str, place: &Place) -> String {
        self.place = place.clone();
        substitute(text, self)
    }

    fn general(&mut self, section: &Section) {
        const WITHOUT_EFFECT: [&str; 5] =
            ["static", "writeprotect", "extenpatternmatchnew", "overrideswitch", "userscontext"];
        for entry in &section.entries {
            let name = entry.name.to_ascii_lowercase();
            let flag = match entry.value.to_ascii_lowercase().as_str() {
                "yes" | "true" | "y" | "t" | "1" | "on" => Some(true),
                "no" | "false" | "n" | "f" | "0" | "off" => Some(false),
                _ => None,
            };
            match (name.as_str(), flag) {
                ("autofallthrough", Some(flag)) => self.plan.general.autofallthrough = flag,
                ("clearglobalvars", Some(flag)) => self.plan.general.clear_globals = flag,
                ("autofallthrough" | "clearglobalvars", None) => {
                    self.warn(&entry.place, &format!("{name}: '{}' is neither yes nor no", entry.value), None);
                }
                (known, _) if WITHOUT_EFFECT.contains(&known) => {}
                ("priorityjumping", Some(false)) => {}
                ("priorityjumping", _) => {
                    let hint = "no call jumps to priority n+101: write GotoIf on ${DIALSTATUS} behind the Dial";
                    let say = "'priorityjumping' is an option of Asterisk 1.2, and has no effect";
                    self.warn(&entry.place, say, Some(hint.to_owned()));
                }
                (_, _) => {
                    let known: Vec<&str> =
                        ["autofallthrough", "clearglobalvars"].into_iter().chain(WITHOUT_EFFECT).collect();
                    let hint = nearest(&name, known).map(|near| format!("did you mean '{near}'?"));
                    self.warn(&entry.place, &format!("[general] has no option '{}'", entry.name), hint);
                }
            }
        }
    }

    fn globals(&mut self, section: &Section) {
        for entry in &section.entries {
            let value = self.substituted(&entry.value, &entry.place);
            self.globals.insert(entry.name.clone(), bounded(&value));
            self.plan.globals.push((entry.name.clone(), value));
        }
    }

    fn context(&mut self, section: &Section) {
        let registrar = Arc::clone(&self.registrar);
        self.plan.context_mut(&section.name, &registrar);
        let mut previous = Previous::default();
        for entry in &section.entries {
            let directive = entry.name.to_ascii_lowercase();
            match directive.as_str() {
                "exten" => self.exten(section, entry, &mut previous),
                same if same.starts_with("same") => self.same(section, entry, &mut previous),
                "include" => self.include(section, entry),
                "ignorepat" => {
                    let text = self.substituted(&entry.value, &entry.place);
                    let note = Note { text, registrar: Arc::clone(&registrar) };
                    self.plan.context_mut(&section.name, &registrar).ignored.push(note);
                }
                "switch" | "lswitch" | "eswitch" => {
                    let note = Note { text: entry.value.clone(), registrar: Arc::clone(&registrar) };
                    self.plan.context_mut(&section.name, &registrar).switches.push(note);
                    let hint = "write the extensions here, or include another context".to_owned();
                    self.warn(&entry.place, &format!("{directive} is shown but never asked"), Some(hint));
                }
                "autohints" => self.warn(&entry.place, "autohints is ignored", Some("write hints by hand".to_owned())),
                _ => {
                    let known = ["exten", "same", "include", "ignorepat", "switch"];
                    let hint = match nearest(&directive, known) {
                        Some(near) => format!("did you mean '{near}'?"),
                        None => format!("a context holds {}", known.join(", ")),
                    };
                    let message = format!("context '{}' has no directive '{}'", section.name, entry.name);
                    self.warn(&entry.place, &message, Some(hint));
                }
            }
        }
    }

    fn exten(&mut self, section: &Section, entry: &Entry, previous: &mut Previous) {
        let Some((name, rest)) = entry::cut(&entry.value, ',') else {
            let hint = "write exten => NUMBER,1,Application(arguments)".to_owned();
            return self.skip(&entry.place, "there is no priority behind the extension", Some(hint));
        };
        let name = self.substituted(name, &entry.place);
        let (name, caller) = match entry::cut(&name, '/') {
            Some((name, caller)) => (name, Some(caller)),
            None => (name.as_str(), None),
        };
        let (name, odd) = Name::parse(name);
        let (caller, odd_caller) = match caller {
            Some(caller) => {
                let (caller, odd) = Name::parse(caller);
                (Some(caller), odd)
            }
            None => (None, None),
        };
        // Said once for each extension, not for each of its priorities.
        let is_new = self.judged.insert((section.name.clone(), name.shown().to_owned()));
        for odd in odd.into_iter().chain(odd_caller).filter(|_| is_new) {
            self.warn(&entry.place, &format!("extension '{}': {odd}", name.shown()), None);
        }
        if name.shown().is_empty() {
            return self.skip(&entry.place, "the extension has no name", None);
        }
        if is_new && name.matches_everything() {
            let message = format!("'{}' also matches h, i, t and the like", name.shown());
            self.warn(&entry.place, &message, Some("use '_X.' or '_X!' to match what is dialled".to_owned()));
        }
        previous.exten = Some((name, caller));
        self.priority(section, entry, rest, previous);
    }

    fn same(&mut self, section: &Section, entry: &Entry, previous: &mut Previous) {
        if previous.exten.is_none() {
            let message = "'same' without an 'exten' before it in this section";
            return self.skip(&entry.place, message, Some("begin with exten => NUMBER,1,...".to_owned()));
        }
        self.priority(section, entry, &entry.value, previous);
    }

    /// `priority[(label)],application` of the extension that `previous` names.
    fn priority(&mut self, section: &Section, entry: &Entry, text: &str, previous: &mut Previous) {
        let Some((name, caller)) = previous.exten.clone() else { return };
        let (number, application) = entry::cut(text, ',').unwrap_or((text, ""));
        let read = match entry::priority(number.trim()) {
            Ok(read) => read,
            Err(why) => return self.skip(&entry.place, &why, None),
        };
        let number = match self.number(section, &read, &name, caller.as_ref(), previous) {
            Ok(number) => number,
            Err((why, hint)) => return self.skip(&entry.place, &why, hint),
        };
        previous.priority = Some(number);
        let (app, args, odd) = entry::application(application.trim(), number == Number::Hint);
        if let Some(odd) = odd {
            self.warn(&entry.place, odd, None);
        }
        if app.is_empty() {
            self.warn(&entry.place, "there is no application behind the priority", None);
        } else if number != Number::Hint {
            self.check_application(app, args, &entry.place);
        }
        let label = match (read.label, number) {
            (Some(label), Number::At(_)) => self.free_label(section, &name, caller.as_ref(), label, &entry.place),
            (_, _) => None,
        };
        let new = Priority {
            application: app.to_owned(),
            args: args.to_owned(),
            label,
            registrar: Arc::clone(&self.registrar),
            place: Some(entry.place.clone()),
        };
        self.register(section, name, caller, number, new);
    }

    /// Enters the priority, unless it is taken.
    fn register(&mut self, section: &Section, name: Name, caller: Option<Name>, number: Number, new: Priority) {
        let (registrar, place) = (Arc::clone(&self.registrar), new.place.clone());
        let shown = name.shown().to_owned();
        let extension = self.plan.context_mut(&section.name, &registrar).extension_mut(name, caller);
        let taken = match number {
            Number::Hint => extension.hint.as_ref(),
            Number::At(number) => extension.priorities.get(&number),
        };
        if let (Some(taken), Some(place)) = (taken, place) {
            let first = taken.place.as_ref().map(|place| format!(" (see {place})")).unwrap_or_default();
            let message = format!(
                "Unable to register extension '{shown}' priority {number} in '{}', already in use{first}; the first stays",
                section.name
            );
            return self.warn(&place, &message, None);
        }
        match number {
            Number::Hint => extension.hint = Some(new),
            Number::At(number) => {
                extension.priorities.insert(number, new);
            }
        }
    }

    /// Which number a priority stands for.
    fn number(
        &mut self,
        section: &Section,
        read: &entry::Written<'_>,
        name: &Name,
        caller: Option<&Name>,
        previous: &Previous,
    ) -> Result<Number, (String, Option<String>)> {
        let base = match (read.base, previous.priority) {
            (entry::Base::Hint, _) => return Ok(Number::Hint),
            (entry::Base::Number(number), _) => Some(number),
            (entry::Base::Next, Some(Number::At(number))) => number.checked_add(1),
            (entry::Base::Same, Some(Number::At(number))) => Some(number),
            (entry::Base::Next | entry::Base::Same, Some(Number::Hint)) => {
                let hint = "write the priority's number in the line after a hint".to_owned();
                return Err(("'n' right after a hint counts from the hint and has no number".to_owned(), Some(hint)));
            }
            (entry::Base::Next | entry::Base::Same, None) => {
                return Err((NO_PREVIOUS.to_owned(), Some("begin the section with priority 1".to_owned())));
            }
            (entry::Base::Label(label), _) => match self.labelled(section, name, caller, label) {
                Some(number) => Some(number),
                None => {
                    let why = format!("'{label}' is neither a priority nor a label of extension '{}'", name.shown());
                    let hint = "a priority is a number from 1, n, s or hint".to_owned();
                    return Err((why, Some(hint)));
                }
            },
        };
        match base.and_then(|base| base.checked_add(read.plus)) {
            Some(number) if number > 0 => Ok(Number::At(number)),
            _ => Err(("a priority must be a number from 1".to_owned(), None)),
        }
    }

    fn labelled(&mut self, section: &Section, name: &Name, caller: Option<&Name>, label: &str) -> Option<u32> {
        let registrar = Arc::clone(&self.registrar);
        let context = self.plan.context_mut(&section.name, &registrar);
        let extension = context.existing(name, caller)?;
        extension.priorities.iter().find(|(_, one)| one.label.as_deref() == Some(label)).map(|(number, _)| *number)
    }

    /// The label, unless the extension has it already.
    fn free_label(
        &mut self,
        section: &Section,
        name: &Name,
        caller: Option<&Name>,
        label: &str,
        place: &Place,
    ) -> Option<String> {
        if self.labelled(section, name, caller, label).is_some() {
            let message = format!("extension '{}' has a label '{label}' already; this one is dropped", name.shown());
            self.warn(place, &message, None);
            return None;
        }
        Some(label.to_owned())
    }

    fn check_application(&mut self, app: &str, args: &str, place: &Place) {
        match apps::find(app) {
            Some(found) if found.arity > 0 && args.is_empty() => {
                self.warn(place, &format!("{} is given no argument", found.name), Some(found.syntax.to_owned()));
            }
            Some(_) => {}
            None => self.said.extend(unknown_application(app, place)),
        }
        if entry::has_old_separator(args) {
            let hint = format!("write {app}({})", args.replace('|', ","));
            self.warn(place, "arguments are separated by ',' and no longer by '|'", Some(hint));
        }
    }

    fn include(&mut self, section: &Section, entry: &Entry) {
        let shown = self.substituted(&entry.value, &entry.place);
        let (context, times) = shown.split_once([',', '|']).unwrap_or((&shown, ""));
        let (context, times) = (context.trim().to_owned(), times);
        if context.is_empty() {
            return self.skip(&entry.place, "include names no context", None);
        }
        let (timing, odd) = Timing::read(times, &self.plan.zones);
        for odd in odd {
            self.warn(&entry.place, &format!("include '{context}': {odd}"), None);
        }
        let registrar = Arc::clone(&self.registrar);
        let new = Include { context, timing, shown, registrar: Arc::clone(&registrar), place: entry.place.clone() };
        let includes = &mut self.plan.context_mut(&section.name, &registrar).includes;
        if includes.iter().any(|one| one.context == new.context && one.timing == new.timing) {
            let message = format!("context '{}' includes '{}' already", section.name, new.context);
            return self.warn(&entry.place, &message, None);
        }
        includes.push(new);
    }
}

/// What is to be said of an application that is not in the table; nothing when its name is computed.
pub(crate) fn unknown_application(app: &str, place: &Place) -> Option<Diagnostic> {
    if app.contains("${") || app.contains("$[") {
        return None;
    }
    let known: Vec<&str> = apps::TABLE.iter().map(|app| app.name).collect();
    let hint = if app.contains(',') {
        "arguments stand in parentheses: Application(arguments)".to_owned()
    } else if let Some(advice) = not_yet_supported::application(app) {
        format!("this exchange does not have it, and a call that gets here ends: {advice}")
    } else {
        match nearest(app, known) {
            Some(near) => format!("did you mean '{near}'? A call that gets here ends"),
            None => "a call that gets here ends".to_owned(),
        }
    };
    Some(finding::APPLICATION_UNKNOWN.at(place, format!("there is no application '{app}'")).hint(hint))
}

/// A document from plain `name => value` lines, for the tests of this room.
#[cfg(test)]
pub(crate) fn document(text: &str) -> Document {
    let mut document = Document::default();
    for (line, text) in (1u32..).zip(text.lines()) {
        let place = Place { file: "extensions.conf".into(), line };
        if let Some(name) = text.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            document.sections.push(Section { name: name.to_owned(), place, entries: Vec::new() });
        } else if let (Some((name, value)), Some(section)) = (text.split_once('='), document.sections.last_mut()) {
            let (name, value) = (name.trim(), value.trim_start_matches('>').trim());
            section.entries.push(Entry { name: name.to_owned(), value: value.to_owned(), place });
        }
    }
    document
}

#[cfg(test)]
mod tests;
