//! REGISTER, phase by phase, in the forms that real phones send.

use bytes::Bytes;

use super::*;
use crate::config::acl::{Acl, Rule};
use crate::config::peer::{Nat, Tristate};
use crate::config::{ini, sip_conf};
use crate::daemon::sentence;
use crate::event::{Level, LogLine};
use crate::guard::admission::Admission;
use crate::registrar::next_hop::Listening;
use crate::sip::digest::nonce::NonceKey;
use crate::sip::{Message, validate};
use std::sync::Arc;

const LOCAL: &str = "192.168.1.2:5060";
const SOURCE: &str = "192.168.1.20:5060";

fn peer() -> Peer {
    // It stands in line 12 of its file.
    let text = format!("{}[pap2t-client]\ntype=friend\nhost=dynamic\nsecret=password\n", "\n".repeat(11));
    let (document, _) = ini::parse("sip.conf", text.as_bytes(), &mut ini::no_includes);
    let (conf, said) = sip_conf::parse(&document, &Default::default());
    assert!(said.is_empty(), "{said:?}");
    let peer = conf.peers.into_values().next().unwrap();
    Peer::clone(&peer)
}

/// An exchange with UDP and TCP.
fn routing() -> Routing {
    let local = LOCAL.parse().unwrap();
    let listening = Listening { udp: local, tcp: Some(local), tls: None };
    Routing::new(listening, Arc::new(Admission::new(&Default::default(), NonceKey::new([0; 32], 1))))
}

/// A registrar with one peer, and a clock.
struct Desk {
    location: Location,
    general: General,
    peer: Peer,
    now: Now,
    cseq: u32,
    from_trunk: bool,
    /// Its digests were not used before.
    is_fresh: bool,
    routing: Routing,
}

impl Desk {
    fn new() -> Desk {
        Desk {
            location: Location::new(),
            general: General::default(),
            peer: peer(),
            now: Now { mono: Time::from_start(Duration::from_secs(100)), wall: Wall(1_795_000_000_000) },
            cseq: 1,
            from_trunk: false,
            is_fresh: false,
            routing: routing(),
        }
    }

    fn with_contacts(most: u32) -> Desk {
        let mut desk = Desk::new();
        desk.peer.max_contacts = most;
        desk
    }

    fn send(&mut self, text: String, source: &str) -> Registered {
        let Ok(Message::Request(request)) = Message::parse(&Bytes::from(text)) else { panic!("not a request") };
        let essentials = validate::request(&request).unwrap();
        let flow = Flow::udp(LOCAL.parse().unwrap(), source.parse().unwrap());
        register(
            &mut self.location,
            &self.general,
            &self.peer,
            &request,
            &essentials,
            Origin {
                arrived: Arrived { flow, is_fresh: self.is_fresh },
                from_trunk: self.from_trunk,
                routing: &self.routing,
            },
            self.now,
        )
    }

    /// A REGISTER with these lines, each ending in CRLF, and the next CSeq.
    fn lines(&mut self, lines: &str) -> Registered {
        let cseq = self.cseq;
        self.cseq += 1;
        self.send(text("192.168.1.20:5060", "call-1", cseq, lines), SOURCE)
    }

    fn contact(&mut self, contact: &str) -> Registered {
        self.lines(&format!("Contact: {contact}\r\n"))
    }

    fn wait(&mut self, seconds: u64) {
        self.now.mono = self.now.mono + Duration::from_secs(seconds);
        self.now.wall.0 += i64::try_from(seconds).unwrap() * 1000;
    }

    fn contacts(&self) -> Vec<String> {
        self.location.bindings("pap2t-client").iter().map(|binding| binding.contact.to_string()).collect()
    }

    fn target(&self) -> String {
        self.location.newest("pap2t-client").unwrap().flow.remote.to_string()
    }
}

fn text(via: &str, call_id: &str, cseq: u32, lines: &str) -> String {
    format!(
        "REGISTER sip:192.168.1.2 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK-{cseq}\r\nMax-Forwards: 70\r\n\
         From: <sip:pap2t-client@192.168.1.2>;tag=f1o0\r\nTo: <sip:pap2t-client@192.168.1.2>\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} REGISTER\r\n{lines}\r\n"
    )
}

fn values(registered: &Registered, name: HeaderName) -> Vec<String> {
    registered.response.headers.lines(name).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect()
}

/// What the log says of it.
fn lines_of(registered: &Registered) -> Vec<LogLine> {
    registered.events.iter().flat_map(|event| sentence::lines(&event.clone().into())).collect()
}

fn log_of(registered: &Registered) -> Vec<String> {
    lines_of(registered).into_iter().map(|line| line.text).collect()
}

