//! Base64 with the alphabet that is safe in URIs and file names, without padding (RFC 4648 5).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes as text.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |word, at| (word << 8) | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..=chunk.len() {
            let index = (word >> (18 - 6 * at)) & 63;
            let letter = usize::try_from(index).ok().and_then(|index| ALPHABET.get(index));
            text.extend(letter.map(|l| char::from(*l)));
        }
    }
    text
}

/// Text back to bytes; `None` when it is not exactly what `encode` would write.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0u32;
        for at in 0..4 {
            let value = match chunk.get(at) {
                Some(letter) => value_of(*letter)?,
                None => 0,
            };
            word = (word << 6) | value;
        }
        let [_, a, b, c] = word.to_be_bytes();
        match chunk.len() {
            4 => bytes.extend([a, b, c]),
            3 if c == 0 => bytes.extend([a, b]),
            2 if b == 0 && c == 0 => bytes.push(a),
            _ => return None,
        }
    }
    Some(bytes)
}

/// The letter's position in the alphabet.
fn value_of(letter: u8) -> Option<u32> {
    let (first, place) = match letter {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'-' => (b'-', 62),
        b'_' => (b'_', 63),
        _ => return None,
    };
    Some(u32::from(letter.wrapping_sub(first)) + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_read_as_it_is_written() {
        for letter in 0..=255 {
            let place = ALPHABET.iter().position(|known| *known == letter);
            assert_eq!(value_of(letter), place.and_then(|place| u32::try_from(place).ok()), "{letter}");
        }
    }

    /// RFC 4648 10, without padding.
    #[test]
    fn vectors() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }

    /// One value has one spelling: otherwise a nonce would have several, each with a count of its own.
    #[test]
    fn other_spellings_are_refused() {
        for bad in ["Zg==", "Z", "Zh", "Zm9", "Zm+v", "Zm 9"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
