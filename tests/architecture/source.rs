//! Rust source as the architecture test sees it: tokens with their lines, paths and functions, without comments,
//! strings and test code.

/// One word or sign of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path as it is written (`std::fs::read`), use trees spread out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
    pub written: Written,
}

impl Path {
    /// Whether a `use` makes it known in the file as `name`.
    pub fn makes_known(&self, name: &str) -> bool {
        matches!(&self.written, Written::Use { name: known, .. } if known == name)
    }

    /// Whether it is a `pub use`.
    pub fn is_handed_on(&self) -> bool {
        matches!(&self.written, Written::Use { public: true, .. })
    }
}

/// Where a path is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// In a `use`, which makes it known in the file as `name` (`*`: all that is behind it).
    Use { name: String, public: bool },
    /// In the code. A word alone is `called` when it reads like a type or a call, not like a variable, field or method.
    Code { called: bool },
}

/// One file of `src`, without its test code.
#[derive(Debug)]
pub struct Source {
    /// Its path below `src`.
    pub name: String,
    /// How many lines it has, those of test code not counted.
    pub lines: usize,
    pub program: Vec<Token>,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Self {
        let (program, test_lines) = without_tests(&tokens(text));
        Self { name: name.to_owned(), lines: text.lines().count() - test_lines, program }
    }
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Every path in the program.
pub fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.text == "use" {
            at = spread(tokens, at + 1, &[], is_public(tokens, at), &mut found);
        } else if is_word(&token.text) {
            let start = at;
            let mut segments = vec![token.text.clone()];
            while is(tokens, at + 1, "::") && tokens.get(at + 2).is_some_and(|next| is_word(&next.text)) {
                at += 2;
                segments.push(tokens[at].text.clone());
            }
            let called = reads_like_a_call(tokens, start, at + 1);
            let written = Written::Code { called };
            found.push(Path { segments, line: token.line, written });
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

/// Whether the word between `start` and `end` reads like a type or a call: no variable, field or method, and no row of
/// a table that a macro reads.
fn reads_like_a_call(tokens: &[Token], start: usize, end: usize) -> bool {
    const MAY_FOLLOW: [&str; 4] = ["as", "for", "if", "where"];
    if start.checked_sub(1).is_some_and(|before| is(tokens, before, ".") || is(tokens, before, "fn")) {
        return false;
    }
    let is_row = tokens.get(end).is_some_and(|next| is_word(&next.text) && !MAY_FOLLOW.contains(&next.text.as_str()));
    let is_type = tokens[start].text.starts_with(char::is_uppercase);
    (is_type && !is_row) || is(tokens, end, "(")
}

/// Whether what stands at `at` has a `pub`, `pub(super)` or the like before it.
fn is_public(tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    if !is(tokens, before, ")") {
        return is(tokens, before, "pub");
    }
    let open = (0..before).rev().find(|open| is(tokens, *open, "("));
    open.and_then(|open| open.checked_sub(1)).is_some_and(|word| is(tokens, word, "pub"))
}

/// Every function that has a body, and how many lines it takes from `fn` to its last brace.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(name) = tokens.get(at + 1).filter(|name| token.text == "fn" && is_word(&name.text)) else { continue };
        let Some(open) = body(tokens, at + 2) else { continue };
        let Some(close) = matching(tokens, open) else { continue };
        let lines = tokens[close].line - token.line + 1;
        found.push(Function { name: name.text.clone(), line: token.line, lines });
    }
    found
}

