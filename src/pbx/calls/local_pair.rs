//! Opens the two halves of a call into the dialplan: for `Dial(Local/...)`, for a call that is forwarded to an extension,
//! and for one that the exchange begins itself.

use super::channel::{Activity, Channel, ChannelState, Endpoint};
use super::dial::Branch;
use super::local;
use super::local_half::LocalHalf;
use super::own_record;
use super::parties::{MAX_CHANNELS, Parties};
use crate::dialplan::{CallerId, ChannelId, DialTarget, Existence, Position, Program};
use crate::pbx::core::Core;
use crate::pbx::failure::{Failure, FailureReason};
use crate::wording::outside;

/// Maximum number of pairs that are open for one telephone at once: a dialplan that calls itself twice each time comes to
/// an end.
const MAX_PAIRS: usize = 64;

/// What the halves begin with.
pub(super) struct Opening {
    /// Where the dialplan goes on.
    pub(super) start: Position,
    /// Who is said to call.
    pub(super) caller: CallerId,
    /// Where the call was forwarded to until here.
    pub(super) forwards: Vec<String>,
}

/// `ext@context`, as `Local/` names it; what follows behind a `/` are options that change nothing here: the pair always
/// makes room for the line that answers.
pub(super) fn place(target: &DialTarget) -> Option<Position> {
    let place = target.resource.split('/').next().unwrap_or_default();
    let (exten, context) = place.rsplit_once('@').unwrap_or((place, "default"));
    (!exten.is_empty() && !context.is_empty()).then(|| Position::new(context, exten, 1))
}

/// May the dialplan be called there?
///
/// # Errors
/// The extension is not there, it calls itself without end, or there are too many channels.
pub(super) fn admit(
    parties: &Parties,
    core: &Core,
    caller: ChannelId,
    target: &DialTarget,
    opening: usize,
) -> Result<Position, Failure> {
    let nowhere = |exten: &str, context: &str| FailureReason::LocalNowhere.with(&[&outside(exten), &outside(context)]);
    let Some(start) = place(target) else { return Err(nowhere(&target.resource, "default")) };
    let number = parties.channel(caller).and_then(|channel| channel.program.as_ref()).map(|program| program.caller());
    let number = number.as_ref().map(|caller| caller.number.as_str());
    if core.config.dialplan.exists(&start.context, &start.exten, number, core.now.wall) != Existence::Yes {
        return Err(nowhere(&start.exten, &start.context));
    }
    let depth = local::depth(parties, caller);
    if depth + 1 >= local::MAX_DEPTH || (depth > 2 && local::pairs_of(parties, caller) >= MAX_PAIRS) {
        return Err(FailureReason::LocalLoop.with(&[&outside(&start.exten), &outside(&start.context)]));
    }
    if parties.count().saturating_add(opening).saturating_add(2) > MAX_CHANNELS {
        return Err(FailureReason::TooMany.with(&[&MAX_CHANNELS.to_string()]));
    }
    Ok(start)
}

/// Opens both: the Dial of `caller` has one of them as a line it calls, the other runs the dialplan.
pub(super) fn open(parties: &mut Parties, core: &mut Core, caller: ChannelId, opening: Opening) {
    let Opening { start, caller: shown, forwards } = opening;
    let [one, two] = [(); 2].map(|()| ChannelId(core.fresh_id()));
    let name = parties.locals.next_name(&format!("{}@{}", start.exten, start.context));
    let half = |other, is_called| Endpoint::Local(LocalHalf { other, is_called, forwards: forwards.clone() });
    let [called, running] = [(one, two, 1), (two, one, 2)].map(|(id, other, number)| {
        let unique_id = format!("{}.{}", core.now.wall.0.div_euclid(1000), id.0);
        let activity = if id == one { Activity::Called } else { Activity::Running };
        Channel::new(core, id, (format!("{name};{number}"), unique_id), half(other, id == one), activity)
    });
    let Some(channel) = parties.channel_mut(caller) else { return };
    let inherited = channel.program.as_ref().map(Program::inherited).unwrap_or_default();
    let language = channel.program.as_ref().map(Program::language).unwrap_or_default();
    channel.cdr.called_channel.clone_from(&called.name);
    if let Some(dial) = channel.dial_mut() {
        dial.branches.push((one, Branch::Calling));
    }
    let (caller_name, caller_number) = (shown.name.clone(), shown.number.clone());
    let mut program = Program::new(two, &running.name, start.clone(), shown);
    program.set_language(&language);
    for (name, value) in inherited {
        program.set_variable(&name, &value);
    }
    let called = Channel { called_by: Some(caller), ..called };
    let running = Channel { program: Some(program), entered: Some(start), state: ChannelState::Ring, ..running };
    let call = own_record::call_of(parties, caller);
    for mut channel in [called, running] {
        channel.call.clone_from(&call);
        (channel.caller_name, channel.caller_number) = (caller_name.clone(), caller_number.clone());
        parties.insert(channel);
    }
    parties.make_runnable(two);
}