fn kinds(registered: &Registered) -> Vec<String> {
    registered
        .changes
        .iter()
        .map(|change| match change {
            Change::Added(binding) => format!("+{}", binding.contact),
            Change::Refreshed(binding) => format!("={}", binding.contact),
            Change::Removed(binding) => format!("-{}", binding.contact),
        })
        .collect()
}

#[test]
fn a_pap2t_registers_and_refreshes() {
    let mut desk = Desk::new();
    let first = desk.lines(
        "Contact: \"Client\" <sip:pap2t-client@192.168.1.20:5060>;expires=3600\r\nUser-Agent: Linksys/PAP2T-3.1.15(LS)\r\n",
    );
    assert_eq!(first.response.status, 200);
    assert_eq!(values(&first, HeaderName::Contact), ["<sip:pap2t-client@192.168.1.20:5060>;expires=3600"]);
    assert_eq!(values(&first, HeaderName::Expires), ["3600"]);
    assert_eq!(values(&first, HeaderName::Date), ["Wed, 18 Nov 2026 11:06:40 GMT"]);
    assert_eq!(log_of(&first), ["Registered SIP 'pap2t-client' at 192.168.1.20:5060"]);
    assert_eq!(kinds(&first), ["+sip:pap2t-client@192.168.1.20:5060"]);
    let binding = desk.location.newest("pap2t-client").unwrap().clone();
    assert_eq!(binding.user_agent.as_deref(), Some("Linksys/PAP2T-3.1.15(LS)"));
    assert_eq!((binding.call_id.as_str(), binding.cseq, binding.flow.local), ("call-1", 1, LOCAL.parse().unwrap()));
    assert_eq!(binding.expires, desk.now.mono + Duration::from_secs(3610));
    assert_eq!(binding.expires_wall, Wall(desk.now.wall.0 + 3_610_000));

    desk.wait(1800);
    let second = desk.contact("<sip:pap2t-client@192.168.1.20:5060>;expires=3600");
    assert_eq!(kinds(&second), ["=sip:pap2t-client@192.168.1.20:5060"]);
    assert!(second.events.is_empty(), "nothing new to tell");
    assert_eq!(desk.location.next_deadline(), Some(desk.now.mono + Duration::from_secs(3610)));
}

/// As the Cisco 7960 registers: ephemeral source port, Via 5060, no rport; Expires header; parameters returned.
#[test]
fn a_cisco_7960_is_called_at_its_contact_not_at_its_source_port() {
    let mut desk = Desk::new();
    let registered = desk.send(
        text(
            "192.168.1.130:5060",
            "000e84c0-60a60002@192.168.1.130",
            101,
            "Contact: <sip:1600@192.168.1.130:5060;user=phone;transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000e84c060a6>\"\
             ;+u.sip!model.ccm.cisco.com=\"7\"\r\nExpires: 120\r\n",
        ),
        "192.168.1.130:51098",
    );
    assert_eq!(
        values(&registered, HeaderName::Contact),
        [
            "<sip:1600@192.168.1.130:5060;user=phone;transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000e84c060a6>\"\
          ;+u.sip!model.ccm.cisco.com=\"7\";expires=120"
        ]
    );
    assert_eq!(desk.target(), "192.168.1.130:5060");
    assert_eq!(desk.contacts(), ["sip:1600@192.168.1.130:5060;user=phone;transport=udp"]);
    assert_eq!(log_of(&registered), ["Registered SIP 'pap2t-client' at 192.168.1.130:5060"]);
}

#[test]
fn where_requests_go_follows_nat_and_rport() {
    let go = |nat: Tristate, via: &str, contact: &str, source: &str| {
        let mut desk = Desk::new();
        desk.peer.settings.nat = Nat { force_rport: nat, comedia: Tristate::Off };
        let registered = desk.send(text(via, "c", 1, &format!("Contact: {contact}\r\n")), source);
        assert_eq!(registered.response.status, 200, "{}", registered.response.reason_text());
        desk.target()
    };
    let home = "<sip:a@192.168.1.20:5061>";
    let inner = "<sip:a@10.0.0.5:5061>";
    let outer = "198.51.100.3:1024";
    assert_eq!(go(Tristate::Auto, "192.168.1.20:5061", home, "192.168.1.20:40000"), "192.168.1.20:5061");
    assert_eq!(go(Tristate::Auto, "10.0.0.5:5061", inner, outer), outer, "behind NAT");
    assert_eq!(go(Tristate::Auto, "ata.local", inner, outer), outer, "a name in the Via");
    assert_eq!(go(Tristate::Off, "10.0.0.5:5061", inner, outer), "10.0.0.5:5061", "nat=no believes the Contact");
    assert_eq!(go(Tristate::Off, "10.0.0.5:5061;rport", inner, outer), outer, "rport asks for the source");
    assert_eq!(go(Tristate::On, "192.168.1.20:5061", home, "192.168.1.20:40000"), "192.168.1.20:40000");
    assert_eq!(
        go(Tristate::Off, "192.168.1.20", "<sip:a@192.168.1.20>", SOURCE),
        "192.168.1.20:5060",
        "5060 by default"
    );
    assert_eq!(go(Tristate::Off, "192.168.1.20", "<sip:a@phone.local:5080>", SOURCE), SOURCE, "no name is looked up");
    assert_eq!(
        go(Tristate::Off, "192.168.1.20", "<sip:a@[2001:db8::1]:5080>", SOURCE),
        SOURCE,
        "not reachable from here"
    );
    assert_eq!(
        go(Tristate::Off, "192.168.1.20", "<sip:a@192.168.1.77:5080>", SOURCE),
        "192.168.1.77:5080",
        "a third host"
    );
}

