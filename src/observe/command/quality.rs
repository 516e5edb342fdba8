//! `rtp show quality` and `sip show channelstats`: how the sound of calls comes.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape;
use crate::observe::quality_json;
use crate::observe::quality_rows::{Passed, QualityRow};
use crate::wording::json::{array, quoted};

/// What makes a row JSON.
const JSON: &str = "--json";

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let (channel, is_json) = match arguments {
        [] => (None, false),
        [json] if json == JSON => (None, true),
        [channel] => (Some(channel.as_str()), false),
        [channel, json] if json == JSON => (Some(channel.as_str()), true),
        _ => return Reply::Usage,
    };
    let rows = exchange.sound().quality(channel);
    match (rows.is_empty(), channel) {
        (true, Some(channel)) => Reply::Failed(format!(
            "No sound of '{}' passes through the exchange: there is no such channel ('core show channels' lists them), or its \
             media is direct (directmedia=no shows it).\n",
            escape::line(channel)
        )),
        (_, _) if is_json => json(&rows),
        (true, None) => Reply::Done("No call's sound passes through the exchange.\n".to_owned()),
        (false, _) => Reply::Done(rows.iter().flat_map(|row| &row.sentences).map(|line| format!("{line}\n")).collect()),
    }
}

/// An object for each channel.
fn json(rows: &[QualityRow]) -> Reply {
    let row = |row: &QualityRow| {
        let clocks = row.clocks.as_ref();
        let slips = clocks.and_then(|clocks| clocks.speed.slips_every(clocks.packet));
        quality_json::line(&row.quality)
            .text("call_id", &row.call_id)
            .text("host", &row.host.map(|host| host.to_string()).unwrap_or_default())
            .number("duration_s", row.duration_s)
            .raw("clock_against_other", quality_json::clock(clocks.map(|clocks| clocks.speed)))
            .maybe("slips_every_s", slips.map(|every| every.as_secs()))
            .raw("sentences", array(row.sentences.iter().map(|line| quoted(line))))
            .end()
    };
    Reply::Done(format!("{}\n", array(rows.iter().map(row))))
}

/// As chan_sip lays it out; packets beyond 100,000 in thousands, jitter in seconds.
pub(super) fn channel_stats(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let is_json = match arguments {
        [] => false,
        [json] if json == JSON => true,
        _ => return Reply::Usage,
    };
    let rows = exchange.sound().quality(None);
    if is_json {
        return json(&rows);
    }
    let mut text = format!(
        "{:<15}  {:<11}  {:<8} {:<10}  {:<10} (     %) {:<6} {:<10}  {:<10} (     %) {:<6}\n",
        "Peer", "Call ID", "Duration", "Recv: Pack", "Lost", "Jitter", "Send: Pack", "Lost", "Jitter"
    );
    rows.iter().for_each(|row| text.push_str(&line(row)));
    text.push_str(&format!("{} active SIP {}\n", rows.len(), if rows.len() == 1 { "channel" } else { "channels" }));
    Reply::Done(text)
}

fn line(row: &QualityRow) -> String {
    let host = row.host.map(|host| host.to_string()).unwrap_or_default();
    let (hours, minutes, seconds) = (row.duration_s / 3_600, row.duration_s / 60 % 60, row.duration_s % 60);
    let duration = format!("{hours:02}:{minutes:02}:{seconds:02}");
    format!(
        "{host:<15.15}  {:<11.11}  {duration:<8.8} {} {}\n",
        escape::line(&row.call_id),
        direction(&row.received),
        direction(&row.sent)
    )
}

fn direction(passed: &Passed) -> String {
    let Passed { packets, lost, jitter } = *passed;
    let (shown, unit) = if packets > 100_000 { (packets / 1_000, "K") } else { (packets, " ") };
    let share = match packets + lost {
        0 => 0.0,
        all => lost as f64 * 100.0 / all as f64,
    };
    format!("{shown:<10}{unit} {lost:<10} ({share:5.2}%) {:<6.4}", jitter.as_secs_f64())
}
