use super::*;
use crate::sip::digest::nonce::NonceKey;
use crate::sip::transaction::ReferenceChange;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

const OURS: &str = "192.0.2.1:5060";
const PHONE: &str = "192.0.2.10:5060";
const ACCOUNTS: &str = "[general]\nallowguest=no\n[a]\ntype=friend\nhost=dynamic\nsecret=password\n\
    [provider]\ntype=friend\nhost=198.51.100.7\ninsecure=invite\n";

/// Counts what is passed to the switch.
#[derive(Default)]
struct Sink(AtomicU64);

impl EventSink for Sink {
    fn pass(&self, _: Box<Input>) -> Result<(), Box<Input>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn report(&self, _: &AuthEvent, _: IpAddr) {}
    fn trace(&self, _: bool, _: Flow, _: &[u8]) {}
    fn now(&self) -> Now {
        Now { mono: crate::clock::Time::default(), wall: crate::clock::Wall(1_790_000_000_000) }
    }
}

fn ingress() -> (Ingress, Arc<Sink>) {
    let config = crate::config::Config::from_texts(ACCOUNTS, "", "", "").0.unwrap();
    let admission = Admission::new(&config.sip, NonceKey::new([7; 32], 1));
    let sink = Arc::<Sink>::default();
    let ingress =
        Ingress { auth_table: Arc::new(AuthTable::new(Arc::new(admission))), sink: sink.clone(), ..without_sink() };
    (ingress, sink)
}

fn flow(source: &str) -> Flow {
    Flow::udp(OURS.parse().unwrap(), source.parse().unwrap())
}

/// All of a test happens at one instant: what is counted per second does not depend on how fast the machine is.
fn begun() -> Instant {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    *BEGUN.get_or_init(Instant::now)
}

fn take(ingress: &mut Ingress, source: &str, text: &str) -> Received {
    let arrived = Arrived { flow: flow(source), at: begun(), is_proven: false };
    ingress.receive(&Bytes::from(text.to_owned()), arrived)
}

/// The status of the answer; 0: none.
fn status(received: &Received) -> u16 {
    match received {
        Received::Respond { bytes, .. } => std::str::from_utf8(&bytes[8..11]).unwrap().parse().unwrap(),
        _ => 0,
    }
}

fn request(method: &str, user: &str, number: u32, to_tag: &str, lines: &str) -> String {
    format!(
        "{method} sip:{user}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@192.0.2.1>;tag=1\r\nTo: <sip:{user}@192.0.2.1>{to_tag}\r\n\
         Call-ID: {number}@phone\r\nCSeq: 1 {method}\r\nContact: <sip:{user}@192.0.2.10>\r\n{lines}Content-Length: 0\r\n\r\n"
    )
}

