//! A talk from its beginning to its end: the call is described, then each line of the script is a command, and has its
//! answer.

use super::command::{self, Command};
use super::talk::{Answer, Talk};
use super::words::words;
use crate::dialplan::app::{Args, Outcome, Target};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::outside::{AtHangup, Exchange, NotOpened, Opening, OutsideReply, OutsideRequest, TalkEnd, TalkId};
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;
use std::fmt::Write as _;

/// Lines in a row that are no command, after which a script is not taken for one.
const MAX_UNKNOWN: u32 = 100;

/// Runs `AGI(script,arguments...)`.
///
/// # Errors
/// The channel was hung up while the script ran, or redirected.
pub(in crate::dialplan) async fn run(app: &str, channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let split = args.split();
    let program = split.trimmed(0).to_owned();
    if let Some(why) = refusal(&program) {
        channel.set_variable("AGISTATUS", "FAILURE");
        channel.log(Level::Warning, format!("{app}: {why}"));
        return Ok(Outcome::Next);
    }
    let arguments: Vec<String> = split.0.iter().skip(1).cloned().collect();
    let was_dead = channel.hung_up().is_some();
    let mut talk = Talk { channel, args, was_dead, has_jumped: false };
    let first = description(&mut talk, &program, &arguments).await?;
    let opening = Opening { program: program.clone(), arguments, first };
    let (status, why) = match talk.channel.outside(OutsideRequest::Open(opening)).await? {
        OutsideReply::Opened(Ok(id)) => {
            let text = format!("Launched AGI Script {}", outside(&program));
            talk.channel.log(Level::Verbose(3), text);
            return talked(app, &program, id, talk).await;
        }
        OutsideReply::Opened(Err(NotOpened::NotFound(where_))) => ("NOTFOUND", where_),
        OutsideReply::Opened(Err(NotOpened::Failed(why))) => ("FAILURE", why),
        OutsideReply::Refused(why) => ("FAILURE", format!("refused: {why}")),
        _ => ("FAILURE", "no answer".to_owned()),
    };
    talk.channel.log(Level::Warning, format!("{app}({}): {why}", outside(&program)));
    talk.channel.set_variable("AGISTATUS", status);
    Ok(Outcome::Next)
}

fn refusal(program: &str) -> Option<&'static str> {
    let is = |scheme: &str| program.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if program.is_empty() {
        Some("it needs the name of a script")
    } else if is("agi:async") {
        Some("agi:async is not supported, for there is no manager interface yet; name a script or agi://host/path")
    } else if is("hagi://") {
        Some("hagi:// (addresses by SRV records) is not supported; write agi://host:port/path")
    } else {
        None
    }
}

/// The lines that a script is given first.
async fn description(talk: &mut Talk, program: &str, arguments: &[String]) -> Result<String, Interrupted> {
    let value = |text: String| if text.is_empty() { "unknown".to_owned() } else { text };
    let name = talk.evaluate("${CHANNEL}").await?;
    let unique = talk.evaluate("${UNIQUEID}").await?;
    let language = talk.channel.language();
    let (caller, position, accounting) = talk.channel.with_state(|state| {
        (state.caller.clone(), state.position.clone(), state.variable("CDR(accountcode)").unwrap_or_default())
    });
    let mut lines: Vec<(&str, String)> = Vec::new();
    if let Some(path) = program
        .get(.."agi://".len())
        .filter(|start| start.eq_ignore_ascii_case("agi://"))
        .and(program.get("agi://".len()..))
    {
        lines.push(("network", "yes".to_owned()));
        lines.push(("network_script", path.split_once('/').map_or("", |(_, script)| script).to_owned()));
    }
    lines.extend([
        ("request", program.to_owned()),
        ("channel", name.clone()),
        ("language", if language.is_empty() { "en".to_owned() } else { language }),
        ("type", name.split('/').next().unwrap_or_default().to_owned()),
        ("uniqueid", unique),
        ("version", format!("20.0.0 (strowger {})", env!("CARGO_PKG_VERSION"))),
        ("callerid", value(caller.number)),
        ("calleridname", value(caller.name)),
        ("callingpres", caller.presentation.number().to_string()),
        ("callingani2", "0".to_owned()),
        ("callington", "0".to_owned()),
        ("callingtns", "0".to_owned()),
        ("dnid", value(caller.dnid)),
        ("rdnis", value(caller.rdnis)),
        ("context", position.context),
        ("extension", position.exten),
        ("priority", position.priority.to_string()),
        ("enhanced", "0.0".to_owned()),
        ("accountcode", accounting),
        ("threadid", talk.channel.id().0.to_string()),
    ]);
    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "agi_{name}: {}", line(&value));
    }
    for (number, argument) in (1u32..).zip(arguments) {
        let _ = writeln!(text, "agi_arg_{number}: {}", line(argument));
    }
    text.push('\n');
    Ok(text)
}

