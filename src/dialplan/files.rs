//! Files that the dialplan reads and writes (`FILE`, `STAT` and their like): what is asked for, and what becomes of a file's
//! content. Whoever has the files opens them.

use super::arguments::{self, Split};
use crate::wording::outside;
use std::ops::Range;

/// The largest file that is read or changed, in bytes.
pub const MAX_FILE: usize = 1024 * 1024;

/// A file, and what is to be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRequest {
    /// Its name: in full, or below the folder `files` of the state folder.
    pub path: String,
    /// What is to be done.
    pub action: FileAction,
}

/// What is to be done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAction {
    /// Read a part of it.
    Read(Span),
    /// Put a text in the place of a part of it.
    Write {
        /// Which part; all of it, when it names none.
        span: Span,
        /// The text.
        value: String,
        /// Put it behind the end.
        append: bool,
        /// Without the end of a line behind it.
        bare: bool,
    },
    /// Count its lines.
    Count(Option<LineEnd>),
    /// Say how its lines end: `u`, `d`, `m`, or `x` when it has none.
    Format,
    /// Delete it: what `Dial` had recorded and does not keep.
    Delete,
    /// Say what the system knows of it, by the letter of `STAT`.
    Stat(char),
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Where it begins; negative: from the end.
    pub offset: i64,
    /// How long it is; negative: so much of the end is left out; none: to the end.
    pub length: Option<i64>,
    /// Both count lines, not bytes.
    pub lines: bool,
    /// How the lines end; none: as the first one does.
    pub ends: Option<LineEnd>,
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// By a line feed.
    Unix,
    /// By carriage return and line feed.
    Dos,
    /// By a carriage return.
    Mac,
}

impl LineEnd {
    fn parse(text: &str) -> Option<LineEnd> {
        match text.trim().chars().next().map(|letter| letter.to_ascii_lowercase()) {
            Some('u') => Some(LineEnd::Unix),
            Some('d') => Some(LineEnd::Dos),
            Some('m') => Some(LineEnd::Mac),
            _ => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            LineEnd::Unix => "\n",
            LineEnd::Dos => "\r\n",
            LineEnd::Mac => "\r",
        }
    }

    /// How the first line of a text ends.
    fn of(content: &[u8]) -> Option<LineEnd> {
        let at = content.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
        Some(match content.get(at..at.saturating_add(2)) {
            Some(b"\r\n") => LineEnd::Dos,
            Some([b'\r', ..]) => LineEnd::Mac,
            _ if content.get(at) == Some(&b'\r') => LineEnd::Mac,
            _ => LineEnd::Unix,
        })
    }

    /// Where the lines of a text end: behind the end of each, and at the end of what follows the last one.
    fn all_of(self, content: &[u8]) -> Vec<usize> {
        let mark = self.text().as_bytes();
        let is_end = |end: &usize| content.get(..*end).is_some_and(|before| before.ends_with(mark));
        let mut ends: Vec<usize> = (mark.len()..=content.len()).filter(is_end).collect();
        if ends.last().copied().unwrap_or(0) < content.len() {
            ends.push(content.len());
        }
        ends
    }
}

impl Span {
    fn is_all(&self) -> bool {
        self.offset == 0 && self.length.is_none()
    }

    /// From where to where, of so many.
    fn range(&self, all: usize) -> Range<usize> {
        let from_end = |back: u64| all.saturating_sub(usize::try_from(back).unwrap_or(usize::MAX));
        let start = match usize::try_from(self.offset) {
            Ok(offset) => offset.min(all),
            Err(_) => from_end(self.offset.unsigned_abs()),
        };
        let end = match self.length.map(|length| (usize::try_from(length), length.unsigned_abs())) {
            None => all,
            Some((Ok(length), _)) => start.saturating_add(length).min(all),
            Some((Err(_), back)) => from_end(back),
        };
        start..end.max(start)
    }

    /// The bytes that are meant.
    fn bytes(&self, content: &[u8]) -> Range<usize> {
        if !self.lines {
            return self.range(content.len());
        }
        let ends = self.ends.or_else(|| LineEnd::of(content)).unwrap_or(LineEnd::Unix).all_of(content);
        let lines = self.range(ends.len());
        let behind = |lines: usize| lines.checked_sub(1).and_then(|line| ends.get(line)).copied().unwrap_or(0);
        behind(lines.start)..behind(lines.end).max(behind(lines.start))
    }
}

/// What comes of a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// This is the answer.
    Value(String),
    /// This is put behind its end.
    Append(String),
    /// This is its content from now on.
    Content(Vec<u8>),
}

