//! Other people's parsers as a second opinion: what they accept rightly, strowger accepts with the same meaning.
//!
//! Run with `cargo test` in this directory. The package is not part of the program's tree, so that the program does
//! not depend on what it is checked against.

pub mod corpus;
