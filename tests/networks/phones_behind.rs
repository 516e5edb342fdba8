//! Telephones behind a router that masquerades, gives other ports than it is asked for, and forgets soon.

use std::time::Duration;

use crate::exchange::Exchange;
use crate::phones::{Heard, Phones};
use crate::place::{Place, network};
use crate::transcript::assert_said;
use strowger::rng::Rng;
use strowger::sim::{DeviceProfile, Phone, PhoneConfig, PhoneEvent, Watching};

/// How long the router remembers what is not used, and how long a story waits for it to forget.
const REMEMBERS_S: &str = "4";
const UNTIL_FORGOTTEN: Duration = Duration::from_secs(6);
/// Packets that may be lost until it is known where the sound of both ends comes from.
const LEARNING: u64 = 15;

const SERVER: &str = "203.0.113.1:5060";
const NAT: &str = "table ip nat {\n chain out {\n type nat hook postrouting priority 100;\n \
    oifname \"wan\" masquerade fully-random\n }\n}\n";
const PLAN: &str = "[default]\nexten => 600,1,Answer()\n same => n,Echo()\n\
    exten => _[23]0X,1,Dial(SIP/${EXTEN},20)\nexten => 301,hint,SIP/301\n";

/// The exchange and the telephone 301 on a wire, and a router there, with places behind it.
struct Country {
    phones: Phones,
    exchange: Exchange,
    router: Place,
    home: Place,
    _outside: [Place; 3],
}

/// 301 is the first telephone, and registered.
const OUTSIDE: usize = 0;

impl Country {
    fn new(story: &str, accounts: &str) -> Option<Country> {
        let (wire, house, outside, router, home) = network(story, &["conntrack"], || {
            let wire = Place::wire(None)?;
            let house = Place::on(&wire, &["203.0.113.1/24"])?;
            let outside = Place::on(&wire, &["203.0.113.20/24"])?;
            let router = Place::router(&wire, "203.0.113.10/24", "192.168.7.1/24")?;
            router.filter(NAT)?;
            for kind in ["udp_timeout", "udp_timeout_stream"] {
                router.set(&format!("net/netfilter/nf_conntrack_{kind}"), REMEMBERS_S)?;
            }
            let home = Place::behind(&router, &["192.168.7.21/24"], "192.168.7.1")?;
            Ok((wire, house, outside, router, home))
        })?;
        let sip = format!(
            "[general]\nudpbindaddr={SERVER}\ncontext=default\n[phone](!)\ntype=friend\nhost=dynamic\nsecret=password\n\
             directmedia=no\n[301](phone)\n{accounts}"
        );
        let exchange = house.exchange(&story.replace(' ', "-"), SERVER, &sip, PLAN);
        let mut phones = Phones::none();
        outside.phone(&mut phones, "203.0.113.20", "301", exchange.sip);
        phones.register();
        Some(Country { phones, exchange, router, home, _outside: [wire, house, outside] })
    }

    /// A telephone behind the router.
    fn inside(&mut self, account: &str) -> usize {
        self.home.phone(&mut self.phones, "192.168.7.21", account, self.exchange.sip)
    }

    /// Two call and talk, one hangs up; each hears the other.
    fn call(&mut self, caller: usize, number: &str, callee: usize, hangs_up: usize) {
        self.phones.connect(caller, number, callee);
        self.phones.talk(&[(caller, callee)]);
        self.phones.run(Duration::from_millis(900));
        for heard in self.phones.hush(&[(caller, callee)]) {
            assert_heard(&heard);
        }
        self.hang_up(hangs_up, &[caller, callee]);
    }

    /// One hangs up, and both are told that it is over.
    fn hang_up(&mut self, hangs_up: usize, both: &[usize]) {
        self.phones.hang_up(hangs_up);
        self.phones.until("both are told that it is over", |phones| {
            both.iter().all(|line| !phones.lines[*line].phone.has_call() && phones.saw(*line, &PhoneEvent::Ended))
        });
        for line in &mut self.phones.lines {
            line.events.clear();
        }
    }

    /// Whom the exchange takes to be where.
    fn place_of(&self, peer: &str) -> String {
        let shown = self.exchange.told(&format!("sip show peer {peer}"));
        let line =
            shown.lines().find(|line| line.trim_start().starts_with("Addr->IP")).unwrap_or_else(|| panic!("{shown}"));
        line.split_once(" : ").unwrap().1.trim().to_owned()
    }

