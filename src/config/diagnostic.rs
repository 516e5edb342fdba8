//! What is wrong with a configuration: what, where and what to do next.

use std::sync::Arc;

/// Where a value stands: file and line, so that everything said of it can name the place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the user knows it (`sip.conf`, or a path for an included file).
    pub file: Arc<str>,
    /// The line, from 1; 0 when the file as a whole is meant.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 { write!(f, "{}", self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

/// How much a diagnostic weighs (`decisions.md` 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Loaded all the same, and ignored: an unknown option, a feature the exchange lacks.
    Warning,
    /// The peer or line is left out; the rest loads.
    Error,
    /// The whole file is unusable: the exchange does not start, a reload keeps the old configuration.
    Fatal,
}

/// One thing said about a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do next, when there is something to say.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Something that is ignored.
    pub fn warning(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, place, message: message.into(), hint: None }
    }

    /// Something that leaves out a peer or a line.
    pub fn error(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, place, message: message.into(), hint: None }
    }

    /// Something that makes the whole file unusable.
    pub fn fatal(place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Fatal, place, message: message.into(), hint: None }
    }

    /// The same with what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }
}
