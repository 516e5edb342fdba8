//! Reports (RTCP) to the peers of streams whose other end is the exchange itself: an echo, a prompt, music, a mix. On
//! relayed calls the lines' own reports pass by, and none is made.

use super::stream::{Mode, Stream};
use crate::clock::{Time, Wall};
use crate::pbx::media::StreamKind;
use crate::rng::Rng;
use crate::rtp::reporter::{Incoming, Outgoing, Reporter};
use std::time::{SystemTime, UNIX_EPOCH};

/// Begins to report on a stream, if it has RTP: when the first report is due.
pub(super) fn begin(stream: &mut Stream, now: Time, rng: &mut Rng) -> Option<Time> {
    if stream.kind != StreamKind::Rtp || stream.reporter.is_some() {
        return None;
    }
    let reporter = Reporter::new(now, rng);
    let next = reporter.next();
    stream.reporter = Some(Box::new(reporter));
    Some(next)
}

/// A report is due at `deadline`: sent, while the exchange is the end of the stream. When the next one is; none for a deadline
/// of another stream that had this slot.
pub(super) fn due(stream: &mut Stream, now: Time, deadline: Time, rng: &mut Rng) -> Option<Time> {
    let mut reporter = stream.reporter.take_if(|reporter| reporter.next() == deadline)?;
    match &stream.mode {
        Mode::Bridged { .. } => reporter.pause(),
        mode if is_end(mode) => {
            if let Some((sent, came)) = state(stream, now) {
                let packet = reporter.report(now, wall(), &sent, came.as_ref());
                stream.deliver_report(now, &packet);
            }
        }
        _ => {}
    }
    let next = reporter.wait(now, rng);
    stream.reporter = Some(reporter);
    Some(next)
}

/// The stream ends: whoever had reports of it, and not those of another line since, gets the last one.
pub(super) fn end(stream: &mut Stream, now: Time) {
    let Some(mut reporter) = stream.reporter.take_if(|_| !matches!(stream.mode, Mode::Bridged { .. })) else {
        return;
    };
    if let Some((sent, came)) = state(stream, now)
        && let Some(packet) = reporter.bye(now, wall(), &sent, came.as_ref())
    {
        stream.deliver_report(now, &packet);
    }
}

/// Does the exchange itself make what the stream's peer hears?
fn is_end(mode: &Mode) -> bool {
    match mode {
        Mode::Echo | Mode::Playing(_) | Mode::Fed { .. } | Mode::Mixed(_) => true,
        // Idle: the sound may go from line to line.
        Mode::Idle | Mode::Bridged { .. } | Mode::Feeding(_) => false,
    }
}

/// What went out and what came; none before anything went out: without a stream of ours there is nothing to name in a report.
fn state(stream: &Stream, now: Time) -> Option<(Outgoing, Option<Incoming>)> {
    let (ssrc, timestamp) = stream.line.present(now)?;
    let sent = Outgoing { ssrc, timestamp, packets: stream.counts.sent, octets: stream.octets };
    let stats = &stream.heard.stats;
    let came = stats.latest().map(|(ssrc, highest)| Incoming {
        ssrc,
        highest,
        lost: stats.lost(),
        // 8,000 units a second.
        jitter: u32::try_from(stream.heard.arrivals.jitter().as_micros() / 125).unwrap_or(u32::MAX),
    });
    Some((sent, came))
}

/// The time of day, for NTP's stamp alone.
fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
