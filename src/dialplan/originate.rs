//! A call that the exchange begins: what `Originate`, call files and consoles ask for, and how it went.

pub use super::request::{Goal, OriginateRequest, OriginateStatus};

/// `"Name" <number>`, `Name <number>` or a number alone.
pub fn name_and_number(text: &str) -> (String, String) {
    match text.rsplit_once('<') {
        Some((name, rest)) => {
            let number = rest.split('>').next().unwrap_or_default().trim();
            (name.trim().trim_matches('"').to_owned(), number.to_owned())
        }
        None => (String::new(), text.trim().trim_matches('"').to_owned()),
    }
}
