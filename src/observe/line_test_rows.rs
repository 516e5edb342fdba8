//! What the console is told of tests of lines.

/// A test of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineTestRow {
    /// The channel it was on.
    pub channel: String,
    /// When it began, `2026-11-30 03:12:00 UTC`.
    pub at: String,
    /// What was found, in lines.
    pub lines: Vec<String>,
    /// The same as a JSON object.
    pub json: String,
}
