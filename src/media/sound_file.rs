//! A sound file that grows: what is in it can be read at any time, also after a kill.

use crate::audio::RATE;
use crate::pbx::recording::Container;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// The length of our WAV header.
const HEADER: u32 = 44;
/// A file that counts up has at most so many before it.
const MAX_NUMBERS: u32 = 100_000;

/// A sound file that is written.
pub(super) struct SoundFile {
    file: File,
    container: Container,
    /// Its path, as it was named in the end.
    pub(super) path: String,
    /// Bytes of sound.
    length: u32,
}

impl SoundFile {
    /// Creates a file, or goes on at the end of one; its folders, too.
    ///
    /// # Errors
    /// Why not, naming the file.
    pub(super) fn open(path: &str, container: Container, append: bool) -> Result<SoundFile, String> {
        let told = |path: &str, error: &io::Error| format!("{path}: {error}");
        if let Some(folder) = Path::new(path).parent() {
            fs::create_dir_all(folder).map_err(|error| told(&folder.display().to_string(), &error))?;
        }
        if !path.contains("%d") {
            return SoundFile::create(path, container, append, false).map_err(|error| told(path, &error));
        }
        for number in 0..MAX_NUMBERS {
            let path = path.replace("%d", &number.to_string());
            match SoundFile::create(&path, container, false, true) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                other => return other.map_err(|error| told(&path, &error)),
            }
        }
        Err(format!("{path}: there are {MAX_NUMBERS} of them already"))
    }

    fn create(path: &str, container: Container, append: bool, is_new: bool) -> io::Result<SoundFile> {
        let mut options = OpenOptions::new();
        // Who may listen is for the folder's owner to say: nobody else by default.
        options.read(true).write(true).mode(0o640);
        if is_new {
            options.create_new(true)
        } else {
            options.create(true).truncate(!append)
        };
        let mut file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not an ordinary file"));
        }
        let there = u32::try_from(file.metadata()?.len()).map_err(|_| io::Error::other("it is longer than 4 GiB"))?;
        let mut length = there;
        if container == Container::Wav {
            if there >= HEADER {
                let mut head = [0; HEADER as usize];
                file.read_exact(&mut head)?;
                let (ours, theirs) = (header(0), head);
                // All but the two lengths.
                let is_ours = ours.get(8..40) == theirs.get(8..40) && ours.get(..4) == theirs.get(..4);
                if !is_ours {
                    return Err(io::Error::other("it is no WAV file of 8000 Hz, 1 channel, 16 bit: nothing is added"));
                }
            } else {
                file.set_len(0)?;
                file.write_all(&header(0))?;
            }
            length = there.saturating_sub(HEADER);
        }
        file.seek(SeekFrom::End(0))?;
        Ok(SoundFile { file, container, path: path.to_owned(), length })
    }

    /// Gives it another name; its folders are made.
    ///
    /// # Errors
    /// Why not, naming the file.
    pub(super) fn rename(&mut self, path: &str) -> Result<(), String> {
        let told = |error: io::Error| format!("{path}: {error}");
        if let Some(folder) = Path::new(path).parent() {
            fs::create_dir_all(folder).map_err(told)?;
        }
        // What is there under that name was somebody else's recording.
        if path != self.path && Path::new(path).exists() {
            return Err(format!("{path}: it is there already"));
        }
        fs::rename(&self.path, path).map_err(told)?;
        path.clone_into(&mut self.path);
        Ok(())
    }

    /// Adds samples.
    ///
    /// # Errors
    /// The system does not take them.
    pub(super) fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        let bytes: Vec<u8> = match self.container {
            Container::Wav | Container::Linear => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
            Container::Raw(law) => samples.iter().map(|sample| law.encode(*sample)).collect(),
        };
        let added = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // The lengths in a WAV file have 32 bits: three days.
        if self.length.checked_add(added).is_none_or(|length| length > u32::MAX - HEADER) {
            return Err(io::Error::other("it is 4 GiB long, more cannot be written"));
        }
        self.file.write_all(&bytes)?;
        self.length = self.length.saturating_add(added);
        Ok(())
    }

    /// Writes into the header how long the file is now.
    ///
    /// # Errors
    /// The system does not take it.
    pub(super) fn update(&mut self) -> io::Result<()> {
        if self.container == Container::Wav { self.file.write_all_at(&header(self.length), 0) } else { Ok(()) }
    }
}

/// The header of a WAV file with so many bytes of sound.
fn header(length: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER as usize);
    bytes.extend(b"RIFF");
    bytes.extend(length.saturating_add(HEADER - 8).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(RATE.to_le_bytes());
    bytes.extend((RATE * 2).to_le_bytes());
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    bytes
}
