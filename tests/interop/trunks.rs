//! Stories of providers, played by SIPp, by a Kamailio after `provider.cfg`, and by a socket that says nothing: what a trunk
//! does when one is dead, slow or overloaded, sends the call elsewhere, sends sound before the answer, or asks for session
//! timers.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Stdio;

use crate::can;
use crate::clients::network;
use crate::exchange::{ALICE, BOB, Exchange, Wishes, command, free_port};
use crate::kamailio::Kamailio;
use crate::namespace::{ADDRESS, Namespace};
use crate::sipp::{Phone, Play, media};
use crate::sound::{Mouth, assert_untouched, converse};

/// The trunks, which have neither secret nor number.
const ONE: (&str, &str) = ("one", "");
const TWO: (&str, &str) = ("two", "");

/// 5 and a number: by the second trunk. 7 and a number: by the first one, and by the second when that says no. 8 and a number: by both at once. 9 and a number:
/// by the first one for two seconds, then by the second.
const PLAN: &str = "exten => _5X.,1,Dial(SIP/${EXTEN:1}@two,20)\n\
    exten => _7X.,1,Dial(SIP/${EXTEN:1}@one,20)\n\
    \x20same => n,Verbose(1,${EXTEN} by one: ${DIALSTATUS})\n\
    \x20same => n,Dial(SIP/${EXTEN:1}@two,20)\n\
    exten => _8X.,1,Dial(SIP/${EXTEN:1}@one&SIP/${EXTEN:1}@two,20)\n\
    exten => _9X.,1,Dial(SIP/${EXTEN:1}@one,2)\n\
    \x20same => n,Verbose(1,${EXTEN} by one: ${DIALSTATUS})\n\
    \x20same => n,Dial(SIP/${EXTEN:1}@two,20)\n\
    [from-trunk]\nexten => 4930,1,Dial(SIP/bob,20)\n";

/// An exchange with two trunks, at these ports.
fn start(story: &str, ports: [u16; 2], more: &str) -> Exchange {
    let mut general = String::new();
    for ((name, _), port) in [ONE, TWO].into_iter().zip(ports) {
        general += &format!(
            "[{name}]\ntype=peer\nhost=127.0.0.1:{port}\ncontext=from-trunk\ninsecure=port,invite\ndisallow=all\n\
             allow=ulaw\ntimerb=1000\n{more}"
        );
    }
    Exchange::start(story, &Wishes { general: &general, extensions: PLAN, ..Wishes::default() })
}

/// Alice's call is answered by who plays this, and she hangs up.
fn talks(calling: Play, answering: Play) {
    assert!(calling.succeeds().contains("hung up"));
    answering.succeeds();
}

#[test]
fn the_second_trunk_takes_what_the_first_does_not() {
    if !can("two trunks", &["sipp"]) {
        return;
    }
    let ports = [free_port(), free_port()];
    let exchange = start("two-trunks", ports, "");
    let before = exchange.descriptors();
    let alice = Phone::new(&exchange, ALICE).registered().hanging_up_after(300);
    let one = Phone::new(&exchange, ONE).at(ports[0]);
    let two = Phone::new(&exchange, TWO).at(ports[1]);

    // Nobody listens there.
    let answering = two.listens("callee.xml");
    talks(alice.calling("caller.xml", "710"), answering);
    exchange.said("710 by one: CHANUNAVAIL");

    // Somebody does, and says nothing.
    let silent = UdpSocket::bind(("127.0.0.1", ports[0])).unwrap();
    let answering = two.listens("callee.xml");
    talks(alice.calling("caller.xml", "720"), answering);
    exchange.said("720 by one: CHANUNAVAIL");
    let answering = two.listens("callee.xml");
    talks(alice.calling("caller.xml", "830"), answering);
    drop(silent);

    let one = one.status(503, "Service Unavailable");
    let (refusing, answering) = (one.listens("callee-refuses.xml"), two.listens("callee.xml"));
    talks(alice.calling("caller.xml", "740"), answering);
    refusing.succeeds();
    exchange.said("740 by one: CONGESTION");

    // It takes the call and is silent until it is given up: then it answers, too late.
    let (late, answering) = (one.listens("provider-late.xml"), two.listens("callee.xml"));
    talks(alice.calling("caller.xml", "950"), answering);
    assert!(late.succeeds().contains("was hung up"));
    exchange.said("950 by one: NOANSWER");

    // It answers at the second INVITE.
    let answering = one.listens("provider-slow.xml");
    talks(alice.calling("caller.xml", "760"), answering);
    assert!(!exchange.log().contains("760 by one"), "{}", exchange.log());
    exchange.assert_nothing_left(before);
    exchange.stop();
}

