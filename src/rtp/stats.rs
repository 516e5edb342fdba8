//! Packets received, lost and duplicated in an incoming stream, by its sequence numbers (RFC 3550 A.1 and A.3).

use super::is_after;

/// A jump ahead by this much or more is a sender that restarted, not a gap (RFC 3550 A.1, MAX_DROPOUT).
const DROPOUT: u16 = 3_000;

/// How many sequence numbers behind the highest are remembered one by one.
const WINDOW: u16 = 128;

/// SSRCs that are counted side by side; of more, the one silent longest begins anew when it returns.
const STREAMS: usize = 4;

/// Counts over what one source sends, each SSRC by its own sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    received: u64,
    lost: u64,
    duplicates: u64,
    late: u64,
    bursts: u64,
    longest_burst: u64,
    /// The latest first.
    streams: [Option<Current>; STREAMS],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Current {
    ssrc: u32,
    highest: u16,
    /// Bit n: the packet n behind the highest has come.
    seen: u128,
    /// How far behind the highest the first packet lies.
    span: u32,
    /// The sequence number after one that jumped: when it comes, the sender has restarted.
    restart: Option<u16>,
    restarts: u32,
}

impl Stats {
    /// Counts an accepted packet.
    pub fn record(&mut self, ssrc: u32, sequence: u16) {
        self.received = self.received.saturating_add(1);
        let known = |stream: &Option<Current>| stream.as_ref().is_some_and(|stream| stream.ssrc == ssrc);
        let Some(index) = self.streams.iter().position(known) else {
            // RFC 3550 A.1 (init_seq): a new source is counted from its first packet.
            self.streams.rotate_right(1);
            if let Some(first) = self.streams.first_mut() {
                *first = Some(Current::new(ssrc, sequence));
            }
            return;
        };
        if index > 0
            && let Some(upto) = self.streams.get_mut(..=index)
        {
            upto.rotate_right(1);
        }
        let Some(current) = self.streams.first_mut().and_then(Option::as_mut) else { return };
        if is_after(sequence, current.highest) {
            let missing = current.advance(sequence);
            if missing > 0 {
                self.lost = self.lost.saturating_add(missing);
                self.bursts = self.bursts.saturating_add(1);
                self.longest_burst = self.longest_burst.max(missing);
            }
        } else {
            match current.look_back(sequence) {
                Back::Late => {
                    self.lost = self.lost.saturating_sub(1);
                    self.late = self.late.saturating_add(1);
                }
                Back::Double => self.duplicates = self.duplicates.saturating_add(1),
                Back::Elsewhere => {}
            }
        }
    }

    /// The SSRC that came last, and the highest sequence number of it, the cycles since its first packet in the upper half
    /// (RFC 3550 6.4.1).
    pub fn latest(&self) -> Option<(u32, u32)> {
        let current = self.streams.first()?.as_ref()?;
        let first = u32::from(current.highest.wrapping_sub(current.span as u16));
        Some((current.ssrc, first.wrapping_add(current.span)))
    }

    /// Packets recorded, duplicates included.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets that are missing: gaps, less what came late (up to 128 packets late).
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Packets that came more than once.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Packets that came after one that was sent later.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Gaps in the sequence, those included whose packets came late.
    pub fn bursts(&self) -> u64 {
        self.bursts
    }

    /// How often the numbers of a stream began anew, far from where they were.
    pub fn restarts(&self) -> u32 {
        self.streams.iter().flatten().map(|stream| stream.restarts).fold(0, u32::saturating_add)
    }

    /// The most packets that were missing in a row.
    pub fn longest_burst(&self) -> u64 {
        self.longest_burst
    }
}

/// What a packet is that does not go on.
enum Back {
    /// One that was missing.
    Late,
    /// One that has come already.
    Double,
    /// One in front of the first, or of another sequence.
    Elsewhere,
}

impl Current {
    fn new(ssrc: u32, sequence: u16) -> Current {
        Current { ssrc, highest: sequence, seen: 1, span: 0, restart: None, restarts: 0 }
    }

    /// A packet ahead of all; how many are missing between.
    fn advance(&mut self, sequence: u16) -> u64 {
        let step = sequence.wrapping_sub(self.highest);
        if step >= DROPOUT {
            self.jump(sequence);
            return 0;
        }
        self.seen = self.seen.checked_shl(u32::from(step)).unwrap_or(0) | 1;
        self.span = self.span.saturating_add(u32::from(step));
        self.highest = sequence;
        self.restart = None;
        u64::from(step.saturating_sub(1))
    }

    fn look_back(&mut self, sequence: u16) -> Back {
        let behind = self.highest.wrapping_sub(sequence);
        if behind >= WINDOW {
            self.jump(sequence);
            return Back::Elsewhere;
        }
        // Overtaken by the first packet: it was never counted as missing.
        if u32::from(behind) > self.span {
            return Back::Elsewhere;
        }
        let bit = 1u128 << behind;
        if self.seen & bit != 0 {
            return Back::Double;
        }
        self.seen |= bit;
        Back::Late
    }

