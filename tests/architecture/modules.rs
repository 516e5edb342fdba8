//! The modules of the source, and which of them defines what a path names.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Path, Source, Token, Written, is, is_word, matching, paths};

/// So many re-exports may stand between a path and what it names.
const MAX_REEXPORTS: usize = 8;
/// What defines the word behind it.
const DEFINING: [&str; 8] = ["struct", "enum", "union", "trait", "type", "fn", "const", "static"];

/// A module: a file, or a `mod name { .. }` in one.
#[derive(Debug)]
pub struct Module {
    pub path: Vec<String>,
    /// The file it is written in, as a path below `src`.
    pub file: String,
    /// Its code, without that of modules inside it.
    pub tokens: Vec<Token>,
    /// Every path in it.
    pub paths: Vec<Path>,
    /// Those of them in a `use`.
    uses: Vec<Path>,
    items: BTreeSet<String>,
}

impl Module {
    /// Each `use` that makes `name` known here (`*`: all that is behind it).
    pub fn uses(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.uses.iter().filter(move |path| path.makes_known(name))
    }
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The module that defines it.
    pub module: Vec<String>,
    /// Its name there; `None` for the module itself.
    pub name: Option<String>,
}

/// All modules, by their path from the root of the library.
#[derive(Debug)]
pub struct Modules(BTreeMap<Vec<String>, Module>);

impl Modules {
    pub fn of(sources: &[Source]) -> Self {
        let mut all = BTreeMap::new();
        for source in sources {
            add(&mut all, module_path(&source.name), &source.name, &source.program);
        }
        Self(all)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Module> {
        self.0.values()
    }

    /// The file that a module is written in.
    pub fn file(&self, module: &[String]) -> Option<&str> {
        self.0.get(module).map(|module| module.file.as_str())
    }

    /// What `segments`, written in the module `from`, leads to, through re-exports; `None` for what is not ours.
    pub fn resolve(&self, from: &[String], segments: &[String]) -> Option<Target> {
        self.find(from, segments, 0)
    }

    fn find(&self, from: &[String], segments: &[String], depth: usize) -> Option<Target> {
        if depth > MAX_REEXPORTS {
            return None;
        }
        match from_root(from, segments) {
            // A name that nothing is seen to define comes out of a macro of that module.
            Some(absolute) => self.walk(&[], &absolute, depth).or_else(|| self.unseen(&absolute)),
            None => self.walk(from, segments, depth),
        }
    }

    fn walk(&self, from: &[String], segments: &[String], depth: usize) -> Option<Target> {
        let mut here = from.to_vec();
        let mut segments = segments;
        while let Some((first, rest)) = segments.split_first() {
            let child = [here.as_slice(), std::slice::from_ref(first)].concat();
            let is_module = self.0.contains_key(&child);
            if matches!(first.as_str(), "self" | "*") && rest.is_empty() {
                break;
            }
            if is_module && !rest.is_empty() {
                (here, segments) = (child, rest);
                continue;
            }
            let known = self.0.get(&here).and_then(|module| self.named(module, first, rest, depth));
            return known.or_else(|| is_module.then_some(Target { module: child, name: None }));
        }
        Some(Target { module: here, name: None })
    }

    /// What the word `first` means in a module: something of its own, or what a `use` made known.
    fn named(&self, module: &Module, first: &str, rest: &[String], depth: usize) -> Option<Target> {
        if module.items.contains(first) {
            return Some(Target { module: module.path.clone(), name: Some(first.to_owned()) });
        }
        if let Some(path) = module.uses(first).next() {
            return self.find(&module.path, &[path.segments.as_slice(), rest].concat(), depth + 1);
        }
        module.uses("*").find_map(|path| {
            let behind = self.find(&module.path, &path.segments, depth + 1)?;
            let there = self.0.get(&behind.module).filter(|_| behind.name.is_none())?;
            self.named(there, first, rest, depth + 1)
        })
    }

    fn unseen(&self, absolute: &[String]) -> Option<Target> {
        let known = (1..absolute.len()).rev().find(|length| self.0.contains_key(&absolute[..*length]))?;
        Some(Target { module: absolute[..known].to_vec(), name: absolute.get(known).cloned() })
    }
}

/// Adds a module and those that are written inside it.
fn add(all: &mut BTreeMap<Vec<String>, Module>, path: Vec<String>, file: &str, tokens: &[Token]) {
    let mut own = Vec::new();
    let mut items = BTreeSet::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let name = tokens.get(at + 1).filter(|next| is_word(&next.text));
        match (token.text.as_str(), name) {
            ("mod", Some(name)) if depth == 0 && is(tokens, at + 2, "{") => {
                let close = matching(tokens, at + 2).unwrap_or(tokens.len());
                let inner = [path.as_slice(), std::slice::from_ref(&name.text)].concat();
                add(all, inner, file, &tokens[at + 3..close]);
                at = close + 1;
                continue;
            }
            ("{" | "(" | "[", _) => depth += 1,
            ("}" | ")" | "]", _) => depth = depth.saturating_sub(1),
            (word, Some(name)) if depth == 0 && DEFINING.contains(&word) => drop(items.insert(name.text.clone())),
            ("!", Some(name)) if depth == 0 && at > 0 && is(tokens, at - 1, "macro_rules") => {
                items.insert(name.text.clone());
            }
            _ => {}
        }
        own.push(token.clone());
        at += 1;
    }
    let paths = paths(&own);
    let uses = paths.iter().filter(|path| matches!(path.written, Written::Use { .. })).cloned().collect();
    all.insert(path.clone(), Module { path, file: file.to_owned(), tokens: own, paths, uses, items });
}

