//! Samples that wait between packets that come when they come and a mix that takes some every 20 ms.

use crate::rtp::is_after;
use std::collections::VecDeque;

/// Samples that a mix takes at once: 20 ms.
pub(super) const TICK: usize = 160;

/// Packets that wait at most; of more the oldest samples are dropped, so that what is heard is never older.
const MAX_PACKETS: usize = 3;

/// No packet is longer: 200 ms.
const LONGEST: usize = 1_600;

/// One late by more than this comes from a sender that has begun anew.
const LATE: u16 = 128;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct SampleQueue {
    samples: VecDeque<i16>,
    /// Samples in the latest packet.
    packet: usize,
    /// It had enough to begin with, and has not run dry since.
    flows: bool,
    /// The latest packet: SSRC and sequence number.
    latest: Option<(u32, u16)>,
}

impl SampleQueue {
    /// A packet came. One that is late, or came before, is left out.
    pub(super) fn put(&mut self, (ssrc, sequence): (u32, u16), samples: impl ExactSizeIterator<Item = i16>) {
        let is_late = |(of, latest): (u32, u16)| {
            of == ssrc && !is_after(sequence, latest) && latest.wrapping_sub(sequence) < LATE
        };
        if self.latest.is_some_and(is_late) {
            return;
        }
        self.latest = Some((ssrc, sequence));
        self.push(samples);
    }

    /// Samples come that follow those before.
    pub(super) fn push(&mut self, samples: impl ExactSizeIterator<Item = i16>) {
        self.packet = samples.len().min(LONGEST);
        self.samples.extend(samples.take(LONGEST));
        let most = self.packet.max(TICK).saturating_mul(MAX_PACKETS);
        let surplus = self.samples.len().saturating_sub(most);
        self.samples.drain(..surplus);
    }

    /// The next samples, with silence where there are none; false: it is silence alone. It begins with one packet in
    /// reserve, so that one that is a little late is not missed.
    pub(super) fn take(&mut self, frame: &mut [i16]) -> bool {
        if !self.flows && self.samples.len() < self.packet.saturating_add(frame.len()) {
            frame.fill(0);
            return false;
        }
        let there = frame.len().min(self.samples.len());
        self.flows = there == frame.len();
        for (slot, sample) in frame.iter_mut().zip(self.samples.drain(..there).chain(std::iter::repeat(0))) {
            *slot = sample;
        }
        there > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(value: i16) -> std::vec::IntoIter<i16> {
        vec![value; 160].into_iter()
    }

    fn next(queue: &mut SampleQueue) -> Option<i16> {
        let mut frame = [7; TICK];
        let heard = queue.take(&mut frame);
        assert!(frame.iter().all(|sample| *sample == frame[0]));
        heard.then_some(frame[0])
    }

    #[test]
    fn it_begins_with_a_packet_in_reserve_and_again_when_it_ran_dry() {
        let mut queue = SampleQueue::default();
        queue.put((1, 1), packet(1));
        assert_eq!(next(&mut queue), None);
        queue.put((1, 2), packet(2));
        assert_eq!((next(&mut queue), next(&mut queue), next(&mut queue)), (Some(1), Some(2), None));
        queue.put((1, 3), packet(3));
        assert_eq!(next(&mut queue), None);
        queue.put((1, 4), packet(4));
        assert_eq!(next(&mut queue), Some(3));
    }

    #[test]
    fn what_nobody_takes_does_not_grow() {
        let mut queue = SampleQueue::default();
        (0..100).for_each(|number| queue.put((1, number), packet(number as i16)));
        assert_eq!((next(&mut queue), next(&mut queue), next(&mut queue)), (Some(97), Some(98), Some(99)));
        queue.push(vec![1; 100_000].into_iter());
        assert!(queue.samples.len() <= LONGEST * MAX_PACKETS);
    }

    #[test]
    fn late_ones_and_repetitions_are_left_out_and_a_sender_may_begin_anew() {
        let mut queue = SampleQueue::default();
        for number in [10, 9, 10, 11] {
            queue.put((1, number), packet(number as i16));
        }
        assert_eq!((next(&mut queue), next(&mut queue), next(&mut queue)), (Some(10), Some(11), None));
        queue.put((1, 40_000), packet(1));
        queue.put((2, 5), packet(2));
        assert_eq!((next(&mut queue), next(&mut queue)), (Some(1), Some(2)));
    }
}
