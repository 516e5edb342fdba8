//! `core show channels` and `channel ...`, in the columns scripts know.

use super::pattern::regex;
use super::reply::Reply;
use super::{channel_detail, core};
use crate::observe::control_api::{ControlApi, HangUp, Redirect};
use crate::observe::escape::line;
use crate::observe::snapshot::{ChannelRow, SystemCounts};
use crate::wording::{did_you_mean, plural};

pub(super) fn show_channels(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let word = match arguments {
        [] => String::new(),
        [word] => word.to_ascii_lowercase(),
        _ => return Reply::Usage,
    };
    Reply::Done(match word.as_str() {
        "" if arguments.is_empty() => plain(&exchange.channels()) + &footer(exchange.counts()),
        "verbose" => verbose(&exchange.channels()) + &footer(exchange.counts()),
        "concise" => exchange.channels().iter().map(concise).collect(),
        "count" => footer(exchange.counts()),
        _ => return Reply::Usage,
    })
}

pub(super) fn show_channel(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [name] = arguments else { return Reply::Usage };
    Reply::Done(match exchange.channel(name) {
        Some(channel) => channel_detail::detail(&channel),
        None => {
            let names: Vec<String> = exchange.channels().iter().map(|channel| line(&channel.name)).collect();
            let near = did_you_mean(name, names.iter().map(String::as_str));
            let near = if near.is_empty() { near } else { format!("{}\n", near.trim_start()) };
            format!("{} is not a known channel\n{near}", line(name))
        }
    })
}

pub(super) fn show_calls(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let counts = exchange.counts();
    let calls = calls(counts.calls, counts.processed);
    match arguments {
        [] => Reply::Done(calls),
        [word] if word.eq_ignore_ascii_case("uptime") => match core::show_uptime(&[], exchange) {
            Reply::Done(uptime) => Reply::Done(calls + &uptime),
            other => other,
        },
        _ => Reply::Usage,
    }
}

pub(super) fn request_hangup(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [target] = arguments else { return Reply::Usage };
    let all = || exchange.channels().into_iter().map(|channel| channel.name);
    let names: Vec<String> = if target.eq_ignore_ascii_case("all") {
        all().collect()
    } else if let Some(pattern) = target.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        match regex(pattern) {
            Ok(pattern) => all().filter(|name| pattern.is_match(name)).collect(),
            Err(why) => return Reply::Failed(why),
        }
    } else {
        vec![target.clone()]
    };
    let told = names.iter().map(|name| match exchange.hang_up(name) {
        HangUp::Requested => format!("Requested Hangup on channel '{}'\n", line(name)),
        HangUp::Unknown => format!("{} is not a known channel\n", line(name)),
    });
    Reply::Done(told.collect())
}

/// Asterisk's words, and the reason.
pub(super) fn redirect(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [name, place] = arguments else { return Reply::Usage };
    let (shown, to) = (line(name), line(place));
    match exchange.redirect(name, place) {
        Redirect::Done => Reply::Done(format!("Channel '{shown}' successfully redirected to {to}\n")),
        Redirect::Unknown => Reply::Failed(format!("Channel '{shown}' not found\n")),
        Redirect::Failed(why) => {
            Reply::Failed(format!("Channel '{shown}' failed to be redirected to {to}\n{}\n", line(&why)))
        }
    }
}

fn plain(channels: &[ChannelRow]) -> String {
    let row = |name: &str, location: &str, state: &str, application: &str| {
        format!("{name:<64.64} {location:<32.32} {state:<7.7} {application:<30.30}\n")
    };
    let mut text = row("Channel", "Location", "State", "Application(Data)");
    for channel in channels {
        let location = if channel.exten.is_empty() {
            "(None)".to_owned()
        } else {
            format!("{}@{}:{}", channel.exten, channel.context, channel.priority)
        };
        let application = if channel.application.is_empty() {
            "(None)".to_owned()
        } else {
            format!("{}({})", channel.application, channel.data)
        };
        text += &row(&line(&channel.name), &line(&location), &line(&channel.state), &line(&application));
    }
    text
}

fn verbose(channels: &[ChannelRow]) -> String {
    let row = |field: [&str; 12]| {
        let [name, context, exten, priority, state, application, data, caller, duration, account, peer, bridge] = field;
        format!(
            "{name:<64.64} {context:<20.20} {exten:<16.16} {priority:>4.4} {state:<7.7} {application:<12.12} \
             {data:<25.25} {caller:<15.15} {duration:>8.8} {account:<11.11} {peer:<11.11} {bridge:<20.20}\n"
        )
    };
    let mut text = row([
        "Channel",
        "Context",
        "Extension",
        "Prio",
        "State",
        "Application",
        "Data",
        "CallerID",
        "Duration",
        "Accountcode",
        "PeerAccount",
        "BridgeID",
    ]);
    for channel in channels {
        text += &row([
            &line(&channel.name),
            &line(&channel.context),
            &line(&channel.exten),
            &channel.priority.to_string(),
            &line(&channel.state),
            &line(&channel.application),
            &line(&channel.data),
            &line(&channel.caller_id),
            &clock(channel.duration_s),
            &line(&channel.account),
            &line(&channel.peer_account),
            &line(&channel.bridge_id),
        ]);
    }
    text
}

/// Fourteen fields separated by `!`. What a caller dialled must not make fields of its own, so a `!` within one is `_`.
fn concise(channel: &ChannelRow) -> String {
    let fields = [
        &channel.name,
        &channel.context,
        &channel.exten,
        &channel.priority.to_string(),
        &channel.state,
        &channel.application,
        &channel.data,
        &channel.caller_id,
        &channel.account,
        &channel.peer_account,
        "3", // AMA flags: documentation, the value of a channel nobody set them on
        &channel.duration_s.to_string(),
        &channel.bridge_id,
        &channel.unique_id,
    ];
    fields.map(|field| line(field).replace('!', "_")).join("!") + "\n"
}

fn footer(counts: SystemCounts) -> String {
    let SystemCounts { channels, calls: now, processed } = counts;
    format!("{}\n{}", plural(channels, "active channel"), calls(now, processed))
}

fn calls(now: u64, processed: u64) -> String {
    format!("{}\n{} processed\n", plural(now, "active call"), plural(processed, "call"))
}

fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
