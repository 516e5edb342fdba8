//! Where the lines that a `Dial` names are to be called, or why they cannot be.

use super::elsewhere;
use super::limits::{self, limit_reached};
use super::local_pair;
use super::parties::{MAX_CHANNELS, Parties};
use crate::config::peer::Kind;
use crate::config::suggest::nearest;
use crate::dialplan::{ChannelId, DialTarget, Existence, Position};
use crate::pbx::core::{Core, Directory, Target};
use crate::pbx::failure::{Failure, FailureReason};
use crate::wording::outside;

/// Finds where lines are, with all channels at hand.
pub(super) struct Places<'a> {
    pub(super) parties: &'a Parties,
    pub(super) directory: &'a dyn Directory,
    pub(super) core: &'a mut Core,
    /// What was found of hosts that are no peers.
    pub(super) located: &'a elsewhere::Found,
}

impl Places<'_> {
    /// The places a dial string names, or why there is none.
    pub(super) fn locate(
        &mut self,
        caller: ChannelId,
        target: &DialTarget,
        (found, opening): (&[(String, Target)], usize),
    ) -> Result<Vec<Target>, Failure> {
        if !target.technology.eq_ignore_ascii_case("SIP") {
            return Err(FailureReason::NoTechnology.with(&[&outside(&target.technology)]));
        }
        let (name, exten) = target.line();
        let peers = self.core.config.peers.clone();
        let Some(peer) = peers.get(name) else {
            if let Some(found) = self.elsewhere(target, (found.len(), opening)) {
                return found.map(|place| vec![elsewhere::addressed(target, place)]);
            }
            // Nor is a guest's number compared with the names of all lines.
            let is_guest = self.parties.leg_of(caller).is_some_and(|leg| leg.peer.kind == Kind::Guest);
            let near = if is_guest { None } else { nearest(name, peers.keys().map(String::as_str)) };
            let near = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            return Err(FailureReason::NoSuchPeer.with(&[&outside(name), &near]));
        };
        if !peer.is_callable() {
            return Err(FailureReason::NotCallable.with(&[name]));
        }
        let places = self.directory.targets(self.core, peer, exten)?;
        let places = elsewhere::detoured(self.core, target, places, self.located)?;
        let places: Vec<Target> = places.into_iter().map(|place| elsewhere::addressed(target, place)).collect();
        let named = found.iter().filter(|(_, place)| place.peer.name == peer.name).count();
        let count = self.parties.count().saturating_add(opening).saturating_add(places.len());
        if count > MAX_CHANNELS {
            return Err(FailureReason::TooMany.with(&[&MAX_CHANNELS.to_string()]));
        }
        limits::refusal(self.parties, self.core, peer, exten, named).map_or(Ok(places), Err)
    }

    /// An address that is no peer; none: the dial string names none, and a peer of that name there is not.
    fn elsewhere(&mut self, target: &DialTarget, (found, opening): (usize, usize)) -> Option<Result<Target, Failure>> {
        let placed = elsewhere::place(self.core, target, self.located)?;
        let is_full = self.parties.count().saturating_add(found.max(opening)) >= MAX_CHANNELS;
        Some(match is_full {
            true => Err(FailureReason::TooMany.with(&[&MAX_CHANNELS.to_string()])),
            false => placed,
        })
    }

    /// In what state a line is, as ChanIsAvail has it.
    pub(super) fn line_state(&mut self, target: &DialTarget) -> u8 {
        if target.technology.eq_ignore_ascii_case("Local") {
            let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
            let exists = |place: Position| plan.exists(&place.context, &place.exten, None, wall) == Existence::Yes;
            return if local_pair::place(target).is_some_and(exists) { 1 } else { 4 };
        }
        let (name, exten) = target.line();
        let is_sip = target.technology.eq_ignore_ascii_case("SIP");
        let peer = self.core.config.peers.get(name).filter(|peer| is_sip && peer.is_callable()).cloned();
        match peer {
            None => 4,
            Some(peer) if self.directory.targets(self.core, &peer, exten).is_err() => 5,
            Some(peer) if limit_reached(self.parties, &peer, 0).is_some() => 3,
            Some(_) if self.parties.count_of(name) > 0 => 2,
            Some(_) => 1,
        }
    }
}
