//! Recordings: begun by programs, told when they end.

use super::channel::{Activity, Channel, Recording};
use super::local;
use super::parties::Parties;
use crate::audio::g711::Law;
use crate::dialplan::outside::{Command, OutsideReply, OutsideRequest};
use crate::dialplan::recording::{RecordReply, RecordRequest, TapKind, TapRequest, TapSides, Tapped};
use crate::dialplan::{AppReply, ChannelId};
use crate::event::{Level, LogLine};
use crate::pbx::core::Core;
use crate::pbx::media::{MediaCommand, StreamId};
use crate::pbx::outside::{ErrandId, OutsideOrder, OutsideReport};
use crate::pbx::recording::{Container, RecordFile, RecordPlan, Recorded, RecordingEnd, RecordingId, Sides, Until};
use crate::sdp::codec::Codec;
use crate::wording::outside;

/// Recordings of one channel at once.
const MAX_TAPS: usize = 8;

/// Records the caller alone until something ends it.
pub(super) fn record(parties: &mut Parties, id: ChannelId, request: RecordRequest, core: &mut Core) {
    let failed = match begin(parties, id, &request, core) {
        Ok(recording) => {
            if let Some(channel) = parties.channel_mut(id) {
                channel.activity = Activity::Recording(recording);
            }
            return;
        }
        Err(why) => why,
    };
    parties.resume(id, AppReply::Recorded(RecordReply::Failed(failed)));
}

fn begin(parties: &Parties, id: ChannelId, request: &RecordRequest, core: &mut Core) -> Result<Recording, String> {
    let (stream, mut plan) = prepared(parties, id)?;
    if let Some(file) = &request.file {
        plan.files.push(named(parties, id, file, Sides::FromPeer, core)?);
    }
    plan.append = request.append;
    plan.max = request.max;
    plan.until = request.until.map(|(noise, lasting)| Until { noise, lasting });
    let recording = RecordingId(core.fresh_id());
    core.out.media.push(MediaCommand::Record { stream, recording, plan: Box::new(plan) });
    Ok(Recording { stream, id: recording, stop_on: request.stop_on })
}

/// A digit ends the recording that a program waits for.
pub(super) fn cut(parties: &mut Parties, id: ChannelId, digit: char, core: &mut Core) {
    let Some(Activity::Recording(Recording { stream, id: recording, .. })) =
        parties.channel(id).map(|channel| &channel.activity)
    else {
        return;
    };
    core.out.media.push(MediaCommand::StopRecording { stream: *stream, recording: *recording });
    parties.resume(id, AppReply::Recorded(RecordReply::Digit(digit)));
}

/// Begins or ends a recording beside the call.
pub(super) fn tap(
    parties: &mut Parties,
    id: ChannelId,
    request: &TapRequest,
    core: &mut Core,
) -> Result<Tapped, String> {
    let telephone = local::caller(parties, id);
    match request {
        TapRequest::Start { kind, files, append, only_bridged, gains, command } => {
            let (stream, mut plan) = prepared(parties, id)?;
            for (file, sides) in files {
                let sides = match sides {
                    TapSides::Both => Sides::Both,
                    TapSides::In => Sides::FromPeer,
                    TapSides::Out => Sides::ToPeer,
                };
                plan.files.push(named(parties, id, file, sides, core)?);
            }
            (plan.append, plan.only_bridged, plan.gains) = (*append, *only_bridged, *gains);
            plan.command.clone_from(command);
            let channel = parties.channel_mut(telephone).ok_or("there is no such channel")?;
            if channel.taps.len() >= MAX_TAPS {
                return Err(format!("the call is recorded {MAX_TAPS} times already"));
            }
            let recording = RecordingId(core.fresh_id());
            channel.taps.push((*kind, recording));
            let files = plan.files.iter().map(|file| file.path.clone()).collect();
            core.out.media.push(MediaCommand::Record { stream, recording, plan: Box::new(plan) });
            Ok(Tapped { id: recording.0, files })
        }
        TapRequest::Stop(kind, which) => {
            let Some(channel) = parties.channel_mut(telephone) else { return Ok(Tapped::default()) };
            let is_meant = |(of, id): &(TapKind, RecordingId)| of == kind && which.is_none_or(|which| which == id.0);
            let stream = channel.stream();
            let stopped: Vec<RecordingId> = channel.taps.iter().filter(|tap| is_meant(tap)).map(|tap| tap.1).collect();
            channel.taps.retain(|tap| !is_meant(tap));
            stop(stream, stopped, core);
            Ok(Tapped::default())
        }
        TapRequest::Pause(kind, paused) => {
            let Some(channel) = parties.channel(telephone) else { return Ok(Tapped::default()) };
            for (_, recording) in channel.taps.iter().filter(|(of, _)| of == kind) {
                let (recording, paused) = (*recording, *paused);
                let stream = channel.stream();
                let command = stream.map(|stream| MediaCommand::PauseRecording { stream, recording, paused });
                core.out.media.extend(command);
            }
            Ok(Tapped::default())
        }
    }
}

