//! What must be so when a script is over.

use super::play::{Player, is_in_fax};
use super::script::{Act, SECOND, SERVERS, Step};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use strowger::clock::Time;
use strowger::pbx::calls::channel::Channel;
use strowger::sdp::MediaKind;
use strowger::sim::{Phone, PhoneEvent};

/// What the exchange says when it ends a call of its own accord, or because a call has changed hands.
const ENDINGS: [&str; 13] = [
    "Auto fallthrough",
    "Nobody picked up",
    "answered elsewhere",
    "no call waits there",
    " picked up the call at ",
    " transfers ",
    " connects ",
    " cannot come back to ",
    " did not arrive ",
    " has taken the call over",
    " is parked at ",
    " cannot pick up ",
    " hangs up by ",
];

/// What it says when a call has changed hands.
const MOVES: [&str; 5] =
    [" transfers ", " connects ", " did not arrive ", " has taken the call over", " is parked at "];

impl Player<'_> {
    /// Is it one of those that were away for a while? A line has several telephones.
    fn is_parted(&self, name: &str) -> bool {
        let is_of_line = |line: &str| name == line || (line == "desk" && name == SECOND);
        self.parted
            .iter()
            .any(|gone| is_of_line(gone) || *gone == name || (SERVERS.contains(gone) && name == "provider"))
    }

    /// A channel is in a bridge, or has a program, or waits for one that has.
    fn does_something(&self, channel: &Channel) -> Result<(), String> {
        let is_busy = channel.bridge.is_some() || channel.program.is_some() || channel.called_by.is_some();
        let is_transferring = self
            .world
            .switch
            .legs()
            .any(|report| report.channel.is_some_and(|of| of.id == channel.id) && report.leg.refers.is_open());
        match is_busy || is_transferring || channel.waits_for.is_some() || self.is_parted(channel.line()) {
            true => Ok(()),
            false => Err(format!("{} does nothing: {:?}", channel.name, channel.activity)),
        }
    }

    pub fn all_agree(&self) -> Result<(), String> {
        let legs = self.world.switch.legs().filter(|report| !report.leg.is_ended());
        let known: BTreeMap<&str, &str> =
            legs.filter_map(|report| Some((report.call_id?, report.leg.peer.name.as_str()))).collect();
        let mut there = BTreeMap::new();
        for name in self.script.everybody() {
            let phone = self.world.look(name);
            if phone.is_called() && !self.is_parted(name) {
                return Err(format!("{name} still rings"));
            }
            there.extend(phone.call_id().map(|call| (call, name)));
        }
        for (call, name) in &known {
            if !there.contains_key(call) && !self.is_parted(name) {
                return Err(format!("only the exchange knows call {call} of {name}"));
            }
        }
        for (call, name) in &there {
            if !known.contains_key(call) && !self.is_parted(name) {
                return Err(format!("only the phone knows call {call} of {name}"));
            }
        }
        for report in self.world.switch.channels() {
            self.has_no_idle_ports(report.channel)?;
            self.does_something(report.channel)?;
        }
        for bridge in self.world.switch.bridges() {
            let phone = |id| {
                let leg = self.world.switch.legs().find(|leg| leg.channel.is_some_and(|channel| channel.id == id))?;
                self.world.stations.iter().find(|(_, station)| station.phone.call_id() == leg.call_id)
            };
            let talking = bridge.talking().map(|(a, b)| (phone(a), phone(b)));
            if let Some((Some(a), Some(b))) = talking {
                self.hear_each_other((a.0, &a.1.phone), (b.0, &b.1.phone))?;
                self.hear_each_other((b.0, &b.1.phone), (a.0, &a.1.phone))?;
            }
        }
        Ok(())
    }

    /// A medium beside voice has ports only while both sides of the leg take part in it.
    fn has_no_idle_ports(&self, channel: &Channel) -> Result<(), String> {
        let leg = self.world.switch.legs().find(|report| Some(report.leg.id) == channel.leg());
        for port in &channel.ports {
            let told =
                leg.as_ref().map(|report| [report.leg.agreement.local.as_ref(), report.leg.agreement.remote.as_ref()]);
            let carries = told.is_some_and(|told| told.iter().all(|sdp| sdp.is_some_and(|sdp| sdp.has(port.kind))));
            if !carries {
                return Err(format!("{} has ports for {} and does not carry it", channel.name, port.kind.name()));
            }
        }
        Ok(())
    }

    /// Beside voice: what one sends the other gets.
    fn show_each_other(&self, (name, from): (&str, &Phone), other: &str) -> Result<(), String> {
        for extra in [MediaKind::Video, MediaKind::Image] {
            if let Some(target) = from.secondary_media(extra)
                && self.world.extra_from(name, extra).as_deref() != Some(other)
            {
                return Err(format!("the {} of {name} goes to {target}, and not to {other}", extra.name()));
            }
        }
        Ok(())
    }

    /// Has a call changed hands?
    fn is_moved(&self) -> bool {
        let is_prompted = self.world.prompts.iter().any(|(_, names)| names.contains("pbx-transfer"));
        is_prompted || self.world.lines.iter().any(|(_, line)| MOVES.iter().any(|words| line.contains(words)))
    }

    /// Is it a telephone that refuses new offers, and did it refuse one that it needed?
    fn refuses_to_be_told(&self, name: &str) -> bool {
        let refusals = |step: &Step| match step.act {
            Act::RefusesOffers(status @ 1..) if step.who == name => Some(format!("SIP/2.0 {status}")),
            _ => None,
        };
        let mut refusals = self.script.steps.iter().filter_map(refusals);
        let is_refused = |words: &String| !self.world.sent_by(name, &[words]).is_empty();
        refusals.any(|words| self.is_moved() || is_refused(&words))
    }

    /// What `from` sends ends up at `to` if both want that, and is not sent otherwise.
    fn hear_each_other(&self, (name, from): (&str, &Phone), (other, to): (&str, &Phone)) -> Result<(), String> {
        if self.is_parted(name) || self.is_parted(other) {
            return Ok(());
        }
        if !from.is_talking() || !to.is_talking() {
            return Err(format!("{name} and {other} are joined, and one of them does not talk"));
        }
        // Where it is to send from now on, or that it is held, a telephone is told by a new offer; whoever refuses that cannot
        // be helped.
        if [name, other].iter().any(|name| self.refuses_to_be_told(name)) {
            return Ok(());
        }
        self.show_each_other((name, from), other)?;
        if is_in_fax(from) || is_in_fax(to) {
            let both = is_in_fax(from) && is_in_fax(to) && from.secondary_media(MediaKind::Image).is_some();
            return if both { Ok(()) } else { Err(format!("only one of {name} and {other} is in a fax")) };
        }
        // Who says hold by 0.0.0.0 is nowhere to the relay, which takes nothing from there.
        let nowhere = name == "cisco" && !from.direction().receives();
        let wanted = from.direction().sends() && to.direction().receives();
        let wishes = format!("{name} is {:?}, {other} is {:?}", from.direction(), to.direction());
        // A call that changes hands is brought off hold, and who holds is not asked: what is sent to him he does not hear.
        if !wanted && self.is_moved() {
            return Ok(());
        }
        if from.media().is_some() != wanted {
            return Err(format!("{wishes}, and {name} sends to {:?}", from.media()));
        }
        let Some(target) = from.media().filter(|_| !nowhere) else { return Ok(()) };
        let payload = from.payload_type().ok_or_else(|| format!("{name} has no payload type"))?;
        let (source, place, payload) = match self.at(target) {
            Some(_) => (from.rtp(), target, payload),
            None => self
                .world
                .media
                .forward(from.rtp(), target, payload)
                .ok_or_else(|| format!("what {name} sends from {} to {target} is dropped", from.rtp()))?,
        };
        if place != to.rtp() {
            return Err(format!("what {name} sends to {target} ends at {place}, and {other} is at {}", to.rtp()));
        }
        if to.media().is_some_and(|expected| expected != source) {
            return Err(format!("{other} sends to {:?} and hears {name} from {source}", to.media()));
        }
        if Some(payload) != to.payload_type() {
            return Err(format!("{other} hears {name} with payload {payload}, and speaks {:?}", to.payload_type()));
        }
        Ok(())
    }

    fn at(&self, place: SocketAddr) -> Option<&Phone> {
        self.world.stations.values().map(|station| &station.phone).find(|phone| phone.rtp() == place)
    }

    /// A call that was up ends only when somebody hangs up.
    pub fn nobody_was_hung_up_for_nothing(&self) -> Result<(), String> {
        for (name, station) in &self.world.stations {
            let mut talking = false;
            for (when, event) in &station.events {
                match event {
                    PhoneEvent::Answered => talking = true,
                    PhoneEvent::Ended if talking => {
                        talking = false;
                        // A BYE may take its 32 s, and what it comes from as well.
                        let near = |end: &Time| *end <= *when && when.since(*end) <= Duration::from_secs(70);
                        // A program that has nothing left to do hangs up, too, and a Dial that gave up just when
                        // somebody answered, or when two did.
                        let ran_out =
                            |(at, line): &(Time, String)| near(at) && ENDINGS.iter().any(|it| line.contains(it));
                        let explained = self.ends.iter().any(near) || self.world.lines.iter().any(ran_out);
                        if !explained && self.parted.is_empty() {
                            return Err(format!("{name}'s call ended at {:?}, and nobody hung up", when.since_start()));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
