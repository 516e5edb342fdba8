//! A telephone presses a digit: whom it is for. The program it talks to, the other line in another form, or nobody,
//! where it has passed already.

use super::bridge::Bridges;
use super::digit_form;
use super::digit_sending;
use super::feature_keys::FeatureKeys;
use super::local;
use super::parties::Parties;
use super::program::Applications;
use crate::dialplan::ChannelId;
use crate::pbx::core::Core;
use crate::pbx::media::StreamId;
use std::time::Duration;

/// How long a digit is pressed on a line that is sent it in another form than it came in.
const CONVERTED: Duration = Duration::from_millis(120);

/// Whom a telephone's digit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listener {
    /// The program of this channel.
    Program(ChannelId),
    /// The line it talks to.
    Line(ChannelId),
    /// Nobody yet: the Dial of this channel calls lines, and this is the one that is heard.
    Dial {
        /// Who dials.
        caller: ChannelId,
        /// The one line.
        line: Option<ChannelId>,
    },
}

/// Takes digits, with all channels and bridges at hand.
pub(super) struct DigitsPressed<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl DigitsPressed<'_> {
    /// The media thread heard one.
    pub(super) fn heard(&mut self, stream: StreamId, digit: char) {
        if let Some(id) = self.parties.channel_of_stream(stream).map(|channel| channel.id) {
            self.take(id, digit, CONVERTED);
        }
    }

    /// A telephone presses a digit for so long. Says whether anybody took it: an INFO that nobody took passes to the
    /// other line as it is.
    pub(super) fn take(&mut self, id: ChannelId, digit: char, pressed: Duration) -> bool {
        let Self { parties, bridges, core } = self;
        if (FeatureKeys { parties, bridges, core }).press(id, digit) {
            return true;
        }
        match self.listener(id) {
            Some(Listener::Program(program)) => {
                let Self { parties, bridges, core } = self;
                Applications { parties, bridges, core }.digit(program, digit);
                true
            }
            Some(Listener::Line(other)) => self.convert(id, other, digit, pressed),
            Some(Listener::Dial { line: Some(line), .. }) => self.convert(id, line, digit, pressed),
            Some(Listener::Dial { line: None, .. }) | None => false,
        }
    }

    /// Sends the other line a digit in the form that is its own, where the two differ.
    fn convert(&mut self, from: ChannelId, to: ChannelId, digit: char, pressed: Duration) -> bool {
        let form = self.parties.pair(from, to).and_then(|pair| digit_form::converted(pair.a.seen(), pair.b.seen()));
        form.is_some_and(|form| digit_sending::send_as(self.parties, to, (digit, pressed), form, self.core).is_ok())
    }

    /// Whom a digit of this telephone is for, also beyond pairs that lead into the dialplan.
    fn listener(&self, id: ChannelId) -> Option<Listener> {
        let mut at = id;
        for _ in 0..local::MAX_DEPTH {
            let next = match self.talks_to(at) {
                Some(other) => Listener::Line(other),
                None => self.at_program(at)?,
            };
            // Option d: it may leave the Dial by a digit.
            if let Listener::Dial { caller, .. } = next
                && caller == at
                && self.parties.channel(at)?.dial()?.options.has('d')
            {
                return Some(Listener::Program(at));
            }
            let line = match next {
                Listener::Program(_) => return Some(next),
                Listener::Line(line) => line,
                Listener::Dial { line: None, .. } => return Some(next),
                Listener::Dial { line: Some(line), .. } => line,
            };
            match self.parties.channel(line)?.local() {
                Some(half) => at = half.other,
                None => return Some(next),
            }
        }
        None
    }

    /// The other channel of its bridge, unless one of them is held.
    fn talks_to(&self, id: ChannelId) -> Option<ChannelId> {
        let bridge = self.bridges.get(self.parties.channel(id)?.bridge?)?;
        bridge.channel(bridge.role(id)?.other())
    }

    /// The program of a channel that is in no bridge, or the Dial that it waits for; of a line that is called, its
    /// caller's.
    fn at_program(&self, id: ChannelId) -> Option<Listener> {
        let channel = self.parties.channel(id)?;
        // What Dial runs on the line before it is connected (U, M) asks the line, and not the caller.
        if channel.callee.work.is_some() && channel.program.is_some() && !channel.dead {
            return Some(Listener::Program(id));
        }
        if let Some(caller) = channel.called_by {
            let dial = self.parties.channel(caller)?.dial()?;
            let is_alone = matches!(dial.branches.as_slice(), [(only, _)] if *only == id);
            return Some(Listener::Dial { caller, line: is_alone.then_some(caller) });
        }
        let Some(dial) = channel.dial() else {
            return channel.program.as_ref().filter(|_| !channel.dead).map(|_| Listener::Program(id));
        };
        let only = match dial.branches.as_slice() {
            [(only, _)] => Some(*only),
            _ => None,
        };
        Some(Listener::Dial { caller: id, line: dial.early_line().or(only) })
    }
}
