//! `AES_ENCRYPT`, `AES_DECRYPT`: AES with a key of 128 bits, each block by itself (ECB), as base64. For what other exchanges wrote:
//! equal blocks look alike, and nothing tells a changed text.

use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) static AES_ENCRYPT: Function = Function {
    name: "AES_ENCRYPT",
    synopsis: "A text encrypted with AES (128 bits, block by block, filled up with zeros), in base64",
    syntax: "AES_ENCRYPT(key of 16 characters,text)",
    read: Some(|_, args| {
        let (cipher, text) = read("AES_ENCRYPT", args)?;
        let mut bytes = text.into_bytes();
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        each_block(&mut bytes, |block| cipher.encrypt_block(block.into()));
        Ok(STANDARD.encode(bytes))
    }),
    write: None,
};

pub(super) static AES_DECRYPT: Function = Function {
    name: "AES_DECRYPT",
    synopsis: "The text that AES_ENCRYPT encrypted with this key",
    syntax: "AES_DECRYPT(key of 16 characters,base64)",
    read: Some(|_, args| {
        let (cipher, text) = read("AES_DECRYPT", args)?;
        let mut bytes = STANDARD.decode(text.trim()).map_err(|_| "AES_DECRYPT: that is no base64".to_owned())?;
        if !bytes.len().is_multiple_of(BLOCK) {
            return Err("AES_DECRYPT: that is no text of whole blocks".to_owned());
        }
        each_block(&mut bytes, |block| cipher.decrypt_block(block.into()));
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }),
    write: None,
};

/// The bytes of a block, and of a key.
const BLOCK: usize = 16;

fn read(who: &str, args: &str) -> Result<(Aes128, String), String> {
    let mut parts = arguments::pieces(args, ',', 2).into_iter();
    let key = arguments::unquote(parts.next().unwrap_or_default().trim());
    let text = parts.next().ok_or_else(|| format!("{who} needs a key and a text"))?;
    let key: [u8; BLOCK] =
        key.as_bytes().try_into().map_err(|_| format!("{who}: the key has 16 characters, and not {}", key.len()))?;
    Ok((Aes128::new(&Array::from(key)), arguments::unquote(&text)))
}

fn each_block(bytes: &mut [u8], change: impl Fn(&mut [u8; BLOCK])) {
    for block in bytes.as_chunks_mut::<BLOCK>().0 {
        change(block);
    }
}
