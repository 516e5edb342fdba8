//! What happened, as the log and the console say it: the one place where events become sentences, in Asterisk's words
//! where it has any.

mod challenge;
mod mailbox;
mod provision;
pub mod quality;
mod registration;
mod security;
mod subscription;

use crate::datetime::span;
use crate::event::call::ServerFailure;
use crate::event::line::Reachability;
use crate::event::{
    CallEvent, DialCounts, Event, Handover, Level, LineEvent, LogLine, RegisterRefusal, StreamTotals, TextEvent,
};
use crate::linetest;
use crate::pbx::cause;
use crate::pbx::failure::FailureReason;
use crate::wording::{Outside, plural};
use std::net::SocketAddr;
use std::time::Duration;

/// The lines of an event; none for what is not worth one.
pub fn lines(event: &Event) -> Vec<LogLine> {
    match event {
        Event::Log(line) => vec![line.clone()],
        Event::Text(event) => vec![text(event)],
        Event::Line(event) => line_event(event),
        Event::Call(event) => call_event(event),
        Event::Registration(event) => vec![registration::line(event)],
        Event::Mailbox(event) => vec![mailbox::line(event)],
        Event::Challenge(event) => vec![challenge::line(event)],
        Event::Subscription(event) => vec![subscription::line(event)],
        Event::Provision(event) => vec![provision::line(event)],
        Event::Security(event) => vec![security::line(event)],
    }
}

fn called(target: &Outside, server: Option<&str>) -> String {
    format!("Called {target}{}", server.map(|server| format!(" at {server}")).unwrap_or_default())
}

fn server_failed(failed: &ServerFailure) -> LogLine {
    let ServerFailure { channel, server, reason, next } = failed;
    LogLine::notice(format!("{channel}: {server} does not take the call ({reason}): {next} is called"))
}

fn call_event(event: &CallEvent) -> Vec<LogLine> {
    let story = |text: String| LogLine::verbose(3, text);
    let line = match event {
        CallEvent::Rejected { line, source, exten, level, reason } => {
            let text = format!("Call from '{line}' ({source}) to extension '{exten}' rejected because {reason}");
            LogLine { level: *level, text }
        }
        CallEvent::Called { target, server, .. } => story(called(target, server.as_deref())),
        CallEvent::ServerFailed(failed) => server_failed(failed),
        CallEvent::NotCalled { target, reason, .. } => story(format!("Couldn't call {target}: {reason}")),
        CallEvent::NotSecured { target, transport, .. } => {
            story(format!("The caller's side is secured by TLS (sips:), that of {target} is not: {transport}"))
        }
        CallEvent::Ringing { channel } => story(format!("{channel} is ringing")),
        CallEvent::Progress { channel, caller } => {
            story(format!("{channel} is making progress passing it to {caller}"))
        }
        CallEvent::ProgressNotPassed { channel, reason } => {
            story(format!("{channel}: its early media cannot be passed on: {reason}"))
        }
        // Whoever asked for it says so.
        CallEvent::Originated { .. } => return Vec::new(),
        CallEvent::Redirected { channel, target, status, words } => {
            story(format!("{channel} redirected the call to {target} ({status} {words})"))
        }
        CallEvent::NotTaken { channel, cause, reason } => story(not_taken(channel, *cause, reason)),
        CallEvent::AnsweredElsewhere { channel, by } => {
            story(format!("{channel}: {}", FailureReason::AnsweredElsewhere.with(&[by]).text))
        }
        CallEvent::Handover(handed) => story(handover(handed)),
        CallEvent::Answered { callee, caller } => story(format!("{callee} answered {caller}")),
        CallEvent::NobodyAnswered { after, .. } => story(format!("Nobody picked up in {} ms", after.as_millis())),
        CallEvent::AllFailed { no_answer, counts, .. } => LogLine::verbose(2, all_failed(*no_answer, *counts)),
        CallEvent::MediaDirect { a, b } => {
            story(format!("Remotely bridged '{a}' and '{b}' - media will flow directly between them"))
        }
        CallEvent::MediaChased { a, b } => {
            story(format!("{a} and {b} answer every new offer from another port: their media stays on the relay"))
        }
        CallEvent::DirectMediaRefused { channel, status, a, b } => {
            story(FailureReason::DirectRefused.with(&[channel, &status.to_string(), a, b]).text)
        }
        CallEvent::BridgeEnded { a, b, after, direct } => return bridge_ended(a, b, *after, *direct),
        CallEvent::OfferRefused { channel, forwarded, reason } => {
            let goes_on = if *forwarded { ", the call goes on as it was" } else { "" };
            LogLine::notice(format!("{channel}: its new offer is refused{goes_on}: {reason}"))
        }
        CallEvent::Text { channel, to, refused } => text_in_call(channel, to.as_deref(), *refused),
        CallEvent::Info { channel, to, kind, refused } => info(channel, to.as_deref(), kind, *refused),
        CallEvent::LineTested(report) => LogLine::notice(format!("{}: {}", report.channel, linetest::summary(report))),
        CallEvent::User { channel, name, fields } => story(user_event(channel, name, fields)),
        CallEvent::HungUp { channel } => story(format!("{channel} hung up")),
        CallEvent::Ended { line, exten, answered, level, reason } => ended(line, exten, *answered, (*level, reason)),
        CallEvent::Moved { channel, line, before, address } => {
            story(format!("{channel}: '{line}' is at {address} now, it was at {before}; the call follows it"))
        }
        CallEvent::ModemSpared { channel, options, modem } => LogLine::notice(format!(
            "{channel}: {options} is not done on this call, since '{modem}' is line=modem: nothing may disturb or end it"
        )),
        CallEvent::SourceLearned { channel, source } => {
            LogLine::verbose(4, format!("{channel}: strict RTP locked on {source}"))
        }
        CallEvent::UnroutableMedia { channel, line, address } => unroutable(channel, line, *address),
        CallEvent::NoPortsForMedium { channel, medium, reason } => no_ports(channel, medium, reason),
        CallEvent::NoMedia { channel, line, after, source, strangers } => {
            LogLine::warning(format!("{channel}: {}", no_media(line, *after, *source, *strangers)))
        }
        CallEvent::SoundFault { channel, reason, .. } => LogLine::warning(format!("{channel}: {reason}")),
        CallEvent::StreamClosed { channel, medium, totals, quality } => {
            let heard = quality.iter().flat_map(|quality| quality::lines(quality));
            return stream_closed(channel, *medium, *totals).into_iter().chain(heard).collect();
        }
        CallEvent::Clocks(clocks) => quality::clocks(clocks),
        CallEvent::NotPlayed { reason, .. } => LogLine::warning(reason.clone()),
        CallEvent::DigitFault { channel, reason } => LogLine::notice(format!("{channel}: {reason}")),
        CallEvent::DigitsNotSent { channel, reason } => not_sent(channel, reason),
    };
    vec![line]
}

