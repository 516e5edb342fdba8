//! Sentences about how the sound of lines came.

use crate::datetime::span;
use crate::event::quality::{FarEndReport, StreamQuality, TwoClocks};
use crate::event::{Level, LogLine};
use std::time::Duration;

/// How the sound of a line came, in one sentence: what is as it should be, then what is not.
pub(super) fn line(channel: &str, quality: &StreamQuality) -> Option<LogLine> {
    told(channel, quality).map(|text| LogLine::verbose(3, text))
}

/// The same of a call that goes on, for the console: what was counted, how it came, and the clocks.
pub(in crate::daemon) fn shown(
    channel: &str,
    sent: u64,
    quality: &StreamQuality,
    clocks: Option<&TwoClocks>,
) -> Vec<String> {
    let counted = format!("{channel}: {} packets received, {sent} sent", quality.received);
    let clocks = match (clocks, quality.clock) {
        (Some(clocks), _) => Some(two_clocks(clocks)),
        (None, Some(clock)) => Some(format!(
            "{channel}: its clock runs {:.1} ppm {} against that of this machine (within {:.1})",
            clock.ppm.abs(),
            way(clock.ppm),
            clock.plus_minus
        )),
        (None, None) => {
            quality.packet_ms.map(|_| format!("{channel}: its clock: too short to say (a minute of sound is needed)"))
        }
    };
    std::iter::once(counted).chain(told(channel, quality)).chain(clocks).collect()
}

fn told(channel: &str, quality: &StreamQuality) -> Option<String> {
    let packet_ms = quality.packet_ms?;
    let length = match quality.is_mixed {
        true => format!("packets of several lengths, mostly {packet_ms} ms"),
        false => format!("packets of {packet_ms} ms"),
    };
    let jitter = format!("jitter {}, at most {}", ms(quality.jitter), ms(quality.worst_jitter));
    let mut said = vec![length, jitter];
    said.extend(faults(quality));
    said.extend(quality.far_end.as_ref().map(far_end));
    Some(format!("{channel}: {}", said.join("; ")))
}

fn faults(quality: &StreamQuality) -> Vec<String> {
    let StreamQuality { lost, bursts, longest_burst, late, duplicates, .. } = *quality;
    let mut said = Vec::new();
    match (lost, bursts) {
        (0, _) => said.push("none lost".to_owned()),
        (lost, bursts) => {
            let share = lost as f64 * 100.0 / (quality.received + lost) as f64;
            said.push(format!("{lost} lost ({share:.2} %), {}, at most {longest_burst} in a row", times(bursts)));
        }
    }
    if late > 0 {
        said.push(format!("{late} came late"));
    }
    if duplicates > 0 {
        said.push(format!("{duplicates} came twice"));
    }
    if quality.gaps > 0 {
        let (longest, at) = (ms(quality.longest_gap), span(quality.longest_gap_at));
        said.push(format!(
            "{} none came for a while, at most for {longest} ({at} after the first)",
            times(quality.gaps.into())
        ));
    }
    if quality.pauses > 0 {
        let (often, long) = (times(quality.pauses.into()), span(quality.paused));
        said.push(format!(
            "silence was left out {often} ({long} in all): silence suppression is on, and no modem bears that"
        ));
    }
    if quality.ssrc_changes > 0 {
        said.push(format!("its stream began anew {}", times(quality.ssrc_changes.into())));
    }
    said
}

fn far_end(report: &FarEndReport) -> String {
    let FarEndReport { lost, worst_percent, jitter, round_trip, longest_round_trip, .. } = *report;
    let lost = match lost {
        ..=0 => "none lost".to_owned(),
        lost => format!("{lost} lost, at most {worst_percent} % at a time"),
    };
    let way = round_trip.zip(longest_round_trip);
    let way = way.map(|(way, longest)| format!(", {} there and back, at most {}", ms(way), ms(longest)));
    format!("it reports of what it was sent: {lost}, jitter {}{}", ms(jitter), way.unwrap_or_default())
}

