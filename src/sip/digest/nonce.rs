//! Nonces without a table: each contains the time it was made and a keyed hash over that and the address it was sent
//! to.

use super::base64url;
use crate::clock::Wall;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// How long a nonce is valid.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// The key of our nonces: random, kept across restarts or made anew (then every phone is challenged once more).
#[derive(Clone)]
pub struct NonceKey(pub [u8; 32]);

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey(hidden)")
    }
}

/// The prepared key: hashed once here instead of at every use.
#[derive(Clone)]
pub struct Sealer(Hmac<Sha256>);

impl Sealer {
    /// With this key.
    pub fn new(NonceKey(key): &NonceKey) -> Sealer {
        // RFC 2104 2: a key shorter than the block is filled up with zeros.
        let mut block = [0u8; 64];
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Sealer(Hmac::new(&block.into()))
    }

    /// A keyed hash of parts; `purpose` separates it from the nonces made with the same key.
    pub fn mac(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(purpose);
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(hidden)")
    }
}

/// The state of a nonce that a client used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceState {
    /// Not one that was sent to this address for this realm: it proves nothing.
    Foreign,
    /// Ours, and not expired: the sender receives what is sent to its address.
    Valid,
    /// Ours, but too old: to be challenged again, with stale=true when the digest is correct.
    Expired,
}

/// Makes the nonce for a challenge sent to `source` for `realm`: 43 characters.
pub fn mint(key: &Sealer, wall: Wall, random: u64, source: IpAddr, realm: &str) -> String {
    let mut bytes = Vec::with_capacity(32);
    bytes.extend(wall.0.to_be_bytes());
    bytes.extend(random.to_be_bytes());
    let mac = seal(key, &bytes, source, realm);
    bytes.extend(mac);
    base64url::encode(&bytes)
}

/// Checks a nonce used by `source` for `realm`. When the clock was set back, a nonce can lie in the future; it is
/// `Valid`, because its hash proves that we made it, and no registration may be lost to a clock.
pub fn check(key: &Sealer, nonce: &str, wall: Wall, source: IpAddr, realm: &str) -> NonceState {
    if nonce.len() != 43 {
        return NonceState::Foreign;
    }
    let Some(bytes) = base64url::decode(nonce) else { return NonceState::Foreign };
    let Some((content, mac)) = bytes.split_at_checked(16) else { return NonceState::Foreign };
    let difference = seal(key, content, source, realm).iter().zip(mac).fold(0u8, |diff, (a, b)| diff | (a ^ b));
    let Some(minted) = content.first_chunk::<8>().map(|ms| i64::from_be_bytes(*ms)) else { return NonceState::Foreign };
    if difference != 0 || mac.len() != 16 {
        return NonceState::Foreign;
    }
    let age = wall.0.saturating_sub(minted);
    if i128::from(age) > i128::try_from(LIFETIME.as_millis()).unwrap_or(i128::MAX) {
        NonceState::Expired
    } else {
        NonceState::Valid
    }
}

fn seal(key: &Sealer, content: &[u8], source: IpAddr, realm: &str) -> [u8; 16] {
    let mut seal = [0u8; 16];
    let mut mac = key.0.clone();
    mac.update(content);
    match source.to_canonical() {
        IpAddr::V4(address) => {
            mac.update(b"4");
            mac.update(&address.octets());
        }
        IpAddr::V6(address) => {
            mac.update(b"6");
            mac.update(&address.octets());
        }
    }
    mac.update(realm.as_bytes());
    for (to, from) in seal.iter_mut().zip(mac.finalize().into_bytes()) {
        *to = from;
    }
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Wall = Wall(1_700_000_000_000);

    fn key() -> Sealer {
        Sealer::new(&NonceKey([7; 32]))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_nonce_lives_five_minutes() {
        let nonce = mint(&key(), NOON, 1, ip("192.0.2.1"), "asterisk");
        assert_eq!(nonce.len(), 43);
        let at = |ms: i64| check(&key(), &nonce, Wall(NOON.0 + ms), ip("192.0.2.1"), "asterisk");
        assert_eq!(at(0), NonceState::Valid);
        assert_eq!(at(300_000), NonceState::Valid);
        assert_eq!(at(300_001), NonceState::Expired);
    }

    /// A Raspberry Pi without a clock starts in 1970 and jumps; a clock set back by an hour must lock out no phone.
    #[test]
    fn a_clock_that_jumps_back_refuses_nothing() {
        let nonce = mint(&key(), NOON, 1, ip("192.0.2.1"), "asterisk");
        for wall in [Wall(0), Wall(-1), Wall(NOON.0 - 3_600_000), Wall(i64::MIN)] {
            assert_eq!(check(&key(), &nonce, wall, ip("192.0.2.1"), "asterisk"), NonceState::Valid);
        }
        let early = mint(&key(), Wall(5_000), 1, ip("192.0.2.1"), "asterisk");
        assert_eq!(check(&key(), &early, Wall(6_000), ip("192.0.2.1"), "asterisk"), NonceState::Valid);
        assert_eq!(check(&key(), &early, NOON, ip("192.0.2.1"), "asterisk"), NonceState::Expired);
        let late = mint(&key(), Wall(i64::MIN), 1, ip("192.0.2.1"), "asterisk");
        assert_eq!(check(&key(), &late, Wall(i64::MAX), ip("192.0.2.1"), "asterisk"), NonceState::Expired);
    }

    #[test]
    fn anything_else_is_foreign() {
        let nonce = mint(&key(), NOON, 1, ip("192.0.2.1"), "asterisk");
        let foreign = |key: &Sealer, nonce: &str, from: &str, realm: &str| {
            check(key, nonce, NOON, ip(from), realm) == NonceState::Foreign
        };
        assert!(foreign(&Sealer::new(&NonceKey([8; 32])), &nonce, "192.0.2.1", "asterisk"));
        assert!(foreign(&key(), &nonce, "192.0.2.2", "asterisk"));
        assert!(foreign(&key(), &nonce, "192.0.2.1", "other"));
        assert!(foreign(&key(), "", "192.0.2.1", "asterisk"));
        assert!(foreign(&key(), "1608794790/f4dc", "192.0.2.1", "asterisk"));
        for at in 0..nonce.len() {
            let mut other = nonce.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(foreign(&key(), std::str::from_utf8(&other).unwrap(), "192.0.2.1", "asterisk"), "{at}");
        }
    }

    /// The same phone over a socket for both address families.
    #[test]
    fn an_ipv4_address_is_the_same_when_it_is_mapped() {
        let nonce = mint(&key(), NOON, 1, ip("::ffff:192.0.2.1"), "asterisk");
        assert_eq!(check(&key(), &nonce, NOON, ip("192.0.2.1"), "asterisk"), NonceState::Valid);
        assert_ne!(nonce, mint(&key(), NOON, 2, ip("192.0.2.1"), "asterisk"));
        assert!(!format!("{:?}{:?}", key(), NonceKey([7; 32])).contains('7'));
    }
}
