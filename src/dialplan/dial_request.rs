//! What `Dial` and the applications like it share: their arguments read, and what is told of how it went.

use super::app::Outcome;
use super::arguments::{self, Split};
use super::dial_options::DialOptions;
use super::elsewhere::{self, Elsewhere};
use super::handle::ChannelHandle;
use super::lookup;
use super::outside::{OutsideReply, OutsideRequest};
use super::privacy;
use super::request::{Cause, DialReport, DialRequest, DialStatus, DialTarget, Interrupted};
use crate::event::Level;
use crate::wording::outside;
use std::collections::BTreeMap;
use std::time::Duration;

/// Maximum number of targets.
pub const MAX_TARGETS: usize = 50;

/// Reads the arguments of `Dial`; none when they make no sense: that is logged, and DIALSTATUS is INVALIDARGS.
pub(super) fn take(channel: &ChannelHandle, args: &Split, application: &str) -> Option<DialRequest> {
    for name in ["DIALEDPEERNAME", "DIALEDPEERNUMBER", "DIALEDTIME", "ANSWEREDTIME", "DIALREASON"] {
        channel.set_variable(name, "");
    }
    match read(args, application).and_then(|request| admit(channel, request, args.get(0), application)) {
        Ok(mut request) => {
            channel.with_state(|state| request.options.complete_music(&state.music_class));
            if let Some(text) = unsupported(&request.options, application) {
                channel.log(Level::Notice, text);
            }
            Some(request)
        }
        Err(why) => {
            channel.set_variable("DIALSTATUS", DialStatus::InvalidArgs.name());
            channel.set_variable("DIALREASON", &why);
            channel.log(Level::Warning, why);
            None
        }
    }
}

/// A dial string that the caller has written a part of is not followed.
pub(super) fn admit<R>(channel: &ChannelHandle, request: R, whom: &str, application: &str) -> Result<R, String> {
    match channel.with_state(|state| state.is_injected(whom)) {
        false => Ok(request),
        true => Err(format!(
            "{application}: '{}' is not called: a part of it that decides whom to call ('&', '/') was dialled by the caller",
            outside(whom)
        )),
    }
}

/// Dials, and tells how it went in the channel's variables.
pub(super) async fn dial(channel: &mut ChannelHandle, mut request: DialRequest) -> Result<DialReport, Interrupted> {
    locate(channel, &mut request).await?;
    // If the caller gives up, there is no report.
    channel.set_variable("DIALSTATUS", DialStatus::Cancel.name());
    let report = match privacy::before(channel, &mut request).await? {
        Some(status) => not_called(status),
        None => {
            let screening = request.options.screening.clone();
            let report = channel.dial(request).await;
            privacy::after(channel, screening).await?;
            report?
        }
    };
    channel.set_variable("DIALSTATUS", report.status.name());
    channel.set_variable("DIALEDTIME", &report.dialed.as_secs().to_string());
    channel.set_variable("DIALEDTIME_MS", &report.dialed.as_millis().to_string());
    channel.set_variable("ANSWEREDTIME", &report.answered.as_secs().to_string());
    channel.set_variable("ANSWEREDTIME_MS", &report.answered.as_millis().to_string());
    channel.set_variable("DIALEDPEERNAME", &report.peer_name);
    channel.set_variable("DIALEDPEERNUMBER", &report.peer_number);
    channel.set_variable("DIALREASON", &report.reason);
    channel.with_state(|state| {
        state.cause = Cause(report.hangup_cause);
        state.called.clone_from(&report.lines);
        state.answered |= report.status == DialStatus::Answer;
    });
    Ok(report)
}

/// Looks the hosts up that are no peers, one after another; nobody else waits for it.
async fn locate(channel: &mut ChannelHandle, request: &mut DialRequest) -> Result<(), Interrupted> {
    for target in &request.targets {
        let is_peer = channel.with_state(|state| lookup::is_peer(state, target.line().0));
        let query = match is_peer {
            true => elsewhere::detour(target),
            false => Elsewhere::of(target).map(|elsewhere| elsewhere.query),
        };
        let Some(query) = query.filter(|query| !request.located.contains_key(query)) else { continue };
        let found = match channel.outside(OutsideRequest::Locate(query.clone())).await? {
            OutsideReply::Located(found) => found,
            OutsideReply::Refused(why) => Err(why),
            other => Err(format!("{other:?}")),
        };
        request.located.insert(query, found);
    }
    Ok(())
}

/// Nobody was called: the database says so.
fn not_called(status: DialStatus) -> DialReport {
    DialReport {
        status,
        dialed: Duration::ZERO,
        answered: Duration::ZERO,
        peer_name: String::new(),
        peer_number: String::new(),
        hangup_cause: 0,
        callee_hung_up: false,
        reason: "the privacy database refuses this caller".to_owned(),
        lines: Vec::new(),
    }
}

