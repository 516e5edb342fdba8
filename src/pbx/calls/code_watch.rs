//! Which digits of a telephone that talks are codes: those that may begin one are held back until that is known, and
//! passed on when they are none.

use crate::config::features_conf::FeatureApplication;
use crate::pbx::recording::RecordingId;
use crate::sip::timer::TimerId;

/// What a code has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The call ends.
    Disconnect,
    /// The other side goes on at a number that is typed.
    BlindTransfer,
    /// A line is called and talked to first.
    AttendedTransfer,
    /// The other side is parked.
    Park,
    /// The call is recorded by `Monitor`, or not any more.
    Monitor,
    /// The same by `MixMonitor`.
    MixMonitor,
    /// An application of `[applicationmap]` runs.
    Application(Box<FeatureApplication>),
    /// The line that is consulted is left; back to the other one.
    Abort,
    /// The line that is consulted and the other one talk to each other.
    Complete,
    /// The line that is consulted waits, and the other one is talked to; and back.
    Swap,
}

/// What follows on a digit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Digits that are no code: they go to the other side.
    pub passed: String,
    /// What is to be done.
    pub action: Option<Action>,
    /// Some digits wait for the next.
    pub waits: bool,
}

/// The codes of one telephone, and what it has pressed of one.
#[derive(Debug, Default)]
pub struct CodeWatch {
    codes: Vec<(String, Action)>,
    typed: String,
    /// Goes off when the next digit of a code does not come.
    pub timer: Option<TimerId>,
    /// Where the digits that wait were pressed: in another bridge they are nobody's.
    pub bridge: Option<u64>,
    /// What this telephone has had recorded.
    pub recording: Option<RecordingId>,
}

impl CodeWatch {
    /// Watches for these, too; empty codes are none, and of two that are alike the first counts.
    pub fn add(&mut self, codes: impl IntoIterator<Item = (String, Action)>) {
        for (code, action) in codes {
            if !code.is_empty() && !self.codes.iter().any(|(known, _)| *known == code) {
                self.codes.push((code, action));
            }
        }
    }

    /// Is there any?
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Is there no code but one digit that hangs up? Then nothing has to be held back.
    pub fn hangs_up_alone(&self) -> bool {
        self.codes.iter().all(|(code, action)| *action == Action::Disconnect && code.len() == 1)
    }

    /// A digit is pressed.
    pub fn press(&mut self, digit: char) -> Verdict {
        self.typed.push(digit);
        let mut passed = String::new();
        while !self.typed.is_empty() {
            let begun = self.codes.iter().filter(|(code, _)| code.starts_with(&self.typed)).count();
            let exact = self.exact();
            if let Some(action) = exact.filter(|_| begun == 1) {
                self.typed.clear();
                return Verdict { passed, action: Some(action), waits: false };
            }
            if begun > 0 {
                return Verdict { passed, action: None, waits: true };
            }
            passed.push(self.typed.remove(0));
        }
        Verdict { passed, action: None, waits: false }
    }

    /// No further digit came in time.
    pub fn time_over(&mut self) -> Verdict {
        let action = self.exact();
        let typed = std::mem::take(&mut self.typed);
        let passed = if action.is_some() { String::new() } else { typed };
        Verdict { passed, action, waits: false }
    }

    /// What was typed is forgotten.
    pub fn forget(&mut self) {
        self.typed.clear();
    }

    fn exact(&self) -> Option<Action> {
        self.codes.iter().find(|(code, _)| *code == self.typed).map(|(_, action)| action.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watching(codes: &[(&str, Action)]) -> CodeWatch {
        let mut watch = CodeWatch::default();
        watch.add(codes.iter().map(|(code, action)| ((*code).to_owned(), action.clone())));
        watch
    }

    fn watch() -> CodeWatch {
        let codes =
            [("#", Action::BlindTransfer), ("*1", Action::Monitor), ("*", Action::Disconnect), ("", Action::Park)];
        watching(&codes)
    }

    fn passed(digits: &str) -> Verdict {
        Verdict { passed: digits.to_owned(), ..Verdict::default() }
    }

    fn done(action: Action, digits: &str) -> Verdict {
        Verdict { passed: digits.to_owned(), action: Some(action), waits: false }
    }

    #[test]
    fn what_is_no_code_passes_at_once_and_what_may_be_one_waits() {
        let mut watch = watch();
        assert_eq!((watch.press('5'), watch.press('#')), (passed("5"), done(Action::BlindTransfer, "")));
        assert_eq!(watch.press('*'), Verdict { waits: true, ..Verdict::default() });
        assert_eq!(watch.press('1'), done(Action::Monitor, ""));
        assert_eq!((watch.press('*').waits, watch.time_over()), (true, done(Action::Disconnect, "")));
        assert_eq!((watch.press('*').waits, watch.press('7')), (true, passed("*7")));
        assert_eq!(watch.press('*').passed, "");
        assert_eq!(watch.press('*'), Verdict { passed: "*".to_owned(), action: None, waits: true });
        assert_eq!(watch.press('#'), done(Action::BlindTransfer, "*"));
        assert_eq!(watch.time_over(), passed(""));
    }

    #[test]
    fn digits_are_never_lost_nor_doubled() {
        let mut rng = crate::rng::Rng::from_number(7);
        for _ in 0..1000 {
            let mut watch = watching(&[("*12", Action::Park), ("#1#", Action::Monitor)]);
            let (mut typed, mut out) = (String::new(), String::new());
            for _ in 0..12 {
                let digit = ['*', '#', '1', '2'][usize::try_from(rng.below(4)).unwrap()];
                typed.push(digit);
                let verdict = watch.press(digit);
                out += &verdict.passed;
                match verdict.action {
                    Some(Action::Park) => out += "*12",
                    Some(_) => out += "#1#",
                    None => {}
                }
            }
            out += &watch.time_over().passed;
            assert_eq!(out, typed);
        }
    }

    #[test]
    fn one_digit_that_hangs_up_holds_nothing_back() {
        assert!(watching(&[("*", Action::Disconnect)]).hangs_up_alone());
        assert!(!watch().hangs_up_alone() && CodeWatch::default().is_empty());
    }
}
