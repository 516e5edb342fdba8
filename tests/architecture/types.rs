//! How much of the program one type is: its methods, and the files that its `impl` blocks stand in.

use std::collections::{BTreeMap, BTreeSet};

use crate::exceptions::{Excess, Rule};
use crate::modules::{Module, Modules};
use crate::source::{Token, body, is, is_word, matching};

/// Methods of a type, whichever way they were attached to it.
const MAX_METHODS: usize = 40;
/// Files in which a type has `impl` blocks.
const MAX_IMPL_FILES: usize = 2;

/// A type or trait: the module that defines it, and its name there.
type Name = (Vec<String>, String);

/// An `impl` block.
#[derive(Debug)]
struct Impl {
    /// As it is written: `super::Switch`.
    type_: Vec<String>,
    trait_: Option<Vec<String>>,
    functions: usize,
    /// The `Target` of a `Deref`.
    derefs_to: Option<Vec<String>>,
}

/// What was found of a type.
#[derive(Debug, Default)]
struct Type {
    own: usize,
    /// Methods that came with traits which no other type has: name of the trait, how many.
    by_traits: Vec<(String, usize)>,
    derefs_to: BTreeSet<Name>,
    files: BTreeSet<String>,
}

/// Every type with too many methods or in too many files.
pub fn excesses(modules: &Modules) -> Vec<Excess> {
    let types = types(modules);
    let mut found = Vec::new();
    for (name, type_) in &types {
        let what = [name.0.as_slice(), std::slice::from_ref(&name.1)].concat().join("::");
        let at = modules.file(&name.0).unwrap_or_default();
        let methods = methods(&types, name, &mut BTreeSet::new());
        if methods > MAX_METHODS {
            let fault = format!(
                "src/{at}: `{}` has {methods} methods{}, at most {MAX_METHODS}: which of its fields, with the methods \
                 on them, are a type of their own?",
                name.1,
                parts(&types, type_)
            );
            found.push(Excess { rule: Rule::Methods, what: what.clone(), files: Vec::new(), measured: methods, fault });
        }
        let files = type_.files.len();
        if files > MAX_IMPL_FILES {
            let list = type_.files.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let fault = format!(
                "src/{at}: `{}` has `impl` blocks in {files} files, at most {MAX_IMPL_FILES}: give what these files do \
                 a type of its own: {list}",
                name.1
            );
            found.push(Excess { rule: Rule::ImplFiles, what, files: Vec::new(), measured: files, fault });
        }
    }
    found
}

/// All methods that may be called on a value of the type.
fn methods(types: &BTreeMap<Name, Type>, name: &Name, seen: &mut BTreeSet<Name>) -> usize {
    let Some(type_) = types.get(name).filter(|_| seen.insert(name.clone())) else { return 0 };
    let by_traits: usize = type_.by_traits.iter().map(|(_, methods)| methods).sum();
    let behind: usize = type_.derefs_to.iter().map(|target| methods(types, target, seen)).sum();
    type_.own + by_traits + behind
}

/// Which of the methods stand outside of the type's own `impl` blocks.
fn parts(types: &BTreeMap<Name, Type>, type_: &Type) -> String {
    let by_traits = type_.by_traits.iter().map(|(trait_, methods)| format!("{methods} by trait `{trait_}`"));
    let behind = type_
        .derefs_to
        .iter()
        .map(|target| format!("{} of `{}` by `Deref`", methods(types, target, &mut BTreeSet::new()), target.1));
    let all: Vec<String> = by_traits.chain(behind).collect();
    if all.is_empty() { String::new() } else { format!(" ({} own, {})", type_.own, all.join(", ")) }
}

fn types(modules: &Modules) -> BTreeMap<Name, Type> {
    let impls: Vec<(&Module, Impl)> =
        modules.iter().flat_map(|module| impls(&module.tokens).into_iter().map(move |impl_| (module, impl_))).collect();
    let traits: BTreeMap<Name, usize> = modules
        .iter()
        .flat_map(|module| traits(&module.tokens).into_iter().map(|(name, count)| ((module.path.clone(), name), count)))
        .collect();
    let trait_of = |module: &Module, impl_: &Impl| {
        let name = named(modules, module, impl_.trait_.as_ref()?)?;
        traits.contains_key(&name).then_some(name)
    };
    let mut implementors: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for (module, impl_) in &impls {
        if let (Some(trait_), Some(type_)) = (trait_of(module, impl_), named(modules, module, &impl_.type_)) {
            implementors.entry(trait_).or_default().insert(type_);
        }
    }
    let mut types: BTreeMap<Name, Type> = BTreeMap::new();
    for (module, impl_) in &impls {
        let Some(name) = named(modules, module, &impl_.type_) else { continue };
        let type_ = types.entry(name).or_default();
        if impl_.trait_.is_none() {
            type_.own += impl_.functions;
            type_.files.insert(module.file.clone());
        }
        let target = impl_.derefs_to.as_ref().and_then(|target| named(modules, module, target));
        type_.derefs_to.extend(target);
        // A trait of ours that one type alone has is only another place for its methods.
        let alone = |trait_: &Name| implementors.get(trait_).is_some_and(|types| types.len() == 1);
        if let Some(trait_) = trait_of(module, impl_).filter(alone) {
            type_.by_traits.push((trait_.1.clone(), traits.get(&trait_).copied().unwrap_or_default()));
            type_.files.insert(module.file.clone());
        }
    }
    types
}

