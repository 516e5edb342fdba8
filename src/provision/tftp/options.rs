//! Options of a request (RFC 2347): what is agreed to. An option that is unknown, or whose value is out of its range, is
//! left out of the answer, which refuses it.

use super::packet::{Mode, RequestPacket, option_ack};
use std::time::Duration;

/// The size of a block without `blksize` (RFC 1350).
pub const BLOCK: usize = 512;
/// The largest block: with the headers of IPv6, UDP and TFTP it fits into one frame of Ethernet. A larger one would be sent in
/// fragments, of which one lost loses all.
pub const MAX_BLOCK: usize = 1448;
/// Blocks sent at most before an acknowledgement (RFC 7440): a burst of more overruns small devices.
pub const MAX_WINDOW: usize = 16;

/// What a transfer goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Bytes of a block.
    pub block: usize,
    /// Blocks before an acknowledgement.
    pub window: usize,
    /// How long an acknowledgement is waited for, when the client has said so.
    pub timeout: Option<Duration>,
    /// The OACK packet; none when nothing was agreed to: then the first block is the answer.
    pub answer: Option<Vec<u8>>,
}

impl Agreed {
    /// What is agreed to of a request for a file of this length, if it is known. Of an option that stands there twice the first counts
    /// (RFC 2347 allows one). `tsize` is left out of netascii, whose length is known when it was sent.
    pub fn of(request: &RequestPacket<'_>, length: Option<u64>) -> Agreed {
        let mut agreed = Agreed { block: BLOCK, window: 1, timeout: None, answer: None };
        let mut accepted: Vec<(&'static str, u64)> = Vec::new();
        for (name, value) in &request.options {
            let Some(known) = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name)) else { continue };
            let Ok(value) = value.parse::<u64>() else { continue };
            if accepted.iter().any(|(name, _)| *name == known) {
                continue;
            }
            let value = match known {
                // RFC 2348: 8 to 65464; the answer may be smaller.
                "blksize" if (8..=65_464).contains(&value) => {
                    agreed.block = usize::try_from(value).unwrap_or(MAX_BLOCK).min(MAX_BLOCK);
                    Some(agreed.block as u64)
                }
                // RFC 2349: 1 to 255 seconds; the answer is the same.
                "timeout" if (1..=255).contains(&value) => {
                    agreed.timeout = Some(Duration::from_secs(value));
                    Some(value)
                }
                // RFC 2349: the client says 0, and is told.
                "tsize" => length.filter(|_| request.mode == Mode::Octet),
                // RFC 7440: 1 to 65535; the answer may be smaller.
                "windowsize" if (1..=65_535).contains(&value) => {
                    agreed.window = usize::try_from(value).unwrap_or(MAX_WINDOW).min(MAX_WINDOW);
                    Some(agreed.window as u64)
                }
                _ => None,
            };
            accepted.extend(value.map(|value| (known, value)));
        }
        agreed.answer = (!accepted.is_empty()).then(|| option_ack(&accepted));
        agreed
    }
}

const NAMES: [&str; 4] = ["blksize", "timeout", "tsize", "windowsize"];

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(mode: Mode, options: &[(&str, &str)]) -> Agreed {
        let options = options.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Agreed::of(&RequestPacket { name: "x".into(), mode, options }, Some(1000))
    }

    #[test]
    fn what_is_in_range_is_agreed_to_and_the_rest_left_out() {
        let plain = Agreed { block: 512, window: 1, timeout: None, answer: None };
        assert_eq!(agreed(Mode::Octet, &[]), plain);
        let bad = [
            ("blksize", "7"),
            ("blksize", "65465"),
            ("timeout", "0"),
            ("timeout", "256"),
            ("windowsize", "0"),
            ("multicast", ""),
            ("tsize", "x"),
        ];
        assert_eq!(agreed(Mode::Octet, &bad), plain);
        let good = agreed(Mode::Octet, &[("BlkSize", "1024"), ("timeout", "3"), ("tsize", "0"), ("windowsize", "4")]);
        assert_eq!((good.block, good.window, good.timeout), (1024, 4, Some(Duration::from_secs(3))));
        assert_eq!(good.answer.unwrap(), b"\0\x06blksize\x001024\0timeout\x003\0tsize\x001000\0windowsize\x004\0");
    }

    #[test]
    fn too_much_is_answered_with_less_and_the_size_of_netascii_is_not_told() {
        let much =
            agreed(Mode::Netascii, &[("blksize", "8192"), ("windowsize", "64"), ("tsize", "0"), ("blksize", "9")]);
        assert_eq!((much.block, much.window), (MAX_BLOCK, MAX_WINDOW));
        assert_eq!(much.answer.unwrap(), b"\0\x06blksize\x001448\0windowsize\x0016\0");
    }
}
