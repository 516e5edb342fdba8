//! Regular expressions that a user typed (`like REGEX`).

/// Compiles what the user typed as a regular expression, or says what is wrong with it.
pub(super) fn regex(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|_| {
        format!("'{pattern}' is not a regular expression. To search for plain text, leave out ()[]{{}}*+?|^$\\ and the like.\n")
    })
}
