//! The exchange itself behind a router, with a telephone beside it and a provider outside, who believes what it is told.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::exchange::Exchange;
use crate::phones::Phones;
use crate::place::{Place, network};
use crate::transcript::assert_said;
use strowger::sim::PhoneEvent;

const SERVER: &str = "192.168.5.2:5060";
const PROVIDER: &str = "203.0.113.30:5060";
/// The telephone beside the exchange, and the provider's customer.
const HERE: usize = 0;
const THERE: usize = 1;

/// A house behind a router, and the provider.
struct Country {
    phones: Phones,
    exchange: Exchange,
    provider: Exchange,
    router: Place,
    _places: [Place; 6],
}

impl Country {
    /// `address` is how the exchange learns its address outside; `nat` is what the router does.
    fn new(story: &str, address: &str, nat: &str) -> Option<Country> {
        let (wire, provider, customer, stun, router, house, room) = network(story, &["conntrack"], || {
            let wire = Place::wire(None)?;
            let provider = Place::on(&wire, &["203.0.113.30/24"])?;
            let customer = Place::on(&wire, &["203.0.113.40/24"])?;
            let stun = Place::on(&wire, &["203.0.113.50/24"])?;
            let router = Place::router(&wire, "203.0.113.10/24", "192.168.5.1/24")?;
            router.filter(nat)?;
            let house = Place::behind(&router, &["192.168.5.2/24"], "192.168.5.1")?;
            let room = Place::behind(&router, &["192.168.5.21/24"], "192.168.5.1")?;
            Ok((wire, provider, customer, stun, router, house, room))
        })?;
        stun.inside(stun_server);
        let name = story.replace(' ', "-");
        // It sends to where it is told, not to where things come from.
        let conf = format!(
            "[general]\nudpbindaddr={PROVIDER}\nallowguest=no\n[line](!)\ntype=friend\nhost=dynamic\nnat=no\n\
             secret=password\ncontext=net\ndirectmedia=no\n[4711](line)\n[555](line)\n"
        );
        let plan = "[net]\nexten => _X!,1,Dial(SIP/${EXTEN},20)\n";
        let provider_runs = provider.exchange(&format!("{name}-provider"), PROVIDER, &conf, plan);
        let conf = format!(
            "[general]\nudpbindaddr={SERVER}\nallowguest=no\nlocalnet=192.168.5.0/24\n{address}\nregistertimeout=2\n\
             register => 4711:password@203.0.113.30/201\n[201]\ntype=friend\nhost=dynamic\nsecret=password\n\
             context=house\ndirectmedia=no\n[provider]\ntype=peer\nhost=203.0.113.30\ndefaultuser=4711\nfromuser=4711\n\
             remotesecret=password\ninsecure=invite\ncontext=from-provider\ndirectmedia=no\n"
        );
        let plan = "[house]\nexten => _X!,1,Dial(SIP/${EXTEN}@provider,20)\n[from-provider]\n\
            exten => 201,1,Dial(SIP/201,20)\n";
        let exchange = house.exchange(&name, SERVER, &conf, plan);
        let mut phones = Phones::none();
        room.phone(&mut phones, "192.168.5.21", "201", exchange.sip);
        customer.phone(&mut phones, "203.0.113.40", "555", provider_runs.sip);
        phones.register();
        let places = [wire, provider, customer, stun, house, room];
        Some(Country { phones, exchange, provider: provider_runs, router, _places: places })
    }

    /// The provider takes the exchange to be here.
    fn is_known_at(&self, address: &str) {
        let place = format!("Registered SIP '4711' at {address}");
        self.provider.said(&place);
    }

    /// Calls both ways, ended from both sides; nobody names an address that is good only inside.
    fn calls(&mut self) {
        for (caller, number, callee) in [(HERE, "555", THERE), (THERE, "4711", HERE)] {
            for hangs_up in [caller, callee] {
                self.phones.connect(caller, number, callee);
                self.phones.talk(&[(HERE, THERE)]);
                self.phones.run(Duration::from_millis(700));
                for heard in self.phones.hush(&[(HERE, THERE)]) {
                    // The way in opens with the first packet out.
                    assert!(heard.sink.is_clean() && heard.sink.lost(heard.made) <= 5, "{heard:?}");
                }
                self.phones.hang_up(hangs_up);
                self.phones.until("both are told that it is over", |phones| {
                    let is_over =
                        |line: usize| !phones.lines[line].phone.has_call() && phones.saw(line, &PhoneEvent::Ended);
                    is_over(HERE) && is_over(THERE)
                });
                for line in &mut self.phones.lines {
                    line.events.clear();
                }
            }
        }
        for exchange in [&self.exchange, &self.provider] {
            let shown = exchange.told("core show channels");
            assert!(shown.contains("0 active channels"), "{shown}");
        }
    }
}