/// A value that stays on its line: what a caller sends must not become a line of its own.
fn line(value: &str) -> String {
    value.chars().filter(|letter| !letter.is_control()).collect()
}

/// The talk itself, once the script runs.
async fn talked(app: &str, program: &str, id: TalkId, mut talk: Talk) -> Result<Outcome, Interrupted> {
    let mut tell = String::new();
    let mut unknown = 0;
    let (status, why) = loop {
        let exchange =
            Exchange { talk: id, tell, hung_up: !talk.was_dead && talk.is_dead(), at_hangup: at_hangup(&talk) };
        let said = match talk.channel.outside(OutsideRequest::Exchange(exchange)).await? {
            OutsideReply::Line(Ok(line)) => line,
            OutsideReply::Line(Err(TalkEnd::Silent)) => break ("SUCCESS", None),
            OutsideReply::Line(Err(TalkEnd::HungUp)) => break ("HANGUP", None),
            OutsideReply::Line(Err(TalkEnd::Stopped(why))) => break ("FAILURE", Some(why)),
            _ => break ("FAILURE", Some("no answer".to_owned())),
        };
        let (answer, is_command) = answer(&mut talk, &said).await?;
        unknown = if is_command { 0 } else { unknown + 1 };
        if unknown > MAX_UNKNOWN {
            break ("FAILURE", Some(format!("{unknown} lines in a row are no command of AGI")));
        }
        tell = answer;
    };
    if let Some(why) = why {
        talk.channel.log(Level::Warning, format!("{app}({}): {why}", outside(program)));
    }
    let close = OutsideRequest::Close { talk: id, signal: at_hangup(&talk).signal };
    if let OutsideReply::Closed(said) = talk.channel.outside(close).await? {
        for said in said.lines().filter(|line| !line.trim().is_empty()) {
            talk.channel.log(Level::Warning, format!("{app}({}) says: {}", outside(program), outside(said)));
        }
    }
    let has_ended = talk.channel.hung_up().filter(|_| !talk.was_dead);
    let status = if has_ended.is_some() && status == "SUCCESS" { "HANGUP" } else { status };
    let text =
        format!("AGI Script {} completed, returning {}", outside(program), if has_ended.is_some() { -1 } else { 0 });
    talk.channel.log(Level::Verbose(3), text);
    talk.channel.set_variable("AGISTATUS", status);
    match has_ended {
        Some(cause) => Err(Interrupted::Hangup(cause)),
        None if talk.has_jumped => {
            let priority = talk.channel.with_state(|state| state.position.priority.to_string());
            Ok(Outcome::Jump(Target { priority, ..Target::default() }))
        }
        None => Ok(Outcome::Next),
    }
}

fn at_hangup(talk: &Talk) -> AtHangup {
    let is = |name: &str, words: &[&str]| {
        let value = talk.channel.variable(name);
        words.iter().any(|word| value.trim().eq_ignore_ascii_case(word))
    };
    AtHangup {
        signal: !is("AGISIGHUP", &["no", "false", "0", "off", "n", "f"]),
        end: is("AGIEXITONHANGUP", &["yes", "true", "1", "on", "y", "t"]),
    }
}

/// The answer to a line, and whether it was a command at all.
async fn answer(talk: &mut Talk, line: &str) -> Result<(String, bool), Interrupted> {
    let Some(words) = words(line) else { return Ok((UNKNOWN.to_owned(), false)) };
    let Some((command, rest)) = command::find(&words) else {
        let what = words.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
        talk.channel.log(Level::Verbose(2), format!("AGI: there is no command '{}'", outside(&what)));
        return Ok((UNKNOWN.to_owned(), false));
    };
    if talk.is_dead() && !command.dead {
        return Ok(("511 Command Not Permitted on a dead channel or intercept routine\n".to_owned(), true));
    }
    let answer = match (command.run)(talk, rest).await {
        Ok(answer) => answer,
        // The script is told, and may go on with what needs no telephone.
        Err(Interrupted::Hangup(_)) => Answer::number(-1),
        Err(redirect @ Interrupted::Redirect(_)) => return Err(redirect),
    };
    Ok((written(talk, command, answer), true))
}

const UNKNOWN: &str = "510 Invalid or unknown command\n";

fn written(talk: &Talk, command: &Command, answer: Answer) -> String {
    match answer {
        Answer::Result(text) if command.name == "GOSUB" => {
            format!("100 result=0 Trying...\n200 result={}\n", line(&text))
        }
        Answer::Result(text) => format!("200 result={}\n", line(&text)),
        Answer::Usage => {
            let Command { name, usage, .. } = command;
            format!(
                "520-Invalid command syntax.  Proper usage follows:\n Usage: {name} {usage}\n520 End of proper usage.\n"
            )
        }
        Answer::Unknown(why) => {
            talk.channel.log(Level::Warning, format!("AGI: {why}"));
            UNKNOWN.to_owned()
        }
    }
}