/// From where to where its calls follow a device.
fn moves(registered: &Registered) -> Vec<String> {
    registered.moves.iter().map(|moved| format!("{} -> {}", moved.from.remote, moved.to.remote)).collect()
}

#[test]
fn a_device_whose_translator_gives_it_another_port_or_address_has_moved() {
    for (first, second, contact) in [
        ("198.51.100.3:1024", "198.51.100.3:1025", "<sip:a@10.0.0.5>"),
        ("198.51.100.3:1024", "203.0.113.7:1024", "<sip:a@10.0.0.5>"),
        ("[2001:db8::3]:1024", "[2001:db8::3]:1025", "<sip:a@[fd00::5]>"),
        ("[2001:db8::3]:1024", "[2001:db8:9::3]:99", "<sip:a@[fd00::5]>"),
    ] {
        let mut desk = Desk::new();
        let lines = format!("Contact: {contact}\r\n");
        let registered = desk.send(text("10.0.0.5", "c", 1, &lines), first);
        assert!(moves(&registered).is_empty());
        let moved = desk.send(text("10.0.0.5", "c", 2, &lines), second);
        assert_eq!(moves(&moved), [format!("{first} -> {second}")]);
        assert!(moves(&desk.send(text("10.0.0.5", "c", 3, &lines), second)).is_empty(), "it is where it was");
    }
}

/// RFC 3261 10.2: the REGISTERs of a device have one Call-ID; RFC 5626 4.1: it may name itself.
#[test]
fn a_new_contact_is_the_same_device_by_its_call_id_or_its_name_and_else_another() {
    let at = |port: u16, name: &str| format!("Contact: <sip:a@192.168.1.20:{port}>{name}\r\n");
    let (one, two) = (";+sip.instance=\"<urn:uuid:1>\"", ";+sip.instance=\"<urn:uuid:2>\"");
    for (before, after, call_id, is_same) in
        [("", "", "c", true), ("", "", "other", false), (one, one, "other", true), (one, two, "other", false)]
    {
        let mut desk = Desk::new();
        desk.send(text("192.168.1.20", "c", 1, &at(5060, before)), SOURCE);
        let moved = desk.send(text("192.168.1.20", call_id, 2, &at(5070, after)), SOURCE);
        let expected = if is_same { vec!["192.168.1.20:5060 -> 192.168.1.20:5070"] } else { Vec::new() };
        assert_eq!(moves(&moved), expected, "{before} {after} {call_id}");
    }
    // Two contacts of one device: the one is not where the other is.
    let mut desk = Desk::with_contacts(2);
    for (cseq, port) in [(1, 5060), (2, 5070), (3, 5060)] {
        assert!(moves(&desk.send(text("192.168.1.20", "c", cseq, &at(port, "")), SOURCE)).is_empty());
    }
    // One that goes takes its calls nowhere.
    let gone = desk.send(text("192.168.1.20", "c", 4, "Contact: *\r\nExpires: 0\r\n"), SOURCE);
    assert!(moves(&gone).is_empty());
}

#[test]
fn two_lines_of_one_box_keep_their_ports() {
    let mut desk = Desk::new();
    desk.send(text("192.168.1.20:5060", "l1", 1, "Contact: <sip:a@192.168.1.20:5060>\r\n"), "192.168.1.20:5060");
    desk.peer.name = "pap2t-ispmodem".into();
    desk.send(text("192.168.1.20:5061", "l2", 1, "Contact: <sip:b@192.168.1.20:5061>\r\n"), "192.168.1.20:5061");
    let targets: Vec<String> =
        desk.location.iter().map(|(name, list)| format!("{name} {}", list[0].flow.remote)).collect();
    assert_eq!(targets, ["pap2t-client 192.168.1.20:5060", "pap2t-ispmodem 192.168.1.20:5061"]);
}

