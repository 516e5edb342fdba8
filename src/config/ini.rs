//! Asterisk's configuration file dialect: sections, `name = value`, `name => value`, comments, templates.
//!
//! Where Asterisk stops at the first error, this reader goes on and reports them all at once.

mod comment;

#[cfg(test)]
mod tests;

use super::diagnostic::{Diagnostic, Place};
use comment::Comments;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longer lines are left out, as Asterisk's buffer has it.
const MAX_LINE: usize = 8191;
/// How deep files may include files.
const MAX_INCLUDE_DEPTH: usize = 10;
/// Files that may be included in all: a file that includes a pattern which matches itself multiplies.
const MAX_INCLUDED_FILES: usize = 1000;
/// Entries in all, inherited ones counted: templates that inherit twice from each other multiply too. Enough for
/// 100,000 telephones with ten options each.
const MAX_ENTRIES: usize = 1_000_000;

/// A file as read: its sections in order. Templates are resolved and left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The sections in file order; two of the same name stay two.
    pub sections: Vec<Section>,
}

impl Document {
    /// The first section of this name, compared without case: what counts for `[general]`.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name.eq_ignore_ascii_case(name))
    }
}

/// One `[name]` with its entries, inherited ones first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The name between the brackets, as written.
    pub name: String,
    /// Where the section begins.
    pub place: Place,
    /// Its entries in order.
    pub entries: Vec<Entry>,
}

/// One `name = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as written; compare it without case, except in `[globals]`.
    pub name: String,
    /// The value, blanks around it stripped, comments removed, `\;` unescaped.
    pub value: String,
    /// Where it stands.
    pub place: Place,
}

impl Entry {
    /// Whether this is the entry `name`, compared without case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// What a `#include` or `#tryinclude` asks for.
#[derive(Debug, Clone, Copy)]
pub struct IncludeRequest<'a> {
    /// The file or glob pattern as written, without quotes; a relative one counts from the configuration directory.
    pub pattern: &'a str,
    /// Where it is asked.
    pub place: &'a Place,
    /// `#tryinclude`: nothing is said when nothing matches.
    pub optional: bool,
}

/// One file that a `#include` found.
#[derive(Debug, Clone)]
pub struct IncludedFile {
    /// Its name, for diagnostics.
    pub name: String,
    /// Its bytes.
    pub text: Vec<u8>,
}

/// Answers an include request with the files found, in order: none when nothing matches, `Err` with the reason
/// when something is there but cannot be read.
pub type Includer<'a> = dyn FnMut(IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String> + 'a;

