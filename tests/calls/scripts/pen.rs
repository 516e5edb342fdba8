//! Writes scripts: calls and what is done in them.

use super::plan::NUMBERS;
use super::script::{Act, PHONES, Script, Step, Trait};
use crate::network::Quality;
use strowger::rng::Rng;
use strowger::sdp::{Codec, Direction, MediaKind};
use strowger::sim::Change;

/// What is pressed: mostly what leads somewhere in the menu.
const KEYS: [char; 6] = ['5', '5', '1', '2', '9', '#'];

/// Writes one.
pub struct Pen {
    rng: Rng,
    steps: Vec<Step>,
}

impl Pen {
    pub fn new(seed: u64) -> Pen {
        Pen { rng: Rng::from_number(seed ^ 0x5c41_97b5), steps: Vec::new() }
    }

    /// The script of this number.
    pub fn write(mut self, seed: u64) -> Script {
        let (quality, traits) = (self.quality(), self.traits());
        let (has_second, asks_plan_for_texts) = (self.one_in(4), self.one_in(4));
        let trunk = if self.one_in(8) { Some(self.trunk()) } else { None };
        let mut parties = PHONES.to_vec();
        let wanted = if self.one_in(2) { 2 } else { 3 };
        while parties.len() > wanted {
            let at = usize::try_from(self.rng.below(parties.len() as u64)).unwrap();
            parties.remove(at);
        }
        let scenes = self.pick(&[1, 1, 2, 2, 3]);
        if self.one_in(5) {
            self.lamps(&parties);
        }
        for scene in 1..=scenes {
            if self.one_in(10) {
                self.texts(&parties);
            }
            if self.one_in(5) {
                let pause = self.pause();
                self.noise(pause, &parties);
            }
            let is_last = scene == scenes;
            match self.rng.below(20) {
                0..=4 if has_second => self.consultation(&parties, is_last),
                0..=9 if trunk.is_some() => self.trunk_scene(&parties),
                0..=3 => self.transfer(&parties, is_last),
                _ => self.scene(&parties, is_last),
            }
        }
        Script { seed, quality, traits, has_second, asks_plan_for_texts, trunk, steps: self.steps }
    }

    fn quality(&mut self) -> Quality {
        match self.rng.below(4) {
            0 => Quality::PERFECT,
            1 => Quality::ROUGH,
            _ => Quality {
                loss: self.rng.below(11),
                duplication: self.rng.below(30),
                reorder: self.rng.below(40),
                delay: (1 + self.rng.below(20), 20 + self.rng.below(150)),
            },
        }
    }

    fn traits(&mut self) -> [Trait; 4] {
        let direct = self.rng.below(3);
        let (originate, qualify, tcp) = (self.one_in(3), self.one_in(4), self.one_in(4));
        let shows = self.one_in(3);
        PHONES.map(|_| Trait {
            direct: direct == 0 || (direct == 1 && self.one_in(2)),
            originate: originate && self.one_in(2),
            qualify: qualify && self.one_in(2),
            tcp: tcp && self.one_in(2),
            no_update: self.one_in(3),
            asks_timer: self.one_in(6),
            shows: shows && !self.one_in(6),
            may_show: shows && !self.one_in(8),
        })
    }

    pub fn one_in(&mut self, number: u64) -> bool {
        self.rng.below(number) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.rng.below(of.len() as u64)).unwrap()]
    }

    /// Mostly short, so that messages cross; sometimes the same instant; rarely longer than any timer.
    pub fn pause(&mut self) -> u64 {
        match self.rng.below(20) {
            0..=2 => 0,
            3..=8 => self.rng.below(60),
            9..=12 => self.rng.below(600),
            13..=17 => self.rng.below(5_000),
            18 => self.rng.below(40_000),
            _ => self.rng.below(100_000),
        }
    }

    /// Mostly as long as people take, so that what came before is done.
    pub fn while_(&mut self) -> u64 {
        if self.one_in(6) { self.pause() } else { 400 + self.rng.below(2_500) }
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.rng.below(end)
    }

    pub fn step(&mut self, after: u64, who: &'static str, act: Act) {
        self.steps.push(Step { after, who, act });
    }

    pub fn change(&mut self) -> Change {
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
                10 if self.one_in(2) => self.step(pause, who, Act::TextsInCall),
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

    pub fn key(&mut self) -> Act {
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
