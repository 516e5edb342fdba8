//! Signals by which a line is measured: begun for a program, and ended. What comes meanwhile is measured by the recorder's
//! thread; here is only told what it found.

use super::channel::{Activity, Channel};
use super::local;
use super::parties::Parties;
use super::signalled::Signalled;
use crate::dialplan::test_signal::{SignalReply, TestSignal};
use crate::dialplan::{AppReply, ChannelId};
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;
use crate::pbx::recording::{RecordPlan, Recorded, RecordingEnd, RecordingId};

/// Lines that are measured at once: each costs the recorder's thread some arithmetic, and a megabyte at most.
const MAX_MEASURED: usize = 8;

/// Sends the telephone of a channel a signal. A caller who is not answered hears it as early media.
pub(super) fn begin(parties: &mut Parties, id: ChannelId, signal: &TestSignal, core: &mut Core) {
    match start(parties, id, signal, core) {
        Ok(signalled) => {
            if let Some(channel) = parties.channel_mut(id) {
                channel.activity = Activity::TestSignal(signalled);
            }
        }
        Err(why) => parties.resume(id, AppReply::SignalEnded(SignalReply::Failed(why))),
    }
}

fn start(parties: &mut Parties, id: ChannelId, signal: &TestSignal, core: &mut Core) -> Result<Signalled, String> {
    let telephone = local::caller(parties, id);
    if telephone != id && local::unanswered_half(parties, id).is_some() {
        return Err("a caller who was sent here by another line has to be answered first".to_owned());
    }
    let is_measured =
        |channel: &&Channel| matches!(&channel.activity, Activity::TestSignal(it) if it.recording.is_some());
    if signal.measure.is_some() && parties.channels().filter(is_measured).count() >= MAX_MEASURED {
        return Err(format!("{MAX_MEASURED} lines are measured already: try again when one of them is done"));
    }
    let started = parties.with_party(telephone, core, |party, cx| {
        party.send_early_media(cx)?;
        let stream = party.stream;
        // What is sent is compared with what comes back: nothing of it may be missed.
        let recording = signal.measure.map(|measure| {
            let (laws, channel) = (party.laws(), party.channel.name.clone());
            let max = Some(measure.lasting);
            let plan = RecordPlan { laws, channel, max, measure: Some(measure), ..RecordPlan::default() };
            let recording = RecordingId(cx.core.fresh_id());
            cx.core.out.media.push(MediaCommand::Record { stream, recording, plan: Box::new(plan) });
            recording
        });
        let repeat = signal.measure.is_none_or(|measure| measure.part.is_repeated());
        party.start_playing(std::slice::from_ref(&signal.sound), 0, repeat, cx.core)?;
        Ok(Signalled { stream, recording, stop_on: signal.stop_on })
    });
    started.unwrap_or_else(|| Err("the channel has no telephone".to_owned()))
}

/// A digit ends the signal.
pub(super) fn cut(parties: &mut Parties, id: ChannelId, digit: char, core: &mut Core) {
    end(parties, id, SignalReply::Digit(digit), core);
}

/// A measurement has ended; says whether it was one.
pub(super) fn measured(parties: &mut Parties, recording: RecordingId, recorded: &Recorded, core: &mut Core) -> bool {
    let is_its =
        |channel: &&Channel| matches!(&channel.activity, Activity::TestSignal(it) if it.recording == Some(recording));
    let Some(waiting) = parties.channels().find(is_its).map(|channel| channel.id) else {
        return recorded.measured.is_some();
    };
    let reply = match (&recorded.measured, &recorded.end) {
        (Some(measured), RecordingEnd::Max) => SignalReply::Measured(measured.clone()),
        (_, RecordingEnd::Failed(why)) => SignalReply::Failed(why.clone()),
        (_, RecordingEnd::Stopped | RecordingEnd::Until | RecordingEnd::Max) => {
            SignalReply::Failed("the measurement was stopped".to_owned())
        }
    };
    end(parties, waiting, reply, core);
    true
}

fn end(parties: &mut Parties, id: ChannelId, reply: SignalReply, core: &mut Core) {
    if let Some(Activity::TestSignal(signalled)) = parties.channel(id).map(|channel| &channel.activity) {
        core.out.media.extend(signalled.stopping());
        parties.resume(id, AppReply::SignalEnded(reply));
    }
}
