//! Authorization and WWW-Authenticate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strowger::sip::Method;
use strowger::sip::digest::{self, Ha1};
use strowger::sip::header::{Challenge, Credentials};

fuzz_target!(|value: &[u8]| {
    let ha1 = Ha1::from_secret("client", "asterisk", "password");
    if let Ok(credentials) = Credentials::parse(value) {
        let _ = digest::verify(&credentials, &Method::Register, &ha1);
        let _ = credentials.nonce_count();
        assert_eq!(Credentials::parse(credentials.to_string().as_bytes()).expect("what was printed reads"), credentials);
    }
    if let Ok(challenge) = Challenge::parse(value)
        && let Some(answer) = digest::answer(&challenge, "client", &ha1, &Method::Register, "sip:192.0.2.1", "c0ffee", 1)
    {
        assert!(digest::verify(&answer, &Method::Register, &ha1));
    }
});
