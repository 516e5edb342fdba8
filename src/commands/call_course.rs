//! What is known of the sound of a call that was kept: its sentences, the clocks of its lines against each other, when jitter
//! buffers slip, and the range of its delays.

use crate::daemon::sentence;
use crate::event::TwoClocks;
use crate::event::quality::{Course, LineQuality};
use crate::pbx::calls::line_quality::{self, Comparison};
use crate::store::history::KeptCall;
use std::time::Duration;

/// What is told of the lines of a call.
pub(super) fn sentences(call: &KeptCall) -> Vec<String> {
    let clocks = clocks(call);
    let of = |line: &LineQuality| clocks.as_ref().filter(|clocks| clocks.channel == line.channel);
    call.lines.iter().flat_map(|line| sentence::quality::shown(line, of(line))).collect()
}

/// The clock of the first of two lines that talked against that of the other.
pub(super) fn clocks(call: &KeptCall) -> Option<TwoClocks> {
    let talked = |one: &LineQuality, other: &LineQuality| one.with == other.channel || other.with == one.channel;
    let mut pairs = call
        .lines
        .iter()
        .enumerate()
        .flat_map(|(place, one)| call.lines.iter().skip(place + 1).map(move |it| (one, it)));
    pairs.find_map(|(one, other)| {
        let other_clock = other.stream.clock.filter(|_| talked(one, other))?;
        line_quality::clocks(Comparison {
            channel: &one.channel,
            quality: &one.stream,
            other: &other.channel,
            other_clock,
        })
    })
}

/// More marks than this are a grey bar.
const MOST_SLIPS: usize = 400;

/// When jitter buffers of fixed length have slipped, after the first packet, as the two clocks have it.
pub(super) fn slips(clocks: Option<&TwoClocks>, course: &Course) -> Vec<Duration> {
    let every = clocks.and_then(|clocks| clocks.speed.slips_every(clocks.packet)).filter(|every| !every.is_zero());
    let Some(every) = every else { return Vec::new() };
    let mut at = every;
    std::iter::from_fn(|| {
        let now = at;
        at = at.saturating_add(every);
        Some(now)
    })
    .take_while(|at| *at < length(course))
    .take(MOST_SLIPS)
    .collect()
}

/// How long a course is.
pub(super) fn length(course: &Course) -> Duration {
    course.width.saturating_mul(u32::try_from(course.points.len()).unwrap_or(u32::MAX))
}

/// The least and the greatest delay that a picture shows, in milliseconds: the fastest packets all, of the slowest all but a
/// twentieth, which may be far off; and at least a millisecond.
pub(super) fn range(course: &Course) -> Option<(f64, f64)> {
    let fastest = || course.points.iter().filter_map(|point| point.delay).map(|(least, _)| least);
    let mut slowest: Vec<i32> = course.points.iter().filter_map(|point| point.delay).map(|(_, most)| most).collect();
    slowest.sort_unstable();
    let (low, high) = (fastest().min()?, fastest().max()?);
    let usual = slowest.get(slowest.len().saturating_sub(1) * 19 / 20).copied().unwrap_or(high);
    let (low, high) = (f64::from(low) / 1e3, f64::from(high.max(usual)) / 1e3);
    Some((low, if high - low < 1.0 { low + 1.0 } else { high }))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::event::quality::{ClockSpeed, CoursePoint, StreamQuality};
    use crate::rng::Rng;

    /// A line whose clock is fast by so much: ten minutes of 20 ms packets, with a burst of loss and a stall.
    fn a_line(number: u8, ppm: f64, faults: bool) -> LineQuality {
        let mut rng = Rng::from_number(u64::from(number));
        let points = (0..75).map(|index| {
            let drift = (-ppm * f64::from(index) * 8.0) as i32;
            let slowest = drift + 800 + rng.below(900) as i32 + if faults && index == 40 { 90_000 } else { 0 };
            let lost = if faults && (20..23).contains(&index) { 5 } else { 0 };
            let delay = (!(faults && (60..63).contains(&index))).then_some((drift + rng.below(120) as i32, slowest));
            CoursePoint { delay, lost, restarts: u16::from(faults && index == 63) }
        });
        let lost = if faults { 15 } else { 0 };
        LineQuality {
            channel: format!("SIP/line{}-0000000{number}", number + 1),
            unique_id: format!("1795000000.{number}"),
            call: "1795000000.0".to_owned(),
            line: format!("line{}", number + 1),
            with: format!("SIP/line{}-0000000{}", 2 - number, 1 - number),
            sent: 30_000,
            stream: StreamQuality {
                received: 30_000 - lost,
                lost,
                bursts: lost / 5,
                longest_burst: lost.min(5),
                packet_ms: Some(20),
                kinds: vec![(0, 30_000)],
                clock: Some(ClockSpeed { ppm, plus_minus: 0.3, measured: Duration::from_secs(599) }),
                ..StreamQuality::default()
            },
            course: Course { width: Duration::from_secs(8), points: points.collect() },
            ..LineQuality::default()
        }
    }

    pub fn a_call() -> KeptCall {
        KeptCall {
            start: "2026-11-21 06:08:54".to_owned(),
            end: "2026-11-21 06:18:56".to_owned(),
            duration_s: 602,
            billed_s: 600,
            disposition: "ANSWERED".to_owned(),
            reason: "the caller hung up".to_owned(),
            source: "201".to_owned(),
            destination: "202".to_owned(),
            channel: "SIP/line1-00000000".to_owned(),
            called_channel: "SIP/line2-00000001".to_owned(),
            unique_id: "1795000000.0".to_owned(),
            lines: vec![a_line(0, 73.0, false), a_line(1, 30.0, true)],
            ..KeptCall::default()
        }
    }

    #[test]
    fn a_slip_is_where_the_two_clocks_have_it() {
        let call = a_call();
        let clocks = clocks(&call).unwrap();
        assert_eq!((clocks.channel.as_str(), clocks.speed.ppm.round()), ("SIP/line1-00000000", 43.0));
        // 20 ms at 43 ppm: 7 min 45 s; one in ten minutes.
        assert_eq!(slips(Some(&clocks), &call.lines[0].course).len(), 1);
    }
}
