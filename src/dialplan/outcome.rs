//! How an application ends, and where it leads.

use super::arguments;
use super::request::{Cause, Position};
use super::scope::Scope;

/// Decides how an application ends from what can be looked up at once: variables, the dialplan, the clock, the database.
/// It gets the application's arguments.
pub type Decision = fn(&mut Scope<'_>, &str) -> Outcome;

/// How an application ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Continue with the next priority.
    Next,
    /// Assign these, then continue with the next priority.
    Set(Vec<(String, String)>),
    /// Jump there.
    Jump(Target),
    /// Call a subroutine there.
    Call(Target, Vec<String>),
    /// Call a subroutine there, then run this application as if it stood at this priority.
    CallThen(Target, Vec<String>, AppCall),
    /// Return from the last `Call`, with a value.
    Return(String),
    /// Run another application in place of this one.
    Exec(AppCall),
    /// Run another application in place of this one, and go on even when it wants to end the channel.
    Try(AppCall),
    /// As this decides; with these arguments.
    Decide(Decision, String),
    /// End the channel.
    Stop(Cause),
}

/// The target of a jump: what is `None` stays the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The context.
    pub context: Option<String>,
    /// The extension.
    pub exten: Option<String>,
    /// A number, `+n`, `-n` or a label.
    pub priority: String,
}

impl Target {
    /// That place and no other.
    pub fn at(position: &Position) -> Target {
        Target {
            context: Some(position.context.clone()),
            exten: Some(position.exten.clone()),
            priority: position.priority.to_string(),
        }
    }

    /// Context, extension and priority.
    pub(super) fn parts(&self) -> (Option<&str>, Option<&str>, &str) {
        (self.context.as_deref(), self.exten.as_deref(), &self.priority)
    }

    /// The first priority of an extension.
    pub fn to(context: &str, exten: &str) -> Target {
        Target { context: Some(context.to_owned()), exten: Some(exten.to_owned()), priority: "1".to_owned() }
    }

    /// Reads `[[context,]extension,]priority`; `None` when there is no priority.
    pub fn parse(text: &str) -> Option<Target> {
        let mut parts: Vec<String> = arguments::split(text).into_iter().map(|part| part.trim().to_owned()).collect();
        let priority = parts.pop().filter(|priority| !priority.is_empty())?;
        let exten = parts.pop().filter(|exten| !exten.is_empty());
        let context = parts.pop().filter(|context| !context.is_empty());
        Some(Target { context, exten, priority })
    }
}

impl Outcome {
    /// Reads `[[context,]extension,]priority[(arguments)]` as a call; `None` when there is no priority.
    pub fn call(text: &str) -> Option<Outcome> {
        let text = text.trim();
        let (place, args) = match text.split_once('(') {
            Some((place, args)) => (place, args.rfind(')').and_then(|end| args.get(..end)).unwrap_or(args)),
            None => (text, ""),
        };
        Some(Outcome::Call(Target::parse(place)?, arguments::split(args)))
    }
}

/// Another application to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCall {
    /// Its name.
    pub name: String,
    /// Its arguments, substituted.
    pub args: String,
}

impl AppCall {
    /// Reads `app(args)`; `None` when nothing stands there.
    pub fn parse(text: &str) -> Option<AppCall> {
        let text = text.trim();
        let (name, args) = text.split_once('(').unwrap_or((text, ""));
        let args = args.rfind(')').and_then(|end| args.get(..end)).unwrap_or(args);
        (!text.is_empty()).then(|| AppCall { name: name.trim().to_owned(), args: args.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_from_the_right() {
        let target = |text| Target::parse(text).map(|found| (found.context, found.exten, found.priority));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(target("3"), Some((None, None, "3".to_owned())));
        assert_eq!(target("s-${X},1"), Some((None, some("s-${X}"), "1".to_owned())));
        assert_eq!(target("ctx, 100 ,busy"), Some((some("ctx"), some("100"), "busy".to_owned())));
        assert_eq!(target(""), None);
    }

    #[test]
    fn a_calls_arguments_stand_in_the_last_parentheses() {
        let Some(Outcome::Call(target, args)) = Outcome::call("sub,s,1(a,b(c,d))") else { panic!("no call") };
        assert_eq!(target, Target::parse("sub,s,1").unwrap());
        assert_eq!(args, ["a", "b(c,d)"]);
        assert!(Outcome::call("").is_none());
    }
}
