//! Who forwarded a call (RFC 5806): read from a caller's INVITE, and told in ours.

use super::channel::Channel;
use crate::config::general::General;
use crate::config::peer::Peer;
use crate::dialplan::{CallerId, Diversion, DiversionReason};
use crate::pbx::core::Target;
use crate::pbx::uri_text::{escape_user, host, quote, user_of};
use crate::sip::header::{HeaderName, Headers, NameAddr};

/// Maximum number of Diversion values that are looked at.
const MAX_VALUES: usize = 20;

/// What a caller's INVITE says of forwarding, put into its caller ID. How often is counted for everybody, since it ends
/// loops; by whom is believed of those who speak for others, as their From is. A line that registers has forwarded the call
/// itself, whatever it says.
pub(super) fn read(peer: &Peer, headers: &Headers, caller: &mut CallerId) {
    let values = headers.values(HeaderName::Diversion).take(MAX_VALUES);
    let read: Vec<NameAddr> = values.filter_map(|value| NameAddr::parse(&value).ok()).collect();
    let Some(latest) = read.first() else { return };
    let count =
        |one: &NameAddr| one.params.get("counter").and_then(|text| text.parse::<u32>().ok()).unwrap_or(1).max(1);
    let number = |one: &NameAddr| user_of::<()>(&Ok(one.uri.clone())).unwrap_or_default();
    let reason = latest.params.get("reason").and_then(DiversionReason::parse).unwrap_or_default();
    let privacy = latest.params.get("privacy").unwrap_or("off");
    let mut diversion = Diversion {
        count: read.iter().fold(0, |sum, one| sum.saturating_add(count(one))),
        name: latest.display.as_deref().unwrap_or_default().to_owned(),
        reason,
        original: read.last().filter(|_| read.len() > 1).map(number).unwrap_or_default(),
        is_hidden: !privacy.eq_ignore_ascii_case("off"),
    };
    if peer.speaks_for_others() {
        caller.rdnis = number(latest);
    } else {
        (diversion.name, diversion.original) = (String::new(), String::new());
        caller.rdnis = caller.number.clone();
    }
    caller.diversion = diversion;
}

/// The lines that our INVITE to `target` has of it, beside those that the dialplan adds: none when one of these is a
/// Diversion. A call that a called line sent on to an address was forwarded by the number that was dialled.
pub(super) fn headers(
    general: &General,
    channel: &Channel,
    caller: &CallerId,
    target: &Target,
    added: &[String],
) -> Vec<String> {
    let is_diversion =
        |line: &String| line.split(':').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("Diversion"));
    if added.iter().any(is_diversion) {
        return Vec::new();
    }
    let mut caller = caller.clone();
    let redirections = channel.dial().map_or(0, |dial| dial.redirections.len());
    if redirections > 0 {
        let dialled = channel.entered.as_ref().map(|entered| entered.exten.clone()).unwrap_or_default();
        for _ in 0..redirections {
            caller.diversion = caller.diversion.once_more(&caller.rdnis, DiversionReason::Unconditional);
            caller.rdnis.clone_from(&dialled);
        }
    }
    let own = || host(target.flow.advertised.ip());
    let domain = target.peer.from_domain.clone().unwrap_or_else(own);
    values(general, &caller, &domain).into_iter().map(|value| format!("Diversion: {value}")).collect()
}

/// The Diversion values of our INVITE for this caller ID, the latest first; none when nobody forwarded the call, or
/// `send_diversion=no`. `domain`: as in From. Whoever called hidden stays so when his own number forwarded the call.
fn values(general: &General, caller: &CallerId, domain: &str) -> Vec<String> {
    let CallerId { rdnis, diversion, .. } = caller;
    if rdnis.is_empty() || !general.send_diversion {
        return Vec::new();
    }
    let value = |name: &str, number: &str, reason: DiversionReason, counter: u32, is_hidden: bool| {
        let name = if name.is_empty() { String::new() } else { format!("{} ", quote(name)) };
        let privacy = if is_hidden { "full" } else { "off" };
        let (number, reason) = (escape_user(number), reason.wire());
        format!("{name}<sip:{number}@{domain}>;reason={reason};privacy={privacy};counter={counter}")
    };
    let has_original = !diversion.original.is_empty() && diversion.original != *rdnis && diversion.count > 1;
    let latest = diversion.count.max(1).saturating_sub(u32::from(has_original));
    let hidden = diversion.is_hidden || (caller.presentation.is_hidden() && caller.number == *rdnis);
    let mut all = vec![value(&diversion.name, rdnis, diversion.reason, latest, hidden)];
    if has_original {
        all.push(value("", &diversion.original, DiversionReason::Unknown, 1, hidden));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostic::Place;
    use crate::config::peer::{PeerAddress, Settings};

    fn peer(host: PeerAddress) -> Peer {
        Peer { host, ..Peer::new("a", Place { file: "sip.conf".into(), line: 1 }, Settings::default()) }
    }

    fn read_from(host: PeerAddress, lines: &[&str]) -> CallerId {
        let mut headers = Headers::new();
        for line in lines {
            headers.push(HeaderName::Diversion, (*line).to_owned());
        }
        let mut caller = CallerId { number: "100".to_owned(), ..CallerId::default() };
        read(&peer(host), &headers, &mut caller);
        caller
    }

    #[test]
    fn what_a_trunk_says_is_believed_and_told_on() {
        let trunk = || PeerAddress::Static("192.0.2.9:5060".parse().unwrap());
        let caller = read_from(
            trunk(),
            &[
                "\"Desk\" <sip:200@pbx.example>;reason=user-busy;counter=2;privacy=off",
                "<tel:+49301234>;reason=no-answer",
            ],
        );
        assert_eq!((caller.rdnis.as_str(), caller.diversion.count), ("200", 3));
        assert_eq!((caller.diversion.name.as_str(), caller.diversion.original.as_str()), ("Desk", "+49301234"));
        assert_eq!(caller.diversion.reason, DiversionReason::Busy);
        let general = General::default();
        assert_eq!(
            values(&general, &caller, "192.0.2.1"),
            [
                "\"Desk\" <sip:200@192.0.2.1>;reason=user-busy;privacy=off;counter=2",
                "<sip:+49301234@192.0.2.1>;reason=unknown;privacy=off;counter=1"
            ]
        );
        assert!(values(&General { send_diversion: false, ..General::default() }, &caller, "x").is_empty());
        assert_eq!(read_from(trunk(), &["nonsense <", ""]).diversion, Diversion::default());
        assert_eq!(read_from(trunk(), &["<sip:1@a>;counter=99999999999"]).diversion.count, 1);
        assert!(read_from(trunk(), &["<sip:1@a>;privacy=full"]).diversion.is_hidden);
    }

    #[test]
    fn a_line_that_registers_forwards_as_itself_and_its_count_is_kept() {
        let caller = read_from(PeerAddress::Dynamic, &["<sip:0900@elsewhere>;counter=4;reason=cfu"]);
        assert_eq!((caller.rdnis.as_str(), caller.diversion.count), ("100", 4));
        let many = vec!["<sip:1@a>;counter=4000000000"; 40];
        assert_eq!(read_from(PeerAddress::Dynamic, &many).diversion.count, u32::MAX);
    }
}
