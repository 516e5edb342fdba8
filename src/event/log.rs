//! One line of the log, with its level.

/// One line for the log and the console. Texts from outside stand in it as [`crate::wording::outside()`] has them; whoever
/// prints it takes from it what controls a terminal or ends a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Who should see it.
    pub level: Level,
    /// The line.
    pub text: String,
}

impl LogLine {
    /// A line of the story of calls, shown at this console verbosity (1 to 4) and above.
    pub fn verbose(level: u8, text: impl Into<String>) -> LogLine {
        LogLine { level: Level::Verbose(level), text: text.into() }
    }

    /// Something worth knowing.
    pub fn notice(text: impl Into<String>) -> LogLine {
        LogLine { level: Level::Notice, text: text.into() }
    }

    /// Something worth acting on.
    pub fn warning(text: impl Into<String>) -> LogLine {
        LogLine { level: Level::Warning, text: text.into() }
    }
}

/// Who should see a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The story of calls, shown from this console verbosity on.
    Verbose(u8),
    /// Worth knowing.
    Notice,
    /// Worth acting on.
    Warning,
    /// Something does not work.
    Error,
    /// A proven refusal, in the shape log watchers match.
    Security,
    /// A SIP message as `sip set debug` shows it: the one text of many lines.
    Message,
}