fn ended(line: &str, exten: &Outside, answered: bool, (level, reason): (Level, &str)) -> LogLine {
    let how = if answered { "ended" } else { "failed" };
    LogLine { level, text: format!("Call from '{line}' to '{exten}' {how}: {reason}") }
}

fn bridge_ended(a: &str, b: &str, after: Duration, direct: bool) -> Vec<LogLine> {
    let ended = LogLine::verbose(3, format!("Bridge between {a} and {b} ended after {} s", after.as_secs()));
    let no_data = || LogLine::verbose(3, "Media was direct; no quality data (directmedia=no shows it)");
    std::iter::once(ended).chain(direct.then(no_data)).collect()
}

/// A call is picked up, parked, or taken back.
fn handover(event: &Handover) -> String {
    match event {
        Handover::PickedUp { channel, by } => format!("{by} picked up the call at {channel}"),
        Handover::Parked { channel, lot, slot, by } => {
            let by = if by.is_empty() { String::new() } else { format!(", by {by}") };
            format!("{channel} is parked at {slot} of lot '{lot}'{by}")
        }
        Handover::Unparked { channel, by, lot, slot } => format!("{by} took {channel} from {slot} of lot '{lot}'"),
        Handover::ParkLeft { channel, lot, slot } => format!("{channel} has left {slot} of lot '{lot}'"),
        Handover::ParkTimedOut { channel, lot, slot } => {
            format!("Nobody took {channel} from {slot} of lot '{lot}'")
        }
    }
}

fn user_event(channel: &str, name: &Outside, fields: &[(Outside, Outside)]) -> String {
    let fields: String = fields.iter().map(|(key, value)| format!(", {key}: {value}")).collect();
    format!("UserEvent: {name}, Channel: {channel}{fields}")
}

/// A telephone was to be sent digits and was not.
fn not_sent(channel: &str, reason: &str) -> LogLine {
    LogLine::notice(format!("{channel}: digits are not sent: {reason}"))
}

