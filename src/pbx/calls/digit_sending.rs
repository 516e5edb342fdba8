//! Rows of digits that lines are sent: `SendDTMF`, and `D()` of a Dial.

use super::channel::{Activity, Channel};
use super::deferred::Deferred;
use super::digit_form::{self, SentAs};
use super::local;
use super::parties::Parties;
use super::sendings::Sending;
use crate::config::peer::DtmfMode;
use crate::dialplan::{AppReply, ChannelId, DialOptions, DialedDigit, DigitRow, SendDigitsRequest};
use crate::event::CallEvent;
use crate::pbx::core::{CallTimer, Core, Timer};
use crate::pbx::media::{FLASH, MediaCommand, WhileBridged};
use std::time::Duration;

/// The longest time for one digit, or from one to the next.
const LONGEST: Duration = Duration::from_secs(8);

/// Maximum number of digits and pauses that wait at one line.
const MAX_WAITING: usize = 512;

/// The digits that a Dial sends by its option `D(called:calling:progress)`.
#[derive(Debug, Clone, Default)]
pub(super) struct DialDigits {
    /// To the line that answers.
    pub called: Option<DigitRow>,
    /// To the caller, then.
    pub calling: Option<DigitRow>,
    /// To a line that sends early media, before its answer.
    pub progress: Option<DigitRow>,
}

impl DialDigits {
    /// Those of these options.
    pub fn of(options: &DialOptions) -> DialDigits {
        let given = options.letters.iter().find(|(letter, _)| *letter == 'D');
        let Some(text) = given.and_then(|(_, argument)| argument.as_deref()) else { return DialDigits::default() };
        let mut rows = text.split(':').map(|part| {
            let (row, _) = DigitRow::parse(part);
            Some(row).filter(|row| !row.digits.is_empty())
        });
        let mut row = || rows.next().flatten();
        DialDigits { called: row(), calling: row(), progress: row() }
    }

    /// The call was answered: a line answered a caller. Their media must come by here for that.
    pub fn keep_relay(&self, parties: &mut Parties, both: [ChannelId; 2]) {
        for id in both.into_iter().filter(|_| self.called.is_some() || self.calling.is_some()) {
            if let Some(channel) = parties.channel_mut(id) {
                channel.keeps_relay = true;
            }
        }
    }

    /// Sends both what is for them.
    pub fn send(&self, parties: &mut Parties, caller: ChannelId, line: ChannelId, core: &mut Core) {
        for (to, row) in [(line, &self.called), (caller, &self.calling)] {
            if let Some(row) = row {
                begin(parties, to, row, None, core);
            }
        }
    }
}

/// A program sends digits (`SendDTMF`).
pub(super) fn requested(parties: &mut Parties, id: ChannelId, request: &SendDigitsRequest, core: &mut Core) {
    let to = match &request.channel {
        None => Some(id),
        Some(name) => parties.channels().find(|it| it.name.eq_ignore_ascii_case(name)).map(|it| it.id),
    };
    let Some(to) = to else {
        return parties.resume(id, AppReply::DigitsSent(Err("there is no such channel".to_owned())));
    };
    if let Some(channel) = parties.channel_mut(id) {
        channel.activity = Activity::SendingDigits;
    }
    begin(parties, to, &request.row, Some(id), core);
}

/// A program says how its telephone's digits go from now on (`SIPDtmfMode`).
pub(super) fn set_mode(parties: &mut Parties, id: ChannelId, mode: &str, core: &mut Core) {
    let telephone = local::caller(parties, id);
    let set = parties.with_party(telephone, core, |party, cx| {
        let Some(mode) = DtmfMode::parse(mode) else {
            return Err("the modes are rfc2833, info, shortinfo, inband and auto".to_owned());
        };
        party.channel.dtmf_mode = Some(mode);
        party.listen(WhileBridged::Pass, cx.core);
        Ok(())
    });
    let set = set.unwrap_or_else(|| Err("the channel has no telephone".to_owned()));
    parties.resume(id, AppReply::DtmfModeSet(set));
}

/// Begins to send a line a row of digits; behind those it is being sent, if it is. `waits`: whose program goes on at the
/// end of them.
pub(super) fn begin(parties: &mut Parties, to: ChannelId, row: &DigitRow, waits: Option<ChannelId>, core: &mut Core) {
    let to = local::caller(parties, to);
    if let Err(reason) = may_send(parties, to) {
        return finish(parties, to, waits, Err(reason), core);
    }
    if let Some(sending) = parties.sendings.get_mut(&to) {
        let room = MAX_WAITING.saturating_sub(sending.rest.len());
        sending.rest.extend(row.digits.iter().take(room));
        let displaced = std::mem::replace(&mut sending.waits, waits);
        return finish(parties, to, displaced, Ok(()), core);
    }
    let sending = Sending {
        rest: row.digits.iter().copied().take(MAX_WAITING).collect(),
        pressed: row.pressed.min(LONGEST),
        gap: row.gap.min(LONGEST),
        timer: None,
        waits,
    };
    parties.sendings.insert(to, sending);
    next(parties, to, core);
}