fn stop(stream: Option<StreamId>, recordings: Vec<RecordingId>, core: &mut Core) {
    let commands =
        recordings.into_iter().filter_map(|recording| Some(MediaCommand::StopRecording { stream: stream?, recording }));
    core.out.media.extend(commands);
}

/// Two channels are bridged: what is recorded of one ends when the other's line has a modem.
pub(super) fn spare(parties: &mut Parties, both: [ChannelId; 2], core: &mut Core) {
    for [recorded, other] in [both, [both[1], both[0]]] {
        let modem = parties.channel(other).filter(|channel| channel.has_modem()).map(|it| it.line().to_owned());
        let Some((modem, channel)) = modem.zip(parties.channel_mut(recorded)) else { continue };
        let taps = std::mem::take(&mut channel.taps);
        if taps.is_empty() {
            continue;
        }
        let text = format!("{}: the recording ends: '{modem}' has a modem (line=modem)", channel.name);
        stop(channel.stream(), taps.into_iter().map(|tap| tap.1).collect(), core);
        core.emit(LogLine { level: Level::Notice, text });
    }
}

/// The stream of the telephone whose call it is, and a plan without files for it.
fn prepared(parties: &Parties, id: ChannelId) -> Result<(StreamId, RecordPlan), String> {
    let telephone = local::caller(parties, id);
    let channel = parties.channel(telephone).ok_or("there is no such channel")?;
    let stream = channel.stream().ok_or("the channel has no telephone")?;
    if channel.has_modem() {
        return Err(format!("'{}' has a modem (line=modem): its calls are not recorded", channel.line()));
    }
    let mut laws = vec![(0, Law::Mu), (8, Law::A)];
    if let Some(leg) = parties.leg_of(telephone)
        && let Some(agreed) = leg.agreement.agreed()
    {
        let law = match agreed.codec {
            Codec::Ulaw => Law::Mu,
            Codec::Alaw => Law::A,
            other => return Err(format!("only ulaw and alaw are recorded, not {}", other.name())),
        };
        laws.splice(0..0, [(agreed.to_answerer, law), (agreed.to_offerer, law)]);
    }
    let channel = parties.channel(id).map_or_else(String::new, |channel: &Channel| channel.name.clone());
    Ok((stream, RecordPlan { laws, channel, ..RecordPlan::default() }))
}

/// The file of that name: below the folder of recordings, or where the dialplan's own text says.
fn named(parties: &Parties, id: ChannelId, name: &str, sides: Sides, core: &Core) -> Result<RecordFile, String> {
    let bad = |why: &str| format!("the file '{}' {why}", outside(name));
    if name.split('/').any(|part| part == "..") {
        return Err(bad("would leave its folder ('..')"));
    }
    if name.is_empty() || name.ends_with('/') || name.chars().any(char::is_control) || name.len() > 1_000 {
        return Err(bad("has no name that can be used"));
    }
    let extension = name.rsplit('/').next().and_then(|last| last.rsplit_once('.')).map(|(_, extension)| extension);
    let container = extension.and_then(Container::of);
    let container = container.ok_or_else(|| match extension {
        Some("WAV" | "wav49") => bad("is of a format that is not written (gsm in a WAV file): use .wav"),
        _ => bad("is of a format that is not written: use .wav, .ulaw, .alaw or .sln"),
    })?;
    let folder = core.config.recordings.as_deref();
    if let Some(rest) = name.strip_prefix('/') {
        // What a caller may have said is no reason to write anywhere: the folder stands in the dialplan itself.
        let top = rest.split_once('/').map_or("/", |(top, _)| name.get(..top.len().saturating_add(2)).unwrap_or("/"));
        if !is_written(parties, id, top, core)
            && folder.is_none_or(|folder| !std::path::Path::new(name).starts_with(folder))
        {
            return Err(bad("is absolute, and the folder does not stand in the dialplan itself"));
        }
        return Ok(RecordFile { path: name.to_owned(), sides, container });
    }
    let folder = folder.ok_or_else(|| bad("has no folder: the exchange keeps no state; write an absolute name"))?;
    Ok(RecordFile { path: format!("{folder}/{name}"), sides, container })
}

