//! The edge as a stranger meets it: one answer at most, to where the request came from, never more than twice its
//! bytes.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use strowger::clock::Now;
use strowger::config::Config;
use strowger::guard::admission::{Admission, Verdict};
use strowger::sip::digest::nonce::NonceKey;
use strowger::sip::{Flow, Message, validate};

static EDGE: LazyLock<Admission> = LazyLock::new(|| {
    let sip = "[general]\n[client]\ntype=friend\nhost=dynamic\nsecret=password\n";
    let config = Config::from_texts(sip, "", "", "").0.expect("it is a configuration");
    Admission::new(&config.sip, NonceKey::new([7; 32], 1))
});

fuzz_target!(|datagram: &[u8]| {
    let Ok(Message::Request(request)) = Message::parse(&Bytes::copy_from_slice(datagram)) else { return };
    let (local, remote) = (([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 20], 5060).into());
    let flow = Flow::udp(local, remote);
    let verdict = match validate::request(&request) {
        Ok(essentials) => EDGE.admit(&request, &essentials, flow, Now::default(), 42),
        Err(refusal) => EDGE.reject(&request, &refusal, flow),
    };
    if let Verdict::Reply { response, to, .. } = verdict {
        assert_eq!(to.ip(), remote.ip());
        assert!(response.to_bytes().len() <= 2 * datagram.len());
    }
});
