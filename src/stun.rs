//! STUN (RFC 5389), as far as it tells the address that the exchange has outside of a NAT: a Binding request, and what a
//! server answers. Bytes in, values out.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Every message has it behind its length (RFC 5389 6); no SIP message does, for it begins with a letter.
const COOKIE: u32 = 0x2112_A442;

const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const MAPPED_ADDRESS: u16 = 0x0001;
const ERROR_CODE: u16 = 0x0009;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// Attributes below this must be understood (RFC 5389 15).
const OPTIONAL: u16 = 0x8000;

/// Names one request, so that only its answer is believed; 96 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionId(pub [u8; 12]);

/// Why an answer says no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StunError {
    /// It is no STUN message, or it is cut off.
    Malformed,
    /// It answers another request.
    NotOurs,
    /// The server refuses: its error code.
    Refused(u16),
    /// It requires an extension that is not known here.
    Unknown(u16),
    /// No address is in it.
    NoAddress,
}

impl fmt::Display for StunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StunError::Malformed => f.write_str("its answer is no whole STUN message"),
            StunError::NotOurs => f.write_str("its answer is to another request"),
            StunError::Refused(code) => write!(f, "it refuses (error {code})"),
            StunError::Unknown(attribute) => write!(f, "it requires an extension (attribute 0x{attribute:04x})"),
            StunError::NoAddress => f.write_str("its answer says no address"),
        }
    }
}

/// A Binding request (RFC 5389 7.1) without attributes.
pub fn request(id: TransactionId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(&BINDING_REQUEST.to_be_bytes());
    bytes.extend_from_slice(&0u16.to_be_bytes());
    bytes.extend_from_slice(&COOKIE.to_be_bytes());
    bytes.extend_from_slice(&id.0);
    bytes
}

/// Is a datagram STUN and no SIP (RFC 5389 6, 8)? The first two bits are zero, which no letter's are, and the cookie and
/// the length are right.
pub fn is_stun(datagram: &[u8]) -> bool {
    let length = u16_at(datagram, 2).map(usize::from);
    datagram.first().is_some_and(|first| first & 0xC0 == 0)
        && u32_at(datagram, 4) == Some(COOKIE)
        && length.is_some_and(|length| length % 4 == 0 && datagram.len() == HEADER.saturating_add(length))
}

/// The address that a server saw the request come from.
///
/// # Errors
/// It is no answer to this request, or says none.
pub fn mapped_address(datagram: &[u8], id: TransactionId) -> Result<SocketAddr, StunError> {
    if !is_stun(datagram) {
        return Err(StunError::Malformed);
    }
    let is_binding = match u16_at(datagram, 0) {
        Some(BINDING_SUCCESS) => true,
        Some(BINDING_ERROR) => false,
        _ => return Err(StunError::NotOurs),
    };
    if datagram.get(8..HEADER) != Some(&id.0[..]) {
        return Err(StunError::NotOurs);
    }
    let (mut xored, mut plain) = (None, None);
    let mut rest = datagram.get(HEADER..).unwrap_or_default();
    while !rest.is_empty() {
        let (kind, length) = (u16_at(rest, 0), u16_at(rest, 2).map(usize::from));
        let (Some(kind), Some(length)) = (kind, length) else { return Err(StunError::Malformed) };
        let end = length.saturating_add(4);
        let value = rest.get(4..end).ok_or(StunError::Malformed)?;
        match kind {
            // RFC 5389 15: the first of a kind counts.
            XOR_MAPPED_ADDRESS if xored.is_none() => xored = Some(address(value, Some(id))?),
            MAPPED_ADDRESS if plain.is_none() => plain = Some(address(value, None)?),
            ERROR_CODE if !is_binding => {
                let (class, number) = (value.get(2).copied(), value.get(3).copied());
                let (Some(class), Some(number)) = (class, number) else { return Err(StunError::Malformed) };
                return Err(StunError::Refused(
                    u16::from(class & 7).saturating_mul(100).saturating_add(u16::from(number)),
                ));
            }
            XOR_MAPPED_ADDRESS | MAPPED_ADDRESS | ERROR_CODE | 0x0006 | 0x0008 | 0x0014 | 0x0015 => {}
            // Old servers (RFC 3489) send SOURCE-ADDRESS, CHANGED-ADDRESS and REFLECTED-FROM beside.
            0x0004 | 0x0005 | 0x000B => {}
            unknown if unknown < OPTIONAL => return Err(StunError::Unknown(unknown)),
            _ => {}
        }
        // Each is padded to four bytes.
        let padded = end.saturating_add(3) & !3;
        rest = rest.get(padded..).ok_or(StunError::Malformed)?;
    }
    if !is_binding {
        return Err(StunError::Refused(0));
    }
    xored.or(plain).ok_or(StunError::NoAddress)
}

