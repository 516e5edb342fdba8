//! Digest authentication as a client does it (RFC 3261 22.2).

use super::config::PhoneConfig;
use crate::rng::Rng;
use crate::sim::device_profile::DeviceProfile;
use crate::sip::digest;
use crate::sip::header::{Challenge, Credentials, HeaderName};
use crate::sip::message::{Request, Response};
use bytes::Bytes;

/// A request is sent again at most this often, as long as only its nonce was stale.
const MAX_STALE_NONCES: u8 = 4;

/// The latest challenge of the exchange.
#[derive(Default)]
pub(super) struct Authenticator {
    challenge: Option<Challenge>,
    /// How often the nonce was used.
    used: u32,
}

impl Authenticator {
    /// Adds credentials to a request, if there is a challenge to answer.
    pub fn authorize(&mut self, request: &mut Request, config: &PhoneConfig, rng: &mut Rng) {
        let Some(challenge) = &self.challenge else { return };
        self.used = self.used.saturating_add(1);
        let uri = String::from_utf8_lossy(&request.target).into_owned();
        let ha1 = digest::Ha1::from_secret(&config.user, &challenge.realm, &config.secret);
        let cnonce = rng.hex(16);
        let made = digest::answer(challenge, &config.user, &ha1, &request.method, &uri, &cnonce, self.used);
        let Some(credentials) = made else { return };
        let algorithm = match config.profile {
            DeviceProfile::Cisco7960 => Some("md5".into()),
            DeviceProfile::Plain | DeviceProfile::Pap2t | DeviceProfile::Grandstream => credentials.algorithm.clone(),
        };
        let credentials = Credentials { algorithm, ..credentials };
        request.headers.push(HeaderName::Authorization, Bytes::from(credentials.to_string()));
        if !config.profile.keeps_nonce() {
            self.challenge = None;
        }
    }

    /// Takes the challenge of a 401 to a request that was challenged `before` times. False when the request is not to
    /// be sent again: there is no challenge, or the secret is wrong (challenged again, although the nonce was fresh).
    pub fn learn(&mut self, response: &Response, before: u8) -> bool {
        let found = response.headers.get(HeaderName::WwwAuthenticate).and_then(|line| Challenge::parse(line).ok());
        let Some(challenge) = found else { return false };
        let again = before == 0 || (challenge.stale && before < MAX_STALE_NONCES);
        if again {
            self.challenge = Some(challenge);
            self.used = 0;
        }
        again
    }

    /// Drops the challenge.
    pub fn forget(&mut self) {
        self.challenge = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::method::Method;

    fn config(profile: DeviceProfile) -> PhoneConfig {
        PhoneConfig::example(profile)
    }

    fn challenge(stale: bool) -> Response {
        let mut response = Response::for_request(&register(), 401, None);
        let stale = if stale { ", stale=true" } else { "" };
        let line = format!("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"{stale}");
        response.headers.push(HeaderName::WwwAuthenticate, Bytes::from(line));
        response
    }

    fn register() -> Request {
        Request::new(Method::Register, "sip:192.0.2.2:5060".to_owned())
    }

    fn credentials(authenticator: &mut Authenticator, profile: DeviceProfile) -> Option<String> {
        let mut request = register();
        authenticator.authorize(&mut request, &config(profile), &mut Rng::from_number(1));
        request.headers.text(HeaderName::Authorization).map(|line| line.to_string())
    }

    #[test]
    fn a_second_challenge_means_a_wrong_secret_unless_the_nonce_was_stale() {
        let mut authenticator = Authenticator::default();
        assert!(authenticator.learn(&challenge(false), 0));
        assert!(!authenticator.learn(&challenge(false), 1));
        assert!(authenticator.learn(&challenge(true), 1));
        assert!(!authenticator.learn(&challenge(true), MAX_STALE_NONCES));
        assert!(!authenticator.learn(&Response::for_request(&register(), 401, None), 0), "no challenge");
    }

    #[test]
    fn a_nonce_is_used_again_by_models_that_do_so() {
        let mut authenticator = Authenticator::default();
        assert_eq!(credentials(&mut authenticator, DeviceProfile::Plain), None);
        authenticator.learn(&challenge(false), 0);
        assert!(credentials(&mut authenticator, DeviceProfile::Plain).unwrap().contains("nc=00000001"));
        assert!(credentials(&mut authenticator, DeviceProfile::Plain).unwrap().contains("nc=00000002"));
        assert!(credentials(&mut authenticator, DeviceProfile::Cisco7960).unwrap().contains("algorithm=md5"));
        assert_eq!(credentials(&mut authenticator, DeviceProfile::Cisco7960), None, "it asks for a new nonce");
    }
}
