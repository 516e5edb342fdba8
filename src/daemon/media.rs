//! The media thread as a service.

use super::media_reports::MediaReports;
use super::order::Console;
use super::service::Service;
use super::threads::ThreadGuard;
use crate::config::Config;
use crate::config::general::General;
use crate::event::LogLine;
use crate::media::{LEVEL, Media, MediaSettings, Priority};
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The media thread, which the core thread sends its commands to.
pub(super) struct MediaService(Arc<Media>);

impl MediaService {
    /// Prepares the thread.
    ///
    /// # Errors
    /// As [`Media::new`].
    pub(super) fn new(
        config: &Config,
        seed: [u8; 32],
        reports: Arc<MediaReports>,
        guard: ThreadGuard,
    ) -> io::Result<MediaService> {
        let settings = MediaSettings { ports: ports(config), dscp: dscp(&config.sip.general), seed };
        let media = Media::new(settings, move |event| {
            // The thread owns this closure, and with it the guard, as long as it runs.
            let _guard = &guard;
            reports.put(event);
        })?;
        Ok(MediaService(Arc::new(media)))
    }

    /// Where commands are sent.
    pub(super) fn media(&self) -> Arc<Media> {
        self.0.clone()
    }
}

impl Service for MediaService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        self.0.start()
    }

    fn renew(&mut self, config: &Config) {
        self.0.set_ports(ports(config), dscp(&config.sip.general));
    }

    fn stop(&mut self) {
        self.0.stop();
    }
}

fn ports(config: &Config) -> RangeInclusive<u16> {
    config.rtp.port_first..=config.rtp.port_last
}

/// The start's own line of it: a notice when sound waits behind other programs.
pub(super) fn begins(had: &Priority) -> LogLine {
    let text = format!("The thread that forwards sound has {}", priority(had));
    match had {
        Priority::RealTime { .. } => LogLine::verbose(4, text),
        Priority::Ordinary(_) | Priority::GivenBack | Priority::Unknown => LogLine::notice(text),
    }
}

/// What the thread had of the system, and how to get more.
pub(super) fn priority(priority: &Priority) -> String {
    match priority {
        Priority::Unknown => "not started".to_owned(),
        Priority::RealTime { memory_locked: true } => format!("real-time priority {LEVEL}, its memory is locked"),
        Priority::RealTime { memory_locked: false } => format!(
            "real-time priority {LEVEL}; its memory may be swapped out (LimitMEMLOCK=infinity in the unit, or ulimit -l unlimited, \
             keeps it)"
        ),
        Priority::Ordinary(why) => format!(
            "ordinary priority, sound waits when the machine is busy: {why} (LimitRTPRIO={LEVEL} in the unit, or ulimit -r {LEVEL}, \
             allows more)"
        ),
        Priority::GivenBack => "ordinary priority for now: it took too much of the only processor".to_owned(),
    }
}

/// The code point of `tos_audio`; 0 is what sockets have anyway.
fn dscp(general: &General) -> Option<u8> {
    Some(general.tos_audio >> 2).filter(|dscp| *dscp != 0)
}

#[cfg(test)]
mod tests {
    use super::super::order::Order;
    use super::super::threads::{Thread, monitor};
    use super::*;
    use crate::pbx::media::{MediaCommand, MediaEvent, StreamId, StreamKind};
    use crate::pbx::switch::Stopping;
    use std::net::IpAddr;
    use std::sync::mpsc::sync_channel;
    use std::time::{Duration, Instant};

    /// The queue that SIP fills is full, and nobody takes anything out of it.
    #[test]
    fn the_start_says_it_when_sound_waits_behind_others_and_what_to_do() {
        let line = begins(&Priority::Ordinary("Operation not permitted".to_owned()));
        assert_eq!(line.level, crate::event::Level::Notice);
        assert!(line.text.contains("(LimitRTPRIO=5 in the unit, or ulimit -r 5, allows more)"), "{}", line.text);
        assert_eq!(begins(&Priority::RealTime { memory_locked: true }).level, crate::event::Level::Verbose(4));
    }

    #[test]
    fn a_queue_full_of_sip_holds_up_neither_media_nor_its_reports() {
        let (orders, _inbox) = sync_channel(1);
        orders.send(Order::Stop(Stopping::Now)).unwrap();
        let mut config = Config::from_texts("", "", "", "").0.unwrap();
        (config.rtp.port_first, config.rtp.port_last) = (42_600, 42_639);
        let (threads, mut ends) = monitor();
        let reports = Arc::new(MediaReports::new(orders.clone(), Arc::default()));
        let guard = threads.guard(Thread::Media);
        let mut service = MediaService::new(&config, [1; 32], reports.clone(), guard).unwrap();
        service.start(&Console::new(orders)).unwrap();
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        for number in 1..=10 {
            service.media().send(MediaCommand::Reserve { stream: StreamId(number), local, kind: StreamKind::Rtp });
            service.media().send(MediaCommand::Release { stream: StreamId(number) });
        }
        let (mut bound, mut closed) = (0, 0);
        let start = Instant::now();
        while closed < 10 {
            assert!(start.elapsed() < Duration::from_secs(10), "{bound} bound, {closed} closed");
            match reports.take() {
                Some(MediaEvent::Reserved { .. }) => bound += 1,
                Some(MediaEvent::Released { .. }) => closed += 1,
                Some(other) => panic!("{other:?}"),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        assert_eq!((bound, ends.try_next()), (10, None));
        service.stop();
        assert_eq!(ends.try_next().map(|end| end.panicked), Some(false));
    }
}
