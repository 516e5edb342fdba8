//! A device that was switched off, and registers with the Call-ID and CSeq it always begins with.

use crate::testbed::{GUIDE, SIP, Testbed};
use bytes::Bytes;
use std::time::Duration;
use strowger::clock::Wall;
use strowger::sip::digest::{self, Ha1};
use strowger::sip::header::{Challenge, HeaderName};
use strowger::sip::message::Message;
use strowger::sip::method::Method;

/// The second line of the adapter: what it has in memory while it is switched on.
struct Device {
    port: u16,
    cseq: u32,
    branch: u32,
    challenge: Option<(Challenge, u32)>,
    /// More header lines.
    lines: String,
}

impl Device {
    /// Switched on, listening there.
    fn on(port: u16) -> Device {
        Device { port, cseq: 1, branch: 0, challenge: None, lines: String::new() }
    }

    fn contact(&self) -> String {
        format!("<sip:isp@192.0.2.20:{}>", self.port)
    }

    /// A REGISTER with its next CSeq, with a digest if it was challenged.
    fn next(&mut self, contact: &str) -> String {
        self.cseq += 1;
        self.text(contact)
    }

    /// The same with the CSeq of the one before, but a digest of its own.
    fn text(&mut self, contact: &str) -> String {
        self.branch += 1;
        let mut lines = self.lines.clone();
        if let Some((challenge, nc)) = &mut self.challenge {
            *nc += 1;
            let ha1 = Ha1::from_secret("isp", "asterisk", "password");
            let uri = "sip:192.0.2.1";
            let credentials = digest::answer(challenge, "isp", &ha1, &Method::Register, uri, "0a", *nc).unwrap();
            lines += &format!("Authorization: {credentials}\r\n");
        }
        format!(
            "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:{};branch=z9hG4bK{}-{}\r\nMax-Forwards: 70\r\n\
             From: <sip:isp@192.0.2.1>;tag=always\r\nTo: <sip:isp@192.0.2.1>\r\nCall-ID: always@192.0.2.20\r\n\
             CSeq: {} REGISTER\r\nContact: {contact}\r\nExpires: 3600\r\n{lines}Content-Length: 0\r\n\r\n",
            self.port, self.port, self.branch, self.cseq,
        )
    }

    /// What this message is answered.
    fn says(&mut self, world: &mut Testbed, text: &str) -> String {
        let place = format!("192.0.2.20:{}", self.port);
        let before = world.texts_at(&place, &["SIP/2.0", "REGISTER"]).len();
        world.inject("isp", text);
        world.run(Duration::from_millis(100));
        let answers = world.texts_at(&place, &["SIP/2.0", "REGISTER"]);
        assert_eq!(answers.len(), before + 1, "one answer to each");
        answers[before].clone()
    }

    /// Registers as devices do: without a digest, then with one. What it is answered last.
    fn registers(&mut self, world: &mut Testbed, contact: &str) -> String {
        let first = self.next(contact);
        let challenged = self.says(world, &first);
        if challenged.starts_with("SIP/2.0 401") {
            self.learn(&challenged);
            let second = self.next(contact);
            return self.says(world, &second);
        }
        challenged
    }

    fn learn(&mut self, challenged: &str) {
        let Ok(Message::Response(response)) = Message::parse(&Bytes::copy_from_slice(challenged.as_bytes())) else {
            panic!("{challenged}")
        };
        let challenge = response.headers.get(HeaderName::WwwAuthenticate).unwrap();
        self.challenge = Some((Challenge::parse(challenge).unwrap(), 0));
    }
}

/// The adapter's second line as a phone that can be called, at this port.
fn plug_in(world: &mut Testbed, port: u16) {
    let mut config = world.look("isp").config().clone();
    world.unplug("isp");
    config.sip.set_port(port);
    world.plug_in(config);
}

/// A world in which the adapter's second line has been registered for a while, last with this CSeq.
fn registered(sip: &str, cseq: u32) -> Testbed {
    let mut world = Testbed::new(sip, GUIDE, crate::network::Quality::PERFECT, 1);
    world.phone("client").registers();
    world.until(|w| w.look("client").is_registered());
    let mut device = Device::on(5061);
    device.cseq = cseq - 2;
    let contact = device.contact();
    assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
    world
}