/// Does this text stand in the priority that runs, or in a global variable of the configuration?
fn is_written(parties: &Parties, id: ChannelId, text: &str, core: &Core) -> bool {
    let Some(program) = parties.channel(id).and_then(|channel| channel.program.as_ref()) else { return false };
    let (at, caller) = (program.position(), program.caller().number);
    let dialplan = &core.config.dialplan;
    let found = dialplan.find(&at.context, &at.exten, at.priority, Some(&caller), core.now.wall);
    let globals = dialplan.globals();
    found.is_some_and(|found| found.priority.args.contains(text))
        || globals.iter().any(|(_, value)| value.starts_with(text))
}

/// A recording has ended: what is to be said of it.
pub(super) fn ended(
    parties: &mut Parties,
    (stream, id): (StreamId, RecordingId),
    recorded: &Recorded,
    core: &mut Core,
) {
    told(recorded, core);
    let Some(telephone) = parties.channel_of_stream(stream).map(|channel| channel.id) else { return };
    if let Some(channel) = parties.channel_mut(telephone) {
        channel.taps.retain(|tap| tap.1 != id);
    }
    let is_its = |channel: &&Channel| matches!(&channel.activity, Activity::Recording(it) if it.id == id);
    let Some(waiting) = parties.channels().find(is_its).map(|channel| channel.id) else { return };
    let reply = match &recorded.end {
        RecordingEnd::Until => RecordReply::Until,
        RecordingEnd::Max => RecordReply::Max,
        RecordingEnd::Failed(why) => RecordReply::Failed(why.clone()),
        RecordingEnd::Stopped => RecordReply::Failed("it was stopped".to_owned()),
    };
    parties.resume(waiting, AppReply::Recorded(reply));
}

/// Has the command behind `MixMonitor` run. Nobody waits for it: no channel has its number, which is that of the errand.
fn run_afterwards(command: &str, said: &dyn Fn(Level, String) -> LogLine, core: &mut Core) {
    if command.contains("^{") {
        let text = format!("'{}' is not run after the recording: ^{{...}} is not there yet", outside(command));
        return core.emit(said(Level::Warning, text));
    }
    let number = core.fresh_id();
    let request = OutsideRequest::Command(Command { text: command.to_owned(), wants_output: false });
    core.out.outside.push(OutsideOrder::Run { errand: ErrandId(number), channel: ChannelId(number), request });
}

/// A command has ended, or was refused; says whether it was one that ran after a recording.
pub(super) fn ran_afterwards(report: &OutsideReport, core: &mut Core) -> bool {
    if report.channel.0 != report.errand.0 {
        return false;
    }
    let (level, text) = match &report.reply {
        OutsideReply::Refused(why) => (Level::Warning, format!("is refused: {why}")),
        OutsideReply::Ran { status: Ok(0), .. } => (Level::Verbose(3), "has ended".to_owned()),
        OutsideReply::Ran { status: Ok(status), .. } => (Level::Notice, format!("ended with status {status}")),
        OutsideReply::Ran { status: Err(why), .. } => (Level::Warning, format!("could not be run: {why}")),
        _ => return true,
    };
    core.emit(LogLine { level, text: format!("The command after a recording (MixMonitor) {text}") });
    true
}

fn told(recorded: &Recorded, core: &mut Core) {
    let Recorded { end, files, length, dropped, undecoded, moved, channel, command } = recorded;
    let said = |level, text: String| LogLine { level, text: format!("{channel}: {text}") };
    if let RecordingEnd::Failed(why) = end {
        core.emit(said(Level::Warning, format!("the recording is over, the call goes on: {why}")));
    } else if !files.is_empty() {
        let text = format!("recorded {} s in {}", length.as_secs(), files.join(", "));
        core.emit(said(Level::Verbose(3), text));
    }
    if *dropped > 0 {
        core.emit(said(
            Level::Warning,
            format!("{dropped} packets are missing in the recording: the disk is too slow"),
        ));
    }
    if *undecoded > 0 {
        let text = format!("{undecoded} packets are silence in the recording: only ulaw and alaw are recorded");
        core.emit(said(Level::Warning, text));
    }
    if *moved > 0 {
        let text =
            format!("the recording was put right {moved} times: a telephone's clock differs from this machine's");
        core.emit(said(Level::Verbose(4), text));
    }
    if !command.is_empty() {
        run_afterwards(command, &said, core);
    }
}
