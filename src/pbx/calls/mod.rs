//! Calls: channels, their legs, and the bridges between them. Where a line is they ask a [`Directory`].

mod absorbing;
mod auto_answer;
pub mod bridge;
pub mod bridging;
mod call_end;
mod call_sound;
mod callee_program;
mod callee_work;
mod caller_identity;
mod cdr_writer;
mod challenged;
pub mod channel;
pub mod code_watch;
mod deferred;
mod deferred_work;
mod description;
pub mod device_table;
pub mod dial;
mod dial_letters;
mod dialing;
mod digit_fault;
mod digit_form;
mod digit_sending;
mod digits;
mod diversion;
mod early_media;
mod elsewhere;
mod environment;
mod failover;
mod feature_keys;
mod forwarding;
mod hangup;
pub(crate) mod hint_lookup;
mod hold_music;
mod inbound;
mod info;
pub mod interlude;
mod interlude_end;
mod interludes;
mod invite_headers;
pub mod leg;
mod limit_sound;
mod limit_warning;
mod limits;
pub mod line_quality;
mod line_use;
mod local;
pub mod local_half;
mod local_pair;
pub mod media_path;
mod media_port;
mod messaging;
mod minutes;
mod moved;
mod moving;
mod music;
mod occupancy;
pub mod orders;
mod origin;
mod originating;
mod own_host;
mod own_record;
mod paged;
mod pages;
mod paging;
mod pair;
pub mod parked;
pub mod parking;
mod parties;
mod party;
mod pickup;
mod pin_store;
mod pins;
mod places;
mod playing;
mod ports;
mod program;
mod recordings;
mod replacing;
mod sendings;
mod signalled;
mod silence;
mod sound;
mod spied;
mod spies;
mod spying;
mod test_signals;
mod time_limit;
mod tones;
mod transfer;
mod transferred;
mod transfers;

pub use challenged::number_again;
pub use environment::Shared;
pub(crate) use inbound::{Asked, Invite};
pub use media_port::MediaPort;
pub use parties::{MAX_CHANNELS, Parties};

use super::core::{CallTimer, Core, Directory, LegId, Requester};
use super::media::MediaEvent;
use super::outside::OutsideReport;
use super::sounds::SoundReply;
use crate::config::peer::Peer;
use crate::dialplan::originate::OriginateRequest;
use crate::dialplan::text_message::TextMessage;
use crate::dialplan::{AppReply, ChannelId};
use crate::event::CallEvent;
use crate::registrar::register::Move;
use crate::sip::Flow;
use crate::sip::dialog::DialogKey;
use crate::sip::message::{Request, Response};
use crate::sip::transaction::{Answer, ClientId, ReferenceChange, ServerId};
use crate::sip::validate::Essentials;
use bridge::{Bridge, Bridges};
use bridging::Bridging;
use channel::{Activity, Channel};
use dialing::Dialing;
use digits::DigitsPressed;
use early_media::EarlyMedia;
use forwarding::Forwarding;
use hangup::Hangup;
use inbound::Inbound;
use leg::{Arrival, Leg, LegEvent};
use media_port::Ports;
use originating::Originating;
use program::Applications;
use replacing::Replacing;
use silence::{Silences, SilentCall};
use smol_str::SmolStr;
pub use sound::{SoundFault, Sounds};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use time_limit::TimeLimit;
use transfer::Transferring;

/// Program runs in one turn, all channels together, before the network is looked at again.
const RUNS_PER_TURN: usize = 64;

/// All calls.
#[derive(Default)]
pub struct Calls {
    parties: Parties,
    bridges: Bridges,
    shared: Shared,
    silences: Silences,
    sounds: Sounds,
    processed: u64,
}

/// What a channel's program had done outside has come to its end.
pub(crate) fn outside_done(calls: &mut Calls, report: OutsideReport, core: &mut Core) {
    calls.applications(core).outside_done(report);
}

/// Runs the dialplan for a text message that a line sent, at this context and extension.
///
/// # Errors
/// Too many run already.
pub(crate) fn run_message(
    calls: &mut Calls,
    peer: &Peer,
    place: (&str, &str),
    message: TextMessage,
    core: &mut Core,
) -> Result<(), String> {
    messaging::run(&mut calls.parties, peer, place, message, core)
}

/// The lines whose calls changed since this was asked last.
pub(crate) fn take_changed_lines(calls: &mut Calls) -> BTreeSet<SmolStr> {
    line_use::take_changed(&mut calls.parties)
}

