//! The way of the media thread's reports to the core thread, beside the queue that SIP fills: the media thread never
//! waits, and the core thread takes reports between messages.
//!
//! Reports that answer commands are as many as the commands. What comes of what is received, or is not (`Learned`;
//! `Silent` and `Heard`), has no such bound: of each stream the latest of either kind waits. Of digits, which nobody
//! asked for either, so many wait of each stream and of all together that the answers always find room.

use super::order::Order;
use crate::net::ingress::Counters;
use crate::pbx::media::{MediaEvent, StreamId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers that may wait: more than any number of channels asks for at once. Beyond, they are dropped and counted.
const MAX_WAITING: usize = 65_536;

/// Digits that may wait: of one stream, and of all.
const MAX_DIGITS: u16 = 32;
/// See [`MAX_DIGITS`].
const MAX_ALL_DIGITS: usize = 8_192;

/// The reports that wait for the core thread.
pub(super) struct MediaReports {
    waiting: Mutex<Waiting>,
    /// The core thread was woken for what waits, and has not looked since.
    is_signalled: AtomicBool,
    /// Wakes the core thread.
    orders: SyncSender<Order>,
    counters: Arc<Counters>,
}

/// What a report that nobody asked for is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Source,
    Silence,
}

/// What it is about, if nobody asked for it.
fn unasked(report: &MediaEvent) -> Option<(StreamId, Subject)> {
    match report {
        MediaEvent::Learned { stream, .. } => Some((*stream, Subject::Source)),
        MediaEvent::Silent { stream, .. } | MediaEvent::Heard { stream } => Some((*stream, Subject::Silence)),
        _ => None,
    }
}

#[derive(Default)]
struct Waiting {
    /// The latest of each stream that nobody asked for.
    unasked: BTreeMap<(StreamId, Subject), MediaEvent>,
    /// What answers commands, and digits.
    answers: VecDeque<MediaEvent>,
    /// How many digits of each stream are among them.
    digits: BTreeMap<StreamId, u16>,
    all_digits: usize,
}

impl Waiting {
    /// Takes a digit, if so many may wait.
    fn put_digit(&mut self, stream: StreamId, report: MediaEvent) -> bool {
        if self.all_digits >= MAX_ALL_DIGITS {
            return false;
        }
        let of_stream = self.digits.entry(stream).or_default();
        if *of_stream >= MAX_DIGITS {
            return false;
        }
        *of_stream += 1;
        self.all_digits += 1;
        self.answers.push_back(report);
        true
    }

    fn pop(&mut self) -> Option<MediaEvent> {
        let unasked = self.unasked.pop_first().map(|(_, report)| report);
        let report = unasked.or_else(|| self.answers.pop_front());
        if let Some(MediaEvent::Digit { stream, .. }) = &report {
            self.all_digits = self.all_digits.saturating_sub(1);
            let left = self.digits.get(stream).map_or(0, |number| number.saturating_sub(1));
            if left == 0 {
                self.digits.remove(stream);
            } else {
                self.digits.insert(*stream, left);
            }
        }
        report
    }

    /// How many answers wait.
    fn answers(&self) -> usize {
        self.answers.len().saturating_sub(self.all_digits)
    }
}

