//! G.711: mu-law and A-law, computed as ITU-T G.711 defines them.

use std::sync::Arc;

/// The two laws of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Law {
    /// mu-law, PCMU, static payload type 0: North America, Japan, and what modems' ATAs mostly speak.
    Mu,
    /// A-law, PCMA, static payload type 8: everywhere else.
    A,
}

impl Law {
    /// The law a static RTP payload type names (RFC 3551 6).
    pub fn of_payload_type(payload_type: u8) -> Option<Law> {
        match payload_type {
            0 => Some(Law::Mu),
            8 => Some(Law::A),
            _ => None,
        }
    }

    /// The byte of a silent line.
    pub fn silence(self) -> u8 {
        match self {
            Law::Mu => 0xff,
            Law::A => 0xd5,
        }
    }

    /// One sample as a byte. Linear samples are left-justified: 14 of the 16 bits count for mu-law, 13 for A-law.
    pub fn encode(self, sample: i16) -> u8 {
        // G.711 folds the sign as one's complement, so that the two halves mirror each other.
        let positive = sample >= 0;
        let magnitude = if positive { sample } else { !sample }.unsigned_abs();
        match self {
            Law::Mu => {
                // Table 2: segment borders lie 33 off powers of two, in 14-bit units.
                let biased = (magnitude >> 2).saturating_add(33).min(0x1fff);
                let segment = biased.ilog2().saturating_sub(5);
                let step = (biased >> (segment + 1)) & 0x0f;
                !((segment as u8) << 4 | step as u8) & 0x7f | u8::from(positive) << 7
            }
            Law::A => {
                // Table 1: the two lowest segments share one step size. Even bits are inverted on the line.
                let magnitude = magnitude >> 4;
                let code = if magnitude < 16 {
                    magnitude as u8
                } else {
                    let segment = magnitude.ilog2().saturating_sub(3);
                    (segment as u8) << 4 | ((magnitude >> (segment - 1)) & 0x0f) as u8
                };
                (code | u8::from(positive) << 7) ^ 0x55
            }
        }
    }

    /// One byte as a sample: the middle of the interval it stands for.
    pub fn decode(self, byte: u8) -> i16 {
        let magnitude = match self {
            Law::Mu => {
                let code = !byte;
                let (segment, step) = ((code >> 4) & 7, i16::from(code & 0x0f));
                (((step << 3) + 0x84) << segment) - 0x84
            }
            Law::A => {
                let code = byte ^ 0x55;
                let (segment, step) = ((code >> 4) & 7, i16::from(code & 0x0f));
                match segment {
                    0 => (step << 4) + 8,
                    _ => ((step << 4) + 0x108) << (segment - 1),
                }
            }
        };
        if byte & 0x80 != 0 { magnitude } else { -magnitude }
    }
}

/// Samples as G.711 bytes, ready to be played.
pub fn encode(samples: &[i16], law: Law) -> Arc<[u8]> {
    samples.iter().map(|sample| law.encode(*sample)).collect()
}

/// G.711 bytes as samples.
pub fn decode(bytes: &[u8], law: Law) -> Vec<i16> {
    bytes.iter().map(|byte| law.decode(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_are_as_the_tables_say() {
        // G.711 tables 2a/2b, in 16-bit units (14-bit value times 4): 8031 at the ends.
        assert_eq!([0x00, 0x80, 0x7f, 0xff].map(|byte| Law::Mu.decode(byte)), [-32_124, 32_124, 0, 0]);
        assert_eq!([i16::MIN, i16::MAX, 0, -1].map(|sample| Law::Mu.encode(sample)), [0x00, 0x80, 0xff, 0x7f]);
        // Tables 1a/1b, 13-bit value times 8: 4032 at the ends, 1 in the middle.
        assert_eq!([0x2a, 0xaa, 0x55, 0xd5].map(|byte| Law::A.decode(byte)), [-32_256, 32_256, -8, 8]);
        assert_eq!([i16::MIN, i16::MAX, 0, -1].map(|sample| Law::A.encode(sample)), [0x2a, 0xaa, 0xd5, 0x55]);
    }

    #[test]
    fn the_reference_tone_of_the_recommendation_is_one_kilohertz_at_zero_dbm0() {
        // G.711 tables 5 and 6: eight bytes, played over and over. A full sine of 8 samples has its peaks between them.
        let expected = |place: usize| (std::f64::consts::PI * (f64::from(place as u32) + 0.5) / 4.0).sin();
        for (law, bytes, overload) in [
            (Law::Mu, [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e], 317),
            (Law::A, [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4], 314),
        ] {
            let full = f64::from(law.decode(law.encode(i16::MAX))) * 10f64.powf(-f64::from(overload) / 2_000.0);
            let power: f64 = bytes.iter().map(|byte| f64::from(law.decode(*byte)).powi(2)).sum::<f64>() / 8.0;
            let level = 10.0 * (power / (full * full / 2.0)).log10();
            assert!(level.abs() < 0.2, "{law:?} {level}");
            for (place, byte) in bytes.iter().enumerate() {
                let sample = f64::from(law.decode(*byte));
                assert!((-sample - expected(place) * full).abs() < 0.06 * full, "{law:?} {place}");
            }
        }
    }

    #[test]
    fn every_byte_survives_the_way_through_samples() {
        for byte in 0..=255u8 {
            assert_eq!(Law::A.encode(Law::A.decode(byte)), byte);
            // mu-law has two zeros; the negative one comes back as the positive one.
            let wanted = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(Law::Mu.encode(Law::Mu.decode(byte)), wanted);
        }
    }

    #[test]
    fn every_sample_lands_in_the_interval_its_byte_stands_for() {
        for law in [Law::Mu, Law::A] {
            let mut last = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let decoded = law.decode(law.encode(sample));
                assert!(decoded >= last, "{law:?} is monotonic at {sample}");
                last = decoded;
                let (error, size) = (i32::from(decoded) - i32::from(sample), i32::from(sample).abs());
                assert!(error.abs() <= 16 + size / 28, "{law:?} {sample} {decoded}");
            }
        }
    }

    #[test]
    fn silence_is_the_smallest_positive_value() {
        assert_eq!(Law::Mu.encode(0), Law::Mu.silence());
        assert_eq!(Law::A.encode(0), Law::A.silence());
        assert_eq!(encode(&[0, 0], Law::A)[..], [0xd5, 0xd5]);
        assert_eq!(decode(&[0xff], Law::Mu), [0]);
    }
}
