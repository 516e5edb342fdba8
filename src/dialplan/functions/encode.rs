//! Texts in another form: `URIENCODE`, `URIDECODE`, `BASE64_ENCODE`, `BASE64_DECODE`, `MD5`, `SHA1`, `KEYPADHASH`.

use crate::dialplan::function::Function;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sha1::Sha1;

pub(super) static URIENCODE: Function = Function {
    name: "URIENCODE",
    synopsis: "The text with all that a URI may not hold as %XX",
    syntax: "URIENCODE(text)",
    read: Some(|_, text| Ok(text.bytes().map(escaped).collect())),
    write: None,
};

pub(super) static URIDECODE: Function = Function {
    name: "URIDECODE",
    synopsis: "The text with each %XX replaced by what it stands for",
    syntax: "URIDECODE(text)",
    read: Some(|_, text| Ok(decoded(text))),
    write: None,
};

pub(super) static BASE64_ENCODE: Function = Function {
    name: "BASE64_ENCODE",
    synopsis: "The text in base64",
    syntax: "BASE64_ENCODE(text)",
    read: Some(|_, text| Ok(STANDARD.encode(text))),
    write: None,
};

pub(super) static BASE64_DECODE: Function = Function {
    name: "BASE64_DECODE",
    synopsis: "The text that the base64 stands for",
    syntax: "BASE64_DECODE(base64)",
    read: Some(|_, text| {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| "BASE64_DECODE: that is no base64".to_owned())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }),
    write: None,
};

pub(super) static MD5: Function = Function {
    name: "MD5",
    synopsis: "The MD5 digest of the text, in hexadecimal",
    syntax: "MD5(text)",
    read: Some(|_, text| Ok(hexadecimal(&Md5::digest(text)))),
    write: None,
};

pub(super) static SHA1: Function = Function {
    name: "SHA1",
    synopsis: "The SHA-1 digest of the text, in hexadecimal",
    syntax: "SHA1(text)",
    read: Some(|_, text| Ok(hexadecimal(&Sha1::digest(text)))),
    write: None,
};

pub(super) static KEYPADHASH: Function = Function {
    name: "KEYPADHASH",
    synopsis: "The keys of a telephone that the letters of the text are on",
    syntax: "KEYPADHASH(text)",
    read: Some(|_, text| Ok(text.chars().filter_map(key).collect())),
    write: None,
};

fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |letter: &u8| char::from(*letter).to_digit(16).unwrap_or(0);
                bytes.push(u8::try_from(digit(high) * 16 + digit(low)).unwrap_or(b'?'));
                tail
            }
            [one, tail @ ..] => {
                bytes.push(*one);
                tail
            }
            [] => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(letter: char) -> Option<char> {
    Some(match letter.to_ascii_lowercase() {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        '*' => '*',
        digit if digit.is_ascii_digit() => digit,
        _ => return None,
    })
}
