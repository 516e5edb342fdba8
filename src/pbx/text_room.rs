//! Whether there is room for one more text message: each sender has a share, so that one who sends without end keeps
//! nobody else from being read.

use crate::config::peer::Peer;

/// How many messages there may be.
pub struct Bounds {
    all: usize,
    of_sender: usize,
    to_line: usize,
    of_sender_to_line: usize,
}

/// On their way at once.
pub const ON_THEIR_WAY: Bounds = Bounds { all: 1_000, of_sender: 200, to_line: 50, of_sender_to_line: 20 };
/// Waiting for their lines.
pub const KEPT: Bounds = Bounds { all: 1_000, of_sender: 200, to_line: 50, of_sender_to_line: 20 };

/// A message, as far as its room depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load<'a> {
    /// The line that sent it; empty: a program that no line began.
    pub sender: &'a str,
    /// The line that it is for.
    pub line: &'a str,
}

/// What all lines without a secret are counted as: whoever sends in the name of one may be anybody, and of another the next
/// time.
const ANYBODY: &str = "lines without a secret";

/// By which name a line's messages are counted.
pub fn counted_as(peer: &Peer) -> &str {
    if peer.credential.is_some() { &peer.name } else { ANYBODY }
}

impl Bounds {
    /// Why there is no room for one more beside those that there are, in words that follow a number; none: there is.
    pub fn refusal<'a>(&self, new: Load<'_>, others: impl Iterator<Item = Load<'a>>) -> Option<String> {
        let (mut all, mut of_sender, mut to_line, mut both) = (0usize, 0usize, 0usize, 0usize);
        for other in others {
            let (is_senders, is_lines) = (other.sender == new.sender, other.line == new.line);
            for (count, counts) in [
                (&mut all, true),
                (&mut of_sender, is_senders),
                (&mut to_line, is_lines),
                (&mut both, is_senders && is_lines),
            ] {
                *count = count.saturating_add(usize::from(counts));
            }
        }
        let Load { sender, line } = new;
        if both >= self.of_sender_to_line {
            return Some(format!("{both} messages of '{sender}' for '{line}'"));
        }
        if to_line >= self.to_line {
            return Some(format!("{to_line} messages for '{line}'"));
        }
        if of_sender >= self.of_sender {
            return Some(format!("{of_sender} messages of '{sender}'"));
        }
        (all >= self.all).then(|| format!("{all} messages of all lines"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(sender: &str, line: &str, others: &[(&str, &str, usize)]) -> Option<String> {
        let others = others.iter().flat_map(|(sender, line, count)| std::iter::repeat_n(Load { sender, line }, *count));
        KEPT.refusal(Load { sender, line }, others)
    }

    #[test]
    fn each_sender_has_a_share_of_a_line_and_of_all() {
        assert_eq!(room("a", "x", &[("a", "x", 19), ("b", "x", 30), ("a", "y", 20)]), None);
        assert_eq!(room("a", "x", &[("a", "x", 20)]).unwrap(), "20 messages of 'a' for 'x'");
        assert_eq!(room("c", "x", &[("a", "x", 20), ("b", "x", 20), ("d", "x", 9)]), None);
        assert_eq!(room("c", "x", &[("a", "x", 20), ("b", "x", 20), ("d", "x", 10)]).unwrap(), "50 messages for 'x'");
        let everywhere: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        let by_a: Vec<_> = everywhere.iter().map(|line| ("a", line.as_str(), 20)).collect();
        assert_eq!(room("a", "x", &by_a).unwrap(), "200 messages of 'a'");
        assert_eq!(room("b", "x", &by_a), None);
        assert_eq!(room("b", "x", &[("z", "z", 1_000)]).unwrap(), "1000 messages of all lines");
    }
}
