//! The dialplan as findings see it: every line, what it runs, and where it may jump to.

pub(super) use super::call::{Call, is_computed};
use super::goals;
use super::numbers::{Numbers, Work};
use crate::config::Config;
use crate::config::diagnostic::Place;
use crate::config::suggest::KnownNames;
use crate::dialplan::Dialplan;
use crate::dialplan::app::Target;
use crate::dialplan::tree::{Context, Extension};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// `ExecIf` in `ExecIf`, or in `Exec` and its kin, deeper than this is not looked into.
const MAX_DEPTH: usize = 4;

/// How many names are looked at for the nearest ones, and so many more for each name there is: to compare two takes long.
const NEAR: usize = 50_000;
const NEAR_PER_NAME: usize = 8;

/// The dialplan as findings see it.
pub(super) struct Survey<'a> {
    pub(super) config: &'a Config,
    pub(super) plan: &'a Dialplan,
    /// Every priority that a file names, in the order of search.
    pub(super) steps: Vec<Step<'a>>,
    pub(super) jumps: Vec<Jump<'a>>,
    /// The names of the contexts, and of the peers, to find the nearest among.
    pub(super) near_context: KnownNames<'a>,
    pub(super) near_peer: KnownNames<'a>,
    /// What jumps and gaps are compared with.
    pub(super) work: Work,
    /// Contexts that includes join, however far: a call in one of them may be searching any of the others.
    joined: Vec<Numbers<'a>>,
    /// Which of them a context belongs to.
    joined_of: BTreeMap<&'a str, usize>,
    /// What a context and its includes hold, of those that were asked for.
    reached: RefCell<BTreeMap<String, Rc<Numbers<'a>>>>,
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
        let peers = &config.sip.peers;
        let names = steps.len().saturating_add(plan.contexts.len()).saturating_add(peers.len());
        let near = |names_of: Vec<&'a str>| {
            KnownNames::new(names_of, NEAR.saturating_add(names.saturating_mul(NEAR_PER_NAME)))
        };
        Survey {
            config,
            plan,
            steps,
            jumps,
            near_context: near(plan.contexts().collect()),
            near_peer: near(peers.keys().map(String::as_str).collect()),
            work: Work::new(names),
            joined,
            joined_of,
            reached: RefCell::default(),
        }
    }

    /// The extensions of the contexts a call may be searching when it is in this one, among others.
    pub(super) fn around(&self, context: &str) -> Option<&Numbers<'a>> {
        self.joined.get(*self.joined_of.get(context)?)
    }

    /// The extensions of a context and what it includes; none when there is no work left to find them by.
    pub(super) fn reached(&self, context: &str) -> Option<Rc<Numbers<'a>>> {
        if let Some(known) = self.reached.borrow().get(context) {
            return Some(Rc::clone(known));
        }
        let contexts = self.plan.walk_all(context);
        let extensions: usize = contexts.iter().map(|context| context.extensions.len()).sum();
        self.work.spend(contexts.len().saturating_add(extensions))?;
        let numbers = Rc::new(Numbers::of(&contexts));
        self.reached.borrow_mut().insert(context.to_owned(), Rc::clone(&numbers));
        Some(numbers)
    }

    /// How much was compared so far.
    #[cfg(test)]
    pub(super) fn spent(&self) -> usize {
        self.work.spent() + self.near_context.looked() + self.near_peer.looked()
    }
}

/// The contexts in groups that includes join, and the group of each.
fn joined(plan: &Dialplan) -> (Vec<Numbers<'_>>, BTreeMap<&str, usize>) {
    let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for context in plan.contexts.values() {
        for include in &context.includes {
            neighbours.entry(&context.name).or_default().push(&include.context);
            neighbours.entry(&include.context).or_default().push(&context.name);
        }
    }
    let (mut groups, mut group_of): (Vec<Numbers>, BTreeMap<&str, usize>) = Default::default();
    for first in plan.contexts.keys() {
        let mut group: Vec<&Context> = Vec::new();
        let mut waiting = vec![first.as_str()];
        while let Some(name) = waiting.pop() {
            // A name that two contexts include, and that is none itself, joins nobody.
            let Some(context) = plan.contexts.get(name) else { continue };
            if !group_of.contains_key(name) {
                group_of.insert(&context.name, groups.len());
                group.push(context);
                waiting.extend(neighbours.get(name).into_iter().flatten());
            }
        }
        if !group.is_empty() {
            groups.push(Numbers::of(&group));
        }
    }
    (groups, group_of)
}

impl<'a> Step<'a> {
    /// The arguments of what the line runs, as written.
    pub(super) fn args(&self) -> &'a str {
        self.args
    }

    /// What the line runs, and what an `ExecIf` or its kin in it may run.
    pub(super) fn calls(&self) -> Vec<Call> {
        let first = Call { application: self.application.to_owned(), args: self.args.to_owned(), is_outer: true };
        let mut calls = vec![first];
        let mut looked = 0;
        for _ in 0..MAX_DEPTH {
            let inner: Vec<Call> = calls.iter().skip(looked).flat_map(inner).collect();
            looked = calls.len();
            calls.extend(inner);
        }
        calls
    }

    fn jumps(&self) -> Vec<Jump<'a>> {
        let of = |call: Call| {
            let goals = goals::of(&call).into_iter();
            goals.map(move |target| Jump { from: *self, application: call.application.clone(), target })
        };
        self.calls().into_iter().flat_map(of).collect()
    }
}

/// The applications that this one may run.
fn inner(call: &Call) -> Vec<Call> {
    let found = goals::inner(call).into_iter();
    found.map(|call| Call { application: call.name, args: call.args, is_outer: false }).collect()
}