#[test]
fn a_provider_is_heard_before_it_answers_and_sends_calls_elsewhere() {
    if !can("early media and redirections", &["sipp"]) {
        return;
    }
    let ports = [free_port(), free_port()];
    let exchange = start("early", ports, "");
    let before = exchange.descriptors();
    let (a, b) = (Mouth::new(0xa11c_e000), Mouth::new(0x0000_0b0b));
    let bob = Phone::new(&exchange, BOB).registered();
    let alice = Phone::new(&exchange, ALICE).registered().with_rtp(a.port()).hanging_up_after(300);
    let one = Phone::new(&exchange, ONE).at(ports[0]).with_rtp(b.port());

    let answering = one.hanging_up_after(3_000).listens("provider-early.xml");
    let calling = alice.calling("caller.xml", "710");
    let to_a = format!("127.0.0.1:{}", calling.said("early ")).parse().unwrap();
    let heard = converse(&a, to_a, &b, answering.first_media(), 50);
    assert!(calling.media().is_empty(), "it has answered already");
    assert_untouched(&heard.at_a, &b, 50);
    assert_untouched(&heard.at_b, &a, 50);
    talks(calling, answering);

    // 302 to a number of the exchange, which is in the trunk's context.
    let two = Phone::new(&exchange, TWO).at(ports[1]);
    let one = Phone::new(&exchange, ONE).at(ports[0]).status(302, "Moved Temporarily");
    let extension = format!("sip:4930@127.0.0.1:{}", exchange.port);
    let one = one.leading_to(&extension);
    let (moved, answering) = (one.listens("provider-moved.xml"), bob.listens("callee.xml"));
    talks(alice.calling("caller.xml", "720"), answering);
    moved.succeeds();

    // To an address elsewhere, which is not followed without promiscredir.
    let one = one.leading_to("sip:999@127.0.0.1:9");
    let (moved, answering) = (one.listens("provider-moved.xml"), two.listens("callee.xml"));
    talks(alice.calling("caller.xml", "730"), answering);
    moved.succeeds();
    exchange.said("730 by one: ");
    exchange.assert_nothing_left(before);
    exchange.stop();
}

/// dnsmasq names two servers (RFC 2782): the first is not there, or is overloaded, and the second takes the call in the same
/// `Dial`. The first is left alone for a while.
#[test]
fn a_name_leads_to_a_second_server_when_the_first_fails() {
    let story = "two servers of one name";
    if !can(story, &["sipp", "dnsmasq"]) {
        return;
    }
    let Some(namespace) = network(story, &[]) else { return };
    let ports = [free_port(), free_port(), free_port()];
    let resolver = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop-resolv.conf");
    std::fs::write(&resolver, "nameserver 127.0.0.1\n").unwrap();
    let names = Dnsmasq::start(&namespace, ports);
    let trunk = "type=peer\ncontext=default\ninsecure=port,invite\ndisallow=all\nallow=ulaw\ntimerb=1000\n";
    let general = format!("[one]\nhost=gone.example\n{trunk}[two]\nhost=busy.example\n{trunk}");
    let wishes = Wishes {
        address: ADDRESS,
        namespace: Some(&namespace.name),
        general: &general,
        extensions: PLAN,
        resolver: Some(&resolver),
        ..Wishes::default()
    };
    let exchange = Exchange::start("two-servers", &wishes);
    let before = exchange.descriptors();
    let alice = Phone::new(&exchange, ALICE).registered().hanging_up_after(300);
    let second = Phone::new(&exchange, TWO).at(ports[1]);
    for number in ["710", "720"] {
        let answering = second.listens("callee.xml");
        talks(alice.calling("caller.xml", number), answering);
    }
    let tried = exchange.log().matches(&format!("Called SIP/one at {ADDRESS}:{}", ports[0])).count();
    assert_eq!(tried, 1, "{}", exchange.log());
    let first = Phone::new(&exchange, ONE).at(ports[2]).status(503, "Service Unavailable");
    let (refusing, answering) = (first.listens("callee-refuses.xml"), second.listens("callee.xml"));
    talks(alice.calling("caller.xml", "530"), answering);
    refusing.succeeds();
    assert!(!exchange.log().contains("by one"), "one Dial: {}", exchange.log());
    exchange.assert_nothing_left(before);
    exchange.stop();
    drop(names);
}

