//! An application as a line of the dialplan runs it.

/// An application as a line runs it, its arguments as written.
pub(super) struct Call {
    pub(super) application: String,
    pub(super) args: String,
    /// It is what the line itself runs, not what an `ExecIf` or its kin in it may.
    pub(super) is_outer: bool,
}

impl Call {
    pub(super) fn is(&self, application: &str) -> bool {
        self.application.eq_ignore_ascii_case(application)
    }
}

/// Whether a variable or expression decides what the text is.
pub(super) fn is_computed(text: &str) -> bool {
    text.contains("${") || text.contains("$[")
}
