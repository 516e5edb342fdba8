//! Lamps in scripts: who watches what, and that each shows in the end what its telephone does.

use super::pen::Pen;
use super::play::Player;
use super::script::{Act, PHONES, SECOND, Watch};
use super::seen::Seen;
use std::time::Duration;
use strowger::event::DeviceState;
use strowger::pbx::effect::Input;
use strowger::sim::Watching;

/// What can be watched: the number, and the lines whose state it shows.
const HINTS: [(&str, &[&str]); 6] = [
    ("601", &["client"]),
    ("602", &["isp"]),
    ("603", &["desk"]),
    ("604", &["cisco"]),
    ("605", &["isp", "desk"]),
    ("606", &[]),
];
const MAILBOX: &str = "100";

impl Pen {
    /// Some watch something; now and then one has enough of it.
    pub fn lamps(&mut self, parties: &[&'static str]) {
        for _ in 0..=self.below(4) {
            let who = if self.one_in(4) { self.pick(&PHONES) } else { self.pick(parties) };
            let watch = self.watch();
            let pause = self.pause() / 10;
            self.step(pause, who, Act::Watches(watch));
            if self.one_in(4) {
                let (who, pause) = (self.pick(parties), self.pause());
                match self.below(4) {
                    0 | 1 => self.step(pause, who, Act::StopsWatching(watch)),
                    2 => self.step(pause, who, Act::Watches(watch)),
                    _ => {
                        let number = self.pick(&["31", "32"]);
                        self.step(pause, who, Act::Calls(number));
                    }
                }
            }
        }
        if self.one_in(3) {
            let counts = (u8::try_from(self.below(4)).unwrap(), u8::try_from(self.below(3)).unwrap());
            let watch = Watch { number: MAILBOX, package: "message-summary", expires: 600 };
            self.step(50, "desk", Act::MailboxHas(counts.0, counts.1));
            self.step(50, "desk", Act::Watches(watch));
            if self.one_in(2) {
                let pause = self.pause();
                self.step(pause, "desk", Act::MailboxHas(counts.0 + 1, counts.1));
            }
        }
    }

    fn watch(&mut self) -> Watch {
        let (number, _) = self.pick(&HINTS);
        let package = self.pick(&["dialog", "dialog", "presence"]);
        Watch { number, package, expires: self.pick(&[75, 600, 900, 1800]) }
    }
}

impl Player<'_> {
    /// Does it, if it is about lamps.
    pub fn lamp_act(&mut self, who: &'static str, act: Act) -> bool {
        let watching = |watch: Watch, expires| Watching::new(watch.number, watch.package, expires);
        match act {
            Act::Watches(watch) => drop(self.world.phone(who).watches_as(watching(watch, watch.expires))),
            Act::StopsWatching(watch) => {
                let is_it = |one: &Watching| one.number == watch.number && one.package == watch.package;
                if self.world.look(who).lamps.watching().any(is_it) {
                    self.world.phone(who).watches_as(watching(watch, 0));
                }
            }
            Act::MailboxHas(new, old) => {
                self.world.switch.database().put("/MessageWaiting/100@default", &format!("{new}/{old}")).unwrap();
                self.world.give(Input::Tick);
            }
            _ => return false,
        }
        true
    }

    /// What the lamps of telephones show is what the telephones do.
    pub fn lamps_agree(&self) -> Result<(), String> {
        // Whoever did not answer is told no more, until it subscribes again.
        for name in PHONES.into_iter().filter(|name| !self.parted.contains(name)) {
            for one in self.world.look(name).lamps.watching().filter(|one| one.is_active()) {
                let known = self.world.switch.lamps().subscriptions.iter().any(|it| it.peer.name == name);
                if !known {
                    return Err(format!("{name} watches {}, and the exchange knows nothing of it", one.number));
                }
                if one.expires > 0 {
                    self.lamp_agrees(name, one)?;
                }
            }
        }
        Ok(())
    }