#[test]
fn times_are_clamped_and_returned() {
    for (lines, granted) in [
        ("Contact: <sip:a@192.168.1.20>;expires=60\r\n", "60"),
        ("Contact: <sip:a@192.168.1.20>;expires=7200\r\n", "3600"),
        ("Contact: <sip:a@192.168.1.20>;expires=99999999999999\r\n", "3600"),
        ("Contact: <sip:a@192.168.1.20>;expires=soon\r\n", "3600"),
        ("Contact: <sip:a@192.168.1.20>\r\n", "120"),
        ("Contact: <sip:a@192.168.1.20>\r\nExpires: 300\r\n", "300"),
        ("Contact: <sip:a@192.168.1.20>;expires=90\r\nExpires: 300\r\n", "90"),
        ("Contact: <sip:a@192.168.1.20>;expires=90\r\nExpires: 0\r\n", "90"),
    ] {
        let registered = Desk::new().lines(lines);
        assert_eq!(values(&registered, HeaderName::Expires), [granted], "{lines}");
        assert!(values(&registered, HeaderName::Contact)[0].ends_with(&format!(";expires={granted}")));
    }
}

/// RFC 3261 10.3, step 7, and 21.4.17; all or nothing.
#[test]
fn a_time_too_brief_is_423_with_the_least() {
    for lines in [
        "Contact: <sip:a@192.168.1.20>;expires=30\r\n",
        "Contact: <sip:a@192.168.1.20>\r\nExpires: 59\r\n",
        "Contact: <sip:b@192.168.1.20>;expires=600, <sip:a@192.168.1.20>;expires=1\r\n",
    ] {
        let mut desk = Desk::new();
        let refused = desk.lines(lines);
        assert_eq!((refused.response.status, values(&refused, HeaderName::MinExpires)), (423, vec!["60".to_owned()]));
        assert!(refused.changes.is_empty() && desk.location.is_empty());
    }
    // Never for an hour or more, whatever the configuration has for the least (RFC 3261 10.3, step 7).
    let mut desk = Desk::new();
    desk.general.min_expiry = Duration::from_secs(7200);
    let registered = desk.lines("Contact: <sip:a@192.168.1.20>;expires=3600\r\n");
    assert_eq!((registered.response.status, values(&registered, HeaderName::Expires)), (200, vec!["7200".to_owned()]));
    // A device from before 423 was defined.
    let old = text("192.168.1.20", "l1", 1, "Contact: <sip:a@192.168.1.20>;expires=30\r\n").replace("z9hG4bK", "");
    let registered = Desk::new().send(old, "192.168.1.20:5060");
    assert_eq!((registered.response.status, values(&registered, HeaderName::Expires)), (200, vec!["60".to_owned()]));
}

/// RFC 3327 5.3.
#[test]
fn a_path_is_kept_of_a_proxy_that_the_configuration_names() {
    const LINES: &str = "Contact: <sip:a@10.0.0.5>\r\nPath: <sip:192.168.1.9:5070;lr>, <sip:edge.example.com;lr>\r\n";
    let mut desk = Desk::new();
    let ignored = desk.lines(LINES);
    assert_eq!(ignored.response.status, 200);
    assert!(
        desk.location.newest("pap2t-client").unwrap().path.is_empty() && values(&ignored, HeaderName::Path).is_empty()
    );

    let mut desk = Desk::new();
    desk.peer.settings.support_path = true;
    let refused = desk.lines(LINES);
    assert_eq!(refused.response.status, 403);
    assert!(log_of(&refused)[0].contains("contactpermit="), "{:?}", log_of(&refused));

    let mut trunk = Desk::new();
    trunk.from_trunk = true;
    let mut named = Desk::new();
    named.peer.contact_acl.add(true, "0.0.0.0/0").unwrap();
    for desk in [&mut trunk, &mut named] {
        desk.peer.settings.support_path = true;
        let kept = desk.lines(LINES);
        assert_eq!(values(&kept, HeaderName::Path), ["<sip:192.168.1.9:5070;lr>", "<sip:edge.example.com;lr>"]);
        assert_eq!(values(&kept, HeaderName::Supported), ["path"]);
        let binding = desk.location.newest("pap2t-client").unwrap();
        assert_eq!((binding.flow.remote.to_string().as_str(), binding.path.len()), ("192.168.1.9:5070", 2));
        let bad = desk.lines("Contact: <sip:a@10.0.0.5>\r\nPath: <tel:+1>\r\n");
        assert_eq!(bad.response.status, 400);
    }
}

#[test]
fn a_required_path_that_is_not_kept_is_420() {
    let refused = Desk::new().lines("Contact: <sip:a@10.0.0.5>\r\nRequire: path\r\n");
    assert_eq!((refused.response.status, values(&refused, HeaderName::Unsupported)), (420, vec!["path".to_owned()]));
}