fn text_in_call(channel: &str, to: Option<&str>, refused: Option<u16>) -> LogLine {
    LogLine::verbose(
        3,
        match (to, refused) {
            (Some(to), None) => format!("{channel}: its text message is passed on to {to}"),
            (Some(to), Some(status)) => {
                format!("{channel}: its text message is refused ({status}), since {to} takes none")
            }
            (None, _) => format!("{channel}: its text message is refused, since it talks to nobody"),
        },
    )
}

/// A text message outside of calls.
fn text(event: &TextEvent) -> LogLine {
    match event {
        TextEvent::Received { line, exten, context } => {
            LogLine::verbose(3, format!("'{line}' sends a text message to '{exten}': context '{context}' decides"))
        }
        TextEvent::Refused { line, exten, status, reason } => {
            LogLine::notice(format!("Text message from '{line}' to '{exten}' refused ({status}): {reason}"))
        }
        TextEvent::Delivered { line, from } => {
            LogLine::verbose(3, format!("Text message from '{from}' delivered to '{line}'"))
        }
        TextEvent::Kept { line, from, reason } => {
            LogLine::verbose(2, format!("Text message from '{from}' waits until '{line}' registers: {reason}"))
        }
        TextEvent::Lost { line, from, reason } => {
            LogLine::warning(format!("Text message from '{from}' to '{line}' is lost: {reason}"))
        }
    }
}

fn info(channel: &str, to: Option<&str>, kind: &Outside, refused: Option<u16>) -> LogLine {
    LogLine::verbose(
        4,
        match (to, refused) {
            (Some(to), None) => format!("{channel}: its INFO ({kind}) is passed on to {to}"),
            (Some(to), Some(status)) => {
                format!("{channel}: its INFO ({kind}) is refused ({status}), since {to} takes none")
            }
            (None, _) => format!("{channel}: its INFO ({kind}) is refused, since it talks to nobody"),
        },
    )
}

fn all_failed(no_answer: bool, counts: DialCounts) -> String {
    let DialCounts { tried, busy, congested, unavailable } = counts;
    let what = match no_answer {
        true => "No one is available to answer at this time",
        false => "Everyone is busy/congested at this time",
    };
    format!("{what} ({tried}:{busy}/{congested}/{unavailable})")
}

fn unroutable(channel: &str, line: &str, address: SocketAddr) -> LogLine {
    LogLine::notice(format!(
        "{channel}: '{line}' wants its sound at {address}, which is the exchange itself or this machine's loopback: nothing \
         is sent there. Set the telephone's own address in it"
    ))
}

fn notified(line: &str, status: Option<u16>) -> LogLine {
    match status {
        Some(200..=299) => LogLine::verbose(2, format!("'{line}' took the NOTIFY")),
        Some(status) => LogLine::warning(format!("'{line}' refused the NOTIFY ({status})")),
        None => LogLine::warning(format!("'{line}' did not answer the NOTIFY: it may have restarted at once")),
    }
}

fn no_ports(channel: &str, medium: &str, reason: &str) -> LogLine {
    LogLine::warning(format!(
        "{channel}: its {medium} is refused and its voice goes on: no RTP ports are left ({reason}); rtpstart= and rtpend= \
         in rtp.conf set how many there are"
    ))
}

fn no_media(line: &str, after: Duration, source: SocketAddr, strangers: u64) -> String {
    let strangers = match strangers {
        0 => String::new(),
        number => format!(", and {number} packets from elsewhere were dropped"),
    };
    FailureReason::NoSound.with(&[line, &span(after), &source.to_string(), &strangers]).text
}

fn not_taken(channel: &str, cause: u16, reason: &str) -> String {
    match cause {
        cause::BUSY => format!("{channel} is busy"),
        cause::CONGESTION => format!("{channel} is circuit-busy"),
        _ => format!("{channel} did not take the call: {reason}"),
    }
}

fn stream_closed(channel: &str, medium: Option<&str>, totals: StreamTotals) -> Option<LogLine> {
    let medium = medium.map(|medium| format!(" ({medium})")).unwrap_or_default();
    let StreamTotals { received, sent, lost, strangers, early } = totals;
    let dropped = match strangers {
        0 => String::new(),
        strangers => format!(", {strangers} dropped from strangers"),
    };
    let early_ones = match early {
        0 => String::new(),
        early => format!(", {early} dropped that came before its answer"),
    };
    let used = received > 0 || sent > 0 || strangers > 0 || early > 0;
    used.then(|| {
        LogLine::verbose(
            3,
            format!("{channel}{medium}: {received} packets received, {sent} sent, {lost} lost{dropped}{early_ones}"),
        )
    })
}

