//! `Record`: records the caller.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{RecordReply, RecordRequest};
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Record",
    synopsis: "Records the caller",
    syntax: "Record(file.format[,silence[,seconds[,options]]])",
    help: "Answers, beeps, and writes what the caller says into a file until '#', until it was silent for so many seconds, for at \
           most so many seconds, or until the hang-up. %d in the name counts up. Formats: wav, ulaw, alaw, sln. Without a \
           leading slash the file lies in the recordings folder of the state folder. Options: a (append), n (do not \
           answer, record all the same), q (no beep), s (skip it when not answered), t (end by '*', too, instead of '#'), x \
           (ignore '#'), y (any digit ends it), k (the file is kept at a hang-up, as always). Accepted, without effect, which is logged: every other letter, of these o (0 as operator) and u (no truncation of silence). Sets RECORDED_FILE (without format) and RECORD_STATUS: DTMF, SILENCE, \
           TIMEOUT, HANGUP, SKIP, ERROR.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let options = arguments::options(args.trimmed(3));
    let given = |letter: char| options.iter().any(|(option, _)| *option == letter);
    let without: String =
        options.iter().map(|(letter, _)| *letter).filter(|letter| !"anqstxyk".contains(*letter)).collect();
    if !without.is_empty() {
        channel.log(Level::Notice, format!("Record: the options '{}' are without effect here", outside(&without)));
    }
    let file = args.trimmed(0).to_owned();
    // Asterisk's older form: `name:format`.
    let file = match file.rsplit_once(':') {
        Some((name, format)) if !format.contains('/') => format!("{name}.{format}"),
        _ => file,
    };
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
    channel.set_variable("RECORDED_FILE", &stem);
    if !channel.is_answered() {
        if given('s') {
            channel.set_variable("RECORD_STATUS", "SKIP");
            return Ok(Outcome::Next);
        }
        if !given('n') {
            channel.answer().await?;
        }
    }
    // If the caller hangs up, there is no reply.
    channel.set_variable("RECORD_STATUS", "HANGUP");
    if !given('q') {
        channel.play(vec!["beep".to_owned()]).await?;
    }
    let seconds = |place| arguments::seconds(args.trimmed(place)).filter(|time| !time.is_zero());
    let stop_on = match (given('y'), given('x'), given('t')) {
        (true, ..) => Digits::ANY,
        (false, true, _) => Digits::NONE,
        (false, false, true) => Digits::of("*"),
        (false, false, false) => Digits::of("#"),
    };
    let until = seconds(1).map(|lasting| (false, lasting));
    let request = RecordRequest { file: Some(file), append: given('a'), max: seconds(2), until, stop_on };
    let status = match channel.record(request).await? {
        RecordReply::Digit(digit) => {
            channel.set_variable("RECORD_DIGIT", &digit.to_string());
            "DTMF"
        }
        RecordReply::Until => "SILENCE",
        RecordReply::Max => "TIMEOUT",
        RecordReply::Failed(why) => {
            channel.log(Level::Warning, format!("Record: {why}"));
            "ERROR"
        }
    };
    channel.set_variable("RECORD_STATUS", status);
    Ok(Outcome::Next)
}
