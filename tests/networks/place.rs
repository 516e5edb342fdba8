//! Places in a network: each is a network namespace, gone with the value. A wire joins them, a router hides some.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::exchange::Exchange;
use crate::phones::{Line, Phones};
use crate::skip::{installed, skip_unless_required};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace. Its name is also that of its end of a wire.
pub struct Place {
    name: String,
}

impl Place {
    /// A place with nothing but its loopback.
    pub fn new() -> Result<Place, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("n{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name])?;
        // From here on it is taken away again, whatever fails.
        let place = Place { name };
        place.ip("link set lo up")?;
        Ok(place)
    }

    /// A wire that joins places; `address` is its own on it, with the length of its net.
    pub fn wire(address: Option<&str>) -> Result<Place, String> {
        let place = Place::new()?;
        place.ip("link add wire type bridge")?;
        if let Some(address) = address {
            place.ip(&format!("addr add {address} dev wire"))?;
        }
        place.ip("link set wire up")?;
        Ok(place)
    }

    /// A place on this wire with these addresses, with the length of their net each.
    pub fn on(wire: &Place, addresses: &[&str]) -> Result<Place, String> {
        let place = Place::new()?;
        place.join(wire, "eth", addresses)?;
        Ok(place)
    }

    /// Puts an interface of its own on a wire.
    pub fn join(&self, wire: &Place, interface: &str, addresses: &[&str]) -> Result<(), String> {
        // At most 15 letters.
        let end = format!("to{}", self.name.split_once('x').map_or("", |(_, number)| number));
        wire.ip(&format!("link add {end} type veth peer name {interface} netns {}", self.name))?;
        wire.ip(&format!("link set {end} master wire up"))?;
        for address in addresses {
            self.ip(&format!("addr add {address} dev {interface}"))?;
        }
        self.ip(&format!("link set {interface} up"))
    }

    /// A router between this wire, where it has `outside`, and a wire of its own, where it has `inside`.
    pub fn router(wire: &Place, outside: &str, inside: &str) -> Result<Place, String> {
        let router = Place::wire(Some(inside))?;
        router.join(wire, "wan", &[outside])?;
        router.set("net/ipv4/ip_forward", "1")?;
        Ok(router)
    }

    /// Behind a router: a place there whose way out it is.
    pub fn behind(router: &Place, addresses: &[&str], gateway: &str) -> Result<Place, String> {
        let place = Place::on(router, addresses)?;
        place.ip(&format!("route add default via {gateway}"))?;
        Ok(place)
    }

    /// `ip` with these words, in here.
    pub fn ip(&self, words: &str) -> Result<(), String> {
        let words: Vec<&str> = ["-n", &self.name].into_iter().chain(words.split(' ')).collect();
        ip(&words)
    }

    /// Reads these rules of nftables.
    pub fn filter(&self, rules: &str) -> Result<(), String> {
        self.inside(|| run(Command::new("nft").args(["-f", "-"]), rules))
    }

    /// Forgets all connections that it translates.
    pub fn forget(&self) {
        self.inside(|| run(Command::new("conntrack").arg("-F"), "")).unwrap();
    }

    /// Sets a value of the kernel.
    pub fn set(&self, name: &str, value: &str) -> Result<(), String> {
        self.inside(|| fs::write(format!("/proc/sys/{name}"), value)).map_err(|error| format!("{name}: {error}"))
    }

    /// Does something in here: what sockets it opens, and what processes it starts, stay here.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = || {
                let space = File::open(format!("/run/netns/{}", self.name)).unwrap();
                move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                act()
            };
            scope.spawn(inside).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// An exchange in here, at this address, with these files.
    pub fn exchange(&self, story: &str, at: &str, sip_conf: &str, extensions: &str) -> Exchange {
        let at: SocketAddr = at.parse().unwrap();
        let mut exchange = Exchange::prepare(story, at);
        exchange.write("sip.conf", sip_conf);
        exchange.write("extensions.conf", extensions);
        self.run(&mut exchange);
        exchange
    }

    /// Starts an exchange in here.
    pub fn run(&self, exchange: &mut Exchange) {
        self.inside(|| exchange.run(|_| {}));
    }

    /// A telephone in here; its number among these.
    pub fn phone(&self, phones: &mut Phones, address: &str, account: &str, exchange: SocketAddr) -> usize {
        self.phone_at(phones, (address, 0), account, exchange)
    }

    /// The same at a port of SIP.
    pub fn phone_at(
        &self,
        phones: &mut Phones,
        (address, port): (&str, u16),
        account: &str,
        exchange: SocketAddr,
    ) -> usize {
        let own: Ipv4Addr = address.parse().unwrap();
        let index = phones.lines.len();
        let seed = u64::try_from(index).unwrap() + 1;
        phones.lines.push(self.inside(|| Line::new((own, port), account, exchange, seed)));
        index
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// What is made for a story; none, and skipped by name, where that cannot be done.
pub fn network<T>(story: &str, programs: &[&str], make: impl FnOnce() -> Result<T, String>) -> Option<T> {
    let missing = ["ip", "nft"].iter().chain(programs).find(|program| !installed(program));
    let made = match missing {
        Some(program) => Err(format!("{program}: not installed")),
        None => Place::new().map_err(|why| format!("no network namespaces: {why}")).map(drop),
    };
    match made {
        // What a story's own network lacks is a fault of the story.
        Ok(()) => Some(make().unwrap_or_else(|why| panic!("{story}: {why}"))),
        Err(why) => {
            skip_unless_required(story, &why);
            None
        }
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    run(Command::new("ip").args(words), "")
}

fn run(command: &mut Command, input: &str) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    child
        .stdin
        .take()
        .map_or(Ok(()), |mut pipe| pipe.write_all(input.as_bytes()))
        .map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {why}")) }
}
