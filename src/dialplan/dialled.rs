//! A dialled number must not write dial strings: whoever dials `201&SIP/trunk/0900` is not to ring what the owner never
//! wrote. What a telephone can dial is not known to be digits, and owners write `Dial(SIP/${EXTEN})`.

/// Does a separator come from one of these texts, which callers decide: one of the dial string (`&`, `/`, `!`, `@` where
/// the owner wrote none, `:` where he wrote one), or one between arguments (a comma, and what protects one)? `written`: the arguments as the owner
/// wrote them, before substitution; `given`: after it; `whom`: the dial string among them. A text counts however it came
/// there: by itself, cut, or by another variable; the separator and what follows it stands there once more than in what was
/// written.
pub(crate) fn is_injected(written: &str, given: &str, whom: &str, texts: &[&str]) -> bool {
    texts.iter().any(|text| {
        text.char_indices().any(|(at, letter)| {
            let within = match letter {
                '&' | '/' | '!' => whom,
                // A password, a port: only where a host may be called.
                ':' if written.contains('@') => whom,
                '@' if !written.contains('@') => whom,
                ',' | '"' | '\\' => given,
                _ => return false,
            };
            let piece = fragment(text, at);
            let more = |piece: &str| count(within, piece) > count(written, piece);
            more(piece) && more(letter.encode_utf8(&mut [0; 4]))
        })
    })
}

/// The separator at that place, and the letter behind it.
pub(super) fn fragment(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
    rest.get(..end).unwrap_or(rest)
}

pub(super) fn count(text: &str, piece: &str) -> usize {
    text.matches(piece).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_the_dialled_number_are_found_and_those_of_the_owner_are_not() {
        for (written, whom, dialled, found) in [
            ("SIP/${EXTEN}", "SIP/201", "201", false),
            ("SIP/${EXTEN}", "SIP/201&SIP/trunk", "201&SIP/trunk", true),
            ("SIP/${EXTEN:1}@trunk", "SIP/5&SIP/x@trunk", "95&SIP/x", true),
            ("SIP/${NUMBER}@trunk", "SIP/5/x@trunk", "5/x", true),
            ("SIP/${EXTEN}", "SIP/5@trunk", "5@trunk", true),
            ("SIP/${EXTEN}@trunk", "SIP/5@other@trunk", "5@other", false),
            ("SIP/a&SIP/b", "SIP/a&SIP/b", "9&SIP/c", false),
            ("SIP/a&SIP/${EXTEN}", "SIP/a&SIP/9&SIP/c", "9&SIP/c", true),
            ("${PHONES}", "SIP/a&SIP/b", "201", false),
            ("SIP/${FILTER(0-9,${EXTEN})}@trunk", "SIP/95@trunk", "9&5", false),
            ("SIP/isp", "SIP/isp", "9/i", false),
            ("SIP/${EXTEN}", "SIP/9&", "9&", true),
            ("SIP/${EXTEN}@trunk", "SIP/5!x@trunk", "5!x", true),
            ("SIP/${EXTEN}@trunk", "SIP/5:pw@trunk", "5:pw", true),
            ("SIP/${EXTEN}", "SIP/tel:5", "tel:5", false),
        ] {
            assert_eq!(is_injected(written, whom, whom, &[dialled]), found, "{written} {dialled}");
        }
    }

    #[test]
    fn whoever_dials_a_comma_writes_no_options() {
        let written = "SIP/${EXTEN},20";
        for (dialled, found) in [("201", false), ("201,30,G(internal^0900^1)", true), ("201,20", true), ("2\"01", true)]
        {
            let given = written.replace("${EXTEN}", dialled);
            let whom = given.split(',').next().unwrap();
            assert_eq!(is_injected(written, &given, whom, &[dialled]), found, "{dialled}");
        }
        assert!(!is_injected("SIP/isp,20,f(1)", "SIP/isp,20,f(1)", "SIP/isp", &["Doe, John"]), "it is not used there");
    }
}
