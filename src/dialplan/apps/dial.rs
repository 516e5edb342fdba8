//! `Dial`: calls one or more peers and connects the first that answers.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments::{self, Split};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, DialOptions, DialReport, DialRequest, DialStatus, DialTarget, Interrupted};
use crate::event::Level;
use crate::wording::outside;

/// Maximum number of targets.
pub const MAX_TARGETS: usize = 50;

/// The application.
pub const APP: App = App {
    name: "Dial",
    synopsis: "Calls one or more peers and connects the first that answers",
    syntax: "Dial(technology/resource[&technology/resource...][,timeout[,options]])",
    help: "All ring at once, for timeout seconds. Without an answer the dialplan continues, and DIALSTATUS says \
           why: CHANUNAVAIL, CONGESTION, NOANSWER, BUSY, CANCEL; DIALREASON says it in words. Options: g (continue \
           after the called party hangs up), r (ringing for the caller, no early media), R (ringing until there is \
           early media), D(called:calling:progress) (send digits at the answer, progress with the first early media; \
           as SendDTMF reads them). Also sets DIALEDTIME, ANSWEREDTIME, DIALEDPEERNAME, DIALEDPEERNUMBER, HANGUPCAUSE.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// Options accepted without a notice, since they change nothing for callers of SIP peers: music, and what other
/// exchanges need.
const HARMLESS: &str = "miIjzNn";

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    for name in ["DIALEDPEERNAME", "DIALEDPEERNUMBER", "DIALEDTIME", "ANSWEREDTIME", "DIALREASON"] {
        channel.set_variable(name, "");
    }
    let request = match read(&args.split()) {
        Ok(request) => request,
        Err(why) => {
            channel.set_variable("DIALSTATUS", DialStatus::InvalidArgs.name());
            channel.set_variable("DIALREASON", &why);
            channel.log(Level::Warning, why);
            return Ok(Outcome::Stop(Cause::NONE));
        }
    };
    if let Some(text) = unsupported(&request.options) {
        channel.log(Level::Notice, text);
    }
    let continue_after = request.options.continue_after;
    // If the caller gives up, there is no report.
    channel.set_variable("DIALSTATUS", DialStatus::Cancel.name());
    let report = channel.dial(request).await?;
    report_outcome(&channel, &report);
    Ok(match report.status {
        DialStatus::Answer if !(report.callee_hung_up && continue_after) => Outcome::Stop(Cause(report.hangup_cause)),
        DialStatus::InvalidArgs => Outcome::Stop(Cause(report.hangup_cause)),
        DialStatus::Answer
        | DialStatus::NoAnswer
        | DialStatus::Busy
        | DialStatus::Congestion
        | DialStatus::ChanUnavail
        | DialStatus::Cancel => Outcome::Next,
    })
}

fn report_outcome(channel: &ChannelHandle, report: &DialReport) {
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
        state.answered |= report.status == DialStatus::Answer;
    });
}

fn read(args: &Split) -> Result<DialRequest, String> {
    let mut targets = Vec::new();
    for target in args.trimmed(0).split('&').map(str::trim).filter(|target| !target.is_empty()) {
        match DialTarget::parse(target) {
            Some(target) => targets.push(target),
            None => return Err(format!("Dial: '{}' is not technology/resource; write SIP/name", outside(target))),
        }
    }
    if targets.is_empty() {
        return Err("Dial needs whom to call: Dial(SIP/name)".to_owned());
    }
    if targets.len() > MAX_TARGETS {
        return Err(format!("Dial: {} at once are too many; at most {MAX_TARGETS}", targets.len()));
    }
    // A second time behind `^` limits how long progress may take; the first alone is what rings.
    let timeout = arguments::seconds(args.get(1)).filter(|time| !time.is_zero());
    Ok(DialRequest { targets, timeout, options: options(args.get(2)) })
}

fn options(text: &str) -> DialOptions {
    let letters = arguments::options(text);
    let given = |wanted: char| letters.iter().any(|(letter, _)| *letter == wanted);
    DialOptions { continue_after: given('g'), ringing: given('r'), ringing_until_media: given('R'), letters }
}

fn unsupported(options: &DialOptions) -> Option<String> {
    let without: String = options
        .letters
        .iter()
        .map(|(letter, _)| *letter)
        .filter(|letter| !matches!(letter, 'D' | 'g' | 'r' | 'R') && !HARMLESS.contains(*letter))
        .collect();
    (!without.is_empty()).then(|| format!("Dial: the options '{}' are without effect here", outside(&without)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(text: &str) -> Result<DialRequest, String> {
        read(&Args::new(text).split())
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
        assert_eq!(unsupported(&read.options).unwrap(), "Dial: the options 'tM' are without effect here");
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(request("").is_err() && request("SIP").is_err() && request("SIP/").is_err() && request("&").is_err());
        assert!(request(&vec!["SIP/a"; MAX_TARGETS + 1].join("&")).is_err());
    }
}
