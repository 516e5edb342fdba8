//! Where an application may lead a call, by its arguments as they are written.

use super::call::{Call, is_computed};
use crate::dialplan::app::{AppCall, Target};
use crate::dialplan::{DialOptions, arguments};

/// The applications that a line may run in place of its own: in `ExecIf` and its kin.
pub(super) fn inner(call: &Call) -> Vec<AppCall> {
    inner_texts(call).iter().filter_map(|text| AppCall::parse(text)).filter(|call| !is_computed(&call.name)).collect()
}

/// The same as they are written, `Application(arguments)`.
pub(super) fn inner_texts(call: &Call) -> Vec<String> {
    match call.application.to_ascii_lowercase().as_str() {
        "execif" => branches(&call.args),
        "execiftime" => behind_times(&call.args),
        "exec" | "tryexec" => vec![call.args.clone()],
        _ => Vec::new(),
    }
}

/// The places that a line may go to. One without a priority is a context alone, in which a caller may dial.
pub(super) fn of(call: &Call) -> Vec<Target> {
    let args = call.args.as_str();
    let places = |texts: Vec<String>| -> Vec<Target> {
        // The separators of old files are reported elsewhere.
        texts.iter().filter(|text| !text.contains('|')).filter_map(|text| Target::parse(text)).collect()
    };
    match call.application.to_ascii_lowercase().as_str() {
        "goto" => places(vec![args.to_owned()]),
        "gosub" => places(vec![place_of(args).to_owned()]),
        "gotoif" => places(branches(args)),
        "gosubif" => places(branches(args).iter().map(|place| place_of(place).to_owned()).collect()),
        "gotoiftime" => places(behind_times(args)),
        "random" => places(args.split_once(':').map(|(_, place)| place.to_owned()).into_iter().collect()),
        "macro" | "macroexclusive" => of_macro(args).into_iter().collect(),
        "macroif" => branches(args).iter().filter_map(|branch| of_macro(branch)).collect(),
        "dial" => of_letters(&nth(args, 2)),
        "retrydial" => of_letters(&nth(args, 5)),
        "background" => in_context(&nth(args, 3)),
        "readexten" => in_context(&nth(args, 2)),
        "disa" => in_context(&nth(args, 1)),
        "originate" if nth(args, 1).trim().eq_ignore_ascii_case("exten") => {
            let or = |text: String, usual: &str| if text.trim().is_empty() { usual.to_owned() } else { text };
            let (context, exten, priority) = (nth(args, 2), or(nth(args, 3), "s"), or(nth(args, 4), "1"));
            places(vec![format!("{context},{exten},{priority}")])
        }
        _ => Vec::new(),
    }
}

/// The argument of that number, as written.
fn nth(args: &str, number: usize) -> String {
    arguments::pieces(args, ',', number.saturating_add(2)).into_iter().nth(number).unwrap_or_default()
}

fn branches(args: &str) -> Vec<String> {
    let (_, yes, no) = arguments::condition(args);
    vec![yes, no]
}

/// What stands behind the `?`: times hold a `:`.
fn behind_times(args: &str) -> Vec<String> {
    let (_, rest) = args.split_once('?').unwrap_or((args, ""));
    arguments::pieces(rest, ':', 2)
}

fn of_macro(args: &str) -> Option<Target> {
    let name = nth(args, 0).trim().to_owned();
    // A file of Asterisk 1.2 has `|` between the arguments.
    let is_name = !name.is_empty() && !name.contains('|');
    is_name.then(|| Target::to(&format!("macro-{name}"), "s"))
}

fn in_context(name: &str) -> Vec<Target> {
    let name = name.trim();
    let context = (!name.is_empty()).then(|| Target { context: Some(name.to_owned()), ..Target::default() });
    context.into_iter().collect()
}

/// What the option letters of a `Dial` run, and where they send who is left.
fn of_letters(text: &str) -> Vec<Target> {
    // What a variable holds may be letters, or a part of a place.
    if is_computed(text) {
        return Vec::new();
    }
    let options = DialOptions::read(text);
    let programs = ['b', 'B'].into_iter().filter_map(|letter| options.gosub(letter));
    let programs = programs.chain(['M', 'U'].into_iter().filter_map(|letter| options.on_answer(letter)));
    let places =
        programs.map(|program| program.place).chain(['F', 'G'].into_iter().filter_map(|one| options.place(one)));
    places.filter_map(|place| Target::parse(&place)).collect()
}

/// What stands before the arguments of a subroutine or function, `(...)` outside of `${...}`.
pub(super) fn place_of(text: &str) -> &str {
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
