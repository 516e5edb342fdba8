//! Contact (RFC 3261 20.10).

use super::{HeaderError, NameAddr};
use crate::sip::lex;
use std::fmt;

/// One value of a Contact header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactValue {
    /// `*`: all bindings, only in a REGISTER that removes them (RFC 3261 10.2.2).
    Star,
    /// An address.
    Address(NameAddr),
}

impl ContactValue {
    /// Reads one value.
    pub fn parse(value: &[u8]) -> Result<ContactValue, HeaderError> {
        if value.trim_ascii() == b"*" {
            return Ok(ContactValue::Star);
        }
        NameAddr::parse(value).map(ContactValue::Address)
    }

    /// The address; `None` for `*`.
    pub fn address(&self) -> Option<&NameAddr> {
        match self {
            ContactValue::Star => None,
            ContactValue::Address(address) => Some(address),
        }
    }

    /// The `expires` parameter in seconds; see `expires_seconds` for malformed values.
    pub fn expires(&self) -> Option<u32> {
        self.address()?.params.get("expires").map(|value| expires_seconds(value.as_bytes()))
    }

    /// The `q` parameter in thousandths, from 0 to 1000; 1000 when it is absent or malformed.
    pub fn q(&self) -> u16 {
        self.address().and_then(|a| a.params.get("q")).and_then(thousandths).unwrap_or(1000)
    }
}

impl fmt::Display for ContactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContactValue::Star => f.write_str("*"),
            ContactValue::Address(address) => address.fmt(f),
        }
    }
}

/// A number of seconds as in Expires and `expires=`. More than 2^32 - 1 counts as that (RFC 4475 3.1.2.4); anything
/// that is not a number counts as 3600 (RFC 3261 20.10: "Malformed values SHOULD be treated as equivalent to 3600").
pub fn expires_seconds(value: &[u8]) -> u32 {
    let value = value.trim_ascii();
    match lex::number(value, u64::from(u32::MAX)).and_then(|n| u32::try_from(n).ok()) {
        Some(seconds) => seconds,
        None if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => u32::MAX,
        None => 3600,
    }
}

/// RFC 3261 25.1: `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if whole.len() != 1 || fraction.len() > 3 {
        return None;
    }
    let digits = format!("{whole}{fraction:0<3}");
    lex::number(digits.as_bytes(), 1000).and_then(|n| u16::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ContactValue {
        ContactValue::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn expires_and_q() {
        assert_eq!(parse(" * "), ContactValue::Star);
        assert_eq!(parse("<sip:a@b>;expires=60;q=0.7").expires(), Some(60));
        assert_eq!(parse("<sip:a@b>;expires=280297596632815").expires(), Some(u32::MAX));
        assert_eq!(parse("<sip:a@b>;expires=soon").expires(), Some(3600));
        assert_eq!(parse("<sip:a@b>").expires(), None);
        for (q, expected) in [
            ("0.7", 700),
            ("1", 1000),
            ("1.000", 1000),
            ("0", 0),
            ("0.05", 50),
            ("1.1", 1000),
            ("x", 1000),
            ("0.1234", 1000),
        ] {
            assert_eq!(parse(&format!("<sip:a@b>;q={q}")).q(), expected, "{q}");
        }
    }

    /// A real Cisco 7960.
    #[test]
    fn a_cisco_contact_keeps_its_parameters_apart() {
        let contact = parse(
            "<sip:1600@192.0.2.130:5060;user=phone;transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000e84c060a6>\";+u.sip!model.ccm.cisco.com=\"7\"",
        );
        let address = contact.address().unwrap();
        assert_eq!(address.params.get("+u.sip!model.ccm.cisco.com"), Some("7"));
        assert_eq!(address.params.get("+SIP.instance"), Some("<urn:uuid:00000000-0000-0000-0000-000e84c060a6>"));
        let uri = address.uri.sip().unwrap();
        assert_eq!(
            (uri.params.get("user"), uri.params.get("transport"), uri.port),
            (Some("phone"), Some("udp"), Some(5060))
        );
    }
}
