//! Files of one room that name each other in a circle: none of them can be understood, tested or moved alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::exceptions::{Excess, Rule};
use crate::modules::{Module, Modules};
use crate::source::{Path, Written};

/// From a file to those that it names, each with a line that does.
type Arrows<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

/// Every circle of files in a room.
pub fn excesses(modules: &Modules) -> Vec<Excess> {
    let arrows = arrows(modules);
    let reach: BTreeMap<&str, BTreeSet<&str>> = arrows.keys().map(|&file| (file, reached(&arrows, file))).collect();
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|files| files.contains(to));
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for &file in arrows.keys().filter(|file| reaches(file, file)) {
        if done.contains(file) {
            continue;
        }
        let circle: Vec<&str> =
            arrows.keys().copied().filter(|other| reaches(file, other) && reaches(other, file)).collect();
        done.extend(circle.iter().copied());
        let (room, count) = (room(file), circle.len());
        let shortest =
            circle.iter().filter_map(|file| shortest(&arrows, file)).min_by_key(Vec::len).unwrap_or_default();
        let fault = format!(
            "src/{room}: {count} files name each other in a circle: {}\n  The shortest way round is {}: move what both \
             ends need into a file of its own, or hand it over as an argument",
            circle.join(", "),
            shown(&arrows, &shortest)
        );
        let files = circle.iter().map(|&file| file.to_owned()).collect();
        found.push(Excess { rule: Rule::Circle, what: room.to_owned(), files, measured: count, fault });
    }
    found
}

fn arrows(modules: &Modules) -> Arrows<'_> {
    let mut arrows = Arrows::new();
    for module in modules.iter() {
        let from = module.file.as_str();
        for path in &module.paths {
            let Some(to) = led_to(modules, module, path).filter(|to| *to != from && room(to) == room(from)) else {
                continue;
            };
            let line = arrows.entry(from).or_default().entry(to).or_insert(path.line);
            *line = path.line.min(*line);
        }
    }
    arrows
}

/// The file that defines what a path names. To name a module, or to hand on what lies below it, is to name nothing yet.
fn led_to<'a>(modules: &'a Modules, module: &Module, path: &Path) -> Option<&'a str> {
    let is_handed_on = |word: &str| module.uses(word).any(|path| path.is_handed_on());
    let (is_glob, may_hand_on) = match &path.written {
        Written::Use { name, public } => (name == "*", *public),
        // A word alone says no more than the `use` that made it known, unless that one only handed it on.
        Written::Code { called } => {
            if let [word] = path.segments.as_slice()
                && !(*called && is_handed_on(word))
            {
                return None;
            }
            (false, false)
        }
    };
    let target = modules.resolve(&module.path, &path.segments)?;
    let is_below = target.module.len() > module.path.len() && target.module.starts_with(&module.path);
    let names_something = target.name.is_some() || is_glob;
    (names_something && !(may_hand_on && is_below)).then(|| modules.file(&target.module)).flatten()
}

/// The files that one leads to, over any number of arrows.
fn reached<'a>(arrows: &Arrows<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = arrows.get(from).into_iter().flat_map(BTreeMap::keys).copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(arrows.get(file).into_iter().flat_map(BTreeMap::keys));
        }
    }
    seen
}

/// The shortest way from a file back to itself, the file at both ends.
fn shortest<'a>(arrows: &Arrows<'a>, from: &'a str) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::from([vec![from]]);
    while let Some(way) = open.pop_front() {
        for &next in arrows.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            let longer = [way.as_slice(), &[next]].concat();
            if next == from {
                return Some(longer);
            }
            if seen.insert(next) {
                open.push_back(longer);
            }
        }
    }
    None
}

