//! Nonces without a table: each contains the start of the exchange it was made in, the time since then, and a keyed hash
//! over that and the address it was sent to.
//!
//! No wall clock is in it, so that one that jumps neither refuses a nonce nor makes an old one good again. A nonce of an
//! earlier start has expired: which of its counts were used is not known any more. It is still known as ours, since the
//! key is kept: who returns it is told `stale=true` and asks nobody for a password.

use super::base64url;
use crate::clock::Time;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// How long a nonce is valid.
pub const LIFETIME: Duration = Duration::from_secs(300);
/// Bytes of a nonce that are not its hash: the time, the start, and what makes it another than the last.
const CONTENT: usize = 16;
/// Bytes of the time (milliseconds) and of the start in it.
const PART: usize = 6;

/// The key of our nonces, kept across restarts or made anew, and which start this is.
#[derive(Clone)]
pub struct NonceKey {
    key: [u8; 32],
    start: [u8; PART],
}

impl NonceKey {
    /// A random key with a random number of this start: nonces of another start have expired. Of the number 48 bits
    /// count.
    pub fn new(key: [u8; 32], start: u64) -> NonceKey {
        NonceKey { key, start: low(start) }
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey(hidden)")
    }
}

/// The prepared key: hashed once here instead of at every use.
#[derive(Clone)]
pub struct Sealer {
    keyed: Hmac<Sha256>,
    start: [u8; PART],
}

impl Sealer {
    /// With this key.
    pub fn new(NonceKey { key, start }: &NonceKey) -> Sealer {
        // RFC 2104 2: a key shorter than the block is filled up with zeros.
        let mut block = [0u8; 64];
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Sealer { keyed: Hmac::new(&block.into()), start: *start }
    }

    /// A keyed hash of parts; `purpose` separates it from the nonces made with the same key.
    pub fn mac(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
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
    /// Ours, but too old, or of an earlier start: to be challenged again with stale=true.
    Expired,
}

/// Makes the nonce for a challenge sent to `source` for `realm`: 43 characters. Of `random` 32 bits count.
pub fn mint(key: &Sealer, now: Time, random: u64, source: IpAddr, realm: &str) -> String {
    let mut bytes = Vec::with_capacity(2 * CONTENT);
    bytes.extend(low(milliseconds(now)));
    bytes.extend(key.start);
    bytes.extend(random.to_be_bytes().into_iter().skip(4));
    let mac = seal(key, &bytes, source, realm);
    bytes.extend(mac);
    base64url::encode(&bytes)
}

/// Checks a nonce used by `source` for `realm`. `now` is the clock since this start, which never goes back.
pub fn check(key: &Sealer, nonce: &str, now: Time, source: IpAddr, realm: &str) -> NonceState {
    if nonce.len() != 43 {
        return NonceState::Foreign;
    }
    let Some(bytes) = base64url::decode(nonce) else { return NonceState::Foreign };
    let Some((content, mac)) = bytes.split_at_checked(CONTENT) else { return NonceState::Foreign };
    let difference = seal(key, content, source, realm).iter().zip(mac).fold(0u8, |diff, (a, b)| diff | (a ^ b));
    let (minted, start) = (content.get(..PART).unwrap_or_default(), content.get(PART..2 * PART).unwrap_or_default());
    if difference != 0 || mac.len() != 16 {
        return NonceState::Foreign;
    }
    let minted = minted.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    let age = milliseconds(now).saturating_sub(minted);
    let is_old = age > u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX);
    if start != key.start || is_old { NonceState::Expired } else { NonceState::Valid }
}

/// The milliseconds since the start: 48 bits of them are 8,900 years.
fn milliseconds(now: Time) -> u64 {
    u64::try_from(now.since_start().as_millis()).unwrap_or(u64::MAX)
}

/// The low bytes of a number, the highest of them first.
fn low(number: u64) -> [u8; PART] {
    let [_, _, low @ ..] = number.to_be_bytes();
    low
}

fn seal(key: &Sealer, content: &[u8], source: IpAddr, realm: &str) -> [u8; 16] {
    let mut seal = [0u8; 16];
    let mut mac = key.keyed.clone();
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

    const NOON: Time = Time::from_start(Duration::from_secs(43_200));

    fn key() -> Sealer {
        of_start(1)
    }

    fn of_start(start: u64) -> Sealer {
        Sealer::new(&NonceKey::new([7; 32], start))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_nonce_lives_five_minutes() {
        let nonce = mint(&key(), NOON, 1, ip("192.0.2.1"), "asterisk");
        assert_eq!(nonce.len(), 43);
        let at = |ms: u64| check(&key(), &nonce, NOON + Duration::from_millis(ms), ip("192.0.2.1"), "asterisk");
        assert_eq!(at(0), NonceState::Valid);
        assert_eq!(at(300_000), NonceState::Valid);
        assert_eq!(at(300_001), NonceState::Expired);
    }

    /// Its counts are forgotten, so that a recorded digest would be good again.
    #[test]
    fn a_nonce_of_an_earlier_start_has_expired_whatever_the_time() {
        let nonce = mint(&of_start(1), NOON, 1, ip("192.0.2.1"), "asterisk");
        for now in
            [Time::ZERO, Time::from_start(Duration::from_millis(1)), NOON, NOON + LIFETIME, NOON + 999 * LIFETIME]
        {
            for start in [0, 2, 1 << 47, u64::MAX] {
                let state = check(&of_start(start), &nonce, now, ip("192.0.2.1"), "asterisk");
                assert_eq!(state, NonceState::Expired, "{now:?} {start}");
            }
        }
        assert_eq!(check(&of_start(1), &nonce, NOON, ip("192.0.2.1"), "asterisk"), NonceState::Valid);
        assert_eq!(check(&of_start(2), &nonce, NOON, ip("192.0.2.2"), "asterisk"), NonceState::Foreign);
        let first = mint(&of_start(2), Time::ZERO, 1, ip("192.0.2.1"), "asterisk");
        assert_eq!(check(&of_start(2), &first, Time::ZERO, ip("192.0.2.1"), "asterisk"), NonceState::Valid);
        let end = Time::from_start(Duration::MAX);
        let last = mint(&key(), end, 1, ip("192.0.2.1"), "asterisk");
        assert_eq!(check(&key(), &last, Time::ZERO, ip("192.0.2.1"), "asterisk"), NonceState::Valid, "and no overflow");
    }

    #[test]
    fn anything_else_is_foreign() {
        let nonce = mint(&key(), NOON, 1, ip("192.0.2.1"), "asterisk");
        let foreign = |key: &Sealer, nonce: &str, from: &str, realm: &str| {
            check(key, nonce, NOON, ip(from), realm) == NonceState::Foreign
        };
        assert!(foreign(&Sealer::new(&NonceKey::new([8; 32], 1)), &nonce, "192.0.2.1", "asterisk"));
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
        assert!(!format!("{:?}{:?}", key(), NonceKey::new([7; 32], 7)).contains('7'));
    }
}
