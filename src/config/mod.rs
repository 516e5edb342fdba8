//! Configuration: Asterisk's file dialect read with the file and line of every value, into typed settings.

pub mod diagnostic;
pub mod ini;
