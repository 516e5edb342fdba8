//! The fixed header of an RTP packet (RFC 3550 5.1), parsed with every length checked, and changed in place.

/// Bytes of the fixed header.
pub const FIXED: usize = 12;

/// What a relay needs of an RTP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The marker bit.
    pub marker: bool,
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp, in units of the codec's clock (8,000 Hz for G.711).
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
    /// Bytes of header in front of the payload: fixed part, CSRC list and extension.
    pub length: usize,
}

/// Why a datagram is not an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRtp {
    /// Shorter than the fixed header.
    Short,
    /// The version is not 2: STUN, DTLS, or another protocol.
    Version,
    /// The CSRC list runs past the end.
    Csrc,
    /// The header extension runs past the end.
    Extension,
}

impl Header {
    /// Parses the header of `packet`, checking that the CSRC list and the extension lie inside it.
    pub fn read(packet: &[u8]) -> Result<Header, NotRtp> {
        let (fixed, rest) = packet.split_first_chunk::<FIXED>().ok_or(NotRtp::Short)?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 {
            return Err(NotRtp::Version);
        }
        let csrc = usize::from(first & 0x0f) * 4;
        let after_csrc = rest.get(csrc..).ok_or(NotRtp::Csrc)?;
        let mut length = FIXED + csrc;
        if first & 0x10 != 0 {
            let (&[_, _, high, low], body) = after_csrc.split_first_chunk::<4>().ok_or(NotRtp::Extension)?;
            let words = usize::from(u16::from_be_bytes([high, low])) * 4;
            if body.len() < words {
                return Err(NotRtp::Extension);
            }
            length += 4 + words;
        }
        Ok(Header {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            length,
        })
    }

    /// The twelve bytes of a header without CSRC, extension or padding.
    pub fn write(&self) -> [u8; FIXED] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let second = (u8::from(self.marker) << 7) | (self.payload_type & 0x7f);
        [0x80, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
    }

    /// The payload of the packet this header was parsed from, without padding. An impossible padding count (zero, or
    /// longer than the payload) is treated as no padding.
    pub fn payload<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let payload = packet.get(self.length..).unwrap_or_default();
        let padded = packet.first().is_some_and(|first| first & 0x20 != 0);
        let padding = if padded { payload.last().copied().map_or(0, usize::from) } else { 0 };
        payload.len().checked_sub(padding).and_then(|end| payload.get(..end)).unwrap_or(payload)
    }
}

/// Gives the packet another payload type; the marker stays. Packets too short for a header stay as they are.
pub fn set_payload_type(packet: &mut [u8], payload_type: u8) {
    if let Some(byte) = packet.get_mut(1) {
        *byte = (*byte & 0x80) | (payload_type & 0x7f);
    }
}

/// Gives the packet another position in a stream; everything else stays. Packets too short for a header stay as they
/// are.
pub fn set_place(packet: &mut [u8], sequence: u16, timestamp: u32, ssrc: u32) {
    let Some(place) = packet.get_mut(2..FIXED) else { return };
    let bytes = sequence.to_be_bytes().into_iter().chain(timestamp.to_be_bytes()).chain(ssrc.to_be_bytes());
    for (slot, byte) in place.iter_mut().zip(bytes) {
        *slot = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const PLAIN: [u8; 16] = [0x80, 0x88, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4];

    #[test]
    fn a_plain_header_is_read_and_written() {
        let header = Header::read(&PLAIN).unwrap();
        assert_eq!(
            header,
            Header { marker: true, payload_type: 8, sequence: 0x1234, timestamp: 160, ssrc: 0xdead_beef, length: 12 }
        );
        assert_eq!(header.payload(&PLAIN), &[1, 2, 3, 4]);
        assert_eq!(header.write(), PLAIN[..12]);
    }

    #[test]
    fn csrc_extension_and_padding_are_stepped_over() {
        let mut packet = vec![0x80 | 0x20 | 0x10 | 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
        packet.extend([0; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        packet.extend([5, 6, 7, 0, 0, 3]);
        let header = Header::read(&packet).unwrap();
        assert_eq!(header.length, 12 + 8 + 8);
        assert_eq!(header.payload(&packet), &[5, 6, 7]);
        packet[0] &= !0x20;
        assert_eq!(header.payload(&packet).len(), 6);
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        assert_eq!(Header::read(&PLAIN[..11]), Err(NotRtp::Short));
        let mut packet = PLAIN;
        packet[0] = 0x00;
        assert_eq!(Header::read(&packet), Err(NotRtp::Version));
        packet[0] = 0x82;
        assert_eq!(Header::read(&packet), Err(NotRtp::Csrc));
        packet[0] = 0x90;
        assert_eq!(Header::read(&packet), Err(NotRtp::Extension));
        assert_eq!(Header::read(&packet[..14]), Err(NotRtp::Extension));
        packet[0] = 0xa0;
        packet[15] = 200;
        let header = Header::read(&packet).unwrap();
        assert_eq!(header.payload(&packet).len(), 4);
    }

    #[test]
    fn changes_touch_only_their_own_bytes() {
        let mut packet = PLAIN;
        set_payload_type(&mut packet, 0xff);
        assert_eq!(packet[1], 0xff);
        set_payload_type(&mut packet, 0);
        assert_eq!(packet[1], 0x80);
        set_place(&mut packet, 0xa1a2, 0xb1b2_b3b4, 0xc1c2_c3c4);
        assert_eq!(packet, [0x80, 0x80, 0xa1, 0xa2, 0xb1, 0xb2, 0xb3, 0xb4, 0xc1, 0xc2, 0xc3, 0xc4, 1, 2, 3, 4]);
        let mut short = [1u8, 2, 3];
        set_place(&mut short, 9, 9, 9);
        assert_eq!(short, [1, 2, 3]);
    }

    #[test]
    fn two_hundred_thousand_mutations_are_read_within_bounds() {
        let mut rng = Rng::from_number(1);
        let mut accepted = 0u32;
        for _ in 0..200_000 {
            let length = rng.below(48) as usize;
            let mut packet: Vec<u8> = (0..length).map(|_| rng.bits() as u8).collect();
            if let Some(first) = packet.first_mut().filter(|_| rng.below(4) != 0) {
                *first = (*first & 0x3f) | 0x80;
            }
            if let Ok(header) = Header::read(&packet) {
                accepted += 1;
                assert!(header.length >= FIXED && header.length <= packet.len());
                assert!(header.payload(&packet).len() + header.length <= packet.len());
                let mut again = packet.clone();
                set_place(&mut again, header.sequence, header.timestamp, header.ssrc);
                set_payload_type(&mut again, header.payload_type);
                assert_eq!(again, packet);
            }
        }
        assert!(accepted > 1000, "{accepted}");
    }
}