/// What a path to a type or trait names; what is not seen to be defined anywhere is the module's own.
fn named(modules: &Modules, module: &Module, path: &[String]) -> Option<Name> {
    match modules.resolve(&module.path, path) {
        Some(target) => Some((target.module, target.name?)),
        None => Some((module.path.clone(), path.last()?.clone())),
    }
}

/// Every trait that is defined here, with how many methods it has.
fn traits(tokens: &[Token]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(name) = tokens.get(at + 1).filter(|name| token.text == "trait" && is_word(&name.text)) else {
            continue;
        };
        let Some(open) = body(tokens, at + 2) else { continue };
        found.push((name.text.clone(), functions_in(tokens, open)));
    }
    found
}

/// Every `impl` block; `impl Trait` in the place of a type is none.
fn impls(tokens: &[Token]) -> Vec<Impl> {
    const BEFORE: [&str; 6] = ["{", "}", ";", "]", "unsafe", "default"];
    let begins = |at: usize| match at.checked_sub(1).and_then(|before| tokens.get(before)) {
        Some(before) => BEFORE.contains(&before.text.as_str()),
        None => true,
    };
    let starts = (0..tokens.len()).filter(|at| is(tokens, *at, "impl") && begins(*at));
    starts.filter_map(|start| impl_at(tokens, start)).collect()
}

fn impl_at(tokens: &[Token], start: usize) -> Option<Impl> {
    let open = body(tokens, start)?;
    let head = &tokens[after_generics(tokens, start + 1)..open];
    let head = &head[..outside(head, "where").unwrap_or(head.len())];
    let (trait_, type_) = match outside(head, "for") {
        Some(at) => (Some(path_in(&head[..at])?), &head[at + 1..]),
        None => (None, head),
    };
    let derefs = trait_.as_ref().is_some_and(|path| path.last().is_some_and(|last| last == "Deref"));
    let target = || {
        let target = (open..matching(tokens, open)?)
            .find(|at| is(tokens, *at, "type") && is(tokens, at + 1, "Target") && is(tokens, at + 2, "="))?;
        path_in(&tokens[target + 3..])
    };
    let derefs_to = if derefs { target() } else { None };
    Some(Impl { type_: path_in(type_)?, trait_, functions: functions_in(tokens, open), derefs_to })
}

/// The place behind `<..>`, if there is one at `at`.
fn after_generics(tokens: &[Token], at: usize) -> usize {
    if !is(tokens, at, "<") {
        return at;
    }
    let mut depth = 0;
    (at..tokens.len())
        .find(|&at| {
            depth += angle(tokens, at);
            depth == 0
        })
        .map_or(tokens.len(), |close| close + 1)
}

/// Where the word stands outside of every `<..>`.
fn outside(tokens: &[Token], word: &str) -> Option<usize> {
    let mut depth = 0;
    (0..tokens.len()).find(|&at| {
        depth += angle(tokens, at);
        depth == 0 && is(tokens, at, word)
    })
}

/// What the token does to the depth of angle brackets; the `>` of an arrow closes none.
fn angle(tokens: &[Token], at: usize) -> i32 {
    match tokens[at].text.as_str() {
        "<" => 1,
        ">" if at == 0 || !is(tokens, at - 1, "-") => -1,
        _ => 0,
    }
}

/// The path a type begins with, without references and the like before it; `None` inside a macro.
fn path_in(tokens: &[Token]) -> Option<Vec<String>> {
    const BEFORE: [&str; 6] = ["&", "mut", "dyn", "!", "const", "("];
    let mut at = 0;
    while BEFORE.iter().any(|text| is(tokens, at, text)) || is(tokens, at, "'") {
        at += if is(tokens, at, "'") { 2 } else { 1 };
    }
    let mut path = vec![tokens.get(at).filter(|token| is_word(&token.text))?.text.clone()];
    while is(tokens, at + 1, "::") {
        let Some(next) = tokens.get(at + 2).filter(|next| is_word(&next.text)) else { break };
        path.push(next.text.clone());
        at += 2;
    }
    Some(path)
}

