//! What systemd is told by the program as it runs: that it is ready, that it is alive, that it ends (sd_notify(3)).

#![allow(clippy::unwrap_used)] // A test's helpers may fail the test.

#[path = "support/uninterrupted.rs"]
mod uninterrupted;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use uninterrupted::uninterrupted;

/// A folder that goes away, and an exchange that is ended, with the test.
struct Service {
    folder: PathBuf,
    manager: UnixDatagram,
    child: Child,
}

impl Service {
    /// Starts the exchange as a unit with a watchdog of 600 ms would.
    fn start(name: &str) -> Service {
        let folder = std::env::temp_dir().join(format!("strowger-service-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let sip = format!("[general]\nudpbindaddr={free}\n");
        let sip = sip + "[a]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\n";
        fs::write(folder.join("sip.conf"), sip).unwrap();
        fs::write(folder.join("extensions.conf"), "[default]\nexten => 1,1,Answer()\n").unwrap();
        // Nothing of a test stays on the machine.
        fs::write(folder.join("strowger.toml"), "[state]\nfolder = 'state'\n").unwrap();
        let manager = UnixDatagram::bind(folder.join("notify")).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .args(["run", "-C"])
            .arg(&folder)
            .arg("--socket")
            .arg(folder.join("ctl"))
            .env("NOTIFY_SOCKET", folder.join("notify"))
            .env("WATCHDOG_USEC", "600000")
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        Service { folder, manager, child }
    }

    fn told(&self) -> String {
        let mut buffer = [0; 4096];
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let received = uninterrupted(|| self.manager.recv(&mut buffer))
            .map_err(|error| format!("nothing was told: {error}\n{}", log()));
        String::from_utf8_lossy(&buffer[..received.unwrap()]).trim_end().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn ready_alive_and_ending() {
    let mut service = Service::start("life");
    let ready = service.told();
    assert!(ready.starts_with("READY=1\nSTATUS=listens on 127.0.0.1:"), "{ready}");
    // Ready means that consoles are answered, too.
    assert!(service.folder.join("ctl").exists());
    for _ in 0..3 {
        assert_eq!(service.told(), "WATCHDOG=1");
    }
    let pid = rustix::process::Pid::from_child(&service.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let mut last = service.told();
    while last == "WATCHDOG=1" {
        last = service.told();
    }
    assert_eq!(last, "STOPPING=1");
    assert!(service.child.wait().unwrap().success());
}

#[test]
fn a_restart_is_no_end() {
    let service = Service::start("restart");
    assert!(service.told().starts_with("READY=1"));
    let asked = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .arg("--socket")
        .arg(service.folder.join("ctl"))
        .args(["-rx", "core restart now"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(asked.status.success(), "{asked:?}");
    // It goes on as the same process: whoever was told that it stops would end it.
    let mut next = service.told();
    while next == "WATCHDOG=1" {
        next = service.told();
    }
    assert!(next.starts_with("READY=1"), "{next}");
    assert_eq!(service.told(), "WATCHDOG=1");
}