fn response(branch: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch={branch}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\n\
         Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:b@h>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A nonce as it is sent to that address.
fn nonce(ingress: &mut Ingress, source: &str) -> String {
    match take(ingress, source, &request("REGISTER", "a", 0, "", "")) {
        Received::Respond { bytes, .. } => {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        }
        _ => panic!("no challenge"),
    }
}

fn digest(user: &str, secret: &str, nonce: &str, nc: u32) -> String {
    use md5::{Digest as _, Md5};
    let md5 = |text: &str| crate::sip::digest::hex(&Md5::digest(text));
    let (ha1, ha2) = (md5(&format!("{user}:asterisk:{secret}")), md5("REGISTER:sip:192.0.2.1"));
    let answer = md5(&format!("{ha1}:{nonce}:{nc:08x}:c:auth:{ha2}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"asterisk\", nonce=\"{nonce}\", uri=\"sip:192.0.2.1\", \
         response=\"{answer}\", cnonce=\"c\", qop=auth, nc={nc:08x}, algorithm=MD5\r\n"
    )
}

/// Everything that proves something is heard from an address in whose name so much was sent that nothing else is.
#[test]
fn what_is_proved_is_heard_from_an_address_that_is_forged() {
    for phone in [PHONE, "[2001:db8::10]:5060"] {
        let (mut ingress, sink) = ingress();
        let nonce = nonce(&mut ingress, phone);
        let opened = [
            Reference::tag("0123456789abcdef"),
            Reference::Branch("z9hG4bKours".into()),
            Reference::Invite("192.0.2.10\n5060\nz9hG4bK77\n77@phone\n1".into()),
        ];
        ingress.hearing.expected.apply(opened.map(ReferenceChange::Opened).to_vec(), begun());
        let mut answers = 0;
        for number in 1_000..3_000 {
            take(&mut ingress, phone, "x");
            for method in ["REGISTER", "INVITE", "OPTIONS", "MESSAGE"] {
                answers += u32::from(status(&take(&mut ingress, phone, &request(method, "a", number, "", ""))) > 0);
            }
            for method in ["BYE", "ACK", "CANCEL", "UPDATE"] {
                let tag = format!(";tag={number:016x}");
                answers += u32::from(status(&take(&mut ingress, phone, &request(method, "a", number, &tag, ""))) > 0);
            }
            take(&mut ingress, phone, &response(&format!("z9hG4bK{number:016x}")));
        }
        assert!(answers <= 200, "{answers} answers at one instant");
        assert_eq!(sink.0.load(Ordering::Relaxed), 0, "nothing of it reaches the switch");

        let right = request("REGISTER", "a", 1, "", &digest("a", "password", &nonce, 1));
        let live = |method| request(method, "a", 5, ";tag=0123456789ABCDEF", "");
        let ring = |method| request(method, "a", 77, "", "");
        for text in
            [right, live("BYE"), live("ACK"), live("INVITE"), ring("CANCEL"), ring("ACK"), response("z9hG4bKours")]
        {
            let received = take(&mut ingress, phone, &text);
            assert!(matches!(received, Received::Passed), "{phone}: {text}");
        }
        let proven = Arrived { flow: flow(phone), at: begun(), is_proven: true };
        let options = Bytes::from(request("OPTIONS", "a", 9, "", ""));
        assert_eq!(status(&ingress.receive(&options, proven)), 200, "a connection that proved itself");
    }
}

/// A telephone's own requests without a digest are challenged though its address is forged.
#[test]
fn a_registered_line_is_challenged_though_its_address_is_forged() {
    let (mut ingress, _) = ingress();
    ingress.hearing.known.set("a", vec![PHONE.parse().unwrap()]);
    for number in 0..5_000 {
        take(&mut ingress, PHONE, &request("REGISTER", "a", number, "", ""));
        take(&mut ingress, "192.0.2.10:9", &request("INVITE", "a", number, "", ""));
    }
    // What it looks like is told apart by eight bits: one of them may look like the flood.
    let invite = |product| request("INVITE", "a", 1, "", &format!("User-Agent: {product}\r\nSupported: x-sipura\r\n"));
    let products = ["PAP2T", "SPA2102", "HT801", "ATA186"];
    let answered = products.map(|product| status(&take(&mut ingress, PHONE, &invite(product))) == 401);
    assert!(answered.into_iter().filter(|answered| *answered).count() >= 3, "{answered:?}");
    let invite = invite("PAP2T");
    assert_eq!(status(&take(&mut ingress, "192.0.2.10:9", &invite)), 0, "from another port nobody is known");
    let trusted = request("INVITE", "provider", 1, "", "");
    assert!(matches!(take(&mut ingress, "198.51.100.7:5060", &trusted), Received::Passed));
    let passed = (0..1_000).filter(|_| matches!(take(&mut ingress, "198.51.100.7:5060", &trusted), Received::Passed));
    assert!(passed.count() <= 210, "in the name of a trusted address so many, and no more");
}

/// A right digest that was captured does not fill the queue by being repeated.
#[test]
fn one_digest_again_and_again_is_heard_for_a_while_only() {
    let (mut ingress, sink) = ingress();
    let nonce = nonce(&mut ingress, PHONE);
    let text = request("REGISTER", "a", 1, "", &digest("a", "password", &nonce, 1));
    for _ in 0..1_000 {
        take(&mut ingress, PHONE, &text);
    }
    assert_eq!(sink.0.load(Ordering::Relaxed), 200);
}

#[test]
fn whoever_guesses_is_not_listened_to_any_more_and_a_registered_line_is() {
    let (mut ingress, sink) = ingress();
    let (near, far) = ("192.0.2.10:6000", "192.0.2.99:5060");
    let nonce_here = nonce(&mut ingress, PHONE);
    let try_from = |ingress: &mut Ingress, source: &str, nonce: &str, secret: &str, user: &str| {
        let lines = digest(user, secret, nonce, 1);
        status(&take(ingress, source, &request("REGISTER", user, 1, "", &lines)))
    };
    for user in ["a", "nobody"] {
        let answers: Vec<u16> =
            (0..30).map(|guess| try_from(&mut ingress, near, &nonce_here, &guess.to_string(), user)).collect();
        assert_eq!(answers.iter().filter(|status| **status == 403).count(), 10, "{answers:?}");
        assert!(answers[10..].iter().all(|status| [401, 0].contains(status)), "{user}: {answers:?}");
    }
    assert_eq!(sink.0.load(Ordering::Relaxed), 0);
    try_from(&mut ingress, near, &nonce_here, "password", "a");
    assert_eq!(sink.0.load(Ordering::Relaxed), 0, "the right one is as good as a wrong one then");
    ingress.hearing.known.set("a", vec![PHONE.parse().unwrap()]);
    try_from(&mut ingress, PHONE, &nonce_here, "password", "a");
    assert_eq!(sink.0.load(Ordering::Relaxed), 1, "the registered line's own");
    let nonce_far = nonce(&mut ingress, far);
    try_from(&mut ingress, far, &nonce_far, "password", "a");
    assert_eq!(sink.0.load(Ordering::Relaxed), 2, "and from another address");
}
