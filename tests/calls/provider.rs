//! Somebody who asks the exchange for a password before he takes its requests: a proxy or registrar of a provider, or a
//! telephone that asks before it restarts. It stands before a phone, to whom what is proven goes on.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use strowger::sip::HeaderName;
use strowger::sip::digest::{Algorithm, Ha1, md5_hex, verify};
use strowger::sip::header::{Challenge, Credentials, Via};
use strowger::sip::message::{Message, Request, Response};
use strowger::sip::method::Method;

/// How requests are challenged.
#[derive(Debug, Clone)]
pub struct Provider {
    pub realm: &'static str,
    pub user: &'static str,
    pub password: &'static str,
    /// The algorithms it offers, each in a line of its own; a name that is none is offered as it is.
    pub algorithms: Vec<&'static str>,
    pub qop: Option<&'static str>,
    /// 407 instead of 401.
    pub is_proxy: bool,
    /// Which methods are challenged; empty: all.
    pub methods: Vec<Method>,
    /// How many requests a nonce is good for; then it is stale.
    pub uses: u32,
    /// It says that a nonce is stale; else it just asks again.
    pub says_stale: bool,
    /// It never takes any proof.
    pub is_deaf: bool,
    /// It is a registrar, too: REGISTER is answered here.
    pub registrar: Option<Registrar>,
    /// It tells of mailboxes, too: SUBSCRIBE is answered here.
    pub mailboxes: Option<MailServer>,
    /// Challenges sent, by method.
    pub asked: BTreeMap<String, u32>,
    /// Proofs taken, by method.
    pub taken: BTreeMap<String, u32>,
    nonces: BTreeMap<String, (u32, BTreeSet<String>)>,
    first_cnonce: BTreeMap<String, String>,
    last: u32,
    /// Transactions that were answered, by their branch: the same response to a repetition, and their ACK is for nobody.
    answered: BTreeMap<String, Bytes>,
    /// Those that went on to the phone.
    passed: BTreeSet<String>,
}

/// What a registrar does with a REGISTER that is proven.
#[derive(Debug, Clone, Default)]
pub struct Registrar {
    /// Refused so, one after another, before any is granted.
    pub refusals: VecDeque<u16>,
    /// What a refusal says of when to come back.
    pub retry_after: Option<&'static str>,
    /// The shortest time it grants, in seconds.
    pub least: u32,
    /// It says nothing at all.
    pub is_silent: bool,
    /// The proxies of calls.
    pub service_route: Option<&'static str>,
    /// How many were granted.
    pub granted: u32,
    /// When.
    pub at: Vec<Duration>,
    /// The last one removed the registration.
    pub removed: bool,
}

impl Registrar {
    /// Refuses the next ones so.
    pub fn refuses(&mut self, statuses: &[u16]) {
        self.refusals.extend(statuses);
    }

    fn answer(&mut self, request: &Request, now: Duration) -> Bytes {
        let contact = String::from_utf8_lossy(request.headers.get(HeaderName::Contact).unwrap()).into_owned();
        let expires: u32 = contact.split_once(";expires=").unwrap().1.parse().unwrap();
        if let Some(status) = self.refusals.pop_front() {
            let mut response = Response::for_request(request, status, Some("reg"));
            if let Some(after) = self.retry_after {
                response.headers.push(HeaderName::RetryAfter, after);
            }
            return response.to_bytes();
        }
        if expires > 0 && expires < self.least {
            let mut response = Response::for_request(request, 423, Some("reg"));
            response.headers.push(HeaderName::MinExpires, self.least.to_string());
            return response.to_bytes();
        }
        let mut response = Response::for_request(request, 200, Some("reg"));
        self.removed = expires == 0;
        if expires > 0 {
            self.granted += 1;
            self.at.push(now);
            // Another exchange of the same account, with another time.
            response.headers.push(HeaderName::Contact, format!("<sip:4711@203.0.113.5>;expires=7, {contact}"));
        }
        if let Some(route) = self.service_route {
            response.headers.push(HeaderName::ServiceRoute, route);
        }
        response.to_bytes()
    }
}

