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

/// The cents of an amount, `12.5` or `12`; none: it is no amount.
pub fn cents(text: &str) -> Option<i64> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |whole| (-1, whole));
    let is_amount = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_amount(whole) || !is_amount(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Of what is less than a cent nothing is said.
    let part: i64 = format!("{part:0<2}").get(..2)?.parse().ok()?;
    whole.checked_mul(100)?.checked_add(part)?.checked_mul(sign)
}

#[cfg(test)]
mod tests;
