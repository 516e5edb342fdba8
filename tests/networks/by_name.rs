//! Providers by name: dnsmasq tells their servers (NAPTR, SRV), some of which are dead, and changes its mind.

use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::exchange::Exchange;
use crate::phones::Phones;
use crate::place::{Place, network};
use crate::transcript::assert_said;

const SERVER: &str = "203.0.113.1:5060";
/// The shortest time to live that is followed.
const TTL_S: u64 = 30;

/// Servers of each domain: name, port, priority, weight.
const RECORDS: &str = "\
srv-host=_sip._udp.refusing.test,dead.test,5060,10,0\n\
srv-host=_sip._udp.refusing.test,good.test,5061,20,0\n\
srv-host=_sip._udp.silent.test,mute.test,5060,10,0\n\
srv-host=_sip._udp.silent.test,good.test,5062,20,0\n\
srv-host=_sip._udp.full.test,full.test,5064,10,0\n\
srv-host=_sip._udp.full.test,good.test,5063,20,0\n\
naptr-record=named.test,10,20,S,SIP+D2U,,_sip._udp.elsewhere.test\n\
naptr-record=named.test,20,10,S,SIP+D2U,,_sip._udp.nowhere.test\n\
srv-host=_sip._udp.elsewhere.test,good.test,5067,10,0\n\
srv-host=_sip._udp.weighed-one.test,good.test,5065,10,65535\n\
srv-host=_sip._udp.weighed-one.test,good.test,5066,10,1\n\
srv-host=_sip._udp.weighed-other.test,good.test,5065,10,1\n\
srv-host=_sip._udp.weighed-other.test,good.test,5066,10,65535\n\
host-record=dead.test,203.0.113.31\n\
host-record=full.test,203.0.113.31\n\
host-record=mute.test,203.0.113.32\n\
host-record=good.test,203.0.113.33\n";

/// A name server, ended with the value.
struct Names(Child);

