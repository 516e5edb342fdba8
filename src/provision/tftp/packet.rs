//! The packets of RFC 1350 and 2347: what a server reads, and what it sends.

use std::borrow::Cow;

/// The longest datagram that is read as a request: RFC 2347 allows 512 bytes; some more do no harm.
pub const MAX_REQUEST: usize = 1024;
/// Options of one request that are looked at.
const MAX_OPTIONS: usize = 16;

/// A packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// RRQ: it wants to read a file.
    Read(RequestPacket<'a>),
    /// WRQ: it wants to write one.
    Write(RequestPacket<'a>),
    /// DATA, which no client sends that reads.
    Data,
    /// ACK of the block with this number.
    Ack(u16),
    /// ERROR: it ends the transfer.
    Error {
        /// The code, as RFC 1350 and 2347 number them.
        code: u16,
        /// What it says.
        text: Cow<'a, str>,
    },
}

/// A request for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPacket<'a> {
    /// The file's name. Bytes that are no UTF-8 are replaced: no file has such a name.
    pub name: Cow<'a, str>,
    /// How it is to be sent.
    pub mode: Mode,
    /// Options and their values, in order.
    pub options: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// How a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Byte for byte.
    Octet,
    /// With the line ends of NVT ASCII (RFC 764).
    Netascii,
}

/// Why a datagram is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It is too short for its kind.
    Short,
    /// No packet has this number.
    Opcode,
    /// It is longer than a request may be.
    Long,
    /// A text in it has no end.
    Unended,
    /// A mode that does not exist, or `mail`, which is obsolete.
    Mode,
    /// An option without its value, or too many of them.
    Options,
}

/// Codes of errors that a server sends (RFC 1350, appendix; 2347).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// See the text.
    Undefined,
    /// File not found.
    NotFound,
    /// Access violation.
    Access,
    /// Illegal TFTP operation.
    Illegal,
}

impl ErrorCode {
    fn number(self) -> u8 {
        match self {
            ErrorCode::Undefined => 0,
            ErrorCode::NotFound => 1,
            ErrorCode::Access => 2,
            ErrorCode::Illegal => 4,
        }
    }
}

/// Reads a datagram.
///
/// # Errors
/// It is no packet of TFTP.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, Malformed> {
    let (opcode, rest) = bytes.split_first_chunk::<2>().ok_or(Malformed::Short)?;
    match u16::from_be_bytes(*opcode) {
        1 => Ok(Packet::Read(request(rest)?)),
        2 => Ok(Packet::Write(request(rest)?)),
        3 => Ok(Packet::Data),
        4 => {
            let (block, _) = rest.split_first_chunk::<2>().ok_or(Malformed::Short)?;
            Ok(Packet::Ack(u16::from_be_bytes(*block)))
        }
        5 => {
            let (code, text) = rest.split_first_chunk::<2>().ok_or(Malformed::Short)?;
            // Some clients leave out the end of the text, and the text too.
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            Ok(Packet::Error { code: u16::from_be_bytes(*code), text: String::from_utf8_lossy(text) })
        }
        _ => Err(Malformed::Opcode),
    }
}

fn request(bytes: &[u8]) -> Result<RequestPacket<'_>, Malformed> {
    if bytes.len() > MAX_REQUEST {
        return Err(Malformed::Long);
    }
    // Every text ends with a zero, the last one too.
    let texts = bytes.strip_suffix(&[0]).ok_or(Malformed::Unended)?;
    let mut texts = texts.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let (Some(name), Some(mode)) = (texts.next(), texts.next()) else { return Err(Malformed::Unended) };
    let mode = match () {
        () if mode.eq_ignore_ascii_case("octet") => Mode::Octet,
        () if mode.eq_ignore_ascii_case("netascii") => Mode::Netascii,
        () => return Err(Malformed::Mode),
    };
    let mut options = Vec::new();
    while let Some(option) = texts.next() {
        // Some telephones fill their request up with zeros.
        if option.is_empty() {
            continue;
        }
        let Some(value) = texts.next() else { return Err(Malformed::Options) };
        if options.len() >= MAX_OPTIONS {
            return Err(Malformed::Options);
        }
        options.push((option, value));
    }
    Ok(RequestPacket { name, mode, options })
}

/// A DATA packet: the block with this number.
pub fn data(block: u16, bytes: &[u8]) -> Vec<u8> {
    let [high, low] = block.to_be_bytes();
    let mut packet = vec![0, 3, high, low];
    packet.extend_from_slice(bytes);
    packet
}