impl Calls {
    // ---- what the switch hands on ----

    /// An INVITE from a known line. `stopping`: no new calls are taken.
    pub(crate) fn incoming(&mut self, invite: Invite<'_>, stopping: bool, core: &mut Core) {
        if replacing(self, core).incoming(&invite) {
            return;
        }
        let opened = Inbound { parties: &mut self.parties, core, stopping }.call(invite);
        self.processed = self.processed.saturating_add(u64::from(opened));
    }

    /// The answer to an INVITE that cannot become a call, before there is a transaction; none when it can.
    pub(crate) fn refusal(
        &mut self,
        asked: &Asked<'_>,
        source: SocketAddr,
        stopping: bool,
        core: &mut Core,
    ) -> Option<Response> {
        Inbound { parties: &mut self.parties, core, stopping }.refusal(asked, source)
    }

    /// The leg whose dialog a request belongs to.
    pub fn leg_of_request(&self, essentials: &Essentials) -> Option<LegId> {
        essentials.to.tag()?;
        self.parties.index.dialogs.get(&DialogKey::of_request(essentials)?)
    }

    /// The leg that an INVITE server transaction belongs to.
    pub fn leg_of_invite(&self, invite: ServerId) -> Option<LegId> {
        self.parties.index.servers.get(&invite).copied()
    }

    /// A leg.
    pub fn leg(&self, id: LegId) -> Option<&Leg> {
        self.parties.leg(id)
    }

    /// A request within a leg's dialog.
    pub fn request(
        &mut self,
        leg: LegId,
        server: ServerId,
        request: &Request,
        essentials: &Essentials,
        arrival: Arrival,
        core: &mut Core,
    ) {
        self.parties.with_leg(leg, core, |leg, cx| leg.receive_request(server, request, essentials, arrival, cx));
    }

    /// An ACK that a leg waits for. `arrival`: how it came, when its tags prove whose it is.
    pub fn acknowledged(
        &mut self,
        leg: LegId,
        request: &Request,
        essentials: &Essentials,
        arrival: Option<Arrival>,
        core: &mut Core,
    ) {
        self.parties.with_leg(leg, core, |leg, cx| leg.receive_ack(request, essentials, arrival, cx));
    }

    /// A CANCEL for the INVITE of a leg.
    pub fn cancelled(&mut self, leg: LegId, core: &mut Core) {
        self.parties.with_leg(leg, core, |leg, cx| leg.cancelled(cx));
    }

    /// A request within a dialog came over this flow: a connection that replaces the one the leg knew.
    pub fn follow_connection(&mut self, leg: LegId, came: Flow, core: &mut Core) {
        self.parties.with_leg(leg, core, |leg, _| leg.ua.follow_connection(came));
    }

    /// A response to a leg's request. Gives it back when the leg is no more, or waits for it no more.
    pub fn response(&mut self, leg: LegId, answer: Answer<Requester>, core: &mut Core) -> Option<Answer<Requester>> {
        if !self.awaits(leg, answer.id) {
            return Some(answer);
        }
        self.parties.with_leg(leg, core, |leg, cx| leg.receive_response(answer, cx));
        None
    }

    /// Does a leg wait for responses to a request of its own?
    fn awaits(&self, leg: LegId, id: ClientId) -> bool {
        self.parties.leg(leg).is_some_and(|leg| leg.awaits(id))
    }

    /// A leg's request got no answer in time.
    pub fn timed_out(&mut self, leg: LegId, id: ClientId, core: &mut Core) {
        if self.awaits(leg, id) {
            self.parties.with_leg(leg, core, |leg, cx| leg.client_failed(id, cx));
        }
    }

    /// The network did not carry a leg's request.
    pub fn transport_failed(&mut self, leg: LegId, id: ClientId, why: &str, core: &mut Core) {
        if self.awaits(leg, id) {
            self.parties.with_leg(leg, core, |leg, cx| leg.transport_failed(id, why, cx));
        }
    }

    /// The system refused to send over a flow. Says whether a call fails because of it, which says so itself.
    pub fn send_failed(&mut self, flow: Flow, why: &str, core: &mut Core) -> bool {
        let mut concerned = false;
        self.parties.for_each_leg(core, |leg, cx| concerned |= leg.unsendable(flow, why, cx));
        concerned
    }

    /// A connection is closed.
    pub fn connection_closed(&mut self, flow: Flow, core: &mut Core) {
        self.parties.for_each_leg(core, |leg, _| {
            if leg.ua.flow.connection == flow.connection {
                leg.ua.lose_connection();
            }
        });
    }

