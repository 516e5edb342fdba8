//! One transfer on a clock that is given: what is sent next, what again, and when it is given up.
//!
//! RFC 1350 2 and 7440 4: a block is sent again when its acknowledgement does not come in time, and never because an older
//! acknowledgement came once more (RFC 1123 4.2.3.1, the Sorcerer's Apprentice). Only in a window of several blocks an
//! acknowledgement of the block before it says that its first was lost, and is heeded once.

use super::content::Content;
use super::options::Agreed;
use super::packet::{self, ErrorCode, Packet};
use crate::clock::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// How long the first acknowledgement is waited for.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The shortest wait, however soon acknowledgements come: a telephone stops to write its flash memory.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait, unless the client asked for a longer one.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// Packets sent to an address that has acknowledged nothing.
const MAX_UNPROVEN: u32 = 3;
/// The longest wait for such an address, whatever `timeout` its request has: the sender may be forged, and its place is the
/// telephone's.
const UNPROVEN_WAIT: Duration = Duration::from_secs(5);
/// A transfer without progress is given up after this time, and after [`MIN_TRIES`] packets.
const GIVE_UP: Duration = Duration::from_secs(30);
/// Times that one packet is sent before a transfer is given up.
const MIN_TRIES: u32 = 5;

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every block was acknowledged.
    Done,
    /// The last block was sent, and everything before it acknowledged. Many clients close at the last block.
    LastNotAcknowledged,
    /// The client never acknowledged anything.
    NeverAcknowledged,
    /// The client fell silent.
    Silent,
    /// The client ended it, with a code and a text: it has what it wanted (often the size alone), or cannot go on.
    Aborted(u16, String),
    /// The file cannot be read: why.
    Unreadable(String),
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes of the file that were acknowledged.
    pub bytes: u64,
    /// Packets that were sent more than once.
    pub repeated: u32,
    /// Packets that came and were of no use.
    pub ignored: u32,
}

/// What is to be done after a packet came or time passed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// Packets to send, in order.
    pub send: Vec<Vec<u8>>,
    /// The transfer is over.
    pub end: Option<Ending>,
}

/// A block that was sent and not yet acknowledged.
struct Block {
    packet: Vec<u8>,
    sent: Time,
    /// It was sent more than once: its acknowledgement tells no round trip (Karn).
    again: bool,
}

/// A transfer that goes on.
pub struct Transfer<C> {
    agreed: Agreed,
    content: C,
    /// The OACK waits for its acknowledgement, which is that of block 0.
    opening: Option<Block>,
    /// Blocks on their way, the oldest first. The first has the number `first`.
    window: VecDeque<Block>,
    /// Number of the oldest block that is not acknowledged, counted from 1 without end.
    first: u64,
    /// The last block is in the window, or was.
    read_to_end: bool,
    proven: bool,
    /// Packets that were sent since the last progress, each time the oldest.
    tries: u32,
    wait: Duration,
    deadline: Time,
    last_progress: Time,
    round_trip: Option<Duration>,
    /// The window was sent again because of an acknowledgement of the block before it.
    has_heeded: bool,
    progress: Progress,
}

impl<C: Content> Transfer<C> {
    /// Begins one: the first packet is the OACK, or the first block alone when no option was agreed to. Whatever the window, nothing more goes
    /// to an address that has acknowledged nothing.
    pub fn start(now: Time, agreed: Agreed, content: C) -> (Transfer<C>, Turn) {
        let wait = agreed.timeout.unwrap_or(FIRST_WAIT).min(UNPROVEN_WAIT);
        let mut transfer = Transfer {
            agreed,
            content,
            opening: None,
            window: VecDeque::new(),
            first: 1,
            read_to_end: false,
            proven: false,
            tries: 1,
            wait,
            deadline: now + wait,
            last_progress: now,
            round_trip: None,
            has_heeded: false,
            progress: Progress::default(),
        };
        if let Some(answer) = transfer.agreed.answer.clone() {
            transfer.opening = Some(Block { packet: answer.clone(), sent: now, again: false });
            return (transfer, Turn { send: vec![answer], end: None });
        }
        let turn = transfer.fill(now, 1);
        (transfer, turn)
    }

    /// When [`Transfer::tick`] is to be called, unless a packet comes before.
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// What was sent until now.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Has the client acknowledged anything? Then the address is its own.
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// The client sent a packet to this transfer.
    pub fn receive(&mut self, now: Time, bytes: &[u8]) -> Turn {
        match packet::parse(bytes) {
            Ok(Packet::Ack(number)) => self.acknowledged(now, number),
            Ok(Packet::Error { code, text }) => {
                Turn { send: Vec::new(), end: Some(Ending::Aborted(code, text.into_owned())) }
            }
            Ok(Packet::Read(_) | Packet::Write(_) | Packet::Data) | Err(_) => self.ignore(),
        }
    }

    /// The client asked for the same once more before it acknowledged anything: the answer was lost. It gets it again, which is one of
    /// the few packets it may get.
    pub fn asked_again(&mut self, now: Time) -> Turn {
        if self.proven || self.tries >= MAX_UNPROVEN {
            return self.ignore();
        }
        self.send_again(now)
    }

    /// The client's port is closed (ICMP).
    pub fn refused(&mut self) -> Turn {
        Turn { send: Vec::new(), end: Some(self.gone(Ending::Silent)) }
    }