fn bound(world: &Testbed) -> Vec<String> {
    world.switch.bindings("isp").iter().map(|binding| binding.flow.remote.to_string()).collect()
}

/// It is called where it is now, at once.
fn is_called(world: &mut Testbed) {
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
}

#[test]
fn it_registers_at_once_and_is_called_where_it_is() {
    for wait in [0, 40, 1000] {
        for cseq in [3, 50] {
            for port in [5061, 5071] {
                let mut world = registered(SIP, cseq);
                plug_in(&mut world, port);
                world.run(Duration::from_secs(wait));
                let mut device = Device::on(port);
                let contact = device.contact();
                let answer = device.registers(&mut world, &contact);
                assert!(answer.starts_with("SIP/2.0 200"), "after {wait} s, CSeq {cseq}, port {port}: {answer}");
                assert_eq!(bound(&world), [format!("192.0.2.20:{port}")]);
                is_called(&mut world);
                world.assert_nothing_left();
            }
        }
    }
}

#[test]
fn it_takes_its_old_contact_away_in_the_same_request() {
    for sip in [SIP.to_owned(), SIP.replace("[isp]", "[isp]\nmax_contacts=3")] {
        let mut world = registered(&sip, 50);
        plug_in(&mut world, 5071);
        let mut device = Device::on(5071);
        let contact = format!("{};expires=3600, <sip:isp@192.0.2.20:5061>;expires=0", device.contact());
        assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
        assert_eq!(bound(&world), ["192.0.2.20:5071"]);
        is_called(&mut world);
        world.assert_nothing_left();
    }
}

#[test]
fn it_takes_all_its_contacts_away_and_registers() {
    for all in ["*", "<sip:isp@192.0.2.20:5061>"] {
        let mut world = registered(SIP, 50);
        plug_in(&mut world, 5071);
        let mut device = Device::on(5071);
        let gone = |text: String| text.replace("Expires: 3600", "Expires: 0");
        let first = gone(device.next(all));
        let challenged = device.says(&mut world, &first);
        device.learn(&challenged);
        let second = gone(device.next(all));
        assert!(device.says(&mut world, &second).starts_with("SIP/2.0 200"), "{all}");
        assert!(bound(&world).is_empty(), "{all}");
        let contact = device.contact();
        assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
        is_called(&mut world);
        world.assert_nothing_left();
    }
}

/// The same message again is answered again and does nothing; with the digest of one before it is challenged anew.
#[test]
fn what_was_said_before_moves_nothing() {
    let mut world = registered(SIP, 50);
    let mut old = Device::on(5061);
    let contact = old.contact();
    old.registers(&mut world, &contact);
    let same = old.next(&contact);
    assert!(old.says(&mut world, &same).starts_with("SIP/2.0 200"));
    let before = world.kept.len();
    assert!(old.says(&mut world, &same).starts_with("SIP/2.0 200"), "a retransmission");
    assert_eq!(world.kept.len(), before, "it was answered again, and changed nothing");
    // It has moved since.
    plug_in(&mut world, 5071);
    let mut device = Device::on(5071);
    let contact = device.contact();
    assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
    // The old message once more, long after its transaction; and its digest in another message.
    world.run(Duration::from_secs(40));
    let moved = same.replace("z9hG4bK5061", "z9hG4bKother");
    for again in [&same, &moved] {
        let answer = old.says(&mut world, again);
        assert!(answer.starts_with("SIP/2.0 401") && answer.contains("stale=true"), "{answer}");
        assert_eq!(bound(&world), ["192.0.2.20:5071"]);
    }
    is_called(&mut world);
    world.assert_nothing_left();
}

