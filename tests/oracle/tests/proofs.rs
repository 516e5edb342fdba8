//! Why three crates this project would have liked to use are not in it: each reason as a test. When one of these
//! fails, the crate has been mended, and the choice can be looked at again.

use rsip::headers::UntypedHeader;
use rsip::typed::Contact;
use webrtc_util::marshal::Unmarshal;

/// A Cisco telephone's Contact carries an instance id in quotes, so such a telephone could not register.
#[test]
fn rsip_cannot_read_the_contact_of_a_cisco_telephone() {
    let contact = "<sip:1@h>;+sip.instance=\"<urn:uuid:0>\"";
    assert!(Contact::try_from(rsip::headers::Contact::new(contact)).is_err());
    assert!(Contact::try_from(rsip::headers::Contact::new("<sip:1@h>")).is_ok(), "without the id it can");
}

/// RFC 4475's messages that a parser must take: rsip takes about half.
#[test]
fn rsip_refuses_valid_torture_messages() {
    use sipx_testkit::rfc4475::{CASES, Case};
    let valid = |case: &&Case| case.section.starts_with("3.1.1.");
    let taken = |case: &&Case| rsip::SipMessage::try_from(case.bytes).is_ok();
    let (all, read) = (CASES.iter().filter(valid).count(), CASES.iter().filter(valid).filter(taken).count());
    assert_eq!((read, all), (7, 13));
}

/// Twenty bytes from anybody, and the exchange would be gone: an RTP header extension whose length runs out.
#[test]
fn rtp_panics_on_twenty_bytes() {
    let bytes = [0x90, 0, 0, 1, 0, 0, 0, 0xa0, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x1f, 0, 0, 0];
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(|| rtp::packet::Packet::unmarshal(&mut bytes.as_slice()).is_ok());
    std::panic::set_hook(quiet);
    assert!(outcome.is_err(), "no panic any more: {outcome:?}");
    let sound = [0x80, 0, 0, 1, 0, 0, 0, 0xa0, 1, 2, 3, 4, 0xff, 0xff];
    assert!(rtp::packet::Packet::unmarshal(&mut sound.as_slice()).is_ok());
}

/// A PAP2T tells the other adapter which modem events it hears; webrtc-sdp writes other ones in their place.
#[test]
fn webrtc_sdp_rewrites_modem_events() {
    let pap2t = strowger_oracle::corpus::cases().swap_remove(0).text;
    assert!(pap2t.contains("a=fmtp:100 192-193\r\n"));
    let printed = webrtc_sdp::parse_sdp(&pap2t, false).unwrap().to_string();
    assert!(printed.contains("a=fmtp:100 0-15\r\n") && !printed.contains("192-193"), "{printed}");
    let ours = strowger::sdp::Sdp::parse(pap2t.as_bytes()).unwrap();
    assert_eq!(ours.to_bytes(), pap2t.as_bytes());
}

/// Attributes it does not know are gone, the modem adapters' own among them, and fax is refused.
#[test]
fn webrtc_sdp_drops_what_it_does_not_know() {
    let start = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
    let modem = format!("{start}m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\na=gpmd:0 vbd=yes\r\n");
    let printed = webrtc_sdp::parse_sdp(&modem, false).unwrap().to_string();
    assert!(printed.contains("m=audio") && !printed.contains("gpmd"), "{printed}");
    let fax = format!("{start}m=image 4000 udptl t38\r\na=sendrecv\r\n");
    let kept = webrtc_sdp::parse_sdp(&fax, false).is_ok_and(|sdp| sdp.to_string().contains("m=image"));
    assert!(!kept);
}
