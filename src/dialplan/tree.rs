//! The dialplan as loaded: contexts, extensions, priorities, and the search through them.

use super::pattern::{Longer, Match, Name, digits};
use super::timing::Timing;
use crate::clock::Wall;
use crate::config::diagnostic::Place;
use crate::datetime::zones::Zones;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How deep includes may nest.
const MAX_DEPTH: usize = 128;

/// The dialplan: contexts by name.
#[derive(Debug, Clone, Default)]
pub struct Dialplan {
    pub(super) general: General,
    pub(super) globals: Vec<(String, String)>,
    /// The time zones that times may name, and the machine's own.
    pub(super) zones: Arc<Zones>,
    pub(crate) contexts: BTreeMap<String, Context>,
}

/// `[general]` of extensions.conf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct General {
    /// `autofallthrough`: end the call by `DIALSTATUS` when there is no next priority, instead of waiting for digits.
    pub autofallthrough: bool,
    /// `clearglobalvars`: a reload forgets global variables that the file does not set.
    pub clear_globals: bool,
}

impl Default for General {
    fn default() -> General {
        General { autofallthrough: true, clear_globals: false }
    }
}

/// One context.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) name: String,
    /// Who created it: `pbx_config`, `SIP`...
    pub(crate) registrar: Arc<str>,
    /// In the order in which contexts were created, for `show`.
    pub(crate) number: usize,
    /// Sorted as they are searched.
    pub(crate) extensions: Vec<Extension>,
    pub(crate) includes: Vec<Include>,
    pub(super) switches: Vec<Note>,
    pub(super) ignored: Vec<Note>,
}

/// An extension: a name, perhaps a condition on the caller, and its priorities.
#[derive(Debug, Clone)]
pub struct Extension {
    pub(crate) name: Name,
    /// The number must match; an empty name means a caller without number.
    pub(crate) caller: Option<Name>,
    pub(crate) hint: Option<Priority>,
    pub(crate) priorities: BTreeMap<u32, Priority>,
}

/// One priority: an application and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priority {
    /// The application's name as written; for a hint the devices.
    pub application: String,
    /// Its arguments before substitution.
    pub args: String,
    /// `(label)` behind the priority.
    pub label: Option<String>,
    /// Who added it.
    pub registrar: Arc<str>,
    /// Where it stands; `None` when no file names it.
    pub place: Option<Place>,
}

/// `include =>`.
#[derive(Debug, Clone)]
pub(crate) struct Include {
    pub(crate) context: String,
    pub(crate) timing: Timing,
    /// As written, for `show`.
    pub(crate) shown: String,
    pub(crate) registrar: Arc<str>,
    pub(crate) place: Place,
}

/// `switch =>` and `ignorepat =>`: kept to be shown.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) registrar: Arc<str>,
}

/// Whether a dialled number exists in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// Priority 1 is there.
    Yes,
    /// Not yet: more digits may reach one.
    MoreDigits,
    /// No.
    No,
}

/// What a search found.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The context it stands in; an included one perhaps.
    pub context: &'a str,
    /// The extension's name: literal or pattern.
    pub name: &'a str,
    /// The priority's number.
    pub number: u32,
    /// The priority.
    pub priority: &'a Priority,
}

/// A hint of the dialplan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint<'a> {
    /// The extension: a number, or a pattern.
    pub exten: &'a str,
    /// The context it stands in.
    pub context: &'a str,
    /// The devices, as written: `SIP/a&SIP/b`.
    pub devices: &'a str,
    /// Where it stands; `None` when no file names it.
    pub place: Option<&'a Place>,
}

/// What is searched for in an extension that matches.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Number(u32),
    Label(&'a str),
    Hint,
}

impl Dialplan {
    /// An empty dialplan.
    pub fn new() -> Dialplan {
        Dialplan::default()
    }

    /// `[general]`.
    pub fn general(&self) -> General {
        self.general
    }

