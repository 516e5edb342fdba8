//! Header fields: THE table of their names, and the list a message holds.

pub mod auth;
pub mod contact;
pub mod cseq;
pub mod name_addr;
pub mod option_tag;
pub mod param;
pub mod replaces;
pub mod session_expires;
pub mod split;
pub mod via;

pub use auth::{Challenge, Credentials};
pub use contact::ContactValue;
pub use cseq::CSeq;
pub use name_addr::NameAddr;
pub use option_tag::OptionTags;
pub use param::Params;
pub use replaces::Replaces;
pub use session_expires::{Refresher, SessionExpires};
pub use via::{SentProtocol, Via};

use super::lex;
use super::uri::UriError;
use bytes::Bytes;
use split::Items;
use std::borrow::Cow;
use std::fmt;

/// How often a header field may occur in a message, and whether commas separate its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Once, one value.
    Single,
    /// Several lines, and several values in a line (RFC 3261 7.3.1).
    List,
    /// Several lines, each one value: commas belong to the value (RFC 3261 7.3.1 on WWW-Authenticate and its like).
    Lines,
}

macro_rules! header_table {
    ($($variant:ident $name:literal $compact:literal $arity:ident;)*) => {
        /// The name of a header field.
        #[derive(Debug, Clone)]
        pub enum HeaderName {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            /// A name that is not in the table, as received; compared without regard to case.
            Other(Bytes),
        }

        impl HeaderName {
            /// The known header fields: name, compact form (or NUL), arity.
            const TABLE: &'static [(HeaderName, &'static str, u8, Arity)] =
                &[$((HeaderName::$variant, $name, $compact, Arity::$arity),)*];

            /// The position of the name in the table; `None` for an unknown one.
            fn index(&self) -> Option<usize> {
                #[derive(Clone, Copy)]
                enum Index { $($variant,)* }
                match self {
                    $(HeaderName::$variant => Some(Index::$variant as usize),)*
                    HeaderName::Other(_) => None,
                }
            }

            /// The name as it is written on the wire, in its long form.
            pub fn as_bytes(&self) -> &[u8] {
                match self {
                    $(HeaderName::$variant => $name.as_bytes(),)*
                    HeaderName::Other(name) => name,
                }
            }
        }
    };
}

// The most frequent first, because the table is searched in this order.
header_table! {
    Via "Via" b'v' List;
    From "From" b'f' Single;
    To "To" b't' Single;
    CallId "Call-ID" b'i' Single;
    CSeq "CSeq" b'\0' Single;
    Contact "Contact" b'm' List;
    MaxForwards "Max-Forwards" b'\0' Single;
    ContentLength "Content-Length" b'l' Single;
    ContentType "Content-Type" b'c' Single;
    UserAgent "User-Agent" b'\0' Single;
    Allow "Allow" b'\0' List;
    Supported "Supported" b'k' List;
    Expires "Expires" b'\0' Single;
    Authorization "Authorization" b'\0' Lines;
    Route "Route" b'\0' List;
    RecordRoute "Record-Route" b'\0' List;
    Server "Server" b'\0' Single;
    WwwAuthenticate "WWW-Authenticate" b'\0' Lines;
    ProxyAuthenticate "Proxy-Authenticate" b'\0' Lines;
    ProxyAuthorization "Proxy-Authorization" b'\0' Lines;
    Accept "Accept" b'\0' List;
    Event "Event" b'o' Single;
    Require "Require" b'\0' List;
    Date "Date" b'\0' Single;
    SessionExpires "Session-Expires" b'x' Single;
    MinSe "Min-SE" b'\0' Single;
    AllowEvents "Allow-Events" b'u' List;
    SubscriptionState "Subscription-State" b'\0' Single;
    RemotePartyId "Remote-Party-ID" b'\0' List;
    PAssertedIdentity "P-Asserted-Identity" b'\0' List;
    PPreferredIdentity "P-Preferred-Identity" b'\0' List;
    Privacy "Privacy" b'\0' Lines;
    Diversion "Diversion" b'\0' List;
    Reason "Reason" b'\0' List;
    Replaces "Replaces" b'\0' Single;
    ReferTo "Refer-To" b'r' Single;
    ReferredBy "Referred-By" b'b' Single;
    AlertInfo "Alert-Info" b'\0' List;
    CallInfo "Call-Info" b'\0' List;
    Unsupported "Unsupported" b'\0' List;
    ProxyRequire "Proxy-Require" b'\0' List;
    Warning "Warning" b'\0' List;
    RetryAfter "Retry-After" b'\0' Single;
    MinExpires "Min-Expires" b'\0' Single;
    Path "Path" b'\0' List;
    ServiceRoute "Service-Route" b'\0' List;
    Subject "Subject" b's' Single;
    Timestamp "Timestamp" b'\0' Single;
    RSeq "RSeq" b'\0' Single;
    RAck "RAck" b'\0' Single;
    AcceptEncoding "Accept-Encoding" b'\0' List;
    AcceptLanguage "Accept-Language" b'\0' List;
    ContentDisposition "Content-Disposition" b'\0' Single;
    ContentEncoding "Content-Encoding" b'e' List;
    ContentLanguage "Content-Language" b'\0' List;
    AuthenticationInfo "Authentication-Info" b'\0' Lines;
    ErrorInfo "Error-Info" b'\0' List;
    InReplyTo "In-Reply-To" b'\0' List;
    MimeVersion "MIME-Version" b'\0' Single;
    Organization "Organization" b'\0' Single;
    Priority "Priority" b'\0' Single;
    ReplyTo "Reply-To" b'\0' Single;
    HistoryInfo "History-Info" b'\0' List;
    SipEtag "SIP-ETag" b'\0' Single;
    SipIfMatch "SIP-If-Match" b'\0' Single;
}

