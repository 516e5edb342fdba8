//! Recorded sound from a file's bytes: WAV as the exchange plays it. The bytes come from whoever may open files.

use super::RATE;
use std::io::Cursor;

/// The longest sound that is taken: an hour.
const LONGEST: u32 = 3_600 * RATE;

/// Why a WAV file cannot be played; `Display` says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is no WAV file, or broken; what the reader found.
    Broken(String),
    /// It is not 8,000 Hz, one channel, 16-bit linear; what it is.
    Format(String),
    /// It is longer than an hour.
    Long,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Broken(why) => write!(f, "not a readable WAV file ({why}); record or convert it again"),
            Refused::Format(found) => write!(
                f,
                "the file is {found}, a telephone line plays 8000 Hz, 1 channel, 16 bit; convert it: sox IN.wav -r 8000 -c 1 -b 16 OUT.wav"
            ),
            Refused::Long => write!(f, "the sound is longer than an hour; cut it"),
        }
    }
}

impl std::error::Error for Refused {}

/// The samples of a WAV file: 8,000 Hz, one channel, 16-bit linear, nothing else.
pub fn read(bytes: &[u8]) -> Result<Vec<i16>, Refused> {
    let broken = |error: hound::Error| Refused::Broken(error.to_string());
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(broken)?;
    let spec = reader.spec();
    let right = spec.sample_rate == RATE
        && spec.channels == 1
        && spec.bits_per_sample == 16
        && spec.sample_format == hound::SampleFormat::Int;
    if !right {
        let kind = match spec.sample_format {
            hound::SampleFormat::Int => "bit",
            hound::SampleFormat::Float => "bit floating point",
        };
        let channels = if spec.channels == 1 { "channel" } else { "channels" };
        return Err(Refused::Format(format!(
            "{} Hz, {} {channels}, {} {kind}",
            spec.sample_rate, spec.channels, spec.bits_per_sample
        )));
    }
    if reader.duration() > LONGEST {
        return Err(Refused::Long);
    }
    reader.samples::<i16>().collect::<Result<_, _>>().map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn wav(rate: u32, channels: u16, bits: u16, samples: &[i16]) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&wav(8_000, 1, 16, &[1, -2, i16::MAX, i16::MIN])).unwrap(), [1, -2, i16::MAX, i16::MIN]);
    }

    #[test]
    fn other_formats_are_refused_with_what_they_are_and_what_to_do() {
        let refused = read(&wav(44_100, 2, 16, &[0, 0])).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the file is 44100 Hz, 2 channels, 16 bit, a telephone line plays 8000 Hz, 1 channel, 16 bit; \
             convert it: sox IN.wav -r 8000 -c 1 -b 16 OUT.wav"
        );
        assert!(matches!(read(&wav(8_000, 1, 8, &[0])), Err(Refused::Format(_))));
        assert!(matches!(read(b"ID3 not a wave"), Err(Refused::Broken(_))));
        assert!(matches!(read(b""), Err(Refused::Broken(_))));
    }

    #[test]
    fn a_cut_file_is_broken() {
        let whole = wav(8_000, 1, 16, &[7; 100]);
        assert!(matches!(read(&whole[..whole.len() - 50]), Err(Refused::Broken(_))));
    }

    #[test]
    fn mutated_files_are_read_or_refused() {
        let base = wav(8_000, 1, 16, &[3; 40]);
        let mut rng = Rng::from_number(4);
        let mut refused = 0u32;
        for _ in 0..100_000 {
            let mut bytes = base.clone();
            for _ in 0..=rng.below(3) {
                let place = rng.below(bytes.len() as u64) as usize;
                bytes[place] = rng.bits() as u8;
            }
            bytes.truncate(if rng.below(3) == 0 { rng.below(130) as usize } else { 130 });
            refused += u32::from(read(&bytes).is_err());
        }
        assert!(refused > 1_000, "{refused}");
    }
}
