//! The last configuration that could be used: its files as one text, which is kept in the state folder and read instead of
//! the files when those cannot be used at a start.

use super::glob;
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// Begins the text; another one is of another version.
const HEAD: &[u8] = b"strowger configuration 1\n";

/// The files of a configuration by the names that diagnostics give them: relative to its directory, or absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastGood {
    files: BTreeMap<String, Vec<u8>>,
}

impl LastGood {
    /// The files of a configuration that can be used; one whose name is no line is left out.
    pub fn new(files: impl Iterator<Item = (String, Vec<u8>)>) -> LastGood {
        LastGood { files: files.filter(|(name, _)| !name.contains('\n')).collect() }
    }

    /// As text: a line with length and name before each file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = HEAD.to_vec();
        for (name, file) in &self.files {
            text.extend(format!("{} {name}\n", file.len()).bytes());
            text.extend(file);
            text.push(b'\n');
        }
        text
    }

    /// Reads it; none when it is no such text, or only a part of one.
    pub fn from_bytes(text: &[u8]) -> Option<LastGood> {
        let mut rest = text.strip_prefix(HEAD)?;
        let mut files = BTreeMap::new();
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let (length, name) = std::str::from_utf8(rest.get(..end)?).ok()?.split_once(' ')?;
            rest = rest.get(end.checked_add(1)?..)?;
            let (file, behind) = rest.split_at_checked(length.parse().ok()?)?;
            files.insert(name.to_owned(), file.to_vec());
            rest = behind.strip_prefix(b"\n")?;
        }
        Some(LastGood { files })
    }

    /// A file by its name.
    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The names of the files that a pattern, as an include has it, stands for.
    pub(super) fn matching(&self, directory: &Path, pattern: &str) -> Vec<String> {
        let pattern = directory.join(pattern);
        self.files.keys().filter(|name| is_match(&pattern, &directory.join(name))).cloned().collect()
    }
}

fn is_match(pattern: &Path, path: &Path) -> bool {
    let parts = |path: &Path| path.components().filter(|part| *part != Component::CurDir).count();
    let pairs = || pattern.components().zip(path.components());
    parts(pattern) == parts(path)
        && pairs().all(|(pattern, name)| {
            let (pattern, name) = (pattern.as_os_str().to_string_lossy(), name.as_os_str().to_string_lossy());
            pattern == name || (glob::is_pattern(&pattern) && glob::matches(&pattern, &name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> LastGood {
        let files = [("sip.conf", "[general]\n"), ("d/a.conf", "12 x\n"), ("d/b.inc", ""), ("/etc/o.conf", "\n\n")];
        LastGood { files: files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into() }
    }

    #[test]
    fn what_is_written_is_read_and_a_part_of_it_is_not() {
        let text = some().to_bytes();
        assert_eq!(LastGood::from_bytes(&text), Some(some()));
        for end in 0..text.len() {
            let read = LastGood::from_bytes(&text[..end]);
            // Where a file ends the rest is a whole text again, of fewer files.
            assert!(read.is_none_or(|read| read.files.len() < some().files.len()), "{end}");
        }
        for strange in
            ["", "x", "strowger configuration 1\n99999999999999999999999 a\n", "strowger configuration 1\n-1 a\n"]
        {
            assert_eq!(LastGood::from_bytes(strange.as_bytes()), None, "{strange}");
        }
    }

    #[test]
    fn includes_find_the_files_that_were_kept() {
        let found = |pattern: &str| some().matching(Path::new("/etc/strowger"), pattern);
        assert_eq!(found("d/*.conf"), ["d/a.conf"]);
        assert_eq!(found("d/*"), ["d/a.conf", "d/b.inc"]);
        assert_eq!(found("sip.conf"), ["sip.conf"]);
        assert_eq!(found("/etc/*.conf"), ["/etc/o.conf"]);
        assert_eq!(found("*"), ["sip.conf"]);
        assert_eq!(found("none.conf"), [""; 0]);
    }
}
