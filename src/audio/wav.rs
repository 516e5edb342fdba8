//! Recorded sound from a WAV file's bytes, which come from whoever may open files. Linear, mu-law, A-law and floating
//! point; one channel or more, which are mixed; any rate. A file that was cut short is played as far as it goes.

use super::g711::Law;
use super::resample;
use super::{LONGEST, Refused};

/// What a WAV file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// How a sample is written.
    coding: Coding,
    /// Bits in a sample.
    bits: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Linear,
    Float,
    G711(Law),
}

/// The highest rate, and the most channels, that a file may have.
const MAX_RATE: u32 = 192_000;
const MAX_CHANNELS: u16 = 8;

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let channels = match self.channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            more => format!("{more} channels"),
        };
        let coding = match self.coding {
            Coding::Linear => format!("{} bit", self.bits),
            Coding::Float => format!("{} bit floating point", self.bits),
            Coding::G711(Law::Mu) => "mu-law".to_owned(),
            Coding::G711(Law::A) => "A-law".to_owned(),
        };
        write!(f, "WAV, {} Hz, {channels}, {coding}", self.rate)
    }
}

/// The samples of a WAV file at 8,000 a second, one channel; and what the file is.
///
/// # Errors
/// It is no WAV file, of a kind that is not read, or too long.
pub fn read(bytes: &[u8]) -> Result<(Vec<i16>, Format), Refused> {
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(Refused::Broken("it does not begin as a WAV file does".to_owned()));
    }
    let (mut format, mut rest) = (None, bytes.get(12..).unwrap_or_default());
    while let Some((head, after)) = rest.split_at_checked(8) {
        let size = head.get(4..).map_or(0, |size| number(size) as usize);
        let body = after.get(..size).unwrap_or(after);
        match (head.get(..4), format) {
            (Some(b"fmt "), _) => format = Some(header(body)?),
            (Some(b"data"), Some(format)) => return Ok((samples(body, format)?, format)),
            (Some(b"data"), None) => return Err(Refused::Broken("its samples come before their format".to_owned())),
            _ => {}
        }
        // A chunk of odd length has a byte behind it that does not count.
        rest = after.get(size.saturating_add(size & 1)..).unwrap_or_default();
    }
    Err(Refused::Broken("there are no samples in it".to_owned()))
}

/// A number of up to four bytes, the least one first.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn header(body: &[u8]) -> Result<Format, Refused> {
    let field = |from: usize, length: usize| {
        let bytes = body.get(from..from.saturating_add(length));
        bytes.map(number).ok_or_else(|| Refused::Broken("the description of its format is cut off".to_owned()))
    };
    let (tag, channels, rate, bits) = (field(0, 2)?, field(2, 2)? as u16, field(4, 4)?, field(14, 2)? as u16);
    // WAVE_FORMAT_EXTENSIBLE: what it is stands further on.
    let tag = if tag == 0xfffe { field(24, 2)? } else { tag };
    let coding = match (tag, bits) {
        (1, 8 | 16 | 24 | 32) => Coding::Linear,
        (3, 32) => Coding::Float,
        (6, 8) => Coding::G711(Law::A),
        (7, 8) => Coding::G711(Law::Mu),
        (0x31, _) => return Err(Refused::Unsupported("WAV with GSM in it".to_owned())),
        _ => return Err(Refused::Unsupported(format!("WAV, format {tag}, {bits} bit"))),
    };
    if !(1..=MAX_CHANNELS).contains(&channels) || !(1_000..=MAX_RATE).contains(&rate) {
        return Err(Refused::Unsupported(format!("WAV, {rate} Hz, {channels} channels")));
    }
    Ok(Format { rate, channels, coding, bits })
}

fn samples(body: &[u8], format: Format) -> Result<Vec<i16>, Refused> {
    let width = usize::from(format.bits / 8).max(1);
    let frame = width.saturating_mul(usize::from(format.channels));
    let frames = body.chunks_exact(frame);
    if frames.len() as u64 / u64::from(format.rate) >= LONGEST.as_secs() {
        return Err(Refused::Long);
    }
    let mixed: Vec<i16> = frames
        .map(|frame| {
            let sum: i32 = frame.chunks_exact(width).map(|sample| i32::from(one(sample, format.coding))).sum();
            (sum / i32::from(format.channels)) as i16
        })
        .collect();
    Ok(resample::to_line_rate(&mixed, format.rate))
}

