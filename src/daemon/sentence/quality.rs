//! Sentences about how the sound of lines came.

use crate::datetime::span;
use crate::event::quality::{FarEndReport, Irregularities, LineQuality, Reinvites, StreamQuality, TwoClocks};
use crate::event::{Level, LogLine};
use crate::wording::outside;
use std::time::Duration;

/// How the sound of a line came, in one sentence: what is as it should be, then what is not. When something is not, a second
/// one says what to do for a modem.
pub(super) fn lines(quality: &LineQuality) -> impl Iterator<Item = LogLine> {
    told(quality).into_iter().chain(advice(quality)).map(|text| LogLine::verbose(3, text))
}

/// The same for the console: what was counted, how it came, the clocks, and what to do.
pub fn shown(quality: &LineQuality, clocks: Option<&TwoClocks>) -> Vec<String> {
    let LineQuality { channel, sent, stream, .. } = quality;
    let counted = format!("{channel}: {} packets received, {sent} sent", stream.received);
    let clocks = match (clocks, stream.clock) {
        (Some(clocks), _) => Some(two_clocks(clocks)),
        (None, Some(clock)) => Some(format!(
            "{channel}: its clock runs {:.1} ppm {} against that of this machine (within {:.1})",
            clock.ppm.abs(),
            way(clock.ppm),
            clock.plus_minus
        )),
        (None, None) => {
            stream.packet_ms.map(|_| format!("{channel}: its clock: too short to say (a minute of sound is needed)"))
        }
    };
    std::iter::once(counted).chain(told(quality)).chain(clocks).chain(advice(quality)).collect()
}

fn told(quality: &LineQuality) -> Option<String> {
    let LineQuality { channel, stream, .. } = quality;
    let packet_ms = stream.packet_ms?;
    let length = match stream.is_mixed {
        true => format!("packets of several lengths, mostly {packet_ms} ms"),
        false => format!("packets of {packet_ms} ms"),
    };
    let jitter = format!("jitter {}, at most {}", ms(stream.jitter), ms(stream.worst_jitter));
    let mut said = vec![length, jitter];
    said.extend(faults(stream));
    said.extend(others(quality));
    said.extend(reinvites(&quality.reinvites));
    said.extend(stream.far_end.as_ref().map(far_end));
    Some(format!("{channel}: {}", said.join("; ")))
}

/// The payload types besides the one that most packets had.
fn others(quality: &LineQuality) -> Option<String> {
    let kinds = &quality.stream.kinds;
    let most = kinds.iter().map(|(_, packets)| *packets).max()?;
    let sound = kinds.iter().position(|(_, packets)| *packets == most);
    let others = kinds.iter().enumerate().filter(|(place, _)| Some(*place) != sound).map(|(_, kind)| kind);
    let mut said: Vec<String> = others
        .map(|(number, packets)| match quality.name_of(*number) {
            "" => format!("{packets} of payload type {number}, which was not agreed on"),
            name => format!("{packets} of {} ({number})", outside(name)),
        })
        .collect();
    if quality.stream.other_kinds > 0 {
        said.push(format!("{} of others", quality.stream.other_kinds));
    }
    (!said.is_empty()).then(|| format!("beside its sound {}", said.join(", ")))
}

