//! Recordings: begun by programs, told when they end.

use super::channel::{Activity, Channel, Recording};
use super::local;
use super::parties::Parties;
use super::test_signals;
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
        TapRequest::Rename(kind, base) => {
            // Any ending is a format of ours here: the files keep theirs.
            let path = named(parties, id, &format!("{base}.wav"), Sides::Both, core)?.path;
            let base = path.strip_suffix(".wav").unwrap_or(&path).to_owned();
            let channel = parties.channel(telephone).ok_or("there is no such channel")?;
            let stream = channel.stream().ok_or("the channel has no telephone")?;
            let taps: Vec<RecordingId> = channel.taps.iter().filter(|(of, _)| of == kind).map(|(_, id)| *id).collect();
            if taps.is_empty() {
                return Err("nothing is recorded".to_owned());
            }
            let rename = |recording| MediaCommand::RenameRecording { stream, recording, base: base.clone() };
            core.out.media.extend(taps.into_iter().map(rename));
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
    if name.starts_with('/') {
        // What a caller may have said is no reason to write anywhere: the folder stands in the dialplan itself.
        if !is_written(parties, id, name, core) && folder.is_none_or(|folder| !is_below(name, folder)) {
            return Err(bad("is absolute, and the folder does not stand in the dialplan itself"));
        }
        return Ok(RecordFile { path: name.to_owned(), sides, container });
    }
    let folder = folder.ok_or_else(|| bad("has no folder: the exchange keeps no state; write an absolute name"))?;
    Ok(RecordFile { path: format!("{folder}/{name}"), sides, container })
}

/// Is the folder of this absolute name one that stands in the priority that runs, or in a global variable of the configuration?
fn is_written(parties: &Parties, id: ChannelId, name: &str, core: &Core) -> bool {
    let Some(program) = parties.channel(id).and_then(|channel| channel.program.as_ref()) else { return false };
    let (at, caller) = (program.position(), program.caller().number);
    let dialplan = &core.config.dialplan;
    let found = dialplan.find(&at.context, &at.exten, at.priority, Some(&caller), core.now.wall);
    found.is_some_and(|found| written_folders(&found.priority.args).any(|folder| is_below(name, folder)))
        || dialplan.globals().iter().any(|(_, value)| is_of_global(name, value))
}

/// Is the file below this folder?
fn is_below(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

/// The folders that a text names in full: of `/srv/calls/${EXTEN}.wav` it is `/srv/calls`. What a variable may bring, and all
/// that follows it, is none of it; `/` alone is no folder.
fn written_folders(text: &str) -> impl Iterator<Item = &str> {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    let begins = text.match_indices('/').map(|(at, _)| text.split_at(at));
    begins.filter_map(move |(before, rest)| {
        let goes_on = before.chars().next_back().is_some_and(|last| is_of_name(last) || matches!(last, '}' | ']'));
        let whole = rest.split(|c: char| !is_of_name(c)).next().filter(|_| !goes_on)?;
        whole.rsplit_once('/').map(|(folder, _)| folder).filter(|folder| !folder.trim_matches('/').is_empty())
    })
}

/// Is the file where this value of a global variable says: below it, when it is a folder, or beside it under a name that begins so?
fn is_of_global(name: &str, value: &str) -> bool {
    let is_folder = !value.trim_matches('/').is_empty();
    value.starts_with('/')
        && is_folder
        && (is_below(name, value) || name.strip_prefix(value).is_some_and(|rest| !rest.contains('/')))
}

/// A recording has ended: what is to be said of it.
pub(super) fn ended(
    parties: &mut Parties,
    (stream, id): (StreamId, RecordingId),
    recorded: &Recorded,
    core: &mut Core,
) {
    if test_signals::measured(parties, id, recorded, core) {
        return;
    }
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
fn run_afterwards(command: &str, core: &mut Core) {
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
    let Recorded { end, files, length, dropped, undecoded, moved, not_renamed, channel, command, .. } = recorded;
    let said = |level, text: String| LogLine { level, text: format!("{channel}: {text}") };
    if let RecordingEnd::Failed(why) = end {
        core.emit(said(Level::Warning, format!("the recording is over, the call goes on: {why}")));
    } else if !files.is_empty() {
        let text = format!("recorded {} s in {}", length.as_secs(), files.join(", "));
        core.emit(said(Level::Verbose(3), text));
    }
    if !not_renamed.is_empty() {
        let text = format!("a recording keeps its name (ChangeMonitor): {not_renamed}");
        core.emit(said(Level::Warning, text));
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
        run_afterwards(command, core);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(text: &str) -> Vec<&str> {
        written_folders(text).collect()
    }

    #[test]
    fn a_folder_counts_as_far_as_it_stands_in_the_dialplan() {
        assert_eq!(folders("/srv/calls/${EXTEN}.wav,b"), ["/srv/calls"]);
        assert_eq!(folders("/srv/calls/of-${EXTEN}/x.wav"), ["/srv/calls"]);
        assert_eq!(folders("a.wav,r(/srv/in/a.wav)t(/srv/out/a.wav)"), ["/srv/in", "/srv/out"]);
        assert_eq!(folders("wav,/srv/calls/${UNIQUEID},m"), ["/srv/calls"]);
        for text in ["${CALLERID(name)}.wav", "/${CALLERID(name)}.wav", "${WHERE}/calls/x.wav", "calls/${EXTEN}.wav"] {
            assert_eq!(folders(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_name_leads_to_the_folder_and_not_to_its_neighbours() {
        assert!(is_below("/srv/calls/a.wav", "/srv/calls"));
        assert!(is_below("/srv/calls/a/b.wav", "/srv/calls/"));
        assert!(!is_below("/srv/callsign/a.wav", "/srv/calls"));
        assert!(!is_below("/srv/sounds/en/a.wav", "/srv/calls"));
        assert!(is_of_global("/srv/calls/a.wav", "/srv/calls"));
        assert!(is_of_global("/srv/calls-201.wav", "/srv/calls"));
        assert!(!is_of_global("/srv/calls-201/a.wav", "/srv/calls"));
        assert!(!is_of_global("/srv/sounds/en/a.wav", "/srv/calls"));
        assert!(!is_of_global("/srv/a.wav", "/") && !is_of_global("/srv/a.wav", ""));
    }
}
