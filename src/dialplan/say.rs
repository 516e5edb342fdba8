//! What is said: numbers, dates, letters as names of sounds, in the words of a language. Pure tables: a value comes in, a
//! list of names goes out; whether a voice has those sounds is found out when they are played.
//!
//! A language is a file in `say/` and a row of [`TABLE`]. One that has none is said in English.

pub mod date;
mod en;
mod es;
mod fr;
pub mod language;
pub mod letters;

pub use language::{Day, Gender, Language, Words};

/// Every language there is, English first.
pub static TABLE: &[&Language] = &[&en::ENGLISH, &es::SPANISH, &fr::FRENCH];

/// The language called so: `es`, or `es_MX` without a table of its own. English for one that has none.
pub fn language(name: &str) -> &'static Language {
    let name = name.trim().to_ascii_lowercase();
    let general = name.split(['_', '-']).next().unwrap_or_default();
    let of = |code: &str| TABLE.iter().find(|language| language.code == code).copied();
    of(&name).or_else(|| of(general)).unwrap_or(&en::ENGLISH)
}

#[cfg(test)]
mod tests;
