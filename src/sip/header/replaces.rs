//! Replaces (RFC 3891): which dialog an INVITE takes the place of; as a header field, and within the URI of Refer-To.

use super::{HeaderError, Params};
use crate::sip::lex::Scan;
use crate::sip::uri::SipUri;
use std::fmt;

/// `call-id;to-tag=...;from-tag=...;early-only`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The Call-ID of the dialog.
    pub call_id: String,
    /// The tag of whoever receives the INVITE.
    pub to_tag: String,
    /// The tag of the other side of that dialog.
    pub from_tag: String,
    /// Only while the dialog is early.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the value of the header field (RFC 3891 6.1).
    ///
    /// # Errors
    /// It has no Call-ID, or not both tags.
    pub fn parse(value: &[u8]) -> Result<Replaces, HeaderError> {
        let mut scan = Scan::new(value);
        scan.skip_space();
        let call_id = scan.take_while(|byte| byte != b';' && byte > b' ');
        let call_id = std::str::from_utf8(call_id).unwrap_or_default();
        if call_id.is_empty() {
            return Err(HeaderError("a Replaces without a Call-ID"));
        }
        let params = Params::parse(&mut scan)?;
        let tag = |name| params.get(name).filter(|tag| !tag.is_empty()).map(str::to_owned);
        match (tag("to-tag"), tag("from-tag")) {
            (Some(to_tag), Some(from_tag)) => {
                Ok(Replaces { call_id: call_id.to_owned(), to_tag, from_tag, early_only: params.has("early-only") })
            }
            _ => Err(HeaderError("a Replaces without both tags")),
        }
    }

    /// What a URI says of the INVITE that is to be sent to it (RFC 3261 19.1.1, RFC 3891 5); none when it says nothing of
    /// a dialog.
    pub fn of_uri(uri: &SipUri) -> Option<Result<Replaces, HeaderError>> {
        let fields = uri.headers.as_deref()?.split('&').filter_map(|field| field.split_once('='));
        let mut named = fields.filter(|(name, _)| name.eq_ignore_ascii_case("replaces"));
        named.next().map(|(_, value)| Replaces::parse(&unescaped(value)))
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replaces { call_id, to_tag, from_tag, early_only } = self;
        let early = if *early_only { ";early-only" } else { "" };
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}{early}")
    }
}

/// The octets of a text with `%` escapes; one that is none stands for itself.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::sip::uri::Uri;

    /// RFC 3891 6.1, the examples.
    #[test]
    fn the_examples_of_the_rfc() {
        let replaces = Replaces::parse(b"98732@sip.example.com\r\n ;from-tag=r33th4x0r ;to-tag=ff87ff").unwrap();
        assert_eq!(replaces.to_string(), "98732@sip.example.com;to-tag=ff87ff;from-tag=r33th4x0r");
        let early = Replaces::parse(b"12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only").unwrap();
        assert!(early.early_only);
        for bad in ["", ";to-tag=1;from-tag=2", "x", "x;to-tag=1", "x;from-tag=2", "x;to-tag=;from-tag=1"] {
            assert!(Replaces::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_uri_says_it_with_escapes() {
        let text = "sip:100@192.0.2.1?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces";
        let Ok(Uri::Sip(uri)) = Uri::parse(text.as_bytes()) else { panic!() };
        assert_eq!(Replaces::of_uri(&uri).unwrap().unwrap().to_string(), "a@b;to-tag=1;from-tag=2");
        let Ok(Uri::Sip(uri)) = Uri::parse(b"sip:100@192.0.2.1") else { panic!() };
        assert!(Replaces::of_uri(&uri).is_none());
        assert_eq!(unescaped("%4"), b"%4");
        assert_eq!(unescaped("%zz%41"), b"%zzA");
    }

    #[test]
    fn whatever_comes_is_read_or_refused() {
        let mut rng = Rng::from_number(3891);
        for _ in 0..20_000 {
            let mut text = b"a%40b;to-tag=1;from-tag=2;early-only".to_vec();
            for _ in 0..=rng.below(4) {
                let at = usize::try_from(rng.below(text.len() as u64)).unwrap();
                text[at] = rng.below(256) as u8;
            }
            if let Ok(read) = Replaces::parse(&text) {
                assert_eq!(Replaces::parse(read.to_string().as_bytes()), Ok(read));
            }
            let _ = unescaped(&String::from_utf8_lossy(&text));
        }
    }
}
