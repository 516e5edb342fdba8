//! What a script says: who is there, on what network, and who does what after how long.

use super::pen::Pen;
use crate::network::Quality;
use std::fmt;
use strowger::sim::Change;

/// The telephones that are registered.
pub const PHONES: [&str; 4] = ["client", "isp", "desk", "cisco"];

/// The desk's second line key, for a call beside its first. It is not registered, and so never called.
pub const SECOND: &str = "desk2";

/// The provider's servers.
pub const SERVERS: [&str; 2] = ["one", "two"];

/// Something somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Registers,
    Calls(&'static str),
    Answers,
    Sounds,
    Refuses(u16),
    HangsUp,
    Offers(Change),
    Updates(Option<Change>),
    /// A key, by INFO.
    Presses(char),
    /// A key, as a telephone event.
    PressesInSound(char),
    /// From now on it answers every new offer from a new port.
    Wanders(bool),
    /// From now on it refuses every new offer so; 0: no longer.
    RefusesOffers(u16),
    /// It makes no offer in its INVITEs from now on.
    Offerless(bool),
    /// It answers by itself after so many milliseconds.
    AnswersAfter(u64),
    /// It hears nothing.
    IsDeaf,
    Hears,
    /// Its plug is pulled, and it forgets everything.
    PowerFails,
    PowerIsBack,
    /// Its connection is cut, if it has one.
    IsCut,
    /// The exchange hangs its call up.
    IsHungUp,
    /// The exchange reads its configuration again.
    Reload,
    /// It asks that the other side of its call goes on at this number (REFER).
    Transfers(&'static str),
    /// It asks that the other side of its call is connected with whom that telephone talks to (REFER with Replaces).
    Connects(&'static str),
    /// It takes over, or picks up, that telephone's call (INVITE with Replaces).
    TakesOver(&'static str),
    /// A code of features.conf and what is typed behind it, as telephone events.
    Types(&'static str),
    /// It watches a number.
    Watches(Watch),
    /// It has seen enough of it.
    StopsWatching(Watch),
    /// The desk's mailbox has so many new messages and so many old ones.
    MailboxHas(u8, u8),
    /// It sends a text message to a line or number.
    Texts(&'static str),
    /// It sends one within its call.
    TextsInCall,
    /// From now on it refuses every call so; 0: no longer.
    RefusesCalls(u16),
    /// The system finds no way to it.
    IsNowhere(bool),
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watch {
    pub number: &'static str,
    pub package: &'static str,
    /// For how many seconds at a time.
    pub expires: u32,
}

impl Act {
    /// Does it end calls?
    pub fn ends(self) -> bool {
        matches!(self, Act::HangsUp | Act::IsHungUp | Act::Refuses(_) | Act::RefusesCalls(_) | Act::Types("**"))
    }

    /// May it leave one side with a call that the other has not?
    pub fn parts(self) -> bool {
        matches!(self, Act::IsDeaf | Act::PowerFails | Act::IsCut | Act::IsNowhere(true))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Milliseconds since the one before.
    pub after: u64,
    pub who: &'static str,
    pub act: Act,
}

/// What a phone is beside its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trait {
    pub direct: bool,
    pub originate: bool,
    pub qualify: bool,
    pub tcp: bool,
    /// It does not say that it takes UPDATE.
    pub no_update: bool,
    /// It asks for a session timer in its INVITEs.
    pub asks_timer: bool,
    /// It can do video and fax.
    pub shows: bool,
    /// Its line may carry them.
    pub may_show: bool,
}

/// A provider with two servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trunk {
    /// It asks for a password.
    pub asks: bool,
    /// We register there.
    pub registers: bool,
    /// One call at once.
    pub is_limited: bool,
    pub qualify: bool,
    /// A silent server is given up after two seconds.
    pub is_quick: bool,
}

#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    pub quality: Quality,
    pub traits: [Trait; 4],
    /// The desk has a second line key.
    pub has_second: bool,
    /// The dialplan decides of texts.
    pub asks_plan_for_texts: bool,
    pub trunk: Option<Trunk>,
    pub steps: Vec<Step>,
}

impl Script {
    /// The script of this number.
    pub fn random(seed: u64) -> Script {
        Pen::new(seed).write(seed)
    }

    /// Every telephone and server that is there.
    pub fn everybody(&self) -> Vec<&'static str> {
        let second = self.has_second.then_some(SECOND);
        let servers = self.trunk.map(|_| SERVERS);
        PHONES.into_iter().chain(second).chain(servers.into_iter().flatten()).collect()
    }

    /// The same with a little less of it, the largest cuts first.
    pub fn smaller(&self) -> Vec<Script> {
        let mut all = Vec::new();
        let count = self.steps.len();
        let mut size = count / 2;
        while size > 0 {
            for start in (0..count).step_by(size) {
                let mut less = self.clone();
                // The others keep their times.
                let end = (start + size).min(count);
                let lost: u64 = less.steps.drain(start..end).map(|step| step.after).sum();
                if let Some(next) = less.steps.get_mut(start) {
                    next.after += lost;
                }
                all.push(less);
            }
            size /= 2;
        }
        if self.quality.loss + self.quality.duplication + self.quality.reorder > 0 {
            all.insert(0, Script { quality: Quality::PERFECT, ..self.clone() });
        }
        let (second, plan, trunk) = (self.has_second, self.asks_plan_for_texts, self.trunk.is_some());
        all.extend(second.then(|| Script { has_second: false, ..self.clone() }));
        all.extend(plan.then(|| Script { asks_plan_for_texts: false, ..self.clone() }));
        all.extend(trunk.then(|| Script { trunk: None, ..self.clone() }));
        for at in 0..self.traits.len() {
            for change in [
                (|it: &mut Trait| std::mem::take(&mut it.direct)) as fn(&mut Trait) -> bool,
                |it| std::mem::take(&mut it.originate),
                |it| std::mem::take(&mut it.qualify),
                |it| std::mem::take(&mut it.tcp),
                |it| std::mem::take(&mut it.no_update),
                |it| std::mem::take(&mut it.asks_timer),
                |it| std::mem::take(&mut it.shows),
                |it| std::mem::take(&mut it.may_show),
            ] {
                let mut less = self.clone();
                if change(&mut less.traits[at]) {
                    all.push(less);
                }
            }
        }
        all
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "script {}, network {:?}", self.seed, self.quality)?;
        let (second, plan) = (self.has_second, self.asks_plan_for_texts);
        writeln!(f, "  second line key {second}, dialplan for texts {plan}, trunk {:?}", self.trunk)?;
        for (name, it) in PHONES.iter().zip(&self.traits) {
            writeln!(f, "  {name:6} {it:?}")?;
        }
        let mut at = 0;
        for Step { after, who, act } in &self.steps {
            at += after;
            writeln!(f, "{:9}.{:03}  {who:6}  {act:?}", at / 1000, at % 1000)?;
        }
        Ok(())
    }
}
