//! What a script says: who is there, on what network, and who does what after how long.

use crate::network::Quality;
use std::fmt;
use strowger::rng::Rng;
use strowger::sdp::{Codec, Direction, MediaKind};
use strowger::sim::Change;

pub const PHONES: [&str; 4] = ["client", "isp", "desk", "cisco"];

/// What can be dialled. The last is nobody's.
pub const PLAN: &str = "[default]\n\
    exten => 1,1,Dial(SIP/client,20)\n\
    exten => 2,1,Dial(SIP/isp,20)\n\
    exten => 3,1,Dial(SIP/desk,20)\n\
    exten => 4,1,Dial(SIP/cisco,20)\n\
    exten => 5,1,Dial(SIP/isp&SIP/desk,15)\n\
    exten => 6,1,Dial(SIP/desk&SIP/cisco&SIP/client,8)\nexten => 6,2,Dial(SIP/isp,10)\n\
    exten => 7,1,Answer()\nexten => 7,2,Echo()\n\
    exten => 8,1,Answer()\nexten => 8,2,Playback(beep)\nexten => 8,3,Dial(SIP/isp,20,g)\nexten => 8,4,Dial(SIP/desk,20)\n\
    exten => 10,1,Dial(Local/3@default&SIP/isp,15)\n\
    exten => 11,1,Dial(SIP/desk&SIP/cisco,15,U(screen)cg)\nexten => 11,2,Dial(Local/3@default,20,e)\n\
    exten => 20,1,Goto(menu,s,1)\n\
    exten => 21,1,MixMonitor(${UNIQUEID}.wav)\nexten => 21,2,Dial(SIP/desk,20,gD(12))\nexten => 21,3,StopMixMonitor()\n\
    exten => 22,1,Answer()\nexten => 22,2,Record(greeting-${UNIQUEID}.wav,3,20)\nexten => 22,3,Playback(beep)\n\
    exten => 23,1,Read(got,beep,2,,2,4)\nexten => 23,2,SayDigits(${got}105)\nexten => 23,3,Dial(SIP/isp,15,A(silence/2))\n\
    exten => 70,1,Park(,st(15)c(default^23^1))\n\
    exten => 71,1,ParkedCall()\n\
    exten => 30,1,PickupChan(SIP/client&SIP/isp&SIP/desk&SIP/cisco)\nexten => 30,2,Hangup()\n\
    exten => h,1,NoOp()\n\
    [menu]\nexten => s,1,Answer()\nexten => s,2,BackGround(silence/3&beep)\nexten => s,3,WaitExten(4)\n\
    exten => 5,1,Verbose(1,the menu leads)\nexten => 5,2,Dial(SIP/desk,15)\n\
    exten => 55,1,Playback(silence/2&digits/5)\nexten => 55,2,Goto(s,2)\nexten => 12,1,Dial(SIP/isp&SIP/cisco,15,m)\n\
    exten => i,1,Playback(beep)\nexten => i,2,Goto(s,2)\nexten => t,1,Playback(digits/1)\nexten => h,1,NoOp()\n\
    [screen]\nexten => s,1,Playback(beep)\nexten => s,2,Return()\n";
const NUMBERS: [&str; 18] =
    ["1", "2", "3", "4", "5", "6", "7", "8", "10", "11", "20", "21", "22", "23", "70", "71", "30", "9"];
/// What is pressed: mostly what leads somewhere in the menu.
const KEYS: [char; 6] = ['5', '5', '1', '2', '9', '#'];

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
}

impl Act {
    /// Does it end calls?
    pub fn ends(self) -> bool {
        matches!(self, Act::HangsUp | Act::IsHungUp | Act::Refuses(_))
    }

