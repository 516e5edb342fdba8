//! The kinds of header values; the first byte says which.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use strowger::sip::header::{CSeq, ContactValue, HeaderName, NameAddr, OptionTags, SessionExpires, Via, session_expires};
use strowger::sip::Headers;

fuzz_target!(|input: &[u8]| {
    let Some((kind, value)) = input.split_first() else { return };
    match kind % 7 {
        0 => {
            if let Ok(via) = Via::parse(value) {
                assert!(Via::parse(via.to_string().as_bytes()).is_ok());
            }
            let _ = Via::parse_for_refusal(value);
        }
        1 => {
            if let Ok(address) = NameAddr::parse(value) {
                assert!(NameAddr::parse(address.to_string().as_bytes()).is_ok());
            }
        }
        2 => drop(ContactValue::parse(value)),
        3 => drop(CSeq::parse(value)),
        kind => {
            let mut headers = Headers::new();
            let name = [HeaderName::Contact, HeaderName::SessionExpires, HeaderName::Require][usize::from(kind) - 4].clone();
            headers.push(name.clone(), Bytes::copy_from_slice(value));
            assert!(headers.values(name.clone()).count() <= value.len() + 1);
            let _ = OptionTags::from_headers(&headers, name).unknown(&["timer"]);
            let _ = (SessionExpires::of(&headers), session_expires::min_se(&headers));
        }
    }
});
