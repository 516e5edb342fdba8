//! The network: ports, the addresses phones are given, packets the kernel dropped.

use super::finding::Finding;
use super::proc::{self, UdpCounts, UdpSocket};
use super::process::{self, Process};
use crate::config::Config;
use crate::net::local_address;
use ipnetwork::Ipv4Network;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An address for documentation (RFC 5737): it takes the default route.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
/// Programs that take the ports of SIP, by the first 15 bytes of their names.
const SIP_PROGRAMS: [&str; 12] = [
    "asterisk",
    "baresip",
    "freeswitch",
    "kamailio",
    "linphone",
    "linphonec",
    "opensips",
    "pjsua",
    "rtpengine",
    "sipp",
    "twinkle",
    "yate",
];

/// The UDP sockets of this machine, and who holds them.
pub(super) struct Sockets {
    all: Vec<UdpSocket>,
    holders: BTreeMap<u64, Process>,
}

impl Sockets {
    /// Looks.
    pub(super) fn look(processes: &[Process]) -> Sockets {
        let read = |path: &str| fs::read_to_string(path).map(|text| proc::udp_sockets(&text)).unwrap_or_default();
        let all = [read("/proc/net/udp"), read("/proc/net/udp6")].concat();
        let inodes: BTreeSet<u64> = all.iter().map(|socket| socket.inode).collect();
        let holders = process::holders(processes, &inodes);
        Sockets { all, holders }
    }

    /// The exchange that has this address, when one runs.
    pub(super) fn exchange(&self, bind: SocketAddr) -> Option<&Process> {
        self.at(bind).filter_map(|socket| self.holders.get(&socket.inode)).find(|process| process.is_strowger())
    }

    /// The sockets in the way of this address.
    fn at(&self, bind: SocketAddr) -> impl Iterator<Item = &UdpSocket> {
        self.all.iter().filter(move |socket| collides(socket.local, bind))
    }

