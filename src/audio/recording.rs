//! Sound files of every format that is read, from their bytes: which endings there are, and what is in them.

use super::g711::{self, Law};
use super::{LONGEST, RATE, Refused, resample, wav};

/// How a file's samples are written, as its ending says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// G.711 without a header.
    G711(Law),
    /// A WAV file, which says itself what is in it.
    Wav,
    /// 16-bit samples without a header, the low byte first, so many a second.
    Linear(u32),
    /// Known, and not read: its name.
    Unsupported(&'static str),
}

/// Every ending there is, in the order in which they are looked for: what needs no conversion first, what cannot be
/// played last.
pub const ENDINGS: &[(&str, Kind)] = &[
    ("ulaw", Kind::G711(Law::Mu)),
    ("ul", Kind::G711(Law::Mu)),
    ("mu", Kind::G711(Law::Mu)),
    ("pcm", Kind::G711(Law::Mu)),
    ("alaw", Kind::G711(Law::A)),
    ("al", Kind::G711(Law::A)),
    ("wav", Kind::Wav),
    ("wav16", Kind::Wav),
    ("sln", Kind::Linear(8_000)),
    ("raw", Kind::Linear(8_000)),
    ("sln16", Kind::Linear(16_000)),
    ("gsm", Kind::Unsupported("GSM")),
    ("WAV", Kind::Unsupported("WAV with GSM in it")),
    ("g722", Kind::Unsupported("G.722")),
    ("g729", Kind::Unsupported("G.729")),
    ("mp3", Kind::Unsupported("MP3")),
    ("ogg", Kind::Unsupported("Ogg")),
];

impl Kind {
    /// The format that files with this ending have.
    pub fn of_ending(ending: &str) -> Option<Kind> {
        ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, kind)| *kind)
    }

    /// Is it played?
    pub fn is_played(self) -> bool {
        !matches!(self, Kind::Unsupported(_))
    }
}

/// The samples of a sound file at 8,000 a second, one channel; and what the file is, in words.
///
/// # Errors
/// It is broken, of a kind that is not read, or too long.
pub fn read(kind: Kind, bytes: &[u8]) -> Result<(Vec<i16>, String), Refused> {
    let (samples, what) = match kind {
        Kind::G711(law) => {
            let name = if law == Law::Mu { "mu-law" } else { "A-law" };
            (g711::decode(bounded(bytes, 1, RATE)?, law), format!("{name}, {RATE} Hz"))
        }
        Kind::Wav => {
            let (samples, format) = wav::read(bytes)?;
            (samples, format.to_string())
        }
        Kind::Linear(rate) => {
            let frames = bounded(bytes, 2, rate)?.chunks_exact(2);
            let samples: Vec<i16> = frames.filter_map(|pair| Some(i16::from_le_bytes(pair.try_into().ok()?))).collect();
            (resample::to_line_rate(&samples, rate), format!("16-bit samples, {rate} Hz"))
        }
        Kind::Unsupported(name) => return Err(Refused::Unsupported(name.to_owned())),
    };
    if samples.is_empty() {
        return Err(Refused::Broken("there is no sound in it".to_owned()));
    }
    Ok((samples, what))
}

fn bounded(bytes: &[u8], width: usize, rate: u32) -> Result<&[u8], Refused> {
    let samples = (bytes.len() / width) as u64;
    if samples / u64::from(rate) >= LONGEST.as_secs() { Err(Refused::Long) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_read_or_refused_by_name() {
        for (ending, kind) in ENDINGS {
            assert_eq!(Kind::of_ending(ending), Some(*kind));
            let bytes = if *kind == Kind::Wav { wav::write(&[100; 160]) } else { vec![0xff; 640] };
            match (read(*kind, &bytes), kind.is_played()) {
                (Ok((samples, what)), true) => assert!(samples.len() >= 160 && !what.is_empty(), "{ending}: {what}"),
                (Err(Refused::Unsupported(_)), false) => {}
                (other, _) => panic!("{ending}: {other:?}"),
            }
        }
        assert_eq!(Kind::of_ending("exe"), None);
        assert_eq!(read(Kind::Linear(8_000), &[1, 0, 2, 1, 9]).unwrap().0, [1, 0x102]);
        assert_eq!(read(Kind::Linear(16_000), &[0; 64]).unwrap().0.len(), 16);
        assert_eq!(read(Kind::G711(Law::Mu), &vec![0; 14_400_000]), Err(Refused::Long));
        assert!(matches!(read(Kind::G711(Law::A), &[]), Err(Refused::Broken(_))));
    }
}
