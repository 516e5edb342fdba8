//! A provider in scripts: two servers, of which one may be busy, silent, or nowhere.

use super::pen::Pen;
use super::plan::{TRUNK_NUMBERS, context_of};
use super::play::Player;
use super::script::{Act, SERVERS, Trunk};
use super::seen::Seen;
use crate::provider::{Provider, Registrar};
use strowger::pbx::switch::{RegistrationState, registrations};
use strowger::sim::DeviceProfile;

const HOST: &str = "sip.p.example";
const PLACES: [(&str, &str); 2] =
    [("203.0.113.1:5060", "203.0.113.1:30000"), ("203.0.113.2:5080", "203.0.113.2:30000")];

impl Pen {
    /// What a provider is like.
    pub fn trunk(&mut self) -> Trunk {
        Trunk {
            asks: self.one_in(2),
            registers: self.one_in(2),
            is_limited: self.one_in(3),
            qualify: self.one_in(4),
            is_quick: self.one_in(2),
        }
    }

    /// A call through the provider, out or in, whatever its servers do.
    pub fn trunk_scene(&mut self, parties: &[&'static str]) {
        if self.one_in(2) {
            let (pause, server) = (self.pause(), self.pick(&SERVERS));
            let act = match self.below(6) {
                0..=2 => Act::RefusesCalls(self.pick(&[503, 503, 503, 486, 500, 404, 0])),
                3 => Act::IsDeaf,
                4 => Act::PowerFails,
                _ => Act::IsNowhere(true),
            };
            self.step(pause, server, act);
        }
        let (pause, who) = (self.pause(), self.pick(parties));
        let is_out = !self.one_in(4);
        let (caller, answering) = if is_out {
            let number = self.pick(&TRUNK_NUMBERS);
            self.step(pause, who, Act::Calls(number));
            if self.one_in(4) {
                // Another one at the same time, by whoever may.
                let (pause, third, number) = (self.while_(), self.pick(parties), self.pick(&TRUNK_NUMBERS));
                self.step(pause, third, Act::Calls(number));
            }
            (who, vec!["one", "two"])
        } else {
            let (server, number) =
                (self.pick(&SERVERS), self.pick(&["4930", "4930", "4931", "4932", "4930", "3", "40"]));
            self.step(pause, server, Act::Calls(number));
            (server, vec!["client", "desk"])
        };
        if self.one_in(6) {
            let (pause, server) = (self.pause(), self.pick(&SERVERS));
            let act = self.pick(&[Act::Hears, Act::RefusesCalls(0), Act::IsNowhere(false), Act::PowerIsBack]);
            self.step(pause, server, act);
        }
        let pause = self.while_();
        for name in answering {
            match self.below(12) {
                0 => self.step(pause, name, Act::Refuses(503)),
                1 => self.step(pause, name, Act::Sounds),
                2 => {}
                _ => self.step(pause, name, Act::Answers),
            }
        }
        for _ in 0..self.below(4) {
            let (pause, who) = (self.while_(), self.pick(&[caller, "one", "two", "desk"]));
            let act = match self.below(5) {
                0 => Act::Transfers(self.pick(&["3", "4", "40", "9"])),
                1 => Act::HangsUp,
                2 => Act::Answers,
                _ => Act::Offers(self.change()),
            };
            self.step(pause, who, act);
        }
        let pause = self.while_();
        self.ends(&[caller, "one", "two"], pause > 2_000);
    }
}

impl Player<'_> {
    /// The provider is there, if the script has one.
    pub fn builds_trunk(&mut self) {
        let Some(trunk) = self.script.trunk else { return };
        for (name, (sip, rtp)) in SERVERS.into_iter().zip(PLACES) {
            self.world.add(name, "none", sip, rtp, DeviceProfile::Plain);
            let mut provider = Provider::new("itsp", "4711", "pass");
            provider.registrar = Some(Registrar::default());
            if trunk.asks || trunk.registers {
                // Who needs no password for calls needs one for a registration.
                use strowger::sip::method::Method::{Invite, Register};
                provider.methods = if trunk.asks { vec![Invite, Register] } else { vec![Register] };
                self.world.providers.insert(sip.parse().unwrap(), vec![provider]);
            }
        }
        self.names();
    }

