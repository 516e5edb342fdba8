//! How the sound of calls comes, as the console shows it.

use crate::clock::Now;
use crate::daemon::sentence::quality as sentences;
use crate::datetime;
use crate::dialplan::ChannelId;
use crate::event::quality::LineQuality;
use crate::linetest::{self, report::Report};
use crate::media::Media;
use crate::observe::line_test_rows::LineTestRow;
use crate::observe::quality_rows::{Passed, QualityRow, SoundReports};
use crate::pbx::calls::line_quality::{self, Comparison};
use crate::pbx::media::{Heard, StreamCounts};
use crate::pbx::switch::{self, ChannelReport, Switch};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the media thread may take to say what it has counted. It is ready within a millisecond; one that is not is
/// ill, and the console says nothing of its streams.
const PATIENCE: Duration = Duration::from_millis(200);

/// What is known of the sound of lines.
pub(super) struct Sound<'a> {
    pub(super) switch: &'a Switch,
    pub(super) media: &'a Media,
    pub(super) now: Now,
}

impl SoundReports for Sound<'_> {
    fn quality(&self, channel: Option<&str>) -> Vec<QualityRow> {
        rows(self.switch, self.media, channel, self.now)
    }

    fn line_tests(&self) -> Vec<LineTestRow> {
        let row = |report: &Report| LineTestRow {
            channel: report.channel.clone(),
            at: datetime::moment(report.at),
            lines: linetest::lines(report),
            json: linetest::json(report),
        };
        switch::line_tests(self.switch).map(row).collect()
    }
}

/// Every channel whose sound passes through the exchange, or the one of that name.
fn rows(switch: &Switch, media: &Media, name: Option<&str>, now: Now) -> Vec<QualityRow> {
    let is_meant = |report: &ChannelReport| name.is_none_or(|name| report.channel.name.eq_ignore_ascii_case(name));
    let mut known: BTreeMap<ChannelId, (StreamCounts, LineQuality)> = BTreeMap::new();
    let mut look = |report: &ChannelReport| {
        let (counts, heard) = media.look(report.channel.stream()?, PATIENCE)?;
        known.insert(report.channel.id, (counts, quality(switch, report, counts.sent, &heard)));
        Some(())
    };
    let wanted: Vec<ChannelReport> = switch.channels().filter(is_meant).collect();
    // A thread that did not answer once is not waited for again.
    for report in &wanted {
        if look(report).is_none() && report.channel.stream().is_some() {
            break;
        }
    }
    // The clock of the one it talks with.
    for other in wanted.iter().filter_map(|report| report.bridged) {
        if let Some(report) = switch.channels().find(|report| report.channel.id == other && !is_meant(report)) {
            look(&report);
        }
    }
    let row = |report: &ChannelReport| row(switch, report, &known, now);
    wanted.iter().filter_map(row).collect()
}

/// All that is known of a channel's sound.
fn quality(switch: &Switch, report: &ChannelReport, sent: u64, heard: &Heard) -> LineQuality {
    let leg = switch.legs().find(|leg| Some(leg.leg.id) == report.channel.leg()).map(|report| report.leg);
    let other = report.bridged.and_then(|id| switch.channels().find(|report| report.channel.id == id));
    let with = other.map(|other| other.channel.name.clone()).unwrap_or_default();
    let mut quality = line_quality::about(report.channel, leg, with);
    line_quality::complete(&mut quality, heard);
    LineQuality { sent, ..quality }
}

fn row(
    switch: &Switch,
    report: &ChannelReport,
    known: &BTreeMap<ChannelId, (StreamCounts, LineQuality)>,
    now: Now,
) -> Option<QualityRow> {
    let channel = report.channel;
    let (counts, quality) = known.get(&channel.id).filter(|(counts, _)| counts.received > 0 || counts.sent > 0)?;
    let leg = switch.legs().find(|report| Some(report.leg.id) == channel.leg());
    let far_end = quality.stream.far_end;
    let other = report
        .bridged
        .and_then(|id| Some((switch.channels().find(|report| report.channel.id == id)?, known.get(&id)?)));
    let clocks = other.and_then(|(other, (_, its))| {
        line_quality::clocks(Comparison {
            channel: &channel.name,
            quality: &quality.stream,
            other: &other.channel.name,
            other_clock: its.stream.clock?,
        })
    });
    Some(QualityRow {
        channel: channel.name.clone(),
        host: leg.as_ref().map(|report| report.leg.ua.flow.remote.ip()),
        call_id: leg.and_then(|report| report.call_id.map(str::to_owned)).unwrap_or_default(),
        duration_s: now.mono.since(channel.created).as_secs(),
        received: Passed { packets: counts.received, lost: counts.lost, jitter: quality.stream.jitter },
        sent: Passed {
            packets: counts.sent,
            lost: far_end.map_or(0, |report| u64::try_from(report.lost).unwrap_or(0)),
            jitter: far_end.map(|report| report.jitter).unwrap_or_default(),
        },
        sentences: sentences::shown(quality, clocks.as_ref()),
        clocks,
        quality: quality.clone(),
    })
}