impl MediaReports {
    pub(super) fn new(orders: SyncSender<Order>, counters: Arc<Counters>) -> MediaReports {
        MediaReports { waiting: Mutex::default(), is_signalled: AtomicBool::new(false), orders, counters }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a report of the media thread; it never waits for anybody.
    pub(super) fn put(&self, report: MediaEvent) {
        let mut waiting = self.waiting();
        match (unasked(&report), &report) {
            (Some(subject), _) => drop(waiting.unasked.insert(subject, report)),
            (None, MediaEvent::Digit { stream, .. }) => {
                let stream = *stream;
                if !waiting.put_digit(stream, report) {
                    drop(waiting);
                    return self.counters.add("digit dropped: too many wait");
                }
            }
            (None, _) if waiting.answers() >= MAX_WAITING => {
                drop(waiting);
                return self.counters.add("media report dropped: too many wait");
            }
            (None, _) => waiting.answers.push_back(report),
        }
        drop(waiting);
        if !self.is_signalled.swap(true, Ordering::AcqRel) {
            // In a full queue there is enough to wake the core thread, and it looks here in every turn.
            let _ = self.orders.try_send(Order::Reports);
        }
    }

    /// The next report. A source was learned, and a stream silent or heard, before the stream was released.
    pub(super) fn take(&self) -> Option<MediaEvent> {
        let mut waiting = self.waiting();
        let report = waiting.pop();
        if report.is_none() {
            // Under the lock: whatever comes from here on signals again.
            self.is_signalled.store(false, Ordering::Release);
        }
        report
    }

    /// Is there none?
    pub(super) fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.unasked.is_empty() && waiting.answers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{TryRecvError, sync_channel};

    fn played(stream: u64, play: u64) -> MediaEvent {
        MediaEvent::Played { stream: StreamId(stream), play }
    }

    fn learned(stream: u64, port: u16) -> MediaEvent {
        MediaEvent::Learned { stream: StreamId(stream), source: ([192, 0, 2, 1], port).into() }
    }

    #[test]
    fn reports_wake_once_come_in_order_and_of_a_learned_source_the_latest() {
        let (orders, inbox) = sync_channel(4);
        let reports = MediaReports::new(orders, Arc::default());
        for port in 1..1_000 {
            reports.put(learned(7, port));
        }
        (1..=3).for_each(|play| reports.put(played(1, play)));
        assert!(matches!(inbox.try_recv(), Ok(Order::Reports)));
        assert!(matches!(inbox.try_recv(), Err(TryRecvError::Empty)), "once for all that wait");
        let all: Vec<MediaEvent> = std::iter::from_fn(|| reports.take()).collect();
        assert_eq!(all, [learned(7, 999), played(1, 1), played(1, 2), played(1, 3)]);
        reports.put(played(1, 4));
        assert!(matches!(inbox.try_recv(), Ok(Order::Reports)), "again for what comes later");
        assert!(!reports.is_empty() && reports.take() == Some(played(1, 4)) && reports.is_empty());
    }

    /// A telephone whose packets come once a minute is silent and heard in turn for ever, while the core thread is busy.
    #[test]
    fn of_silence_and_sound_the_latest_of_each_stream_waits() {
        let reports = MediaReports::new(sync_channel(1).0, Arc::default());
        let silent =
            |stream: u64| MediaEvent::Silent { stream: StreamId(stream), lasting: std::time::Duration::from_secs(30) };
        let heard = |stream: u64| MediaEvent::Heard { stream: StreamId(stream) };
        for _ in 0..1_000 {
            [silent(1), heard(1), heard(2), silent(2)].into_iter().for_each(|report| reports.put(report));
        }
        reports.put(learned(1, 5));
        let all: Vec<MediaEvent> = std::iter::from_fn(|| reports.take()).collect();
        assert_eq!(all, [learned(1, 5), heard(1), silent(2)]);
    }

    /// However many telephones press however many keys while the core thread is busy: the end of a sound finds room.
    #[test]
    fn digits_wait_within_a_bound_of_each_stream_and_in_order_with_what_ends() {
        let counters = Arc::<Counters>::default();
        let reports = MediaReports::new(sync_channel(1).0, counters.clone());
        let digit = |stream: u64| MediaEvent::Digit { stream: StreamId(stream), digit: '5' };
        for stream in 0..10_000 {
            (0..100).for_each(|_| reports.put(digit(stream)));
        }
        (0..MAX_WAITING as u64).for_each(|play| reports.put(played(1, play)));
        assert_eq!(counters.all(), [("digit dropped: too many wait", 1_000_000 - MAX_ALL_DIGITS as u64)]);
        let all: Vec<MediaEvent> = std::iter::from_fn(|| reports.take()).collect();
        assert_eq!(all.len(), MAX_ALL_DIGITS + MAX_WAITING);
        assert!(all[..MAX_ALL_DIGITS].chunks(32).enumerate().all(|(n, of)| of == vec![digit(n as u64); 32]));
        let waiting = reports.waiting();
        assert!(waiting.digits.is_empty() && waiting.all_digits == 0);
        drop(waiting);
        reports.put(digit(1));
        assert_eq!(reports.take(), Some(digit(1)));
    }

    #[test]
    fn what_nobody_takes_is_counted_beyond_a_bound() {
        let counters = Arc::<Counters>::default();
        let reports = MediaReports::new(sync_channel(1).0, counters.clone());
        for play in 0..u64::try_from(MAX_WAITING).unwrap() + 5 {
            reports.put(played(1, play));
        }
        assert_eq!(counters.all(), [("media report dropped: too many wait", 5)]);
    }
}
