//! How the sound of a line came, as JSON: the same fields from the console and of a call that was kept.

use crate::event::quality::{ClockSpeed, LineQuality};
use crate::wording::json::{Object, array};
use std::time::Duration;

/// All of it, but the course. Times are in milliseconds, what is not known is `null`.
pub fn line(quality: &LineQuality) -> Object {
    let (stream, far, reinvites) = (&quality.stream, quality.stream.far_end, &quality.reinvites);
    let kinds = stream.kinds.iter().map(|(number, packets)| {
        let object = Object::default().number("payload_type", number).text("name", quality.name_of(*number));
        object.number("packets", packets).end()
    });
    let irregular = &stream.irregular;
    let from_line = Object::default()
        .number("packets", stream.received)
        .number("lost", stream.lost)
        .number("lost_here", stream.lost_here)
        .number("bursts", stream.bursts)
        .number("longest_burst", stream.longest_burst)
        .number("late", stream.late)
        .number("duplicates", stream.duplicates)
        .number("jitter_ms", ms(stream.jitter))
        .number("worst_jitter_ms", ms(stream.worst_jitter))
        .number("gaps", stream.gaps)
        .number("longest_gap_ms", ms(stream.longest_gap))
        .number("longest_gap_at_ms", ms(stream.longest_gap_at))
        .number("stalls", stream.stalls)
        .number("longest_stall_ms", ms(stream.longest_stall))
        .maybe("packet_ms", stream.packet_ms)
        .number("is_mixed", stream.is_mixed)
        .number("pauses", stream.pauses)
        .number("paused_ms", ms(stream.paused))
        .number("ssrc_changes", stream.ssrc_changes)
        .number("numbered_anew", irregular.restarts)
        .number("misfits", irregular.misfits)
        .number("marks", irregular.marks)
        .number("length_changes", irregular.lengths)
        .number("latest_ms", ms(irregular.latest))
        .number("left_out", irregular.left_out)
        .number("repeated", irregular.repeated)
        .raw("payload_types", array(kinds))
        .number("other_payload_types", stream.other_kinds);
    let to_line = Object::default()
        .number("packets", quality.sent)
        .number("reports", far.map_or(0, |far| far.reports))
        .maybe("lost", far.map(|far| far.lost))
        .maybe("worst_percent", far.map(|far| far.worst_percent))
        .maybe("jitter_ms", far.map(|far| ms(far.jitter)))
        .maybe("round_trip_ms", far.and_then(|far| far.round_trip).map(ms))
        .maybe("longest_round_trip_ms", far.and_then(|far| far.longest_round_trip).map(ms));
    let reinvites = Object::default()
        .number("from_line", reinvites.from_line)
        .maybe("last_after_answer_ms", reinvites.last.map(ms))
        .number("from_exchange", reinvites.ours);
    Object::default()
        .text("channel", &quality.channel)
        .text("unique_id", &quality.unique_id)
        .text("call", &quality.call)
        .text("line", &quality.line)
        .text("talked_with", &quality.with)
        .raw("from_line", from_line.end())
        .raw("to_line", to_line.end())
        .raw("reinvites", reinvites.end())
        .raw("clock", clock(stream.clock))
}

/// A clock against another one; `null`: not known.
pub fn clock(speed: Option<ClockSpeed>) -> String {
    let Some(ClockSpeed { ppm, plus_minus, measured }) = speed else { return "null".to_owned() };
    let object = Object::default().number("ppm", format!("{ppm:.3}")).number("within_ppm", format!("{plus_minus:.3}"));
    object.number("measured_s", measured.as_secs()).end()
}

/// Milliseconds with three places.
pub fn ms(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}