/// The next of a line's digits is due.
pub(super) fn next(parties: &mut Parties, to: ChannelId, core: &mut Core) {
    let may = may_send(parties, to);
    let Some(sending) = parties.sendings.get_mut(&to) else { return };
    sending.timer = None;
    let (waits, pressed) = (sending.waits, sending.pressed);
    let (sent, time) = match sending.rest.pop_front() {
        None => {
            parties.sendings.remove(&to);
            return finish(parties, to, waits, Ok(()), core);
        }
        Some(DialedDigit::Pause(time)) => (Ok(()), time.min(LONGEST)),
        Some(DialedDigit::Press(digit)) => {
            let time = pressed.saturating_add(sending.gap);
            (may.and_then(|()| send(parties, to, (digit, pressed), core)), time)
        }
        Some(DialedDigit::Flash) => {
            let time = pressed.saturating_add(sending.gap);
            (may.and_then(|()| send(parties, to, (FLASH, pressed), core)), time)
        }
    };
    if sent.is_err() {
        parties.sendings.remove(&to);
        return finish(parties, to, waits, sent, core);
    }
    let timer = core.set_timer(time, Timer::Call(CallTimer::Sending(to)));
    if let Some(sending) = parties.sendings.get_mut(&to) {
        sending.timer = Some(timer);
    }
}

/// Something is to be done on the channel of a line that answered. Digits that a Dial on the way sends it come first: is
/// it waited for their end?
pub(super) fn is_waited_for(parties: &mut Parties, line: ChannelId) -> bool {
    let sends = parties.sendings.contains_key(&line);
    if let Some(channel) = parties.channel_mut(line) {
        channel.callee.after_digits = sends;
    }
    sends
}

/// A channel waits for digits no more that it had sent: neither are they sent.
pub(super) fn abandon(parties: &mut Parties, waiting: ChannelId, core: &mut Core) {
    if !parties.channel(waiting).is_some_and(Channel::sends_digits) {
        return;
    }
    parties.sendings.retain(|_, sending| {
        let is_its = sending.waits == Some(waiting);
        if let Some(timer) = sending.timer.filter(|_| is_its) {
            core.timers.cancel(timer);
        }
        !is_its
    });
}

/// Begins to send a called line digits over its early media; a modem is sent none.
pub(super) fn begin_early(parties: &mut Parties, to: ChannelId, row: &DigitRow, core: &mut Core) {
    match parties.channel(to).filter(|channel| channel.has_modem()).map(|channel| channel.line().to_owned()) {
        Some(line) => {
            let reason = format!("'{line}' is line=modem: nothing may disturb its call");
            finish(parties, to, None, Err(reason), core);
        }
        None => begin(parties, to, row, None, core),
    }
}

fn finish(parties: &mut Parties, to: ChannelId, waits: Option<ChannelId>, sent: Result<(), String>, core: &mut Core) {
    let is_over = !parties.sendings.contains_key(&to);
    if let Some(channel) = parties.channel_mut(to).filter(|_| is_over)
        && std::mem::take(&mut channel.callee.after_digits)
        && let Some(caller) = channel.called_by
    {
        parties.deferred.push_back(Deferred::AfterAnswer(caller, to));
    }
    match (waits, sent) {
        (Some(waiting), sent) => {
            if parties.channel(waiting).is_some_and(|channel| channel.sends_digits()) {
                parties.resume(waiting, AppReply::DigitsSent(sent));
            }
        }
        (None, Ok(())) => {}
        (None, Err(reason)) => core.emit(CallEvent::DigitsNotSent { channel: parties.name_of(to), reason }),
    }
}

/// Of a call with a modem nothing is touched, whoever asks for it.
fn may_send(parties: &Parties, to: ChannelId) -> Result<(), String> {
    let Some(bridge) = parties.channel(to).and_then(|channel| channel.bridge) else { return Ok(()) };
    let in_bridge = parties.channels().filter(|channel| channel.bridge == Some(bridge));
    match in_bridge.into_iter().find(|channel| channel.has_modem()) {
        Some(modem) => Err(format!("'{}' is line=modem: nothing may disturb its call", modem.line())),
        None => Ok(()),
    }
}

/// Sends a line one digit as its own way is.
fn send(parties: &mut Parties, to: ChannelId, press: (char, Duration), core: &mut Core) -> Result<(), String> {
    if parties.channel(to).is_none_or(|channel| channel.dead) {
        return Err("the call is over".to_owned());
    }
    let Some(party) = parties.party(to) else { return Err("it has no telephone".to_owned()) };
    match digit_form::sent_as(party.seen()) {
        Some(form) => send_as(parties, to, press, form, core),
        None => Err(format!(
            "nothing that carries digits was agreed on with '{}': neither telephone events nor G.711",
            party.leg.peer.name
        )),
    }
}

/// Sends a line one digit in this form.
pub(super) fn send_as(
    parties: &mut Parties,
    to: ChannelId,
    (digit, pressed): (char, Duration),
    form: SentAs,
    core: &mut Core,
) -> Result<(), String> {
    let is_short = match form {
        SentAs::Media(form) => {
            let stream = parties.channel(to).and_then(|channel| channel.stream());
            let command = |stream| MediaCommand::SendDigit { stream, digit, duration: pressed, form };
            core.out.media.extend(stream.map(command));
            return Ok(());
        }
        SentAs::Info => false,
        SentAs::ShortInfo => true,
    };
    let sent = parties
        .with_party(to, core, |party, cx| party.leg.info.send_digit((digit, pressed), is_short, &mut party.leg.ua, cx));
    sent.unwrap_or_else(|| Err("it has no telephone".to_owned()))
}