/// Tells of mailboxes: SUBSCRIBE that is proven is answered here.
#[derive(Debug, Clone, Default)]
pub struct MailServer {
    /// Refused so, one after another, before any is granted.
    pub refusals: VecDeque<u16>,
    /// It says nothing at all.
    pub is_silent: bool,
    /// The shortest time it grants, in seconds.
    pub least: u32,
    /// How many were granted.
    pub granted: u32,
}

impl MailServer {
    /// Refuses the next ones so.
    pub fn refuses(&mut self, statuses: &[u16]) {
        self.refusals.extend(statuses);
    }

    fn answer(&mut self, request: &Request) -> Bytes {
        let expires: u32 = request.headers.text(HeaderName::Expires).unwrap().parse().unwrap();
        if let Some(status) = self.refusals.pop_front() {
            return Response::for_request(request, status, Some("mail")).to_bytes();
        }
        if expires > 0 && expires < self.least {
            let mut response = Response::for_request(request, 423, Some("mail"));
            response.headers.push(HeaderName::MinExpires, self.least.to_string());
            return response.to_bytes();
        }
        self.granted += 1;
        let mut response = Response::for_request(request, 200, Some("mail"));
        response.headers.push(HeaderName::Contact, "<sip:mail@198.51.100.7:5060>");
        response.headers.push(HeaderName::Expires, expires.to_string());
        response.to_bytes()
    }
}

/// What becomes of a datagram.
pub enum Fate {
    /// It goes on to the phone.
    Passed,
    /// It is answered.
    Answered(Bytes),
    /// It is for nobody.
    Dropped,
}

impl Provider {
    /// Asks for this password by MD5 with qop=auth, of every request.
    pub fn new(realm: &'static str, user: &'static str, password: &'static str) -> Provider {
        Provider {
            realm,
            user,
            password,
            algorithms: vec!["MD5"],
            qop: Some("auth"),
            is_proxy: false,
            methods: Vec::new(),
            uses: u32::MAX,
            says_stale: true,
            is_deaf: false,
            registrar: None,
            mailboxes: None,
            asked: BTreeMap::new(),
            taken: BTreeMap::new(),
            nonces: BTreeMap::new(),
            first_cnonce: BTreeMap::new(),
            last: 0,
            answered: BTreeMap::new(),
            passed: BTreeSet::new(),
        }
    }

    /// What becomes of what the exchange sends.
    pub fn receive(&mut self, bytes: &Bytes, now: Duration) -> Fate {
        let Ok(Message::Request(request)) = Message::parse(bytes) else { return Fate::Passed };
        let via = Via::parse(request.headers.get(HeaderName::Via).unwrap()).unwrap();
        let key = format!("{} {}", via.branch.unwrap(), request.method);
        match request.method {
            Method::Ack if self.answered.contains_key(&key.replace(" ACK", " INVITE")) => return Fate::Dropped,
            Method::Ack | Method::Cancel => return Fate::Passed,
            _ => {}
        }
        if let Some(before) = self.answered.get(&key) {
            return Fate::Answered(before.clone());
        }
        if request.method == Method::Register && self.registrar.as_ref().is_some_and(|registrar| registrar.is_silent) {
            return Fate::Dropped;
        }
        if request.method == Method::Subscribe && self.mailboxes.as_ref().is_some_and(|mailboxes| mailboxes.is_silent) {
            return Fate::Dropped;
        }
        if self.passed.contains(&key) {
            return Fate::Passed;
        }
        let is_challenged = self.methods.is_empty() || self.methods.contains(&request.method);
        let Some(stale) = is_challenged.then(|| self.refuses(&request)).flatten() else {
            if let Some(registrar) = self.registrar.as_mut().filter(|_| request.method == Method::Register) {
                let response = registrar.answer(&request, now);
                self.answered.insert(key, response.clone());
                return Fate::Answered(response);
            }
            if let Some(mailboxes) = self.mailboxes.as_mut().filter(|_| request.method == Method::Subscribe) {
                let response = mailboxes.answer(&request);
                self.answered.insert(key, response.clone());
                return Fate::Answered(response);
            }
            self.passed.insert(key);
            return Fate::Passed;
        };
        let response = self.challenge(&request, stale);
        self.answered.insert(key, response.clone());
        Fate::Answered(response)
    }

