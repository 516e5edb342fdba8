//! The real program on a machine with several addresses, under the filter that its systemd unit puts it under: a Contact
//! at any of them is the exchange itself.

#![allow(clippy::unwrap_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/skip.rs"]
mod skip;
#[path = "support/uninterrupted.rs"]
mod uninterrupted;

use exchange::{Exchange, PATIENCE};
use skip::skip;
use std::fs::OpenOptions;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use strowger::net::local_address;
use uninterrupted::uninterrupted;

const UNIT: &str = include_str!("../conf/systemd/strowger.service");

/// Lets socket(2) make no family but those of the unit, sees that it does, and becomes the program that is named.
const FILTER: &str = r#"
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
op = lambda code, yes, no, k: struct.pack("HBBI", code, yes, no, k)
program = b"".join([
    op(0x20, 0, 0, 0), op(0x15, 0, 5, number), op(0x20, 0, 0, 16),
    op(0x15, 3, 0, socket.AF_UNIX), op(0x15, 2, 0, socket.AF_INET), op(0x15, 1, 0, socket.AF_INET6),
    op(0x06, 0, 0, 0x00050000 | 97), op(0x06, 0, 0, 0x7fff0000),
])
buffer = ctypes.create_string_buffer(program, len(program))
whole = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer)))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(whole), 0, 0):
    sys.exit("no filter: " + os.strerror(ctypes.get_errno()))
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
except OSError:
    os.execv(sys.argv[1], sys.argv[1:])
sys.exit("the filter filters nothing")
"#;

/// Puts the program of a command behind the filter.
fn filtered(command: &mut Command) {
    let mut whole = Command::new("python3");
    whole.arg("-c").arg(FILTER).arg(command.get_program()).args(command.get_args());
    let folder = command.get_args().nth(1).unwrap();
    let log = OpenOptions::new().append(true).open(Path::new(folder).join("log")).unwrap();
    whole.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    *command = whole;
}

/// What a REGISTER gets whose Contact is there.
fn registers(exchange: &Exchange, contact: SocketAddr) -> String {
    let ip: IpAddr = if contact.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    let phone = UdpSocket::bind((ip, 0)).unwrap();
    phone.set_read_timeout(Some(PATIENCE)).unwrap();
    let own = phone.local_addr().unwrap();
    let id = own.port();
    let register = format!(
        "REGISTER sip:{ip} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{id}{contact}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@h>;tag=1\r\nTo: <sip:a@h>\r\nCall-ID: {id}{contact}\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:a@{contact}>\r\nContent-Length: 0\r\n\r\n",
        ip = if ip.is_ipv4() { ip.to_string() } else { format!("[{ip}]") }
    );
    phone.send_to(register.as_bytes(), SocketAddr::new(ip, exchange.sip.port())).unwrap();
    let mut buffer = [0; 4096];
    let length = uninterrupted(|| phone.recv(&mut buffer)).unwrap();
    let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
    answer.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn until(exchange: &Exchange, contact: SocketAddr, status: &str) {
    let start = Instant::now();
    while registers(exchange, contact) != status {
        assert!(start.elapsed() < PATIENCE, "{contact} never got {status}:\n{}", exchange.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// `ip address add` or `del`, of one that nobody has.
fn ip(what: &str, address: IpAddr) -> bool {
    let done = Command::new("ip").args(["address", what, &format!("{address}/32"), "dev", "lo"]).output();
    done.is_ok_and(|output| output.status.success())
}

#[test]
fn every_address_of_the_machine_is_the_exchange_itself_also_under_the_units_filter() {
    let story = "own addresses under the unit's filter";
    assert!(UNIT.contains("\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n"), "the filter below is another");
    let tried = Command::new("python3").arg("-c").arg(FILTER).arg("/bin/true").output();
    match tried {
        Ok(output) if output.status.success() => {}
        Ok(output) => return skip(story, String::from_utf8_lossy(&output.stderr).trim_end()),
        Err(error) => return skip(story, &format!("python3: {error}")),
    }
    let accounts = "[a]\ntype=friend\nhost=dynamic\nnat=no\n";
    let any = if UdpSocket::bind("[::1]:0").is_ok() { "::" } else { "0.0.0.0" };
    let exchange =
        Exchange::begin(any.parse().unwrap(), "own", accounts, "[default]\nexten => 1,1,Answer()\n", filtered);
    let port = exchange.sip.port();
    let own = local_address::all().unwrap();
    for ip in own.iter().filter(|ip| any == "::" || ip.is_ipv4()) {
        assert_eq!(registers(&exchange, SocketAddr::new(*ip, port)), "403", "{ip}\n{}", exchange.log());
        assert_eq!(registers(&exchange, SocketAddr::new(*ip, port ^ 1)), "200", "{ip}\n{}", exchange.log());
    }
    assert!(!exchange.log().contains("cannot be read"), "{}", exchange.log());
    // One that comes and goes.
    let guest: IpAddr = Ipv4Addr::new(198, 51, 100, u8::try_from(std::process::id() % 200).unwrap() + 20).into();
    let contact = SocketAddr::new(guest, port);
    assert_eq!(registers(&exchange, contact), "200", "{}", exchange.log());
    if !ip("add", guest) {
        return skip("an address that comes and goes", "ip address add needs CAP_NET_ADMIN");
    }
    until(&exchange, contact, "403");
    assert!(ip("del", guest));
    until(&exchange, contact, "200");
}