    /// The router forgets what went over it, and has this address from now on.
    fn reconnect(&self, address: &str) {
        self.router.ip("addr flush dev wan").unwrap();
        self.router.ip(&format!("addr add {address}/24 dev wan")).unwrap();
        self.router.forget();
    }
}

fn assert_heard(heard: &Heard) {
    assert!(heard.made > 35 && heard.sink.is_clean() && heard.sink.lost(heard.made) <= LEARNING, "{heard:?}");
}

fn watched(phones: &Phones, line: usize) -> &Watching {
    phones.lines[line].phone.lamps.watching().next().unwrap()
}

#[test]
fn telephones_behind_a_router_are_called_heard_and_told() {
    let accounts = "[behind](!,phone)\nnat=force_rport,comedia\n[201](behind)\nqualify=yes\nqualifyfreq=1\n[202](behind)\n\
         [203](behind)\nkeepalive=1\n";
    let Some(mut country) = Country::new("telephones behind a router", accounts) else { return };
    let [kept, forgotten, kept_alive] = ["201", "202", "203"].map(|name| country.inside(name));
    country.phones.register();
    let own = country.phones.lines[kept].phone.config().sip;
    let seen = country.place_of("201");
    assert!(seen.starts_with("203.0.113.10:") && !seen.ends_with(&format!(":{}", own.port())), "{seen} of {own}");
    country.phones.act(kept, |phone, now| {
        strowger::sim::phone::watch(phone, now, Watching::new("301", "dialog", 600));
    });
    country.phones.until("the lamp is told", |phones| watched(phones, kept).is_active());

    // Who is sent something often stays reachable; who is not is forgotten by the router.
    country.phones.run(UNTIL_FORGOTTEN);
    country.call(OUTSIDE, "203", kept_alive, OUTSIDE);
    country.phones.until("the lamp is off again", |phones| watched(phones, kept).body.contains("terminated"));
    let notices = watched(&country.phones, kept).notices;
    country.phones.dial(OUTSIDE, "202");
    country.phones.run(Duration::from_secs(2));
    assert!(!country.phones.lines[forgotten].phone.has_call(), "the router forgets nothing: this proves nothing");
    country.phones.hang_up(OUTSIDE);
    country.phones.until("the lamp changes", |phones| watched(phones, kept).notices >= notices + 2);
    country.phones.until("it is over", |phones| !phones.lines[OUTSIDE].phone.has_call());

    for line in &mut country.phones.lines {
        line.events.clear();
    }
    for (caller, number, callee) in
        [(OUTSIDE, "201", kept), (kept, "301", OUTSIDE), (kept, "203", kept_alive), (kept_alive, "201", kept)]
    {
        for hangs_up in [caller, callee] {
            country.call(caller, number, callee, hangs_up);
        }
    }
    let shown = country.exchange.told("core show channels");
    assert!(shown.contains("0 active channels"), "{shown}");
    let log = country.exchange.log();
    assert!(!log.contains("no sound") && !log.contains("may hear nothing"), "{log}");
}

#[test]
fn a_call_goes_on_when_the_router_forgets_it() {
    let accounts = "[201](phone)\nnat=force_rport,comedia\n";
    let Some(mut country) = Country::new("a router that forgets in mid-call", accounts) else { return };
    let inside = country.inside("201");
    country.phones.register();
    for (followed, address, hangs_up) in
        [(1, "203.0.113.10", OUTSIDE), (2, "203.0.113.11", OUTSIDE), (3, "203.0.113.12", inside)]
    {
        let before = country.place_of("201");
        country.phones.connect(inside, "301", OUTSIDE);
        country.phones.talk(&[(inside, OUTSIDE)]);
        country.phones.run(Duration::from_millis(500));
        country.reconnect(address);
        if before.starts_with(&format!("{address}:")) {
            // Another port alone: the sound is followed by itself.
            let heard = [OUTSIDE, inside].map(|line| country.phones.heard(line));
            country.phones.until("both are heard again", |phones| {
                phones.heard(OUTSIDE) > heard[0] + 25 && phones.heard(inside) > heard[1] + 25
            });
        }
        // What proves it: it registers, as it does every now and then.
        country.phones.act(inside, |phone, now| phone.register(now));
        let exchange = &country.exchange;
        country
            .phones
            .until("the call follows", |_| exchange.log().matches("; the call follows it").count() == followed);
        let heard = [OUTSIDE, inside].map(|line| country.phones.heard(line));
        country.phones.until("both are heard", |phones| {
            phones.heard(OUTSIDE) > heard[0] + 25 && phones.heard(inside) > heard[1] + 25
        });
        let now = country.place_of("201");
        assert!(now.starts_with(&format!("{address}:")) && now != before, "{now}, {before}");
        country.exchange.said(&format!("'201' is at {now} now, it was at {before}; the call follows it"));
        for Heard { sink, .. } in country.phones.hush(&[(inside, OUTSIDE)]) {
            assert!(sink.is_clean(), "{sink:?}");
        }
        country.hang_up(hangs_up, &[inside, OUTSIDE]);
    }
    assert_said("guides/remote-phones.md", "moved", &country.exchange.log());
}

