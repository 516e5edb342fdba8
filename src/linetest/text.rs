//! A report in sentences.

use super::figures::{milliseconds, percent};
use super::report::{Found, Measured, Report, Steadiness};
use super::verdict::verdict;

/// The verdict in one sentence, as the log has it.
pub fn summary(report: &Report) -> String {
    let verdict = verdict(report);
    let findings: Vec<&str> = verdict.findings.iter().map(|finding| finding.text.as_str()).collect();
    format!("the line is {}: {}", verdict.grade.text(), findings.join("; "))
}

/// Each finding, and what each part measured.
pub fn lines(report: &Report) -> Vec<String> {
    let verdict = verdict(report);
    let mut lines = vec![format!("The line is {}.", verdict.grade.text())];
    lines.extend(verdict.findings.iter().map(|found| format!("  [{}] {}", found.grade.name(), found.text)));
    lines.push("Measured:".to_owned());
    lines.extend(report.parts.iter().map(|measured| format!("  {}: {}", measured.part.name(), told(measured))));
    lines
}

fn told(measured: &Measured) -> String {
    let packets = &measured.packets;
    let came = match packets.received {
        0 => String::new(),
        came => format!("; {came} packets of {} ms, {} lost", packets.packet_ms, packets.lost),
    };
    format!("{}{came}", found(&measured.found))
}

fn found(found: &Found) -> String {
    match found {
        Found::Noise(noise) => {
            let hum = noise.hum.map(|mains| format!(", hum of {mains} Hz")).unwrap_or_default();
            format!("{} dBm0, at most {}{hum}", noise.level, noise.peak)
        }
        Found::Level(level) => match level.tone {
            Some(tone) => format!("a tone of {:.1} Hz at {} dBm0", f64::from(tone) / 10.0, level.level),
            None => format!("{} dBm0, no steady tone", level.level),
        },
        Found::Echoes(echoes) if echoes.echoes.is_empty() => format!("none louder than {} dB", echoes.floor),
        Found::Echoes(echoes) => {
            let each = echoes.echoes.iter().map(|echo| format!("{} dB at {}", echo.level, milliseconds(echo.delay)));
            let same =
                echoes.same_per_mille.map(|same| format!(", {} of the samples the same", percent(same.into(), 1_000)));
            each.collect::<Vec<_>>().join(", ") + &same.unwrap_or_default()
        }
        Found::Response(response) => {
            let points: Vec<String> =
                response.points.iter().map(|(hertz, level)| format!("{hertz} Hz {level}")).collect();
            let loud = response.compression.zip(response.harmonics).map(|(compression, harmonics)| {
                format!(", a tone of 0 dBm0 {compression} dB weaker than softer ones, its harmonics {harmonics} dB")
            });
            format!(
                "dB against what was sent: {}; noise and distortion {} dB below{}",
                points.join(", "),
                response.clearness,
                loud.unwrap_or_default()
            )
        }
        Found::Steadiness(steadiness) => steady(steadiness),
        Found::Unmeasured(why) => format!("not measured: {}", why.text()),
    }
}

fn steady(found: &Steadiness) -> String {
    let level = found.level.map(|level| format!(" at {level} dB")).unwrap_or_default();
    let slips: Vec<String> = found
        .slips
        .iter()
        .map(|slip| format!("{:+} samples after {:.2} s", -i64::from(slip.samples), slip.at.as_secs_f64()))
        .collect();
    let slips = if slips.is_empty() { String::new() } else { format!(" ({})", slips.join(", ")) };
    format!(
        "followed for {:.1} s{level}: {} slips{slips}, {} drop-outs, {} jumps of phase, {} changes of level, {} disturbances",
        found.followed.as_secs_f64(),
        found.slip_count,
        found.drop_outs,
        found.phase_hits,
        found.level_changes,
        found.noise_hits
    )
}
