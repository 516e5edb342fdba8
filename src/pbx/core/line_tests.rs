//! The latest tests of lines, for the console.

use crate::event::CallEvent;
use crate::linetest::report::Report;
use std::collections::VecDeque;

/// Tests that are kept: the older ones are in the log.
const MAX_TESTS: usize = 20;

/// See the module.
#[derive(Debug, Default)]
pub struct LineTests(VecDeque<Report>);

impl LineTests {
    /// Keeps the test of which an event tells, if it does.
    pub fn keep(&mut self, event: &CallEvent) {
        if let CallEvent::LineTested(report) = event {
            self.0.push_front(report.as_ref().clone());
            self.0.truncate(MAX_TESTS);
        }
    }

    /// The latest first.
    pub fn iter(&self) -> impl Iterator<Item = &Report> {
        self.0.iter()
    }
}
