//! Where the bytes of a transfer come from, and netascii.

/// What a transfer sends, read once from its beginning to its end.
pub trait Content {
    /// The next bytes, `most` of them unless the end is nearer.
    ///
    /// # Errors
    /// They cannot be read.
    fn read(&mut self, most: usize) -> Result<Vec<u8>, ReadError>;
}

/// A file that cannot be read on: why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError(pub String);

impl<C: Content + ?Sized> Content for Box<C> {
    fn read(&mut self, most: usize) -> Result<Vec<u8>, ReadError> {
        (**self).read(most)
    }
}

/// Bytes that are there already.
#[derive(Debug, Clone, Default)]
pub struct Bytes {
    bytes: Vec<u8>,
    at: usize,
}

impl Bytes {
    /// These.
    pub fn new(bytes: Vec<u8>) -> Bytes {
        Bytes { bytes, at: 0 }
    }
}

impl Content for Bytes {
    fn read(&mut self, most: usize) -> Result<Vec<u8>, ReadError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let part = rest.get(..most).unwrap_or(rest).to_vec();
        self.at = self.at.saturating_add(part.len());
        Ok(part)
    }
}

/// The same with the line ends of netascii: LF becomes CR LF, and CR becomes CR NUL (RFC 764). Lines that
/// end with CR LF in the file already are left as they are.
#[derive(Debug)]
pub struct Netascii<C> {
    content: C,
    /// Converted and not yet given.
    ahead: Vec<u8>,
    /// The last byte that was converted was a CR, whose partner is not yet known.
    after_cr: bool,
    ended: bool,
}

/// Bytes read at a time.
const STEP: usize = 512;

impl<C: Content> Netascii<C> {
    /// This content, converted.
    pub fn new(content: C) -> Netascii<C> {
        Netascii { content, ahead: Vec::new(), after_cr: false, ended: false }
    }

    fn convert(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match (std::mem::take(&mut self.after_cr), byte) {
                (true, b'\n') => self.ahead.push(b'\n'),
                (false, b'\n') => self.ahead.extend_from_slice(b"\r\n"),
                (after_cr, byte) => {
                    if after_cr {
                        self.ahead.push(0);
                    }
                    self.ahead.push(*byte);
                    self.after_cr = *byte == b'\r';
                }
            }
        }
    }
}

impl<C: Content> Content for Netascii<C> {
    fn read(&mut self, most: usize) -> Result<Vec<u8>, ReadError> {
        while self.ahead.len() < most && !self.ended {
            let bytes = self.content.read(STEP)?;
            self.ended = bytes.len() < STEP;
            self.convert(&bytes);
            if self.ended && std::mem::take(&mut self.after_cr) {
                self.ahead.push(0);
            }
        }
        let rest = self.ahead.split_off(most.min(self.ahead.len()));
        Ok(std::mem::replace(&mut self.ahead, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of it, read in pieces of this size.
    fn whole(text: &[u8], piece: usize) -> Vec<u8> {
        let mut content = Netascii::new(Bytes::new(text.to_vec()));
        let mut all = Vec::new();
        loop {
            let part = content.read(piece).unwrap();
            all.extend_from_slice(&part);
            if part.len() < piece {
                return all;
            }
        }
    }

    #[test]
    fn line_ends_become_those_of_netascii_wherever_a_block_ends() {
        for piece in [1, 2, 3, 512] {
            assert_eq!(whole(b"a\nb\n", piece), b"a\r\nb\r\n", "{piece}");
            assert_eq!(whole(b"a\rb", piece), b"a\r\0b", "{piece}");
            assert_eq!(whole(b"a\r\nb\r", piece), b"a\r\nb\r\0", "{piece}");
            assert_eq!(whole(b"\r\r\n", piece), b"\r\0\r\n", "{piece}");
            assert_eq!(whole(b"", piece), b"", "{piece}");
        }
        // A pair of CR and LF across the border of what is read at a time.
        let text = [vec![b'x'; STEP - 1], b"\r\ny".to_vec()].concat();
        assert_eq!(whole(&text, 100), text);
        let text = vec![b'\n'; 3 * STEP];
        assert_eq!(whole(&text, 512), b"\r\n".repeat(3 * STEP));
    }
}
