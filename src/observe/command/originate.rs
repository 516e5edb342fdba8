//! `channel originate`: a call that the exchange begins.

use super::reply::Reply;
use crate::observe::control_api::{ConsoleOrder, ControlApi, Manual, OriginateGoal};
use crate::observe::escape::line;

/// As in Asterisk, for an extension without one.
const USUAL_CONTEXT: &str = "default";

pub(super) fn originate(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [target, kind, rest @ ..] = arguments else { return Reply::Usage };
    let goal = match (kind.to_ascii_lowercase().as_str(), rest) {
        ("application", [name, data @ ..]) => {
            if !exchange.manual(Manual::Applications).iter().any(|page| page.name.eq_ignore_ascii_case(name)) {
                return Reply::Failed(format!("There is no application '{}'.\n", line(name)));
            }
            OriginateGoal::Application(name.clone(), data.join(" "))
        }
        ("extension", []) => OriginateGoal::Extension("s".to_owned(), USUAL_CONTEXT.to_owned()),
        ("extension", [place]) => {
            let (exten, context) = place.split_once('@').unwrap_or((place, USUAL_CONTEXT));
            let or = |text: &str, usual: &str| if text.is_empty() { usual.to_owned() } else { text.to_owned() };
            let (exten, context) = (or(exten, "s"), or(context, USUAL_CONTEXT));
            if !exchange.contexts().contains(&context) {
                return Reply::Failed(format!("There is no existence of '{}' context\n", line(&context)));
            }
            OriginateGoal::Extension(exten, context)
        }
        _ => return Reply::Usage,
    };
    match exchange.order(ConsoleOrder::Originate { target: target.clone(), goal }) {
        Ok(()) => Reply::Done(String::new()),
        Err(why) => Reply::Failed(format!("{why}\n")),
    }
}
