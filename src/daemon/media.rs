//! The media thread as a service.

use super::order::{Console, Order};
use super::service::Service;
use super::threads::ThreadGuard;
use crate::config::Config;
use crate::config::general::General;
use crate::media::{Media, MediaSettings};
use crate::pbx::effect::Input;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// The media thread, which the core thread sends its commands to.
pub(super) struct MediaService(Arc<Media>);

impl MediaService {
    /// Prepares the thread; its reports go to the core thread.
    ///
    /// # Errors
    /// As [`Media::new`].
    pub(super) fn new(
        config: &Config,
        seed: [u8; 32],
        orders: SyncSender<Order>,
        guard: ThreadGuard,
    ) -> io::Result<MediaService> {
        let settings = MediaSettings { ports: ports(config), dscp: dscp(&config.sip.general), seed };
        let media = Media::new(settings, move |event| {
            // The thread owns this closure, and with it the guard, as long as it runs.
            let _guard = &guard;
            // No report is lost: when the queue is full, media waits until the core thread has taken the next order.
            drop(orders.send(Order::Input(Box::new(Input::Media(event)))));
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

/// The code point of `tos_audio`; 0 is what sockets have anyway.
fn dscp(general: &General) -> Option<u8> {
    Some(general.tos_audio >> 2).filter(|dscp| *dscp != 0)
}

#[cfg(test)]
mod tests {
    use super::super::threads::{Thread, monitor};
    use super::*;
    use crate::pbx::media::{MediaCommand, StreamId, StreamKind};
    use crate::pbx::switch::Stopping;
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    #[test]
    fn a_media_thread_that_waits_for_room_in_the_queue_does_not_hold_up_the_stop() {
        let (orders, inbox) = sync_channel(1);
        orders.send(Order::Stop(Stopping::Now)).unwrap();
        let mut config = Config::from_texts("", "", "", "").0.unwrap();
        (config.rtp.port_first, config.rtp.port_last) = (42_600, 42_619);
        let (threads, mut ends) = monitor();
        let mut service = MediaService::new(&config, [1; 32], orders.clone(), threads.guard(Thread::Media)).unwrap();
        service.start(&Console::new(orders)).unwrap();
        service.media().send(MediaCommand::Reserve {
            stream: StreamId(1),
            local: "127.0.0.1".parse().unwrap(),
            kind: StreamKind::Rtp,
        });
        // Long enough for it to find the queue full.
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(ends.try_next(), None);
        let (done, is_done) = sync_channel(1);
        std::thread::spawn(move || {
            // As the end of the core thread does.
            drop(inbox);
            service.stop();
            done.send(()).unwrap();
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(5)), Ok(()));
        assert_eq!(ends.try_next().map(|end| end.panicked), Some(false));
    }
}