    /// Whether the request is refused, and whether for its nonce alone.
    fn refuses(&mut self, request: &Request) -> Option<bool> {
        let name = if self.is_proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
        let found = request.headers.lines(name).filter_map(|line| Credentials::parse(line).ok());
        let mine: Vec<Credentials> = found.filter(|credentials| credentials.realm == self.realm).collect();
        assert!(mine.len() <= 1, "one proof for each realm");
        let Some(credentials) = mine.first() else { return Some(false) };
        assert_eq!(credentials.uri.as_bytes(), &*request.target, "the digest is of the Request-URI");
        let is_proven = match session_algorithm(credentials) {
            Some(hash) => self.proves_session(credentials, &request.method, hash),
            None => {
                let algorithm = credentials.algorithm().unwrap();
                let ha1 = Ha1::from_secret_with(algorithm, self.user, self.realm, self.password);
                verify(credentials, &request.method, &ha1)
            }
        };
        let is_right = credentials.username == self.user && is_proven;
        if !is_right || self.is_deaf {
            return Some(false);
        }
        let nonce = credentials.nonce.to_string();
        let Some((used, counts)) = self.nonces.get_mut(&nonce) else { return Some(self.says_stale) };
        if let Some(count) = &credentials.nc {
            assert!(counts.insert(count.to_string()), "nc {count} was used before with this nonce");
        }
        *used += 1;
        if *used > self.uses {
            self.nonces.remove(&nonce);
            return Some(self.says_stale);
        }
        *self.taken.entry(request.method.to_string()).or_default() += 1;
        None
    }

    /// RFC 7616 3.4.1 and 3.4.2, with the first client nonce of each nonce.
    fn proves_session(&mut self, credentials: &Credentials, method: &Method, hash: fn(&str) -> String) -> bool {
        let cnonce = credentials.cnonce.as_ref().unwrap().to_string();
        let first = self.first_cnonce.entry(credentials.nonce.to_string()).or_insert_with(|| cnonce.clone());
        let secret = hash(&format!("{}:{}:{}", self.user, self.realm, self.password));
        let a1 = hash(&format!("{secret}:{}:{first}", credentials.nonce));
        let a2 = hash(&format!("{method}:{}", credentials.uri));
        let nc = credentials.nc.as_ref().unwrap();
        credentials.response == hash(&format!("{a1}:{}:{nc}:{cnonce}:auth:{a2}", credentials.nonce))
    }

    fn challenge(&mut self, request: &Request, stale: bool) -> Bytes {
        *self.asked.entry(request.method.to_string()).or_default() += 1;
        let (status, name) = match self.is_proxy {
            true => (407, HeaderName::ProxyAuthenticate),
            false => (401, HeaderName::WwwAuthenticate),
        };
        let mut response = Response::for_request(request, status, Some("asks"));
        self.last += 1;
        let nonce = format!("{}-{}", self.realm, self.last);
        self.nonces.insert(nonce.clone(), (0, BTreeSet::new()));
        for algorithm in &self.algorithms {
            let challenge = Challenge {
                realm: self.realm.into(),
                nonce: nonce.as_str().into(),
                opaque: Some("kept".into()),
                algorithm: Some((*algorithm).into()),
                qop: self.qop.map(Into::into),
                stale,
            };
            response.headers.push(name.clone(), challenge.to_string());
        }
        response.to_bytes()
    }
}

/// The hash of a `-sess` algorithm.
fn session_algorithm(credentials: &Credentials) -> Option<fn(&str) -> String> {
    match credentials.algorithm.as_deref() {
        Some("MD5-sess") => Some(|text| md5_hex(text.as_bytes())),
        Some("SHA-256-sess") => Some(|text| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()),
        _ => None,
    }
}

/// The algorithm that a request of the exchange was proven with.
pub fn algorithm_of(text: &str) -> Option<Algorithm> {
    let line =
        text.lines().find(|line| line.starts_with("Authorization: ") || line.starts_with("Proxy-Authorization: "))?;
    Credentials::parse(line.split_once(": ")?.1.as_bytes()).ok()?.algorithm()
}