/// One sample, whatever its width.
fn one(bytes: &[u8], coding: Coding) -> i16 {
    match (coding, bytes) {
        (Coding::G711(law), [byte]) => law.decode(*byte),
        // Bytes have no sign in WAV.
        (Coding::Linear, [byte]) => (i16::from(*byte) - 128) << 8,
        (Coding::Linear, [.., low, high]) => i16::from_le_bytes([*low, *high]),
        (Coding::Float, [a, b, c, d]) => (f32::from_le_bytes([*a, *b, *c, *d]) * 32_767.0) as i16,
        _ => 0,
    }
}

/// A WAV file of these samples: 8,000 Hz, one channel, 16 bit.
pub fn write(samples: &[i16]) -> Vec<u8> {
    let length = u32::try_from(samples.len().saturating_mul(2)).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(samples.len().saturating_mul(2).saturating_add(44));
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&super::RATE.to_le_bytes());
    bytes.extend_from_slice(&(super::RATE * 2).to_le_bytes());
    bytes.extend_from_slice(b"\x02\0\x10\0data");
    bytes.extend_from_slice(&length.to_le_bytes());
    samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// A file with these fields.
    fn wav(tag: u16, rate: u32, channels: u16, bits: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(channels.to_le_bytes());
        bytes.extend(rate.to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend(bits.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    fn heard(bytes: &[u8]) -> Vec<i16> {
        read(bytes).unwrap().0
    }

    #[test]
    fn what_was_written_is_read_here_and_by_others() {
        let samples = [1, -2, i16::MAX, i16::MIN];
        let (read, format) = read(&write(&samples)).unwrap();
        assert_eq!((read.as_slice(), format.to_string().as_str()), (&samples[..], "WAV, 8000 Hz, mono, 16 bit"));
        let mut other = hound::WavReader::new(std::io::Cursor::new(write(&samples))).unwrap();
        assert_eq!((other.spec().sample_rate, other.spec().channels), (8_000, 1));
        assert_eq!(other.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), samples);
    }

    #[test]
    fn every_kind_of_sample() {
        assert_eq!(heard(&wav(1, 8_000, 1, 8, &[128, 255, 0])), [0, 32_512, -32_768]);
        assert_eq!(heard(&wav(1, 8_000, 1, 24, &[9, 1, 2, 9, 0, 0x80])), [0x201, i16::MIN]);
        assert_eq!(heard(&wav(1, 8_000, 1, 32, &[9, 9, 1, 2])), [0x201]);
        assert_eq!(heard(&wav(7, 8_000, 1, 8, &[0xff, 0x80])), [0, 32_124]);
        assert_eq!(heard(&wav(6, 8_000, 1, 8, &[0xd5, 0xaa])), [8, 32_256]);
        let floats: Vec<u8> = [0.5f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(heard(&wav(3, 8_000, 1, 32, &floats)), [16_383, i16::MIN]);
        assert_eq!(heard(&wav(1, 8_000, 2, 16, &[100, 0, 200, 0, 1, 0, 3, 0])), [150, 2], "both sides are heard");
        assert_eq!(heard(&wav(1, 16_000, 2, 16, &[0; 400])).len(), 50);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_it_is() {
        let why = |bytes: &[u8]| read(bytes).unwrap_err();
        assert_eq!(why(&wav(0x31, 8_000, 1, 0, &[])), Refused::Unsupported("WAV with GSM in it".into()));
        assert!(matches!(why(&wav(2, 8_000, 1, 4, &[])), Refused::Unsupported(_)));
        assert!(matches!(why(&wav(1, 8_000, 0, 16, &[])), Refused::Unsupported(_)));
        assert!(matches!(why(b"ID3 not a wave"), Refused::Broken(_)));
        assert!(matches!(why(b""), Refused::Broken(_)));
        assert_eq!(why(&wav(7, 1_000, 1, 8, &vec![0; 1_800_000])), Refused::Long);
    }

    #[test]
    fn a_file_that_was_cut_is_played_as_far_as_it_goes() {
        let whole = write(&[7; 100]);
        assert_eq!(heard(&whole[..whole.len() - 51]), [7; 74]);
        let mut endless = write(&[7; 100]);
        endless[40..44].copy_from_slice(&[0xff; 4]);
        assert_eq!(heard(&endless), [7; 100], "a recorder that was switched off leaves the length open");
    }

    #[test]
    fn mutated_files_are_read_or_refused() {
        let base = write(&[3; 40]);
        let mut rng = Rng::from_number(4);
        let mut refused = 0u32;
        for _ in 0..20_000 {
            let mut bytes = base.clone();
            for _ in 0..=rng.below(3) {
                let place = rng.below(bytes.len() as u64) as usize;
                bytes[place] = rng.bits() as u8;
            }
            bytes.truncate(if rng.below(3) == 0 { rng.below(124) as usize } else { 124 });
            refused += u32::from(read(&bytes).is_err());
        }
        assert!(refused > 1_000, "{refused}");
    }
}