fn line_event(event: &LineEvent) -> Vec<LogLine> {
    let line = match event {
        LineEvent::Registered { line, address } => LogLine::verbose(3, format!("Registered SIP '{line}' at {address}")),
        LineEvent::Contested { line, registered, displaced, repeated } => {
            contested(line, [registered, displaced], *repeated)
        }
        LineEvent::TransportNotUsed { line, source, transport, uri, reason } => LogLine::warning(format!(
            "Peer '{line}' at {source} asks to be called over {transport} ({uri}), and is called over UDP, as it registered: \
             {reason}"
        )),
        LineEvent::RegisterRefused { line, source, reason } => register_refused(line, *source, reason),
        LineEvent::Expired { line, address, granted } => LogLine::notice(format!(
            "'{line}' did not refresh its registration: it is unregistered. It was at {address}, for {}; is it switched on, and \
             on the network?",
            span(*granted)
        )),
        LineEvent::Returned { line, away } => {
            LogLine::notice(format!("'{line}' is registered again, {} after its registration ran out", span(*away)))
        }
        LineEvent::Unregistered { line } => LogLine::verbose(3, format!("Unregistered SIP '{line}'")),
        LineEvent::Restored { registrations } => LogLine::notice(format!(
            "Restored {}: those peers can be called at once",
            plural(*registrations, "registration")
        )),
        LineEvent::RegistrationDropped { line, address, is_fixed } => {
            let why = match is_fixed {
                true => "has a fixed address (host=) in the new configuration",
                false => "is not in the new configuration",
            };
            LogLine::notice(format!("'{line}' {why}: its registration at {address} is forgotten"))
        }
        LineEvent::Qualified { .. } => return qualified(event).into_iter().collect(),
        LineEvent::Lagged { line, ms, limit_ms } => {
            let values = [line.as_str(), &ms.to_string(), &limit_ms.to_string()];
            LogLine::warning(FailureReason::Lagged.with(&values).text)
        }
        LineEvent::ServerFailed { line, server, next } => {
            LogLine::notice(format!("'{line}': its server {server} does not answer: {next} is used"))
        }
        LineEvent::Notified { line, status } => notified(line, *status),
        LineEvent::Moved { line, address } => LogLine::verbose(3, format!("'{line}' is at {address} now")),
        LineEvent::TransportRefused { line, address, transport, section } => LogLine::notice(format!(
            "'{line}' at {address} came over {transport}, which transport= of [{line}] ({section}) leaves out"
        )),
        LineEvent::ExtensionAdded { exten, context } => {
            LogLine::verbose(3, format!("Added extension '{exten}' priority 1 to {context}"))
        }
        LineEvent::ExtensionRemoved { exten, context } => {
            LogLine::verbose(3, format!("Removed extension '{exten}' priority 1 from {context}"))
        }
        LineEvent::NotSent { address, transport, reason } => {
            LogLine::warning(format!("Nothing can be sent to {address} over {transport}: {reason}"))
        }
        LineEvent::ConnectionClosed { address, transport, reason, lines } => {
            let what = format!("The {transport} connection with {address} is closed ({reason})");
            if lines.is_empty() {
                return vec![LogLine::verbose(4, what)];
            }
            let each = lines.iter().map(|(line, called_at)| {
                let then = called_at.map_or_else(|| "out of reach".to_owned(), |at| format!("called at {at}"));
                LogLine::notice(format!("{what}: '{line}' is {then} until it registers again"))
            });
            return each.collect();
        }
        LineEvent::Reloaded { peers, added, removed, contexts } => {
            let changes = match (added, removed) {
                (0, 0) => String::new(),
                (added, 0) => format!(" ({added} new)"),
                (0, removed) => format!(" ({removed} gone)"),
                (added, removed) => format!(" ({added} new, {removed} gone)"),
            };
            let (peers, contexts) = (plural(*peers, "peer"), plural(*contexts, "context"));
            LogLine::notice(format!("The new configuration is in force: {peers}{changes}, {contexts}"))
        }
    };
    vec![line]
}

/// Two telephones that take one account from each other, with the cure.
fn contested(line: &str, [registered, displaced]: [&(SocketAddr, Outside); 2], repeated: Option<u64>) -> LogLine {
    let device = |(source, agent): &(SocketAddr, Outside)| match agent.as_received() {
        "" => source.to_string(),
        _ => format!("{source} ({agent})"),
    };
    let since = match repeated {
        Some(times) => format!(" ({times} times since the last message)"),
        None => String::new(),
    };
    LogLine::warning(format!(
        "Two telephones register as '{line}' and take it from each other, at {} and at {}: only the one that registered last is \
         called. Give each a section of its own, or let both ring with max_contacts=2 in [{line}]{since}",
        device(registered),
        device(displaced)
    ))
}

