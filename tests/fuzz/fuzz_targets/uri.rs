//! SIP URIs, and others; what is printed reads back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strowger::sip::Uri;

fuzz_target!(|text: &[u8]| {
    let Ok(uri) = Uri::parse(text) else { return };
    let printed = uri.to_string();
    let again = Uri::parse(printed.as_bytes()).expect("what was printed is a URI");
    assert_eq!(again.to_string(), printed);
    if let Some(sip) = uri.sip() {
        let _ = sip.user_text();
    }
});
