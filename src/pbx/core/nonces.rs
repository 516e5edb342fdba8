//! The nonces that challenges to our requests brought: a later request of the same dialog, or of the same registration,
//! has its credentials at once and spares a round trip (RFC 3261 22.3, RFC 7616 3.6).

use crate::rng::Rng;
use crate::sip::HeaderName;
use crate::sip::digest::{self, Ha1};
use crate::sip::header::Challenge;
use crate::sip::message::Request;
use smol_str::SmolStr;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// Calls and registrations whose nonces are kept; the oldest make room, and are challenged again.
const MAX_CALLS: usize = 4_000;
/// Realms kept of one call: its proxies and its other side.
const MAX_REALMS: usize = 4;
/// Realms kept that a trunk has named from its own address.
const MAX_REALMS_OF_PEER: usize = 8;

/// What a challenge is answered with, again and again while its nonce is good.
pub struct Proof {
    challenge: Challenge,
    by_proxy: bool,
    user: String,
    ha1: Ha1,
    from: IpAddr,
    used: u32,
    /// The client nonce of the first answer, which counts for all of them in a `-sess` algorithm.
    cnonce: Option<String>,
}

impl Proof {
    /// The answer of `user` to a challenge that came from `from`; `ha1` is of the challenge's realm and algorithm.
    pub fn new(challenge: Challenge, by_proxy: bool, user: String, ha1: Ha1, from: IpAddr) -> Proof {
        Proof { challenge, by_proxy, user, ha1, from, used: 0, cnonce: None }
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.challenge.realm
    }

    /// Adds the credentials to a request.
    fn write(&mut self, request: &mut Request, rng: &mut Rng) {
        self.used = self.used.saturating_add(1);
        let name = if self.by_proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
        let uri = String::from_utf8_lossy(&request.target).into_owned();
        let first = self.cnonce.take().filter(|_| self.challenge.is_of_session());
        let cnonce = first.unwrap_or_else(|| rng.hex(16));
        let Proof { challenge, user, ha1, used, .. } = self;
        let credentials = digest::answer(challenge, user, ha1, &request.method, &uri, &cnonce, *used);
        if let Some(credentials) = credentials {
            request.headers.push(name, credentials.to_string());
        }
        self.cnonce = Some(cnonce);
    }
}

/// All that are known.
#[derive(Default)]
pub struct Nonces {
    calls: BTreeMap<SmolStr, Vec<Proof>>,
    oldest: VecDeque<SmolStr>,
    realms: BTreeMap<SmolStr, Vec<SmolStr>>,
}

impl Nonces {
    /// A challenge in a call, by its Call-ID, is answered by this from now on.
    pub fn learn(&mut self, call: &str, proof: Proof) {
        let call = SmolStr::from(call);
        if !self.calls.contains_key(&call) {
            self.oldest.push_back(call.clone());
            if self.oldest.len() > MAX_CALLS
                && let Some(oldest) = self.oldest.pop_front()
            {
                self.calls.remove(&oldest);
            }
        }
        let proofs = self.calls.entry(call).or_default();
        let is_same = |other: &Proof| other.realm() == proof.realm() && other.by_proxy == proof.by_proxy;
        proofs.retain(|other| !is_same(other));
        if proofs.len() >= MAX_REALMS {
            proofs.remove(0);
        }
        proofs.push(proof);
    }

    /// Writes the credentials that a call knows into one of its requests, which goes to `to`, in the place of those it
    /// has: only those that were asked for from there.
    pub fn write(&mut self, call: &str, request: &mut Request, to: IpAddr, rng: &mut Rng) {
        let Some(proofs) = self.calls.get_mut(call) else { return };
        request.headers.remove(HeaderName::Authorization);
        request.headers.remove(HeaderName::ProxyAuthorization);
        for proof in proofs.iter_mut().filter(|proof| proof.from == to) {
            proof.write(request, rng);
        }
    }

    /// What a call knows was refused: it is not sent unasked any more.
    pub fn forget(&mut self, call: &str) {
        if self.calls.remove(call).is_some() {
            self.oldest.retain(|other| other != call);
        }
    }

    /// A peer named a realm from its own address.
    pub fn learn_realm(&mut self, peer: &str, realm: &str) {
        let realms = self.realms.entry(peer.into()).or_default();
        if !realms.iter().any(|known| known == realm) {
            if realms.len() >= MAX_REALMS_OF_PEER {
                realms.remove(0);
            }
            realms.push(realm.into());
        }
    }

    /// Did it name this realm before?
    pub fn knows_realm(&self, peer: &str, realm: &str) -> bool {
        self.realms.get(peer).is_some_and(|realms| realms.iter().any(|known| known == realm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::method::Method;

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

    fn proof(realm: &str) -> Proof {
        let challenge =
            Challenge { realm: realm.into(), nonce: "n".into(), qop: Some("auth".into()), ..Default::default() };
        Proof::new(challenge, false, "bob".to_owned(), Ha1::from_secret("bob", realm, "secret"), FROM)
    }

    #[test]
    fn the_oldest_calls_make_room_and_each_has_few_realms() {
        let (mut nonces, mut rng) = (Nonces::default(), Rng::from_number(1));
        for number in 0..MAX_CALLS + 10 {
            nonces.learn(&number.to_string(), proof("a"));
            nonces.learn(&number.to_string(), proof("a"));
        }
        assert_eq!((nonces.calls.len(), nonces.oldest.len()), (MAX_CALLS, MAX_CALLS));
        for realm in 0..20 {
            nonces.learn("5000", proof(&realm.to_string()));
            nonces.learn_realm("trunk", &realm.to_string());
        }
        let mut written = |call: &str, to: &str| {
            let mut request = Request::new(Method::Bye, "sip:a@192.0.2.9");
            nonces.write(call, &mut request, to.parse().unwrap(), &mut rng);
            request.headers.lines(HeaderName::Authorization).count()
        };
        assert_eq!(written("5000", "192.0.2.9"), MAX_REALMS);
        assert_eq!(written("4005", "192.0.2.9"), 1);
        assert_eq!(written("4005", "192.0.2.8"), 0, "not to whom did not ask");
        assert_eq!(written("3", "192.0.2.9"), 0, "made room");
        assert!(nonces.knows_realm("trunk", "19") && !nonces.knows_realm("trunk", "3"));
        assert!(!nonces.knows_realm("other", "19"));
    }
}