/// RFC 3261 10.2.1.2.
#[test]
fn contacts_are_listed_by_their_preference_and_then_the_newest_first() {
    let mut desk = Desk::new();
    desk.peer.max_contacts = 3;
    let listed =
        desk.lines("Contact: <sip:a@192.168.1.20>;q=0.5, <sip:b@192.168.1.20>;q=1.0, <sip:c@192.168.1.20>;q=0.5\r\n");
    let users: Vec<String> =
        values(&listed, HeaderName::Contact).iter().map(|contact| contact[5..6].to_owned()).collect();
    assert_eq!(users, ["b", "c", "a"]);
}

#[test]
fn unregistering_by_contact_and_by_star() {
    for lines in [
        "Contact: <sip:a@192.168.1.20>;expires=0\r\n",
        "Contact: <sip:a@192.168.1.20>\r\nExpires: 0\r\n",
        "Contact: *\r\nExpires: 0\r\n",
    ] {
        let mut desk = Desk::new();
        desk.contact("<sip:a@192.168.1.20>");
        let gone = desk.lines(lines);
        assert_eq!((gone.response.status, kinds(&gone)), (200, vec!["-sip:a@192.168.1.20".to_owned()]));
        assert_eq!(log_of(&gone), ["Unregistered SIP 'pap2t-client'"]);
        assert!(values(&gone, HeaderName::Contact).is_empty() && desk.location.is_empty());
        let again = desk.lines(lines);
        assert_eq!(
            (again.response.status, again.changes.len(), again.events.len()),
            (200, 0, 0),
            "nothing to do is no error"
        );
    }
}

/// RFC 3261 10.3 step 6.
#[test]
fn star_stands_alone_and_with_expires_0() {
    for lines in [
        "Contact: *\r\n",
        "Contact: *\r\nExpires: 60\r\n",
        "Contact: *, <sip:a@192.168.1.20>\r\nExpires: 0\r\n",
        "Contact: *\r\nContact: *\r\nExpires: 0\r\n",
    ] {
        let mut desk = Desk::new();
        desk.contact("<sip:a@192.168.1.20>");
        let refused = desk.lines(lines);
        assert_eq!((refused.response.status, refused.changes.len()), (400, 0), "{lines}");
        assert_eq!(desk.contacts().len(), 1);
    }
}

#[test]
fn without_contact_it_only_asks() {
    let mut desk = Desk::new();
    let none = desk.lines("");
    assert_eq!((none.response.status, values(&none, HeaderName::Contact).len()), (200, 0));
    desk.contact("<sip:a@192.168.1.20>;expires=100");
    desk.wait(40);
    for lines in ["", "Expires: 0\r\n"] {
        let asked = desk.lines(lines);
        assert_eq!(values(&asked, HeaderName::Contact), ["<sip:a@192.168.1.20>;expires=60"]);
        assert!(asked.changes.is_empty() && asked.events.is_empty());
    }
}

#[test]
fn with_one_contact_the_newest_replaces() {
    let mut desk = Desk::new();
    desk.contact("<sip:a@192.168.1.20>");
    let moved =
        desk.send(text("192.168.1.21", "after-reboot", 1, "Contact: <sip:a@192.168.1.21>\r\n"), "192.168.1.21:5060");
    assert_eq!(kinds(&moved), ["-sip:a@192.168.1.20", "+sip:a@192.168.1.21"]);
    assert_eq!(log_of(&moved), ["Registered SIP 'pap2t-client' at 192.168.1.21:5060"]);
    assert_eq!(desk.contacts(), ["sip:a@192.168.1.21"]);
    assert_eq!(values(&moved, HeaderName::Contact).len(), 1);
}

#[test]
fn the_same_contact_from_another_place_has_moved() {
    let mut desk = Desk::new();
    desk.send(text("10.0.0.5", "c", 1, "Contact: <sip:a@10.0.0.5>\r\n"), "198.51.100.3:1024");
    let moved = desk.send(text("10.0.0.5", "c", 2, "Contact: <sip:a@10.0.0.5>\r\n"), "198.51.100.3:1025");
    assert_eq!(kinds(&moved), ["+sip:a@10.0.0.5"]);
    assert_eq!(log_of(&moved), ["Registered SIP 'pap2t-client' at 198.51.100.3:1025"]);
    assert_eq!(desk.contacts().len(), 1);
}

