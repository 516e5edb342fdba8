//! Transfers in scripts: by REFER, blind and attended, by Replaces, by codes, by a program.

use super::pen::Pen;
use super::plan::NUMBERS;
use super::play::Player;
use super::script::{Act, PHONES, SECOND};
use super::seen::Seen;
use std::time::Duration;
use strowger::sim::Change;
use strowger::sim::phone::dialog_of;
use strowger::sip::dialog::DialogKey;
use strowger::sip::method::Method;

/// Where calls are transferred to: mostly a telephone, and what is nobody's.
const TARGETS: [&str; 16] = ["1", "2", "3", "4", "1", "2", "3", "4", "5", "6", "7", "20", "70", "71", "12", "9"];

/// What is typed in a call that has codes.
const CODES: [&str; 24] = [
    "#11", "#12", "#13", "#14", "#19", "#1", "#170", "#21", "#22", "#23", "#24", "#21", "#22", "#23", "#24", "#29",
    "#2", "#22**", "#7", "#8", "#9", "**", "*", "#",
];

impl Pen {
    /// A call in which somebody asks for a transfer.
    pub fn transfer(&mut self, parties: &[&'static str], is_last: bool) {
        let caller = self.pick(parties);
        let others: Vec<&'static str> = parties.iter().copied().filter(|name| *name != caller).collect();
        let mut other = self.pick(&others);
        let by_codes = self.one_in(3);
        let number = if by_codes {
            let number = self.pick(&["12", "12", "13"]);
            other = if number == "13" { "cisco" } else { "desk" };
            number
        } else if self.one_in(10) {
            self.pick(&["24", "25"])
        } else {
            NUMBERS[PHONES.iter().position(|name| *name == other).unwrap()]
        };
        let (before, pause) = (self.pause(), self.while_());
        self.step(before, caller, Act::Calls(number));
        self.step(pause, other, Act::Answers);
        for _ in 0..=self.below(2) {
            let (who, left) = if self.one_in(2) { (caller, other) } else { (other, caller) };
            if self.one_in(3) {
                let pause = self.while_();
                self.step(pause, who, Act::Offers(Change::Hold));
            }
            let pause = self.while_();
            if by_codes && !self.one_in(6) {
                let code = self.pick(&CODES);
                self.step(pause, who, Act::Types(code));
            } else {
                let target = self.pick(&TARGETS);
                self.step(pause, who, Act::Transfers(target));
            }
            self.arrives(who, left, by_codes);
        }
        self.ends(&[caller, other], is_last);
    }

    /// Whom the call goes on to does something about it; the one that asked may hang up, and who is transferred may change
    /// his mind.
    fn arrives(&mut self, who: &'static str, left: &'static str, by_codes: bool) {
        let target = self.pick(&PHONES);
        // It takes some seconds until nobody types any more.
        let typed = if by_codes { 5_000 + self.while_() } else { 0 };
        self.step(typed, who, Act::TextsInCall);
        if self.one_in(if by_codes { 12 } else { 3 }) {
            let pause = self.pause();
            self.step(pause, who, Act::HangsUp);
        }
        let pause = self.while_();
        match self.below(10) {
            0 => {
                let status = self.pick(&[486, 480, 603, 404, 503]);
                self.step(pause, target, Act::Refuses(status));
            }
            1 => self.step(pause, left, Act::HangsUp),
            2 => {
                let change = self.change();
                self.step(pause, left, Act::Offers(change));
            }
            _ => {
                for target in PHONES.into_iter().filter(|name| *name != left) {
                    self.step(pause / 3, target, Act::Answers);
                }
            }
        }
        let pause = self.while_();
        match self.below(6) {
            0..=3 if by_codes => self.step(pause, who, Act::HangsUp),
            4 => {
                let change = self.change();
                self.step(pause, who, Act::Offers(change));
            }
            _ => {}
        }
    }

    /// The desk has two calls and connects the others, or a call changes hands by Replaces.
    pub fn consultation(&mut self, parties: &[&'static str], is_last: bool) {
        let others: Vec<&'static str> = parties.iter().copied().filter(|name| *name != "desk").collect();
        let (first, second) = (self.pick(&others), self.pick(&PHONES));
        let pause = self.pause();
        if self.one_in(2) {
            self.step(pause, first, Act::Calls("3"));
            let pause = self.while_();
            self.step(pause, "desk", Act::Answers);
        } else {
            let number = NUMBERS[PHONES.iter().position(|name| *name == first).unwrap()];
            self.step(pause, "desk", Act::Calls(number));
            let pause = self.while_();
            self.step(pause, first, Act::Answers);
        }
        if self.one_in(4) {
            let pause = self.while_();
            let whose = self.pick(&["desk", "desk", first]);
            let who = if self.one_in(4) { self.pick(&PHONES) } else { SECOND };
            self.step(pause, who, Act::TakesOver(whose));
            return self.ends(&[first, SECOND, "desk"], is_last);
        }
        if self.one_in(2) {
            let pause = self.while_();
            self.step(pause, "desk", Act::Offers(Change::Hold));
        }
        let number = match self.below(6) {
            0 => self.pick(&["7", "20", "71", "9"]),
            _ => NUMBERS[PHONES.iter().position(|name| *name == second).unwrap()],
        };
        let pause = self.while_();
        self.step(pause, SECOND, Act::Calls(number));
        let answers_first = !self.one_in(3);
        if answers_first {
            let pause = self.while_();
            self.step(pause, second, Act::Answers);
        }
        if self.one_in(4) {
            let (pause, change, who) = (self.while_(), self.change(), self.pick(&[first, second, SECOND]));
            self.step(pause, who, Act::Offers(change));
        }
        let pause = self.while_();
        let (who, other) = if self.one_in(3) { (SECOND, "desk") } else { ("desk", SECOND) };
        self.step(pause, who, Act::Connects(other));
        if self.one_in(2) {
            let pause = self.pause();
            self.step(pause, who, Act::HangsUp);
        }
        if !answers_first {
            let pause = self.while_();
            self.step(pause, second, Act::Answers);
        }
        if self.one_in(3) {
            let (pause, change, who) = (self.while_(), self.change(), self.pick(&[first, second]));
            self.step(pause, who, Act::Offers(change));
        }
        self.ends(&[first, second, "desk", SECOND], is_last);
    }

    /// The last scene may leave its calls as they are.
    pub fn ends(&mut self, whom: &[&'static str], is_last: bool) {
        if is_last && self.one_in(2) {
            return;
        }
        let (pause, at) = (self.while_(), usize::try_from(self.below(whom.len() as u64)).unwrap());
        self.step(pause, whom[at], Act::HangsUp);
        for name in whom {
            self.step(0, name, Act::HangsUp);
        }
    }
}

impl Player<'_> {
    /// A telephone that wanted to take over a call does something else: its calls are its own again.
    pub fn replaces_no_more(&mut self) {
        if let Some(who) = self.replacing.take() {
            self.world.add_header(who, self.headers(who));
        }
    }

    /// Does it, if it is about a transfer.
    pub fn transfers(&mut self, who: &'static str, act: Act) -> bool {
        match act {
            Act::Transfers(number) => self.refer(who, &format!("<sip:{number}@192.0.2.1>")),
            Act::Connects(other) => {
                if let Some(DialogKey { call_id, local_tag, remote_tag }) = self.dialog(other) {
                    let call_id = call_id.replace('@', "%40");
                    let to_tag = remote_tag.unwrap_or_default();
                    let replaces = format!("{call_id}%3Bto-tag%3D{to_tag}%3Bfrom-tag%3D{local_tag}");
                    self.refer(who, &format!("<sip:1@192.0.2.1?Replaces={replaces}>"));
                }
            }
            Act::TakesOver(of) => {
                if let Some(DialogKey { call_id, local_tag, remote_tag }) = self.dialog(of) {
                    let to_tag = remote_tag.unwrap_or_default();
                    self.world.add_header(who, &format!("Replaces: {call_id};to-tag={to_tag};from-tag={local_tag}"));
                    self.replacing = Some(who);
                    self.world.phone(who).dials("3");
                }
            }
            Act::Types(keys) => {
                for key in keys.chars() {
                    if self.world.stations.contains_key(who) {
                        self.world.phone(who).sends_event(key);
                    }
                    self.run(Duration::from_millis(120));
                }
            }
            _ => return false,
        }
        true
    }

    fn dialog(&self, of: &str) -> Option<DialogKey> {
        self.world.stations.get(of).and_then(|station| dialog_of(&station.phone))
    }

    fn refer(&mut self, who: &'static str, to: &str) {
        let contact = format!("<sip:{who}@{}>", self.world.look(who).config().sip);
        let by = format!("<sip:{who}@192.0.2.1>");
        let fields = [("Refer-To", to), ("Referred-By", &by), ("Contact", &contact)];
        self.world.phone(who).requests(Method::Refer, &fields);
    }

    pub fn count_transfers(&self, seen: &mut Seen) {
        let lines = |words: &[&str]| {
            let all = |line: &str| words.iter().all(|word| line.contains(word));
            self.world.lines.iter().filter(|(_, line)| all(line)).count()
        };
        let at = ["@default", "@inside"].map(|context| lines(&[" transfers ", context])).iter().sum();
        seen.count("transfers by REFER", at);
        seen.count("transfers that came back", lines(&[" did not arrive "]));
        seen.count(
            "calls connected by REFER",
            lines(&[" transfers SIP/", " to SIP/"]) + lines(&[" transfers SIP/", " into "]),
        );
        let asked = self.world.prompts.iter().filter(|(_, names)| names == "pbx-transfer");
        seen.count("transfers begun by a code", asked.count());
        seen.count("calls connected by a code", lines(&[" connects SIP/"]));
        seen.count("calls taken over", lines(&[" has taken the call over"]));
    }
}