/// RFC 5389 15.1, and 15.2 when it is xored with the cookie and the request's id.
fn address(value: &[u8], xored: Option<TransactionId>) -> Result<SocketAddr, StunError> {
    let (family, port) = (value.get(1).copied(), u16_at(value, 2));
    let (Some(family), Some(port)) = (family, port) else { return Err(StunError::Malformed) };
    let cookie = COOKIE.to_be_bytes();
    let port = if xored.is_some() { port ^ u16::from_be_bytes([cookie[0], cookie[1]]) } else { port };
    let ip = value.get(4..).unwrap_or_default();
    let ip: IpAddr = match (family, ip.len()) {
        (1, 4) => {
            let bits = u32_at(ip, 0).ok_or(StunError::Malformed)?;
            Ipv4Addr::from(if xored.is_some() { bits ^ COOKIE } else { bits }).into()
        }
        (2, 16) => {
            let mut octets: [u8; 16] = ip.try_into().map_err(|_| StunError::Malformed)?;
            if let Some(id) = xored {
                let mask = cookie.iter().chain(&id.0);
                octets.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
            }
            Ipv6Addr::from(octets).into()
        }
        _ => return Err(StunError::Malformed),
    };
    let is_nobody = ip.is_unspecified() || ip.is_multicast() || port == 0;
    if is_nobody { Err(StunError::NoAddress) } else { Ok(SocketAddr::new(ip, port)) }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(two.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// The transaction of the vectors of RFC 5769.
    const ID: TransactionId = TransactionId([0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);

    /// RFC 5769 2.2 and 2.3 without what proves their integrity, which no request of ours asks for.
    fn response(attributes: &[u8]) -> Vec<u8> {
        let mut bytes = request(ID);
        bytes[..2].copy_from_slice(&BINDING_SUCCESS.to_be_bytes());
        bytes[2..4].copy_from_slice(&u16::try_from(attributes.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(attributes);
        bytes
    }

    const V4: [u8; 12] = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
    const SOFTWARE: [u8; 16] = *b"\x80\x22\x00\x0btest vector ";

    #[test]
    fn the_addresses_of_the_vectors_of_rfc_5769() {
        let v6 = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        let both = [&SOFTWARE[..], &V4].concat();
        assert_eq!(mapped_address(&response(&both), ID), Ok("192.0.2.1:32853".parse().unwrap()));
        let expected = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(mapped_address(&response(&v6), ID), Ok(expected));
    }

    #[test]
    fn an_old_server_says_it_without_xor_and_xor_counts_first() {
        let plain = [0x00, 0x01, 0x00, 0x08, 0x00, 0x01, 0x13, 0xc4, 198, 51, 100, 7];
        let changed = [0x00, 0x05, 0x00, 0x08, 0x00, 0x01, 0x0d, 0x97, 198, 51, 100, 8];
        assert_eq!(mapped_address(&response(&[plain, changed].concat()), ID), Ok("198.51.100.7:5060".parse().unwrap()));
        assert_eq!(mapped_address(&response(&[plain, V4].concat()), ID), Ok("192.0.2.1:32853".parse().unwrap()));
    }

    #[test]
    fn what_answers_another_request_or_refuses_says_no_address() {
        let other = TransactionId([0; 12]);
        assert_eq!(mapped_address(&response(&V4), other), Err(StunError::NotOurs));
        assert_eq!(mapped_address(&request(ID), ID), Err(StunError::NotOurs), "a request is no answer");
        assert_eq!(mapped_address(&response(&[]), ID), Err(StunError::NoAddress));
        let required = [0x00, 0x55, 0x00, 0x00];
        assert_eq!(mapped_address(&response(&required), ID), Err(StunError::Unknown(0x55)));
        let mut refusal = response(&[0x00, 0x09, 0x00, 0x04, 0, 0, 4, 20]);
        refusal[..2].copy_from_slice(&BINDING_ERROR.to_be_bytes());
        assert_eq!(mapped_address(&refusal, ID), Err(StunError::Refused(420)));
        let nowhere = [0x00, 0x01, 0x00, 0x08, 0x00, 0x01, 0x13, 0xc4, 0, 0, 0, 0];
        assert_eq!(mapped_address(&response(&nowhere), ID), Err(StunError::NoAddress));
    }

    #[test]
    fn no_sip_message_is_stun_and_no_stun_message_sip() {
        assert!(is_stun(&request(ID)) && is_stun(&response(&V4)));
        for text in ["OPTIONS sip:a@b SIP/2.0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "\r\n\r\n", "", "\0", "\0\0\0\0"] {
            assert!(!is_stun(text.as_bytes()), "{text:?}");
        }
        let mut short = response(&V4);
        short.pop();
        assert!(!is_stun(&short));
    }

    /// Answers in which bytes are changed, cut, doubled: no panic, and no address but one that is in it.
    #[test]
    fn mutations_never_panic() {
        let mut rng = Rng::from_number(0x57_0E);
        let whole = response(&[&SOFTWARE[..], &V4].concat());
        let mut read = 0;
        for _ in 0..200_000 {
            let mut bytes = whole.clone();
            for _ in 0..=rng.below(3) {
                let at = usize::try_from(rng.below(u64::try_from(bytes.len()).unwrap())).unwrap_or_default();
                match rng.below(4) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, u8::try_from(rng.below(256)).unwrap()),
                    _ => {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte = u8::try_from(rng.below(256)).unwrap();
                        }
                    }
                }
                if bytes.is_empty() {
                    break;
                }
            }
            read += u32::from(mapped_address(&bytes, ID).is_ok());
        }
        assert!(read > 1000, "the mutations are too wild to say anything");
    }
}