/// How `Dial` ends after that.
pub(super) fn outcome(report: &DialReport, continue_after: bool) -> Outcome {
    match report.status {
        DialStatus::Answer if !(report.callee_hung_up && continue_after) => Outcome::Stop(Cause(report.hangup_cause)),
        DialStatus::InvalidArgs => Outcome::Stop(Cause(report.hangup_cause)),
        DialStatus::Answer
        | DialStatus::NoAnswer
        | DialStatus::Busy
        | DialStatus::Congestion
        | DialStatus::ChanUnavail
        | DialStatus::DontCall
        | DialStatus::Torture
        | DialStatus::Cancel => Outcome::Next,
    }
}

/// The targets of a dial string: `technology/resource` between `&`.
///
/// # Errors
/// There is none, one is not whole, or there are too many: for the log.
pub(super) fn targets(text: &str, application: &str) -> Result<Vec<DialTarget>, String> {
    let mut targets = Vec::new();
    for target in text.split('&').map(str::trim).filter(|target| !target.is_empty()) {
        match DialTarget::parse(target) {
            Some(target) => targets.push(target),
            None => {
                return Err(format!("{application}: '{}' is not technology/resource; write SIP/name", outside(target)));
            }
        }
    }
    if targets.is_empty() {
        return Err(format!("{application} needs whom to call: {application}(SIP/name)"));
    }
    if targets.len() > MAX_TARGETS {
        return Err(format!("{application}: {} at once are too many; at most {MAX_TARGETS}", targets.len()));
    }
    Ok(targets)
}

fn read(args: &Split, application: &str) -> Result<DialRequest, String> {
    let targets = targets(args.trimmed(0), application)?;
    // A second time behind `^` limits how long progress may take; the first alone is what rings.
    let timeout = arguments::seconds(args.get(1)).filter(|time| !time.is_zero());
    Ok(DialRequest { targets, timeout, options: DialOptions::read(args.get(2)), located: BTreeMap::new() })
}

/// The arguments without one of the option letters.
pub(super) fn without_option(text: &str, letter: char) -> String {
    let mut parts = arguments::pieces(text, ',', 4);
    if let Some(options) = parts.get_mut(2) {
        let kept = arguments::options(options).into_iter().filter(|(given, _)| *given != letter);
        let written = kept.map(|(given, argument)| match argument {
            Some(argument) => format!("{given}({argument})"),
            None => given.to_string(),
        });
        *options = written.collect();
    }
    parts.join(",")
}

fn unsupported(options: &DialOptions, application: &str) -> Option<String> {
    let unknown = options.unknown();
    (!unknown.is_empty()).then(|| format!("{application}: there are no options '{}'", outside(&unknown)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::app::Args;
    use std::time::Duration;

    fn request(text: &str) -> Result<DialRequest, String> {
        read(&Args::new(text).split(), "Dial")
    }

    #[test]
    fn the_guides_line_reads() {
        let read = request("SIP/pap2t-ispmodem, 20").unwrap();
        assert_eq!(read.targets.len(), 1);
        assert_eq!(read.targets[0].to_string(), "SIP/pap2t-ispmodem");
        assert_eq!(read.timeout, Some(Duration::from_secs(20)));
        assert_eq!(read.options, DialOptions::default());
    }

    #[test]
    fn several_targets_and_options_read() {
        let read = request("SIP/a&SIP/b/100&&SIP/c@h:5060,,tgr(x)M(m^a)").unwrap();
        let shown: Vec<String> = read.targets.iter().map(DialTarget::to_string).collect();
        assert_eq!(shown, ["SIP/a", "SIP/b/100", "SIP/c@h:5060"]);
        assert_eq!(read.timeout, None);
        assert!(read.options.continue_after && read.options.ringing && read.options.has('M'));
        let said = |text: &str| unsupported(&DialOptions::read(text), "Dial");
        assert_eq!(said("pgM(a)"), None);
        assert_eq!(said("gy").unwrap(), "Dial: there are no options 'y'");
        assert_eq!(said("gIM(x)"), None);
        assert_eq!(without_option("SIP/a&SIP/b,20,gB(x^s^1(a^b))U(s)", 'B'), "SIP/a&SIP/b,20,gU(s)");
        assert_eq!(without_option("SIP/a,,B(1)", 'B'), "SIP/a,,");
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(request("").is_err() && request("SIP").is_err() && request("SIP/").is_err() && request("&").is_err());
        assert!(request(&vec!["SIP/a"; MAX_TARGETS + 1].join("&")).is_err());
    }
}
