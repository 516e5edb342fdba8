//! A digit in an INFO: `application/dtmf-relay` (`Signal=5`, `Duration=160`) and `application/dtmf` (the digit alone). No
//! RFC has them; this is what telephones send.

use crate::sip::header::HeaderName;
use crate::sip::message::Request;
use std::time::Duration;

/// How long a digit is pressed that does not say so, and the longest that is believed.
const USUAL: Duration = Duration::from_millis(160);
/// See [`USUAL`].
const LONGEST: Duration = Duration::from_secs(5);

/// The longest body that is looked at.
const MAX_BODY: usize = 512;

/// The code of a hook flash, among the codes of RFC 4733.
const FLASH: char = '!';

/// The digit that a request says was pressed, and for how long; none when it says something else.
pub fn info_digit(request: &Request) -> Option<(char, Duration)> {
    let kind = request.headers.text(HeaderName::ContentType)?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = std::str::from_utf8(request.body.get(..).filter(|body| body.len() <= MAX_BODY)?).ok()?;
    match kind.as_str() {
        "application/dtmf" => Some((digit(body)?, USUAL)),
        "application/dtmf-relay" => {
            let value = |name: &str| {
                let lines = body.lines().filter_map(|line| line.split_once('='));
                lines.into_iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value)
            };
            let pressed = value("Duration").and_then(|text| text.trim().parse().ok()).map(Duration::from_millis);
            let pressed = pressed.filter(|pressed| !pressed.is_zero()).unwrap_or(USUAL);
            Some((digit(value("Signal").or_else(|| value("d"))?)?, pressed.min(LONGEST)))
        }
        _ => None,
    }
}

/// A digit as itself, or by its code in RFC 4733.
fn digit(text: &str) -> Option<char> {
    let text = text.trim();
    let mut letters = text.chars();
    match (letters.next()?.to_ascii_uppercase(), letters.next()) {
        (key @ ('0'..='9' | '*' | '#' | 'A'..='D'), None) => Some(key),
        (_, Some(_)) => "*#ABCD".chars().nth(text.parse::<usize>().ok()?.checked_sub(10)?),
        (_, None) => None,
    }
}

/// The type and the body that say a digit was pressed.
pub(super) fn body(digit: char, pressed: Duration, is_short: bool) -> (&'static str, String) {
    let signal = if digit == FLASH { "16".to_owned() } else { digit.to_string() };
    if is_short {
        ("application/dtmf", signal)
    } else {
        ("application/dtmf-relay", format!("Signal={signal}\r\nDuration={}\r\n", pressed.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::method::Method;

    fn read(kind: &str, body: &str) -> Option<(char, u64)> {
        let mut request = Request::new(Method::Info, "sip:a@192.0.2.1");
        request.headers.push(HeaderName::ContentType, kind.to_owned());
        request.body = body.to_owned().into();
        info_digit(&request).map(|(digit, pressed)| (digit, pressed.as_millis().try_into().unwrap()))
    }

    #[test]
    fn digits_are_read_as_telephones_write_them() {
        for (kind, body, digit) in [
            ("application/dtmf-relay", "Signal=5\r\nDuration=250\r\n", Some(('5', 250))),
            ("Application/DTMF-Relay; charset=utf-8", "signal= #\nduration= 100", Some(('#', 100))),
            ("application/dtmf-relay", "Signal=11\r\n", Some(('#', 160))),
            ("application/dtmf-relay", "Signal=d\r\nDuration=0\r\n", Some(('D', 160))),
            ("application/dtmf-relay", "d=7\r\nDuration=99999999\r\n", Some(('7', 5_000))),
            ("application/dtmf", "*", Some(('*', 160))),
            ("application/dtmf", " 9\r\n", Some(('9', 160))),
            ("application/dtmf", "15", Some(('D', 160))),
            // Hook flashes and the rest are no digits.
            ("application/dtmf", "16", None),
            ("application/dtmf", "!", None),
            ("application/dtmf-relay", "Signal=\r\n", None),
            ("application/dtmf-relay", "", None),
            ("application/hook-flash", "5", None),
            ("text/plain", "5", None),
        ] {
            assert_eq!(read(kind, body), digit, "{kind} {body:?}");
        }
        assert_eq!(read("application/dtmf", &"5".repeat(600)), None);
        let (kind, body) = body('#', Duration::from_millis(100), false);
        assert_eq!(read(kind, &body), Some(('#', 100)));
    }
}
