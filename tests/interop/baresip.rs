//! Telephones played by baresip, which wants an address that is not the loopback's: they live in a network namespace.

use std::process::{Child, Command, Stdio};

use crate::exchange::{Exchange, command, free_port};

/// The address everything in the namespace has (RFC 5737).
pub const ADDRESS: &str = "192.0.2.1";

/// A network namespace with one address, gone with the value.
pub struct Namespace {
    pub name: String,
}

impl Namespace {
    /// Makes one, or says why that is not possible here.
    pub fn new(prefix: &str) -> Result<Namespace, String> {
        let name = format!("{prefix}{}", std::process::id());
        ip(&["netns", "add", &name])?;
        // From here on it is taken away again, whatever fails.
        let namespace = Namespace { name };
        let inside = |words: &[&str]| ip(&[&["-n", &namespace.name], words].concat());
        inside(&["link", "set", "lo", "up"])?;
        inside(&["link", "add", "v0", "type", "veth", "peer", "name", "v1"])?;
        inside(&["addr", "add", &format!("{ADDRESS}/24"), "dev", "v0"])?;
        inside(&["link", "set", "v1", "up"])?;
        inside(&["link", "set", "v0", "up"])?;
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

/// A running baresip: it registers, answers by itself, and sends a tone.
pub struct Baresip {
    child: Child,
}

impl Baresip {
    /// Starts one, which carries out `first` (nothing: waits for calls).
    pub fn start(exchange: &Exchange, line: (&str, &str), first: &str) -> Baresip {
        let (user, secret) = line;
        let folder = exchange.folder.join(format!("baresip-{user}-{}", free_port()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "sip_listen {ADDRESS}:{}\ncall_max_calls 4\naudio_source ausine,440\nausrc_srate 48000\nausrc_channels 2\nrtp_ports {}-{}\n\
             module_path {}\nmodule g711.so\nmodule ausine.so\n\
             module_app account.so\nmodule_app menu.so\n",
            free_port(),
            if user == "alice" { 40_000 } else { 41_000 },
            if user == "alice" { 40_999 } else { 41_999 },
            modules(),
        );
        let account = format!(
            "<sip:{user}@{}:{}>;auth_user={user};auth_pass={secret};answermode=auto;regint=60;audio_codecs=PCMU/8000/1\n",
            exchange.address, exchange.port
        );
        for (name, text) in [("config", config.as_str()), ("accounts", &account), ("contacts", ""), ("uuid", "0")] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let output = std::fs::File::create(folder.join("output")).unwrap();
        let mut command = command(exchange.namespace(), "baresip");
        command.arg("-f").arg(&folder).args(["-t", "60"]);
        if !first.is_empty() {
            command.args(["-e", first]);
        }
        let child = command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        Baresip { child }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // Asked first, so that it hangs up and gives its registration back.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let ended = crate::exchange::wait(std::time::Duration::from_secs(3), || {
            self.child.try_wait().is_ok_and(|status| status.is_some())
        });
        if !ended {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn modules() -> &'static str {
    let places =
        ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];
    places.into_iter().find(|place| std::path::Path::new(place).is_dir()).unwrap_or(places[0])
}
