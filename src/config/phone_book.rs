//! The phone book: `phonebook.csv` or `phonebook.toml` beside sip.conf. Telephones show it, and whatever else needs a name for
//! a number looks here.

use super::diagnostic::{Diagnostic, Place};
use serde::Deserialize;

/// The file as text with commas.
pub const PHONE_BOOK_CSV: &str = "phonebook.csv";
/// The file as TOML.
pub const PHONE_BOOK_TOML: &str = "phonebook.toml";
/// The most entries; more are left out, and it is said.
pub const MAX_ENTRIES: usize = 10_000;
/// The longest name, in letters; the rest is cut off.
const MAX_NAME: usize = 64;

/// Names and their numbers, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhoneBook(Vec<PhoneBookEntry>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneBookEntry {
    /// Who it is.
    pub name: String,
    /// The number as a telephone dials it: digits, `*`, `#`, `+`.
    pub number: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct TomlBook {
    entry: Vec<PhoneBookEntry>,
}

impl PhoneBook {
    /// Every entry, by name.
    pub fn entries(&self) -> &[PhoneBookEntry] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads both files; empty texts stand for files that are not there.
pub fn parse(csv: &[u8], toml: &[u8]) -> (PhoneBook, Vec<Diagnostic>) {
    let mut said = Vec::new();
    let mut entries = read_csv(&String::from_utf8_lossy(csv), &mut said);
    entries.extend(read_toml(&String::from_utf8_lossy(toml), &mut said));
    if entries.len() > MAX_ENTRIES {
        let place = Place { file: PHONE_BOOK_CSV.into(), line: 0 };
        let say = format!("the phone book has more than {MAX_ENTRIES} entries: those behind are left out");
        said.push(Diagnostic::warning(place, say).hint("take out what nobody calls"));
        entries.truncate(MAX_ENTRIES);
    }
    entries.sort_by_key(|entry| entry.name.to_lowercase());
    (PhoneBook(entries), said)
}

/// `name,number`, one a line, `;` instead of `,` as well; a line that begins with `#` and a first line `name,number` are
/// passed over. A field in double quotes may have either (RFC 4180).
fn read_csv(text: &str, said: &mut Vec<Diagnostic>) -> Vec<PhoneBookEntry> {
    let mut entries = Vec::new();
    for (number, line) in (1_u32..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields = fields(line);
        let [name, called, ..] = fields.as_slice() else {
            warn(said, PHONE_BOOK_CSV, number, "the line has no comma: it is ignored", "write NAME,NUMBER");
            continue;
        };
        if number == 1 && name.eq_ignore_ascii_case("name") {
            continue;
        }
        match entry(name, called) {
            Some(entry) => entries.push(entry),
            None => {
                let say = format!("'{called}' is no number that can be dialled: the line is ignored");
                warn(said, PHONE_BOOK_CSV, number, &say, "write NAME,NUMBER with digits, *, # or + in the number");
            }
        }
    }
    entries
}

fn read_toml(text: &str, said: &mut Vec<Diagnostic>) -> Vec<PhoneBookEntry> {
    let book: TomlBook = match toml::from_str(text) {
        Ok(book) => book,
        Err(error) => {
            let at = error.span().map_or(0, |span| text.get(..span.start).unwrap_or(text).matches('\n').count());
            let line = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
            let say = format!("{}: the file is ignored", error.message().replace('`', "'").replace('\n', ", "));
            warn(said, PHONE_BOOK_TOML, line, &say, "write [[entry]] with name = \"...\" and number = \"...\"");
            return Vec::new();
        }
    };
    let read = book.entry.iter().map(|one| (one, entry(&one.name, &one.number)));
    let mut entries = Vec::new();
    for (written, read) in read {
        match read {
            Some(entry) => entries.push(entry),
            None => {
                let say = format!("'{}' is no number that can be dialled: it is left out", written.number);
                warn(said, PHONE_BOOK_TOML, 0, &say, "write digits, *, # or +");
            }
        }
    }
    entries
}

fn warn(said: &mut Vec<Diagnostic>, file: &str, line: u32, say: &str, hint: &str) {
    said.push(Diagnostic::warning(Place { file: file.into(), line }, say).hint(hint));
}

/// An entry without what telephones cannot show or dial.
fn entry(name: &str, number: &str) -> Option<PhoneBookEntry> {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let number: String = number.chars().filter(|c| !"-(). /".contains(*c)).collect();
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || "*#+".contains(c));
    let name = name.trim().to_owned();
    (is_number && !name.is_empty()).then_some(PhoneBookEntry { name, number })
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let (mut quoted, mut letters) = (false, line.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                fields.last_mut().into_iter().for_each(|field| field.push('"'));
            }
            '"' => quoted = !quoted,
            ',' | ';' if !quoted => fields.push(String::new()),
            letter => fields.last_mut().into_iter().for_each(|field| field.push(letter)),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_are_read() {
        let csv = "name,number\n# friends\n\"Doe, \"\"Jo\"\"\",+49 (30) 123-45\nann;201\n";
        let toml = "[[entry]]\nname = 'Bo'\nnumber = '*60'\n";
        let (book, said) = parse(csv.as_bytes(), toml.as_bytes());
        let shown: Vec<(&str, &str)> =
            book.entries().iter().map(|one| (one.name.as_str(), one.number.as_str())).collect();
        assert_eq!((shown, said), (vec![("ann", "201"), ("Bo", "*60"), ("Doe, \"Jo\"", "+493012345")], Vec::new()));
    }

    #[test]
    fn what_is_no_entry_is_said() {
        let (book, said) = parse(b"ann\nbo,bo\n,201\n", b"[[entry]]\nnam = 'x'\n");
        assert!(book.is_empty());
        let said: Vec<String> = said.iter().map(|one| format!("{}: {}", one.place, one.message)).collect();
        assert_eq!(
            said,
            [
                "phonebook.csv:1: the line has no comma: it is ignored",
                "phonebook.csv:2: 'bo' is no number that can be dialled: the line is ignored",
                "phonebook.csv:3: '201' is no number that can be dialled: the line is ignored",
                "phonebook.toml:2: unknown field 'nam', expected 'name' or 'number': the file is ignored",
            ]
        );
    }
}