/// A way with the lines that point on: `pbx/dial.rs:12 -> pbx/leg.rs:7 -> pbx/dial.rs`.
fn shown(arrows: &Arrows<'_>, way: &[&str]) -> String {
    let line = |from: &str, to: &str| arrows.get(from).and_then(|files| files.get(to)).copied().unwrap_or_default();
    let steps = way.windows(2).map(|pair| format!("{}:{} -> ", pair[0], line(pair[0], pair[1])));
    steps.chain(way.last().map(|&last| last.to_owned())).collect()
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn found(files: &[(&str, &str)]) -> Vec<Excess> {
        let sources: Vec<Source> = files.iter().map(|(name, text)| Source::new(name, text)).collect();
        excesses(&Modules::of(&sources))
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        let one = ("pbx/a.rs", "use super::b::B;\npub struct A;");
        let cases = [
            "pub struct B;\nuse super::a::A;",
            "pub struct B;\nfn f() { super::a::A::new() }",
            "pub struct B;\nfn f(a: crate::pbx::a::A) {}",
            "pub struct B;\nfn f() { use super::a; a::A::new() }",
            "pub struct B;\nuse super::a as other;\nfn f() { other::A }",
            "pub struct B;\nuse super::A;",
            "pub struct B;\nuse super::a::*;",
            "#[cfg(test)]\nmod tests;\npub struct B;\nuse super::{a::{A}};",
        ];
        for text in cases {
            let found = found(&[("pbx/mod.rs", "mod a; mod b; pub(crate) use a::A;"), one, ("pbx/b.rs", text)]);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].files, ["pbx/a.rs", "pbx/b.rs"], "{text}");
        }
    }

    #[test]
    fn the_fault_shows_the_shortest_way_round() {
        let found = found(&[
            ("pbx/a.rs", "\nuse super::b::B; pub struct A;"),
            ("pbx/b.rs", "use super::c::C; pub struct B;"),
            ("pbx/c.rs", "use super::d::D; pub struct C;"),
            ("pbx/d.rs", "use super::a::A;\nuse super::c::C; pub struct D;"),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].what.as_str(), found[0].measured), ("pbx", 4));
        assert!(found[0].fault.contains("is pbx/c.rs:1 -> pbx/d.rs:2 -> pbx/c.rs: move"), "{}", found[0].fault);
    }

    #[test]
    fn a_parent_that_uses_a_child_that_uses_it_is_a_circle() {
        let child = ("pbx/leg/uac.rs", "use super::Leg;\npub struct Uac;\npub fn send() {}");
        for text in [
            "mod uac; pub struct Leg(uac::Uac);",
            "mod uac; use uac::Uac; pub struct Leg;",
            "mod uac; pub use uac::Uac; pub struct Leg(Uac);",
            "mod uac; pub use uac::send; pub struct Leg; fn f() { send() }",
        ] {
            let found = found(&[("pbx/leg.rs", text), child]);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].files, ["pbx/leg.rs", "pbx/leg/uac.rs"]);
        }
    }

    #[test]
    fn two_circles_are_told_apart() {
        let found = found(&[
            ("pbx/a.rs", "use super::b::B; pub struct A;"),
            ("pbx/b.rs", "use super::a::A; use super::c::C; pub struct B;"),
            ("pbx/c.rs", "use super::d::D; pub struct C;"),
            ("pbx/d.rs", "use super::c::C; pub struct D;"),
        ]);
        let files: Vec<_> = found.iter().map(|excess| excess.files.join(" ")).collect();
        assert_eq!(files, ["pbx/a.rs pbx/b.rs", "pbx/c.rs pbx/d.rs"]);
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let cases: &[&[(&str, &str)]] = &[
            // A parent that declares and hands on; its children know each other through it.
            &[
                ("pbx/mod.rs", "mod a; mod b; pub use a::A; pub(super) use b::{B, send};"),
                ("pbx/a.rs", "use super::{B, send}; pub struct A;"),
                ("pbx/b.rs", "use super::b; pub struct B; pub fn send() {}"),
            ],
            // Children that use what their parent defines, which uses none of theirs.
            &[("pbx/leg.rs", "mod uac; mod uas; pub struct Leg;"), ("pbx/leg/uac.rs", "use super::Leg;")],
            // Test code.
            &[
                ("pbx/a.rs", "use super::b::B; pub struct A;"),
                ("pbx/b.rs", "pub struct B; #[cfg(test)] mod tests { use super::super::a::A; }"),
            ],
            // Files of two rooms: the arrows between rooms have a rule of their own.
            &[("pbx/a.rs", "use crate::sip::b::B; pub struct A;"), ("sip/b.rs", "use crate::pbx::a::A; pub struct B;")],
            // A variable, a field and a method that have the name of something a child has.
            &[
                ("pbx/leg.rs", "mod uac; pub use uac::send; pub struct Leg; fn f() { let send = a.send(b.send); }"),
                ("pbx/leg/uac.rs", "use super::Leg; pub fn send() {}"),
            ],
            // A module inside a file.
            &[("pbx/a.rs", "mod kind { use super::A; pub const B: A = A; } pub struct A(kind::B);")],
        ];
        for files in cases {
            let found = found(files);
            assert!(found.is_empty(), "{files:?}: {found:?}");
        }
    }
}
