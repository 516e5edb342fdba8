//! What telephones fetch, as the log says it: one line for each request.

use crate::event::provision::{BrokenOff, FileOutcome, Given, ProvisionEvent};
use crate::event::{Level, LogLine};
use crate::wording::plural;

/// The line of such an event.
pub(super) fn line(event: &ProvisionEvent) -> LogLine {
    let ProvisionEvent { address, via, file, outcome, .. } = event;
    let (level, text) = match outcome {
        FileOutcome::Given(given) => (Level::Verbose(3), format!("got {file} by {via}: {}", given_text(given))),
        FileOutcome::Broken { bytes, reason } => {
            let (level, why) = broken(reason, *via == "TFTP");
            (level, format!("asked for {file} by {via}: broken off after {}: {why}", plural(*bytes, "byte")))
        }
        FileOutcome::Missing { hint: None } => (Level::Verbose(3), format!("asked for {file}: not there")),
        FileOutcome::Missing { hint: Some(hint) } => (Level::Notice, format!("asked for {file}: not there, {hint}")),
        FileOutcome::Withheld { device } => (Level::Warning, withheld(event, device.as_deref())),
        FileOutcome::Refused(why) => (Level::Notice, format!("asked for {file} by {via}: refused: {why}")),
    };
    let who = match &event.mac {
        Some(mac) => format!("phone {mac} ({address})"),
        None => format!("phone at {address}"),
    };
    LogLine { level, text: format!("{who} {text}") }
}

fn given_text(given: &Given) -> String {
    let Given { what, bytes, took, repeated, unconfirmed, has_secret: _ } = given;
    let mut text = format!("{} in {} ms", plural(*bytes, "byte"), took.as_millis());
    if *repeated > 0 {
        text += &format!(", {} repeated", plural(*repeated, "packet"));
    }
    if *unconfirmed {
        text += ", the last block not acknowledged";
    }
    what.map(|what| format!("{what}, {text}")).unwrap_or(text)
}

fn broken(reason: &BrokenOff, is_tftp: bool) -> (Level, String) {
    match reason {
        BrokenOff::NeverAcknowledged => (
            Level::Notice,
            "it never acknowledged anything. Does a firewall let UDP from this machine's ports above 1023 pass to it?"
                .to_owned(),
        ),
        BrokenOff::Silent if is_tftp => (Level::Notice, "it acknowledged nothing more".to_owned()),
        BrokenOff::Silent => (Level::Notice, "the connection ended or stood still".to_owned()),
        BrokenOff::Ended(words) => (Level::Verbose(3), format!("the phone ended it ('{words}')")),
        BrokenOff::Unreadable(why) => (Level::Warning, format!("the file cannot be read: {why}")),
    }
}

fn withheld(event: &ProvisionEvent, device: Option<&str>) -> String {
    let ProvisionEvent { file, via, mac, .. } = event;
    let whose = match (device, mac) {
        (Some(device), Some(_)) => format!("is given only to {device}"),
        (Some(device), None) => {
            format!(
                "is given only to {device}, and the hardware address of this one is not known (is it behind a router?)"
            )
        }
        (None, _) => "is given to nobody unasked".to_owned(),
    };
    format!(
        "asked for {file} by {via}: refused: the file has passwords in it and {whose}. If it is to have it, type 'provision open \
         10m' and restart the phone"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn event(mac: Option<&str>, outcome: FileOutcome) -> ProvisionEvent {
        ProvisionEvent {
            mac: mac.map(str::to_owned),
            address: "192.168.1.20".parse().unwrap(),
            via: "TFTP",
            user_agent: None,
            file: "SIP0014A9BC0001.cnf".into(),
            outcome,
        }
    }

    #[test]
    fn every_request_has_one_line() {
        let mac = Some("0014A9BC0001");
        let given = Given { bytes: 1234, took: Duration::from_millis(12), ..Given::default() };
        let text = |mac, outcome| line(&event(mac, outcome)).text;
        assert_eq!(
            text(mac, FileOutcome::Given(given)),
            "phone 0014A9BC0001 (192.168.1.20) got SIP0014A9BC0001.cnf by TFTP: 1234 bytes in 12 ms"
        );
        let given = Given { what: Some("its configuration"), repeated: 1, unconfirmed: true, ..given };
        assert_eq!(
            text(None, FileOutcome::Given(given)),
            "phone at 192.168.1.20 got SIP0014A9BC0001.cnf by TFTP: its configuration, 1234 bytes in 12 ms, 1 packet repeated, \
             the last block not acknowledged"
        );
        let hint = Some("put Cisco's firmware into /srv".to_owned());
        let missing = line(&event(mac, FileOutcome::Missing { hint }));
        assert_eq!(missing.level, Level::Notice);
        assert_eq!(
            missing.text,
            "phone 0014A9BC0001 (192.168.1.20) asked for SIP0014A9BC0001.cnf: not there, put Cisco's firmware into /srv"
        );
        let withheld = line(&event(None, FileOutcome::Withheld { device: mac.map(str::to_owned) }));
        assert_eq!(withheld.level, Level::Warning);
        assert!(
            withheld.text.contains("is given only to 0014A9BC0001, and the hardware address of this one is not known")
        );
        assert!(withheld.text.ends_with("type 'provision open 10m' and restart the phone"), "{}", withheld.text);
    }

    #[test]
    fn what_a_phone_says_ends_no_line() {
        let ended = FileOutcome::Broken { bytes: 0, reason: BrokenOff::Ended("no\nmore'".into()) };
        let mut event = event(None, ended);
        event.file = "a\nb".into();
        let text = line(&event).text;
        assert_eq!(
            text,
            "phone at 192.168.1.20 asked for a%0Ab by TFTP: broken off after 0 bytes: the phone ended it ('no%0Amore%27')"
        );
    }
}
