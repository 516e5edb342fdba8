//! A network of its own for a story: telephones' software wants an address that is not the loopback's.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The exchange's address there and the telephones', too (RFC 5737, RFC 3849).
pub const ADDRESS: &str = "192.0.2.1";
pub const ADDRESS_V6: &str = "2001:db8::1";
/// The address of a proxy in front of the exchange.
pub const PROXY: &str = "192.0.2.2";

/// A network namespace, gone with the value.
pub struct Namespace {
    pub name: String,
}

impl Namespace {
    /// Makes one, or says why that is not possible here.
    pub fn new() -> Result<Namespace, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sw{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name])?;
        // From here on it is taken away again, whatever fails.
        let namespace = Namespace { name };
        let inside = |words: &[&str]| ip(&[&["-n", &namespace.name], words].concat());
        inside(&["link", "set", "lo", "up"])?;
        inside(&["link", "add", "v0", "type", "veth", "peer", "name", "v1"])?;
        inside(&["addr", "add", &format!("{ADDRESS}/24"), "dev", "v0"])?;
        inside(&["addr", "add", &format!("{PROXY}/24"), "dev", "v0"])?;
        inside(&["addr", "add", &format!("{ADDRESS_V6}/64"), "dev", "v0", "nodad"])?;
        inside(&["link", "set", "v1", "up"])?;
        inside(&["link", "set", "v0", "up"])?;
        // linphone takes a machine without a way out for one without a network.
        inside(&["route", "add", "default", "dev", "v0"])?;
        inside(&["-6", "route", "add", "default", "dev", "v0"])?;
        Ok(namespace)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(why) }
}