    /// The DNS says where the provider's servers are; a new configuration asks it anew.
    pub fn names(&mut self) {
        if self.script.trunk.is_some() {
            let servers = PLACES.map(|(sip, _)| sip).join(",");
            self.world.names(&[(HOST, &servers)]);
        }
    }

    /// Does it, if it is about the provider.
    pub fn trunk_act(&mut self, who: &'static str, act: Act) -> bool {
        match act {
            Act::RefusesCalls(status) => {
                self.world.phone(who).habit(|habits| habits.refuse = Some(status).filter(|it| *it > 0));
            }
            Act::IsNowhere(yes) => {
                let at = self.world.look(who).config().sip;
                match yes {
                    true => drop(self.world.no_route.insert(at)),
                    false => drop(self.world.no_route.remove(&at)),
                }
            }
            _ => return false,
        }
        true
    }

    /// Every call has begun in the context of its line.
    pub fn calls_begin_where_they_may(&self) -> Result<(), String> {
        for report in self.world.switch.channels() {
            let (channel, line) = (report.channel, report.channel.line());
            // Another line's telephone may have taken its place.
            let is_its_own = channel.name.starts_with(&format!("SIP/{line}-"));
            let Some(entered) = channel.entered.as_ref().filter(|_| is_its_own) else { continue };
            // Somebody else has sent it where it is.
            let sent = [format!(" transfers {}", channel.name), format!("{} is parked at", channel.name)];
            let is_sent = || self.world.lines.iter().any(|(_, line)| sent.iter().any(|words| line.contains(words)));
            if entered.context != context_of(line) && !is_sent() {
                return Err(format!("{} began in {}", channel.name, entered.context));
            }
        }
        Ok(())
    }

    /// What costs money is called only when somebody wanted it who may.
    pub fn nobody_went_where_he_may_not(&self) -> Result<(), String> {
        if self.script.trunk.is_none() {
            return Ok(());
        }
        let may = |who: &str| who != "cisco" && !SERVERS.contains(&who);
        let wanted = self.script.steps.iter().any(|step| match step.act {
            Act::Calls(number) | Act::Transfers(number) => TRUNK_NUMBERS.contains(&number) && may(step.who),
            _ => false,
        });
        let calls = PLACES.map(|(sip, _)| self.world.texts_at(sip, &["INVITE sip:"]).len()).iter().sum::<usize>();
        let begun = PLACES.map(|(sip, _)| self.world.texts_from(sip, &["INVITE sip:"]).len()).iter().sum::<usize>();
        match wanted || calls == 0 || begun > 0 {
            true => Ok(()),
            false => Err(format!("nobody may call the provider who wanted to, and it was called {calls} times")),
        }
    }

    /// Not more calls than `max_outgoing=` allows.
    pub fn trunk_has_its_limit(&self) -> Result<(), String> {
        if !self.script.trunk.is_some_and(|trunk| trunk.is_limited) {
            return Ok(());
        }
        let legs = self.world.switch.legs().filter(|report| !report.leg.is_ended());
        let out = legs.filter(|report| {
            report.channel.is_some_and(|channel| channel.line() == "provider" && channel.entered.is_none())
        });
        let count = out.count();
        if count > 1 { Err(format!("the provider has {count} calls of ours, and may have one")) } else { Ok(()) }
    }

    /// We are registered in the end.
    pub fn trunk_is_there(&mut self) -> Result<(), String> {
        if !self.script.trunk.is_some_and(|trunk| trunk.registers) {
            return Ok(());
        }
        for _ in 0..60 {
            if registrations(&self.world.switch).all(|one| one.state == RegistrationState::Registered) {
                return Ok(());
            }
            self.run(std::time::Duration::from_secs(10));
        }
        let states: Vec<_> = registrations(&self.world.switch).map(|one| one.state).collect();
        Err(format!("we are not registered at the provider in the end: {states:?}"))
    }

    pub fn count_trunk(&self, seen: &mut Seen) {
        let lines = |words: &str| self.world.lines.iter().filter(|(_, line)| line.contains(words)).count();
        seen.count("calls out", lines("Called SIP/provider"));
        seen.count("servers that gave way to the next", lines(" does not take the call"));
        let from = PLACES.map(|(sip, _)| self.world.texts_from(sip, &["INVITE sip:"]).len());
        seen.count("calls in", from.iter().sum());
    }
}
