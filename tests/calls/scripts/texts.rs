//! Text messages in scripts: each that was accepted is read.

use super::pen::Pen;
use super::play::Player;
use super::script::{Act, PHONES, Script};
use super::seen::Seen;
use crate::network::Quality;
use strowger::sim::PhoneEvent;

/// Whom texts are for: lines, numbers with a hint, what is only in the dialplan, nobody.
const ADDRESSEES: [&str; 12] =
    ["client", "isp", "desk", "cisco", "client", "isp", "desk", "cisco", "602", "603", "911", "nobody"];

impl Pen {
    /// Somebody sends texts, some within a call.
    pub fn texts(&mut self, parties: &[&'static str]) {
        for _ in 0..=self.below(3) {
            let (who, to) = (self.pick(parties), self.pick(&ADDRESSEES));
            if self.one_in(6) && PHONES.contains(&to) {
                // Somebody whose plug is out.
                let pause = self.pause();
                self.step(pause, to, Act::PowerFails);
                let pause = self.while_();
                self.step(pause, who, Act::Texts(to));
                let pause = self.pause();
                self.step(pause, to, Act::PowerIsBack);
                continue;
            }
            let pause = self.while_();
            self.step(pause, who, Act::Texts(to));
        }
    }
}

/// The line that a text to this name or number is for, where the dialplan does not decide.
fn line_of(script: &Script, to: &'static str) -> Option<&'static str> {
    match to {
        "602" if !script.asks_plan_for_texts => Some("isp"),
        "603" if !script.asks_plan_for_texts => Some("desk"),
        "911" if script.asks_plan_for_texts => Some("isp"),
        to => PHONES.contains(&to).then_some(to),
    }
}

impl Player<'_> {
    /// Does it, if it is about texts.
    pub fn text_act(&mut self, who: &'static str, act: Act) -> bool {
        let number = self.texts_sent.len();
        match act {
            Act::Texts(to) => {
                let text = format!("text {number} of {who}");
                self.world.phone(who).texts(to, &text);
                self.texts_sent.push((to, text));
            }
            Act::TextsInCall => self.world.phone(who).texts_in_call(&format!("in a call {number}")),
            _ => return false,
        }
        true
    }

    /// A telephone forgets what it has read.
    pub fn read_texts(&mut self, name: &'static str) {
        let events = &self.world.stations[name].events;
        let read = events.iter().filter_map(|(_, event)| match event {
            PhoneEvent::TextReceived(text) => Some((name, text.clone())),
            _ => None,
        });
        self.texts_read.extend(read);
    }

    /// Every text that was accepted has been read by whom it was for, and none waits any more.
    pub fn texts_arrived(&mut self, seen: &mut Seen) -> Result<(), String> {
        for name in self.script.everybody() {
            self.read_texts(name);
        }
        let waiting: Vec<(String, String)> = self.world.switch.database().all();
        if let Some((name, _)) = waiting.iter().find(|(name, _)| name.starts_with("/TextMessages/")) {
            return Err(format!("a text waits still: {name}"));
        }
        let lines = |words: &str| self.world.lines.iter().filter(|(_, line)| line.contains(words)).count();
        seen.count("texts delivered", lines("Text message from '"));
        seen.count("texts kept", lines(" waits until '"));
        seen.count("texts in calls", self.texts_read.iter().filter(|(_, text)| text.starts_with("in a call")).count());
        let is_calm = self.script.quality == Quality::PERFECT && self.parted.is_empty();
        for (to, text) in &self.texts_sent {
            let read: Vec<&str> =
                self.texts_read.iter().filter(|(_, one)| one == text).map(|(name, _)| *name).collect();
            let wanted = line_of(self.script, to);
            if read.iter().any(|name| Some(*name) != wanted) {
                return Err(format!("'{text}' to {to} was read by {read:?}"));
            }
            let is_accepted = self.is_accepted(text);
            // The dialplan takes it, and finds out.
            if is_accepted && wanted.is_none() && !self.script.asks_plan_for_texts {
                return Err(format!("'{text}' to {to} was accepted, and is for nobody"));
            }
            if is_accepted && wanted.is_some() && read.is_empty() {
                return Err(format!("'{text}' to {to} was accepted, and nobody has read it"));
            }
            if is_calm && read.len() > 1 {
                return Err(format!("'{text}' was read {} times", read.len()));
            }
        }
        Ok(())
    }

    /// Did the exchange answer it with 202?
    fn is_accepted(&self, text: &str) -> bool {
        let sender = text.rsplit(' ').next().unwrap_or_default();
        let field = |message: &str, name: &str| {
            message.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).unwrap_or_default()
        };
        let key = |message: &String| (field(message, "Call-ID:"), field(message, "CSeq:"));
        let sent = self.world.sent_by(sender, &["MESSAGE sip:"]);
        let mine: Vec<_> = sent.iter().filter(|message| message.ends_with(text)).map(key).collect();
        self.world.texts(sender, &["SIP/2.0 202", "MESSAGE"]).iter().any(|answer| mine.contains(&key(answer)))
    }
}
