//! `Originate`: begins another call.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::dial_request::admit;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::originate::{Goal, OriginateRequest, OriginateStatus, name_and_number};
use crate::dialplan::request::{DialTarget, Interrupted, Position};
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "Originate",
    synopsis: "Begins another call",
    syntax: "Originate(technology/resource,exten,context[,extension[,priority[,timeout[,options]]]]) or \
             Originate(technology/resource,app,application[,arguments[,,timeout[,options]]])",
    help: "The line is called for timeout seconds (30 without a number). Who answers is in the dialplan at that place, or has that \
           one application, whose arguments stand in quotes when there are commas in them. The dialplan that runs this goes \
           on when the line has answered, or has not: ORIGINATE_STATUS is SUCCESS, BUSY, CONGESTION, RINGING (nobody picked \
           up) or FAILED. Options: a (go on at once; ORIGINATE_STATUS is SUCCESS), c(number), n(name) (who is said to call), \
           v(name=value^name=value) (variables of the new channel), b and B are accepted, without effect.",
    arity: 3,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// How long it rings when no time is given.
const TIMEOUT: Duration = Duration::from_secs(30);

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let status = match read(&args).and_then(|request| admit(&channel, request, args.get(0), "Originate")) {
        Ok(request) => channel.originate(request).await?,
        Err(why) => {
            channel.log(Level::Warning, why);
            OriginateStatus::Failed
        }
    };
    channel.set_variable("ORIGINATE_STATUS", status.name());
    Ok(Outcome::Next)
}

fn read(args: &arguments::Split) -> Result<OriginateRequest, String> {
    let whom = args.trimmed(0);
    let Some(target) = DialTarget::parse(whom) else {
        return Err(format!("Originate: '{}' is not technology/resource; write SIP/name", outside(whom)));
    };
    let goal = match args.trimmed(1).to_ascii_lowercase().as_str() {
        "app" => Goal::Application(args.trimmed(2).to_owned(), args.get(3).to_owned()),
        "exten" => {
            let priority = args.trimmed(4).parse().unwrap_or(1);
            let exten = Some(args.trimmed(3)).filter(|exten| !exten.is_empty()).unwrap_or("s");
            Goal::Extension(Position::new(args.trimmed(2), exten, priority))
        }
        other => return Err(format!("Originate: '{}' is neither app nor exten", outside(other))),
    };
    let timeout = arguments::seconds(args.get(5)).filter(|time| !time.is_zero()).unwrap_or(TIMEOUT);
    let mut request = OriginateRequest { waits: true, ..OriginateRequest::new(target, goal, timeout) };
    for (letter, argument) in arguments::options(args.get(6)) {
        let argument = argument.unwrap_or_default();
        match letter {
            'a' => request.waits = false,
            'c' => request.caller.1 = name_and_number(&argument).1,
            'n' => request.caller.0 = arguments::unquote(&argument),
            'v' => {
                let pairs = argument.split('^').filter_map(|pair| pair.split_once('='));
                request.variables.extend(pairs.map(|(name, value)| (name.trim().to_owned(), value.to_owned())));
            }
            _ => {}
        }
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<OriginateRequest, String> {
        read(&Args::new(text).split())
    }

    #[test]
    fn both_forms_read() {
        let app = request("SIP/a,app,Playback,beep&beep,,10,c(55)n(Bell)v(A=1^B=2)a").unwrap();
        assert_eq!(app.goal, Goal::Application("Playback".to_owned(), "beep&beep".to_owned()));
        assert_eq!(
            (app.timeout, app.waits, app.caller),
            (Duration::from_secs(10), false, ("Bell".into(), "55".into()))
        );
        assert_eq!(app.variables, [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]);
        let exten = request("Local/1@x,exten,home,201,2").unwrap();
        assert_eq!(exten.goal, Goal::Extension(Position::new("home", "201", 2)));
        assert_eq!((exten.timeout, exten.waits), (TIMEOUT, true));
        assert_eq!(request("SIP/a,exten,home").unwrap().goal, Goal::Extension(Position::new("home", "s", 1)));
        assert!(request("SIP/a,x,y").is_err() && request("a,app,Echo").is_err());
    }
}