/// A nonce of ten minutes ago: challenged again, and let in with the new one.
#[test]
fn a_stale_digest_is_challenged_again() {
    let mut world = registered(SIP, 50);
    plug_in(&mut world, 5071);
    let mut device = Device::on(5071);
    let contact = device.contact();
    let first = device.next(&contact);
    let challenged = device.says(&mut world, &first);
    device.learn(&challenged);
    world.run(Duration::from_secs(600));
    let late = device.next(&contact);
    let stale = device.says(&mut world, &late);
    assert!(stale.starts_with("SIP/2.0 401") && stale.contains("stale=true"), "{stale}");
    assert_eq!(bound(&world), ["192.0.2.20:5061"]);
    device.learn(&stale);
    let fresh = device.next(&contact);
    assert!(device.says(&mut world, &fresh).starts_with("SIP/2.0 200"));
    is_called(&mut world);
    world.assert_nothing_left();
}

#[test]
fn a_restart_of_the_exchange_changes_nothing_of_it() {
    for cseq in [3, 50] {
        let mut world = registered(SIP, cseq);
        world.restart(SIP, GUIDE, Some(Duration::from_secs(1800)), Wall(1_790_003_600_000));
        plug_in(&mut world, 5071);
        let mut device = Device::on(5071);
        let contact = device.contact();
        assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
        assert_eq!(bound(&world), ["192.0.2.20:5071"]);
        is_called(&mut world);
        world.assert_nothing_left();
    }
}

/// Without a secret nothing proves that it is no old message: time does, after 37 seconds.
#[test]
fn a_line_without_a_secret_waits_for_what_may_be_under_way() {
    let sip = SIP.replace("[isp]\ntype=friend\nhost=dynamic\nsecret=password", "[isp]\ntype=friend\nhost=dynamic");
    let mut world = registered(&sip, 51);
    plug_in(&mut world, 5071);
    let mut device = Device::on(5071);
    let contact = device.contact();
    assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 500"));
    assert_eq!(bound(&world), ["192.0.2.20:5061"]);
    world.run(Duration::from_secs(37));
    assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
    is_called(&mut world);
    world.assert_nothing_left();
}

#[test]
fn of_several_contacts_the_named_and_the_oldest_go() {
    let sip = SIP.replace("[isp]\n", "[isp]\nmax_contacts=2\n");
    let mut world = registered(&sip, 50);
    plug_in(&mut world, 5071);
    let mut device = Device::on(5071);
    for (port, left) in [(5071, vec![5061, 5071]), (5081, vec![5071, 5081])] {
        device.port = port;
        let contact = device.contact();
        let answer = device.registers(&mut world, &contact);
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        let left: Vec<String> = left.iter().map(|port| format!("192.0.2.20:{port}")).collect();
        assert_eq!(bound(&world), left);
        device = Device::on(port);
    }
    world.assert_nothing_left();
}

/// Two telephones with one account: the one that was switched off takes the place it had itself, and not the other's.
#[test]
fn of_two_telephones_it_takes_its_own_place() {
    let sip = SIP.replace("[isp]\n", "[isp]\nmax_contacts=2\n");
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    let at = ("192.0.2.50:5060", "192.0.2.50:5004");
    world.add_with_account("second", "isp", "password", at, strowger::sim::DeviceProfile::Grandstream);
    world.phone("second").registers();
    world.until(|w| w.look("second").is_registered());
    for port in [5061, 5071, 5081] {
        plug_in(&mut world, port);
        let mut device = Device::on(port);
        let contact = device.contact();
        assert!(device.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
        assert_eq!(bound(&world), ["192.0.2.50:5060".to_owned(), format!("192.0.2.20:{port}")]);
    }
    world.assert_nothing_left();
}

/// The proxy on its way is kept as ever.
#[test]
fn its_path_is_kept() {
    let sip = SIP.replace("[isp]\n", "[isp]\nsupportpath=yes\ncontactpermit=192.0.2.0/24\n");
    let mut world = registered(&sip, 50);
    plug_in(&mut world, 5071);
    let mut device = Device::on(5071);
    device.lines = "Path: <sip:192.0.2.77;lr>\r\nSupported: path\r\n".into();
    let contact = device.contact();
    let answer = device.registers(&mut world, &contact);
    assert!(answer.starts_with("SIP/2.0 200") && answer.contains("Path: <sip:192.0.2.77;lr>"), "{answer}");
    assert_eq!(bound(&world), ["192.0.2.77:5060"]);
    world.relay("192.0.2.77:5060", "isp");
    is_called(&mut world);
    world.assert_nothing_left();
}