    /// The time of [`Transfer::deadline`] has come.
    pub fn tick(&mut self, now: Time) -> Turn {
        if now < self.deadline {
            return Turn::default();
        }
        let is_over = if self.proven {
            self.tries >= MIN_TRIES && now.since(self.last_progress) >= GIVE_UP
        } else {
            self.tries >= MAX_UNPROVEN
        };
        if is_over {
            let end = if self.proven { Ending::Silent } else { Ending::NeverAcknowledged };
            return Turn { send: Vec::new(), end: Some(self.gone(end)) };
        }
        let longest = LONGEST_WAIT.max(self.agreed.timeout.unwrap_or_default());
        let longest = if self.proven { longest } else { longest.min(UNPROVEN_WAIT) };
        self.wait = self.wait.saturating_mul(2).min(longest);
        self.send_again(now)
    }

    /// How it ended, when the client is not there any more.
    fn gone(&self, otherwise: Ending) -> Ending {
        let is_last = self.read_to_end && self.window.len() == 1;
        if self.proven && is_last { Ending::LastNotAcknowledged } else { otherwise }
    }

    fn ignore(&mut self) -> Turn {
        self.progress.ignored = self.progress.ignored.saturating_add(1);
        Turn::default()
    }

    fn acknowledged(&mut self, now: Time, number: u16) -> Turn {
        if let Some(opening) = &self.opening {
            if number != 0 {
                return self.ignore();
            }
            let sample = (!opening.again).then(|| now.since(opening.sent));
            self.opening = None;
            self.went_on(now, sample);
            return self.fill(now, self.agreed.window);
        }
        // Numbers have 16 bits and begin anew (at 0, as nearly all clients count): which block of the window is meant?
        let ahead = number.wrapping_sub(low_bits(self.first));
        let count = usize::from(ahead).saturating_add(1);
        if count <= self.window.len() {
            let newest = self.window.get(usize::from(ahead));
            let sample = newest.and_then(|block| (!block.again).then(|| now.since(block.sent)));
            for block in self.window.drain(..count) {
                self.progress.bytes =
                    self.progress.bytes.saturating_add(block.packet.len().saturating_sub(HEADER) as u64);
            }
            self.first = self.first.saturating_add(count as u64);
            self.went_on(now, sample);
            if self.window.is_empty() && self.read_to_end {
                return Turn { send: Vec::new(), end: Some(Ending::Done) };
            }
            // RFC 7440 4: what was sent beyond that block did not come in order, and is sent again with the next window.
            let mut turn = self.repeat_window(now);
            let more = self.fill(now, self.agreed.window);
            turn.send.extend(more.send);
            turn.end = more.end;
            return turn;
        }
        let is_before = number == low_bits(self.first.saturating_sub(1));
        if is_before && self.agreed.window > 1 && self.proven && !self.has_heeded {
            self.has_heeded = true;
            return Turn { send: self.repeat_window(now).send, end: None };
        }
        self.ignore()
    }

    /// The client has acknowledged something new.
    fn went_on(&mut self, now: Time, sample: Option<Duration>) {
        self.proven = true;
        self.has_heeded = false;
        self.last_progress = now;
        if let Some(sample) = sample {
            let smooth = self.round_trip.map_or(sample, |old| (old.saturating_mul(7).saturating_add(sample)) / 8);
            self.round_trip = Some(smooth);
        }
        let measured = self.round_trip.map_or(FIRST_WAIT, |trip| trip.saturating_mul(4));
        self.wait = self.agreed.timeout.unwrap_or_else(|| measured.clamp(SHORTEST_WAIT, LONGEST_WAIT));
        self.tries = 1;
        self.deadline = now + self.wait;
    }

    /// Reads blocks until so many are on their way, and sends those.
    fn fill(&mut self, now: Time, most: usize) -> Turn {
        let mut turn = Turn::default();
        while self.window.len() < most && !self.read_to_end {
            let bytes = match self.content.read(self.agreed.block) {
                Ok(bytes) => bytes,
                Err(why) => {
                    turn.send.push(packet::error(ErrorCode::Undefined, "Read error"));
                    turn.end = Some(Ending::Unreadable(why.0));
                    return turn;
                }
            };
            // RFC 1350 6: a block that is not full is the last, be it empty.
            self.read_to_end = bytes.len() < self.agreed.block;
            let number = low_bits(self.first.saturating_add(self.window.len() as u64));
            let block = packet::data(number, &bytes);
            turn.send.push(block.clone());
            self.window.push_back(Block { packet: block, sent: now, again: false });
        }
        turn
    }

    /// Sends what waits once more, later than before.
    fn send_again(&mut self, now: Time) -> Turn {
        self.tries = self.tries.saturating_add(1);
        self.deadline = now + self.wait;
        match &mut self.opening {
            Some(opening) => {
                opening.again = true;
                self.progress.repeated = self.progress.repeated.saturating_add(1);
                Turn { send: vec![opening.packet.clone()], end: None }
            }
            None => self.repeat_window(now),
        }
    }

    fn repeat_window(&mut self, now: Time) -> Turn {
        let mut send = Vec::new();
        for block in &mut self.window {
            (block.again, block.sent) = (true, now);
            send.push(block.packet.clone());
        }
        let count = u32::try_from(send.len()).unwrap_or(u32::MAX);
        self.progress.repeated = self.progress.repeated.saturating_add(count);
        Turn { send, end: None }
    }
}

/// Bytes of a DATA packet before the file's.
const HEADER: usize = 4;

/// The number of a block as a packet has it.
fn low_bits(number: u64) -> u16 {
    u16::try_from(number & u64::from(u16::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
