//! SDP: what sdp-types and webrtc-sdp accept rightly, strowger accepts with the same meaning.

use std::net::IpAddr;
use strowger::rng::Rng;
use strowger::sdp::{Audio, Direction, Sdp, SdpError};
use strowger_oracle::corpus::{Case, cases};
use webrtc_sdp::attribute_type::{SdpAttribute, SdpAttributeType};
use webrtc_sdp::media_type::{SdpFormatList, SdpMedia, SdpMediaValue, SdpProtocolValue};

fn ours(case: &Case) -> Sdp {
    Sdp::parse(case.text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

#[test]
fn we_read_the_whole_corpus_and_print_it_unchanged() {
    assert!(cases().len() >= 20);
    for case in cases() {
        assert_eq!(ours(&case).to_bytes(), case.text.as_bytes(), "{}", case.name);
    }
}

#[test]
fn sdp_types_and_we_mean_the_same() {
    for case in cases() {
        let theirs =
            sdp_types::Session::parse(case.text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        same_as_sdp_types(&ours(&case), &theirs, case.name);
    }
}

#[test]
fn webrtc_sdp_and_we_mean_the_same() {
    let mut read = 0;
    for case in cases() {
        let Ok(theirs) = webrtc_sdp::parse_sdp(&case.text, false) else { continue };
        read += 1;
        let sdp = ours(&case);
        let origin = theirs.get_origin();
        assert_eq!(sdp.origin().id, origin.session_id.to_string(), "{}", case.name);
        assert_eq!(sdp.origin().version, origin.session_version.to_string(), "{}", case.name);
        let Some(audio) = sdp.audio() else { continue };
        // It leaves out media it does not know, so ours is looked for rather than counted.
        let is_voice = |media: &&SdpMedia| {
            let proto = matches!(media.get_proto(), SdpProtocolValue::RtpAvp);
            matches!(media.get_type(), SdpMediaValue::Audio) && proto && media.get_port() != 0
        };
        let media = theirs.media.iter().find(is_voice).unwrap_or_else(|| panic!("{}: no voice", case.name));
        same_as_webrtc_sdp(&audio, media, &theirs, case.name);
    }
    assert!(read > cases().len() / 2, "webrtc-sdp reads only {read} of them");
}

/// Where sdp-types takes a damaged description, so do we, with the same meaning, but for what is listed here.
#[test]
fn mutated_descriptions_mean_the_same_to_sdp_types_and_us() {
    let mut rng = Rng::from_number(1938);
    let corpus = cases();
    let (mut both, mut only_theirs) = (0, 0);
    for _ in 0..50_000 {
        let bytes = mutant(&mut rng, &corpus);
        let Ok(theirs) = sdp_types::Session::parse(&bytes) else { continue };
        let shown = String::from_utf8_lossy(&bytes);
        match Sdp::parse(&bytes) {
            Ok(sdp) => {
                both += 1;
                same_as_sdp_types(&sdp, &theirs, &shown);
            }
            // RFC 8866 section 5: type letters are letters, and `o=` must be there. sdp-types does not mind.
            Err(SdpError::NotALine { .. } | SdpError::NoOrigin) => only_theirs += 1,
            // Nor `o=` among the media, where it does not belong.
            Err(SdpError::BadOrigin { line }) if line > 3 => only_theirs += 1,
            // It reads `+000` as a number and a tab as part of a word; RFC 8866 section 9 has digits and tokens.
            Err(SdpError::BadMedia { .. }) if shown.contains(" +") || !has_plain_media(&theirs) => only_theirs += 1,
            Err(error) => panic!("only sdp-types reads this ({error}):\n{shown}"),
        }
    }
    assert!(both > 10 * only_theirs && both > 5_000, "too wild: {both} read by both, {only_theirs} only by theirs");
}

fn mutant(rng: &mut Rng, corpus: &[Case]) -> Vec<u8> {
    let pick = |rng: &mut Rng| corpus[rng.below(corpus.len() as u64) as usize].text.as_bytes();
    let mut bytes = pick(rng).to_vec();
    for _ in 0..1 + rng.below(2) {
        let at = rng.below(bytes.len() as u64) as usize;
        match rng.below(5) {
            0 => bytes[at] = rng.bits() as u8,
            1 => bytes[at] = b' ' + rng.below(95) as u8,
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, b"0123456789 :/=\r\n"[rng.below(16) as usize]),
            _ => {
                let tail = pick(rng);
                bytes.truncate(at.max(1));
                bytes.extend_from_slice(&tail[at.min(tail.len())..]);
            }
        }
    }
    bytes
}

fn ip(text: &str) -> Option<IpAddr> {
    text.split('/').next().and_then(|host| host.parse().ok())
}

fn payload_type(word: &str) -> Option<u8> {
    word.parse().ok().filter(|payload| *payload < 128 && word.bytes().all(|byte| byte.is_ascii_digit()))
}

fn has_plain_media(theirs: &sdp_types::Session) -> bool {
    theirs.medias.iter().all(|media| is_word(&media.media) && is_word(&media.proto))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// The address, when network and kind are those RFC 8866 knows; sdp-types takes any words.
fn address(connection: &sdp_types::Connection) -> Option<IpAddr> {
    let known =
        connection.nettype.to_string() == "IN" && ["IP4", "IP6"].contains(&connection.addrtype.to_string().as_str());
    ip(&connection.connection_address).filter(|_| known)
}

fn same_as_sdp_types(sdp: &Sdp, theirs: &sdp_types::Session, name: &str) {
    let origin = sdp.origin();
    // sdp-types takes any text for an id and an address; a number and a word are right (RFC 8866 section 9).
    if is_word(&theirs.origin.unicast_address) && theirs.origin.sess_id.bytes().all(|byte| byte.is_ascii_digit()) {
        assert_eq!(origin.id, theirs.origin.sess_id, "{name}");
        assert_eq!(origin.version.parse().ok(), Some(theirs.origin.sess_version), "{name}");
    }
    // It splits at each single space, so a second one shifts the rest; we go by the words.
    if !has_plain_media(theirs) {
        return;
    }
    let is_voice = |media: &&sdp_types::Media| {
        media.media.eq_ignore_ascii_case("audio") && media.proto.eq_ignore_ascii_case("RTP/AVP") && media.port != 0
    };
    let theirs_voice = theirs.medias.iter().find(is_voice);
    let audio = sdp.audio();
    assert_eq!(audio.is_some(), theirs_voice.is_some(), "{name}");
    let (Some(audio), Some(media)) = (audio, theirs_voice) else { return };
    assert_eq!(audio.port, media.port, "{name}");
    let connection = media.connections.first().or(theirs.connection.as_ref());
    if connection.is_none_or(|connection| is_word(&connection.connection_address)) {
        assert_eq!(audio.connection, connection.and_then(address), "{name}");
    }
    let mut formats: Vec<u8> = Vec::new();
    for payload in media.fmt.split_whitespace().filter_map(payload_type) {
        if !formats.contains(&payload) {
            formats.push(payload);
        }
    }
    assert_eq!(audio.formats.iter().map(|format| format.payload).collect::<Vec<_>>(), formats, "{name}");
    for format in &audio.formats {
        let of = |wanted: &str| {
            let lines = media.attributes.iter().filter(|line| line.attribute.trim().eq_ignore_ascii_case(wanted));
            let values = lines.filter_map(|line| line.value.as_deref());
            let mut values =
                values.map(|value| value.trim_start().split_once([' ', '\t']).unwrap_or((value.trim_start(), "")));
            values
                .find(|(payload, _)| payload_type(payload) == Some(format.payload))
                .map(|(_, rest)| rest.trim_start().to_owned())
        };
        assert_eq!(format.fmtp.as_deref(), of("fmtp").as_deref(), "{name}");
        if let Some(map) = of("rtpmap").as_deref().and_then(map) {
            assert_eq!((format.encoding.as_str(), format.clock), map, "{name}");
        }
    }
}

/// `PCMU/8000` or `opus/48000/2`: sdp-types takes any text, and for another one we go by the number.
fn map(text: &str) -> Option<(&str, u32)> {
    let number =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse::<u32>().ok()).flatten();
    let mut parts = text.split('/').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let clock = number(parts.next()?)?;
    parts.next().is_none_or(|channels| number(channels).is_some_and(|channels| channels < 256)).then_some((name, clock))
}

fn same_as_webrtc_sdp(audio: &Audio, media: &SdpMedia, theirs: &webrtc_sdp::SdpSession, name: &str) {
    assert_eq!(u32::from(audio.port), media.get_port(), "{name}");
    let connection = media.get_connection().as_ref().or(theirs.get_connection().as_ref());
    let text = connection.map(|connection| connection.address.to_string()).unwrap_or_default();
    assert_eq!(audio.connection, text.rsplit(' ').next().and_then(ip), "{name}");
    let SdpFormatList::Integers(formats) = media.get_formats() else { panic!("{name}: formats are numbers") };
    assert_eq!(audio.formats.iter().map(|format| u32::from(format.payload)).collect::<Vec<_>>(), *formats, "{name}");
    for attribute in media.get_attributes() {
        match attribute {
            SdpAttribute::Rtpmap(map) => {
                let format = audio.formats.iter().find(|format| format.payload == map.payload_type).unwrap();
                let channels = map.channels.unwrap_or(1);
                let read = (format.encoding.as_str(), format.clock, u32::from(format.channels));
                assert_eq!(read, (map.codec_name.as_str(), map.frequency, channels), "{name}");
            }
            SdpAttribute::Ptime(ptime) => assert_eq!(audio.ptime.map(u64::from), Some(*ptime), "{name}"),
            SdpAttribute::Rtcp(rtcp) => assert_eq!(audio.rtcp.map(|(port, _)| port), Some(rtcp.port), "{name}"),
            _ => {}
        }
    }
    let has =
        |kind: SdpAttributeType| media.get_attribute(kind.clone()).or_else(|| theirs.get_attribute(kind)).is_some();
    let direction = if has(SdpAttributeType::Sendonly) {
        Direction::SendOnly
    } else if has(SdpAttributeType::Recvonly) {
        Direction::RecvOnly
    } else if has(SdpAttributeType::Inactive) {
        Direction::Inactive
    } else {
        Direction::SendRecv
    };
    assert_eq!(audio.direction, direction, "{name}");
}