/// What each `nat=` does for a telephone behind a router that knows nothing of it: all are reached, for they ask for
/// `rport`; those of which the exchange is not told that they are behind one hear nothing, and the log says what to write.
#[test]
fn what_each_nat_option_does() {
    let options = [
        ("201", "no", false),
        ("202", "force_rport", false),
        ("203", "auto_force_rport", false),
        ("204", "force_rport,comedia", true),
        ("205", "auto_force_rport,auto_comedia", true),
        ("206", "yes", true),
    ];
    let accounts: String = options.iter().map(|(name, nat, _)| format!("[{name}](phone)\nnat={nat}\n")).collect();
    let Some(mut country) = Country::new("what each nat= does", &accounts) else { return };
    let lines: Vec<usize> = options.iter().map(|(name, ..)| country.inside(name)).collect();
    country.phones.register();
    let pairs: Vec<(usize, usize)> = lines.iter().map(|line| (*line, *line)).collect();
    for line in &lines {
        country.phones.dial(*line, "600");
    }
    country.phones.until("all talk", |phones| lines.iter().all(|line| phones.lines[*line].phone.is_talking()));
    country.phones.talk(&pairs);
    // They are looked at 6 s after the answer.
    country.phones.run(Duration::from_millis(6_500));
    let heard = country.phones.hush(&pairs);
    let log = country.exchange.log();
    for (heard, (name, nat, hears)) in heard.iter().zip(options) {
        let rtp = country.phones.lines[heard.ear].phone.rtp();
        let said = format!(
            "no sound reaches '{name}': it wants it at {rtp}, which is good only in its own network, and speaks to us \
             from 203.0.113.10; write nat=force_rport,comedia into [{name}] (sip.conf:"
        );
        assert_eq!(log.contains(&said), !hears, "{name} {nat}: {log}");
        if hears {
            assert_heard(heard);
        } else {
            assert_eq!(heard.sink.received(), 0, "{name} {nat}");
        }
    }
    assert_said("guides/behind-nat.md", "a-telephone-outside", &log);
    // By now the router gives their BYE another port: it is believed all the same.
    for line in &lines {
        country.phones.hang_up(*line);
    }
    country.phones.until("all is over", |phones| {
        phones.lines.iter().all(|line| !phones.lines[0].phone.has_call() && !line.phone.has_call())
    });
}

/// A telephone that does not ask for `rport` (as the PAP2T) gets its answers only where the exchange is told, or sees by
/// itself, that a router stands between.
#[test]
fn a_telephone_that_does_not_ask_for_rport_registers_where_nat_says_so() {
    let options = [("201", "no", false), ("202", "force_rport", true), ("203", "auto_force_rport", true)];
    let accounts: String = options.iter().map(|(name, nat, _)| format!("[{name}](phone)\nnat={nat}\n")).collect();
    let Some(mut country) = Country::new("telephones without rport", &accounts) else { return };
    let lines: Vec<usize> = options.iter().map(|(name, ..)| country.inside(name)).collect();
    for line in &lines {
        let phone = &mut country.phones.lines[*line].phone;
        let config = PhoneConfig { profile: DeviceProfile::Pap2t, ..phone.config().clone() };
        *phone = Phone::new(config, Rng::from_number(77));
        country.phones.act(*line, |phone, now| phone.register(now));
    }
    let registered =
        |phones: &Phones| lines.iter().map(|line| phones.lines[*line].phone.is_registered()).collect::<Vec<bool>>();
    country.phones.until("those are registered that get an answer", |phones| registered(phones)[1..] == [true, true]);
    country.phones.run(Duration::from_secs(1));
    assert_eq!(registered(&country.phones), options.map(|(.., registers)| registers));
    // Called, they are reached.
    for (line, number) in [(lines[1], "202"), (lines[2], "203")] {
        country.phones.act(line, |phone, _| phone.behaviour_mut().auto_answer_after = Some(Duration::from_millis(50)));
        country.phones.connect(OUTSIDE, number, line);
        country.hang_up(OUTSIDE, &[OUTSIDE, line]);
    }
}
