//! The dialplan as findings see it: every line, what it runs, and where it may jump to.

use crate::config::Config;
use crate::config::diagnostic::Place;
use crate::dialplan::Dialplan;
use crate::dialplan::app::Target;
use crate::dialplan::apps::exec_if;
use crate::dialplan::arguments;
use crate::dialplan::tree::{Context, Extension};
use std::collections::BTreeMap;

/// `ExecIf` in `ExecIf` deeper than this is not looked into.
const MAX_DEPTH: usize = 4;

/// The dialplan as findings see it.
pub(super) struct Survey<'a> {
    pub(super) config: &'a Config,
    pub(super) plan: &'a Dialplan,
    /// Every priority that a file names, in the order of search.
    pub(super) steps: Vec<Step<'a>>,
    pub(super) jumps: Vec<Jump<'a>>,
    /// Contexts that includes join, however far: a call in one of them may be searching any of the others.
    joined: Vec<Vec<&'a Context>>,
    /// Which of them a context belongs to.
    joined_of: BTreeMap<&'a str, usize>,
}

/// One priority.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) context: &'a Context,
    pub(super) extension: &'a Extension,
    pub(super) number: u32,
    pub(super) place: &'a Place,
    application: &'a str,
    args: &'a str,
}

/// An application as a line runs it, its arguments as written.
pub(super) struct Call {
    pub(super) application: String,
    pub(super) args: String,
    /// It is what the line itself runs, not what an `ExecIf` in it may.
    pub(super) is_outer: bool,
}

/// A place that a line may go to.
pub(super) struct Jump<'a> {
    pub(super) from: Step<'a>,
    pub(super) application: String,
    pub(super) target: Target,
}

impl<'a> Survey<'a> {
    pub(super) fn of(config: &'a Config, plan: &'a Dialplan) -> Survey<'a> {
        let mut steps = Vec::new();
        for context in plan.contexts.values() {
            for extension in &context.extensions {
                for (number, priority) in &extension.priorities {
                    let Some(place) = &priority.place else { continue };
                    let (application, args) = (priority.application.as_str(), priority.args.as_str());
                    steps.push(Step { context, extension, number: *number, place, application, args });
                }
            }
        }
        let jumps = steps.iter().flat_map(|step| step.jumps()).collect();
        let (joined, joined_of) = joined(plan);
        Survey { config, plan, steps, jumps, joined, joined_of }
    }

    /// The contexts a call may be searching when it is in this one, among others.
    pub(super) fn around(&self, context: &str) -> &[&'a Context] {
        self.joined_of.get(context).and_then(|number| self.joined.get(*number)).map_or(&[], Vec::as_slice)
    }
}

/// The contexts in groups that includes join, and the group of each.
fn joined(plan: &Dialplan) -> (Vec<Vec<&Context>>, BTreeMap<&str, usize>) {
    let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for context in plan.contexts.values() {
        for include in &context.includes {
            neighbours.entry(&context.name).or_default().push(&include.context);
            neighbours.entry(&include.context).or_default().push(&context.name);
        }
    }
    let (mut groups, mut group_of): (Vec<Vec<&Context>>, BTreeMap<&str, usize>) = Default::default();
    for first in plan.contexts.keys() {
        let mut group = Vec::new();
        let mut waiting = vec![first.as_str()];
        while let Some(name) = waiting.pop() {
            let Some(context) = plan.contexts.get(name) else { continue };
            if !group_of.contains_key(name) {
                group_of.insert(&context.name, groups.len());
                group.push(context);
                waiting.extend(neighbours.get(name).into_iter().flatten());
            }
        }
        if !group.is_empty() {
            groups.push(group);
        }
    }
    (groups, group_of)
}

impl<'a> Step<'a> {
    /// The arguments of what the line runs, as written.
    pub(super) fn args(&self) -> &'a str {
        self.args
    }

    /// What the line runs, and what an `ExecIf` in it may run.
    pub(super) fn calls(&self) -> Vec<Call> {
        let first = Call { application: self.application.to_owned(), args: self.args.to_owned(), is_outer: true };
        let mut calls = vec![first];
        let mut looked = 0;
        for _ in 0..MAX_DEPTH {
            let inner: Vec<Call> = calls.iter().skip(looked).filter(|call| call.is("ExecIf")).flat_map(inner).collect();
            looked = calls.len();
            calls.extend(inner);
        }
        calls
    }

    fn jumps(&self) -> Vec<Jump<'a>> {
        let mut jumps = Vec::new();
        for Call { application, args, .. } in self.calls() {
            let texts = match application.to_ascii_lowercase().as_str() {
                "goto" => vec![args],
                "gosub" => vec![place_of(&args).to_owned()],
                "gotoif" => {
                    let (_, yes, no) = arguments::condition(&args);
                    vec![yes, no]
                }
                "gosubif" => {
                    let (_, yes, no) = arguments::condition(&args);
                    vec![place_of(&yes).to_owned(), place_of(&no).to_owned()]
                }
                _ => continue,
            };
            // The separators of old files are reported elsewhere.
            let texts = texts.into_iter().filter(|text| !text.contains('|'));
            let targets = texts.filter_map(|text| Target::parse(&text));
            jumps.extend(targets.map(|target| Jump { from: *self, application: application.clone(), target }));
        }
        jumps
    }
}

impl Call {
    pub(super) fn is(&self, application: &str) -> bool {
        self.application.eq_ignore_ascii_case(application)
    }
}

/// The applications in the branches of an `ExecIf`.
fn inner(call: &Call) -> Vec<Call> {
    let (_, yes, no) = arguments::condition(&call.args);
    let found = [yes, no].into_iter().filter_map(|branch| exec_if::call(&branch));
    found.map(|call| Call { application: call.name, args: call.args, is_outer: false }).collect()
}

/// What stands before the arguments of a subroutine, `(...)` outside of `${...}`.
fn place_of(text: &str) -> &str {
    let mut depth = 0usize;
    let end = text.char_indices().find(|(_, letter)| {
        match letter {
            '{' | '[' => depth = depth.saturating_add(1),
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *letter == '(' && depth == 0
    });
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Whether a variable or expression decides what the text is.
pub(super) fn is_computed(text: &str) -> bool {
    text.contains("${") || text.contains("$[")
}