    /// Who holds these, each named once; `None` when nobody is seen.
    fn names<'a>(&self, sockets: impl Iterator<Item = &'a UdpSocket>) -> Option<String> {
        let holders: BTreeSet<&Process> = sockets.filter_map(|socket| self.holders.get(&socket.inode)).collect();
        let names: Vec<String> = holders.into_iter().take(3).map(ToString::to_string).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// An IPv6 socket that takes every address takes IPv4's, too.
fn collides(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
        && (one.is_ipv4() == other.is_ipv4() || one.ip() == IpAddr::from([0u16; 8]))
}

/// Whether the exchange could open its SIP port, or has it open.
pub(super) fn port(config: &Config, sockets: &Sockets) -> Finding {
    let bind = config.sip.general.bind;
    if let Some(process) = sockets.exchange(bind) {
        return Finding::fine("port", format!("{bind} (SIP over UDP) belongs to the exchange that runs, {process}"));
    }
    match std::net::UdpSocket::bind(bind) {
        Ok(_) => Finding::fine("port", format!("{bind} (SIP over UDP) is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match sockets.names(sockets.at(bind)) {
            Some(names) => Finding::todo(
                "port",
                format!("{bind} (SIP over UDP) is taken by {names}"),
                "end that program, or give the exchange another port: bindport= in sip.conf",
            ),
            None => Finding::todo(
                "port",
                format!("{bind} (SIP over UDP) is taken by a program this user may not see"),
                "run the doctor as root: it says by which",
            ),
        },
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Finding::todo(
            "port",
            format!("{bind} (SIP over UDP): this machine does not have that address"),
            "set udpbindaddr= in sip.conf to one that it has, or to 0.0.0.0",
        ),
        Err(error) => Finding::todo(
            "port",
            format!("{bind} (SIP over UDP) cannot be opened: {error}"),
            "set udpbindaddr= and bindport= in sip.conf; ports below 1024 need the capability CAP_NET_BIND_SERVICE",
        ),
    }
}

/// Whether others sit in the range of media ports.
pub(super) fn media_ports(config: &Config, sockets: &Sockets) -> Finding {
    let (first, last) = (config.rtp.port_first, config.rtp.port_last);
    let range = format!("ports {first}-{last} (RTP)");
    let is_foreign = |socket: &&UdpSocket| {
        let holder = sockets.holders.get(&socket.inode);
        (first..=last).contains(&socket.local.port()) && !holder.is_some_and(Process::is_strowger)
    };
    let foreign: Vec<&UdpSocket> = sockets.all.iter().filter(is_foreign).collect();
    let pairs = u32::from(last - first).div_ceil(2);
    if foreign.is_empty() {
        return Finding::fine("rtp", format!("{range} are free of other programs: {} relayed calls", pairs / 2));
    }
    let who = sockets.names(foreign.iter().copied()).unwrap_or("programs this user may not see".into());
    let what = format!("{} of {range} are taken by {who}", foreign.len());
    // The exchange steps over ports that others have; only a crowd of them ends in calls without sound.
    if foreign.len() as u64 * 4 > u64::from(pairs) {
        Finding::todo("rtp", what, "choose a range nobody uses: rtpstart= and rtpend= in rtp.conf")
    } else {
        Finding::note("rtp", format!("{what}; the exchange steps over them"))
    }
}

/// A range the system gives ports from to whoever asks for any will have others in it, now and then.
pub(super) fn ephemeral(config: &Config) -> Option<Finding> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let (low, high) = proc::port_range(&text)?;
    let (first, last) = (config.rtp.port_first, config.rtp.port_last);
    (first <= high && low <= last).then(|| {
        Finding::note(
            "rtp",
            format!(
                "ports {first}-{last} (RTP) overlap the ones the system lends to every program ({low}-{high}); 10000-20000 \
                 in rtp.conf would not"
            ),
        )
    })
}

/// The address phones are given for the exchange, by the network they are in.
pub(super) fn addresses(config: &Config) -> Vec<Finding> {
    let general = &config.sip.general;
    let mut findings = Vec::new();
    if general.bind.ip().is_unspecified() {
        let text = fs::read_to_string("/proc/net/route").unwrap_or_default();
        for network in proc::networks(&text) {
            let Ok(prefix) = u8::try_from(network.prefix) else { continue };
            let Ok(range) = Ipv4Network::new(network.address, prefix) else { continue };
            let somebody = range.nth(1).unwrap_or(network.address);
            if let Some(told) = local_address::look_up(somebody.into()) {
                let interface = &network.interface;
                findings.push(Finding::fine("address", format!("phones in {range} ({interface}) are told {told}")));
            }
        }
        match local_address::look_up(ELSEWHERE) {
            Some(told) => {
                findings.push(Finding::fine("address", format!("phones in other IPv4 networks are told {told}")))
            }
            None if findings.is_empty() => findings.push(Finding::todo(
                "address",
                "no network: this machine has no IPv4 address but its loopback one",
                "connect it (ip address shows what it has); give it a fixed address, which phones are set to",
            )),
            None => findings.push(Finding::note("address", "there is no route to other IPv4 networks than these")),
        }
    } else {
        findings.push(Finding::fine("address", format!("phones are told {} (udpbindaddr)", general.bind.ip())));
    }
    findings
}

/// UDP as counted by the kernel now; nothing where the kernel does not say.
pub(super) fn udp_counts() -> Option<UdpCounts> {
    proc::udp_counts(&fs::read_to_string("/proc/net/snmp").ok()?)
}

/// Packets that this machine received and dropped: since its start, and between two looks.
pub(super) fn drops(
    before: Option<UdpCounts>,
    after: Option<UdpCounts>,
    config: &Config,
    sockets: &Sockets,
) -> Finding {
    let (Some(before), Some(after)) = (before, after) else {
        return Finding::note("drops", "the kernel does not say how many packets it dropped (/proc/net/snmp)");
    };
    let own: u64 = match sockets.exchange(config.sip.general.bind) {
        Some(exchange) => {
            let is_own = |socket: &&UdpSocket| sockets.holders.get(&socket.inode) == Some(exchange);
            sockets.all.iter().filter(is_own).map(|socket| socket.drops).fold(0, u64::saturating_add)
        }
        None => 0,
    };
    judged_drops(before, after, own)
}

fn judged_drops(before: UdpCounts, after: UdpCounts, own: u64) -> Finding {
    let advice =
        "give sockets more room (sysctl -w net.core.rmem_max=1048576), and look for what keeps this machine busy";
    let now = after.no_room.saturating_sub(before.no_room);
    if now > 0 {
        return Finding::todo(
            "drops",
            format!("{now} UDP packets were dropped within the last second, for want of buffer space"),
            advice,
        );
    }
    if own > 0 {
        return Finding::todo(
            "drops",
            format!("{own} packets for the exchange were dropped so far, for want of buffer space"),
            advice,
        );
    }
    let UdpCounts { received, errors, no_room } = after;
    let what = format!(
        "of {received} UDP packets since this machine was started, {no_room} found no room, {errors} were lost in all"
    );
    // One in ten thousand is a click an hour at most.
    if no_room.saturating_mul(10_000) > received { Finding::note("drops", what) } else { Finding::fine("drops", what) }
}

/// Other programs of this field, which will want the same ports and phones.
pub(super) fn programs(processes: &[Process]) -> Finding {
    let found: Vec<String> =
        processes.iter().filter(|process| is_sip(&process.name)).take(5).map(ToString::to_string).collect();
    if found.is_empty() {
        return Finding::fine("programs", "no other SIP program runs");
    }
    let what = format!("other SIP programs run: {}; two can run only on different ports", found.join(", "));
    Finding::note("programs", what)
}

fn is_sip(name: &str) -> bool {
    SIP_PROGRAMS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    fn config(sip: &str, rtp: &str) -> Config {
        Config::from_texts(sip, "", rtp, "").0.unwrap()
    }

    fn sockets(rows: &[(&str, &str)]) -> Sockets {
        let mut found = Sockets { all: Vec::new(), holders: BTreeMap::new() };
        for (inode, (local, name)) in (1..).zip(rows) {
            found.all.push(UdpSocket { local: local.parse().unwrap(), inode, drops: 0 });
            if !name.is_empty() {
                found.holders.insert(inode, Process { pid: 70, name: (*name).into() });
            }
        }
        found
    }

    #[test]
    fn who_has_the_port_is_named() {
        // A port that is really taken, so that the bind fails as it would.
        let holder = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let local = holder.local_addr().unwrap();
        let config = config(&format!("[general]\nudpbindaddr={local}\n"), "");
        let of = |name: &str| port(&config, &sockets(&[("127.0.0.1:9", "other"), (&local.to_string(), name)]));
        let asterisk = of("asterisk");
        assert_eq!(asterisk.state, State::Todo);
        assert!(asterisk.what.ends_with("is taken by 'asterisk' (pid 70)"), "{asterisk:?}");
        assert!(of("").advice.contains("as root"));
        assert_eq!(of("strowger").state, State::Fine);
        drop(holder);
        assert_eq!(port(&config, &sockets(&[])).state, State::Fine);
    }

    #[test]
    fn an_address_this_machine_lacks() {
        let found = port(&config("[general]\nudpbindaddr=192.0.2.77\n", ""), &sockets(&[]));
        assert!(found.is_todo() && found.advice.contains("udpbindaddr"), "{found:?}");
    }

    #[test]
    fn sockets_collide_as_the_kernel_has_it() {
        let hit = |one: &str, other: &str| collides(one.parse().unwrap(), other.parse().unwrap());
        assert!(hit("0.0.0.0:5060", "0.0.0.0:5060") && hit("127.0.0.1:5060", "0.0.0.0:5060"));
        assert!(hit("[::]:5060", "0.0.0.0:5060"));
        assert!(!hit("0.0.0.0:5061", "0.0.0.0:5060") && !hit("127.0.0.1:5060", "127.0.0.2:5060"));
        assert!(!hit("[::1]:5060", "0.0.0.0:5060"));
    }

    #[test]
    fn others_among_the_media_ports() {
        let config = config("", "[general]\nrtpstart=10000\nrtpend=10015\n");
        let strowger = sockets(&[("0.0.0.0:10000", "strowger"), ("0.0.0.0:5353", "mdns")]);
        assert_eq!(media_ports(&config, &strowger).state, State::Fine);
        let one = media_ports(&config, &sockets(&[("0.0.0.0:10000", "x")]));
        assert_eq!((one.state, one.what.contains("'x'")), (State::Note, true));
        let crowd = sockets(&[("0.0.0.0:10000", "x"), ("0.0.0.0:10002", "y"), ("0.0.0.0:10003", "")]);
        assert_eq!(media_ports(&config, &crowd).state, State::Todo);
    }

    #[test]
    fn the_address_of_a_bound_exchange() {
        let bound = addresses(&config("[general]\nudpbindaddr=127.0.0.1\n", ""));
        assert_eq!(bound, [Finding::fine("address", "phones are told 127.0.0.1 (udpbindaddr)")]);
    }

    #[test]
    fn drops_are_judged_by_when_and_whose() {
        let count = |received, no_room| UdpCounts { received, errors: no_room, no_room };
        let state = |before, after, own| judged_drops(before, after, own).state;
        assert_eq!(state(count(10, 0), count(20, 0), 0), State::Fine);
        assert_eq!(state(count(10, 0), count(20, 1), 0), State::Todo);
        assert_eq!(state(count(10, 5), count(20, 5), 0), State::Note);
        assert_eq!(state(count(10, 5), count(20, 5), 1), State::Todo);
        assert_eq!(state(count(90_000, 5), count(90_000, 5), 0), State::Fine);
    }

    #[test]
    fn programs_of_this_field() {
        let running = |name: &str| programs(&[Process { pid: 7, name: name.into() }]).state;
        assert_eq!(running("asterisk"), State::Note);
        assert_eq!(running("strowger"), State::Fine);
        assert!(SIP_PROGRAMS.iter().all(|name| name.len() <= 15));
    }
}
