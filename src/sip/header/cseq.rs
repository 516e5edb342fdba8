//! CSeq (RFC 3261 20.16).

use super::HeaderError;
use crate::sip::Method;
use crate::sip::lex::{self, Scan};
use std::fmt;

/// The number and method of a request within its dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSeq {
    /// Less than 2^31 (RFC 3261 8.1.1.5).
    pub number: u32,
    /// The request's method.
    pub method: Method,
}

impl CSeq {
    /// Reads the value.
    pub fn parse(value: &[u8]) -> Result<CSeq, HeaderError> {
        let mut scan = Scan::new(value);
        scan.skip_space();
        let digits = scan.take_while(|b| !b.is_ascii_whitespace());
        let number = lex::number(digits, 0x7fff_ffff)
            .and_then(|n| u32::try_from(n).ok())
            .ok_or(HeaderError("a sequence number that is not a number below 2^31"))?;
        let method = scan.rest().trim_ascii();
        if !lex::is_token(method) {
            return Err(HeaderError("a sequence number without a method"));
        }
        Ok(CSeq { number, method: Method::from_bytes(method) })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_two_to_the_31_and_a_method() {
        assert_eq!(CSeq::parse(b"0009\r\n  INVITE"), Ok(CSeq { number: 9, method: Method::Invite }));
        assert_eq!(CSeq::parse(b"2147483647 OPTIONS").map(|c| c.to_string()).as_deref(), Ok("2147483647 OPTIONS"));
        for bad in [
            "2147483648 INVITE",
            "36893488147419103232 REGISTER",
            "-1 BYE",
            "1",
            "1 ",
            "INVITE",
            "1 A B",
            "1 INV[TE",
            "",
        ] {
            assert!(CSeq::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
