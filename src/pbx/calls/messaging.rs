//! Text messages in the dialplan: the channel of one that a line sent, and what programs send.

use super::channel::{Activity, Channel, Endpoint};
use super::local;
use super::parties::Parties;
use crate::config::peer::Peer;
use crate::dialplan::program::errand;
use crate::dialplan::text_message::{NotSent, TextMessage, name_and_number};
use crate::dialplan::{AppReply, CallerId, ChannelId, Position, Program};
use crate::pbx::core::Core;
use crate::pbx::{text_messages, text_room};

/// Maximum number of messages that the dialplan runs for at once.
const MAX_RUNNING: usize = 200;
/// Of these, of one line: the others have room, too.
const MAX_RUNNING_OF_LINE: usize = 40;
/// Maximum number of messages that programs may have waiting to be sent in one turn.
const MAX_PENDING: usize = 200;
/// The variable of such a channel that names the line whose message it is.
const SENDER: &str = "SIP_PEERNAME";
/// What the names of such channels begin with, as Asterisk has it.
const NAME: &str = "Message/ast_msg_queue";

/// Runs the dialplan for a message that a line sent.
///
/// # Errors
/// Too many run already.
pub(super) fn run(
    parties: &mut Parties,
    peer: &Peer,
    (context, exten): (&str, &str),
    message: TextMessage,
    core: &mut Core,
) -> Result<(), String> {
    let running = || parties.channels().filter(|channel| channel.name.starts_with(NAME));
    if running().count() >= MAX_RUNNING {
        return Err(format!("the dialplan runs for {MAX_RUNNING} messages already"));
    }
    if running().filter(|channel| sender(channel) == peer.name).count() >= MAX_RUNNING_OF_LINE {
        return Err(format!("the dialplan runs for {MAX_RUNNING_OF_LINE} messages of '{}' already", peer.name));
    }
    let id = ChannelId(core.fresh_id());
    let name = format!("{NAME}-{:08x}", id.0);
    let unique_id = format!("{}.{}", core.now.wall.0.div_euclid(1000), id.0);
    let mut channel = Channel::new(core, id, (name, unique_id), Endpoint::App, Activity::Running);
    let (caller_name, number) = name_and_number(&message.from);
    let caller = CallerId { name: caller_name, ani: number.clone(), number, ..CallerId::default() };
    let mut program = Program::new(id, &channel.name, Position::new(context, exten, 1), caller);
    for (name, value) in &peer.set_vars {
        program.set_variable(name, value);
    }
    program.set_variable(SENDER, &peer.name);
    program.set_language(&peer.settings.language);
    errand::message(&mut program, message);
    channel.program = Some(program);
    parties.insert(channel);
    parties.make_runnable(id);
    Ok(())
}

/// The line that began a program: whose message it runs for, or who is at its end; empty: nobody.
fn sender(channel: &Channel) -> String {
    if let Some(peer) = channel.peer() {
        return peer.name.clone();
    }
    channel.program.as_ref().and_then(|program| program.variable(SENDER)).unwrap_or_default()
}

/// A program sends a message: it goes at the end of this turn.
pub(super) fn send(parties: &mut Parties, id: ChannelId, message: &TextMessage, core: &mut Core) {
    let began = parties.channel(local::caller(parties, id)).map(sender).unwrap_or_default();
    let peer = core.config.peers.get(&began).cloned();
    let sender = peer.map_or(began, |peer| text_room::counted_as(&peer).to_owned());
    let sent = match text_messages::read(message, &sender, core) {
        Ok(_) if core.texts.len() >= MAX_PENDING => {
            Err(NotSent { status: "FAILURE", reason: format!("{MAX_PENDING} messages wait to be sent already") })
        }
        Ok(delivery) => {
            core.texts.push(delivery);
            Ok(())
        }
        Err(why) => Err(why),
    };
    parties.resume(id, AppReply::TextSent(sent));
}

/// A program sends a text to its own caller, within the call.
pub(super) fn send_to_caller(parties: &mut Parties, id: ChannelId, text: String, core: &mut Core) {
    let telephone = local::caller(parties, id);
    let sent = parties.with_party(telephone, core, |party, cx| party.leg.info.send_text(text, &mut party.leg.ua, cx));
    let sent = sent.unwrap_or_else(|| Err("there is no telephone at the end of this channel".to_owned()));
    let sent = sent.map_err(|reason| NotSent { status: "UNSUPPORTED", reason });
    parties.resume(id, AppReply::TextSent(sent));
}