/// How the clocks of two lines run against each other, and what that does to a modem.
pub(super) fn clocks(clocks: &TwoClocks) -> LogLine {
    LogLine { level: Level::Verbose(3), text: two_clocks(clocks) }
}

fn way(ppm: f64) -> &'static str {
    if ppm > 0.0 { "fast" } else { "slow" }
}

fn two_clocks(clocks: &TwoClocks) -> String {
    let TwoClocks { channel, other, speed, packet } = clocks;
    let (ppm, plus_minus) = (speed.ppm.abs(), speed.plus_minus);
    match speed.slips_every(*packet) {
        Some(every) => {
            let way = way(speed.ppm);
            format!(
                "The clock of {channel} runs {ppm:.1} ppm {way} against that of {other} (within {plus_minus:.1}): with jitter \
                 buffers of fixed length a packet slips every {}",
                span(every)
            )
        }
        None => format!("The clocks of {channel} and {other} run alike within {:.1} ppm", ppm + plus_minus),
    }
}

fn times(number: u64) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        number => format!("{number} times"),
    }
}

/// Milliseconds, with a place behind the point while that says something.
fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 100.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::quality::ClockSpeed;

    fn said(quality: &StreamQuality) -> String {
        line("SIP/a-1", quality).unwrap().text
    }

    #[test]
    fn a_clean_line_is_told_in_few_words() {
        let quality = StreamQuality { received: 500, packet_ms: Some(20), ..StreamQuality::default() };
        assert_eq!(said(&quality), "SIP/a-1: packets of 20 ms; jitter 0.0 ms, at most 0.0 ms; none lost");
        assert_eq!(line("SIP/a-1", &StreamQuality::default()), None);
    }

    #[test]
    fn every_fault_is_told() {
        let quality = StreamQuality {
            received: 985,
            lost: 15,
            bursts: 2,
            longest_burst: 12,
            late: 3,
            duplicates: 4,
            jitter: Duration::from_micros(1_440),
            worst_jitter: Duration::from_millis(130),
            longest_gap: Duration::from_millis(240),
            longest_gap_at: Duration::from_secs(70),
            gaps: 1,
            packet_ms: Some(30),
            is_mixed: true,
            pauses: 7,
            paused: Duration::from_secs(64),
            ssrc_changes: 1,
            far_end: Some(FarEndReport {
                reports: 9,
                lost: 20,
                worst_percent: 5,
                jitter: Duration::from_millis(2),
                round_trip: Some(Duration::from_millis(43)),
                longest_round_trip: Some(Duration::from_millis(143)),
            }),
            ..StreamQuality::default()
        };
        assert_eq!(
            said(&quality),
            "SIP/a-1: packets of several lengths, mostly 30 ms; jitter 1.4 ms, at most 130 ms; 15 lost (1.50 %), twice, at most \
             12 in a row; 3 came late; 4 came twice; once none came for a while, at most for 240 ms (1 min 10 s after the first); \
             silence was left out 7 times (1 min 4 s in all): silence suppression is on, and no modem bears that; its stream began \
             anew once; it reports of what it was sent: 20 lost, at most 5 % at a time, jitter 2.0 ms, 43.0 ms there and back, at \
             most 143 ms"
        );
    }

    #[test]
    fn clocks_are_told_apart_only_when_they_can_be() {
        let two = |ppm| TwoClocks {
            channel: "SIP/a-1".to_owned(),
            other: "SIP/b-2".to_owned(),
            speed: ClockSpeed { ppm, plus_minus: 1.2, measured: Duration::from_secs(90) },
            packet: Duration::from_millis(20),
        };
        assert_eq!(
            clocks(&two(43.0)).text,
            "The clock of SIP/a-1 runs 43.0 ppm fast against that of SIP/b-2 (within 1.2): with jitter buffers of fixed length a \
             packet slips every 7 min 45 s"
        );
        assert!(clocks(&two(-43.0)).text.contains("43.0 ppm slow"));
        assert_eq!(clocks(&two(0.5)).text, "The clocks of SIP/a-1 and SIP/b-2 run alike within 1.7 ppm");
    }
}