/// An includer for text that includes nothing: everything asked for does not exist.
pub fn no_includes(_: IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String> {
    Ok(Vec::new())
}

/// Reads a file. `file` names it in diagnostics. The document holds what could be read even when a diagnostic is
/// `Severity::Fatal`, so that more can be said of it; it must not be used then.
pub fn parse(file: &str, text: &[u8], include: &mut Includer<'_>) -> (Document, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    reader.file(file, text, include, 0);
    reader.finish()
}

/// A section while it is read.
struct Draft {
    section: Section,
    /// `(!)`: applications never see it.
    is_template: bool,
    /// Its header was wrong: it is left out, so that nothing more is said of what follows from that.
    is_broken: bool,
}

/// An inheritance that failed: a section of that name may still come, which the hint then says.
struct Unresolved {
    name: String,
    diagnostic: usize,
}

#[derive(Default)]
struct Reader {
    drafts: Vec<Draft>,
    /// Where in `drafts` the sections of a name are, by that in lower case.
    named: BTreeMap<String, Vec<usize>>,
    /// The section that entries go to: an index into `drafts`.
    current: Option<usize>,
    diagnostics: Vec<Diagnostic>,
    unresolved: Vec<Unresolved>,
    entries: usize,
    included_files: usize,
    said_no_section: bool,
    said_too_many: bool,
}

impl Reader {
    fn file(&mut self, name: &str, text: &[u8], include: &mut Includer<'_>, depth: usize) {
        let file: Arc<str> = name.into();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut comments = Comments::default();
        for (number, line) in (1u32..).zip(text.split(|byte| *byte == b'\n')) {
            let place = Place { file: file.clone(), line: number };
            if line.len() > MAX_LINE {
                let say = format!("the line is longer than {MAX_LINE} bytes and is left out");
                self.diagnostics.push(Diagnostic::error(place, say).hint("split it into several lines"));
                continue;
            }
            let line = comments.strip(&decode(line), number);
            self.line(line.trim(), place, include, depth);
        }
        if let Some(line) = comments.unterminated() {
            let place = Place { file, line };
            let say = "the block comment that begins here with ';--' never ends: the rest of the file is not read";
            self.diagnostics.push(Diagnostic::warning(place, say).hint("end it with '--;'"));
        }
    }

    fn line(&mut self, line: &str, place: Place, include: &mut Includer<'_>, depth: usize) {
        if line.is_empty() {
        } else if let Some(header) = line.strip_prefix('[') {
            self.header(header, place);
        } else if let Some(directive) = line.strip_prefix('#') {
            self.directive(directive, place, include, depth);
        } else {
            self.entry(line.strip_prefix('\\').unwrap_or(line), place);
        }
    }

    fn header(&mut self, text: &str, place: Place) {
        let section = |name: &str| Section { name: name.into(), place: place.clone(), entries: Vec::new() };
        let Some((name, rest)) = text.split_once(']') else {
            let say = format!("the section '[{text}' has no closing ']'");
            self.diagnostics.push(Diagnostic::fatal(place.clone(), say).hint(format!("write [{text}]")));
            return self.open(Draft { section: section(text), is_template: false, is_broken: true });
        };
        let mut draft = Draft { section: section(name), is_template: false, is_broken: false };
        let Some(options) = rest.strip_prefix('(') else {
            self.ignored_behind_header(name, rest, &place);
            return self.open(draft);
        };
        let Some((options, _)) = options.split_once(')') else {
            let say = format!("the parenthesis in '[{name}]{rest}' is not closed");
            self.diagnostics.push(Diagnostic::fatal(place, say).hint("add the missing ')'"));
            draft.is_broken = true;
            return self.open(draft);
        };
        self.header_options(draft, options, &place);
    }

    fn ignored_behind_header(&mut self, name: &str, rest: &str, place: &Place) {
        let rest = rest.trim();
        if !rest.is_empty() {
            let say = format!("'{rest}' behind '[{name}]' is ignored");
            let diagnostic = Diagnostic::warning(place.clone(), say);
            self.diagnostics.push(if rest.starts_with('(') {
                diagnostic.hint(format!("write it without a blank: [{name}]{rest}"))
            } else {
                diagnostic.hint("put it on a line of its own, or behind a ';' if it is a comment")
            });
        }
    }

    fn header_options(&mut self, draft: Draft, options: &str, place: &Place) {
        let name = draft.section.name.clone();
        let mut options: Vec<&str> = options.split(',').collect();
        let appended = options.iter().position(|option| option.starts_with('+')).map(|at| options.remove(at));
        if let Some(option) = appended {
            match self.find_filtered(&name, option.strip_prefix('+').unwrap_or("")) {
                Some(index) => self.current = Some(index),
                None => {
                    let say = format!("'[{name}]({option})' adds to a section that does not exist");
                    let hint = format!("begin '[{name}]' earlier in the file, or drop the '({option})'");
                    self.diagnostics.push(Diagnostic::fatal(place.clone(), say).hint(hint));
                    self.open(Draft { is_broken: true, ..draft });
                }
            }
        } else {
            self.open(draft);
        }
        for option in options {
            if option == "!" {
                if let Some(draft) = self.current_draft() {
                    draft.is_template = true;
                }
            } else {
                self.inherit(option, &name, place);
            }
        }
    }

    /// Copies the entries of the section `from` into the current one.
    fn inherit(&mut self, from: &str, name: &str, place: &Place) {
        if let Some(index) = self.find(from) {
            let entries = self.drafts.get(index).map(|draft| draft.section.entries.clone()).unwrap_or_default();
            for entry in entries {
                if !self.push(entry) {
                    break;
                }
            }
            return;
        }
        if let Some(draft) = self.current_draft() {
            draft.is_broken = true;
        }
        let say = format!("'{from}', which '[{name}]' inherits from, does not exist");
        let diagnostic = Diagnostic::fatal(place.clone(), say);
        self.diagnostics.push(if from.trim() != from {
            diagnostic.hint("blanks inside the parentheses are part of the name: leave them out")
        } else {
            self.unresolved.push(Unresolved { name: from.into(), diagnostic: self.diagnostics.len() });
            diagnostic.hint(format!("define '[{from}](!)' earlier in the file, or correct the name"))
        });
    }

    fn directive(&mut self, text: &str, place: Place, include: &mut Includer<'_>, depth: usize) {
        let (name, argument) = text.split_once(|c: char| c.is_whitespace()).unwrap_or((text, ""));
        let argument = unquote(argument.trim());
        let optional = name.eq_ignore_ascii_case("tryinclude");
        if name.eq_ignore_ascii_case("exec") {
            let say = "'#exec' is not supported: no program is run, the line is ignored";
            let hint = "run the program yourself and '#include' what it writes";
            self.diagnostics.push(Diagnostic::warning(place, say).hint(hint));
        } else if !optional && !name.eq_ignore_ascii_case("include") {
            let say = format!("unknown directive '#{name}' is ignored");
            let hint = "'#include' and '#tryinclude' are known; a comment begins with ';'";
            self.diagnostics.push(Diagnostic::warning(place, say).hint(hint));
        } else if argument.is_empty() {
            let say = format!("'#{name}' names no file and is ignored");
            self.diagnostics.push(Diagnostic::warning(place, say).hint("write the file's name behind it"));
        } else {
            self.include(IncludeRequest { pattern: argument, place: &place, optional }, include, depth);
        }
    }

    fn include(&mut self, request: IncludeRequest<'_>, include: &mut Includer<'_>, depth: usize) {
        let (pattern, place) = (request.pattern, request.place);
        if depth >= MAX_INCLUDE_DEPTH {
            let say = format!("'{pattern}' is included {MAX_INCLUDE_DEPTH} files deep: no file may go deeper");
            let hint = "a file probably includes itself";
            return self.diagnostics.push(Diagnostic::fatal(place.clone(), say).hint(hint));
        }
        match include(request) {
            Err(why) => {
                let say = format!("the file '{pattern}' cannot be included: {why}");
                self.diagnostics.push(if request.optional {
                    Diagnostic::warning(place.clone(), say)
                } else {
                    Diagnostic::fatal(place.clone(), say).hint("make it readable, or take the line out")
                });
            }
            Ok(files) if files.is_empty() => {
                if !request.optional {
                    let say = format!("the file '{pattern}' is included but does not exist");
                    let hint = "make the file, correct the name, or use '#tryinclude' if it may be missing";
                    self.diagnostics.push(Diagnostic::fatal(place.clone(), say).hint(hint));
                }
            }
            Ok(files) => {
                for file in files {
                    self.included_files = self.included_files.saturating_add(1);
                    if self.included_files <= MAX_INCLUDED_FILES {
                        self.file(&file.name, &file.text, include, depth.saturating_add(1));
                    } else {
                        self.too_many(place.clone(), format!("more than {MAX_INCLUDED_FILES} files are included"));
                    }
                }
            }
        }
    }

    fn entry(&mut self, line: &str, place: Place) {
        if self.current.is_none() {
            if !std::mem::replace(&mut self.said_no_section, true) {
                let name = line.split(['=', '+', ' ', '\t']).next().unwrap_or("");
                let say = format!("'{name}' stands before the first [section]");
                self.diagnostics.push(Diagnostic::fatal(place, say).hint("put a line like '[general]' above it"));
            }
            return;
        }
        let Some((name, value)) = line.split_once('=') else {
            let say = "there is no '=' in this line: it is ignored";
            let hint = "write 'name = value'; a comment begins with ';'";
            return self.diagnostics.push(Diagnostic::warning(place, say).hint(hint));
        };
        let (name, is_appended) = match name.strip_suffix('+') {
            Some(name) => (name.trim(), true),
            None => (name.trim(), false),
        };
        let value = value.strip_prefix('>').unwrap_or(value).trim();
        if name.is_empty() {
            let say = "there is no name before the '=': the line is ignored";
            return self.diagnostics.push(Diagnostic::warning(place, say).hint("write 'name = value'"));
        }
        if is_appended
            && let Some(draft) = self.current_draft()
            && let Some(entry) = draft.section.entries.iter_mut().rev().find(|entry| entry.name == name)
        {
            return entry.value.push_str(value);
        }
        self.push(Entry { name: name.into(), value: value.into(), place });
    }

    fn open(&mut self, draft: Draft) {
        let index = self.drafts.len();
        self.current = Some(index);
        self.named.entry(draft.section.name.to_ascii_lowercase()).or_default().push(index);
        self.drafts.push(draft);
    }

    fn current_draft(&mut self) -> Option<&mut Draft> {
        self.drafts.get_mut(self.current?)
    }

    /// Adds to the current section; false when the file as a whole has become too large.
    fn push(&mut self, entry: Entry) -> bool {
        self.entries = self.entries.saturating_add(1);
        if self.entries > MAX_ENTRIES {
            self.too_many(entry.place, format!("more than {MAX_ENTRIES} lines, inherited ones counted"));
            return false;
        }
        if let Some(draft) = self.current_draft() {
            draft.section.entries.push(entry);
        }
        true
    }

    fn too_many(&mut self, place: Place, say: String) {
        if !std::mem::replace(&mut self.said_too_many, true) {
            let hint = "look for a file that includes itself, or templates that inherit from each other many times";
            self.diagnostics.push(Diagnostic::fatal(place, say).hint(hint));
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.named.get(&name.to_ascii_lowercase())?.first().copied()
    }

    /// The section `name` for which the filter of `(+filter)` holds: empty, or `option=value` it must contain.
    fn find_filtered(&self, name: &str, filter: &str) -> Option<usize> {
        let Some((option, value)) = filter.split_once('=') else { return self.find(name) };
        let all = self.named.get(&name.to_ascii_lowercase())?;
        all.iter().copied().find(|index| {
            self.drafts
                .get(*index)
                .is_some_and(|draft| draft.section.entries.iter().any(|entry| entry.is(option) && entry.value == value))
        })
    }

    fn finish(mut self) -> (Document, Vec<Diagnostic>) {
        for unresolved in &self.unresolved {
            let later = self.find(&unresolved.name).and_then(|index| self.drafts.get(index));
            if let (Some(later), Some(diagnostic)) = (later, self.diagnostics.get_mut(unresolved.diagnostic)) {
                let hint = format!("it is defined only later, at {}: move it above this line", later.section.place);
                diagnostic.hint = Some(hint);
            }
        }
        let seen = self.drafts.into_iter().filter(|draft| !draft.is_template && !draft.is_broken);
        (Document { sections: seen.map(|draft| draft.section).collect() }, self.diagnostics)
    }
}

/// UTF-8, or Latin-1 when it is not.
fn decode(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => text.into(),
        Err(_) => line.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Takes `"..."` or `<...>` off a file name.
fn unquote(text: &str) -> &str {
    let inner = |open, close| text.strip_prefix(open).and_then(|text| text.split_once(close)).map(|(name, _)| name);
    inner('"', '"').or_else(|| inner('<', '>')).unwrap_or(text)
}
