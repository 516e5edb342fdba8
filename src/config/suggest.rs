//! The nearest known name to a misspelt one.

pub use crate::wording::{KnownNames, nearest};
