//! The parts of an `exten` line.

use std::fmt;

/// A priority's number, or the hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    At(u32),
    Hint,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::At(number) => write!(f, "{number}"),
            Number::Hint => f.write_str("hint"),
        }
    }
}

/// What a priority counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base<'a> {
    Number(u32),
    Next,
    Same,
    Hint,
    Label(&'a str),
}

/// A priority as written: `base+plus(label)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<'a> {
    pub(super) base: Base<'a>,
    pub(super) plus: u32,
    pub(super) label: Option<&'a str>,
}

/// What stands before and behind the first separator outside `[...]`.
pub(super) fn cut(text: &str, separator: char) -> Option<(&str, &str)> {
    let mut inside = false;
    let at = text.char_indices().find(|(_, letter)| {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        *letter == separator && !inside
    });
    // A set that is never closed must not swallow the line.
    let at = match at {
        Some((at, _)) => at,
        None => text.find(separator)?,
    };
    Some((text.get(..at)?, text.get(at.saturating_add(separator.len_utf8())..)?))
}

pub(super) fn priority(text: &str) -> Result<Written<'_>, String> {
    if is_application(text) {
        return Err(format!("an application stands where the priority belongs ('{text}'): write 1 or n before it"));
    }
    let (text, label) = match text.split_once('(') {
        Some((before, label)) => {
            let label =
                label.strip_suffix(')').ok_or_else(|| format!("the label of priority '{text}' lacks its ')'"))?;
            (before.trim(), Some(label.trim()).filter(|label| !label.is_empty()))
        }
        None => (text, None),
    };
    let (base, plus) = match text.split_once('+') {
        Some((base, plus)) => {
            (base.trim(), plus.trim().parse().map_err(|_| format!("'+{plus}' is not a number to add to a priority"))?)
        }
        None => (text, 0),
    };
    let base = match base {
        "" => return Err("the priority is empty".to_owned()),
        "n" | "next" => Base::Next,
        "s" | "same" => Base::Same,
        "hint" => Base::Hint,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Base::Number(digits.parse().map_err(|_| format!("the priority {digits} is too large"))?)
        }
        label => Base::Label(label),
    };
    Ok(Written { base, plus, label })
}

/// Whether it begins as `Dial(...` does: a word that is no priority, and an argument.
fn is_application(text: &str) -> bool {
    let is_word = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let words = ["n", "next", "s", "same", "hint"];
    text.split_once('(').is_some_and(|(name, _)| is_word(name.trim()) && !words.contains(&name.trim()))
}

/// The application's name, its arguments, and what is odd. The arguments end at the last `)`.
pub(super) fn application(text: &str, is_hint: bool) -> (&str, &str, Option<&'static str>) {
    let Some((name, rest)) = text.split_once('(') else { return (text, "", None) };
    if is_hint || name.contains("${") || name.contains("$[") {
        return (text, "", None);
    }
    match rest.rsplit_once(')') {
        Some((args, _)) => (name.trim_end(), args, None),
        None => {
            (name.trim_end(), rest, Some("the application's arguments are opened with '(' and never closed with ')'"))
        }
    }
}

/// Whether the arguments look like those of old files, separated by `|`.
pub(super) fn has_old_separator(args: &str) -> bool {
    !args.contains(',') && args.contains('|') && !args.contains("$[") && !args.contains('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_outside_sets() {
        assert_eq!(cut("_[1,2]X,1,NoOp()", ','), Some(("_[1,2]X", "1,NoOp()")));
        assert_eq!(cut("_[12,1,NoOp()", ','), Some(("_[12", "1,NoOp()")));
        assert_eq!(cut("100/_1X", '/'), Some(("100", "_1X")));
        assert_eq!(cut("100", ','), None);
    }

    #[test]
    fn priorities_read() {
        let read = |base, plus, label| Ok(Written { base, plus, label });
        assert_eq!(priority("1"), read(Base::Number(1), 0, None));
        assert_eq!(priority("n(busy)"), read(Base::Next, 0, Some("busy")));
        assert_eq!(priority("next+10(x)"), read(Base::Next, 10, Some("x")));
        assert_eq!(priority("busy+1"), read(Base::Label("busy"), 1, None));
        assert_eq!(priority("hint"), read(Base::Hint, 0, None));
        for bad in ["", "n(busy", "n+x", "99999999999", "n-1+"] {
            assert!(priority(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn applications_read() {
        assert_eq!(application("Dial(SIP/x, 20)", false), ("Dial", "SIP/x, 20", None));
        assert_eq!(application("NoOp", false), ("NoOp", "", None));
        assert_eq!(application("Set(A=$[(1)])", false), ("Set", "A=$[(1)]", None));
        assert_eq!(application("Dial,SIP/x", false), ("Dial,SIP/x", "", None));
        assert_eq!(application("DAHDI/g0/${GLOBAL(x)}", true), ("DAHDI/g0/${GLOBAL(x)}", "", None));
        assert!(application("Dial(SIP/x", false).2.is_some());
    }

    #[test]
    fn old_separators_are_seen_only_where_they_separate() {
        assert!(has_old_separator("SIP/x|20|t"));
        for args in ["SIP/x,20", "$[1 | 2]?3", "\"a|b\"", ""] {
            assert!(!has_old_separator(args), "{args}");
        }
    }
}