    /// `[globals]` in order, substituted.
    pub fn globals(&self) -> &[(String, String)] {
        &self.globals
    }

    /// The time zones that times may name, and the machine's own.
    pub fn zones(&self) -> &Arc<Zones> {
        &self.zones
    }

    /// The names of all contexts.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.contexts.keys().map(String::as_str)
    }

    /// Whether there is such a context.
    pub fn has_context(&self, context: &str) -> bool {
        self.contexts.contains_key(context)
    }

    /// Whether a dialled number exists: priority 1, in the context or what it includes at that moment.
    pub fn exists(&self, context: &str, exten: &str, caller: Option<&str>, at: Wall) -> Existence {
        let dialled = digits(exten);
        if self.search(context, &dialled, Wanted::Number(1), caller, at).is_some() {
            return Existence::Yes;
        }
        let more = self.walk(context, at).iter().any(|context| {
            context.extensions.iter().any(|one| one.admits(caller) && one.name.matches(&dialled) == Match::MoreDigits)
        });
        if more { Existence::MoreDigits } else { Existence::No }
    }

    /// Whether more digits than these could lead to an extension of the context: in the order of the search, up to one
    /// that matches already and ends in `!`.
    pub fn may_go_on(&self, context: &str, exten: &str, caller: Option<&str>, at: Wall) -> bool {
        let dialled = digits(exten);
        let extensions = self.walk(context, at).into_iter().flat_map(|context| context.extensions.iter());
        let mut longer = extensions.filter(|one| one.admits(caller)).map(|one| one.name.longer(&dialled));
        longer.find(|longer| *longer != Longer::No) == Some(Longer::Yes)
    }

    /// The numbers, patterns aside, that can be dialled in a context and what it includes at that moment.
    pub fn numbers(&self, context: &str, at: Wall) -> impl Iterator<Item = &str> {
        let contexts = self.walk(context, at).into_iter();
        let extensions = contexts.flat_map(|context| context.extensions.iter());
        let dialled = extensions.filter(|one| one.priorities.contains_key(&1) && one.name.literal().is_some());
        // `s`, `h`, `i` and their like are dialled by nobody.
        dialled
            .map(|one| one.name.shown())
            .filter(|name| name.len() > 1 || name.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// A priority of a dialled number.
    pub fn find(&self, context: &str, exten: &str, priority: u32, caller: Option<&str>, at: Wall) -> Option<Found<'_>> {
        self.search(context, &digits(exten), Wanted::Number(priority), caller, at)
    }

    /// The number of the priority that carries a label.
    pub fn find_label(&self, context: &str, exten: &str, label: &str, caller: Option<&str>, at: Wall) -> Option<u32> {
        self.search(context, &digits(exten), Wanted::Label(label), caller, at).map(|found| found.number)
    }

    /// The hint of an extension: its `application` names the devices.
    pub fn hint(&self, context: &str, exten: &str, at: Wall) -> Option<Found<'_>> {
        self.search(context, &digits(exten), Wanted::Hint, None, at)
    }

    /// Adds one priority, replacing the one of that number; makes the context when it is not there. For `regcontext`
    /// and the console; `registrar` says who adds, and may remove it again.
    pub fn add_extension(
        &mut self,
        context: &str,
        exten: &str,
        priority: u32,
        application: &str,
        args: &str,
        registrar: &str,
    ) {
        let registrar: Arc<str> = registrar.into();
        let entry = Priority {
            application: application.to_owned(),
            args: args.to_owned(),
            label: None,
            registrar: Arc::clone(&registrar),
            place: None,
        };
        let extension = self.context_mut(context, &registrar).extension_mut(Name::parse(exten).0, None);
        extension.priorities.insert(priority, entry);
    }

    /// Removes what `registrar` added: one priority, or all of the extension with `None`. False when there was none.
    pub fn remove_extension(&mut self, context: &str, exten: &str, priority: Option<u32>, registrar: &str) -> bool {
        let Some(found) = self.contexts.get_mut(context) else { return false };
        let name = Name::parse(exten).0;
        let mut removed = false;
        for extension in found.extensions.iter_mut().filter(|one| one.name.is_same(&name)) {
            extension.priorities.retain(|number, entry| {
                let goes = &*entry.registrar == registrar && priority.is_none_or(|wanted| wanted == *number);
                removed |= goes;
                !goes
            });
        }
        found.extensions.retain(|one| !one.priorities.is_empty() || one.hint.is_some());
        removed
    }

    /// After a reload: takes over from the old dialplan what others than `registrar` had added to it (`regcontext`).
    pub fn adopt(&mut self, old: &Dialplan, registrar: &str) {
        for context in old.contexts.values() {
            for extension in &context.extensions {
                for (number, entry) in extension.priorities.iter().filter(|(_, entry)| &*entry.registrar != registrar) {
                    self.context_mut(&context.name, &context.registrar)
                        .extension_mut(extension.name.clone(), extension.caller.clone())
                        .priorities
                        .entry(*number)
                        .or_insert_with(|| entry.clone());
                }
            }
        }
    }

    /// The context, made when it is not there.
    pub(super) fn context_mut(&mut self, name: &str, registrar: &Arc<str>) -> &mut Context {
        let number = self.contexts.len();
        self.contexts.entry(name.to_owned()).or_insert_with(|| Context {
            name: name.to_owned(),
            registrar: Arc::clone(registrar),
            number,
            extensions: Vec::new(),
            includes: Vec::new(),
            switches: Vec::new(),
            ignored: Vec::new(),
        })
    }

    fn search<'a>(
        &'a self,
        context: &str,
        dialled: &[u8],
        wanted: Wanted<'_>,
        caller: Option<&str>,
        at: Wall,
    ) -> Option<Found<'a>> {
        self.walk(context, at).into_iter().find_map(|context| context.search(dialled, wanted, caller))
    }

    /// The context and, depth first, what it includes at that moment; each once.
    fn walk(&self, context: &str, at: Wall) -> Vec<&Context> {
        self.walk_where(context, |include| include.timing.holds(at))
    }

    /// The context and, depth first, what it includes at any time; each once.
    pub(crate) fn walk_all(&self, context: &str) -> Vec<&Context> {
        self.walk_where(context, |_| true)
    }

    /// The context and, depth first, what it includes by `open` includes; each once.
    pub(crate) fn walk_where(&self, context: &str, open: impl Fn(&Include) -> bool) -> Vec<&Context> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        let first = self.contexts.get_key_value(context).map(|(name, _)| (name.as_str(), 0));
        let mut waiting: Vec<(&str, usize)> = first.into_iter().collect();
        while let Some((name, depth)) = waiting.pop() {
            let Some(context) = self.contexts.get(name) else { continue };
            if !seen.insert(name) {
                continue;
            }
            order.push(context);
            if depth < MAX_DEPTH {
                // The last on the stack is looked at first.
                let included = context.includes.iter().rev().filter(|include| open(include));
                waiting.extend(included.map(|include| (include.context.as_str(), depth + 1)));
            }
        }
        order
    }

    /// Every hint, by context and extension.
    pub fn hints(&self) -> impl Iterator<Item = Hint<'_>> {
        self.contexts.values().flat_map(|context| {
            context.extensions.iter().filter_map(|extension| {
                let hint = extension.hint.as_ref()?;
                Some(Hint {
                    exten: extension.name.shown(),
                    context: &context.name,
                    devices: &hint.application,
                    place: hint.place.as_ref(),
                })
            })
        })
    }
}

