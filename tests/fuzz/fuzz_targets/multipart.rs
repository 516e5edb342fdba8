//! A body of several parts; the first line says its Content-Type. What is written again reads back as the same parts.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use strowger::sip::multipart::{MAX_PARTS, Part};

fn whole(content_type: &str, body: &[u8]) -> Part {
    Part { content_type: content_type.to_owned(), body: Bytes::copy_from_slice(body), ..Part::default() }
}

/// The same parts between delimiters of a boundary that none of them holds.
fn written(parts: &[Part], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        for (name, value) in [
            ("Content-Type", &part.content_type),
            ("Content-Disposition", &part.disposition),
            ("Content-Encoding", &part.encoding),
            ("Content-Transfer-Encoding", &part.transfer_encoding),
        ] {
            if !value.is_empty() {
                body.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(&part.body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (content_type, body) = input.split_at(end);
    let content_type = String::from_utf8_lossy(content_type);
    // Both what it says and a boundary that is easy to hit.
    for content_type in [content_type.as_ref(), "multipart/mixed;boundary=b"] {
        let whole_body = whole(content_type, body);
        let Ok(parts) = whole_body.parts() else { continue };
        assert!(parts.len() <= MAX_PARTS);
        assert!(parts.iter().map(|part| part.body.len()).sum::<usize>() <= body.len());
        for part in &parts {
            let _ = (part.media_type(), part.is_optional(), part.is_plain());
            if part.is_multipart() {
                let _ = part.parts();
            }
        }
        if content_type == "multipart/mixed;boundary=b" {
            let again = whole(content_type, &written(&parts, "b")).parts();
            assert_eq!(again.expect("what was written reads"), parts);
        }
    }
});