#[test]
fn several_contacts_within_max_contacts_then_the_oldest_goes() {
    let mut desk = Desk::with_contacts(2);
    desk.contact("<sip:a@192.168.1.20>;expires=100");
    desk.contact("<sip:b@192.168.1.20:5070>;q=0.5;expires=200");
    assert_eq!(desk.contacts(), ["sip:a@192.168.1.20", "sip:b@192.168.1.20:5070"]);
    assert_eq!(desk.location.newest("pap2t-client").unwrap().q, 500);
    desk.wait(10);
    let third = desk.contact("<sip:c@192.168.1.20:5080>;expires=100");
    assert_eq!(kinds(&third), ["-sip:a@192.168.1.20", "+sip:c@192.168.1.20:5080"]);
    assert_eq!(
        values(&third, HeaderName::Contact),
        ["<sip:c@192.168.1.20:5080>;expires=100", "<sip:b@192.168.1.20:5070>;q=0.5;expires=190"]
    );
    let fourth =
        desk.contact("<sip:b@192.168.1.20:5070>;expires=0, <sip:d@192.168.1.20:5090>, <sip:e@192.168.1.20:5091>");
    assert_eq!(
        kinds(&fourth),
        [
            "-sip:b@192.168.1.20:5070",
            "-sip:c@192.168.1.20:5080",
            "+sip:d@192.168.1.20:5090",
            "+sip:e@192.168.1.20:5091"
        ]
    );
}

#[test]
fn more_contacts_in_one_request_than_allowed_leaves_the_last() {
    let mut desk = Desk::new();
    desk.contact("<sip:a@192.168.1.20>");
    let both = desk.contact("<sip:a@192.168.1.20>, <sip:b@192.168.1.20:5070>");
    assert_eq!(kinds(&both), ["-sip:a@192.168.1.20", "+sip:b@192.168.1.20:5070"]);
    let twice = desk.contact("<sip:b@192.168.1.20:5070>;expires=90, <sip:b@192.168.1.20:5070>;expires=80");
    assert_eq!(kinds(&twice), ["=sip:b@192.168.1.20:5070"]);
    assert_eq!(values(&twice, HeaderName::Expires), ["80"]);
    let many = vec!["<sip:a@192.168.1.20>"; MAX_CONTACTS + 1].join(", ");
    assert_eq!(desk.contact(&many).response.status, 400);
}

/// RFC 3261 10.3 step 7: same Call-ID, CSeq not higher: the update is aborted.
#[test]
fn an_overtaken_request_changes_nothing() {
    for lines in [
        "Contact: <sip:a@192.168.1.20>\r\n",
        "Contact: <sip:a@192.168.1.20>;expires=0\r\n",
        "Contact: *\r\nExpires: 0\r\n",
        "Contact: <sip:older@192.168.1.20:5099>\r\n",
    ] {
        let mut desk = Desk::new();
        desk.send(text("192.168.1.20", "c", 7, "Contact: <sip:a@192.168.1.20>\r\n"), SOURCE);
        let before = desk.location.bindings("pap2t-client").to_vec();
        for cseq in [6, 7] {
            let late = desk.send(text("192.168.1.20", "c", cseq, lines), SOURCE);
            assert_eq!((late.response.status, late.changes.len()), (500, 0), "{lines}");
            assert_eq!(desk.location.bindings("pap2t-client"), before);
        }
        assert_eq!(desk.send(text("192.168.1.20", "c", 8, lines), SOURCE).response.status, 200);
        let mut desk = Desk::new();
        desk.send(text("192.168.1.20", "c", 7, "Contact: <sip:a@192.168.1.20>\r\n"), SOURCE);
        assert_eq!(
            desk.send(text("192.168.1.20", "new", 1, lines), SOURCE).response.status,
            200,
            "a new Call-ID begins anew"
        );
    }
}

/// A device that was switched off counts from the beginning again; some do so with the same Call-ID.
#[test]
fn a_fresh_digest_was_not_overtaken_whatever_its_cseq() {
    for (lines, left) in [
        ("Contact: <sip:a@192.168.1.20>\r\n", vec!["sip:a@192.168.1.20"]),
        ("Contact: <sip:a@192.168.1.20>;expires=0\r\n", vec![]),
        ("Contact: *\r\nExpires: 0\r\n", vec![]),
        ("Contact: <sip:a@192.168.1.20:5099>\r\n", vec!["sip:a@192.168.1.20:5099"]),
        (
            "Contact: <sip:a@192.168.1.20:5099>;expires=3600, <sip:a@192.168.1.20>;expires=0\r\n",
            vec!["sip:a@192.168.1.20:5099"],
        ),
    ] {
        for cseq in [1, 6, 7] {
            let mut desk = Desk::new();
            desk.is_fresh = true;
            desk.send(text("192.168.1.20", "c", 7, "Contact: <sip:a@192.168.1.20>\r\n"), SOURCE);
            let again = desk.send(text("192.168.1.20", "c", cseq, lines), SOURCE);
            assert_eq!((again.response.status, desk.contacts()), (200, left.iter().map(|c| c.to_string()).collect()));
            assert!(desk.location.bindings("pap2t-client").iter().all(|binding| binding.cseq == cseq), "{lines}");
        }
    }
}