    /// RFC 3550 A.1: two packets in sequence far from the rest are a sender that restarted; a single one is ignored.
    fn jump(&mut self, sequence: u16) {
        if self.restart == Some(sequence) {
            let restarts = self.restarts.saturating_add(1);
            *self = Current { restarts, ..Current::new(self.ssrc, sequence) };
        } else {
            self.restart = Some(sequence.wrapping_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn counted(sequences: impl IntoIterator<Item = u16>) -> (u64, u64, u64) {
        let mut stats = Stats::default();
        for sequence in sequences {
            stats.record(7, sequence);
        }
        (stats.received(), stats.lost(), stats.duplicates())
    }

    #[test]
    fn a_whole_stream_over_the_wrap_lost_nothing() {
        assert_eq!(counted((0..70_000u32).map(|n| n as u16)), (70_000, 0, 0));
    }

    #[test]
    fn gaps_are_lost_until_the_late_packet_comes() {
        assert_eq!(counted([65_534, 65_535, 2]), (3, 2, 0));
        assert_eq!(counted([65_534, 65_535, 2, 0, 1]), (5, 0, 0));
        assert_eq!(counted([10, 13, 12]), (3, 1, 0));
    }

    #[test]
    fn gaps_and_late_packets_are_counted_one_by_one() {
        let mut stats = Stats::default();
        [10, 13, 12, 14, 20, 21].into_iter().for_each(|sequence| stats.record(7, sequence));
        assert_eq!((stats.lost(), stats.late(), stats.bursts(), stats.longest_burst()), (6, 1, 2, 5));
    }

    #[test]
    fn doubles_are_no_late_arrivals() {
        assert_eq!(counted([10, 11, 11, 10, 12]), (5, 0, 2));
        assert_eq!(counted([10, 12, 11, 11]), (4, 0, 1));
    }

    #[test]
    fn what_came_before_the_first_packet_is_not_counted_as_found() {
        let mut stats = Stats::default();
        for sequence in [100, 102, 99] {
            stats.record(7, sequence);
        }
        assert_eq!((stats.lost(), stats.duplicates()), (1, 0));
    }

    #[test]
    fn a_restart_is_no_loss_and_one_stray_packet_is_no_restart() {
        assert_eq!(counted([10, 11, 40_000, 40_001, 40_002]), (5, 0, 0));
        assert_eq!(counted([10, 11, 40_000, 12, 13]), (5, 0, 0));
        assert_eq!(counted([40_000, 40_001, 10, 11, 13]), (5, 1, 0));
        let restarts = |sequences: &[u16]| {
            let mut stats = Stats::default();
            sequences.iter().for_each(|sequence| stats.record(7, *sequence));
            stats.restarts()
        };
        assert_eq!(restarts(&[10, 11, 40_000, 40_001, 40_002, 7, 8, 9]), 2);
        assert_eq!(restarts(&[10, 11, 40_000, 12, 13]), 0);
    }

    #[test]
    fn another_ssrc_is_counted_from_its_own_first_packet() {
        let mut stats = Stats::default();
        stats.record(1, 10);
        stats.record(1, 12);
        stats.record(2, 50_000);
        stats.record(2, 50_002);
        assert_eq!((stats.received(), stats.lost()), (4, 2));
    }

    #[test]
    fn streams_side_by_side_are_counted_each_by_its_own_sequence() {
        let mut stats = Stats::default();
        for n in 0..100u16 {
            // Of the first every tenth is missing, the second is whole, strays come from everywhere.
            if n % 10 != 5 {
                stats.record(1, 65_500u16.wrapping_add(n));
            }
            stats.record(2, 7 + n);
            stats.record(1_000 + u32::from(n), n.wrapping_mul(997));
        }
        assert_eq!((stats.received(), stats.lost(), stats.duplicates()), (290, 10, 0));
    }

    #[test]
    fn a_shuffled_stream_with_losses_counts_exactly() {
        let mut rng = Rng::from_number(3);
        for _ in 0..200 {
            let first = rng.bits() as u16;
            let total = 400u16;
            let mut kept: Vec<u16> = (0..total).filter(|n| *n < 20 || *n == total - 1 || rng.below(10) != 0).collect();
            let missing = u64::from(total) - kept.len() as u64;
            let middle = 20..kept.len() - 1;
            for block in kept[middle].chunks_mut(20) {
                let length = block.len() as u64;
                (0..block.len()).for_each(|place| block.swap(place, rng.below(length) as usize));
            }
            let (received, lost, duplicates) = counted(kept.iter().map(|n| first.wrapping_add(*n)));
            assert_eq!((received, lost, duplicates), (kept.len() as u64, missing, 0));
        }
    }
}