fn register_refused(line: &str, source: SocketAddr, reason: &RegisterRefusal) -> LogLine {
    let peer = format!("Peer '{line}' at {source}");
    LogLine::warning(match reason {
        RegisterRefusal::NotDynamic { home, section } => {
            let text = format!(
                "Peer '{line}' is trying to register from {source}, but not configured as host=dynamic: {section} says it is \
                 at {home}. Set host=dynamic there, or switch registration off in the phone"
            );
            return LogLine { level: Level::Error, text };
        }
        RegisterRefusal::PathNotAllowed => format!(
            "Peer '{line}': the proxy at {source} asks to have calls sent through it (Path). If it is yours, name it by \
             contactpermit= in [{line}], or as a peer with host="
        ),
        RegisterRefusal::NotSecured { contact, reason } => format!(
            "{peer}: refused to register {contact}, for {reason}: let the phone use sips: for all of it, over TLS, or for none"
        ),
        RegisterRefusal::ContactDenied { address } => {
            format!("{peer}: the contact address {address} is refused by contactpermit/contactdeny")
        }
        RegisterRefusal::UnusableContact { address, reason } => format!(
            "{peer}: refused to register the contact address {address}: {reason}. Look at the phone's own address settings"
        ),
    })
}

/// The words that scripts look for, and what is worth knowing beside them.
fn qualified(event: &LineEvent) -> Option<LogLine> {
    let LineEvent::Qualified { line, now, limit_ms, last_ms, away, address, attempts } = event else { return None };
    let after = away.map(|away| format!(" after {}", span(away))).unwrap_or_default();
    Some(LogLine::notice(match now {
        Reachability::Reachable(ms) => format!("Peer '{line}' is now Reachable. ({ms}ms / {limit_ms}ms){after}"),
        Reachability::Lagged(ms) => format!("Peer '{line}' is now Lagged. ({ms}ms / {limit_ms}ms){after}"),
        Reachability::Unreachable => {
            let aside = address.map(|address| {
                format!(
                    " ({address} answered none of {attempts} OPTIONS: is it switched on, and on the network? Calls to it fail \
                     until it does)"
                )
            });
            format!("Peer '{line}' is now UNREACHABLE!  Last qualify: {last_ms}{}", aside.unwrap_or_default())
        }
        Reachability::Unknown => format!("Peer '{line}' is now UNKNOWN"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn only(event: impl Into<Event>) -> (Level, String) {
        let mut all = lines(&event.into());
        assert_eq!(all.len(), 1);
        let line = all.remove(0);
        (line.level, line.text)
    }

    #[test]
    fn two_that_take_one_account_are_told_with_the_cure() {
        let at = |address: &str, agent: &str| (address.parse().unwrap(), agent.into());
        let contested = |repeated| LineEvent::Contested {
            line: "x".to_owned(),
            registered: at("192.0.2.20:5060", "Cisco"),
            displaced: at("192.0.2.30:5060", ""),
            repeated,
        };
        let text = "Two telephones register as 'x' and take it from each other, at 192.0.2.20:5060 (Cisco) and at 192.0.2.30:5060: \
                    only the one that registered last is called. Give each a section of its own, or let both ring with \
                    max_contacts=2 in [x]";
        assert_eq!(only(contested(None)), (Level::Warning, text.to_owned()));
        assert_eq!(only(contested(Some(7))).1, format!("{text} (7 times since the last message)"));
    }

    #[test]
    fn every_change_of_reachability_has_its_line() {
        let text = |now, last_ms| {
            let (level, text) = only(LineEvent::Qualified {
                line: "x".to_owned(),
                now,
                limit_ms: 200,
                last_ms,
                away: None,
                address: None,
                attempts: 3,
            });
            assert_eq!(level, Level::Notice);
            text
        };
        assert_eq!(text(Reachability::Reachable(12), 0), "Peer 'x' is now Reachable. (12ms / 200ms)");
        assert_eq!(text(Reachability::Lagged(300), 12), "Peer 'x' is now Lagged. (300ms / 200ms)");
        assert_eq!(text(Reachability::Unreachable, 0), "Peer 'x' is now UNREACHABLE!  Last qualify: 0");
        assert_eq!(text(Reachability::Unreachable, 390), "Peer 'x' is now UNREACHABLE!  Last qualify: 390");
        assert_eq!(text(Reachability::Unknown, 390), "Peer 'x' is now UNKNOWN");
    }

    #[test]
    fn every_refusal_of_a_registration_has_its_line() {
        let refused = |reason| {
            let source = "192.0.2.7:5060".parse().unwrap();
            only(LineEvent::RegisterRefused { line: "a".to_owned(), source, reason })
        };
        let address = "192.0.2.9".parse().unwrap();
        let (home, section) = ("192.0.2.1:5060".to_owned(), "sip.conf:12".to_owned());
        let (level, text) = refused(RegisterRefusal::NotDynamic { home, section });
        assert_eq!(level, Level::Error);
        assert_eq!(
            text,
            "Peer 'a' is trying to register from 192.0.2.7:5060, but not configured as host=dynamic: sip.conf:12 says it is at \
             192.0.2.1:5060. Set host=dynamic there, or switch registration off in the phone"
        );
        for (reason, text) in [
            (
                RegisterRefusal::PathNotAllowed,
                "Peer 'a': the proxy at 192.0.2.7:5060 asks to have calls sent through it (Path). If it is yours, name it by \
                 contactpermit= in [a], or as a peer with host=",
            ),
            (
                RegisterRefusal::NotSecured { contact: "sips:a@b".into(), reason: "it did not register over TLS" },
                "Peer 'a' at 192.0.2.7:5060: refused to register sips:a@b, for it did not register over TLS: let the phone use \
                 sips: for all of it, over TLS, or for none",
            ),
            (
                RegisterRefusal::ContactDenied { address },
                "Peer 'a' at 192.0.2.7:5060: the contact address 192.0.2.9 is refused by contactpermit/contactdeny",
            ),
            (
                RegisterRefusal::UnusableContact { address, reason: "it is the exchange itself" },
                "Peer 'a' at 192.0.2.7:5060: refused to register the contact address 192.0.2.9: it is the exchange itself. \
                 Look at the phone's own address settings",
            ),
        ] {
            assert_eq!(refused(reason), (Level::Warning, text.to_owned()));
        }
    }

    #[test]
    fn a_lost_line_is_told_in_the_words_scripts_look_for() {
        let event = |now, away| LineEvent::Qualified {
            line: "a".to_owned(),
            now,
            limit_ms: 2000,
            last_ms: 12,
            away,
            address: "192.0.2.1:5060".parse().ok(),
            attempts: 3,
        };
        let (level, text) = only(event(Reachability::Unreachable, None));
        assert_eq!(level, Level::Notice);
        assert!(text.starts_with("Peer 'a' is now UNREACHABLE!  Last qualify: 12 (192.0.2.1:5060 answered none of 3"));
        let back = event(Reachability::Reachable(5), Some(Duration::from_secs(61)));
        assert!(only(back).1.starts_with("Peer 'a' is now Reachable. (5ms / 2000ms) after 1 min"));
    }

    #[test]
    fn a_bridge_tells_when_its_media_was_direct() {
        let ended = |direct| CallEvent::BridgeEnded {
            a: "SIP/a-1".to_owned(),
            b: "SIP/b-2".to_owned(),
            after: Duration::from_millis(9_900),
            direct,
        };
        assert_eq!(only(ended(false)).1, "Bridge between SIP/a-1 and SIP/b-2 ended after 9 s");
        assert_eq!(lines(&ended(true).into()).len(), 2);
    }

    #[test]
    fn counts_have_their_noun() {
        let (_, text) = only(LineEvent::Reloaded { peers: 1, added: 1, removed: 0, contexts: 2 });
        assert_eq!(text, "The new configuration is in force: 1 peer (1 new), 2 contexts");
    }

    #[test]
    fn a_stream_that_carried_nothing_is_not_told() {
        let closed =
            |totals| CallEvent::StreamClosed { channel: "SIP/a-1".to_owned(), medium: None, totals, quality: None };
        assert!(lines(&closed(StreamTotals::default()).into()).is_empty());
        let totals = StreamTotals { received: 2, sent: 3, lost: 1, strangers: 4, early: 5 };
        let text = "SIP/a-1: 2 packets received, 3 sent, 1 lost, 4 dropped from strangers, 5 dropped that came before its answer";
        assert_eq!(only(closed(totals)), (Level::Verbose(3), text.to_owned()));
    }
}