/// How many functions stand directly in the body that opens at `open`.
fn functions_in(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    let mut count = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            "fn" if depth == 1 && tokens.get(at + 1).is_some_and(|next| is_word(&next.text)) => count += 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn found(files: &[(&str, String)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(name, text)| Source::new(name, text)).collect();
        excesses(&Modules::of(&sources))
            .into_iter()
            .map(|excess| format!("{}: {}", excess.what, excess.fault))
            .collect()
    }

    /// So many functions, in a block that begins with `head`.
    fn block(head: &str, count: usize) -> String {
        let functions: String = (0..count).map(|n| format!("    fn f{n}(&self) {{ fn inner() {{}} }}\n")).collect();
        format!("{head} {{\n{functions}}}\n")
    }

    fn only(files: &[(&str, String)]) -> String {
        let found = found(files);
        assert_eq!(found.len(), 1, "{found:?}");
        found.concat()
    }

    #[test]
    fn too_many_methods_are_found() {
        let text = format!("pub struct Switch;\n{}", block("impl Switch", 41));
        let fault = only(&[("pbx/switch.rs", text)]);
        assert!(
            fault.starts_with("pbx::switch::Switch: src/pbx/switch.rs: `Switch` has 41 methods, at most 40"),
            "{fault}"
        );
    }

    #[test]
    fn methods_of_all_files_are_added_up_under_any_name_of_the_type() {
        for (head, before) in [
            ("impl super::Switch", ""),
            ("impl Switch", "use super::Switch;"),
            ("impl<'a, F: Fn() -> u8> Exchange<'a, F> where F: Copy", "use crate::pbx::Switch as Exchange;"),
            ("impl crate::pbx::switch::Switch", "#[cfg(test)]\nmod tests;"),
        ] {
            let own = format!("pub struct Switch;\n{}", block("impl Switch", 20));
            let more = format!("{before}\n{}", block(head, 21));
            let parent = "mod switch; pub use switch::Switch;".to_owned();
            let fault = only(&[("pbx/mod.rs", parent), ("pbx/switch.rs", own), ("pbx/switch/more.rs", more)]);
            assert!(fault.contains("`Switch` has 41 methods"), "{head}: {fault}");
        }
    }

    #[test]
    fn a_trait_of_one_type_hides_no_methods() {
        let own = format!("pub struct Switch;\n{}", block("impl Switch", 30));
        let more = format!("{}impl Ringing for super::Switch {{}}\n", block("pub trait Ringing", 11));
        let fault = only(&[("pbx/switch.rs", own), ("pbx/switch/more.rs", more)]);
        assert!(fault.contains("`Switch` has 41 methods (30 own, 11 by trait `Ringing`), at most 40"), "{fault}");
    }

    #[test]
    fn deref_hides_no_methods() {
        let inner = format!("pub struct Inner;\n{}", block("impl Inner", 21));
        let deref =
            "impl std::ops::Deref for Switch { type Target = inner::Inner; fn deref(&self) -> &Inner { &self.0 } }";
        let outer = format!("mod inner;\npub struct Switch;\n{}{deref}", block("impl Switch", 20));
        let fault = only(&[("pbx/switch.rs", outer), ("pbx/switch/inner.rs", inner)]);
        assert!(fault.contains("`Switch` has 41 methods (20 own, 21 of `Inner` by `Deref`), at most 40"), "{fault}");
    }

    #[test]
    fn too_many_files_with_impl_blocks_are_found() {
        let part = || "impl super::Switch { fn f() {} }".to_owned();
        let own = || "pub struct Switch; impl Switch {}".to_owned();
        let fault = only(&[("pbx/switch.rs", own()), ("pbx/switch/a.rs", part()), ("pbx/switch/b.rs", part())]);
        assert!(fault.contains("`Switch` has `impl` blocks in 3 files, at most 2"), "{fault}");
        assert!(fault.ends_with(": pbx/switch.rs, pbx/switch/a.rs, pbx/switch/b.rs"), "{fault}");
        let by_trait = "trait B { fn b(); } impl B for super::Switch { fn b() {} }".to_owned();
        let fault = only(&[("pbx/switch.rs", own()), ("pbx/switch/a.rs", part()), ("pbx/switch/b.rs", by_trait)]);
        assert!(fault.contains("in 3 files"), "{fault}");
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let most = format!("pub struct Switch;\n{}", block("impl Switch", MAX_METHODS));
        let tests = format!("{most}#[cfg(test)]\n{}", block("impl Switch", 1));
        let std =
            format!("{most}{}{}", block("impl std::fmt::Display for Switch", 1), block("impl Drop for Switch", 1));
        let shared = format!(
            "{most}struct Other;\n{}impl Rings for Switch {{ fn f0() {{}} }}\nimpl Rings for Other {{ fn f0() {{}} }}",
            block("trait Rings", 1)
        );
        let returned = format!("{most}fn a(b: &impl Fn()) -> impl Iterator<Item = u8> {{ c() }}");
        for text in [&most, &tests, &std, &shared, &returned] {
            assert_eq!(found(&[("pbx/switch.rs", text.clone())]), Vec::<String>::new());
        }
        // Two types of one name.
        assert_eq!(found(&[("pbx/switch.rs", most.clone()), ("pbx/leg.rs", most.clone())]), Vec::<String>::new());
        // Traits of the standard library may be implemented anywhere.
        let drop = || "use super::Switch; impl Drop for Switch { fn drop(&mut self) {} }".to_owned();
        let files = [("pbx/switch.rs", most), ("pbx/switch/a.rs", drop()), ("pbx/switch/b.rs", drop())];
        assert_eq!(found(&files), Vec::<String>::new());
    }
}
