//! Call files: a text of `Key: value` lines that has the exchange begin a call, for wake-up calls and the like.

use super::originate::{Goal, OriginateRequest, name_and_number};
use super::request::{DialTarget, Position};
use crate::wording::outside;
use std::time::Duration;

/// Maximum size of a call file, in bytes.
pub const MAX_SIZE: usize = 64 * 1024;
/// Maximum number of variables that it sets.
const MAX_VARIABLES: usize = 200;

/// A call file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFile {
    /// The call.
    pub request: OriginateRequest,
    /// How often it is tried again.
    pub max_retries: u32,
    /// How long after a try that failed.
    pub retry_time: Duration,
    /// How often it was tried already, as the lines say that every try appends.
    pub tried: u32,
    /// It is kept when it is done.
    pub archive: bool,
    /// It is removed when it is done, even when somebody has changed its time meanwhile.
    pub always_delete: bool,
}

/// How long the line rings when no time is given.
const WAIT: Duration = Duration::from_secs(45);
/// How long after a try that failed when no time is given.
const RETRY: Duration = Duration::from_secs(300);

/// Reads a call file; what is not understood is said in the second list.
///
/// # Errors
/// It names no channel, or nothing for it to do: why, for the log.
pub fn parse(text: &str) -> Result<(CallFile, Vec<String>), String> {
    let mut read = Reader::default();
    for line in text.lines() {
        read.line(line);
    }
    read.finish()
}

#[derive(Default)]
struct Reader {
    channel: String,
    caller: (String, String),
    account: String,
    context: String,
    exten: String,
    priority: Option<u32>,
    application: String,
    data: String,
    variables: Vec<(String, String)>,
    max_retries: u32,
    retry_time: Option<Duration>,
    wait: Option<Duration>,
    tried: u32,
    archive: bool,
    keeps_when_changed: bool,
    said: Vec<String>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        // A `;` or `#` begins a comment where it begins a line or a word.
        let line = match line
            .match_indices([';', '#'])
            .find(|(at, _)| *at == 0 || line.get(..*at).is_some_and(|l| l.ends_with([' ', '\t'])))
        {
            Some((at, _)) => line.get(..at).unwrap_or(line),
            None => line,
        };
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let Some((key, value)) = line.split_once(':') else {
            return self.said.push(format!("'{}' is not 'Key: value'", outside(line)));
        };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        let is_yes = matches!(value.to_ascii_lowercase().as_str(), "yes" | "true" | "y" | "t" | "1" | "on");
        match key.as_str() {
            "channel" => value.clone_into(&mut self.channel),
            "callerid" => self.caller = name_and_number(value),
            "account" | "accountcode" => value.clone_into(&mut self.account),
            "context" => value.clone_into(&mut self.context),
            "extension" => value.clone_into(&mut self.exten),
            "priority" => match value.parse() {
                Ok(priority) if priority > 0 => self.priority = Some(priority),
                _ => self.wrong(&key, value, "a number from 1 on"),
            },
            "application" => value.clone_into(&mut self.application),
            "data" => value.clone_into(&mut self.data),
            "maxretries" => match value.parse() {
                Ok(retries) => self.max_retries = retries,
                Err(_) => self.wrong(&key, value, "a number"),
            },
            "retrytime" => match value.parse().ok().filter(|seconds| *seconds > 0) {
                Some(seconds) => self.retry_time = Some(Duration::from_secs(seconds)),
                None => self.wrong(&key, value, "a number of seconds"),
            },
            "waittime" => match value.parse().ok().filter(|seconds| *seconds > 0) {
                Some(seconds) => self.wait = Some(Duration::from_secs(seconds)),
                None => self.wrong(&key, value, "a number of seconds"),
            },
            "setvar" | "set" => match value.split_once('=') {
                Some((name, value)) if self.variables.len() < MAX_VARIABLES => {
                    self.variables.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                Some(_) => self.said.push(format!("it sets more than {MAX_VARIABLES} variables")),
                None => self.wrong(&key, value, "NAME=value"),
            },
            "archive" => self.archive = is_yes,
            "alwaysdelete" => self.keeps_when_changed = !is_yes,
            "startretry" | "retry" => self.tried = self.tried.saturating_add(1),
            "endretry" | "status" | "delayedretry" => {}
            // The line's own section decides what is offered to it, and what it sends before its answer is heard by nobody.
            "codecs" | "early_media" => {}
            _ => self.said.push(format!("there is no key '{}'", outside(&key))),
        }
    }