/// An ERROR packet. The text is of our own, and short, so that the answer is no longer than most requests.
pub fn error(code: ErrorCode, text: &str) -> Vec<u8> {
    let mut packet = vec![0, 5, 0, code.number()];
    packet.extend_from_slice(text.as_bytes());
    packet.push(0);
    packet
}

/// An OACK packet: the options that are agreed to.
pub fn option_ack(options: &[(&str, u64)]) -> Vec<u8> {
    let mut packet = vec![0, 6];
    for (name, value) in options {
        packet.extend_from_slice(name.as_bytes());
        packet.push(0);
        packet.extend_from_slice(value.to_string().as_bytes());
        packet.push(0);
    }
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn requests_as_telephones_send_them() {
        let Ok(Packet::Read(request)) = parse(b"\0\x01./SIP0014A9BC0001.cnf\0OCTET\0") else { panic!() };
        assert_eq!((&*request.name, request.mode), ("./SIP0014A9BC0001.cnf", Mode::Octet));
        assert_eq!(request.options, []);
        let Ok(Packet::Read(request)) = parse(b"\0\x01a\0netascii\0tsize\x000\0BLKSIZE\x001428\0\0\0") else {
            panic!()
        };
        assert_eq!(request.mode, Mode::Netascii);
        assert_eq!(request.options, [("tsize".into(), "0".into()), ("BLKSIZE".into(), "1428".into())]);
        assert!(matches!(parse(b"\0\x02a\0octet\0"), Ok(Packet::Write(_))));
        assert_eq!(parse(b"\0\x04\x12\x34"), Ok(Packet::Ack(0x1234)));
        let error = Packet::Error { code: 8, text: "no".into() };
        assert_eq!((parse(b"\0\x05\0\x08no\0"), parse(b"\0\x05\0\x08no")), (Ok(error.clone()), Ok(error)));
    }

    #[test]
    fn what_is_no_packet_is_said() {
        let long = [b"\0\x01".as_slice(), &[b'x'; 1100], b"\0octet\0"].concat();
        let many = [b"\0\x01a\0octet\0".as_slice(), &b"a\0b\0".repeat(17)].concat();
        for (bytes, why) in [
            (b"".as_slice(), Malformed::Short),
            (b"\0", Malformed::Short),
            (b"\0\x09x", Malformed::Opcode),
            (b"\0\x04\x01", Malformed::Short),
            (b"\0\x01", Malformed::Unended),
            (b"\0\x01a\0octet", Malformed::Unended),
            (b"\0\x01a\0", Malformed::Unended),
            (b"\0\x01a\0mail\0", Malformed::Mode),
            (b"\0\x01a\0octet\0blksize\0", Malformed::Options),
            (&many, Malformed::Options),
            (&long, Malformed::Long),
        ] {
            assert_eq!(parse(bytes), Err(why), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_sent() {
        assert_eq!(data(258, b"ab"), b"\0\x03\x01\x02ab");
        assert_eq!(error(ErrorCode::NotFound, "File not found"), b"\0\x05\0\x01File not found\0");
        assert_eq!(option_ack(&[("blksize", 1428), ("tsize", 9)]), b"\0\x06blksize\x001428\0tsize\09\0");
    }

    /// `STROWGER_MUTATIONS` sets how many.
    #[test]
    fn mutated_packets_never_panic_and_stay_within_bounds() {
        let seeds: [&[u8]; 4] = [
            b"\0\x01./SIP0014A9BC0001.cnf\0octet\0blksize\x001428\0tsize\x000\0windowsize\08\0timeout\x005\0",
            b"\0\x02x\0netascii\0",
            b"\0\x04\0\x01",
            b"\0\x05\0\x01gone\0",
        ];
        let rounds = std::env::var("STROWGER_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
        let mut rng = Rng::from_number(69);
        let (mut read, mut refused) = (0, 0);
        for _ in 0..rounds {
            let mut bytes = seeds[rng.below(4) as usize].to_vec();
            for _ in 0..=rng.below(4) {
                let at = rng.below(bytes.len() as u64 + 1) as usize;
                match rng.below(4) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, rng.bits() as u8),
                    2 => bytes.extend_from_within(at..),
                    _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = rng.bits() as u8),
                }
            }
            match parse(&bytes) {
                Ok(Packet::Read(request) | Packet::Write(request)) => {
                    assert!(request.options.len() <= MAX_OPTIONS && request.name.len() <= 3 * MAX_REQUEST);
                    read += 1;
                }
                Ok(Packet::Ack(_) | Packet::Error { .. } | Packet::Data) => read += 1,
                Err(_) => refused += 1,
            }
        }
        assert!(read > rounds / 5 && refused > rounds / 5, "{read} read, {refused} refused: too tame or too wild");
    }
}
