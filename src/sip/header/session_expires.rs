//! Session-Expires and Min-SE (RFC 4028 4 and 5).

use super::{HeaderName, Headers, Params};
use crate::sip::lex::{self, Scan};
use std::fmt;

/// The shortest interval there may be, in seconds (RFC 4028 4).
pub const SHORTEST: u32 = 90;

/// Which side of a request refreshes the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresher {
    /// The one that sent the request.
    Uac,
    /// The one that responds to it.
    Uas,
}

impl Refresher {
    /// The value in the header field.
    pub fn name(self) -> &'static str {
        match self {
            Refresher::Uac => "uac",
            Refresher::Uas => "uas",
        }
    }

    /// The refresher of a name in any case; `None` for another value.
    pub fn from_name(name: &str) -> Option<Refresher> {
        [Refresher::Uac, Refresher::Uas].into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }
}

/// A Session-Expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpires {
    /// The seconds after which an unrefreshed call is over.
    pub seconds: u32,
    /// Who is to refresh it; `None` when the responding side chooses.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// The one in a message; `None` when there is none or it is malformed: then there is no session timer.
    pub fn of(headers: &Headers) -> Option<SessionExpires> {
        let (seconds, params) = delta_seconds(headers, HeaderName::SessionExpires)?;
        Some(SessionExpires { seconds, refresher: params.get("refresher").and_then(Refresher::from_name) })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        self.refresher.map_or(Ok(()), |refresher| write!(f, ";refresher={}", refresher.name()))
    }
}

/// The seconds of a message's Min-SE; `None` when there is none or it is malformed.
pub fn min_se(headers: &Headers) -> Option<u32> {
    delta_seconds(headers, HeaderName::MinSe).map(|(seconds, _)| seconds)
}

fn delta_seconds(headers: &Headers, name: HeaderName) -> Option<(u32, Params)> {
    let value = headers.get(name)?;
    let mut scan = Scan::new(value);
    scan.skip_space();
    // More than 32 bits hold means never.
    let digits = scan.token();
    let seconds = match lex::number(digits, u64::from(u32::MAX)).and_then(|seconds| u32::try_from(seconds).ok()) {
        Some(seconds) => seconds,
        None if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => u32::MAX,
        None => return None,
    };
    Some((seconds, Params::parse(&mut scan).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<SessionExpires> {
        let mut headers = Headers::new();
        headers.push(HeaderName::SessionExpires, value.to_owned());
        SessionExpires::of(&headers)
    }

    /// RFC 4028 4.
    #[test]
    fn seconds_and_who_refreshes() {
        assert_eq!(read("1800"), Some(SessionExpires { seconds: 1800, refresher: None }));
        let named = SessionExpires { seconds: 90, refresher: Some(Refresher::Uas) };
        assert_eq!(read("90 ;x=y; Refresher=UAS"), Some(named));
        assert_eq!(named.to_string(), "90;refresher=uas");
        assert_eq!(read("90;refresher=both"), Some(SessionExpires { seconds: 90, refresher: None }));
        assert_eq!(read("99999999999999999999").map(|read| read.seconds), Some(u32::MAX));
        for bad in ["", "-1", "x", "1 2", ";refresher=uac"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_least_there_may_be() {
        let mut headers = Headers::new();
        assert_eq!(min_se(&headers), None);
        headers.push(HeaderName::MinSe, "120");
        assert_eq!(min_se(&headers), Some(120));
    }
}