    fn lamp_agrees(&self, name: &str, one: &Watching) -> Result<(), String> {
        let shown = format!("{name}'s lamp for {} ({}, {}) shows {}", one.number, one.package, one.state, one.body);
        if one.package == "message-summary" {
            let counts = self.world.switch.database().get("/MessageWaiting/100@default").unwrap_or_default();
            let is_so = one.body.contains(&format!("Voice-Message: {counts}"));
            return if is_so { Ok(()) } else { Err(format!("{shown}, and {counts} wait")) };
        }
        let (_, lines) = HINTS.iter().find(|(number, _)| *number == one.number).unwrap();
        if lines.iter().chain([&name]).any(|line| self.parted.contains(line)) {
            return Ok(());
        }
        let has_call = |name: &str| self.world.stations.get(name).is_some_and(|station| station.phone.has_call());
        let is_busy = match lines.is_empty() {
            true => self.world.switch.lamps().device_state("Custom:night") == DeviceState::InUse,
            false => lines.iter().any(|line| has_call(line) || (*line == "desk" && has_call(SECOND))),
        };
        // Three questions in a row may be lost, or their answers: then its lamp says that it is not there.
        if !is_busy && self.script.quality.loss > 0 && lines.iter().any(|line| self.is_out_of_reach(line)) {
            return Ok(());
        }
        let words = match (one.package.as_str(), is_busy) {
            ("dialog", true) => "<state>confirmed</state>",
            ("dialog", false) => "<state>terminated</state>",
            (_, true) => "<rpid:on-the-phone/>",
            (_, false) => "<rpid:activities/>",
        };
        match one.body.contains(words) {
            true => Ok(()),
            false => Err(format!("{shown}, and that {lines:?} has a call is {is_busy}")),
        }
    }

    /// Has a line answered none of the latest questions whether it is there?
    fn is_out_of_reach(&self, line: &str) -> bool {
        let begin = format!("Peer '{line}' is now ");
        let said = self.world.lines.iter().rev().find(|(_, text)| text.starts_with(&begin));
        said.is_some_and(|(_, text)| text.contains("UNREACHABLE"))
    }

    /// Nobody watches anything any more.
    pub fn lamps_are_taken_away(&mut self) {
        for name in PHONES {
            let all: Vec<Watching> = self.world.look(name).lamps.watching().cloned().collect();
            for one in all.into_iter().filter(|one| one.refused.is_none() && !one.state.starts_with("terminated")) {
                self.world.phone(name).watches_as(Watching { expires: 0, ..one });
            }
        }
    }

    /// The exchange keeps no subscription of telephones that want none; those of telephones that were away end in time.
    pub fn nobody_watches_any_more(&mut self) -> Result<(), String> {
        let is_over = |player: &Player<'_>| player.world.switch.lamps().subscriptions.is_empty();
        for _ in 0..190 {
            if is_over(self) {
                return Ok(());
            }
            self.run(Duration::from_secs(10));
        }
        let left: Vec<String> = {
            let lamps = self.world.switch.lamps();
            lamps.subscriptions.iter().map(|it| format!("{} watches {:?}", it.peer.name, it.place)).collect()
        };
        Err(format!("subscriptions are left: {}", left.join(", ")))
    }

    pub fn count_lamps(&self, seen: &mut Seen) {
        let watching: Vec<&Watching> = PHONES.iter().flat_map(|name| self.world.look(name).lamps.watching()).collect();
        let active = || watching.iter().filter(|one| one.is_active());
        let is_lit = |one: &&&Watching| one.body.contains("confirmed") || one.body.contains("on-the-phone");
        seen.count("lamps alight at the end", active().filter(is_lit).count());
        seen.count("lamps dark at the end", active().filter(|one| !is_lit(one)).count());
        let over = watching.iter().filter(|one| one.state.starts_with("terminated"));
        seen.count("lamps that went out", over.count());
    }
}
