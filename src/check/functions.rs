//! Functions that are not there, and applications that only an `ExecIf` runs.

use super::phrase::suggestion;
use super::survey::{Call, Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::config::suggest::nearest;
use crate::dialplan::apps;
use crate::dialplan::functions;
use crate::dialplan::load::{not_yet_supported, unknown_application};
use crate::dialplan::substitute::{MAX_DEPTH, function_call, references};

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for step in &survey.steps {
        let mut say = |message: String, hint: String| {
            found.push(finding::FUNCTION_UNKNOWN.at(step.place, message).hint(hint));
        };
        for name in read(step.args(), 0) {
            match functions::find(name) {
                None => {
                    let hint = match not_yet_supported::function(name) {
                        Some(advice) => {
                            format!("this exchange does not have it, and it evaluates to nothing: {advice}")
                        }
                        None => suggestion(near(name), "it evaluates to nothing"),
                    };
                    say(format!("there is no function '{name}'"), hint);
                }
                Some(function) if function.read.is_none() => {
                    say(format!("the function '{name}' cannot be read"), "it can only be assigned".to_owned());
                }
                Some(_) => {}
            }
        }
        for name in step.calls().iter().filter_map(assigned) {
            match functions::find(&name) {
                None => {
                    say(format!("there is no function '{name}'"), suggestion(near(&name), "what is assigned is lost"));
                }
                Some(function) if function.write.is_none() => {
                    say(format!("the function '{name}' cannot be assigned"), "it can only be read".to_owned());
                }
                Some(_) => {}
            }
        }
        let inner = step.calls().into_iter().filter(|call| !call.is_outer);
        let unknown = inner.filter(|call| apps::find(&call.application).is_none());
        found.extend(unknown.filter_map(|call| unknown_application(&call.application, step.place)));
    }
    found
}

fn near(name: &str) -> Option<&'static str> {
    nearest(name, functions::TABLE.iter().map(|function| function.name))
}

/// The names of the functions in a text, the inner ones too.
fn read(text: &str, depth: usize) -> Vec<&str> {
    let mut names = Vec::new();
    if depth > MAX_DEPTH {
        return names;
    }
    for (is_name, inside) in references(text) {
        let call = function_call(inside).filter(|(name, ..)| is_name && !is_computed(name));
        names.extend(call.map(|(name, ..)| name));
        names.extend(read(inside, depth.saturating_add(1)));
    }
    names
}

/// The function that `Set(FUNCTION(args)=value)` assigns.
fn assigned(call: &Call) -> Option<String> {
    if !call.is("Set") {
        return None;
    }
    let (name, _) = call.args.split_once('=')?;
    let (function, _) = name.split_once('(')?;
    Some(function.trim().to_owned()).filter(|function| !is_computed(function))
}
