//! What goes over the control socket: the client sends one line; the exchange replies with a head line
//! `ok N` or `failed N` and N bytes of text. The connection stays open for the next line.
//!
//! A console that asked for the log (`core set verbose`) gets its lines in between, never within a reply, as
//! `story N`, `notice N`, `warning N`, `error N` or `security N` and N bytes of text without a line end.

/// The longest line a client may send, its line end included, in bytes.
pub const LINE_LIMIT: usize = 8 * 1024;

/// The longest reply a client takes, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// The longest head line, its line end included, in bytes.
pub const HEAD_LIMIT: usize = 32;

/// A line that begins so is not a command: it requests completions for the last word of the rest. The reply has one
/// whole word a line.
pub const COMPLETE: &str = "_complete ";

/// What the exchange sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The reply to a line that was carried out.
    Ok,
    /// The reply to a line that was not.
    Failed,
    /// Verbose output: the progress of calls.
    Story,
    /// Worth knowing.
    Notice,
    /// Worth acting on.
    Warning,
    /// Something does not work.
    Error,
    /// A refused request with a proven source.
    Security,
}

const WORDS: [(Kind, &str); 7] = [
    (Kind::Ok, "ok"),
    (Kind::Failed, "failed"),
    (Kind::Story, "story"),
    (Kind::Notice, "notice"),
    (Kind::Warning, "warning"),
    (Kind::Error, "error"),
    (Kind::Security, "security"),
];

impl Kind {
    /// Whether it is the reply to a line, not a line of the log.
    pub fn is_reply(self) -> bool {
        matches!(self, Kind::Ok | Kind::Failed)
    }
}

/// The first line of a reply, or of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What follows.
    pub kind: Kind,
    /// How many bytes of text follow.
    pub length: usize,
}

impl Head {
    /// The head as it is sent, with its line end.
    pub fn print(self) -> String {
        let word = WORDS.iter().find(|(kind, _)| *kind == self.kind).map_or("failed", |(_, word)| word);
        format!("{word} {}\n", self.length)
    }

    /// Reads a head line; the line end may be missing. `None` when it is malformed, or announces more than a client
    /// takes.
    pub fn parse(line: &str) -> Option<Head> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let (word, number) = line.split_once(' ')?;
        let (kind, _) = WORDS.iter().find(|(_, known)| *known == word)?;
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let length = number.parse().ok().filter(|n| *n <= ANSWER_LIMIT)?;
        Some(Head { kind: *kind, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn what_is_printed_is_read_back() {
        for (kind, word) in WORDS {
            let head = Head { kind, length: ANSWER_LIMIT };
            assert!(head.print().len() <= HEAD_LIMIT && head.print().starts_with(word));
            assert_eq!(Head::parse(&head.print()), Some(head));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "ok", "ok ", "ok -1", "ok +1", "OK 1", "ok 1 ", "ok 99999999999999999999", "ok 67108865"] {
            assert_eq!(Head::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn mutated_heads_never_break_the_reader() {
        let mut rng = Rng::from_number(7);
        for _ in 0..100_000 {
            let mut bytes = b"failed 1234567\n".to_vec();
            for _ in 0..=rng.below(3) {
                let at = rng.below(bytes.len() as u64) as usize;
                bytes[at] = rng.bits() as u8;
            }
            if let Some(head) = Head::parse(&String::from_utf8_lossy(&bytes)) {
                assert!(head.length <= ANSWER_LIMIT);
            }
        }
    }
}