#[test]
fn of_several_contacts_the_one_that_began_again_replaces_what_it_names_and_what_is_too_much() {
    let mut desk = Desk::with_contacts(2);
    desk.is_fresh = true;
    for (cseq, port) in [(8, 5060), (9, 5070)] {
        let lines = format!("Contact: <sip:a@192.168.1.20:{port}>\r\n");
        desk.send(text("192.168.1.20", "c", cseq, &lines), SOURCE);
    }
    let lines = "Contact: <sip:a@192.168.1.20:5070>\r\n";
    assert_eq!(kinds(&desk.send(text("192.168.1.20", "c", 2, lines), SOURCE)), ["=sip:a@192.168.1.20:5070"]);
    let lines = "Contact: <sip:a@192.168.1.20:5080>\r\n";
    let third = desk.send(text("192.168.1.20", "c", 2, lines), SOURCE);
    assert_eq!(kinds(&third), ["-sip:a@192.168.1.20:5060", "+sip:a@192.168.1.20:5080"]);
}

/// A peer without a secret has no digest: then only time tells a restart from an old message.
#[test]
fn without_a_digest_a_lower_cseq_is_taken_once_no_old_message_can_be_on_its_way() {
    let moved = "Contact: <sip:a@192.168.1.20:5099>\r\n";
    for (wait, status) in [(0, 500), (37, 500), (38, 200), (3600, 200)] {
        let mut desk = Desk::new();
        desk.send(text("192.168.1.20", "c", 7, "Contact: <sip:a@192.168.1.20>;expires=3600\r\n"), SOURCE);
        desk.wait(wait);
        let again = desk.send(text("192.168.1.20", "c", 1, moved), SOURCE);
        assert_eq!(again.response.status, status, "after {wait} s");
    }
    // A restart of the exchange does not lock it out either.
    let mut desk = Desk::new();
    desk.send(text("192.168.1.20", "c", 7, "Contact: <sip:a@192.168.1.20>;expires=3600\r\n"), SOURCE);
    let stored = desk.location.unregister("pap2t-client").remove(0);
    desk.location.restore("pap2t-client", stored, Some(Duration::from_secs(3000)), desk.now);
    assert_eq!(desk.send(text("192.168.1.20", "c", 1, moved), SOURCE).response.status, 200);
}

#[test]
fn all_or_nothing() {
    let mut desk = Desk::with_contacts(3);
    desk.contact("<sip:a@192.168.1.20>");
    let before = desk.location.bindings("pap2t-client").to_vec();
    for contact in [
        "<sip:b@192.168.1.20:5070>, <sip:c@224.0.0.1>",
        "<sip:b@192.168.1.20:5070>, <tel:+491234>",
        "<sip:a@192.168.1.20>;expires=0, <sip:b@192.168.1.2:5060>",
    ] {
        let refused = desk.contact(contact);
        assert!(refused.response.status >= 400 && refused.changes.is_empty(), "{contact}");
        assert_eq!(desk.location.bindings("pap2t-client"), before, "{contact}");
    }
}

#[test]
fn addresses_where_no_phone_can_be_are_refused() {
    for contact in [
        "<sip:a@192.168.1.2:5060>",
        "<sip:a@192.168.1.2>",
        "<sip:a@224.0.0.1>",
        "<sip:a@255.255.255.255>",
        "<sip:a@0.0.0.0>",
        "<sip:a@127.0.0.1:5060>",
        "<sip:a@[::1]:5060>",
        "<sip:a@[::]>",
        "<sip:a@[ff02::1]>",
        "<sip:a@[::ffff:127.0.0.1]:5060>",
    ] {
        let mut desk = Desk::new();
        let refused = desk.contact(contact);
        assert_eq!(refused.response.status, 403, "{contact}");
        assert_eq!(lines_of(&refused)[0].level, Level::Warning);
        assert!(desk.location.is_empty());
    }
    assert_eq!(Desk::new().contact("<sip:a@192.168.1.2:5070>").response.status, 200, "another program on this machine");
}

#[test]
fn loopback_may_register_loopback() {
    let mut desk = Desk::new();
    let lines = "Contact: <sip:a@127.0.0.1:5070>\r\n";
    let registered = desk.send(text("127.0.0.1:5070", "c", 1, lines), "127.0.0.1:5070");
    assert_eq!((registered.response.status, desk.target().as_str()), (200, "127.0.0.1:5070"));
}

