//! Telephones that fetch their files: boots replayed packet by packet, other people's programs as clients, a secret
//! that only its device gets, and many at once over a wire that loses.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::exchange::{Exchange, PATIENCE};
use crate::place::{Place, network};
use crate::skip::{installed, skip_unless_required};

const SERVER: &str = "192.168.7.1";
const PHONE: &str = "192.168.7.21";
const OTHER: &str = "192.168.7.22";
const MAC: &str = "0014A9BC0001";
const SIP: &str = "[general]\nudpbindaddr=192.168.7.1:5060\n";
const TOML: &str = "[provision]\nfolder = 'files'\ntftp = true\nhttp = true\n";

/// An exchange that serves these files at port 69 of its own network, and HTTP at 8069.
fn serving(house: &Place, story: &str, sip: &str, files: &[(&str, Vec<u8>)]) -> Exchange {
    let at = format!("{SERVER}:5060").parse().unwrap();
    let mut exchange = Exchange::prepare(story, at);
    exchange.write("sip.conf", sip);
    exchange.write("extensions.conf", "[default]\n");
    let toml = fs::read_to_string(exchange.folder.join("strowger.toml")).unwrap();
    exchange.write("strowger.toml", &format!("{toml}{TOML}"));
    let folder = exchange.folder.join("files");
    fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    house.run(&mut exchange);
    exchange
}

/// The exchange's place, and two telephones on its network, the first of which has [`MAC`].
fn home() -> Result<[Place; 4], String> {
    let wire = Place::wire(None)?;
    let house = Place::on(&wire, &[&format!("{SERVER}/24")])?;
    let phone = Place::on(&wire, &[&format!("{PHONE}/24")])?;
    phone.ip("link set eth down")?;
    phone.ip("link set eth address 00:14:a9:bc:00:01")?;
    phone.ip("link set eth up")?;
    let other = Place::on(&wire, &[&format!("{OTHER}/24")])?;
    Ok([wire, house, phone, other])
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 249) as u8).collect()
}

/// A telephone's socket.
struct Wire {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Wire {
    fn new(own: &str) -> Wire {
        Wire::to(own, format!("{SERVER}:69").parse().unwrap())
    }

