//! An address with its display name: From, To, Contact, Route and similar ones (RFC 3261 20.10, 25.1).

use super::{HeaderError, Params};
use crate::sip::lex::{self, Scan};
use crate::sip::uri::Uri;
use smol_str::SmolStr;
use std::fmt;

/// `"display" <uri>;params`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name without quotes and escapes; `None` when there is none.
    pub display: Option<SmolStr>,
    /// The address.
    pub uri: Uri,
    /// The header parameters; not the URI's own.
    pub params: Params,
}

impl NameAddr {
    /// An address without display name or parameters.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: Params::new() }
    }

    /// Reads one address. Without angle brackets everything after the first `;` belongs to the header, and the URI may
    /// hold neither comma nor question mark (RFC 3261 20.10, 20).
    pub fn parse(value: &[u8]) -> Result<NameAddr, HeaderError> {
        let mut scan = Scan::new(value);
        scan.skip_space();
        let display = match scan.peek() {
            None => return Err(HeaderError("an empty address")),
            Some(b'"') => {
                let inside = scan.quoted().ok_or(HeaderError("a display name whose quote is not closed"))?;
                scan.skip_space();
                Some(lex::unescape(inside))
            }
            Some(b'<') => None,
            Some(_) => match plain_display(&mut scan)? {
                Some(display) => Some(display),
                None => return bare(scan),
            },
        };
        if !scan.eat(b'<') {
            return Err(HeaderError("a display name that is not followed by an address in angle brackets"));
        }
        let uri = scan.take_while(|b| b != b'>');
        if !scan.eat(b'>') {
            return Err(HeaderError("an address whose angle bracket is not closed"));
        }
        Ok(NameAddr { display, uri: Uri::parse(uri)?, params: Params::parse(&mut scan)? })
    }

    /// The dialog tag (RFC 3261 19.3).
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            lex::write_quoted(f, display)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// The unquoted display name before `<`; `None`, and nothing consumed, when the address has no angle brackets. The RFC
/// allows tokens only; old devices also send dots, umlauts and similar characters, which are not ambiguous. A comma is:
/// it would begin another address.
fn plain_display(scan: &mut Scan<'_>) -> Result<Option<SmolStr>, HeaderError> {
    let words = scan.rest().split(|b| *b == b'<').next().unwrap_or_default();
    if words.len() == scan.rest().len() {
        return Ok(None);
    }
    // `sip:a@b;x=<y>` is a bare address with a bad parameter, and no display name.
    if words.iter().any(|b| matches!(b, b',' | b';' | b'"' | b'>' | b'\\') || *b < b' ' && *b != b'\t' || *b == 0x7f) {
        return Err(HeaderError("a display name that needs quotes"));
    }
    scan.take_while(|b| b != b'<');
    Ok(Some(lex::kept(words.trim_ascii())))
}

fn bare(mut scan: Scan<'_>) -> Result<NameAddr, HeaderError> {
    let uri = scan.take_while(|b| b != b';').trim_ascii_end();
    if uri.iter().any(|b| matches!(b, b',' | b'?')) {
        return Err(HeaderError("an address with a comma or question mark that needs angle brackets"));
    }
    Ok(NameAddr { display: None, uri: Uri::parse(uri)?, params: Params::parse(&mut scan)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NameAddr, HeaderError> {
        NameAddr::parse(text.as_bytes())
    }

    #[test]
    fn every_legal_shape_is_read() -> Result<(), HeaderError> {
        for (text, display, uri, tag) in [
            ("<sip:881@192.0.2.1>", None, "sip:881@192.0.2.1", None),
            (
                "\"J Rosen \\\\\\\"\"<sip:j@example.com> ; tag = 98asjd8",
                Some("J Rosen \\\""),
                "sip:j@example.com",
                Some("98asjd8"),
            ),
            ("caller<sip:caller@example.com>;tag=323", Some("caller"), "sip:caller@example.com", Some("323")),
            ("Two Words  <sip:a@b>", Some("Two Words"), "sip:a@b", None),
            ("\"\" <sip:a@b>", Some(""), "sip:a@b", None),
            ("sip:v@chair.example.com ;   tag    = 1918181833n", None, "sip:v@chair.example.com", Some("1918181833n")),
            ("sip:a@b;tag=x", None, "sip:a@b", Some("x")),
            ("<sip:a@b;tag=uris>;x=y", None, "sip:a@b;tag=uris", None),
            ("tel:+15551234", None, "tel:+15551234", None),
            ("<sip:a@b?Subject=x>", None, "sip:a@b?Subject=x", None),
        ] {
            let address = parse(text)?;
            assert_eq!(
                (address.display.as_deref(), address.uri.to_string().as_str(), address.tag()),
                (display, uri, tag),
                "{text}"
            );
            assert_eq!(parse(&address.to_string())?, address, "{text}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "\"Mr. J. User <sip:j.user@example.com>",
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            "\"Watson, Thomas\" < sip:t.watson@example.org >",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "<sip:a@b",
            "\"a\" sip:a@b",
            "<sip:a@b>;;;;",
            "<sip:a@b> junk",
            "<sip:a@b>, <sip:c@d>",
            "<>",
            "<<sip:a@b>>",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