    fn wrong(&mut self, key: &str, value: &str, wanted: &str) {
        self.said.push(format!("{key}: '{}' is not {wanted}", outside(value)));
    }

    fn finish(self) -> Result<(CallFile, Vec<String>), String> {
        let Some(target) = DialTarget::parse(&self.channel) else {
            return Err(match self.channel.as_str() {
                "" => "it names no Channel".to_owned(),
                channel => format!("Channel: '{}' is not technology/resource; write SIP/name", outside(channel)),
            });
        };
        let goal = match (self.application.as_str(), self.exten.as_str()) {
            ("", "") => return Err("it names neither an Application nor an Extension".to_owned()),
            ("", exten) => {
                let context = if self.context.is_empty() { "default" } else { &self.context };
                Goal::Extension(Position::new(context, exten, self.priority.unwrap_or(1)))
            }
            (application, _) => Goal::Application(application.to_owned(), self.data),
        };
        let request = OriginateRequest {
            caller: self.caller,
            variables: self.variables,
            account: self.account,
            ..OriginateRequest::new(target, goal, self.wait.unwrap_or(WAIT))
        };
        let file = CallFile {
            request,
            max_retries: self.max_retries,
            retry_time: self.retry_time.unwrap_or(RETRY),
            tried: self.tried,
            archive: self.archive,
            always_delete: !self.keeps_when_changed,
        };
        Ok((file, self.said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_call_reads() {
        let text = "; made by a script\nChannel: SIP/201\nCallerID: \"Wake up\" <77>\nMaxRetries: 2\nRetryTime: 60\n\
                    WaitTime: 30 # half a minute\nContext: wakeup\nExtension: s\nPriority: 1\nSetvar: ROOM=12\n\
                    Set: __A=b=c\nArchive: yes\nAccount: hotel\nAlwaysDelete: No\nCodecs: ulaw\nSome: thing\n\
                    \nStartRetry: 77 1 (12)\n\nEndRetry: 77 1 (12)\n";
        let (file, said) = parse(text).unwrap();
        assert_eq!(said, ["there is no key 'some'"]);
        let request = &file.request;
        assert_eq!((request.target.to_string().as_str(), request.timeout), ("SIP/201", Duration::from_secs(30)));
        assert_eq!(request.caller, ("Wake up".to_owned(), "77".to_owned()));
        assert_eq!(request.goal, Goal::Extension(Position::new("wakeup", "s", 1)));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(request.variables, [pair("ROOM", "12"), pair("__A", "b=c")]);
        assert_eq!(request.account, "hotel");
        assert_eq!((file.max_retries, file.retry_time, file.tried), (2, Duration::from_secs(60), 1));
        assert!(file.archive && !file.always_delete);
    }

    #[test]
    fn what_is_missing_is_said_and_an_application_needs_no_extension() {
        assert_eq!(parse("").unwrap_err(), "it names no Channel");
        assert!(parse("Channel: 201\nApplication: Echo").unwrap_err().contains("'201' is not technology/resource"));
        assert_eq!(parse("Channel: SIP/a").unwrap_err(), "it names neither an Application nor an Extension");
        let (file, said) =
            parse("channel: SIP/a\r\nAPPLICATION: Playback\r\nData: a&b#c\r\nPriority: x\r\nno colon").unwrap();
        assert_eq!(file.request.goal, Goal::Application("Playback".to_owned(), "a&b#c".to_owned()));
        assert_eq!((file.request.timeout, file.retry_time, file.max_retries), (WAIT, RETRY, 0));
        assert_eq!(said, ["priority: 'x' is not a number from 1 on", "'no colon' is not 'Key: value'"]);
    }
}
