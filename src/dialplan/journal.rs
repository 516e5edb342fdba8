//! The journal of an evaluation: what every name in a text gave so far. When a function needs an answer from outside, the
//! evaluation is given up, and done again when the answer is there; what was read or done before is then taken from here
//! and neither read nor done twice.

use super::outside::{OutsideReply, OutsideRequest};

/// The most steps of one evaluation; a text has fewer.
const MAX_STEPS: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Journal {
    steps: Vec<Step>,
    /// The step that is next.
    at: usize,
    wanted: Option<OutsideRequest>,
    answer: Option<OutsideReply>,
    /// What is to be said when the evaluation has come to its end.
    unsaid: Vec<String>,
}

/// One name that was looked up, and those that were looked up meanwhile.
#[derive(Debug)]
struct Step {
    /// None: it was not finished, because something in it waits.
    value: Option<Result<String, String>>,
    /// How many steps it is with those within it.
    span: usize,
}

/// A step under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun(usize);

impl Journal {
    /// Before each evaluation of the same text.
    pub fn rewind(&mut self) {
        self.at = 0;
        self.unsaid.clear();
    }

    /// What the evaluation waits for, when it was given up.
    pub fn take_wanted(&mut self) -> Option<OutsideRequest> {
        self.wanted.take()
    }

    /// What came of that.
    pub fn put_answer(&mut self, answer: OutsideReply) {
        self.answer = Some(answer);
    }

    /// What is to be said once the evaluation is done.
    pub fn take_unsaid(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unsaid)
    }

    /// Is the evaluation given up: is nothing to be read or done any more?
    pub(super) fn is_given_up(&self) -> bool {
        self.wanted.is_some()
    }

    /// Says something of the text, at the end.
    pub(super) fn say(&mut self, text: String) {
        if !self.is_given_up() && self.unsaid.len() < MAX_STEPS {
            self.unsaid.push(text);
        }
    }

    /// What the next step gave before, or the step to be done now.
    pub(super) fn begin(&mut self) -> Result<Result<String, String>, Begun> {
        if self.is_given_up() {
            return Ok(Ok(String::new()));
        }
        match self.steps.get(self.at) {
            Some(Step { value: Some(value), span }) => {
                self.at = self.at.saturating_add(*span);
                return Ok(value.clone());
            }
            Some(Step { value: None, .. }) => {}
            None if self.steps.len() >= MAX_STEPS => return Ok(Err("the text has too many names".to_owned())),
            None => self.steps.push(Step { value: None, span: 1 }),
        }
        let begun = Begun(self.at);
        self.at = self.at.saturating_add(1);
        Err(begun)
    }

    /// What a step gave, unless it has to be done again.
    pub(super) fn end(&mut self, begun: Begun, value: &Result<String, String>) {
        let span = self.at.saturating_sub(begun.0);
        if let (false, Some(step)) = (self.is_given_up(), self.steps.get_mut(begun.0)) {
            *step = Step { value: Some(value.clone()), span };
        }
    }

    /// The answer from outside; none: the evaluation is given up until there is one.
    pub(super) fn ask(&mut self, request: OutsideRequest) -> Option<OutsideReply> {
        if self.answer.is_none() && self.wanted.is_none() {
            self.wanted = Some(request);
        }
        self.answer.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::outside::Command;

    fn shell(text: &str) -> OutsideRequest {
        OutsideRequest::Command(Command { text: text.to_owned(), wants_output: true })
    }

    fn step(journal: &mut Journal, done: &mut Vec<String>, name: &str, inner: &mut dyn FnMut(&mut Journal)) -> String {
        let begun = match journal.begin() {
            Ok(value) => return value.unwrap_or_else(|why| why),
            Err(begun) => begun,
        };
        done.push(name.to_owned());
        inner(journal);
        let value = format!("{name}{}", done.len());
        journal.end(begun, &Ok(value.clone()));
        value
    }

    #[test]
    fn what_was_done_is_not_done_again_however_deep_the_waiting_stands() {
        let (mut journal, mut done) = (Journal::default(), Vec::new());
        let mut asked = Vec::new();
        let mut values = Vec::new();
        for answer in [None, Some("one"), Some("two")] {
            if let Some(text) = answer {
                journal.put_answer(OutsideReply::Fetched(Ok(text.to_owned())));
            }
            journal.rewind();
            journal.say("said at the end only".to_owned());
            values.clear();
            values.push(step(&mut journal, &mut done, "inc", &mut |_| {}));
            // An outer function that evaluates a text, in which something waits.
            let mut inner_done = Vec::new();
            values.push(step(&mut journal, &mut done, "eval", &mut |journal| {
                step(journal, &mut inner_done, "shift", &mut |_| {});
                step(journal, &mut Vec::new(), "shell", &mut |journal| {
                    asked.push(journal.ask(shell("a")).is_some());
                });
            }));
            values.push(step(&mut journal, &mut done, "shell", &mut |journal| {
                asked.push(journal.ask(shell("b")).is_some());
            }));
            values.push(step(&mut journal, &mut done, "last", &mut |_| {}));
            let is_last = answer == Some("two");
            assert_eq!(journal.take_wanted().is_none(), is_last);
        }
        assert_eq!(asked, [false, true, false, true], "each is asked for once, and has its answer once");
        assert_eq!(done, ["inc", "eval", "eval", "shell", "shell", "last"]);
        assert_eq!(values.first().map(String::as_str), Some("inc1"));
        assert_eq!(journal.take_unsaid(), ["said at the end only"]);
    }
}
