//! The messages of RFC 4475 and RFC 5118, byte for byte, each answered as it is owed: by whom the exchange does not
//! know, and by a line of its own (without a secret, so that what comes after the challenge is seen too).
//!
//! The tables say what must happen. Where an RFC leaves a choice, or the exchange does not do as the RFC has it, the
//! last column says why.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use strowger::rng::Rng;
use strowger::clock::{Now, Time, Wall};
use strowger::config::Config;
use strowger::dialplan;
use strowger::guard::admission::{Admission, Verdict};
use strowger::pbx::effect::Input;
use strowger::pbx::switch::{Listening, Switch, SwitchSettings};
use strowger::sip::Flow;
use strowger::sip::digest::nonce::NonceKey;
use strowger::sip::message::Message;
use strowger::sip::validate;

/// What a message is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// A response of this status, the first that is sent: 100 when a call begins.
    Status(u16),
    /// Nothing: it is dropped, and counted under this name.
    Drop(&'static str),
    /// A response that can be read and belongs to nothing we sent.
    Read,
}
use Owed::{Drop, Read, Status};

/// Name, section, to a stranger, to a line of ours, why.
type Row = (&'static str, Owed, Owed, &'static str);

const RFC_4475: &[Row] = &[
    // 3.1.1, valid messages
    ("wsinv", Status(481), Status(481), "it has a To tag and belongs to no call"),
    ("intmeth", Status(501), Status(501), "8.2.1 would have 405; 501 is 21.5.2, for a method that is not known at all"),
    ("esc01", Status(401), Status(100), ""),
    ("escnull", Status(401), Status(401), "no line can have such a name"),
    ("esc02", Status(501), Status(501), "RE%47IST%45R is not REGISTER"),
    ("lwsdisp", Status(200), Status(200), "OPTIONS is answered alike to everyone, so that it tells nobody who exists"),
    ("longreq", Status(401), Status(401), "no line can have such a name"),
    ("dblreq", Status(401), Status(200), "the octets beyond Content-Length are no second request"),
    ("semiuri", Status(200), Status(200), "as lwsdisp"),
    ("transports", Status(200), Status(200), "as lwsdisp"),
    ("mpart01", Status(401), Status(401), "a text message is challenged as a call is"),
    ("unreason", Read, Read, ""),
    ("noreason", Read, Read, ""),
    // 3.1.2, invalid messages
    ("badinv01", Status(400), Status(400), ""),
    ("clerr", Status(400), Status(400), ""),
    ("ncl", Status(400), Status(400), ""),
    ("scalar02", Status(400), Status(400), ""),
    ("scalarlg", Drop("bad_header"), Drop("bad_header"), ""),
    ("quotbal", Status(400), Status(400), ""),
    ("ltgtruri", Status(400), Status(400), ""),
    ("lwsruri", Status(400), Status(400), ""),
    ("lwsstart", Status(400), Status(400), ""),
    (
        "trws",
        Status(400),
        Status(400),
        "the RFC also allows to take it; what a proxy before us reads otherwise is not taken",
    ),
    ("escruri", Status(400), Status(400), ""),
    ("baddate", Status(401), Status(100), "3.1.2.12 allows it: Date is not used, so it is not read"),
    ("regbadct", Status(400), Status(400), ""),
    ("badaspec", Status(400), Status(400), ""),
    ("baddn", Status(400), Status(400), "it lacks its empty line, too"),
    ("badvers", Status(505), Status(505), ""),
    ("mismatch01", Status(400), Status(400), ""),
    ("mismatch02", Status(400), Status(400), "or 501, says 3.1.2.18"),
    ("bigcode", Drop("bad_start_line"), Drop("bad_start_line"), ""),
    // 3.2, transactions
    (
        "badbranch",
        Status(200),
        Status(200),
        "the bare magic cookie is taken as no branch (RFC 2543), as lwsdisp otherwise",
    ),
    // 3.3, applications
    ("insuf", Status(400), Status(400), ""),
    ("unkscm", Status(416), Status(416), ""),
    ("novelsc", Status(416), Status(416), ""),
    ("unksm2", Status(401), Status(401), "10.3 has the credentials come before the address of record, so no 404 yet"),
    ("bext01", Status(420), Status(420), ""),
    ("invut", Status(401), Status(415), ""),
    ("regaut01", Status(401), Status(200), "a line without a secret is asked for nothing"),
    ("multi01", Status(400), Status(400), ""),
    ("mcl01", Status(400), Status(400), ""),
    (
        "bcast",
        Read,
        Read,
        "we sent no such request, and so nothing is done; nothing is ever sent to where a response's Via points",
    ),
    ("zeromf", Status(200), Status(200), "3.3.11: whom it has reached may answer it"),
    ("cparam01", Status(401), Status(200), ""),
    ("cparam02", Status(401), Status(200), ""),
    ("regescrt", Status(401), Status(200), ""),
    ("sdp01", Status(401), Status(406), ""),
    // 3.4
    ("inv2543", Status(401), Status(100), "neither a tag in From nor a branch"),
    // In the archive, and in no section.
    ("test", Drop("not_sip"), Drop("not_sip"), "its first line has no version, as HTTP 0.9"),
];

const RFC_5118: &[Row] = &[
    ("ipv6-good", Status(401), Status(200), ""),
    ("ipv6-bad", Status(400), Status(400), ""),
    ("port-ambiguous", Status(401), Status(200), "well formed: the address is 2001:db8::10:5070"),
    ("port-unambiguous", Status(401), Status(200), ""),
    ("via-received-param-with-delim", Status(481), Status(481), "a BYE of no call"),
    ("via-received-param-no-delim", Status(200), Status(200), ""),
    ("ipv6-in-sdp", Status(401), Status(100), ""),
    ("mult-ip-in-header", Status(481), Status(481), "a BYE of no call"),
    ("mult-ip-in-sdp", Status(401), Status(100), ""),
    ("ipv4-mapped-ipv6", Status(401), Status(100), ""),
    ("ipv6-bug-abnf-3-colons", Status(200), Status(200), "taken as two colons"),
    ("ipv6-correct-abnf-2-colons", Status(200), Status(200), ""),
];