impl Names {
    /// With these records beside the others.
    fn start(place: &Place, exchange: &Exchange, more: &str) -> Names {
        let file = exchange.folder().join("dnsmasq.conf");
        let options = format!(
            "no-resolv\nno-hosts\nno-poll\nlocal=/test/\nlocal-ttl={TTL_S}\nlisten-address=203.0.113.53\n\
             bind-interfaces\nuser=root\npid-file\n"
        );
        std::fs::write(&file, format!("{options}{RECORDS}{more}")).unwrap();
        let output =
            std::fs::OpenOptions::new().create(true).append(true).open(exchange.folder().join("dnsmasq")).unwrap();
        let start = || {
            Command::new("dnsmasq")
                .arg("--keep-in-foreground")
                .arg(format!("--conf-file={}", file.display()))
                .stdin(Stdio::null())
                .stdout(output.try_clone().unwrap())
                .stderr(output)
                .spawn()
                .unwrap()
        };
        let names = Names(place.inside(start));
        let end = Instant::now() + Duration::from_secs(5);
        while place.inside(|| UdpSocket::bind("203.0.113.53:53").is_ok()) {
            let said = std::fs::read_to_string(exchange.folder().join("dnsmasq")).unwrap_or_default();
            assert!(Instant::now() < end, "dnsmasq does not listen: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
        names
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn calls_find_the_next_server_and_follow_names() {
    let made = network("servers by name", &["dnsmasq", "unshare"], || {
        let wire = Place::wire(None)?;
        let on = |number: u8| Place::on(&wire, &[&format!("203.0.113.{number}/24")]);
        let (house, room, names) = (on(1)?, on(20)?, on(53)?);
        let servers = [on(31)?, on(32)?, on(33)?];
        Ok((wire, house, room, names, servers))
    });
    let Some((_wire, house, room, names, [first, second, good])) = made else { return };
    let mut exchange = Exchange::prepare("servers", SERVER.parse().unwrap());
    let moving = |port: u16| format!("srv-host=_sip._udp.moving.test,good.test,{port},10,0\n");
    let mut dns = Names::start(&names, &exchange, &moving(5068));
    let domains = ["refusing", "silent", "full", "named", "moving"];
    let all = domains.iter().copied().chain(["weighed-one", "weighed-other"]);
    let peers: String = all.clone().map(|name| format!("[{name}](provider)\nhost={name}.test\n")).collect();
    let lines: String = (201..=205).map(|number| format!("[{number}](line)\n")).collect();
    exchange.write(
        "sip.conf",
        &format!(
            "[general]\nudpbindaddr={SERVER}\ncontext=default\n[line](!)\ntype=friend\nhost=dynamic\nsecret=password\n\
         directmedia=no\n[provider](!)\ntype=peer\ninsecure=invite\ncontext=nowhere\ndirectmedia=no\n\
         timerb=1500\n{lines}{peers}"
        ),
    );
    let plan: String =
        domains.iter().zip(1..).map(|(name, number)| format!("exten => {number},1,Dial(SIP/55@{name},60)\n")).collect();
    exchange.write("extensions.conf", &format!("[default]\n{plan}"));
    exchange.write("resolv.conf", "nameserver 203.0.113.53\n");
    let own = exchange.folder().join("resolv.conf").display().to_string();
    let words = ["unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"", &own];
    exchange.wrapper = words.map(str::to_owned).into();
    house.run(&mut exchange);

    // Telephones 0 to 4, then the servers' ends.
    let mut phones = Phones::none();
    for number in 201..=205 {
        room.phone(&mut phones, "203.0.113.20", &number.to_string(), exchange.sip);
    }
    phones.register();
    let mut at =
        |place: &Place, address: &str, port: u16| place.phone_at(&mut phones, (address, port), "55", exchange.sip);
    let instead: Vec<usize> = (5061..=5063).map(|port| at(&good, "203.0.113.33", port)).collect();
    let [named, before, after] = [5067, 5068, 5069].map(|port| at(&good, "203.0.113.33", port));
    let full = at(&first, "203.0.113.31", 5064);
    phones.act(full, |phone, _| phone.behaviour_mut().refuse = Some(503));
    let _mute = second.inside(|| UdpSocket::bind("203.0.113.32:5060").unwrap());
    let name_is_known = |name: &str| {
        let end = Instant::now() + Duration::from_secs(10);
        while !exchange.told(&format!("sip show peer {name}")).contains("203.0.113.3") {
            assert!(Instant::now() < end, "{}", exchange.told(&format!("sip show peer {name}")));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    all.for_each(name_is_known);
    let since = Instant::now();

    // One that refuses, one that is silent, one that is full: the next one takes the call, and is called first then.
    let hang_up = |phones: &mut Phones, caller: usize| {
        phones.hang_up(caller);
        phones.until("all are free", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
    };
    for _ in 0..2 {
        for (caller, (server, name)) in instead.iter().zip(domains).enumerate() {
            phones.dial(caller, &(caller + 1).to_string());
            phones.until(&format!("the next server of {name} takes the call"), |phones| {
                phones.lines[*server].phone.is_talking() && phones.lines[caller].phone.is_talking()
            });
            hang_up(&mut phones, caller);
        }
    }
    // By NAPTR.
    phones.connect(3, "4", named);
    hang_up(&mut phones, 3);
    // By weight: the heavy one first, whichever port it has.
    let log = exchange.log();
    for (name, first, second) in [("one", 5065, 5066), ("other", 5066, 5065)] {
        let found = format!("weighed-{name}.test of sip.conf leads to 203.0.113.33:{first}, 203.0.113.33:{second}");
        assert!(log.contains(&found), "{found}: {log}");
    }
    // The name leads elsewhere: as soon as its time is over, and not before.
    phones.connect(4, "5", before);
    hang_up(&mut phones, 4);
    drop(dns);
    dns = Names::start(&names, &exchange, &moving(5069));
    phones.connect(4, "5", before);
    hang_up(&mut phones, 4);
    let rest = Duration::from_secs(TTL_S + 4).saturating_sub(since.elapsed());
    phones.run(rest);
    phones.connect(4, "5", after);
    hang_up(&mut phones, 4);
    drop(dns);
    let log = exchange.log();
    assert_said("explain/names.md", "next-server", &log);
    for said in [
        "203.0.113.31:5060 does not take the call (no response for 1 s): 203.0.113.33:5061 is called",
        "203.0.113.32:5060 does not take the call (no response for 1 s): 203.0.113.33:5062 is called",
        "203.0.113.31:5064 does not take the call (503 Service Unavailable): 203.0.113.33:5063 is called",
    ] {
        assert_eq!(log.matches(said).count(), 1, "{said}: {log}");
    }
}
