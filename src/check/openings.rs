//! What a caller may choose and should not: which script is run, what is evaluated or assigned, which file is written.

use super::call::Call;
use super::callers;
use super::chosen::{Variables, assignments};
use super::goals::{inner_texts, place_of};
use super::survey::Survey;
use crate::config::diagnostic::Diagnostic;
use crate::config::finding::{self, Finding};
use crate::dialplan::arguments;
use crate::dialplan::substitute::{MAX_DEPTH, function_call, references};

const FILTER: &str = "write it as ${FILTER(0-9,...)}";

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let claimed = callers::reached(survey);
    let mut found = Vec::new();
    let mut variables = Variables::default();
    for step in &survey.steps {
        variables.enter(step);
        let calls = step.calls();
        let mut say = |kind: &'static Finding, message: String, hint: &str| {
            found.push(kind.at(step.place, message).hint(hint));
        };
        let in_eval = evaluated(step.args(), 0).into_iter().find_map(|text| variables.chosen_in(text, step));
        if let Some(name) = in_eval {
            let message = format!("EVAL() evaluates {name}, which the caller chooses");
            say(&finding::EVALUATION_OPEN, message, FILTER);
        }
        for call in &calls {
            if let Some(name) = script(call).and_then(|script| variables.chosen_in(&script, step)) {
                let message =
                    format!("{} runs the script that {name} names, which the caller chooses", call.application);
                say(&finding::PROGRAM_OPEN, message, "name the script, and hand it that as an argument");
            }
            if let Some(name) = inner_texts(call).iter().find_map(|text| variables.chosen_in(place_of(text), step)) {
                let message = format!("the application that is run is {name}, which the caller chooses");
                say(&finding::EVALUATION_OPEN, message, FILTER);
            }
            let assigned =
                assignments(call).into_iter().find_map(|(name, _)| variables.chosen_in(place_of(&name), step));
            if let Some(name) = assigned {
                let message = format!("{} assigns to {name}, which the caller chooses", call.application);
                say(&finding::EVALUATION_OPEN, message, FILTER);
            }
            let claims = claimed.contains_key(step.context.name.as_str());
            let name = files(call).into_iter().find_map(|file| variables.chosen_where(&file, step, claims));
            if let Some(name) = name {
                let message = format!("{} writes a file named by {name}, which the caller chooses", call.application);
                say(&finding::FILE_OPEN, message, "write it as ${FILTER(0-9,...)}, or name the file by ${UNIQUEID}");
            }
        }
        variables.leave(step, &calls);
    }
    found
}

/// What each `EVAL(...)` in a text evaluates.
fn evaluated(text: &str, depth: usize) -> Vec<&str> {
    let mut found = Vec::new();
    if depth > MAX_DEPTH {
        return found;
    }
    for (is_name, inside) in references(text) {
        if let Some((name, args, _)) = function_call(inside).filter(|_| is_name)
            && name.eq_ignore_ascii_case("EVAL")
        {
            found.push(args);
        }
        found.extend(evaluated(inside, depth.saturating_add(1)));
    }
    found
}

/// The script that an application runs.
fn script(call: &Call) -> Option<String> {
    let runs = ["AGI", "DeadAGI", "EAGI"].iter().any(|name| call.is(name));
    if runs { arguments::pieces(&call.args, ',', 2).into_iter().next() } else { None }
}

/// The files that an application writes.
fn files(call: &Call) -> Vec<String> {
    let mut args = arguments::pieces(&call.args, ',', 4).into_iter();
    if call.is("Record") || call.is("ChangeMonitor") {
        return args.next().into_iter().collect();
    }
    if call.is("Monitor") {
        return args.nth(1).into_iter().collect();
    }
    if !call.is("MixMonitor") {
        return Vec::new();
    }
    let file = args.next();
    let letters = arguments::options(&args.next().unwrap_or_default());
    let others = letters.into_iter().filter(|(letter, _)| matches!(letter, 'r' | 't')).filter_map(|(_, file)| file);
    file.into_iter().chain(others).collect()
}

/// The command that an application has run when it is over.
pub(super) fn command_afterwards(call: &Call) -> Option<String> {
    if !call.is("MixMonitor") {
        return None;
    }
    // `^{NAME}` is `${NAME}` there.
    arguments::pieces(&call.args, ',', 4).into_iter().nth(2).map(|command| command.replace("^{", "${"))
}