/// Answers every request with where it comes from (RFC 5389 7.3), by 203.0.113.50:3478, until the test is over.
fn stun_server() {
    let socket = UdpSocket::bind("203.0.113.50:3478").unwrap();
    std::thread::spawn(move || {
        let mut request = [0; 512];
        while let Ok((20.., from)) = socket.recv_from(&mut request) {
            let SocketAddr::V4(from) = from else { continue };
            let mut answer = vec![0x01, 0x01, 0, 12];
            answer.extend(&request[4..20]);
            answer.extend([0, 0x20, 0, 8, 0, 1]);
            answer.extend((from.port() ^ 0x2112).to_be_bytes());
            answer.extend((u32::from(*from.ip()) ^ 0x2112_a442).to_be_bytes());
            let _ = socket.send_to(&answer, from);
        }
    });
}

/// The ports of SIP and of sound are forwarded.
#[test]
fn an_exchange_behind_a_router_that_forwards_its_ports() {
    let nat = "table ip nat {\n chain out {\n type nat hook postrouting priority 100;\n \
        oifname \"wan\" masquerade\n }\n chain in {\n type nat hook prerouting priority -100;\n \
        iifname \"wan\" udp dport { 5060, 26000-29000 } dnat to 192.168.5.2\n }\n}\n";
    let story = "an exchange behind a router with externaddr";
    let Some(mut country) = Country::new(story, "externaddr=203.0.113.10", nat) else { return };
    country.is_known_at("203.0.113.10:5060");
    country.calls();
}

/// Nothing is forwarded, what comes unasked is dropped, and the address outside changes.
#[test]
fn an_exchange_behind_a_router_that_a_stun_server_tells_its_address() {
    let nat = "table ip nat {\n chain out {\n type nat hook postrouting priority 100;\n \
        oifname \"wan\" masquerade\n }\n chain in {\n type filter hook input priority 0;\n \
        iifname \"wan\" ct state new drop\n }\n}\n";
    let story = "an exchange behind a router with stunaddr";
    let Some(mut country) = Country::new(story, "stunaddr=203.0.113.50", nat) else { return };
    country.exchange.said("Our address outside is 203.0.113.10:5060 (STUN server 203.0.113.50)");
    country.is_known_at("203.0.113.10:5060");
    country.calls();

    country.router.ip("addr flush dev wan").unwrap();
    country.router.ip("addr add 203.0.113.11/24 dev wan").unwrap();
    country.router.forget();
    // As soon as it is asked for; else within 25 s.
    country.exchange.told("sip reload");
    country
        .exchange
        .said("Our address outside is 203.0.113.11:5060 now, it was 203.0.113.10:5060 (STUN server 203.0.113.50)");
    country.is_known_at("203.0.113.11:5060");
    country.calls();
    let log = country.exchange.log();
    assert!(!log.contains("Failed to authenticate"), "{log}");
    assert_said("guides/behind-nat.md", "stun", &log);
}

/// Who is told the address inside sends there: calls are connected, and one side hears nothing. Both exchanges say so.
#[test]
fn an_exchange_that_does_not_say_its_address_outside_hears_nothing() {
    let nat = "table ip nat {\n chain out {\n type nat hook postrouting priority 100;\n \
        oifname \"wan\" masquerade\n }\n}\n";
    let story = "an exchange behind a router without its address outside";
    let Some(mut country) = Country::new(story, "", nat) else { return };
    country.phones.connect(HERE, "555", THERE);
    country.phones.talk(&[(HERE, THERE)]);
    country.phones.run(Duration::from_millis(6_500));
    assert_eq!((country.phones.heard(HERE), country.phones.heard(THERE) > 250), (0, true));
    assert_said("guides/behind-nat.md", "one-way", &country.exchange.log());
    assert_said("guides/behind-nat.md", "one-way-seen-outside", &country.provider.log());
    country.phones.hang_up(HERE);
    country.phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
}