const LINES: &[&str] = &["caller", "user", "j.user", "watson", "jdrosen", "other", "+13035551111", "I have spaces"];

struct Exchange {
    admission: Arc<Admission>,
    switch: Switch,
    rng: Rng,
    now: Now,
}

fn exchange(lines: &[&str]) -> Exchange {
    let mut sip = "[general]\ncontext=default\n".to_owned();
    for line in lines {
        sip.push_str(&format!("[{line}]\ntype=friend\nhost=dynamic\nmax_contacts=10\ndisallow=all\nallow=all\n"));
    }
    let (config, said) = Config::from_texts(&sip, "[default]\nexten => _.,1,Echo()\n", "", "");
    let config = config.unwrap_or_else(|| panic!("{said:?}"));
    let (plan, _) = dialplan::parse(&config.extensions, "pbx_config");
    let admission = Arc::new(Admission::new(&config.sip, NonceKey::new([7; 32], 1)));
    let now = Now { mono: Time::from_start(Duration::from_secs(1)), wall: Wall(1_790_000_000_000) };
    let settings = SwitchSettings {
        general: Arc::new(config.sip.general.clone()),
        peers: Arc::new(config.sip.peers.clone()),
        dialplan: Arc::new(plan),
        strictness: config.rtp.strictness,
        admission: admission.clone(),
        listening: Listening::udp("192.0.2.1:5060".parse().unwrap()),
        local_towards: BTreeMap::new(),
        pins: Default::default(),
        indications: Arc::default(),
        music: Arc::default(),
        notify_types: Arc::default(),
        features: Arc::default(),
        parking: Arc::default(),
        recordings: None,
        process: Default::default(),
        product: config.sip.general.user_agent.clone(),
    };
    Exchange {
        admission,
        switch: Switch::new(now, settings, Rng::from_number(4475)),
        rng: Rng::from_number(5118),
        now,
    }
}

impl Exchange {
    /// What becomes of a datagram, and every response that is sent at once.
    fn take(&mut self, bytes: &[u8], source: SocketAddr) -> (Owed, Vec<String>) {
        let message = match Message::parse(&bytes::Bytes::copy_from_slice(bytes)) {
            Ok(message) => message,
            Err(why) => return (Drop(why.name()), Vec::new()),
        };
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), source);
        let event = match message {
            Message::Response(response) => match validate::response(&response) {
                Ok(essentials) => Input::Response { response, essentials, flow },
                Err(why) => return (Drop(why.name()), Vec::new()),
            },
            Message::Request(request) => {
                let verdict = match validate::request(&request) {
                    Ok(essentials) => {
                        let random = self.rng.bits();
                        match self.admission.admit(&request, &essentials, flow, self.now, random) {
                            Verdict::Pass { caller } => {
                                let effects =
                                    self.switch.handle(self.now, Input::Request { request, essentials, caller, flow });
                                return owed(effects.transmit.iter().map(|sent| sent.bytes.as_ref()));
                            }
                            verdict => verdict,
                        }
                    }
                    Err(refusal) => self.admission.reject(&request, &refusal, flow),
                };
                return match verdict {
                    Verdict::Reply { response, to, .. } => {
                        assert_eq!(to.ip(), source.ip(), "an answer to where nobody asked from");
                        owed([response.to_bytes().as_ref()].into_iter())
                    }
                    Verdict::Drop(why) => (Drop(why), Vec::new()),
                    Verdict::Pass { .. } => unreachable!("handled above"),
                };
            }
        };
        let effects = self.switch.handle(self.now, event);
        assert!(effects.transmit.is_empty(), "a response is never answered");
        (Read, Vec::new())
    }
}

fn owed<'a>(sent: impl Iterator<Item = &'a [u8]>) -> (Owed, Vec<String>) {
    let texts: Vec<String> = sent.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    let status = texts.first().and_then(|text| text.get(8..11)).and_then(|status| status.parse().ok());
    (status.map_or(Drop("no answer"), Status), texts)
}

fn play(table: &[Row], messages: &[(&str, Vec<u8>)], source: &str) {
    assert_eq!(table.len(), messages.len());
    let source: SocketAddr = source.parse().unwrap();
    let mut wrong = Vec::new();
    for (name, stranger, line, _) in table {
        let bytes = &messages.iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("no message {name}")).1;
        for (lines, expected) in [(&[][..], stranger), (LINES, line)] {
            // An exchange for each: three pairs of the messages share a transaction.
            let (got, texts) = exchange(lines).take(bytes, source);
            if got != *expected {
                wrong.push(format!(
                    "{name}: {got:?} instead of {expected:?} to {} lines\n{}",
                    lines.len(),
                    texts.join("\n")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_message_of_rfc_4475_is_answered_as_it_is_owed() {
    let messages: Vec<_> = sipx_testkit::rfc4475::CASES.iter().map(|case| (case.name, case.bytes.to_vec())).collect();
    play(RFC_4475, &messages, "192.0.2.99:5060");
}

#[test]
fn every_message_of_rfc_5118_is_answered_as_it_is_owed() {
    let messages: Vec<_> = sipx_testkit::rfc5118::CASES.iter().map(|case| (case.name, case.wire().to_vec())).collect();
    play(RFC_5118, &messages, "[2001:db8::9:255]:5060");
}