impl Context {
    /// The extension of that name and caller condition.
    pub(super) fn existing(&self, name: &Name, caller: Option<&Name>) -> Option<&Extension> {
        let wanted = Extension::empty(name.clone(), caller.cloned());
        let at = self.extensions.partition_point(|one| one.order(&wanted).is_lt());
        self.extensions.get(at).filter(|one| one.order(&wanted).is_eq())
    }

    /// The extension of that name and caller condition, made when it is not there.
    pub(super) fn extension_mut(&mut self, name: Name, caller: Option<Name>) -> &mut Extension {
        let new = Extension::empty(name, caller);
        let at = self.extensions.partition_point(|one| one.order(&new).is_lt());
        if !self.extensions.get(at).is_some_and(|one| one.order(&new).is_eq()) {
            self.extensions.insert(at, new);
        }
        // In range: either found there or just inserted.
        &mut self.extensions[at]
    }

    /// The first extension in order that matches **and** has what is wanted.
    fn search(&self, dialled: &[u8], wanted: Wanted<'_>, caller: Option<&str>) -> Option<Found<'_>> {
        self.candidates(dialled, caller).find_map(|one| {
            let (number, priority) = match wanted {
                Wanted::Number(number) => (number, one.priorities.get(&number)?),
                Wanted::Label(label) => {
                    let (number, priority) =
                        one.priorities.iter().find(|(_, entry)| entry.label.as_deref() == Some(label))?;
                    (*number, priority)
                }
                Wanted::Hint => (0, one.hint.as_ref()?),
            };
            Some(Found { context: &self.name, name: one.name.shown(), number, priority })
        })
    }

    /// Every extension that matches, in order.
    pub(super) fn candidates<'a, 'b>(
        &'a self,
        dialled: &'b [u8],
        caller: Option<&'b str>,
    ) -> impl Iterator<Item = &'a Extension> {
        self.matching(dialled).filter(move |one| one.admits(caller))
    }

