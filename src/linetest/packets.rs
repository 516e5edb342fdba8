//! What the packets themselves say of a line.

use std::time::Duration;

/// Packets that are remembered, to know one that comes twice.
const REMEMBERED: u64 = 64;

/// How the packets of one part came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packets {
    /// Packets that came, of all kinds.
    pub received: u64,
    /// Packets missing in their sequence.
    pub lost: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that came too late to be looked at.
    pub late: u64,
    /// Milliseconds of sound in the latest packet.
    pub packet_ms: u16,
    /// Packets of comfort noise (RFC 3389).
    pub comfort_noise: u64,
    /// How often silence was left out.
    pub pauses: u64,
    /// How much of it.
    pub paused: Duration,
    /// Packets of another codec than G.711.
    pub other_codec: u64,
    /// How often this machine was held up, so that it left out some of what it sends.
    pub stalls: u64,
    /// How often a stream went on under another SSRC, or its timestamps began anew.
    pub restarts: u64,
}

impl Packets {
    /// Takes out what is this machine's own doing: what it did not send cannot have come back.
    pub(super) fn without_stalls(self, sent: &Packets) -> Packets {
        Packets {
            stalls: sent.pauses,
            pauses: self.pauses.saturating_sub(sent.pauses),
            paused: self.paused.saturating_sub(sent.paused),
            ..self
        }
    }

    /// Does the line leave out silence?
    pub fn leaves_out_silence(&self) -> bool {
        self.comfort_noise > 0 || self.paused > Duration::from_millis(100)
    }
}

/// The sequence numbers of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    known: Option<(u64, u64)>,
    /// Bit n: the packet n before the highest came.
    seen: u64,
    unique: u64,
}

/// What a sequence number says of its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// It follows the one before it.
    Next,
    /// Others before it are missing.
    Ahead,
    /// It was missing.
    Late,
    /// It came before.
    Again,
}

impl Sequence {
    pub fn put(&mut self, sequence: u16) -> Order {
        let Some((first, highest)) = self.known else {
            // Room for what was sent before the first that came.
            let first = 0x1_0000 + u64::from(sequence);
            (self.known, self.seen, self.unique) = (Some((first, first)), 1, 1);
            return Order::Next;
        };
        let ahead = i64::from(sequence.wrapping_sub(highest as u16).cast_signed());
        let number = highest.saturating_add_signed(ahead);
        if ahead > 0 {
            let by = ahead.unsigned_abs();
            self.seen = if by < REMEMBERED { self.seen << by | 1 } else { 1 };
            (self.known, self.unique) = (Some((first, number)), self.unique.saturating_add(1));
            return if by == 1 { Order::Next } else { Order::Ahead };
        }
        let back = ahead.unsigned_abs();
        let bit = if back < REMEMBERED { 1u64 << back } else { 0 };
        if self.seen & bit != 0 {
            return Order::Again;
        }
        self.seen |= bit;
        (self.known, self.unique) = (Some((first.min(number), highest)), self.unique.saturating_add(1));
        Order::Late
    }

    /// Packets that are missing.
    pub fn lost(&self) -> u64 {
        let expected = self.known.map_or(0, |(first, highest)| highest.saturating_sub(first).saturating_add(1));
        expected.saturating_sub(self.unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_late_or_double_is_counted_over_the_wrap() {
        let mut sequence = Sequence::default();
        let orders = [65_534, 65_535, 1, 0, 0, 4, 65_533].map(|number| sequence.put(number));
        assert_eq!(
            orders,
            [Order::Next, Order::Next, Order::Ahead, Order::Late, Order::Again, Order::Ahead, Order::Late]
        );
        assert_eq!(sequence.lost(), 2);
    }
}
