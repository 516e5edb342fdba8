//! What is measured without sockets: the edge's table and the switch, and phones that say what is needed.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use strowger::clock::{Now, Time, Wall};
use strowger::config::Config;
use strowger::dialplan;
use strowger::guard::admission::{Admission, Verdict};
use strowger::pbx::effect::{Effects, Input};
use strowger::pbx::media::{MediaCommand, MediaEvent, StreamCounts};
use strowger::pbx::switch::{Listening, Switch, SwitchSettings};
use strowger::rng::Rng;
use strowger::sip::digest::nonce::NonceKey;
use strowger::sip::digest::{self, Ha1};
use strowger::sip::header::{Challenge, HeaderName};
use strowger::sip::message::Message;
use strowger::sip::{Flow, Method, validate};

/// Where the exchange is, and the realm of its accounts.
const LOCAL: &str = "192.0.2.1:5060";

pub struct Exchange {
    admission: Arc<Admission>,
    pub switch: Switch,
    rng: Rng,
    pub now: Now,
    local: SocketAddr,
    /// What was sent to phones and not asked for yet.
    sent: Vec<(SocketAddr, Bytes)>,
    ports: u16,
}

/// The line of a number.
pub fn name(line: usize) -> String {
    format!("{}", 1_000_000 + line)
}

/// Where that line is.
pub fn source(line: usize) -> SocketAddr {
    let [_, a, b, c] = u32::try_from(line).unwrap().to_be_bytes();
    SocketAddr::from(([10, a, b, c], 5060))
}

/// A REGISTER of a line.
pub fn register(line: usize, cseq: usize, extra: &str) -> Bytes {
    let (name, at) = (name(line), source(line));
    Bytes::from(format!(
        "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{line}-{cseq}\r\nFrom: <sip:{name}@192.0.2.1>;tag=1\r\n\
         To: <sip:{name}@192.0.2.1>\r\nCall-ID: {line}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:{name}@{at}>\r\nExpires: 3600\r\nUser-Agent: Linksys/PAP2T-3.1.15(LS)\r\n{extra}Content-Length: 0\r\n\r\n"
    ))
}

impl Exchange {
    /// An exchange with so many lines, of which each can call all others; `settings` are lines of their section.
    pub fn new(lines: usize, settings: &str) -> Exchange {
        let mut sip =
            format!("[general]\ncontext=default\n[phone](!)\ntype=friend\nhost=dynamic\nsecret=password\n{settings}\n");
        for line in 0..lines {
            sip.push_str(&format!("[{}](phone)\n", name(line)));
        }
        let extensions = "[default]\nexten => _X.,1,Dial(SIP/${EXTEN})\n";
        let config = Config::from_texts(&sip, extensions, "", "").0.unwrap();
        let admission = Arc::new(Admission::new(&config.sip, NonceKey::new([7; 32], 1)));
        let now = Now { mono: Time::from_start(Duration::from_secs(1)), wall: Wall(1_790_000_000_000) };
        let local: SocketAddr = LOCAL.parse().unwrap();
        let settings = SwitchSettings {
            general: Arc::new(config.sip.general.clone()),
            peers: Arc::new(config.sip.peers.clone()),
            dialplan: Arc::new(dialplan::parse(&config.extensions, "pbx_config").0),
            strictness: config.rtp.strictness,
            admission: admission.clone(),
            listening: Listening::udp(local),
            local_towards: BTreeMap::new(),
            pins: Default::default(),
            process: Default::default(),
            indications: Arc::default(),
            recordings: None,
            music: Default::default(),
            notify_types: Default::default(),
            features: Default::default(),
            parking: Default::default(),
            product: String::new(),
        };
        let switch = Switch::new(now, settings, Rng::from_number(1));
        let rng = Rng::from_number(2);
        Exchange { admission, switch, rng, now, local, sent: Vec::new(), ports: 10_000 }
    }

    /// Hands in a datagram, parsed and admitted as in the exchange; what comes of it waits to be
    /// [`Exchange::received`].
    #[inline(never)]
    pub fn take(&mut self, from: SocketAddr, datagram: &Bytes) {
        let flow = Flow::udp(self.local, from);
        let effects = match Message::parse(datagram).unwrap() {
            Message::Request(request) => {
                let essentials = validate::request(&request).unwrap();
                match self.admission.admit(&request, &essentials, flow, self.now, self.rng.bits()) {
                    Verdict::Reply { response, to, .. } => {
                        self.sent.push((to, response.to_bytes()));
                        return;
                    }
                    Verdict::Pass { caller } => {
                        self.switch.handle(self.now, Input::Request { request, essentials, caller, flow })
                    }
                    Verdict::Drop(why) => panic!("{why}"),
                }
            }
            Message::Response(response) => {
                let essentials = validate::response(&response).unwrap();
                self.switch.handle(self.now, Input::Response { response, essentials, flow })
            }
        };
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Effects) {
        self.sent.extend(effects.transmit.into_iter().map(|sent| (sent.flow.remote, sent.bytes)));
        for command in effects.media {
            let event = match command {
                MediaCommand::Reserve { stream, local, .. } => {
                    self.ports = self.ports.wrapping_add(2).max(10_000);
                    MediaEvent::Reserved { stream, rtp: SocketAddr::new(local, self.ports) }
                }
                MediaCommand::Release { stream } => {
                    MediaEvent::Released { stream, counts: StreamCounts::default(), heard: None }
                }
                _ => continue,
            };
            let effects = self.switch.handle(self.now, Input::Media(event));
            self.carry_out(effects);
        }
    }

    /// The message of this beginning that was sent to a phone; all others to it are forgotten.
    pub fn received(&mut self, by: SocketAddr, beginning: &str) -> Bytes {
        let found = self.sent.iter().find(|(to, bytes)| *to == by && bytes.starts_with(beginning.as_bytes()));
        let found = found.map(|(_, bytes)| bytes.clone());
        let found = found.unwrap_or_else(|| panic!("no {beginning} to {by}: {:?}", self.sent));
        self.sent.retain(|(to, _)| *to != by);
        found
    }

    /// Lets time pass, and everything due be done; what is sent meanwhile nobody receives.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(at) = self.switch.next_deadline().filter(|at| *at <= end) {
            self.now.mono = self.now.mono.max(at);
            self.switch.handle(self.now, Input::Tick);
        }
        self.now.mono = end;
        self.sent.clear();
    }

    /// The header line that answers the challenge in a 401.
    pub fn proof(&self, challenge: &Bytes, line: usize, method: &Method, uri: &str) -> String {
        let Ok(Message::Response(challenge)) = Message::parse(challenge) else { panic!("{challenge:?}") };
        let challenge = Challenge::parse(challenge.headers.get(HeaderName::WwwAuthenticate).unwrap()).unwrap();
        let ha1 = Ha1::from_secret(&name(line), &challenge.realm, "password");
        let answer = digest::answer(&challenge, &name(line), &ha1, method, uri, "c", 1).unwrap();
        format!("Authorization: {answer}\r\n")
    }

    /// Asks for a challenge, and makes the REGISTER that answers it.
    pub fn authorized(&mut self, line: usize, cseq: usize) -> Bytes {
        self.take(source(line), &register(line, cseq, ""));
        let challenge = self.received(source(line), "SIP/2.0 401");
        register(line, cseq + 1, &self.proof(&challenge, line, &Method::Register, "sip:192.0.2.1"))
    }
}
