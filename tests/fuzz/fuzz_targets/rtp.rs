//! RTP and RTCP packets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strowger::rtp::header::{self, Header};
use strowger::rtp::rtcp;

fuzz_target!(|packet: &[u8]| {
    if rtcp::is_rtcp(packet) {
        assert!(rtcp::parts(packet).count() <= packet.len());
    }
    if let Ok(read) = Header::read(packet) {
        let mut packet = packet.to_vec();
        header::set_payload_type(&mut packet, 8);
        header::set_place(&mut packet, 1, 2, 3);
        let again = Header::read(&packet).expect("it is still RTP");
        assert_eq!((again.payload_type, again.sequence, again.timestamp, again.ssrc), (8, 1, 2, 3));
        let _ = read;
    }
});
