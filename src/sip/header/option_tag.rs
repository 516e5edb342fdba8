//! Lists of option tags: Require, Supported, Proxy-Require, Unsupported (RFC 3261 19.2).

use super::{HeaderName, Headers};
use crate::sip::lex;
use std::fmt;

/// Option tags in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OptionTags(pub Vec<String>);

impl OptionTags {
    /// All option tags of the lines of this name; none when there is no such line.
    pub fn from_headers(headers: &Headers, name: HeaderName) -> OptionTags {
        OptionTags(headers.values(name).map(|value| lex::text(&value).into_owned()).collect())
    }

    /// Whether a tag is among them; tags are tokens and so compared without case (RFC 3261 7.3.1).
    pub fn contains(&self, tag: &str) -> bool {
        self.0.iter().any(|t| t.eq_ignore_ascii_case(tag))
    }

    /// Those that are not in `known`: what goes into Unsupported of a 420 (RFC 3261 8.2.2.3).
    pub fn unknown(&self, known: &[&str]) -> OptionTags {
        OptionTags(self.0.iter().filter(|t| !known.iter().any(|k| t.eq_ignore_ascii_case(k))).cloned().collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for OptionTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3261 8.2.2.3: the UAS "MUST add an Unsupported header field, and list in it those options it does not
    /// understand".
    #[test]
    fn the_unknown_ones_are_listed() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Require, "100rel, Timer");
        headers.push(HeaderName::Require, "nothingSupportsThis");
        let tags = OptionTags::from_headers(&headers, HeaderName::Require);
        assert!(tags.contains("timer") && !tags.contains("replaces"));
        assert_eq!(tags.unknown(&["timer", "replaces"]).to_string(), "100rel, nothingSupportsThis");
        assert!(OptionTags::from_headers(&headers, HeaderName::Supported).is_empty());
    }
}