#[test]
fn contactdeny_is_603() {
    let rules = vec![
        Rule { permit: false, net: "0.0.0.0/0".parse().unwrap() },
        Rule { permit: true, net: "192.168.1.0/24".parse().unwrap() },
    ];
    for is_general in [true, false] {
        let mut desk = Desk::new();
        let acl = Acl { rules: rules.clone(), ..Acl::default() };
        if is_general {
            desk.general.contact_acl = acl
        } else {
            desk.peer.contact_acl = acl
        }
        let denied = desk.contact("<sip:a@10.0.0.5>");
        assert_eq!((denied.response.status, denied.changes.len(), denied.events.len()), (603, 0, 1));
        assert_eq!(desk.contact("<sip:a@192.168.1.20>").response.status, 200);
        desk.cseq = 1;
        assert_eq!(desk.contact("<sip:a@10.0.0.5>;expires=0").response.status, 200, "gone may be anywhere");
    }
}

#[test]
fn a_peer_with_a_fixed_address_does_not_register() {
    let mut desk = Desk::new();
    desk.peer.host = PeerAddress::Static("192.168.1.20:5060".parse().unwrap());
    let refused = desk.contact("<sip:a@192.168.1.20>");
    assert_eq!((refused.response.status, lines_of(&refused)[0].level), (403, Level::Error));
    assert!(log_of(&refused)[0].starts_with("Peer 'pap2t-client' is trying to register"));
    assert!(log_of(&refused)[0].contains("sip.conf:12"));
}

/// The wall clock decides nothing.
#[test]
fn wall_clock_jumps_neither_end_nor_lengthen_a_binding() {
    for jump in [-3_600_000, 3_600_000, -1_795_000_000_000, i64::MAX / 2] {
        let mut desk = Desk::new();
        desk.contact("<sip:a@192.168.1.20>;expires=600");
        desk.now.wall.0 += jump;
        desk.now.mono = desk.now.mono + Duration::from_secs(300);
        assert!(desk.location.expire(desk.now.mono).is_empty());
        assert_eq!(values(&desk.lines(""), HeaderName::Contact), ["<sip:a@192.168.1.20>;expires=300"]);
        assert_eq!(kinds(&desk.contact("<sip:a@192.168.1.20>;expires=600")), ["=sip:a@192.168.1.20"]);
        desk.now.mono = desk.now.mono + Duration::from_secs(610);
        assert_eq!(desk.location.expire(desk.now.mono).len(), 1);
    }
}

/// Whatever an authenticated sender sends: no panic, no more contacts than allowed, never our own address.
#[test]
fn mutated_contacts_keep_the_table_in_bounds() {
    let seeds = [
        "<sip:a@192.168.1.20:5060>;expires=3600;q=0.5",
        "\"x, y\" <sip:1600@192.168.1.2:5060;user=phone>;+sip.instance=\"<urn:uuid:0>\", <sip:b@[::1]:0>;expires=99999999999",
        "*",
    ];
    let mut rng = crate::rng::Rng::from_number(10);
    let mut desk = Desk::with_contacts(3);
    let mut accepted = 0;
    for round in 0..20_000usize {
        let mut contact = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..rng.below(4) {
            let at = rng.below(contact.len() as u64) as usize;
            match rng.below(3) {
                0 => contact[at] = b"0123456789*<>;,=:@.[]\""[rng.below(22) as usize],
                1 => drop(contact.remove(at)),
                _ => contact.insert(at, b"0123456789*<>;,=:@.[]\""[rng.below(22) as usize]),
            }
            if contact.is_empty() {
                contact.push(b'*');
            }
        }
        let contact = String::from_utf8_lossy(&contact).into_owned();
        let expires = rng.below(4) * 100;
        let line = text("192.168.1.20", "c", desk.cseq, &format!("Contact: {contact}\r\nExpires: {expires}\r\n"));
        desk.cseq += 1;
        let Ok(Message::Request(request)) = Message::parse(&Bytes::from(line)) else { continue };
        let Ok(essentials) = validate::request(&request) else { continue };
        let flow = Flow::udp(LOCAL.parse().unwrap(), SOURCE.parse().unwrap());
        let registered = register(
            &mut desk.location,
            &desk.general,
            &desk.peer,
            &request,
            &essentials,
            Origin { arrived: Arrived { flow, is_fresh: true }, from_trunk: false, routing: &desk.routing },
            desk.now,
        );
        accepted += usize::from(registered.response.status == 200);
        let bindings = desk.location.bindings("pap2t-client");
        assert!(bindings.len() <= 3);
        assert!(bindings.iter().all(|binding| binding.flow.remote != flow.local && binding.flow.remote.port() != 0));
    }
    assert!(accepted > 2_000, "the mutations must leave enough to look at: {accepted}");
}
