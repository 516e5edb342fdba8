//! What goes over the control socket: the client sends one line; the exchange answers with a head line
//! `ok N` or `failed N` and N bytes of text. The connection stays open for the next line.

/// The longest line a client may send, its line end included, in bytes.
pub const LINE_LIMIT: usize = 8 * 1024;

/// The longest answer a client takes, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// The longest head line, its line end included, in bytes.
pub const HEAD_LIMIT: usize = 32;

/// The first line of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The command was not carried out.
    pub failed: bool,
    /// How many bytes of text follow.
    pub length: usize,
}

impl Head {
    /// The head as it is sent, with its line end.
    pub fn print(self) -> String {
        format!("{} {}\n", if self.failed { "failed" } else { "ok" }, self.length)
    }

    /// Reads a head line; the line end may be missing. `None` when it is none, or promises more than a client takes.
    pub fn parse(line: &str) -> Option<Head> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let (word, number) = line.split_once(' ')?;
        let failed = match word {
            "ok" => false,
            "failed" => true,
            _ => return None,
        };
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let length = number.parse().ok().filter(|n| *n <= ANSWER_LIMIT)?;
        Some(Head { failed, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;

    #[test]
    fn what_is_printed_is_read_back() {
        for head in [Head { failed: false, length: 0 }, Head { failed: true, length: ANSWER_LIMIT }] {
            assert!(head.print().len() <= HEAD_LIMIT);
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
        let mut chance = Chance::from_number(7);
        for _ in 0..100_000 {
            let mut bytes = b"failed 1234567\n".to_vec();
            for _ in 0..=chance.below(3) {
                let at = chance.below(bytes.len() as u64) as usize;
                bytes[at] = chance.bits() as u8;
            }
            if let Some(head) = Head::parse(&String::from_utf8_lossy(&bytes)) {
                assert!(head.length <= ANSWER_LIMIT);
            }
        }
    }
}
