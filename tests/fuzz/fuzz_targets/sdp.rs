//! Session descriptions, and the offers and answers made of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strowger::sdp::{CodecList, Sdp, negotiate};

fuzz_target!(|text: &[u8]| {
    let Ok(description) = Sdp::parse(text) else { return };
    let printed = description.to_bytes();
    let again = Sdp::parse(&printed).expect("what was printed is a description");
    assert_eq!(again.to_bytes(), printed);
    let _ = description.rtp_addr();
    let _ = negotiate::usable(&description, &CodecList::default());
    assert!(negotiate::same_media(&description, &description));
});
