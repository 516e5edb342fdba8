//! Which of several voice streams of an offer is taken (RFC 3264 section 6: one may be accepted, the others rejected).

use super::codec::CodecList;
use super::description::Sdp;
use super::line::{SdpLine, media_line};

/// The description with its first usable voice stream in front: those before it, which have no codec that `allow`
/// permits, count as rejected (port 0). All stay where they are, so that an answer keeps their order. Without a usable
/// one nothing changes.
pub fn choose_voice(mut sdp: Sdp, allow: &CodecList) -> Sdp {
    let voices: Vec<usize> = (0..sdp.media.len()).filter(|index| sdp.is_voice(*index)).collect();
    let [_, _, ..] = voices.as_slice() else { return sdp };
    let is_usable = |index: &usize| {
        let audio = sdp.audio_at(*index);
        audio.is_some_and(|audio| audio.formats.iter().any(|one| one.codec.is_some_and(|codec| allow.contains(codec))))
    };
    let Some(chosen) = voices.iter().position(is_usable) else { return sdp };
    for index in voices.iter().take(chosen) {
        if let Some(first) = sdp.media.get_mut(*index).and_then(|section| section.first_mut())
            && let Some(line) = closed(first)
        {
            *first = line;
        }
    }
    sdp
}

/// The `m=` line with port 0.
fn closed(line: &SdpLine) -> Option<SdpLine> {
    let parts = media_line(line)?;
    Some(SdpLine::made(format!("m={} 0 {} {}", parts.medium, parts.proto, parts.joined_formats())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::tests::local;
    use crate::sdp::{Codec, answer_from, offer_from};

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    fn sdp(media: &str) -> Sdp {
        Sdp::parse(format!("{HEAD}{media}").as_bytes()).unwrap()
    }

    fn media_lines(sdp: &Sdp) -> Vec<String> {
        let text = String::from_utf8(sdp.to_bytes()).unwrap();
        text.lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect()
    }

    #[test]
    fn the_first_usable_stream_is_taken_and_the_answer_keeps_the_order() {
        let allow = CodecList::of(&[Codec::from_name("ulaw").unwrap()]);
        let local = local();
        for (media, port, offered, answered) in [
            (
                "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\nm=audio 4002 RTP/AVP 0\r\n",
                4002,
                vec!["m=audio 10000 RTP/AVP 0"],
                vec!["m=audio 0 RTP/AVP 97", "m=audio 10000 RTP/AVP 0"],
            ),
            // One we know, and that is not allowed.
            (
                "m=audio 4000 RTP/AVP 18\r\nm=video 4004 RTP/AVP 31\r\nm=audio 4002 RTP/AVP 8 0\r\n",
                4002,
                vec!["m=audio 10000 RTP/AVP 0"],
                vec!["m=audio 0 RTP/AVP 18", "m=video 0 RTP/AVP 31", "m=audio 10000 RTP/AVP 0"],
            ),
            (
                "m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\n",
                4000,
                vec!["m=audio 10000 RTP/AVP 0"],
                vec!["m=audio 10000 RTP/AVP 0", "m=audio 0 RTP/AVP 0"],
            ),
        ] {
            let offer = choose_voice(sdp(media), &allow);
            assert_eq!(offer.audio().unwrap().port, port, "{media}");
            let to_callee = offer_from(&offer, &allow, &local).unwrap();
            assert_eq!(media_lines(&to_callee), offered, "{media}");
            let answer = answer_from(&offer, &sdp("m=audio 5000 RTP/AVP 0\r\n"), &allow, &local).unwrap();
            assert_eq!(media_lines(&answer), answered, "{media}");
        }
        let none = sdp("m=audio 4000 RTP/AVP 18\r\nm=audio 4002 RTP/AVP 9\r\n");
        assert_eq!(choose_voice(none.clone(), &allow), none);
        let one = sdp("m=audio 4000 RTP/AVP 18\r\n");
        assert_eq!(choose_voice(one.clone(), &allow), one);
    }
}
