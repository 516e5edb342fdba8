//! A datagram as it comes from the network: framing, header fields, validation; and what is printed reads back as
//! itself.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use strowger::sip::{Message, validate};

fuzz_target!(|datagram: &[u8]| {
    let Ok(message) = Message::parse(&Bytes::copy_from_slice(datagram)) else { return };
    let is_flawless = match &message {
        Message::Request(request) => validate::request(request).is_ok(),
        Message::Response(response) => validate::response(response).is_ok(),
    };
    if is_flawless {
        let printed = message.to_bytes();
        let again = Message::parse(&printed).expect("what was printed is framed");
        assert_eq!(again.to_bytes(), printed);
    }
});