    /// A line is reached elsewhere than before: its calls follow it, those that were where it was.
    pub fn line_moved(&mut self, peer: &Peer, moves: &[Move], core: &mut Core) {
        if moves.is_empty() {
            return;
        }
        self.parties.for_each_leg(core, |leg, cx| {
            let moved = moves.iter().find(|moved| leg.peer.name == peer.name && leg.ua.is_reached_by(moved.from));
            if let Some(moved) = moved {
                leg.move_to(moved.to, cx);
            }
        });
    }

    /// A line that registered over a connection is spoken to over that one.
    pub fn move_to_connection(&mut self, peer: &Peer, came: Flow) {
        if came.connection.is_some() {
            self.parties.move_to_connection(peer, came);
        }
    }

    /// One of the timers of calls went off.
    pub fn timer(&mut self, timer: CallTimer, core: &mut Core, directory: &dyn Directory) {
        match timer {
            CallTimer::Leg(id, timer) => {
                self.parties.with_leg(id, core, |leg, cx| leg.timer(timer, cx));
            }
            CallTimer::Wait(channel) => self.applications(core).waited(channel),
            CallTimer::Digit(channel) => self.applications(core).no_digit(channel),
            CallTimer::Sending(channel) => digit_sending::next(&mut self.parties, channel, core),
            CallTimer::Warning(channel) => limit_warning::due(&mut self.parties, channel, core),
            CallTimer::Limit(id) => limit_sound::time_over(&mut self.parties, &mut self.bridges, id, core),
            CallTimer::TimeLimit(channel) => {
                let Calls { parties, bridges, shared, .. } = self;
                TimeLimit { parties, bridges, core }.over(channel, shared, directory);
            }
            CallTimer::TransferLimit(channel) => transferred::timed_out(&mut self.parties, channel, core),
            CallTimer::Transferred(channel) => transferring(self, core).over(channel),
            CallTimer::Dial(channel) => self.dialing(core).timed_out(channel),
            CallTimer::Soundless(channel) => self.early_media(core).soundless(channel),
            CallTimer::Silence(stream) => {
                let Calls { parties, bridges, silences, .. } = self;
                SilentCall { silences, parties, bridges, core, directory }.look(stream);
            }
            CallTimer::Code(id) => feature_keys::time_over(&mut self.parties, &mut self.bridges, id, core),
            CallTimer::Sound(channel) => {
                if let Some(channel) = self.parties.channel(channel) {
                    sound::look(channel, core);
                }
            }
        }
    }

    /// The media thread reports.
    pub fn media(&mut self, event: MediaEvent, core: &mut Core) {
        match event {
            MediaEvent::Reserved { stream, rtp } => {
                if let Some((id, ports)) = self.parties.bound(stream, rtp, core) {
                    self.ports_settled(id, ports, core);
                }
            }
            MediaEvent::NoPorts { stream, why } => match self.parties.not_bound(stream, &why, core) {
                Some((id, Ports::Voice)) => self.hangup(core).without_ports(id, &why),
                Some((id, Ports::Secondary)) => self.ports_settled(id, Ports::Secondary, core),
                None => {}
            },
            MediaEvent::Learned { stream, source } => {
                if let Some(channel) = self.parties.channel_of_stream(stream) {
                    core.emit(CallEvent::SourceLearned { channel: channel.name.clone(), source });
                }
                self.early_media(core).heard(stream);
            }
            MediaEvent::Recorded { stream, recording, recorded } => {
                recordings::ended(&mut self.parties, (stream, recording), &recorded, core);
            }
            MediaEvent::Played { stream, play } => self.applications(core).prompts().played(stream, play),
            MediaEvent::Digit { stream, digit } => {
                DigitsPressed { parties: &mut self.parties, bridges: &mut self.bridges, core }.heard(stream, digit)
            }
            MediaEvent::Counted { stream, report } => self.sounds.counted(stream, &report, &mut self.parties, core),
            MediaEvent::Silent { stream, lasting } => {
                if self.parties.channel_of_stream(stream).is_some() {
                    self.silences.begin(stream, lasting, core);
                }
            }
            MediaEvent::Heard { stream } => self.silences.end(stream, core),
            MediaEvent::Released { stream, counts, heard } => {
                self.silences.end(stream, core);
                self.parties.released(stream, (&counts, heard.as_deref()), core);
            }
        }
    }