impl HeaderName {
    /// A name that need not be in the table, such as `X-Asterisk-HangupCause`.
    pub fn from_static(name: &'static str) -> HeaderName {
        HeaderName::known(name.as_bytes()).unwrap_or(HeaderName::Other(Bytes::from_static(name.as_bytes())))
    }

    /// The table's entry for a name or compact form in any case (RFC 3261 7.3.1, 7.3.3).
    pub fn known(name: &[u8]) -> Option<HeaderName> {
        if let [letter] = name {
            let compact = letter.to_ascii_lowercase();
            return Self::TABLE.iter().find(|row| row.2 == compact && compact != 0).map(|row| row.0.clone());
        }
        Self::TABLE.iter().find(|row| row.1.as_bytes().eq_ignore_ascii_case(name)).map(|row| row.0.clone())
    }

    /// The name as text.
    pub fn as_str(&self) -> Cow<'_, str> {
        lex::text(self.as_bytes())
    }

    /// Its compact form (RFC 3261 7.3.3), if it has one.
    pub fn compact(&self) -> Option<char> {
        let letter = Self::TABLE.get(self.index()?)?.2;
        (letter != 0).then(|| char::from(letter))
    }

    /// How often it may occur in a message; `Lines` for an unknown one, whose commas may have any meaning.
    pub fn arity(&self) -> Arity {
        self.index().and_then(|at| Self::TABLE.get(at)).map_or(Arity::Lines, |row| row.3)
    }

    /// A bit of its own for each known name, for counting in one pass.
    pub(super) fn bit(&self) -> u128 {
        self.index().and_then(|at| u32::try_from(at).ok()).and_then(|at| 1u128.checked_shl(at)).unwrap_or(0)
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &HeaderName) -> bool {
        match (self, other) {
            (HeaderName::Other(a), HeaderName::Other(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a.index() == b.index(),
        }
    }
}

impl Eq for HeaderName {}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str())
    }
}

/// A header value that does not follow its grammar; the text names the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderError(pub &'static str);

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for HeaderError {}

impl From<UriError> for HeaderError {
    fn from(error: UriError) -> HeaderError {
        HeaderError(error.0)
    }
}

/// The header fields of a message, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    lines: Vec<(HeaderName, Bytes)>,
}

impl Headers {
    /// No header fields.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// No header fields yet, with room for some.
    pub fn with_capacity(lines: usize) -> Headers {
        Headers { lines: Vec::with_capacity(lines) }
    }

    /// The value of the first line of this name.
    pub fn get(&self, name: HeaderName) -> Option<&Bytes> {
        self.lines.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The value of the first line of this name as text; bytes that are no UTF-8 are read as Latin-1.
    pub fn text(&self, name: HeaderName) -> Option<Cow<'_, str>> {
        self.get(name).map(|value| lex::text(value))
    }

    /// The values of all lines of this name, as written.
    pub fn lines(&self, name: HeaderName) -> impl Iterator<Item = &Bytes> {
        self.lines.iter().filter(move |(n, _)| *n == name).map(|(_, value)| value)
    }