    fn to(own: &str, server: SocketAddr) -> Wire {
        let own: Ipv4Addr = own.parse().unwrap();
        let socket = UdpSocket::bind((own, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Wire { socket, server }
    }

    fn asks(&self, name: &str, options: &[u8]) {
        let request = [b"\0\x01", name.as_bytes(), b"\0octet\0", options].concat();
        self.socket.send_to(&request, self.server).unwrap();
    }

    /// What comes until then.
    fn within(&self, patience: Duration) -> Option<(Vec<u8>, SocketAddr)> {
        let end = Instant::now() + patience;
        let mut buffer = [0; 2048];
        loop {
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                return Some((buffer[..length].to_vec(), from));
            }
            if Instant::now() >= end {
                return None;
            }
        }
    }

    fn next(&self) -> (Vec<u8>, SocketAddr) {
        self.within(PATIENCE).expect("the server says nothing")
    }

    fn acknowledges(&self, number: u16, to: SocketAddr) {
        let [high, low] = number.to_be_bytes();
        self.socket.send_to(&[0, 4, high, low], to).unwrap();
    }

    /// A whole file without options, as a 7960 fetches it; it starts anew when nothing comes, up to this often. The answer to what is not there is its error.
    fn fetches(&self, name: &str, mut attempts: u32) -> Result<Vec<u8>, Vec<u8>> {
        self.asks(name, b"");
        let (mut file, mut number, mut from) = (Vec::new(), 1_u16, None);
        loop {
            let Some((packet, sender)) = self.within(Duration::from_millis(1500)) else {
                assert!(attempts > 0, "{name}: {} bytes came", file.len());
                attempts -= 1;
                match from {
                    // The last acknowledgement may have been lost.
                    Some(from) => self.acknowledges(number.wrapping_sub(1), from),
                    None => self.asks(name, b""),
                }
                continue;
            };
            if packet[1] == 5 {
                return Err(packet);
            }
            // Of an earlier transfer.
            if from.is_some_and(|from| from != sender) {
                continue;
            }
            from = Some(sender);
            let got = u16::from_be_bytes([packet[2], packet[3]]);
            if got == number {
                file.extend_from_slice(&packet[4..]);
                number = number.wrapping_add(1);
            }
            self.acknowledges(got, sender);
            if got.wrapping_add(1) == number && packet.len() < 516 {
                return Ok(file);
            }
        }
    }
}

/// The requests of a 7960 with P0S3-8-12-00, in the order of a real boot: each with what it gets; none:
/// that is not there, and said at once.
#[test]
fn a_7960_boots_packet_by_packet() {
    let Some([_wire, house, phone, _other]) = network("a 7960 boots", &[], home) else { return };
    let firmware = bytes(129_876);
    let files = [
        (format!("SEP{MAC}.cnf.xml"), bytes(150)),
        ("P0S3-8-12-00.loads".to_owned(), bytes(461)),
        ("P0S3-8-12-00.sb2".to_owned(), firmware),
        ("SIPDefault.cnf".to_owned(), bytes(1024)),
        (format!("SIP{MAC}.cnf"), bytes(700)),
        ("RINGLIST.DAT".to_owned(), bytes(80)),
    ];
    let named: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (&**name, bytes.clone())).collect();
    let exchange = serving(&house, "7960", SIP, &named);
    let of =
        |name: &str| files.iter().find(|(file, _)| file.eq_ignore_ascii_case(name)).map(|(_, bytes)| bytes.clone());
    let boot = [
        (format!("CTLSEP{MAC}.tlv"), None),
        (format!("SEP{MAC}.cnf.xml"), of(&format!("SEP{MAC}.cnf.xml"))),
        ("P0S3-8-12-00.loads".to_owned(), of("P0S3-8-12-00.loads")),
        ("P0S3-8-12-00.sb2".to_owned(), of("P0S3-8-12-00.sb2")),
        ("SIPDefault.cnf".to_owned(), of("SIPDefault.cnf")),
        (format!("./SIP{MAC}.cnf"), of(&format!("SIP{MAC}.cnf"))),
        ("ringlist.dat".to_owned(), of("RINGLIST.DAT")),
        ("dialplan.xml".to_owned(), None),
    ];
    phone.inside(|| {
        let wire = Wire::new(PHONE);
        for (name, file) in &boot {
            match (wire.fetches(name, 0), file) {
                (Ok(got), Some(file)) => assert!(got == *file, "{name}: {} bytes", got.len()),
                (Err(error), None) => assert_eq!(error, b"\0\x05\0\x01File not found\0", "{name}"),
                (got, _) => panic!("{name}: {got:?}"),
            }
        }
        // The request comes twice, an acknowledgement twice, and one never.
        let wire = Wire::new(PHONE);
        wire.asks("SIPDefault.cnf", b"");
        let (first, from) = wire.next();
        wire.asks("SIPDefault.cnf", b"");
        assert_eq!(wire.next(), (first.clone(), from));
        assert_eq!(first.len(), 516);
        for _ in 0..3 {
            wire.acknowledges(1, from);
        }
        let (second, _) = wire.next();
        assert_eq!((second.len(), second[3]), (516, 2));
        // Neither of the two that came twice had block 2 sent twice; that it is not acknowledged has.
        let (again, _) = wire.next();
        assert_eq!(again, second);
        wire.acknowledges(2, from);
        // It is 1024 bytes long, so that an empty block ends it.
        let (last, _) = loop {
            let next = wire.next();
            if next.0[3] == 3 {
                break next;
            }
        };
        assert_eq!(last, [0, 3, 0, 3]);
        wire.acknowledges(3, from);
    });
    exchange.said(&format!("phone {MAC} ({PHONE}) asked for CTLSEP{MAC}.tlv: not there"));
    exchange.said(&format!("phone {MAC} ({PHONE}) got P0S3-8-12-00.sb2 by TFTP: 129876 bytes in "));
    exchange.said(&format!("phone {MAC} ({PHONE}) got ./SIP{MAC}.cnf by TFTP: 700 bytes in "));
    assert!(!exchange.log().contains("broken off"), "{}", exchange.log());
    let devices = exchange.told("provision show devices");
    assert!(devices.contains(&format!("{MAC}  {PHONE}     {:>5}  {:>5}", 9, 7)), "{devices}");
}

/// A PAP2T asks by TFTP as it left the factory, and by HTTP/1.0 once it was told so. Its configuration is given to it alone.
#[test]
fn a_pap2t_boots_and_nobody_else_gets_its_passwords() {
    let Some([_wire, house, phone, other]) = network("a PAP2T boots", &[], home) else { return };
    let own = format!("spa{}.cfg", MAC.to_lowercase());
    let config = b"<flat-profile><Password_1_ ua=\"na\">secret</Password_1_></flat-profile>".to_vec();
    let exchange = serving(&house, "pap2t", SIP, &[("init.cfg", bytes(40)), (&own, config.clone())]);
    let get =
        || http(&format!("GET /{own} HTTP/1.0\r\nHost: {SERVER}\r\nUser-Agent: Linksys/PAP2T-3.1.15(LS)\r\n\r\n"));
    phone.inside(|| {
        let wire = Wire::new(PHONE);
        assert_eq!(wire.fetches("/init.cfg", 0), Ok(bytes(40)));
        assert_eq!(wire.fetches(&format!("/{own}"), 0), Ok(config.clone()));
        let (head, body) = get();
        assert!(head.starts_with("HTTP/1.0 200 OK\r\n") && head.contains("content-type: text/xml"), "{head}");
        assert!(
            head.contains("cache-control: no-store") && head.contains(&format!("content-length: {}", config.len())),
            "{head}"
        );
        assert_eq!(body, config);
        assert!(http("POST / HTTP/1.0\r\n\r\n").0.starts_with("HTTP/1.0 405 "));
        assert!(http("GET /../strowger.toml HTTP/1.0\r\n\r\n").0.starts_with("HTTP/1.0 403 "));
        assert!(http("GET /none.xml HTTP/1.0\r\n\r\n").0.starts_with("HTTP/1.0 404 "));
    });
    let refused = Err(b"\0\x05\0\x02Access violation\0".to_vec());
    other.inside(|| {
        assert_eq!(Wire::new(OTHER).fetches(&own, 0), refused);
        assert!(get().0.starts_with("HTTP/1.0 403 "));
    });
    exchange.said(&format!("refused: the file has passwords in it and is given only to {MAC}. If it is to have it"));
    exchange.told("provision open 10m");
    other.inside(|| assert_eq!(Wire::new(OTHER).fetches(&own, 0), Ok(config.clone())));
    exchange.told("provision close");
    other.inside(|| assert_eq!(Wire::new(OTHER).fetches(&own, 0), refused));
    let devices = exchange.told("provision show devices");
    assert!(devices.contains("(Linksys/PAP2T-3.1.15(LS))"), "{devices}");
}

/// Nothing but a line of a peer: files are served, and what is made has the secret for that telephone alone.
#[test]
fn a_configured_7960_gets_the_files_made_for_it() {
    let Some([_wire, house, phone, other]) = network("a configured 7960", &[], home) else { return };
    let peer = format!("[kitchen]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\nmac={MAC}\ndevice=cisco-7960\n");
    let exchange = house.exchange("made", &format!("{SERVER}:5060"), &format!("{SIP}{peer}"), "[default]\n");
    let own = format!("./SIP{MAC}.cnf");
    phone.inside(|| {
        let wire = Wire::new(PHONE);
        let text = |name: &str| String::from_utf8(wire.fetches(name, 0).unwrap()).unwrap();
        assert!(text(&format!("SEP{MAC}.cnf.xml")).contains("P0S3-"), "{}", text(&format!("SEP{MAC}.cnf.xml")));
        assert!(text("SIPDefault.cnf").contains(SERVER), "{}", text("SIPDefault.cnf"));
        assert!(text(&own).contains("k3vw9m2xq8tz"), "{}", text(&own));
        assert!(wire.fetches("P0S3-8-12-00.loads", 0).is_err());
    });
    other.inside(|| assert!(Wire::new(OTHER).fetches(&own, 0).is_err()));
    exchange.said("asked for P0S3-8-12-00.loads: not there, ");
    let folder = exchange.folder.join("provision").display().to_string();
    assert!(exchange.log().contains(&folder), "{}", exchange.log());
    exchange.said(&format!("is given only to {MAC}"));
}

/// The answer to a request, its head and its body.
fn http(request: &str) -> (String, Vec<u8>) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect((SERVER, 8069)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => all.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8_lossy(&all[..end]).into_owned(), all[end..].to_vec())
}

