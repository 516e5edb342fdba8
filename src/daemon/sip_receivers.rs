//! The threads that receive SIP, as services: UDP, and TCP with TLS.

use super::certificates;
use super::order::Console;
use super::service::Service;
use super::sink::Sink;
use super::threads::ThreadGuard;
use crate::config::Config;
use crate::config::general::General;
use crate::event::{Level, LogLine};
use crate::net::ingress::Ingress;
use crate::net::stream::{Limits, Listeners, Streams, tls};
use crate::net::stun_desk::StunDesk;
use crate::net::udp::{Datagrams, Receiver};
use crate::net::wakeup::Wakeup;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Receives SIP over UDP.
pub(super) struct UdpService {
    /// The receiver and the guard of its thread, until it is started.
    prepared: Option<(Receiver, ThreadGuard)>,
    over: Wakeup,
    thread: Option<JoinHandle<()>>,
}

impl UdpService {
    /// Prepares the thread.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn new(
        datagrams: Arc<Datagrams>,
        ingress: Ingress,
        stun: Arc<StunDesk>,
        guard: ThreadGuard,
    ) -> io::Result<UdpService> {
        let over = Wakeup::new()?;
        let receiver = Receiver { datagrams, ingress, stun, over: over.clone() };
        Ok(UdpService { prepared: Some((receiver, guard)), over, thread: None })
    }
}

impl Service for UdpService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        if let Some((receiver, guard)) = self.prepared.take() {
            let run = move || {
                let _guard = guard;
                receiver.run();
            };
            self.thread = Some(std::thread::Builder::new().name("sip-udp".into()).spawn(run)?);
        }
        Ok(())
    }

    /// The socket stays what it is; what is received meets the core thread's new table of accounts.
    fn renew(&mut self, _: &Config) {}

    fn stop(&mut self) {
        self.over.signal();
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// Serves SIP over TCP and TLS.
pub(super) struct StreamService {
    streams: Arc<Streams>,
    /// The guard of its thread, until it is started.
    guard: Option<ThreadGuard>,
    sink: Sink,
}

impl StreamService {
    /// Prepares the thread.
    ///
    /// # Errors
    /// The system refuses what it needs.
    pub(super) fn new(
        listeners: Listeners,
        config: &Config,
        sink: Sink,
        ingress: Ingress,
        guard: ThreadGuard,
    ) -> io::Result<StreamService> {
        let streams = Streams::new(listeners, ingress, limits(&config.sip.general), read_tls(config, &sink))?;
        Ok(StreamService { streams: Arc::new(streams), guard: Some(guard), sink })
    }

    /// The connections, which the core thread sends through.
    pub(super) fn streams(&self) -> Arc<Streams> {
        self.streams.clone()
    }
}

impl Service for StreamService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        self.streams.start(self.guard.take())
    }

    /// Limits and certificates are for the connections to come.
    fn renew(&mut self, config: &Config) {
        self.streams.renew(limits(&config.sip.general), read_tls(config, &self.sink));
    }

    fn stop(&mut self) {
        self.streams.stop();
    }
}

fn limits(general: &General) -> Limits {
    Limits { auth_timeout: general.streams.auth_timeout, auth_limit: general.streams.auth_limit }
}

/// The certificate and key for TLS. A file that cannot be used is logged with the line that names it; all else goes on.
fn read_tls(config: &Config, sink: &Sink) -> Option<tls::Setup> {
    let tls = config.sip.general.streams.tls.as_ref()?;
    match tls::Setup::read(&certificates::files(&config.source, tls)) {
        Ok(setup) => Some(setup),
        Err(why) => {
            let text = format!("{}: the new TLS certificate cannot be used: {why}; repair it and reload", tls.place);
            sink(&LogLine { level: Level::Error, text });
            None
        }
    }
}