/// A name server; ended with the value.
struct Dnsmasq(std::process::Child);

impl Dnsmasq {
    /// `gone.example` and `busy.example` have the second port as their second server; first come the first and the third.
    fn start(namespace: &Namespace, [gone, second, busy]: [u16; 3]) -> Dnsmasq {
        let mut program = command(Some(&namespace.name), "dnsmasq");
        program.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root"]);
        program.args(["--pid-file", "--bind-interfaces", "--listen-address=127.0.0.1"]);
        program.arg(format!("--host-record=server.example,{ADDRESS}"));
        for (name, first) in [("gone", gone), ("busy", busy)] {
            for (port, priority) in [(first, 10), (second, 20)] {
                program.arg(format!("--srv-host=_sip._udp.{name}.example,server.example,{port},{priority},0"));
            }
        }
        let child = program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Dnsmasq(child)
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kamailio asks for the password first; the call that it sends elsewhere is asked for it again, and goes to a gateway that
/// is heard before it answers.
#[test]
fn a_provider_behind_kamailio_challenges_redirects_and_is_overloaded() {
    if !can("a provider behind Kamailio", &["sipp", "kamailio"]) {
        return;
    }
    let ports = [free_port(), free_port()];
    let more = "defaultuser=4711\nfromuser=4711\nremotesecret=its@pass:word\npromiscredir=yes\n";
    let exchange = start("behind-kamailio", ports, more);
    let before = exchange.descriptors();
    let gateway = free_port();
    let kamailio = Kamailio::start_as(&exchange, "provider.cfg", &format!("127.0.0.1:{}", ports[0]));
    let (a, b) = (Mouth::new(0xa11c_e000), Mouth::new(0x0000_0b0b));
    let alice = Phone::new(&exchange, ALICE).registered().with_rtp(a.port()).hanging_up_after(300);
    let gateway = Phone::new(&exchange, ONE).at(gateway).with_rtp(b.port()).hanging_up_after(2_500);
    // 302 and a port is a number that is moved to the gateway at that port.
    let answering = gateway.listens("provider-early.xml");
    let calling = alice.calling("caller.xml", &format!("7302{}", gateway.port));
    let to_a = format!("127.0.0.1:{}", calling.said("early ")).parse().unwrap();
    let heard = converse(&a, to_a, &b, answering.first_media(), 50);
    assert_untouched(&heard.at_a, &b, 50);
    talks(calling, answering);

    let two = Phone::new(&exchange, TWO).at(ports[1]);
    let answering = two.listens("callee.xml");
    talks(alice.calling("caller.xml", "7503"), answering);
    exchange.said("7503 by one: CONGESTION");
    exchange.assert_nothing_left(before);
    exchange.stop();
    drop(kamailio);
}

/// All four ways: the provider called or was called, and it refreshes or we do, after 45 of the 90 seconds that are the least.
pub fn session_timers() {
    if !can("session timers of a provider", &["sipp"]) {
        return;
    }
    let ports = [free_port(), free_port()];
    let exchange = start("session-timers", ports, "");
    let before = exchange.descriptors();
    let bob = Phone::new(&exchange, BOB).registered().calls(2, 2).patient();
    Phone::new(&exchange, ALICE).registered();
    let (alice, provider) = (|| Phone::new(&exchange, ALICE).patient(), || Phone::new(&exchange, ONE).patient());
    let waits = provider().at(ports[0]).listens("timer-answers-and-waits.xml");
    let refreshes = Phone::new(&exchange, TWO).at(ports[1]).listens("timer-answers-and-refreshes.xml");
    let answering = bob.listens("callee.xml");
    let calling = [alice().calling("caller.xml", "710"), alice().calling("caller.xml", "520")];
    let calls_and_waits = provider().calling("timer-calls-and-waits.xml", "4930");
    let calls_and_refreshes = provider().calling("timer-calls-and-refreshes.xml", "4930");
    assert!(refreshes.succeeds().contains("has refreshed"));
    assert!(calls_and_refreshes.succeeds().contains("has refreshed"));
    assert!(waits.succeeds().contains("refreshed by UPDATE"));
    assert!(calls_and_waits.succeeds().contains("refreshed by re-INVITE"));
    for telephone in calling.into_iter().chain([answering]) {
        let log = telephone.succeeds();
        assert!(log.contains("was hung up"), "{log}");
        assert_eq!(media(&log).len(), log.matches("was hung up").count(), "a refresh is the provider's matter: {log}");
    }
    exchange.assert_nothing_left(before);
    exchange.stop();
}
