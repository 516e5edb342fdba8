//! Header fields that the dialplan sees of a caller's INVITE, and adds to ours.

use crate::dialplan::apps::sip_header;
use crate::sip::header::{HeaderName, Headers};

/// How much of a caller's INVITE is kept for the dialplan, in bytes of names and values.
const MAX_KEPT: usize = 8 * 1024;
/// Maximum number of header fields that the dialplan adds to an INVITE, and their size.
const MAX_ADDED: usize = 50;
const MAX_ADDED_BYTES: usize = 4 * 1024;

/// What only the stack itself writes: a second one would change what the INVITE is, or whose.
const OURS: &[HeaderName] = &[
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::Contact,
    HeaderName::MaxForwards,
    HeaderName::ContentLength,
    HeaderName::ContentType,
    HeaderName::ContentEncoding,
    HeaderName::Route,
    HeaderName::RecordRoute,
    HeaderName::Authorization,
    HeaderName::ProxyAuthorization,
    HeaderName::Require,
    HeaderName::ProxyRequire,
    HeaderName::Supported,
    HeaderName::Allow,
    HeaderName::SessionExpires,
    HeaderName::MinSe,
    HeaderName::Replaces,
    HeaderName::UserAgent,
    HeaderName::Server,
];

/// What `SIP_HEADER` may ask for later: what proves who calls is left out.
pub(super) fn kept(headers: &Headers) -> Vec<(String, String)> {
    let mut size = 0usize;
    let shown = headers
        .iter()
        .filter(|(name, _)| *name != HeaderName::Authorization && *name != HeaderName::ProxyAuthorization);
    let texts = shown.map(|(name, value)| (name.as_str().into_owned(), String::from_utf8_lossy(value).into_owned()));
    let fits = texts.take_while(|(name, value)| {
        size = size.saturating_add(name.len()).saturating_add(value.len());
        size <= MAX_KEPT
    });
    fits.collect()
}

/// What `SIPAddHeader` left in the variables that a called line's channel begins with.
pub(super) fn added_headers(variables: &[(String, String)]) -> Vec<String> {
    let named = |name: &str| name.trim_start_matches('_').starts_with(sip_header::VARIABLE);
    let texts = variables.iter().filter(|(name, value)| named(name) && !value.is_empty());
    texts.map(|(_, value)| value.clone()).collect()
}

/// What the INVITE of a call that was transferred says of that: who asked for it (RFC 3892), and the call that it is to
/// take the place of at another exchange (RFC 3891).
pub(super) fn of_transfer(variables: &[(String, String)]) -> Vec<(HeaderName, String)> {
    let value = |wanted: &str| {
        let named = variables.iter().find(|(name, value)| name.trim_start_matches('_') == wanted && !value.is_empty());
        named.map(|(_, value)| value.clone()).filter(|value| !value.chars().any(char::is_control))
    };
    let by = value("SIPTRANSFER_REFERER").map(|by| (HeaderName::ReferredBy, by));
    let replaces = value("SIPTRANSFER_REPLACES")
        .map(|replaces| [(HeaderName::Replaces, replaces), (HeaderName::Require, "replaces".to_owned())]);
    by.into_iter().chain(replaces.into_iter().flatten()).collect()
}

/// `Header: value`, as `SIPAddHeader` has it, as what may stand in an INVITE of ours.
///
/// # Errors
/// It may not: why, for the log.
pub(super) fn added(text: &str) -> Result<(HeaderName, String), &'static str> {
    let Some((name, value)) = text.split_once(':') else { return Err("it is not 'Header: value'") };
    let (name, value) = (name.trim(), value.trim());
    let is_token = |letter: u8| letter.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&letter);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("its name is no name of a header field");
    }
    if value.chars().any(char::is_control) {
        return Err("there is a control character in it");
    }
    let known = HeaderName::known(name.as_bytes()).unwrap_or_else(|| HeaderName::Other(name.to_owned().into()));
    if OURS.contains(&known) {
        return Err("the exchange itself writes that header field");
    }
    Ok((known, value.to_owned()))
}

/// The same for all that were given; the log learns of those left out.
pub(super) fn all_added(texts: &[String], mut left_out: impl FnMut(&str, &str)) -> Vec<(HeaderName, String)> {
    let (mut found, mut size) = (Vec::new(), 0usize);
    for text in texts {
        size = size.saturating_add(text.len());
        if found.len() >= MAX_ADDED || size > MAX_ADDED_BYTES {
            left_out(text, "there are too many");
            continue;
        }
        match added(text) {
            Ok(header) => found.push(header),
            Err(why) => left_out(text, why),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_else_is_added() {
        for good in ["Alert-Info: <http://x>;info=ring", "X-Trunk: a:b", "Call-Info: <sip:x>;answer-after=0", "X_1:"] {
            assert!(added(good).is_ok(), "{good}");
        }
        for bad in [
            "Via: SIP/2.0/UDP x",
            "v: SIP/2.0/UDP x",
            "FROM: <sip:a@b>",
            "f: x",
            "Content-Length: 0",
            "l: 0",
            "no colon",
            ": x",
            "X Y: z",
            "X\r\nVia: y",
            "X-A: 1\r\nX-B: 2",
            "X-A: 1\nX-B",
            "Route: <sip:x>",
            "Require: x",
            "X-A: \u{0}",
        ] {
            assert!(added(bad).is_err(), "{bad}");
        }
        let mut left = 0;
        let many: Vec<String> = (0..60).map(|n| format!("X-{n}: y")).collect();
        assert_eq!(all_added(&many, |_, _| left += 1).len(), MAX_ADDED);
        assert_eq!(left, 10);
        assert!(all_added(&[format!("X: {}", "y".repeat(5000))], |_, _| left += 1).is_empty());
    }

    #[test]
    fn a_callers_invite_is_kept_without_its_proof_and_within_bounds() {
        let mut headers = Headers::new();
        headers.push(HeaderName::From, "<sip:a@b>");
        headers.push(HeaderName::Authorization, "Digest secret");
        headers.push(HeaderName::Other("X-Long".into()), "y".repeat(MAX_KEPT));
        assert_eq!(kept(&headers), [("From".to_owned(), "<sip:a@b>".to_owned())]);
    }
}