fn reinvites(reinvites: &Reinvites) -> Option<String> {
    let Reinvites { from_line, last, ours } = *reinvites;
    let theirs = (from_line > 0).then(|| {
        let last = last.map(|last| format!(", last {} after the answer", span(last))).unwrap_or_default();
        format!("it sent a re-INVITE {}{last}", times(from_line.into()))
    });
    let ours = (ours > 0).then(|| format!("it was sent a re-INVITE {}", times(ours.into())));
    let said: Vec<String> = theirs.into_iter().chain(ours).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What to do for a modem about what is not as it should be, the worst first; none when nothing is.
fn advice(quality: &LineQuality) -> Option<String> {
    let LineQuality { channel, line, stream, reinvites, .. } = quality;
    stream.packet_ms?;
    let is_named =
        |name: &str| stream.kinds.iter().any(|(number, _)| quality.name_of(*number).eq_ignore_ascii_case(name));
    let mut said: Vec<String> = Vec::new();
    let mut say = |is_so: bool, what: String| said.extend(is_so.then_some(what));
    say(
        stream.stalls > 0 || stream.lost_here > 0,
        format!(
            "the exchange's own machine let packets wait ({}): give it less to do beside, or more to do it with, and \
             real-time priority ('core show settings', 'strowger doctor'); the jitter buffers of the ATAs must be longer than {}",
            ms(stream.longest_stall),
            ms(stream.longest_stall)
        ),
    );
    say(
        stream.lost > stream.lost_here || stream.late > 0,
        format!(
            "what was lost or came late went astray between '{line}' and this machine: a cable instead of Wi-Fi there, and no \
             link between that others fill"
        ),
    );
    say(
        stream.far_end.is_some_and(|report| report.lost > 0),
        format!("what it reports as lost went astray on the way to '{line}': the same, in the other direction"),
    );
    say(
        stream.gaps > 0,
        format!(
            "when none came for a while, '{line}' or the way from it stood still: a jitter buffer shorter than {} ran empty",
            ms(stream.longest_gap)
        ),
    );
    say(stream.pauses > 0 || is_named("CN"), format!("silence suppression is on at '{line}': turn it off there"));
    say(stream.is_mixed, format!("let '{line}' send packets of one length (ptime 20)"));
    say(
        reinvites.from_line > 0,
        format!(
            "'{line}' asked for something else in mid-call (a fax tone heard, hold): turn fax detection and T.38 off there"
        ),
    );
    say(
        stream.ssrc_changes > 0,
        format!(
            "'{line}' began its stream anew: the modem at the other end heard a break; see what that device did then"
        ),
    );
    say(
        stream.irregular.left_out > 0 || stream.irregular.repeated > 0,
        format!(
            "a jitter buffer slips between '{line}' and this machine (in another exchange, a gateway, or the device): let it be of \
             fixed length, or let its packets pass as they are"
        ),
    );
    (!said.is_empty()).then(|| format!("{channel}: for a modem: {}", said.join("; ")))
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
    if quality.lost_here > 0 {
        said.push(format!("{} of them in this machine", quality.lost_here.min(lost)));
    }
    if late > 0 {
        let latest = Some(quality.irregular.latest).filter(|latest| !latest.is_zero());
        let latest = latest.map(|latest| format!(", at most by {}", ms(latest))).unwrap_or_default();
        said.push(format!("{late} came late{latest}"));
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
    if quality.stalls > 0 {
        said.push(format!(
            "the exchange's own machine was late {}, at most {}",
            times(quality.stalls.into()),
            ms(quality.longest_stall)
        ));
    }
    if quality.pauses > 0 {
        let (often, long) = (times(quality.pauses.into()), span(quality.paused));
        said.push(format!("silence was left out {often} ({long} in all)"));
    }
    if quality.ssrc_changes > 0 {
        said.push(format!("its stream began anew {}", times(quality.ssrc_changes.into())));
    }
    said.extend(irregular(&quality.irregular));
    said
}

/// What does not fit together in the packets.
fn irregular(irregular: &Irregularities) -> impl Iterator<Item = String> {
    let Irregularities { restarts, misfits, marks, lengths, latest: _, left_out, repeated } = *irregular;
    let each = [
        (restarts, "its packets were numbered anew"),
        (misfits, "its timestamps did not fit its sound"),
        (lengths, "the length of its packets changed"),
        (marks, "packets in mid-sound were marked as a beginning"),
        (left_out, "a packet's length of sound was left out, and the rest numbered as if nothing were missing,"),
        (repeated, "a packet's length of sound came twice, and the rest was numbered as if it were new,"),
    ];
    each.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{what} {}", times(number.into())))
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

    fn of(stream: StreamQuality) -> LineQuality {
        LineQuality { channel: "SIP/a-1".to_owned(), line: "a".to_owned(), stream, ..LineQuality::default() }
    }

    fn said(quality: &LineQuality) -> Vec<String> {
        lines(quality).map(|line| line.text).collect()
    }

    #[test]
    fn a_clean_line_is_told_in_few_words() {
        let stream = StreamQuality { received: 500, packet_ms: Some(20), kinds: vec![(0, 500)], ..Default::default() };
        assert_eq!(said(&of(stream)), ["SIP/a-1: packets of 20 ms; jitter 0.0 ms, at most 0.0 ms; none lost"]);
        assert_eq!(said(&of(StreamQuality::default())), [""; 0]);
    }

    #[test]
    fn every_fault_is_told_with_what_to_do() {
        let stream = StreamQuality {
            received: 985,
            lost: 15,
            bursts: 2,
            longest_burst: 12,
            late: 3,
            duplicates: 4,
            lost_here: 2,
            longest_stall: Duration::from_millis(48),
            stalls: 14,
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
            kinds: vec![(101, 40), (0, 930), (100, 12), (77, 3)],
            other_kinds: 2,
            irregular: Irregularities {
                restarts: 1,
                misfits: 2,
                marks: 3,
                lengths: 4,
                latest: Duration::from_millis(160),
                left_out: 5,
                repeated: 6,
            },
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
        let names = vec![(0, "PCMU".to_owned()), (100, "NSE".to_owned()), (101, "telephone-event".to_owned())];
        let reinvites = Reinvites { from_line: 2, last: Some(Duration::from_secs(9)), ours: 1 };
        assert_eq!(
            said(&LineQuality { names, reinvites, ..of(stream) }),
            [
                "SIP/a-1: packets of several lengths, mostly 30 ms; jitter 1.4 ms, at most 130 ms; 15 lost (1.50 %), twice, at \
                 most 12 in a row; 2 of them in this machine; 3 came late, at most by 160 ms; 4 came twice; once none came for a while, at most for \
                 240 ms (1 min 10 s after the first); the exchange's own machine was late 14 times, at most 48.0 ms; silence was left out 7 times (1 min 4 s in all); its stream began anew once; its packets were numbered anew once; its timestamps did not fit its \
                 sound twice; the length of its packets changed 4 times; packets in mid-sound were marked as a beginning 3 times; a \
                 packet's length of sound was left out, and the rest numbered as if nothing were missing, 5 times; a packet's length of \
                 sound came twice, and the rest was numbered as if it were new, 6 times; beside its sound 40 of \
                 telephone-event (101), 12 of NSE (100), 3 of payload type 77, which was not agreed on, 2 of others; it sent a \
                 re-INVITE twice, last 9 s after the answer; it was sent a re-INVITE once; it reports of what it was sent: 20 \
                 lost, at most 5 % at a time, jitter 2.0 ms, 43.0 ms there and back, at most 143 ms",
                "SIP/a-1: for a modem: the exchange's own machine let packets wait (48.0 ms): give it less to do beside, or more to do \
                 it with, and real-time priority ('core show settings', 'strowger doctor'); the jitter buffers of the ATAs must be \
                 longer than 48.0 ms; what was lost or came late went astray between 'a' and this machine: a cable instead of \
                 Wi-Fi there, and no link between that others fill; what it reports as lost went astray on the way to 'a': the \
                 same, in the other direction; when none came for a while, 'a' or the way from it stood still: a jitter buffer \
                 shorter than 240 ms ran empty; silence suppression is on at 'a': turn it off there; let 'a' send packets of one \
                 length (ptime 20); 'a' asked for something else in mid-call (a fax tone heard, hold): turn fax detection and T.38 \
                 off there; 'a' began its stream anew: the modem at the other end heard a break; see what that device did then; a \
                 jitter buffer slips between 'a' and this machine (in another exchange, a gateway, or the device): let it be of fixed length, \
                 or let its packets pass as they are",
            ]
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
