//! Dates by a format: one letter for each part, names of sounds in single quotes.

use super::language::{Day, Language, Words};

/// A date by a format, or by the language's own when that is empty; the letters that mean nothing come with it.
pub fn date(language: &Language, day: &Day, format: &str) -> (Words, Vec<char>) {
    let mut said = Said { words: Words::new(), unknown: Vec::new() };
    let format = if format.trim().is_empty() { (language.format)(day) } else { format };
    said.all(language, day, format);
    (said.words, said.unknown)
}

struct Said {
    words: Words,
    unknown: Vec<char>,
}

impl Said {
    fn all(&mut self, language: &Language, day: &Day, format: &str) {
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\'' => {
                    let name: String = letters.by_ref().take_while(|letter| *letter != '\'').collect();
                    if !name.is_empty() {
                        self.words.push(name);
                    }
                }
                ' ' | '\t' => {}
                'R' => self.all(language, day, "HM"),
                'T' => self.all(language, day, "HMS"),
                'Q' => self.relative(language, day, false),
                'q' => self.relative(language, day, true),
                other => match (language.part)(other, day) {
                    Some(words) => self.words.extend(words),
                    None => self.unknown.push(other),
                },
            }
        }
    }

    /// Today, tomorrow, yesterday, or the date. `short`: nothing for today, and the weekday for the days before.
    fn relative(&mut self, language: &Language, day: &Day, short: bool) {
        let name = match day.days_ago {
            0 if short => return,
            0 => "today",
            1 => "yesterday",
            -1 => "tomorrow",
            2..=6 if short => return self.all(language, day, "A"),
            _ => return self.all(language, day, "ABdY"),
        };
        self.words.push(format!("digits/{name}"));
    }
}