    /// All values of this name across its lines, split at commas when it is a list (RFC 3261 7.3.1). Commas inside
    /// quotes, angle brackets and comments do not split; empty items are left out.
    pub fn values(&self, name: HeaderName) -> impl Iterator<Item = Bytes> {
        let list = name.arity() == Arity::List;
        self.lines(name).flat_map(move |line| Items::new(line.clone(), list))
    }

    /// How many lines have this name.
    pub fn count(&self, name: HeaderName) -> usize {
        self.lines(name).count()
    }

    /// Adds a line at the end.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.lines.push((name, value.into()));
    }

    /// Adds a line before all others: where our own Via goes.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        self.lines.insert(0, (name, value.into()));
    }

    /// Makes this the only line of its name, in the place of the first one or else at the end.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        let value = value.into();
        match self.lines.iter().position(|(n, _)| *n == name) {
            None => self.lines.push((name, value)),
            Some(first) => {
                let mut at = 0usize;
                self.lines.retain(|(n, _)| {
                    let keep = at <= first || *n != name;
                    at = at.saturating_add(1);
                    keep
                });
                self.set_first(name, value);
            }
        }
    }

    /// Replaces the first line of this name and leaves the others; nothing when there is none.
    pub fn set_first(&mut self, name: HeaderName, value: impl Into<Bytes>) {
        if let Some(line) = self.lines.iter_mut().find(|(n, _)| *n == name) {
            line.1 = value.into();
        }
    }

    /// Removes every line of this name.
    pub fn remove(&mut self, name: HeaderName) {
        self.lines.retain(|(n, _)| *n != name);
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = &(HeaderName, Bytes)> {
        self.lines.iter()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_finds_each_of_its_rows_by_name_and_compact_form() {
        assert!(HeaderName::TABLE.len() <= 128, "bit() has 128 bits");
        for (at, (name, text, compact, arity)) in HeaderName::TABLE.iter().enumerate() {
            assert_eq!(name.index(), Some(at));
            assert_eq!(HeaderName::known(text.to_ascii_uppercase().as_bytes()).as_ref(), Some(name));
            assert_eq!(name.arity(), *arity);
            if *compact != 0 {
                assert_eq!(HeaderName::known(&[compact.to_ascii_uppercase()]).as_ref(), Some(name));
            }
        }
        assert_eq!(HeaderName::known(b"\0"), None);
        assert_eq!(HeaderName::known(b""), None);
    }

    /// RFC 3261 7.3.1: "field names are always case-insensitive".
    #[test]
    fn unknown_names_compare_without_case() {
        let mut headers = Headers::new();
        headers.push(HeaderName::from_static("X-Thing"), "1");
        assert_eq!(headers.text(HeaderName::from_static("x-thing")).as_deref(), Some("1"));
        assert_eq!(headers.get(HeaderName::from_static("x-thing2")), None);
        assert_eq!(headers.get(HeaderName::Via), None);
    }

    /// RFC 3261 7.3.1: a list may be split over lines or joined by commas, in any mixture.
    #[test]
    fn values_run_across_lines_and_commas() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Route, "<sip:a;x=1,2>, \"b, c\" <sip:b>");
        headers.push(HeaderName::Subject, "one, two");
        headers.push(HeaderName::Route, "<sip:c>,");
        let values: Vec<Bytes> = headers.values(HeaderName::Route).collect();
        assert_eq!(values, ["<sip:a;x=1,2>", "\"b, c\" <sip:b>", "<sip:c>"]);
        assert_eq!(headers.values(HeaderName::Subject).count(), 1);
    }

    #[test]
    fn set_keeps_the_place_of_the_first_and_drops_the_rest() {
        let mut headers = Headers::new();
        for (name, value) in
            [(HeaderName::To, "1"), (HeaderName::Via, "2"), (HeaderName::To, "3"), (HeaderName::Via, "4")]
        {
            headers.push(name, value);
        }
        headers.set(HeaderName::To, "new");
        let all: Vec<String> = headers.iter().map(|(n, v)| format!("{n}={}", lex::text(v))).collect();
        assert_eq!(all, ["To=new", "Via=2", "Via=4"]);
        headers.set(HeaderName::Expires, "60");
        headers.remove(HeaderName::Via);
        headers.push_front(HeaderName::Via, "5");
        assert_eq!((headers.len(), headers.count(HeaderName::Via)), (3, 1));
        assert_eq!(headers.iter().next().map(|l| l.0.clone()), Some(HeaderName::Via));
    }
}