/// tftp-hpa with every block size and both modes, atftp with options, curl by TFTP and HTTP.
#[test]
fn other_peoples_clients() {
    let story = "other people's TFTP and HTTP clients";
    for program in ["tftp", "atftp", "curl"] {
        if !installed(program) {
            return skip_unless_required(story, &format!("{program}: not installed"));
        }
    }
    let Some([_wire, house, phone, _other]) = network(story, &[], home) else { return };
    let large = bytes(300_007);
    let files =
        [("large", large.clone()), ("text", b"one\ntwo\n".to_vec()), ("even", bytes(1024)), ("empty", Vec::new())];
    let exchange = serving(&house, "clients", SIP, &files);
    let folder = exchange.folder.join("got");
    fs::create_dir_all(&folder).unwrap();
    let run = |program: &str, words: &[&str]| -> Output {
        let output = phone
            .inside(|| Command::new(program).args(words).current_dir(&folder).stdin(Stdio::null()).output().unwrap());
        assert!(output.status.success(), "{program} {words:?}: {output:?}");
        output
    };
    let got = |name: &str| fs::read(folder.join(name)).unwrap();
    for (name, file) in &files {
        run("tftp", &["-m", "binary", SERVER, "-c", "get", name]);
        assert!(got(name) == *file, "tftp-hpa: {name}");
        // curl 7.88 fails at an empty file by TFTP, and writes none by HTTP.
        if file.is_empty() {
            continue;
        }
        run("curl", &["-sS", "-o", "curl.tftp", &format!("tftp://{SERVER}/{name}")]);
        assert!(got("curl.tftp") == *file, "curl, TFTP: {name}");
        run("curl", &["-sSf", "-o", "curl.http", &format!("http://{SERVER}:8069/{name}")]);
        assert!(got("curl.http") == *file, "curl, HTTP: {name}");
    }
    run("tftp", &["-m", "netascii", SERVER, "-c", "get", "text"]);
    assert_eq!(got("text"), b"one\ntwo\n");
    for options in [
        &["--option", "blksize 1428", "--option", "tsize 0"][..],
        &["--option", "blksize 65464"],
        &["--option", "windowsize 8", "--option", "timeout 3"],
    ] {
        run("atftp", &[options, &["--get", "-r", "large", "-l", "atftp", SERVER]].concat());
        assert!(got("atftp") == large, "atftp {options:?}");
    }
    run("curl", &["-sSI", &format!("http://{SERVER}:8069/large")]);
    exchange.said("asked for /large by HTTP: broken off after 0 bytes: the phone ended it ('it asked for the length')");
}