    /// Sounds that were ordered are there, or known to be missing.
    pub fn sounds_loaded(&mut self, reply: SoundReply, core: &mut Core) {
        if let Some(reply) = hold_music::loaded(&mut self.parties, reply, core) {
            self.applications(core).prompts().loaded(reply);
        }
    }

    /// A channel's ports are there, or known to be missing: whatever waited for them goes on.
    fn ports_settled(&mut self, id: ChannelId, ports: Ports, core: &mut Core) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        match (ports, &channel.activity) {
            (Ports::Voice, Activity::ReservingPorts) if channel.picks_up.is_some() => replacing(self, core).ready(id),
            (Ports::Voice, Activity::ReservingPorts) => {
                channel.activity = Activity::Running;
                self.parties.make_runnable(id);
            }
            (Ports::Voice, Activity::Called) => self.dialing(core).ports_ready(id),
            (Ports::Voice, _) => {}
            (Ports::Secondary, _) if channel.bridge.is_some() => self.bridging(core).ports_settled(id),
            (Ports::Secondary, _) => {
                let caller = channel.called_by.unwrap_or(id);
                self.dialing(core).ports_settled(caller);
            }
        }
    }

    // ---- a turn ----

    /// Handles what happened on legs, and lets programs run, until nothing is left to do this turn.
    pub fn settle(&mut self, core: &mut Core, directory: &dyn Directory) {
        let mut runs = 0;
        loop {
            while self.next_event(core) {}
            if runs == RUNS_PER_TURN {
                break;
            }
            let Some(channel) = self.parties.next_runnable() else { break };
            runs += 1;
            let mut applications = Applications { parties: &mut self.parties, bridges: &mut self.bridges, core };
            applications.advance(channel, &self.shared, directory);
        }
        self.parties.forget_ended_legs();
    }

    /// The tags of ours that can be named since this was taken last, and those that are no more.
    pub fn take_references(&mut self) -> Vec<ReferenceChange> {
        self.parties.index.dialogs.take_changes()
    }

    /// Hands on what happened next on a leg, or to a half of a pair; false: nothing.
    fn next_event(&mut self, core: &mut Core) -> bool {
        if let Some(deferred) = self.parties.deferred.pop_front() {
            deferred_work::carry_out(deferred, &mut self.parties, &mut self.bridges, &mut self.shared, core);
            return true;
        }
        if let Some((leg, event)) = self.parties.index.events.pop_front() {
            // A leg that was replaced, or whose channel is gone, has nothing to say any more.
            match self.parties.channel_of_leg(leg) {
                Some(channel) => self.leg_event(channel, event, core),
                None => info::nobody_there(&event, core),
            }
            return true;
        }
        let half = self.parties.locals.take();
        half.map(|(half, ended)| self.hangup(core).half_ended(half, ended)).is_some()
    }

    /// Begins a call of the exchange's own; `Event::Call(Originated)` tells how that went.
    pub fn originate(&mut self, request: OriginateRequest, core: &mut Core, directory: &dyn Directory) {
        let Calls { parties, bridges, .. } = self;
        Originating { parties, bridges, core }.begin(request, None, directory);
    }

    /// Hands what happened on a channel's leg to whom it concerns.
    fn leg_event(&mut self, id: ChannelId, event: LegEvent, core: &mut Core) {
        let Some(channel) = self.parties.channel(id) else { return };
        match (event, channel.called_by) {
            (LegEvent::Provisional(status, description), Some(caller)) => {
                self.early_media(core).provisional(caller, id, status, description);
            }
            (LegEvent::Answered(answer), Some(caller)) => {
                failover::took(&mut self.dialing(core), id);
                self.dialing(core).answered(caller, id, answer);
            }
            (LegEvent::Failed(refusal), Some(caller)) => {
                failover::failed(&mut self.dialing(core), caller, id, refusal);
            }
            (LegEvent::Redirected(status, words, places), Some(caller)) => {
                self.forwarding(core).redirected(caller, id, (status, words), &places);
            }
            (LegEvent::Confirmed(answer), _) => self.confirmed(id, answer.is_some(), core),
            (LegEvent::OfferReceived(offer), _) => self.bridging(core).offer_received(id, offer),
            (LegEvent::OfferAccepted(_), _) => self.bridging(core).offer_accepted(id),
            (LegEvent::OfferRefused(status), _) => self.bridging(core).offer_refused(id, status),
            (LegEvent::InfoReceived(server), _) => {
                info::received(&mut self.parties, &mut self.bridges, id, server, core);
            }
            (LegEvent::ReferReceived(server), _) => transferring(self, core).referred(id, server),
            (LegEvent::Also(to), _) => transferring(self, core).also(id, &to),
            (LegEvent::Referred(status), _) => self.applications(core).referred(id, status),
            (LegEvent::Moved(before), _) => moved::noticed(&mut self.parties, id, before, core),
            (LegEvent::Ended(ending), _) => self.hangup(core).leg_ended(id, ending),
            // Only a called line's leg can ring, answer or fail.
            (
                LegEvent::Provisional(..) | LegEvent::Answered(_) | LegEvent::Failed(..) | LegEvent::Redirected(..),
                None,
            ) => {}
        }
    }

    /// A peer acknowledged an answer of ours; `moved`: with a description of its own.
    fn confirmed(&mut self, id: ChannelId, moved: bool, core: &mut Core) {
        if moved {
            self.bridging(core).peer_moved(id);
        }
        self.parties.with_party(id, core, |party, cx| party.set_media_remote_of_stranger(cx.core));
        let Some(channel) = self.parties.channel(id) else { return };
        match channel.activity {
            Activity::Answering => self.parties.resume(id, AppReply::Answered(Ok(()))),
            Activity::Bridged(_) | Activity::Called => self.bridging(core).settle_of(id),
            _ => self.bridging(core).reclaim_media(id),
        }
    }

    // ---- the console, and whoever looks in ----

    /// Hangs up the channels of this name, or `all`; gives their names, none when there is no such channel.
    pub fn hang_up(&mut self, name: &str, core: &mut Core) -> Option<Vec<String>> {
        let all = name.eq_ignore_ascii_case("all");
        let is_meant = |channel: &&Channel| all || channel.name.eq_ignore_ascii_case(name);
        let chosen: Vec<(ChannelId, String)> =
            self.parties.channels().filter(is_meant).map(|channel| (channel.id, channel.name.clone())).collect();
        if chosen.is_empty() && !all {
            return None;
        }
        for (id, _) in &chosen {
            self.hangup(core).by_console(*id);
        }
        Some(chosen.into_iter().map(|(_, name)| name).collect())
    }

    /// All channels and legs.
    pub fn parties(&self) -> &Parties {
        &self.parties
    }

    /// What all programs share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What was wrong with the sound of lines.
    pub fn sounds(&self) -> &Sounds {
        &self.sounds
    }

    /// The bridge a channel is in.
    pub fn bridge_of(&self, channel: &Channel) -> Option<&Bridge> {
        self.bridges.get(channel.bridge?)
    }

    /// All bridges, oldest first.
    pub fn bridges(&self) -> impl Iterator<Item = &Bridge> {
        self.bridges.iter()
    }

    /// How many calls there were since the start.
    pub fn processed(&self) -> u64 {
        self.processed
    }

    fn applications<'a>(&'a mut self, core: &'a mut Core) -> Applications<'a> {
        Applications { parties: &mut self.parties, bridges: &mut self.bridges, core }
    }

    fn dialing<'a>(&'a mut self, core: &'a mut Core) -> Dialing<'a> {
        Dialing { parties: &mut self.parties, bridges: &mut self.bridges, core }
    }

    fn early_media<'a>(&'a mut self, core: &'a mut Core) -> EarlyMedia<'a> {
        EarlyMedia { parties: &mut self.parties, bridges: &mut self.bridges, core }
    }

    fn forwarding<'a>(&'a mut self, core: &'a mut Core) -> Forwarding<'a> {
        Forwarding { parties: &mut self.parties, bridges: &mut self.bridges, core }
    }

    fn bridging<'a>(&'a mut self, core: &'a mut Core) -> Bridging<'a> {
        Bridging { parties: &mut self.parties, bridges: &mut self.bridges, core }
    }

    fn hangup<'a>(&'a mut self, core: &'a mut Core) -> Hangup<'a> {
        Hangup { parties: &mut self.parties, bridges: &mut self.bridges, core }
    }
}

fn transferring<'a>(calls: &'a mut Calls, core: &'a mut Core) -> Transferring<'a> {
    Transferring { parties: &mut calls.parties, bridges: &mut calls.bridges, core }
}

fn replacing<'a>(calls: &'a mut Calls, core: &'a mut Core) -> Replacing<'a> {
    Replacing { parties: &mut calls.parties, bridges: &mut calls.bridges, core }
}

#[cfg(test)]
mod tests;
