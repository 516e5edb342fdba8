//! Text in XML.

/// A text as the value of an attribute or element (XML 1.0 2.4); what XML cannot carry at all is left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_attribute_or_element() {
        assert_eq!(escape("a\"b<c>&'\r\n\0d\u{ffff}é"), "a&quot;b&lt;c&gt;&amp;&apos;dé");
    }
}
