//! A called line that has several servers (RFC 3263): when one does not take a call, the next is called within the same
//! `Dial`, and the caller hears nothing of it.

use super::channel::Channel;
use super::dial::Branch;
use super::dialing::Dialing;
use super::leg::Refusal;
use crate::datetime;
use crate::dialplan::ChannelId;
use crate::event::call::{CallEvent, ServerFailure};
use crate::names::Server;
use crate::pbx::core::Target;
use std::time::Duration;

/// A called line does not take a call: its next server is called, or it has failed.
pub(super) fn failed(dialing: &mut Dialing<'_>, caller: ChannelId, id: ChannelId, refusal: Refusal) {
    if !goes_on(dialing, caller, id, &refusal) {
        dialing.refused(caller, id, refusal);
    }
}

/// A called line's server does not take the call. RFC 3263 4.3: after 503, no response at all, or a message that cannot
/// be sent, the next server is called, with an INVITE of its own. Says whether there is one.
///
/// A line that rings already, or let something be heard, was reached: its failure is the call's.
fn goes_on(dialing: &mut Dialing<'_>, caller: ChannelId, id: ChannelId, refusal: &Refusal) -> bool {
    let Some((reason, retry_after)) = failure_of_server(dialing, id, refusal) else { return false };
    let Some(flow) = dialing.parties.leg_of(id).map(|leg| leg.ua.flow) else { return false };
    let Some(peer) = dialing.parties.leg_of(id).map(|leg| leg.peer.clone()) else { return false };
    if peer.servers(dialing.core.config.admission.names()).len() > 1 {
        dialing.core.failed_servers.note(Server::of(flow), retry_after, dialing.core.now.mono);
    }
    let Some(dial) = dialing.dial(caller) else { return false };
    if !dial.branches.contains(&(id, Branch::Calling)) {
        return false;
    }
    let dialled = format!("SIP/{}", dial.last_number);
    let Some(channel) = dialing.parties.channel_mut(id) else { return false };
    let mut rest = std::mem::take(&mut channel.alternates).into_iter();
    let Some(next) = rest.next() else { return false };
    let (server, following) = (Server::of(flow).to_string(), Server::of(next.flow).to_string());
    let (channel, reason) = (channel.name.clone(), reason.into());
    let failure = ServerFailure { channel, server, reason, next: following };
    dialing.core.emit(CallEvent::ServerFailed(failure));
    dialing.give_up(id);
    if let Some(dial) = dialing.parties.channel_mut(caller).and_then(Channel::dial_mut) {
        dial.drop_branch(id);
    }
    dialing.open_branch(caller, &dialled, Target { alternates: rest.collect(), ..next });
    true
}

/// A called line answered: its server is there.
pub(super) fn took(dialing: &mut Dialing<'_>, id: ChannelId) {
    if let Some(flow) = dialing.parties.leg_of(id).map(|leg| leg.ua.flow) {
        dialing.core.failed_servers.forgive(Server::of(flow));
    }
}

/// Why the server failed, and how long it asks to be left alone; none when it is the line that refuses.
fn failure_of_server(dialing: &Dialing<'_>, id: ChannelId, refusal: &Refusal) -> Option<(String, Option<Duration>)> {
    match refusal {
        Refusal::Unavailable(words, retry_after) => Some((format!("503 {words}"), *retry_after)),
        Refusal::Silent => {
            let waited = dialing.core.now.mono.since(dialing.parties.channel(id)?.created);
            Some((format!("no response for {}", datetime::span(waited)), None))
        }
        Refusal::Unsendable(why) => Some((why.clone(), None)),
        Refusal::Status(..) => None,
    }
}
