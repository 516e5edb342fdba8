//! Packets received, lost and duplicated in an incoming stream, by its sequence numbers (RFC 3550 A.1 and A.3).

use super::is_after;

/// A jump ahead by this much or more is a sender that restarted, not a gap (RFC 3550 A.1, MAX_DROPOUT).
const DROPOUT: u16 = 3_000;

/// How many sequence numbers behind the highest are remembered one by one.
const WINDOW: u16 = 128;

/// Counts over one incoming stream, across changes of its SSRC.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    received: u64,
    lost: u64,
    duplicates: u64,
    current: Option<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    ssrc: u32,
    highest: u16,
    /// Bit n: the packet n behind the highest has come.
    seen: u128,
    /// How far behind the highest the first packet lies.
    span: u32,
    /// The sequence number after one that jumped: when it comes, the sender has restarted.
    restart: Option<u16>,
}

impl Stats {
    /// Counts an accepted packet.
    pub fn record(&mut self, ssrc: u32, sequence: u16) {
        self.received = self.received.saturating_add(1);
        match &mut self.current {
            Some(current) if current.ssrc == ssrc => {
                if is_after(sequence, current.highest) {
                    self.advance(sequence);
                } else {
                    self.look_back(sequence);
                }
            }
            // RFC 3550 A.1 (init_seq): a new source is counted from its first packet.
            Some(_) | None => self.current = Some(Current::new(ssrc, sequence)),
        }
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

    fn advance(&mut self, sequence: u16) {
        let Some(current) = &mut self.current else { return };
        let step = sequence.wrapping_sub(current.highest);
        if step >= DROPOUT {
            self.jump(sequence);
            return;
        }
        current.seen = current.seen.checked_shl(u32::from(step)).unwrap_or(0) | 1;
        current.span = current.span.saturating_add(u32::from(step));
        current.highest = sequence;
        current.restart = None;
        self.lost = self.lost.saturating_add(u64::from(step.saturating_sub(1)));
    }

    fn look_back(&mut self, sequence: u16) {
        let Some(current) = &mut self.current else { return };
        let behind = current.highest.wrapping_sub(sequence);
        if behind >= WINDOW {
            self.jump(sequence);
            return;
        }
        // Overtaken by the first packet: it was never counted as missing.
        if u32::from(behind) > current.span {
            return;
        }
        let bit = 1u128 << behind;
        if current.seen & bit != 0 {
            self.duplicates = self.duplicates.saturating_add(1);
        } else {
            current.seen |= bit;
            self.lost = self.lost.saturating_sub(1);
        }
    }

    /// RFC 3550 A.1: two packets in sequence far from the rest are a sender that restarted; a single one is ignored.
    fn jump(&mut self, sequence: u16) {
        let Some(current) = &mut self.current else { return };
        if current.restart == Some(sequence) {
            *current = Current::new(current.ssrc, sequence);
        } else {
            current.restart = Some(sequence.wrapping_add(1));
        }
    }
}

impl Current {
    fn new(ssrc: u32, sequence: u16) -> Current {
        Current { ssrc, highest: sequence, seen: 1, span: 0, restart: None }
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
