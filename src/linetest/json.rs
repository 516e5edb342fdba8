//! A report as JSON (RFC 8259).

use super::decibel::Decibel;
use super::report::{Echo, Found, Measured, Packets, Report};
use super::verdict::{Finding, verdict};
use crate::datetime;
use crate::wording::json::{Object, quoted as text};
use std::time::Duration;

/// One JSON object: the verdict, its findings, and what each part measured. Levels in dB or dBm0, times in milliseconds.
pub fn json(report: &Report) -> String {
    let verdict = verdict(report);
    let finding = |it: &Finding| format!("{{\"grade\":{},\"text\":{}}}", text(it.grade.name()), text(&it.text));
    object(&[
        ("channel", text(&report.channel)),
        ("at", text(&datetime::iso(report.at))),
        ("mode", text(if report.is_loop { "loop" } else { "line" })),
        ("verdict", text(verdict.grade.name())),
        ("findings", list(verdict.findings.iter().map(finding))),
        ("parts", list(report.parts.iter().map(part))),
    ])
}

fn part(measured: &Measured) -> String {
    let mut fields = vec![("part", text(measured.part.name()))];
    match &measured.found {
        Found::Noise(noise) => fields.extend([
            ("level_dbm0", decibel(Some(noise.level))),
            ("peak_dbm0", decibel(Some(noise.peak))),
            ("hum_hz", optional(noise.hum)),
        ]),
        Found::Level(level) => fields.extend([
            ("level_dbm0", decibel(Some(level.level))),
            ("tone_hz", optional(level.tone.map(|tone| f64::from(tone) / 10.0))),
        ]),
        Found::Echoes(echoes) => fields.extend([
            ("echoes", list(echoes.echoes.iter().map(echo))),
            ("floor_db", decibel(Some(echoes.floor))),
            ("at_first", optional(echoes.at_first.as_ref().map(echo))),
            ("same_per_mille", optional(echoes.same_per_mille)),
        ]),
        Found::Response(response) => {
            let point =
                |(hertz, level): &(u16, Decibel)| object(&[("hz", hertz.to_string()), ("db", decibel(Some(*level)))]);
            fields.extend([
                ("response", list(response.points.iter().map(point))),
                ("clearness_db", decibel(Some(response.clearness))),
                ("compression_db", decibel(response.compression)),
                ("harmonics_db", decibel(response.harmonics)),
            ]);
        }
        Found::Steadiness(found) => {
            let slips = found.slips.iter().map(|slip| {
                object(&[("at_ms", milliseconds(slip.at)), ("samples_left_out", slip.samples.to_string())])
            });
            fields.extend([
                ("followed_ms", milliseconds(found.followed)),
                ("level_db", decibel(found.level)),
                ("slips", found.slip_count.to_string()),
                ("first_slips", list(slips)),
                ("drop_outs", found.drop_outs.to_string()),
                ("longest_drop_out_ms", milliseconds(found.longest_drop_out)),
                ("phase_hits", found.phase_hits.to_string()),
                ("level_changes", found.level_changes.to_string()),
                ("noise_hits", found.noise_hits.to_string()),
            ]);
        }
        Found::Unmeasured(why) => fields.push(("not_measured", text(why.text()))),
    }
    fields.push(("packets", packets(&measured.packets)));
    object(&fields)
}

fn echo(echo: &Echo) -> String {
    object(&[("delay_ms", milliseconds(echo.delay)), ("level_db", decibel(Some(echo.level)))])
}

fn packets(packets: &Packets) -> String {
    object(&[
        ("received", packets.received.to_string()),
        ("lost", packets.lost.to_string()),
        ("duplicates", packets.duplicates.to_string()),
        ("late", packets.late.to_string()),
        ("packet_ms", packets.packet_ms.to_string()),
        ("comfort_noise", packets.comfort_noise.to_string()),
        ("pauses", packets.pauses.to_string()),
        ("paused_ms", milliseconds(packets.paused)),
        ("other_codec", packets.other_codec.to_string()),
        ("stalls", packets.stalls.to_string()),
        ("restarts", packets.restarts.to_string()),
    ])
}

fn object(fields: &[(&str, String)]) -> String {
    fields.iter().fold(Object::default(), |object, (name, value)| object.raw(name, value)).end()
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

fn decibel(level: Option<Decibel>) -> String {
    optional(level)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1_000.0)
}
