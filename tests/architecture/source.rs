//! Rust source as the architecture test sees it: tokens with their lines, paths and functions, without comments,
//! strings and test code.

/// One word or sign of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path as it is written (`std::fs::read`), use trees spread out.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// The tokens of what is compiled without `cfg(test)`.
pub fn program(text: &str) -> Vec<Token> {
    without_tests(&tokens(text))
}

/// The number of lines up to the tests at the end of the file.
pub fn length(text: &str) -> usize {
    text.lines().position(|line| line == "#[cfg(test)]").unwrap_or_else(|| text.lines().count())
}

/// Every path in the program.
pub fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.text == "use" {
            at = spread(tokens, at + 1, &[], &mut found);
        } else if is_word(&token.text) {
            let mut segments = vec![token.text.clone()];
            while is(tokens, at + 1, "::") && tokens.get(at + 2).is_some_and(|next| is_word(&next.text)) {
                at += 2;
                segments.push(tokens[at].text.clone());
            }
            found.push(Path { segments, line: token.line });
            at += 1;
        } else {
            at += 1;
        }
    }
    found
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

fn body(tokens: &[Token], from: usize) -> Option<usize> {
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

fn matching(tokens: &[Token], open: usize) -> Option<usize> {
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
fn spread(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Path>) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some() && !is(tokens, at, "}") {
                    at = spread(tokens, at, &segments, found);
                    if is(tokens, at, ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "as" => at += 2,
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
    found.push(Path { segments, line });
    // Never stand still, whatever the source holds.
    if tokens.get(at).is_some_and(|token| !matches!(token.text.as_str(), "," | "}")) { at + 1 } else { at }
}

fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if MARK.iter().enumerate().all(|(offset, text)| is(tokens, at + offset, text)) {
            at = after_item(tokens, at + MARK.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The end of the item at `from`: its closing brace or its semicolon.
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

fn is(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.text == text)
}

fn is_word(text: &str) -> bool {
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

    fn written(text: &str) -> Vec<String> {
        paths(&program(text)).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn use_trees_are_spread_out() {
        let paths = written("use std::{fs, net::{IpAddr, UdpSocket as Door}, io::*};\nuse a::b;");
        assert_eq!(paths, ["std::fs", "std::net::IpAddr", "std::net::UdpSocket", "std::io::*", "a::b"]);
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
