//! Asterisk's dialect and what is read from it; the first byte says which file, and every diagnostic can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strowger::config::diagnostic::render;
use strowger::config::{acl_conf, ini, logger_conf, rtp_conf, sip_conf, toml_conf};

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = input.split_first() else { return };
    let (document, mut said) = ini::parse("x.conf", text, &mut ini::no_includes);
    said.extend(match kind % 5 {
        0 => sip_conf::parse(&document, &Default::default()).1,
        1 => acl_conf::parse(&document).1,
        2 => rtp_conf::parse(&document).1,
        3 => logger_conf::parse(&document).1,
        _ => toml_conf::parse("x.conf", text).1,
    });
    let line = |_: &str, line: u32| {
        let line = text.split(|byte| *byte == b'\n').nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
        Some(String::from_utf8_lossy(line).into_owned())
    };
    let _ = render(&said, &line);
});