/// The module path a file holds: `sip/header/via.rs` is sip, header, via.
pub fn module_path(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// The path from the root of the library, for one that is written from there or from where it stands.
pub fn from_root(module: &[String], segments: &[String]) -> Option<Vec<String>> {
    let first = segments.first()?;
    match first.as_str() {
        "crate" | "strowger" => Some(segments[1..].to_vec()),
        "self" => Some([module, &segments[1..]].concat()),
        "super" => {
            let up = segments.iter().take_while(|segment| *segment == "super").count();
            let kept = module.get(..module.len().checked_sub(up)?)?;
            Some([kept, &segments[up..]].concat())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> Modules {
        let sources: Vec<Source> = files.iter().map(|(name, text)| Source::new(name, text)).collect();
        Modules::of(&sources)
    }

    /// What `path` leads to when it is written in the module `from`.
    fn leads(modules: &Modules, from: &str, path: &str) -> Option<String> {
        let split = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
        let target = modules.resolve(&split(from), &split(path))?;
        Some([target.module, target.name.into_iter().collect()].concat().join("::"))
    }

    fn house() -> Modules {
        modules(&[
            ("sip/mod.rs", "pub mod uri;\nmod table;\npub use uri::Uri;\npub(super) use table::*;\nuse std::fmt;"),
            ("sip/uri.rs", "pub struct Uri;\nimpl Uri {}\nmod kind { pub const A: u8 = 1; }\nmade! { Host }"),
            ("sip/table.rs", "use super::uri as address;\npub fn table() {}\nmacro_rules! row { () => {} }"),
            ("pbx/mod.rs", "use crate::sip::Uri as Address;\npub(crate) use crate::sip;"),
        ])
    }

    #[test]
    fn a_path_leads_to_the_file_that_defines_the_name() {
        let house = house();
        for (from, path, wanted) in [
            ("pbx", "crate::sip::uri::Uri", "sip::uri::Uri"),
            ("pbx", "crate::sip::Uri", "sip::uri::Uri"),
            ("pbx", "Address::parse", "sip::uri::Uri"),
            ("pbx", "sip::Uri::parse", "sip::uri::Uri"),
            ("sip::table", "super::Uri", "sip::uri::Uri"),
            ("sip::table", "address::Uri", "sip::uri::Uri"),
            ("sip::table", "super::table", "sip::table::table"),
            ("sip", "uri::kind::A", "sip::uri::kind::A"),
            ("sip::uri::kind", "super::Uri", "sip::uri::Uri"),
            ("sip", "table::row", "sip::table::row"),
        ] {
            assert_eq!(leads(&house, from, path).as_deref(), Some(wanted), "{path} in {from}");
        }
    }

    #[test]
    fn what_a_macro_defines_belongs_to_the_module_it_is_asked_of() {
        assert_eq!(leads(&house(), "sip", "self::uri::Host").as_deref(), Some("sip::uri::Host"));
    }

    #[test]
    fn a_module_is_named_by_its_path_alone() {
        let target = house().resolve(&["pbx".to_owned()], &["crate".to_owned(), "sip".to_owned(), "uri".to_owned()]);
        assert_eq!(target, Some(Target { module: vec!["sip".to_owned(), "uri".to_owned()], name: None }));
    }

    #[test]
    fn what_is_not_ours_leads_nowhere() {
        let house = house();
        for path in ["fmt::Display", "std::fs::read", "Self::new", "line", "Vec::new"] {
            assert_eq!(leads(&house, "sip", path), None, "{path}");
        }
    }
}
