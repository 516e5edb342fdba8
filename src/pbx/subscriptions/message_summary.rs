//! `application/simple-message-summary` (RFC 3842 5.2), there and back.

use crate::dialplan::mailbox::Messages;
use std::fmt::Write;

/// The type of content, unless `notifymimetype` says another.
pub const CONTENT_TYPE: &str = "application/simple-message-summary";

/// The summary of a mailbox. `is_plain`: without the counts of urgent messages, which some telephones cannot read
/// (`buggymwi`).
pub fn write(account: &str, messages: Messages, is_plain: bool) -> String {
    let Messages { new, old } = messages;
    let mut text =
        format!("Messages-Waiting: {}\r\nMessage-Account: {account}\r\n", if new > 0 { "yes" } else { "no" });
    let urgent = if is_plain { "" } else { " (0/0)" };
    let _ = write!(text, "Voice-Message: {new}/{old}{urgent}\r\n");
    text
}

/// What a provider's summary says; none: nothing that can be read.
pub fn read(body: &[u8]) -> Option<Messages> {
    let text = String::from_utf8_lossy(body);
    let find = |wanted: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let counted = find("Voice-Message").and_then(|value| Messages::parse(value.split('(').next()?));
    let waiting = || match find("Messages-Waiting")?.to_ascii_lowercase().as_str() {
        "yes" => Some(Messages { new: 1, old: 0 }),
        "no" => Some(Messages::default()),
        _ => None,
    };
    counted.or_else(waiting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_as_it_is_written() {
        let messages = Messages { new: 2, old: 1 };
        let text = write("sip:*97@192.0.2.1", messages, false);
        assert_eq!(text, "Messages-Waiting: yes\r\nMessage-Account: sip:*97@192.0.2.1\r\nVoice-Message: 2/1 (0/0)\r\n");
        assert_eq!(read(text.as_bytes()), Some(messages));
        assert!(write("sip:a@b", Messages::default(), true).ends_with("Voice-Message: 0/0\r\n"));
    }

    #[test]
    fn what_providers_leave_out_is_made_up_for() {
        assert_eq!(read(b"messages-waiting: YES\n"), Some(Messages { new: 1, old: 0 }));
        assert_eq!(read(b"Messages-Waiting: no\r\nVoice-Message: 0/8\r\n"), Some(Messages { new: 0, old: 8 }));
        for nothing in [&b""[..], b"\xff\xfe", b"Voice-Message: x/y", b"Messages-Waiting: maybe", b"Voice-Message"] {
            assert_eq!(read(nothing), None);
        }
    }
}
