//! `$[...]`: expressions over texts and numbers.

mod lexer;
mod parser;
mod value;

/// The value of an expression, written without its `$[` and `]`; empty text is empty. What is computed from something
/// that is no number is 0, and goes to `complaints`.
///
/// # Errors
/// What makes no sense, in plain words.
pub fn evaluate(text: &str, complaints: &mut Vec<String>) -> Result<String, String> {
    let tokens = lexer::tokens(text)?;
    if tokens.is_empty() {
        return Ok(String::new());
    }
    parser::evaluate(&tokens, complaints)
}

#[cfg(test)]
mod tests;
