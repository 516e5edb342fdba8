//! A called line sends the call elsewhere (3xx, RFC 3261 8.1.3.4): to an extension of ours, where the dialplan goes on in
//! the context of that line, or to another address, when `promiscredir=` lets it.

use super::bridge::Bridges;
use super::channel::Channel;
use super::dialing::Dialing;
use super::early_media::EarlyMedia;
use super::leg::Refusal;
use super::local;
use super::local_pair::{self, Opening};
use super::own_host;
use super::parties::{MAX_CHANNELS, Parties};
use crate::config::peer::Peer;
use crate::dialplan::{ChannelId, DiversionReason, Existence, Position, Program};
use crate::event::CallEvent;
use crate::pbx::core::{Core, Target};
use crate::pbx::failure::{Failure, FailureReason};
use crate::sip::dialog::plain;
use crate::sip::{Flow, Uri};
use crate::wording::outside;
use std::sync::Arc;

/// Maximum number of places that the redirections of one call lead to: telephones that send it round and round come to
/// an end.
const MAX_REDIRECTIONS: usize = 5;

/// Follows redirections, with all channels and bridges at hand.
pub(super) struct Forwarding<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

/// Where a call goes on.
enum Place {
    /// At an extension of the dialplan.
    Extension { context: String, exten: String },
    /// At an address.
    Address(Box<Target>),
}

impl Place {
    /// How many channels that takes.
    fn channels(&self) -> usize {
        match self {
            Place::Extension { .. } => 2,
            Place::Address(_) => 1,
        }
    }

    fn name(&self) -> String {
        match self {
            Place::Extension { context, exten } => format!("{exten}@{context}"),
            Place::Address(target) => target.uri.clone(),
        }
    }
}