impl FileRequest {
    /// `FILE(name[,offset[,length[,options[,format]]]])`, read.
    ///
    /// # Errors
    /// What the arguments have wrong.
    pub fn read(args: &str) -> Result<FileRequest, String> {
        let args = Split(arguments::split(args));
        Ok(FileRequest { path: name(&args, 0)?, action: FileAction::Read(span(&args)?) })
    }

    /// The same, assigned.
    ///
    /// # Errors
    /// As `read`.
    pub fn write(args: &str, value: &str) -> Result<FileRequest, String> {
        let args = Split(arguments::split(args));
        let option = |letter: char| args.trimmed(3).contains(letter);
        let (append, bare, value) = (option('a'), option('d'), value.to_owned());
        let action = FileAction::Write { span: span(&args)?, value, append, bare };
        Ok(FileRequest { path: name(&args, 0)?, action })
    }

    /// `FILE_COUNT_LINE(name[,format])`.
    ///
    /// # Errors
    /// As `read`.
    pub fn count(args: &str) -> Result<FileRequest, String> {
        let args = Split(arguments::split(args));
        Ok(FileRequest { path: name(&args, 0)?, action: FileAction::Count(LineEnd::parse(args.get(1))) })
    }

    /// `FILE_FORMAT(name)`.
    ///
    /// # Errors
    /// As `read`.
    pub fn format(args: &str) -> Result<FileRequest, String> {
        Ok(FileRequest { path: name(&Split(arguments::split(args)), 0)?, action: FileAction::Format })
    }

    /// `STAT(flag,name)`.
    ///
    /// # Errors
    /// As `read`; there is no such flag.
    pub fn stat(args: &str) -> Result<FileRequest, String> {
        let args = Split(arguments::split(args));
        let flag = args.trimmed(0).chars().next().filter(|flag| "defmsACM".contains(*flag));
        let flag = flag.ok_or_else(|| {
            format!("the first argument is d, e, f, m, s, A, C or M, and not '{}'", outside(args.trimmed(0)))
        })?;
        Ok(FileRequest { path: name(&args, 1)?, action: FileAction::Stat(flag) })
    }

    /// Is the file changed?
    pub fn writes(&self) -> bool {
        matches!(self.action, FileAction::Write { .. } | FileAction::Delete)
    }

    /// Need its content be known?
    pub fn needs_content(&self) -> bool {
        match &self.action {
            FileAction::Write { append: true, span, .. } => span.lines && span.ends.is_none(),
            FileAction::Write { span, .. } => !span.is_all() || (span.lines && span.ends.is_none()),
            FileAction::Read(_) | FileAction::Count(_) | FileAction::Format => true,
            FileAction::Stat(_) | FileAction::Delete => false,
        }
    }

    /// What comes of it when that is the file's content.
    pub fn applied(&self, content: &[u8]) -> Applied {
        let text = |bytes: &[u8]| Applied::Value(String::from_utf8_lossy(bytes).into_owned());
        match &self.action {
            FileAction::Read(span) => text(content.get(span.bytes(content)).unwrap_or_default()),
            FileAction::Write { span, value, append, bare } => {
                let ends = span.ends.or_else(|| LineEnd::of(content)).unwrap_or(LineEnd::Unix);
                let end = if span.lines && !bare { ends.text() } else { "" };
                if *append {
                    return Applied::Append(format!("{value}{end}"));
                }
                let replaced = if span.is_all() { 0..content.len() } else { span.bytes(content) };
                let before = content.get(..replaced.start).unwrap_or_default();
                let after = content.get(replaced.end..).unwrap_or_default();
                Applied::Content([before, value.as_bytes(), end.as_bytes(), after].concat())
            }
            FileAction::Count(ends) => {
                let ends = ends.or_else(|| LineEnd::of(content)).unwrap_or(LineEnd::Unix);
                Applied::Value(ends.all_of(content).len().to_string())
            }
            FileAction::Format => Applied::Value(
                match LineEnd::of(content) {
                    Some(LineEnd::Unix) => "u",
                    Some(LineEnd::Dos) => "d",
                    Some(LineEnd::Mac) => "m",
                    None => "x",
                }
                .to_owned(),
            ),
            FileAction::Stat(_) => text(b"0"),
            FileAction::Delete => text(b""),
        }
    }
}

