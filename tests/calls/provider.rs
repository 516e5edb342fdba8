//! Somebody who asks the exchange for a password before he takes its requests: a proxy or registrar of a provider, or a
//! telephone that asks before it restarts. It stands before a phone, to whom what is proven goes on.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use strowger::sip::HeaderName;
use strowger::sip::digest::{Algorithm, Ha1, verify};
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
    /// Challenges sent, by method.
    pub asked: BTreeMap<String, u32>,
    /// Proofs taken, by method.
    pub taken: BTreeMap<String, u32>,
    nonces: BTreeMap<String, (u32, BTreeSet<String>)>,
    last: u32,
    /// Transactions that were answered, by their branch: the same response to a repetition, and their ACK is for nobody.
    answered: BTreeMap<String, Bytes>,
    /// Those that went on to the phone.
    passed: BTreeSet<String>,
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
            asked: BTreeMap::new(),
            taken: BTreeMap::new(),
            nonces: BTreeMap::new(),
            last: 0,
            answered: BTreeMap::new(),
            passed: BTreeSet::new(),
        }
    }

    /// What becomes of what the exchange sends.
    pub fn receive(&mut self, bytes: &Bytes) -> Fate {
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
        if self.passed.contains(&key) {
            return Fate::Passed;
        }
        let is_challenged = self.methods.is_empty() || self.methods.contains(&request.method);
        let Some(stale) = is_challenged.then(|| self.refuses(&request)).flatten() else {
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
        let algorithm = credentials.algorithm().unwrap();
        let ha1 = Ha1::from_secret_with(algorithm, self.user, self.realm, self.password);
        let is_right = credentials.username == self.user && verify(credentials, &request.method, &ha1);
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

/// The algorithm that a request of the exchange was proven with.
pub fn algorithm_of(text: &str) -> Option<Algorithm> {
    let line =
        text.lines().find(|line| line.starts_with("Authorization: ") || line.starts_with("Proxy-Authorization: "))?;
    Credentials::parse(line.split_once(": ")?.1.as_bytes()).ok()?.algorithm()
}
