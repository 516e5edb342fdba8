//! What is told of a line's sound when its ports are closed, and of the clocks of two lines that talked.

use super::channel::Channel;
use super::leg::{Agreement, Leg};
use crate::event::quality::{ClockSpeed, FarEndReport, Irregularities, LineQuality, StreamQuality, TwoClocks};
use crate::pbx::media::{Heard, StreamId};
use crate::sdp::Sdp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Units of a sound's timestamps in a millisecond.
const PER_MS: u32 = 8;

/// What the media thread heard, as it is told.
pub fn told(heard: &Heard) -> StreamQuality {
    let (stats, far) = (&heard.stats, &heard.far_end);
    let far_end = (far.reports > 0).then(|| FarEndReport {
        reports: far.reports,
        lost: far.lost,
        worst_percent: u8::try_from(u32::from(far.worst_fraction) * 100 / 256).unwrap_or(100),
        jitter: Duration::from_micros(u64::from(far.jitter) * 1_000 / u64::from(PER_MS)),
        round_trip: far.round_trip,
        longest_round_trip: far.longest_round_trip,
    });
    let arrived = heard.arrivals.told();
    let Irregularities { left_out, repeated, .. } = arrived.irregular;
    StreamQuality {
        irregular: Irregularities { restarts: stats.restarts(), left_out, repeated, ..heard.irregular.told() },
        received: stats.received(),
        lost: stats.lost(),
        bursts: stats.bursts(),
        longest_burst: stats.longest_burst(),
        late: stats.late(),
        duplicates: stats.duplicates(),
        lost_here: heard.stalls.lost_here(),
        longest_stall: heard.stalls.longest(),
        stalls: heard.stalls.number(),
        far_end,
        ..arrived
    }
}

/// What is told of a channel's sound besides how it came. `with`: the channel it was relayed with last.
pub fn about(channel: &Channel, leg: Option<&Leg>, with: String) -> LineQuality {
    LineQuality {
        channel: channel.name.clone(),
        unique_id: channel.unique_id.clone(),
        call: channel.call.clone(),
        line: channel.line().to_owned(),
        with,
        names: leg.map(|leg| names(&leg.agreement)).unwrap_or_default(),
        reinvites: leg.map(|leg| leg.ua.reinvites.told(channel.answered)).unwrap_or_default(),
        ..LineQuality::default()
    }
}

/// What was heard of a line is added to what else is told of it.
pub fn complete(quality: &mut LineQuality, heard: &Heard) {
    quality.stream = told(heard);
    quality.course = heard.course.told(heard.stats.lost());
    let came: Vec<u8> = quality.stream.kinds.iter().map(|(number, _)| *number).collect();
    quality.names.retain(|(number, _)| came.contains(number));
}

/// What payload types mean on a leg: those that we described first, since the line sends by our numbers.
fn names(agreement: &Agreement) -> Vec<(u8, String)> {
    let described = agreement.local.iter().chain(&agreement.remote).filter_map(Sdp::audio);
    let mut names: Vec<(u8, String)> = Vec::new();
    for format in described.flat_map(|audio| audio.formats) {
        if !format.encoding.is_empty() && names.iter().all(|(number, _)| *number != format.payload) {
            names.push((format.payload, format.encoding.to_string()));
        }
    }
    names
}

/// A line, and the clock of the one it talked with.
pub struct Comparison<'a> {
    /// Its channel.
    pub channel: &'a str,
    /// How its sound came.
    pub quality: &'a StreamQuality,
    /// The channel of the other one.
    pub other: &'a str,
    /// The other one's clock against ours.
    pub other_clock: ClockSpeed,
}

/// The two clocks against each other; none: that of the first is not known.
pub fn clocks(of: Comparison) -> Option<TwoClocks> {
    let clock = of.quality.clock?;
    Some(TwoClocks {
        channel: of.channel.to_owned(),
        other: of.other.to_owned(),
        speed: clock.against(&of.other_clock),
        packet: Duration::from_millis(u64::from(of.quality.packet_ms.unwrap_or(20))),
    })
}

/// The clock of one line, until that of the one it talked with is known as well.
struct Waiting {
    channel: String,
    clock: ClockSpeed,
}

/// The clocks of lines whose ports are closed, while the other line's are being closed.
#[derive(Default)]
pub(super) struct Clocks(BTreeMap<StreamId, Waiting>);

impl Clocks {
    /// A line's clock is known, and with which stream it talked last. When that one's clock is known: the two together.
    /// Otherwise it waits, if the other's ports `are_closing`.
    pub(super) fn compare(
        &mut self,
        (stream, channel): (StreamId, &str),
        quality: Option<&StreamQuality>,
        with: Option<StreamId>,
        are_closing: bool,
    ) -> Option<TwoClocks> {
        let other = with.and_then(|with| self.0.remove(&with));
        let quality = quality?;
        let clock = quality.clock?;
        let Some(other) = other else {
            if are_closing {
                self.0.insert(stream, Waiting { channel: channel.to_owned(), clock });
            }
            return None;
        };
        clocks(Comparison { channel, quality, other: &other.channel, other_clock: other.clock })
    }

    /// How many wait: none when no call ends.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