/// How many telephones: 20, 200 with `STROWGER_LONG=1`.
fn telephones() -> usize {
    if std::env::var("STROWGER_LONG").is_ok_and(|value| value != "0") { 200 } else { 20 }
}

/// The power comes back: all boot at once, over a wire that loses one packet of twenty, each way.
#[test]
fn many_boot_at_once_over_a_wire_that_loses() {
    let count = telephones();
    let made = network("telephones boot over a wire that loses", &[], || {
        let wire = Place::wire(None)?;
        let house = Place::on(&wire, &[&format!("{SERVER}/24")])?;
        let router = Place::router(&wire, "192.168.7.254/24", "10.7.0.1/16")?;
        house.ip("route add 10.7.0.0/16 via 192.168.7.254")?;
        router.filter(
            "table ip loss {\n chain on {\n type filter hook forward priority 0;\n \
             ip protocol udp numgen random mod 100 < 5 drop\n }\n}\n",
        )?;
        let own: Vec<String> = (0..count).map(|number| format!("10.7.1.{}/16", number + 1)).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let phones = Place::behind(&router, &own, "10.7.0.1")?;
        Ok((wire, house, router, phones))
    });
    let Some((_wire, house, _router, phones)) = made else { return };
    let files = [("P0S3-8-12-00.loads", bytes(461)), ("SIPDefault.cnf", bytes(6000)), ("RINGLIST.DAT", bytes(512))];
    let exchange = serving(&house, "many", SIP, &files);
    let begin = Instant::now();
    let mut times: Vec<Duration> = phones.inside(|| {
        std::thread::scope(|scope| {
            let boot = |number: usize| {
                let files = &files;
                move || {
                    // Each file from a port of its own, so that nothing of the one before is taken for it.
                    let wire = || Wire::new(&format!("10.7.1.{}", number + 1));
                    let error = wire().fetches("CTLSEP0014A9BC0001.tlv", 30).unwrap_err();
                    assert_eq!(error[..4], [0, 5, 0, 1]);
                    for (name, bytes) in files {
                        assert!(wire().fetches(name, 30) == Ok(bytes.clone()), "{name}");
                    }
                    begin.elapsed()
                }
            };
            let all: Vec<_> = (0..count).map(|number| scope.spawn(boot(number))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        })
    });
    times.sort();
    println!(
        "{count} telephones booted, the first after {:?}, half after {:?}, the last after {:?}",
        times[0],
        times[count / 2],
        times[count - 1]
    );
    // What was repeated after its file had come is over, too.
    let end = Instant::now() + PATIENCE * 3;
    while exchange.told("provision show transfers").contains("sending") {
        assert!(Instant::now() < end, "{}", exchange.told("provision show transfers"));
        std::thread::sleep(Duration::from_millis(100));
    }
    let got = exchange.log().matches(" got SIPDefault.cnf by TFTP: 6000 bytes").count();
    assert!(got >= count, "{got} of {count}");
}

/// A socket that systemd has opened comes as descriptor 3 (sd_listen_fds(3)). It is bound already: nobody else could bind it.
#[test]
fn a_socket_of_systemd_is_used_and_kept_over_a_restart() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::empty()).unwrap();
    let sip = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut exchange = Exchange::prepare("activated", sip);
    exchange.write_sip("");
    exchange.write("extensions.conf", "[default]\n");
    let toml = fs::read_to_string(exchange.folder.join("strowger.toml")).unwrap();
    exchange.write("strowger.toml", &format!("{toml}[provision]\ntftp = true\ntftp_listen = '{at}'\n"));
    fs::create_dir_all(exchange.folder.join("provision")).unwrap();
    fs::write(exchange.folder.join("provision/file"), bytes(700)).unwrap();
    let as_systemd = format!("exec 3<&{}; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"", socket.as_raw_fd());
    exchange.wrapper = ["sh", "-c", &as_systemd].map(str::to_owned).into();
    exchange.run(|_| {});
    drop(socket);
    for start in 1..=2 {
        exchange.said_times(" is ready.", start);
        assert_eq!(Wire::to("127.0.0.1", at).fetches("file", 10), Ok(bytes(700)));
        assert!(exchange.told("provision show devices").starts_with(&format!("TFTP: {at}\n")));
        if start == 1 {
            exchange.told("core restart now");
        }
    }
    assert!(!exchange.log().contains("TFTP for phones is off"), "{}", exchange.log());
}
