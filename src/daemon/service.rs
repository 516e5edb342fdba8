//! What runs beside the switch: services, started in order, told of every new configuration, stopped in reverse order.

use super::order::Console;
use crate::config::Config;
use std::io;

/// A service: something that the daemon starts beside the switch and stops after it, usually a thread with its sockets.
///
/// What it needs beyond the console it is given when it is made.
pub trait Service: Send {
    /// Starts it. `console` carries commands to the switch, which answers them once it runs.
    ///
    /// # Errors
    /// It cannot run: why, and what to do. Whatever it had begun is undone.
    fn start(&mut self, console: &Console) -> io::Result<()>;

    /// Takes over what it can of a new configuration, which the switch has already. Called outside of the switch's
    /// thread: it may read files.
    fn renew(&mut self, config: &Config);

    /// Stops it and waits until it has ended, unless that may take long. Called once, after the switch has ended.
    fn stop(&mut self);
}

/// The services that run, in the order of their start. Dropped, it stops them.
#[derive(Default)]
pub(super) struct Services(Vec<Box<dyn Service>>);

impl Services {
    /// Starts all of them in order. When one fails, those before it are stopped.
    ///
    /// # Errors
    /// That of the service that failed.
    pub(super) fn start(services: Vec<Box<dyn Service>>, console: &Console) -> io::Result<Services> {
        let mut started = Services::default();
        for mut service in services {
            service.start(console)?;
            started.0.push(service);
        }
        Ok(started)
    }

    /// Tells all of them of a new configuration, in the order of their start.
    pub(super) fn renew(&mut self, config: &Config) {
        for service in &mut self.0 {
            service.renew(config);
        }
    }

    /// Stops all of them in reverse order.
    pub(super) fn stop(&mut self) {
        while let Some(mut service) = self.0.pop() {
            service.stop();
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;
    use std::sync::{Arc, Mutex};

    type Calls = Arc<Mutex<Vec<String>>>;

    /// Writes down how it is called.
    struct Fake {
        name: &'static str,
        fails: bool,
        calls: Calls,
    }

    impl Fake {
        fn call(&self, what: &str) {
            self.calls.lock().unwrap().push(format!("{what} {}", self.name));
        }
    }

    impl Service for Fake {
        fn start(&mut self, _: &Console) -> io::Result<()> {
            self.call("start");
            if self.fails { Err(io::Error::other("no room")) } else { Ok(()) }
        }

        fn renew(&mut self, config: &Config) {
            self.call(&format!("renew {}", config.rtp.port_first));
        }

        fn stop(&mut self) {
            self.call("stop");
        }
    }

    fn fakes(calls: &Calls, failing: &str) -> Vec<Box<dyn Service>> {
        let fake = |name: &'static str| -> Box<dyn Service> {
            Box::new(Fake { name, fails: name == failing, calls: calls.clone() })
        };
        ["media", "udp", "control"].map(fake).into()
    }

    fn console() -> Console {
        Console::new(sync_channel(1).0)
    }

    #[test]
    fn services_are_started_and_renewed_in_order_and_stopped_in_reverse_order_once() {
        let calls = Calls::default();
        let mut services = Services::start(fakes(&calls, ""), &console()).unwrap();
        let mut config = Config::default();
        config.rtp.port_first = 7000;
        services.renew(&config);
        services.stop();
        services.renew(&config);
        drop(services);
        assert_eq!(
            *calls.lock().unwrap(),
            [
                "start media",
                "start udp",
                "start control",
                "renew 7000 media",
                "renew 7000 udp",
                "renew 7000 control",
                "stop control",
                "stop udp",
                "stop media"
            ]
        );
    }

    #[test]
    fn when_one_fails_those_before_it_are_stopped_and_those_after_it_never_started() {
        let calls = Calls::default();
        let error = Services::start(fakes(&calls, "udp"), &console()).err().unwrap();
        assert_eq!(error.to_string(), "no room");
        assert_eq!(*calls.lock().unwrap(), ["start media", "start udp", "stop media"]);
    }
}
