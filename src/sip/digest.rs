//! Digest authentication (RFC 3261 22, RFC 2069, RFC 2617, RFC 7616, RFC 8760).

mod base64url;
pub mod nonce;

use super::Method;
use super::header::{Challenge, Credentials};
use md5::Md5;
use sha2::{Digest, Sha256};
use smol_str::{SmolStr, format_smolstr};
use std::fmt;

/// A hash algorithm of RFC 7616.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5: what every phone supports.
    Md5,
    /// SHA-256 (RFC 8760), for peers that are configured for it.
    Sha256,
}

impl Algorithm {
    /// Parses an algorithm's name in any case; `None` for one that is not supported. `MD5-sess` is none of its own: see
    /// [`Challenge::is_of_session`].
    pub fn from_name(name: &str) -> Option<Algorithm> {
        match name {
            _ if name.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
            _ if name.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
            _ => None,
        }
    }

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// The hash of the parts with colons between them, in lower-case hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> String {
        match self {
            Algorithm::Md5 => hex(&joined::<Md5>(parts).finalize()),
            Algorithm::Sha256 => hex(&joined::<Sha256>(parts).finalize()),
        }
    }
}

/// The hash of user, realm and secret: all that is needed to verify or compute a digest, and equivalent to the secret
/// within its realm.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    algorithm: Algorithm,
    hex: String,
}

impl Ha1 {
    /// From a secret, for MD5.
    pub fn from_secret(user: &str, realm: &str, secret: &str) -> Ha1 {
        Ha1::from_secret_with(Algorithm::Md5, user, realm, secret)
    }

    /// From a secret, for the given algorithm (RFC 7616 3.4.2).
    pub fn from_secret_with(algorithm: Algorithm, user: &str, realm: &str, secret: &str) -> Ha1 {
        Ha1 { algorithm, hex: algorithm.hash(&[user.as_bytes(), realm.as_bytes(), secret.as_bytes()]) }
    }

    /// From hexadecimal in any case, as `md5secret=` holds it: 32 digits are MD5, 64 are SHA-256; `None` for anything
    /// else.
    pub fn from_hex(text: &str) -> Option<Ha1> {
        let algorithm = match text.len() {
            32 => Algorithm::Md5,
            64 => Algorithm::Sha256,
            _ => return None,
        };
        text.bytes().all(|b| b.is_ascii_hexdigit()).then(|| Ha1 { algorithm, hex: text.to_ascii_lowercase() })
    }

    /// That of a `-sess` algorithm (RFC 7616 3.4.2): good for this nonce and this client nonce.
    fn of_session(&self, nonce: &str, cnonce: &str) -> Ha1 {
        let hex = self.algorithm.hash(&[self.hex.as_bytes(), nonce.as_bytes(), cnonce.as_bytes()]);
        Ha1 { hex, ..self.clone() }
    }

    /// The algorithm it was made with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ha1({}, hidden)", self.algorithm.as_str())
    }
}

/// Whether the credentials prove knowledge of the secret behind `ha1` for this method. Does not check the nonce: see
/// `nonce::check`. Accepts qop=auth and the form without qop (RFC 3261 22.4: "MUST be backward compatible with RFC
/// 2069"); not auth-int, which we never offer.
pub fn verify(credentials: &Credentials, method: &Method, ha1: &Ha1) -> bool {
    if credentials.algorithm() != Some(ha1.algorithm) {
        return false;
    }
    let Some(expected) = response(credentials, method, ha1) else { return false };
    same(&expected, &credentials.response)
}

/// The credentials for a challenge to a request of ours. `ha1` must have been made with the challenge's algorithm and
/// realm. `None` when there are none: the algorithm is unknown, only auth-int is offered, or a `-sess` algorithm without
/// qop, which has no client nonce to mix in. Of a `-sess` algorithm every answer to one nonce has the same `cnonce`.
pub fn answer(
    challenge: &Challenge,
    user: &str,
    ha1: &Ha1,
    method: &Method,
    uri: &str,
    cnonce: &str,
    nc: u32,
) -> Option<Credentials> {
    let qop = match (&challenge.qop, challenge.offers_auth()) {
        (None, _) => false,
        (Some(_), true) => true,
        (Some(_), false) => return None,
    };
    if challenge.algorithm()? != ha1.algorithm || (challenge.is_of_session() && !qop) {
        return None;
    }
    let of_session = challenge.is_of_session().then(|| ha1.of_session(&challenge.nonce, cnonce));
    let mut credentials = Credentials {
        username: user.into(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri.into(),
        response: SmolStr::default(),
        algorithm: challenge.algorithm.clone(),
        cnonce: qop.then(|| cnonce.into()),
        opaque: challenge.opaque.clone(),
        qop: qop.then(|| "auth".into()),
        nc: qop.then(|| format_smolstr!("{nc:08x}")),
    };
    credentials.response = response(&credentials, method, of_session.as_ref().unwrap_or(ha1))?.into();
    Some(credentials)
}

/// RFC 7616 3.4.1. The nc, cnonce, nonce and uri are hashed literally, as the client wrote them.
fn response(credentials: &Credentials, method: &Method, ha1: &Ha1) -> Option<String> {
    let algorithm = ha1.algorithm;
    let ha2 = algorithm.hash(&[method.as_bytes(), credentials.uri.as_bytes()]);
    let (ha1, nonce) = (ha1.hex.as_bytes(), credentials.nonce.as_bytes());
    match &credentials.qop {
        None => Some(algorithm.hash(&[ha1, nonce, ha2.as_bytes()])),
        Some(qop) if qop.eq_ignore_ascii_case("auth") => {
            let (nc, cnonce) = (credentials.nc.as_deref()?, credentials.cnonce.as_deref()?);
            Some(algorithm.hash(&[ha1, nonce, nc.as_bytes(), cnonce.as_bytes(), qop.as_bytes(), ha2.as_bytes()]))
        }
        Some(_) => None,
    }
}

fn joined<D: Digest>(parts: &[&[u8]]) -> D {
    let mut hash = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hash
}

/// Bytes as hexadecimal digits in lower case.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| DIGITS.get(usize::from(n)).map_or('0', |d| char::from(*d));
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// The MD5 hash of some bytes, in lower-case hexadecimal.
pub fn md5_hex(bytes: &[u8]) -> String {
    Algorithm::Md5.hash(&[bytes])
}

/// Compares hexadecimal in any case, in a time that does not depend on the position of the first difference.
fn same(expected: &str, given: &str) -> bool {
    expected.len() == given.len()
        && expected.bytes().zip(given.bytes()).fold(0u8, |diff, (a, b)| diff | (a ^ b.to_ascii_lowercase())) == 0
}

#[cfg(test)]
mod tests;
