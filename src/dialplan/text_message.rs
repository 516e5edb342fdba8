//! Text messages (MESSAGE, RFC 3428) as the dialplan sees them: the one a program runs for, and those it sends.

use crate::wording::outside;

/// The most bytes of a message's text: no more than a variable holds, so that the dialplan never sees half of one.
pub const MAX_BODY: usize = 8_191;
/// The content type of a message that says nothing else.
pub const PLAIN: &str = "text/plain;charset=UTF-8";

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextMessage {
    /// Whom it is for, a URI: `sip:201@10.0.0.1`.
    pub to: String,
    /// Who sends it, as a header field has it: `"Anna" <sip:200@10.0.0.1>`.
    pub from: String,
    /// Its text.
    pub body: String,
    /// What kind of text it is; empty: plain text.
    pub content_type: String,
    /// Further fields, those that `MESSAGE_DATA()` reads: name in lower case, and value.
    pub data: Vec<(String, String)>,
}

/// Where a text message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTarget {
    /// The line.
    pub line: String,
    /// The user there, when it is not the line itself: `sip:user@trunk`, `sip:trunk/user`.
    pub user: Option<String>,
}

/// Why a text message is not sent: what `MESSAGE_SEND_STATUS` says, and the sentence for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSent {
    /// `INVALID_PROTOCOL`, `INVALID_URI` or `FAILURE`.
    pub status: &'static str,
    /// Why.
    pub reason: String,
}

impl TextTarget {
    /// Reads what `MessageSend` is given: `sip:line`, `sip:line/user`, `sip:user@line` (with more behind the host that is
    /// not looked at), `SIP/line`. `is_line` says which names are lines, `is_ours` which hosts are this exchange.
    ///
    /// # Errors
    /// It is no SIP URI, or names no line.
    pub fn parse(
        text: &str,
        is_line: impl Fn(&str) -> bool,
        is_ours: impl Fn(&str) -> bool,
    ) -> Result<TextTarget, NotSent> {
        let shown = outside(text).to_string();
        let rest = without_scheme(text.trim())
            .ok_or_else(|| NotSent { status: "INVALID_PROTOCOL", reason: format!("'{shown}' is no sip: address") })?;
        let rest = rest.split([';', '?', '>']).next().unwrap_or_default();
        let none = |reason: String| NotSent { status: "INVALID_URI", reason };
        let (line, user) = match rest.rsplit_once('@') {
            Some((user, host)) => {
                let host = host.rsplit_once(':').map_or(host, |(name, port)| {
                    if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
                });
                let user = user.split(':').next().unwrap_or_default();
                match () {
                    () if is_line(host) => (host, Some(user)),
                    () if is_ours(host) && is_line(user) => (user, None),
                    () if is_ours(host) => {
                        return Err(none(format!(
                            "'{shown}' is at this exchange, and no line is called '{}'",
                            outside(user)
                        )));
                    }
                    () => {
                        return Err(none(format!(
                            "'{shown}' is at no line of sip.conf: messages go to lines and trunks only"
                        )));
                    }
                }
            }
            None => match rest.split_once('/') {
                Some((line, user)) => (line, Some(user)),
                None => (rest, None),
            },
        };
        if !is_line(line) {
            return Err(none(format!("no line of sip.conf is called '{}'", outside(line))));
        }
        let user = user.filter(|user| !user.is_empty()).map(str::to_owned);
        Ok(TextTarget { line: line.to_owned(), user })
    }
}

/// All behind `sip:`, `sips:` or `SIP/`, also within `"Name" <...>`.
fn without_scheme(text: &str) -> Option<&str> {
    let text = text.rsplit_once('<').map_or(text, |(_, inner)| inner);
    ["sip:", "sips:", "sip/"].iter().find_map(|scheme| {
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| text.get(scheme.len()..)).flatten()
    })
}

/// The name and the number in what says who sends a message: `"Anna" <sip:200@10.0.0.1>`, `sip:200@10.0.0.1`, `200`.
pub fn name_and_number(from: &str) -> (String, String) {
    let (name, address) = match from.split_once('<') {
        Some((name, address)) => (name.trim().trim_matches('"'), address.trim_end_matches('>')),
        None => ("", from.trim()),
    };
    let rest = without_scheme(address).unwrap_or(address);
    let number = rest.split(['@', ';', '>']).next().unwrap_or_default();
    (name.to_owned(), number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Result<TextTarget, &'static str> {
        let is_line = |name: &str| ["200", "trunk"].contains(&name);
        TextTarget::parse(text, is_line, |host| host == "10.0.0.1").map_err(|why| why.status)
    }

    fn at(line: &str, user: Option<&str>) -> Result<TextTarget, &'static str> {
        Ok(TextTarget { line: line.to_owned(), user: user.map(str::to_owned) })
    }

    #[test]
    fn a_target_is_a_line_or_a_user_at_one() {
        assert_eq!(target("sip:200"), at("200", None));
        assert_eq!(target("SIP/200"), at("200", None));
        assert_eq!(target("sip:200@10.0.0.1:5060;transport=udp"), at("200", None));
        assert_eq!(target("\"Anna\" <sip:200@10.0.0.1>"), at("200", None));
        assert_eq!(target("sip:+4930123@trunk"), at("trunk", Some("+4930123")));
        assert_eq!(target("sip:trunk/123"), at("trunk", Some("123")));
        assert_eq!(target("sip:201"), Err("INVALID_URI"));
        assert_eq!(target("sip:201@10.0.0.1"), Err("INVALID_URI"));
        assert_eq!(target("sip:200@example.com"), Err("INVALID_URI"));
        assert_eq!(target("xmpp:200@trunk"), Err("INVALID_PROTOCOL"));
        assert_eq!(target("sip:"), Err("INVALID_URI"));
        assert_eq!(target("é"), Err("INVALID_PROTOCOL"));
    }

    #[test]
    fn who_sends_is_read_from_all_its_forms() {
        let both = |name: &str, number: &str| (name.to_owned(), number.to_owned());
        assert_eq!(name_and_number("\"Anna B\" <sip:200@10.0.0.1>"), both("Anna B", "200"));
        assert_eq!(name_and_number("sip:200@10.0.0.1;x"), both("", "200"));
        assert_eq!(name_and_number("200"), both("", "200"));
        assert_eq!(name_and_number("Anna <200>"), both("Anna", "200"));
        assert_eq!(name_and_number(""), both("", ""));
    }
}