/// Where the body of the item at `from` opens; `None` for one that has none.
pub fn body(tokens: &[Token], from: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" if depth == 0 => return Some(at),
            ";" if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Where the bracket at `open` is closed.
pub fn matching(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Reads a use tree at `at`; returns where it ends.
fn spread(tokens: &[Token], mut at: usize, prefix: &[String], public: bool, found: &mut Vec<Path>) -> usize {
    let mut segments = prefix.to_vec();
    let mut alias = None;
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some() && !is(tokens, at, "}") {
                    at = spread(tokens, at, &segments, public, found);
                    if is(tokens, at, ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "as" => {
                alias = tokens.get(at + 1).map(|token| token.text.clone());
                at += 2;
            }
            "*" => {
                segments.push("*".to_owned());
                at += 1;
            }
            word if is_word(word) => {
                segments.push(word.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    let last = segments.iter().rev().find(|segment| *segment != "self").cloned();
    let name = alias.or(last).unwrap_or_default();
    found.push(Path { segments, line, written: Written::Use { name, public } });
    // Never stand still, whatever the source holds.
    if tokens.get(at).is_some_and(|token| !matches!(token.text.as_str(), "," | "}")) { at + 1 } else { at }
}

/// The tokens of what is compiled without `cfg(test)`, and the number of lines that the rest takes.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, usize) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut lines = 0;
    let mut at = 0;
    while at < tokens.len() {
        if MARK.iter().enumerate().all(|(offset, text)| is(tokens, at + offset, text)) {
            let end = after_item(tokens, at + MARK.len());
            lines += tokens[end - 1].line - tokens[at].line + 1;
            at = end;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    (kept, lines)
}

/// The end of the item at `from`: behind its closing brace or its semicolon.
fn after_item(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" if depth == 0 => return matching(tokens, at).map_or(tokens.len(), |close| close + 1),
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

pub fn is(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.text == text)
}

pub fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let start = at;
        at = skipped(&chars, at).unwrap_or(at);
        if at == start {
            let end = match chars[at] {
                ':' if chars.get(at + 1) == Some(&':') => at + 2,
                c if c.is_alphanumeric() || c == '_' => {
                    at + chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count()
                }
                _ => at + 1,
            };
            let text: String = chars[at..end].iter().collect();
            if !text.trim().is_empty() {
                found.push(Token { text, line });
            }
            at = end;
        }
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    found
}

/// The end of a comment, a string or a character that begins at `at`.
fn skipped(chars: &[char], at: usize) -> Option<usize> {
    let begins = |text: &str| text.chars().enumerate().all(|(offset, c)| chars.get(at + offset) == Some(&c));
    if begins("//") {
        return Some(at + chars[at..].iter().take_while(|c| **c != '\n').count());
    }
    if begins("/*") {
        return Some(after_comment(chars, at));
    }
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if let Some(prefix) = ["r", "br", "cr"].into_iter().find(|prefix| !after_word && begins(prefix)) {
        let hashes = chars[at + prefix.len()..].iter().take_while(|c| **c == '#').count();
        let open = at + prefix.len() + hashes;
        if chars.get(open) == Some(&'"') {
            let close =
                |from: usize| chars.get(from) == Some(&'"') && (1..=hashes).all(|n| chars.get(from + n) == Some(&'#'));
            return Some(
                (open + 1..chars.len()).find(|from| close(*from)).map_or(chars.len(), |from| from + 1 + hashes),
            );
        }
    }
    if begins("\"") {
        return Some(after_quote(chars, at, '"'));
    }
    if begins("'") {
        // 'x' and '\n' are characters, 'x without a second quote is a lifetime.
        let is_char = chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'');
        return is_char.then(|| after_quote(chars, at, '\''));
    }
    None
}

fn after_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
            }
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn after_quote(chars: &[char], at: usize, quote: char) -> usize {
    let mut at = at + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Vec<Token> {
        Source::new("a.rs", text).program
    }

    fn written(text: &str) -> Vec<String> {
        paths(&program(text)).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn use_trees_are_spread_out() {
        let paths = written("use std::{fs, net::{IpAddr, UdpSocket as Door}, io::*};\nuse a::b;");
        assert_eq!(paths, ["std::fs", "std::net::IpAddr", "std::net::UdpSocket", "std::io::*", "a::b"]);
    }

    #[test]
    fn a_use_is_known_by_its_name() {
        let names: Vec<(String, bool)> =
            paths(&program("use a::{self, b as c};\npub use d::*;\npub(super) use e::f;\nuse g;"))
                .into_iter()
                .filter_map(|path| match path.written {
                    Written::Use { name, public } => Some((name, public)),
                    Written::Code { .. } => None,
                })
                .collect();
        let wanted = [("a", false), ("c", false), ("*", true), ("f", true), ("g", false)];
        assert_eq!(names, wanted.map(|(name, public)| (name.to_owned(), public)));
    }

    #[test]
    fn a_call_is_no_variable_field_or_method() {
        let called: Vec<String> =
            paths(&program("fn a() { b(c); d.e(f); let g: H = i; }\nrows! { J k; }\nimpl L for M {}"))
                .into_iter()
                .filter(|path| path.written == Written::Code { called: true })
                .map(|path| path.segments.join("::"))
                .collect();
        assert_eq!(called, ["b", "H", "L", "M"]);
    }

    #[test]
    fn test_code_does_not_count_wherever_it_stands() {
        let lines = |text: &str| Source::new("a.rs", text).lines;
        assert_eq!(lines("//! x\n\n#[cfg(test)]\nmod tests;\n\nfn f() {}\n"), 4);
        assert_eq!(lines("fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n"), 2);
        assert_eq!(lines("#[cfg(test)]\nfn f() {\n}\nfn g() {}\n#[cfg(test)]\nuse a::{b,\nc};\nfn h() {}\n"), 2);
        assert_eq!(lines("/// `#[cfg(test)]`\nfn f() {}\n"), 2);
    }

    #[test]
    fn comments_strings_and_tests_are_not_read() {
        let text = "// std::fs\n/* std /* fs */ x */ let a = \"std::fs \\\" b\"; let r = r#\"x\" y\"#; let c = '\"';\n\
                    #[cfg(test)]\nmod tests { use std::fs; }\nfn f<'a>(x: &'a str) {}";
        assert_eq!(written(text), ["let", "a", "let", "r", "let", "c", "fn", "f", "a", "x", "a", "str"]);
    }

    #[test]
    fn lines_of_functions_are_counted() {
        let text = "fn one(a: [u8; 4]) -> u8 {\n  if a { b }\n  c\n}\ntrait T { fn none(&self); }";
        assert_eq!(functions(&program(text)), [Function { name: "one".to_owned(), line: 1, lines: 4 }]);
    }

    #[test]
    fn lines_stay_right_behind_strings_that_run_over_several() {
        let all = program("let a = \"x\ny\";\nb");
        assert_eq!(all.last().map(|token| token.line), Some(3));
    }
}