fn name(args: &Split, place: usize) -> Result<String, String> {
    let name = args.trimmed(place);
    let bad = |why: &str| Err(format!("the file '{}' {why}", outside(name)));
    if name.is_empty() || name.ends_with('/') || name.len() > 1_000 || name.chars().any(char::is_control) {
        return bad("has no name that can be used");
    }
    if name.split('/').any(|part| part == "..") {
        return bad("would leave its folder ('..')");
    }
    Ok(name.to_owned())
}

fn span(args: &Split) -> Result<Span, String> {
    let number = |place: usize| match args.trimmed(place) {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| format!("'{}' is no whole number", outside(text))),
    };
    let lines = args.trimmed(3).contains('l');
    Ok(Span { offset: number(1)?.unwrap_or(0), length: number(2)?, lines, ends: LineEnd::parse(args.get(4)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str, args: &str) -> String {
        match FileRequest::read(&format!("f{args}")).unwrap().applied(content.as_bytes()) {
            Applied::Value(text) => text,
            other => panic!("{other:?}"),
        }
    }

    fn written(content: &str, args: &str, value: &str) -> String {
        match FileRequest::write(&format!("f{args}"), value).unwrap().applied(content.as_bytes()) {
            Applied::Content(bytes) => String::from_utf8(bytes).unwrap(),
            Applied::Append(text) => format!("{content}{text}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_part_is_read_by_bytes_or_lines() {
        let text = "one\ntwo\nthree\nfour\n";
        assert_eq!(
            (read(text, ""), read(text, ",4,3"), read(text, ",-5,4")),
            (text.into(), "two".into(), "four".into())
        );
        assert_eq!((read(text, ",0,-1"), read(text, ",99")), ("one\ntwo\nthree\nfour".into(), String::new()));
        assert_eq!((read(text, ",2,1,l"), read(text, ",-1,,l")), ("three\n".into(), "four\n".into()));
        assert_eq!((read(text, ",1,-2,l"), read(text, ",2,0,l")), ("two\n".into(), String::new()));
        assert_eq!(read("a\r\nb\r\nc", ",1,1,l"), "b\r\n");
        assert_eq!((read("a\rb\rc", ",-1,,l"), read("a\nb\r\nc", ",1,1,l,d")), ("c".into(), "c".into()));
    }

    #[test]
    fn a_part_is_written_by_bytes_or_lines() {
        assert_eq!(written("old", "", "bar"), "bar");
        assert_eq!((written("old", ",,,a", "bar"), written("old", ",0,1", "bar")), ("oldbar".into(), "barld".into()));
        assert_eq!((written("abcdef", ",4,0", "+"), written("abcdef", ",2", "+")), ("abcd+ef".into(), "ab+".into()));
        assert_eq!(
            (written("a\nb\n", ",0,1,l", "x"), written("a\nb\n", ",-1,,l", "x")),
            ("x\nb\n".into(), "a\nx\n".into())
        );
        assert_eq!((written("a\n", ",,,al", "x"), written("a\nb\n", ",0,1,ld", "")), ("a\nx\n".into(), "b\n".into()));
        assert_eq!((written("", ",,,al", "x"), written("a\r\n", ",,,al", "x")), ("x\n".into(), "a\r\nx\r\n".into()));
    }

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        for bad in ["", "/", "a/../b", "f,x", "f,0,y"] {
            assert!(FileRequest::read(bad).is_err(), "{bad}");
        }
        assert!(FileRequest::stat("z,/f").is_err() && FileRequest::stat("e,").is_err());
        let count = |text: &str| FileRequest::count("f").unwrap().applied(text.as_bytes());
        assert_eq!((count("a\nb"), count("")), (Applied::Value("2".into()), Applied::Value("0".into())));
    }

    #[test]
    fn mutated_parts_of_mutated_contents_are_harmless() {
        let mut rng = crate::rng::Rng::from_seed([7; 32]);
        for _ in 0..20_000 {
            let mut number = |most: u64| i64::try_from(rng.below(most)).unwrap() - i64::try_from(most / 2).unwrap();
            let (offset, length) = (number(40), number(40));
            let ends = [None, Some(LineEnd::Unix), Some(LineEnd::Dos), Some(LineEnd::Mac)];
            let ends = ends[usize::try_from(rng.below(4)).unwrap()];
            let span = Span { offset, length: Some(length), lines: rng.below(2) == 0, ends };
            let content: Vec<u8> =
                (0..rng.below(24)).map(|_| b"\r\nab"[usize::try_from(rng.below(4)).unwrap()]).collect();
            let range = span.bytes(&content);
            assert!(range.start <= range.end && range.end <= content.len(), "{span:?} {content:?}");
        }
    }
}
