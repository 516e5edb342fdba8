//! A file as a transfer reads it.

use crate::provision::tftp::{Content, ReadError};
use std::fs::File;
use std::io::{BufReader, Read as _};

/// A file that is read from its beginning to its end.
pub struct FileContent(BufReader<File>);

impl FileContent {
    /// This file.
    pub fn new(file: File) -> FileContent {
        FileContent(BufReader::with_capacity(32 * 1024, file))
    }
}

impl Content for FileContent {
    fn read(&mut self, most: usize) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::with_capacity(most);
        let mut part = (&mut self.0).take(most as u64);
        part.read_to_end(&mut bytes).map_err(|error| ReadError(error.to_string()))?;
        Ok(bytes)
    }
}