    /// Every extension that matches, whoever calls, in order.
    pub(crate) fn matching<'a, 'b>(&'a self, dialled: &'b [u8]) -> impl Iterator<Item = &'a Extension> + use<'a, 'b> {
        // Literals come first and sorted: found by halving, however many there are.
        let patterns = self.extensions.partition_point(|one| one.name.literal().is_some());
        let (literals, patterns) = self.extensions.split_at(patterns);
        let first = literals.partition_point(|one| one.name.literal().is_some_and(|name| name < dialled));
        let equal = literals.iter().skip(first).take_while(move |one| one.name.literal() == Some(dialled));
        equal.chain(patterns.iter().filter(move |one| one.name.matches(dialled) == Match::Yes))
    }
}

impl Extension {
    fn empty(name: Name, caller: Option<Name>) -> Extension {
        Extension { name, caller, hint: None, priorities: BTreeMap::new() }
    }

    fn admits(&self, caller: Option<&str>) -> bool {
        match &self.caller {
            None => true,
            Some(name) if name.shown().is_empty() => caller.is_none_or(str::is_empty),
            Some(name) => name.matches(&digits(caller.unwrap_or_default())) == Match::Yes,
        }
    }

    /// By name, then those with a caller condition first.
    fn order(&self, other: &Extension) -> std::cmp::Ordering {
        let names = |one: &Name, two: &Name| {
            if one.is_same(two) { std::cmp::Ordering::Equal } else { one.cmp(two) }
        };
        names(&self.name, &other.name).then_with(|| match (&self.caller, &other.caller) {
            (None, None) => std::cmp::Ordering::Equal,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(two)) => names(one, two),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::dialplan::load::document;

    #[test]
    fn hints_are_found_with_their_devices() {
        let text = "[b]\nexten => 602,hint,SIP/y&SIP/z\n[a]\nexten => 1,1,NoOp()\nexten => 601,hint,SIP/x\n";
        let plan = crate::dialplan::parse(&document(text), "pbx_config").0;
        let found: Vec<_> =
            plan.hints().map(|hint| (hint.exten, hint.context, hint.devices, hint.place.unwrap().line)).collect();
        assert_eq!(found, [("601", "a", "SIP/x", 5), ("602", "b", "SIP/y&SIP/z", 2)]);
    }
}