impl Forwarding<'_> {
    /// A called line names other places instead of itself: they are called all at once as a Dial does, the others that
    /// it rings ring on. None is tried twice in one call.
    pub(super) fn redirected(
        &mut self,
        caller: ChannelId,
        id: ChannelId,
        (status, words): (u16, String),
        places: &[Uri],
    ) {
        let Some(leg) = self.parties.leg_of(id) else { return };
        let (peer, flow) = (leg.peer.clone(), leg.ua.flow);
        let options = self.parties.channel(caller).and_then(Channel::dial).map(|dial| dial.options.clone());
        // Option i: whoever answered so is as one that is not there.
        if options.as_ref().is_some_and(|options| options.has('i')) {
            return self.dialing().refused(caller, id, Refusal::Status(status, words));
        }
        let (mut followed, mut failure) = (Vec::<Place>::new(), None);
        for uri in places {
            let opening = followed.iter().map(Place::channels).sum();
            let found = self.place(uri, status, &peer, flow).map(|place| self.admit(caller, &peer, place, opening));
            match found {
                Some(Ok(place)) => followed.push(place),
                Some(Err(why)) => failure = Some(why),
                None => {}
            }
        }
        if followed.is_empty() {
            return match failure {
                Some(failure) => self.dialing().not_taken(caller, id, failure),
                None => self.dialing().refused(caller, id, Refusal::Status(status, words)),
            };
        }
        let channel = self.parties.name_of(id);
        self.dialing().give_up(id);
        if let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut) {
            dial.drop_branch(id);
            // Option z: a call that is forwarded rings for as long as it likes.
            if dial.options.has('z')
                && let Some(timer) = dial.timer.take()
            {
                self.core.timers.cancel(timer);
            }
        }
        for place in followed {
            let target = match &place {
                Place::Extension { .. } => format!("Local/{}", place.name()),
                Place::Address(target) => target.uri.clone(),
            };
            let (channel, words) = (channel.clone(), words.clone());
            self.core.emit(CallEvent::Redirected { channel, target: target.into(), status, words: words.into() });
            match place {
                Place::Extension { context, exten } => self.open_pair(caller, Position::new(&context, &exten, 1)),
                Place::Address(target) => self.dialing().open_branch(caller, &format!("SIP/{}", peer.name), *target),
            }
        }
        EarlyMedia { parties: self.parties, bridges: self.bridges, core: self.core }.lost(caller, id);
    }

    /// Where a Contact leads; none when it is not followed.
    fn place(&self, uri: &Uri, status: u16, peer: &Arc<Peer>, flow: Flow) -> Option<Place> {
        // RFC 3261 21.3.4: the Contact of a 305 is a proxy.
        if status != 305
            && let Some(exten) = self.extension(uri, peer, flow)
        {
            return Some(Place::Extension { context: peer.settings.context.clone(), exten });
        }
        if !peer.settings.promisc_redir {
            return None;
        }
        let flow = self.core.routing.to(uri, Flow { connection: None, ..flow }, &peer.settings)?;
        Some(Place::Address(Box::new(Target::new(peer.clone(), flow, plain(uri).to_string()))))
    }

    /// The number of ours that a URI names: at one of our addresses or domains it is ours in any case; at another host
    /// name, which is never looked up, and in `tel:`, when the line could dial it.
    fn extension(&self, uri: &Uri, peer: &Peer, flow: Flow) -> Option<String> {
        let number = match uri {
            Uri::Sip(sip) => sip.user_text()?.into_owned(),
            Uri::Other(scheme, rest) if scheme.eq_ignore_ascii_case("tel") => {
                // RFC 3966 5.1.1: visual separators mean nothing.
                rest.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect()
            }
            Uri::Other(..) => return None,
        };
        let number = number.split(';').next().filter(|number| !number.is_empty())?.to_owned();
        let (plan, context) = (&self.core.config.dialplan, &peer.settings.context);
        let exists = || plan.exists(context, &number, None, self.core.now.wall) == Existence::Yes;
        (own_host::is_ours(self.core, uri, flow) || (uri.sip().is_none_or(|sip| sip.host.ip().is_none()) && exists()))
            .then_some(number)
    }

    /// May the call go on there? Each place is tried once, an extension must be there, and there must be room beside the
    /// channels that are to be opened for other places of this redirection already.
    fn admit(&mut self, caller: ChannelId, peer: &Peer, place: Place, opening: usize) -> Result<Place, Failure> {
        let name = place.name();
        let before = local::forwards(self.parties, caller);
        // What others forwarded before counts, and here what this dialplan did: the channels on the way know both.
        let elsewhere = self.parties.channel(caller).and_then(|channel| channel.program.as_ref());
        let elsewhere = elsewhere.map_or(0, |program| program.caller().diversion.count);
        let elsewhere = usize::try_from(elsewhere).unwrap_or(usize::MAX).saturating_sub(before.len());
        // The line that is left makes room for one.
        let count = self.parties.count().saturating_sub(1).saturating_add(opening);
        let wall = self.core.now.wall;
        let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut) else {
            return Err(FailureReason::Gone.with(&[&peer.name]));
        };
        let times = before.len().saturating_add(dial.redirections.len()).saturating_add(elsewhere);
        if before.contains(&name) || dial.redirections.contains(&name) || times >= MAX_REDIRECTIONS {
            let times = times.to_string();
            return Err(FailureReason::ForwardLoop.with(&[&peer.name, &outside(&name), &times]));
        }
        if let Place::Extension { context, exten } = &place
            && self.core.config.dialplan.exists(context, exten, None, wall) != Existence::Yes
        {
            return Err(FailureReason::ForwardNowhere.with(&[&peer.name, &outside(exten), context]));
        }
        if count.saturating_add(place.channels()) > MAX_CHANNELS {
            return Err(FailureReason::TooMany.with(&[&MAX_CHANNELS.to_string()]));
        }
        dial.redirections.push(name);
        Ok(place)
    }

    /// The call goes on in the dialplan.
    fn open_pair(&mut self, caller: ChannelId, start: Position) {
        let mut forwards = local::forwards(self.parties, caller);
        forwards.push(format!("{}@{}", start.exten, start.context));
        let Some(channel) = self.parties.channel(caller) else { return };
        let mut shown = channel.program.as_ref().map(Program::caller).unwrap_or_default();
        // Who is called by whom it was forwarded: the number that was dialled first.
        let forwarder = channel.entered.as_ref().map(|entered| entered.exten.clone()).unwrap_or_default();
        shown.diversion = shown.diversion.once_more(&shown.rdnis, DiversionReason::Unconditional);
        shown.rdnis = forwarder;
        shown.dnid.clone_from(&start.exten);
        if let Some(number) = channel.dial().and_then(|dial| dial.options.forwarder(&shown.rdnis)) {
            (shown.name, shown.number) = (String::new(), number);
        }
        local_pair::open(self.parties, self.core, caller, Opening { start, caller: shown, forwards });
    }

    fn dialing(&mut self) -> Dialing<'_> {
        Dialing { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