    /// May it leave one side with a call that the other has not?
    pub fn parts(self) -> bool {
        matches!(self, Act::IsDeaf | Act::PowerFails | Act::IsCut)
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

#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    pub quality: Quality,
    pub traits: [Trait; 4],
    pub steps: Vec<Step>,
}

struct Pen {
    rng: Rng,
    steps: Vec<Step>,
}

impl Pen {
    fn one_in(&mut self, number: u64) -> bool {
        self.rng.below(number) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.rng.below(of.len() as u64)).unwrap()]
    }

    /// Mostly short, so that messages cross; sometimes the same instant; rarely longer than any timer.
    fn pause(&mut self) -> u64 {
        match self.rng.below(20) {
            0..=2 => 0,
            3..=8 => self.rng.below(60),
            9..=12 => self.rng.below(600),
            13..=17 => self.rng.below(5_000),
            18 => self.rng.below(40_000),
            _ => self.rng.below(100_000),
        }
    }

    fn step(&mut self, after: u64, who: &'static str, act: Act) {
        self.steps.push(Step { after, who, act });
    }

    fn change(&mut self) -> Change {
        match self.rng.below(20) {
            0..=3 => Change::Hold,
            4..=6 => Change::Resume,
            7 => Change::Direction(self.pick(&[Direction::RecvOnly, Direction::Inactive, Direction::SendOnly])),
            8 | 9 => Change::MovePort(20_000 + 2 * u16::try_from(self.rng.below(500)).unwrap()),
            10 | 11 => Change::Refresh,
            12 | 13 => Change::NoSdp,
            14 => Change::Codec(self.pick(&[Codec::Ulaw, Codec::Alaw])),
            15 | 16 => self.pick(&[Change::T38, Change::T38Alone]),
            17 => Change::Voice,
            18 => Change::Without(MediaKind::Video),
            _ => Change::With(MediaKind::Video),
        }
    }

    /// A call and what is done in it; most are answered by whom they reach, and the last may be left as it is.
    fn scene(&mut self, parties: &[&'static str], is_last: bool) {
        let caller = self.pick(parties);
        let others: Vec<&'static str> = parties.iter().copied().filter(|name| *name != caller).collect();
        let mut other = self.pick(&others);
        let number = match self.rng.below(10) {
            0..=6 => NUMBERS[PHONES.iter().position(|name| *name == other).unwrap()],
            _ => self.pick(&NUMBERS),
        };
        other = match number {
            "5" => self.pick(&["isp", "desk"]),
            "6" => self.pick(&["desk", "cisco", "client"]),
            "8" | "23" => "isp",
            "20" | "21" => "desk",
            _ => other,
        };
        let pause = self.pause();
        self.step(pause, caller, Act::Calls(number));
        // In a menu, or where digits are read.
        if number.starts_with('2') && number.len() == 2 {
            for _ in 0..self.rng.below(4) {
                let (pause, act) = (60 + self.rng.below(2_500), self.key());
                self.step(pause, caller, act);
            }
        }
        if self.one_in(8) {
            let pause = self.pause();
            self.step(pause, caller, Act::HangsUp);
        }
        // Somebody else takes the call that waits, or that rings.
        let third = parties.iter().copied().find(|name| *name != caller && *name != other);
        if number == "70" && !self.one_in(4) {
            let pause = self.pause() / 8 + 300;
            self.step(pause, other, Act::Calls("71"));
        } else if let Some(third) = third.filter(|_| self.one_in(4)) {
            let pause = self.pause() / 8 + 60;
            self.step(pause, third, Act::Calls("30"));
        }
        let (who, pause) = (if self.one_in(10) { self.pick(parties) } else { other }, self.pause() + 60);
        if self.one_in(6) {
            self.step(pause / 2, who, Act::Sounds);
        }
        match self.rng.below(16) {
            0 => self.step(pause, who, Act::HangsUp),
            1 => {
                let status = self.pick(&[486, 480, 603, 404, 503]);
                self.step(pause, who, Act::Refuses(status));
            }
            2 => {}
            _ => self.step(pause, who, Act::Answers),
        }
        for _ in 0..self.rng.below(7) {
            let (pause, who) = (self.pause(), self.pick(&[caller, other]));
            match self.rng.below(12) {
                0..=6 => {
                    let change = self.change();
                    self.step(pause, who, Act::Offers(change));
                    // Glare: the other at the same instant.
                    if self.one_in(4) {
                        let (change, who) = (self.change(), if who == caller { other } else { caller });
                        let pause = self.pick(&[0, 0, 5, 10, 15, 25]);
                        self.step(pause, who, Act::Offers(change));
                    }
                }
                7 => self.step(pause, who, Act::Updates(None)),
                8 => {
                    let change = self.change();
                    self.step(pause, who, Act::Updates(Some(change).filter(|change| *change != Change::NoSdp)));
                }
                9 => {
                    let act = self.key();
                    self.step(pause, who, act);
                }
                10 => self.step(pause, who, Act::Registers),
                _ => self.noise(pause, parties),
            }
        }
        match self.rng.below(if is_last { 12 } else { 6 }) {
            0 | 6.. => {}
            1 => {
                // Both at the same instant.
                let pause = self.pause();
                self.step(pause, caller, Act::HangsUp);
                self.step(0, other, Act::HangsUp);
            }
            _ => {
                let (pause, who) = (self.pause(), self.pick(&[caller, other]));
                self.step(pause, who, Act::HangsUp);
            }
        }
    }

    fn key(&mut self) -> Act {
        let key = self.pick(&KEYS);
        if self.one_in(2) { Act::Presses(key) } else { Act::PressesInSound(key) }
    }

    /// What belongs to no call.
    fn noise(&mut self, pause: u64, parties: &[&'static str]) {
        let who = self.pick(parties);
        let act = match self.rng.below(24) {
            0 | 1 => Act::Wanders(self.one_in(2)),
            2..=4 => Act::RefusesOffers(self.pick(&[0, 488, 491, 500, 603])),
            5 | 6 => Act::Offerless(self.one_in(2)),
            7 | 8 => Act::AnswersAfter(self.rng.below(3000)),
            9 => Act::IsDeaf,
            10 | 11 => Act::Hears,
            12 => Act::PowerFails,
            13 | 14 => Act::PowerIsBack,
            15 => Act::IsCut,
            16 => Act::IsHungUp,
            17 | 18 => Act::Reload,
            19 => Act::Calls(self.pick(&NUMBERS)),
            20 => Act::Answers,
            21 => Act::HangsUp,
            _ => Act::Registers,
        };
        self.step(pause, who, act);
    }
}

impl Script {
    /// The script of this number.
    pub fn random(seed: u64) -> Script {
        let mut pen = Pen { rng: Rng::from_number(seed ^ 0x5c41_97b5), steps: Vec::new() };
        let quality = match pen.rng.below(4) {
            0 => Quality::PERFECT,
            1 => Quality::ROUGH,
            _ => Quality {
                loss: pen.rng.below(11),
                duplication: pen.rng.below(30),
                reorder: pen.rng.below(40),
                delay: (1 + pen.rng.below(20), 20 + pen.rng.below(150)),
            },
        };
        let direct = pen.rng.below(3);
        let (originate, qualify, tcp) = (pen.one_in(3), pen.one_in(4), pen.one_in(4));
        let shows = pen.one_in(3);
        let traits = PHONES.map(|_| Trait {
            direct: direct == 0 || (direct == 1 && pen.one_in(2)),
            originate: originate && pen.one_in(2),
            qualify: qualify && pen.one_in(2),
            tcp: tcp && pen.one_in(2),
            no_update: pen.one_in(3),
            asks_timer: pen.one_in(6),
            shows: shows && !pen.one_in(6),
            may_show: shows && !pen.one_in(8),
        });
        let mut parties = PHONES.to_vec();
        let wanted = if pen.one_in(2) { 2 } else { 3 };
        while parties.len() > wanted {
            let at = usize::try_from(pen.rng.below(parties.len() as u64)).unwrap();
            parties.remove(at);
        }
        let scenes = 1 + pen.rng.below(3);
        for scene in 1..=scenes {
            if pen.one_in(5) {
                let pause = pen.pause();
                pen.noise(pause, &parties);
            }
            pen.scene(&parties, scene == scenes);
        }
        Script { seed, quality, traits, steps: pen.steps }
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

    /// The accounts.
    pub fn sip(&self) -> String {
        let mut text = "[general]\ncontext=default\nudpbindaddr=192.0.2.1\n".to_owned();
        for (name, it) in PHONES.iter().zip(&self.traits) {
            let direct = if it.direct { "yes" } else { "no" };
            text += &format!(
                "[{name}]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\nnat=no\ndirectmedia={direct}\n"
            );
            if it.originate {
                text += "session-timers=originate\nsession-expires=90\n";
            }
            if it.may_show {
                text += "videosupport=yes\nt38pt_udptl=yes\n";
            }
            if it.qualify {
                text += "qualify=yes\n";
            }
        }
        text
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "script {}, network {:?}", self.seed, self.quality)?;
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
