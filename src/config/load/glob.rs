//! File name patterns: `*`, `?`, `[a-z]`, `[!a-z]`, within one component of a path.

/// Whether a component holds a pattern at all.
pub(super) fn is_pattern(component: &str) -> bool {
    component.contains(['*', '?', '['])
}

/// Whether a file name matches. A leading dot must be written.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0usize, 0usize);
    // Where the last star stands, and from which character on it was left to match: one step back suffices.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = name.get(n) {
        let rest = pattern.get(p..).unwrap_or(&[]);
        if rest.first() == Some(&'*') {
            star = Some((p, n));
            p = p.saturating_add(1);
        } else if let Some(length) = one(rest, *c) {
            p = p.saturating_add(length);
            n = n.saturating_add(1);
        } else if let Some((at, from)) = star {
            star = Some((at, from.saturating_add(1)));
            (p, n) = (at.saturating_add(1), from.saturating_add(1));
        } else {
            return false;
        }
    }
    pattern.get(p..).unwrap_or(&[]).iter().all(|c| *c == '*')
}

/// How much of the pattern the character `c` uses up, when it matches.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => class(pattern, c),
        first => (*first == c).then_some(1),
    }
}

fn class(pattern: &[char], c: char) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let begin = if negated { 2 } else { 1 };
    // A bracket that stands first in the class is one of its members.
    let skip = begin + 1;
    let end = pattern.iter().skip(skip).position(|c| *c == ']').map(|at| at.saturating_add(skip));
    let Some(members) = end.and_then(|end| pattern.get(begin..end)) else { return (c == '[').then_some(1) };
    let mut is_in = false;
    let mut rest = members;
    while let Some(first) = rest.first() {
        if let (Some('-'), Some(last)) = (rest.get(1), rest.get(2)) {
            is_in |= (*first..=*last).contains(&c);
            rest = rest.get(3..).unwrap_or(&[]);
        } else {
            is_in |= *first == c;
            rest = rest.get(1..).unwrap_or(&[]);
        }
    }
    if is_in != negated { end.map(|end| end.saturating_add(1)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let yes = [
            ("*.conf", "a.conf"),
            ("*", "x"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("a*b*c", "aXbXbYc"),
            ("[]]", "]"),
            ("[", "["),
            (".*", ".x"),
            ("**", "ab"),
        ];
        for (pattern, name) in yes {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        let no = [
            ("*.conf", "a.cont"),
            ("*", ".x"),
            ("a?c", "ac"),
            ("[a-c]x", "dx"),
            ("[!a-c]x", "bx"),
            ("a*b*c", "aXc"),
            ("", "x"),
            ("x", ""),
        ];
        for (pattern, name) in no {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(50), &"a".repeat(49)), "and it is soon over");
    }
}
