//! Parameters: `;name=value`, as in header fields and URIs.

use super::HeaderError;
use crate::sip::lex::{self, Scan};
use smol_str::SmolStr;
use std::fmt;

/// Maximum number of parameters of one value.
pub const MAX_PARAMS: usize = 64;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name, as written; compared without case.
    pub name: SmolStr,
    /// Its value without quotes; `None` for a flag such as `lr`.
    pub value: Option<SmolStr>,
    /// Whether the value is printed in quotes.
    pub quoted: bool,
}

/// Parameters in their order. Names are compared without regard to case (RFC 3261 7.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<Param>);

impl Params {
    /// No parameters.
    pub const fn new() -> Params {
        Params(Vec::new())
    }

    /// Reads the parameters of a header value: everything from the first `;` to the end (RFC 3261 25.1,
    /// `generic-param`). A name may occur only once (7.3.1).
    pub(crate) fn parse(scan: &mut Scan<'_>) -> Result<Params, HeaderError> {
        let mut params = Params::new();
        scan.skip_space();
        while !scan.is_empty() {
            if !scan.eat(b';') {
                return Err(HeaderError("something other than parameters after the value"));
            }
            scan.skip_space();
            let name = scan.token();
            if name.is_empty() {
                return Err(HeaderError("a parameter without a name"));
            }
            scan.skip_space();
            let (value, quoted) = if scan.eat(b'=') { value(scan)? } else { (None, false) };
            params.add(Param { name: lex::kept(name), value, quoted })?;
            scan.skip_space();
        }
        Ok(params)
    }

    /// Parses a URI's parameters, without the first `;` (RFC 3261 25.1, `uri-parameters`). A name may occur only once
    /// (19.1.1).
    pub(crate) fn parse_uri(text: &str) -> Result<Params, HeaderError> {
        let mut params = Params::new();
        for part in text.split(';') {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (part, None),
            };
            if name.is_empty() || value.is_some_and(str::is_empty) {
                return Err(HeaderError("a URI parameter without a name or value"));
            }
            params.add(Param { name: name.into(), value: value.map(SmolStr::new), quoted: false })?;
        }
        Ok(params)
    }

    fn add(&mut self, param: Param) -> Result<(), HeaderError> {
        if self.0.len() >= MAX_PARAMS {
            return Err(HeaderError("more than 64 parameters"));
        }
        if self.has(&param.name) {
            return Err(HeaderError("the same parameter twice"));
        }
        // Nearly every value has one or two.
        self.0.reserve_exact(1);
        self.0.push(param);
        Ok(())
    }

    /// Whether a parameter of this name is there, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// The value of the parameter of this name; `None` when it is absent or has none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|p| p.name.eq_ignore_ascii_case(name)).and_then(|p| p.value.as_deref())
    }

    /// Sets a parameter, in its place or else at the end. A value that is not a token is printed in quotes.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let quoted = value.is_some_and(|v| !v.bytes().all(is_value_byte) || v.is_empty());
        let value = value.map(SmolStr::new);
        match self.0.iter_mut().find(|p| p.name.eq_ignore_ascii_case(name)) {
            Some(param) => (param.value, param.quoted) = (value, quoted),
            None => self.0.push(Param { name: name.into(), value, quoted }),
        }
    }

    /// Removes a parameter.
    pub fn remove(&mut self, name: &str) -> Option<Param> {
        let at = self.0.iter().position(|p| p.name.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at))
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for param in &self.0 {
            write!(f, ";{}", param.name)?;
            match &param.value {
                Some(value) if param.quoted => {
                    f.write_str("=")?;
                    lex::write_quoted(f, value)?;
                }
                Some(value) => write!(f, "={value}")?,
                None => {}
            }
        }
        Ok(())
    }
}

/// The value after `=`: a token, host or quoted string, or anything else that is not ambiguous.
pub(crate) fn value(scan: &mut Scan<'_>) -> Result<(Option<SmolStr>, bool), HeaderError> {
    scan.skip_space();
    if scan.peek() == Some(b'"') {
        let inside = scan.quoted().ok_or(HeaderError("a quote that is not closed"))?;
        return Ok((Some(lex::unescape(inside)), true));
    }
    let value = scan.take_while(is_value_byte);
    if value.is_empty() {
        return Err(HeaderError("a parameter with an equals sign and no value"));
    }
    Ok((Some(lex::kept(value)), false))
}

fn is_value_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && !matches!(byte, b';' | b',' | b'"' | b'<' | b'>')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Params, HeaderError> {
        Params::parse(&mut Scan::new(text.as_bytes()))
    }

    #[test]
    fn order_case_quotes_and_blanks() -> Result<(), HeaderError> {
        let params = parse(" ; Tag = 98asjd8 ;lr; x=\"a;\\\"b\";+u.sip!model.ccm.cisco.com=\"7\"")?;
        assert_eq!(params.get("TAG"), Some("98asjd8"));
        assert!(params.has("lr") && params.get("lr").is_none());
        assert_eq!(params.get("x"), Some("a;\"b"));
        assert_eq!(params.to_string(), ";Tag=98asjd8;lr;x=\"a;\\\"b\";+u.sip!model.ccm.cisco.com=\"7\"");
        Ok(())
    }

    /// RFC 3261 7.3.1: "any given parameter-name MUST NOT appear more than once".
    #[test]
    fn what_is_no_parameter_is_refused() {
        for bad in [";", ";;a", ";a=", ";a=\"b", "a", ";a b", ";a;A", ";a,b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let many: String = (0..65).map(|n| format!(";p{n}")).collect();
        assert!(parse(&many).is_err());
    }

    #[test]
    fn setting_keeps_the_place_and_quotes_what_needs_it() -> Result<(), HeaderError> {
        let mut params = parse(";a=1;b=2")?;
        params.set("A", Some("x y"));
        params.set("c", None);
        assert!(params.remove("b").is_some());
        assert_eq!(params.to_string(), ";a=\"x y\";c");
        Ok(())
    }
}
