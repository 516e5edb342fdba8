//! What a running program sees when it looks up a name: its own variables and its environment's.

use super::environment::Environment;
use super::journal::Journal;
use super::outside::{OutsideReply, OutsideRequest};
use super::state::State;
use super::timing::Timing;

/// What a running program sees: its own variables and its environment's.
pub struct Scope<'a> {
    pub(super) state: &'a mut State,
    pub(super) environment: &'a dyn Environment,
    /// Replaces `${...}` and `$[...]` in a text, for what evaluates one of its own.
    pub(super) expand: fn(&str, &mut Scope<'_>) -> String,
    /// What the names of the text gave so far, where an answer from outside can be waited for.
    pub(super) journal: Option<&'a mut Journal>,
}

impl Scope<'_> {
    /// The answer from outside to a function. `None`: there is none yet; whatever the function gives now is not used,
    /// and it is called again when the answer is there. A function asks once at most.
    pub(super) fn outside(&mut self, request: OutsideRequest) -> Option<OutsideReply> {
        match &mut self.journal {
            Some(journal) => journal.ask(request),
            None => Some(OutsideReply::Refused("nothing can be waited for here".to_owned())),
        }
    }

    /// Built-in names, then the channel's variables, then the global ones.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let here = &self.state.position;
        let caller = Some(self.state.caller.number.as_str());
        match name {
            "EXTEN" => Some(here.exten.clone()),
            "CONTEXT" => Some(here.context.clone()),
            "PRIORITY" => Some(here.priority.to_string()),
            "CHANNEL" => Some(self.state.name.clone()),
            "UNIQUEID" => self.environment.channel("uniqueid"),
            "LINKEDID" => self.environment.channel("linkedid"),
            "HANGUPCAUSE" => Some(self.state.cause.0.to_string()),
            "EPOCH" => Some(self.environment.now().wall.0.div_euclid(1000).to_string()),
            "HINT" => {
                let dialplan = self.environment.dialplan();
                let hint = dialplan.hint(&here.context, &here.exten, self.environment.now().wall);
                hint.map(|found| found.priority.application.clone())
            }
            "CALLINGPRES" => Some(self.state.caller.presentation.number().to_string()),
            "CALLERIDNUM" => caller.map(str::to_owned),
            _ => self.state.variable(name).or_else(|| self.environment.globals().get(name)),
        }
    }

    /// Whether the times before the `?` hold now, and what stands behind it. What is odd is logged, `who` first.
    pub(super) fn holds_now(&mut self, who: &str, args: &str) -> (bool, String) {
        let (times, rest) = args.split_once('?').unwrap_or((args, ""));
        let (timing, odd) = Timing::read(times, self.environment.dialplan().zones());
        for what in odd {
            self.warn(&format!("{who}: {what}"));
        }
        (timing.holds(self.environment.now().wall), rest.to_owned())
    }

    /// Logs a warning with the position.
    pub(super) fn warn(&mut self, text: &str) {
        let place = self.state.position.to_string();
        self.state.warn(format!("{text} (at {place})"));
    }
}
